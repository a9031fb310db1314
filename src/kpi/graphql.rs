//! KPIs in the API: what they show of themselves, and what people do to them.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    id::{DepartmentId, KpiId},
    kpi, kpi_grant, kpi_link, kpi_target, measurement,
    words::{
        AcrossParts, Aggregation, Cadence, Direction, KpiScope, KpiState, KpiType, Sensitivity,
        Unit,
    },
};
use sea_orm::{ColumnTrait, QueryFilter, Select};

use super::{
    KpiCreateInput, KpiOwnerChangeInput, KpiUpdateInput,
    grant::{KpiGrantCreateInput, KpiGrantDeleteInput},
    link::{KpiLinkCreateInput, KpiLinkUpdateInput},
    measurement::{KpiMeasurementCorrectInput, MeasurementsRecorded},
    record::KpiMeasurementsRecordInput,
    target::KpiTargetSetInput,
};
use crate::{
    access::Caller,
    account::authorship::Authorship,
    error::{Result, UserError},
    input::{self, AtVersionInput, By},
    judgement::{self, JudgedKpiLink, KpiJudgement, period_law::minimum_sample},
    page::{self, ObjectPage, PageArguments},
    payload,
    payload::{caller, done_or_refused, into_node, mutation_caller},
    scalar::Date,
};

/// A key performance indicator: its definition, and how to read its values.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Kpi {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the organisation.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Definition: the quantity measured, and the method.
    pub description: Option<String>,
    /// The subject that it measures.
    #[graphql(name = "type")]
    pub kpi_type: KpiType,
    /// The unit of its values.
    pub unit: Unit,
    /// ISO 4217 code, where the unit is CURRENCY.
    pub currency: Option<String>,
    /// Number of decimals to display.
    pub decimals: i32,
    /// Whether a higher or a lower value is better.
    pub direction: Direction,
    /// The way its values are combined over time and groups.
    pub aggregation: Aggregation,
    /// The interval at which it should be measured.
    pub cadence: Cadence,
    /// The people who may see its values.
    pub sensitivity: Sensitivity,
    /// Whether it judges single contacts or the relationship as a whole.
    pub scope: KpiScope,
    /// The day from which on its values are computed from feedback, and nobody can record them by hand; null where they
    /// are recorded.
    pub fed_from: Option<Date>,
    /// The number of answers or cases that a period needs to be its current figure.
    pub minimum_sample: i32,
    /// What the last values of channels, segments or touchpoints come to.
    pub across_parts: AcrossParts,
    /// Counts changes of the KPI's own fields; send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    /// Time of archiving; null while it is not archived.
    pub archived_at: Option<DateTime<Utc>>,
    #[graphql(skip)]
    pub row: Arc<kpi::Model>,
}

impl From<kpi::Model> for Kpi {
    fn from(row: kpi::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key.clone(),
            name: row.name.clone(),
            description: row.description.clone(),
            kpi_type: row.kpi_type,
            unit: row.unit,
            currency: row.currency.clone(),
            decimals: row.decimals,
            direction: row.direction,
            aggregation: row.aggregation,
            cadence: row.cadence,
            sensitivity: row.sensitivity,
            scope: row.scope,
            fed_from: row.fed_from.map(Date),
            minimum_sample: minimum_sample(&row),
            across_parts: row.across_parts,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            archived_at: row.archived_at,
            row: Arc::new(row),
        }
    }
}

/// A target of a KPI, in force from its first day until the first day of the KPI's next target (excluded).
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct KpiTarget {
    /// The object's id.
    pub id: ID,
    /// The first day (included).
    pub valid_from: Date,
    /// The value to reach; null means no target from that day on.
    pub value: Option<f64>,
    /// The level up to which a missed target is only AT_RISK; null for none.
    pub warning: Option<f64>,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: kpi_target::Model,
}

impl From<kpi_target::Model> for KpiTarget {
    fn from(row: kpi_target::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            valid_from: Date(row.valid_from),
            value: row.value,
            warning: row.warning,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
        }
    }
}

/// A link by which a KPI judges a touchpoint, a phase or a whole blueprint on some days.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct KpiLink {
    /// The object's id.
    pub id: ID,
    /// The first day (included); null for no beginning.
    pub valid_from: Option<Date>,
    /// The day after the last one (excluded); null for no end.
    pub valid_to: Option<Date>,
    /// Weight relative to other links, for display only.
    pub weight: Option<f64>,
    /// Version number: rises with every change of the object. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: Arc<kpi_link::Model>,
    /// The KPI and what it comes to here, where it was read as a part of its place.
    #[graphql(skip)]
    pub known: Option<Arc<(kpi::Model, KpiJudgement)>>,
}

impl From<kpi_link::Model> for KpiLink {
    fn from(row: kpi_link::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            valid_from: row.valid_from.map(Date),
            valid_to: row.valid_to.map(Date),
            weight: row.weight,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row: Arc::new(row),
            known: None,
        }
    }
}

impl KpiLink {
    /// A link as a part of its place, with what its KPI comes to there.
    #[must_use]
    pub fn from_judged(judged: &JudgedKpiLink, kpi: &kpi::Model) -> Self {
        Self {
            known: Some(Arc::new((kpi.clone(), judged.judgement.clone()))),
            ..judged.link.clone().into()
        }
    }
}

/// A value of a KPI on a day.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Measurement {
    /// The object's id.
    pub id: ID,
    /// The day.
    pub measured_on: Date,
    /// The value, in the KPI's unit: 6.1 is 6.1 %.
    pub value: f64,
    /// Numerator of a share; signed for NPS.
    pub numerator: Option<f64>,
    /// Denominator of a share: the number of cases.
    pub denominator: Option<f64>,
    /// Sample size: the number of answers.
    pub sample_size: Option<i32>,
    /// Origin of the value.
    pub source: Option<String>,
    /// Time of recording.
    pub recorded_at: DateTime<Utc>,
    /// Whether a correction replaced it.
    pub superseded: bool,
    #[graphql(skip)]
    pub row: Arc<measurement::Model>,
}

impl From<measurement::Model> for Measurement {
    fn from(row: measurement::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            measured_on: Date(row.measured_on),
            value: row.value,
            numerator: row.numerator,
            denominator: row.denominator,
            sample_size: row.sample_size,
            source: row.source.clone(),
            recorded_at: row.recorded_at,
            superseded: row.superseded_by_id.is_some(),
            row: Arc::new(row),
        }
    }
}

/// An account that may see the values of a KPI while it is confidential.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct KpiGrant {
    /// The object's id.
    pub id: ID,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(skip)]
    pub row: kpi_grant::Model,
}

impl From<kpi_grant::Model> for KpiGrant {
    fn from(row: kpi_grant::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            created_at: row.created_at,
            row,
        }
    }
}

/// Conditions on the KPIs to list; all that are given must hold.
#[derive(Default, InputObject)]
pub struct KpiFilter {
    /// Only those owned by this department.
    pub owner_department_id: Option<ID>,
    /// Only of one of these types.
    pub types: Option<Vec<KpiType>>,
    /// Only KPIs that are as a whole in one of these states; those whose values you may not see are left out.
    pub states: Option<Vec<KpiState>>,
    /// The day on which `states` are judged; today if absent.
    pub as_of: Option<Date>,
    /// Also archived ones.
    #[graphql(default)]
    pub include_archived: bool,
}

/// Reading KPIs.
#[derive(Default)]
pub struct KpiQuery;

#[Object]
impl KpiQuery {
    /// A KPI by id or key; null if there is none that you may see.
    async fn kpi(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id or its key.")] by: By,
    ) -> Option<Result<Kpi>> {
        into_node(async { caller(ctx)?.get_by_id_or_key::<kpi::Entity>(&by).await }).await
    }

    /// KPIs, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn kpis(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<KpiFilter>,
    ) -> Result<ObjectPage<Kpi>> {
        let caller = caller(ctx)?;
        let select = select_kpis(caller, filter.unwrap_or_default()).await?;
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Kpi::from).await
    }

    /// A KPI link by id.
    async fn kpi_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<KpiLink>> {
        into_node(async {
            caller(ctx)?
                .get::<kpi_link::Entity>(input::parse_id("id", &id)?)
                .await
        })
        .await
    }

    /// A measurement by id.
    async fn measurement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<Measurement>> {
        into_node(async {
            caller(ctx)?
                .get::<measurement::Entity>(input::parse_id("id", &id)?)
                .await
        })
        .await
    }
}

async fn select_kpis(caller: &Caller, filter: KpiFilter) -> Result<Select<kpi::Entity>> {
    let mut select = caller.select::<kpi::Entity>();
    if let Some(owner) = &filter.owner_department_id {
        let owner: DepartmentId = input::parse_id("filter.ownerDepartmentId", owner)?;
        select = select.filter(kpi::Column::OwnerDepartmentId.eq(owner));
    }
    if let Some(types) = filter.types {
        select = select.filter(kpi::Column::KpiType.is_in(types));
    }
    if !filter.include_archived {
        select = select.filter(kpi::Column::ArchivedAt.is_null());
    }
    let Some(states) = filter.states else {
        return Ok(select);
    };
    let day = caller.day_or_today(filter.as_of)?;
    let whole = judgement::load_kpi_judgements(caller, select.clone(), day).await?;
    let is_asked = |judgement: &KpiJudgement| {
        judgement
            .state()
            .is_some_and(|state| states.contains(&state))
    };
    let asked = whole.into_iter().filter(|(_, judged)| is_asked(judged));
    let ids: BTreeSet<KpiId> = asked.map(|(id, _)| id).collect();
    Ok(select.filter(kpi::Column::Id.is_in(ids)))
}

payload! {
    /// Result of a mutation on a KPI.
    KpiPayload {
        /// The KPI as it is now.
        kpi: Kpi of kpi::Entity
    }
}

payload! {
    /// Result of a mutation on a KPI's target.
    KpiTargetPayload {
        /// The target as it is now; as it was, where it was deleted.
        target: KpiTarget of kpi_target::Entity
    }
}

payload! {
    /// Result of a mutation on a KPI link.
    KpiLinkPayload {
        /// The link as it is now; as it was, where it was deleted.
        link: KpiLink of kpi_link::Entity
    }
}

payload! {
    /// Result of a mutation on a grant.
    KpiGrantPayload {
        /// The grant as it is now; as it was, where it was deleted.
        grant: KpiGrant of kpi_grant::Entity
    }
}

payload! {
    /// Result of correcting a measurement.
    KpiMeasurementPayload {
        /// The correction; on CONFLICT the correction that exists already.
        measurement: Measurement of measurement::Entity
    }
}

/// Result of recording measurements.
#[derive(SimpleObject)]
pub struct KpiMeasurementsRecordPayload {
    /// Number of new entries.
    pub recorded: i32,
    /// Number of measurements that replaced a different value.
    pub corrected: i32,
    /// Number of entries that were recorded before.
    pub unchanged: i32,
    /// The reasons why nothing was recorded; empty if everything was.
    pub user_errors: Vec<UserError>,
}

impl KpiMeasurementsRecordPayload {
    async fn from_result(caller: &Caller, result: Result<MeasurementsRecorded>) -> Result<Self> {
        let (done, user_errors) = done_or_refused(caller, result).await?;
        Ok(Self {
            recorded: done.recorded,
            corrected: done.corrected,
            unchanged: done.unchanged,
            user_errors,
        })
    }
}

/// Changing KPIs.
#[derive(Default)]
pub struct KpiMutation;

#[Object]
impl KpiMutation {
    /// Creates a KPI. Requires: DEFINE_KPI.
    async fn kpi_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: KpiCreateInput,
    ) -> Result<KpiPayload> {
        let caller = mutation_caller(ctx)?;
        KpiPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes a KPI's definition; type, unit and currency only while it has no measurements. Requires: DEFINE_KPI.
    async fn kpi_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: KpiUpdateInput,
    ) -> Result<KpiPayload> {
        let caller = mutation_caller(ctx)?;
        KpiPayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Transfers a KPI to another department. Requires: GOVERN_KPI.
    async fn kpi_owner_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The KPI, the version that you read, and its new owner.")]
        input: KpiOwnerChangeInput,
    ) -> Result<KpiPayload> {
        let caller = mutation_caller(ctx)?;
        KpiPayload::from_result(&caller, super::change_owner(&caller, input).await).await
    }

    /// Archives a KPI; its measurements stay in KPI facts. Requires: GOVERN_KPI.
    async fn kpi_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<KpiPayload> {
        let caller = mutation_caller(ctx)?;
        KpiPayload::from_result(&caller, super::set_archived(&caller, &input, true).await).await
    }

    /// Unarchives a KPI. Requires: GOVERN_KPI.
    async fn kpi_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<KpiPayload> {
        let caller = mutation_caller(ctx)?;
        KpiPayload::from_result(&caller, super::set_archived(&caller, &input, false).await).await
    }

    /// Sets a KPI's target from a day on; replaces a target with the same first day. Requires: DEFINE_KPI.
    async fn kpi_target_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The KPI, the first day of the target, and its values.")]
        input: KpiTargetSetInput,
    ) -> Result<KpiTargetPayload> {
        let caller = mutation_caller(ctx)?;
        KpiTargetPayload::from_result(&caller, super::target::set_target(&caller, input).await)
            .await
    }

    /// Deletes a target; the one before it stays in force. Requires: DEFINE_KPI.
    async fn kpi_target_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<KpiTargetPayload> {
        let caller = mutation_caller(ctx)?;
        KpiTargetPayload::from_result(&caller, super::target::delete(&caller, &input).await).await
    }

    /// Links a KPI to a touchpoint, a phase or a blueprint that you may read, to judge it. Requires: DEFINE_KPI.
    async fn kpi_link_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: KpiLinkCreateInput,
    ) -> Result<KpiLinkPayload> {
        let caller = mutation_caller(ctx)?;
        KpiLinkPayload::from_result(&caller, super::link::create(&caller, input).await).await
    }

    /// Changes the days or the weight of a link. Requires: DEFINE_KPI.
    async fn kpi_link_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: KpiLinkUpdateInput,
    ) -> Result<KpiLinkPayload> {
        let caller = mutation_caller(ctx)?;
        KpiLinkPayload::from_result(&caller, super::link::update(&caller, input).await).await
    }

    /// Deletes a link as if it had never existed. To end one, set its `validTo` instead. Requires: DEFINE_KPI.
    async fn kpi_link_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<KpiLinkPayload> {
        let caller = mutation_caller(ctx)?;
        KpiLinkPayload::from_result(&caller, super::link::delete(&caller, &input).await).await
    }

    /// Grants an analyst the values of a KPI while it is confidential. Requires: DEFINE_KPI.
    async fn kpi_grant_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: KpiGrantCreateInput,
    ) -> Result<KpiGrantPayload> {
        let caller = mutation_caller(ctx)?;
        KpiGrantPayload::from_result(&caller, super::grant::create(&caller, input).await).await
    }

    /// Deletes a grant. Requires: DEFINE_KPI.
    async fn kpi_grant_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The grant to delete.")] input: KpiGrantDeleteInput,
    ) -> Result<KpiGrantPayload> {
        let caller = mutation_caller(ctx)?;
        KpiGrantPayload::from_result(&caller, super::grant::delete(&caller, &input).await).await
    }

    /// Records at most 1,000 measurements, all or none. Sending the same batch again changes nothing; a different value
    /// for the same KPI, day and place corrects the existing one. Requires: RECORD_MEASUREMENT.
    async fn kpi_measurements_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The measurements to record.")] input: KpiMeasurementsRecordInput,
    ) -> Result<KpiMeasurementsRecordPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::record::record_measurements(&caller, input).await;
        KpiMeasurementsRecordPayload::from_result(&caller, result).await
    }

    /// Corrects one measurement; the old value is kept as superseded. Requires: RECORD_MEASUREMENT.
    async fn kpi_measurement_correct(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The measurement, and its corrected value.")]
        input: KpiMeasurementCorrectInput,
    ) -> Result<KpiMeasurementPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::measurement::correct_measurement(&caller, input).await;
        KpiMeasurementPayload::from_result(&caller, result).await
    }
}
