//! Measurements: values of a KPI on days, one per natural key. A second is a correction; the first is kept as
//! superseded, never overwritten.

use std::collections::{BTreeSet, HashMap, HashSet};

use async_graphql::{ID, InputObject, MaybeUndefined};
use chrono::NaiveDate;
use entity::{
    id::{ChannelId, KpiId, MeasurementId, SegmentId, TouchpointId},
    kpi, measurement,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult, QueryFilter,
    Set, sea_query::Expr,
};

use super::rules::{self, FigureFault, GivenFigures, KpiMeasure, MeasurementFigures};
use crate::{
    access::{Caller, FindingDependency, Permit, require_unarchived},
    audit::AuditedChange,
    error::{Error, Reason, Result, UserErrorCode},
    id,
    input::Faults,
    judgement::{self, KpiPart, PeriodSumKey, period::Grain},
    policy::Action,
    scalar::{DAY_OUT_OF_RANGE, is_day_in_range},
    statement::SqlBuilder,
};

/// What is measured when and where: there is one value in force for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeasurementKey {
    pub kpi: KpiId,
    pub touchpoint: Option<TouchpointId>,
    pub channel: Option<ChannelId>,
    pub segment: Option<SegmentId>,
    pub measured_on: NaiveDate,
}

impl MeasurementKey {
    /// The key of a value that is of every channel and segment, at a touchpoint or of the KPI as a whole.
    #[must_use]
    pub const fn for_all_channels_and_segments(
        kpi: KpiId,
        touchpoint: Option<TouchpointId>,
        measured_on: NaiveDate,
    ) -> Self {
        Self {
            kpi,
            touchpoint,
            channel: None,
            segment: None,
            measured_on,
        }
    }

    /// The key of a measurement.
    #[must_use]
    pub fn from_row(row: &measurement::Model) -> Self {
        Self {
            kpi: row.kpi_id,
            touchpoint: row.touchpoint_id,
            channel: row.channel_id,
            segment: row.segment_id,
            measured_on: row.measured_on,
        }
    }
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasurementContent {
    pub figures: MeasurementFigures,
    pub source: Option<String>,
}

impl MeasurementContent {
    /// What a measurement says.
    #[must_use]
    pub fn from_row(row: &measurement::Model) -> Self {
        Self {
            figures: MeasurementFigures {
                value: row.value,
                numerator: row.numerator,
                denominator: row.denominator,
                sample_size: row.sample_size,
            },
            source: row.source.clone(),
        }
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeasurementsRecorded {
    /// Measurements that are new.
    pub recorded: i32,
    /// Measurements that took the place of a different one.
    pub corrected: i32,
    /// Measurements that were there already.
    pub unchanged: i32,
}

impl MeasurementsRecorded {
    /// Adds what became of others.
    pub(super) fn add(&mut self, other: Self) {
        self.recorded += other.recorded;
        self.corrected += other.corrected;
        self.unchanged += other.unchanged;
    }

    /// Number of values in all.
    #[must_use]
    pub fn row_count(self) -> usize {
        let rows = self.recorded + self.corrected + self.unchanged;
        usize::try_from(rows).unwrap_or(0)
    }

    /// The count that the caller may know.
    fn counter_shown_to_caller(
        &mut self,
        hidden: bool,
        which: impl FnOnce(&mut Self) -> &mut i32,
    ) -> &mut i32 {
        if hidden {
            &mut self.recorded
        } else {
            which(self)
        }
    }
}

/// What putting values in force came to.
#[derive(Debug, Default)]
pub(super) struct MeasurementBatchResult {
    pub done: MeasurementsRecorded,
    /// The KPIs of which a value is new or another.
    pub kpis: BTreeSet<KpiId>,
}

impl MeasurementUpsertContext {
    /// Brings the sums of periods up to date, once the act has put all its values in force.
    pub(super) async fn refresh_period_sums(&mut self, permit: &Permit<'_>) -> Result<()> {
        let changed = std::mem::take(&mut self.changed_periods);
        judgement::refresh_period_sums(permit.tx(), changed).await
    }
}

impl MeasurementBatchResult {
    /// What both came to.
    pub(super) fn add(&mut self, other: Self) {
        self.done.add(other.done);
        self.kpis.extend(other.kpis);
    }
}

/// How values are put in force, and what the act has done so far.
#[derive(Clone, Debug, Default)]
pub(super) struct MeasurementUpsertContext {
    /// Tell what would become of them, and write nothing.
    pub dry_run: bool,
    /// KPIs, under their locks, that had no values at all when the act began: nothing needs to be looked up of them.
    pub fresh: HashSet<KpiId>,
    /// KPIs whose values the caller may not read: every value sent counts as recorded, else what became of it would
    /// tell the value in force.
    pub hidden: BTreeSet<KpiId>,
    /// The KPIs of which the act has raised the revision of what was measured: once each.
    pub raised: HashMap<KpiId, kpi::Model>,
    /// The periods of which the sums are no longer what was measured.
    pub changed_periods: BTreeSet<PeriodSumKey>,
}

/// How many keys are looked up, and values kept, by one statement at the most.
pub(super) const AT_ONCE: usize = 1_000;

/// Makes these the values in force: an equal one changes nothing, a different one is corrected.
pub(super) async fn upsert(
    permit: &Permit<'_>,
    values: Vec<(MeasurementKey, MeasurementContent)>,
    hidden: BTreeSet<KpiId>,
) -> Result<MeasurementBatchResult> {
    let mut put = MeasurementBatchResult::default();
    let mut state = MeasurementUpsertContext {
        hidden,
        ..MeasurementUpsertContext::default()
    };
    // In portions: a statement takes only so many parameters.
    let mut values = values.into_iter().peekable();
    while values.peek().is_some() {
        let some = values.by_ref().take(AT_ONCE).collect();
        put.add(upsert_batch(permit, some, &mut state).await?);
    }
    state.refresh_period_sums(permit).await?;
    Ok(put)
}

/// [`upsert`] for at most [`AT_ONCE`] values, with what the act knows of its KPIs. The sums of periods are brought up to
/// date when the act has put all its values in force.
pub(super) async fn upsert_batch(
    permit: &Permit<'_>,
    values: Vec<(MeasurementKey, MeasurementContent)>,
    state: &mut MeasurementUpsertContext,
) -> Result<MeasurementBatchResult> {
    let mut put = MeasurementBatchResult::default();
    let in_force = load_in_force(permit, &values, state).await?;
    let (mut rows, mut corrections) = (Vec::with_capacity(values.len()), Vec::new());
    for (key, content) in values {
        let id: MeasurementId = id::new();
        let hidden = state.hidden.contains(&key.kpi);
        match in_force.get(&key) {
            Some(before) if MeasurementContent::from_row(before) == content => {
                *put.done
                    .counter_shown_to_caller(hidden, |done| &mut done.unchanged) += 1;
                continue;
            }
            Some(before) => {
                *put.done
                    .counter_shown_to_caller(hidden, |done| &mut done.corrected) += 1;
                corrections.push((before.id, id));
            }
            None => put.done.recorded += 1,
        }
        put.kpis.insert(key.kpi);
        rows.push(new_measurement_row(permit.caller, id, key, content));
    }
    if !state.dry_run {
        insert_measurements(permit, rows, corrections, state).await?;
    }
    Ok(put)
}

/// The measurements in force that have one of the keys.
async fn load_in_force(
    permit: &Permit<'_>,
    values: &[(MeasurementKey, MeasurementContent)],
    state: &MeasurementUpsertContext,
) -> Result<HashMap<MeasurementKey, measurement::Model>> {
    let Some(looked_up) = select_in_force_sql(permit.tx().get_database_backend(), values, state)
    else {
        return Ok(HashMap::new());
    };
    let rows = measurement::Model::find_by_statement(looked_up.statement())
        .all(permit.tx())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (MeasurementKey::from_row(&row), row))
        .collect())
}

/// The statement that looks up what is in force; nothing where there is nothing to look up.
fn select_in_force_sql(
    backend: DbBackend,
    values: &[(MeasurementKey, MeasurementContent)],
    state: &MeasurementUpsertContext,
) -> Option<SqlBuilder> {
    let keys = values.iter().map(|(key, _)| key);
    let mut keys = keys
        .filter(|key| !state.fresh.contains(&key.kpi))
        .peekable();
    keys.peek()?;
    let keys = keys.map(|key| {
        [
            key.kpi.into(),
            key.touchpoint.into(),
            key.channel.into(),
            key.segment.into(),
            key.measured_on.into(),
        ]
    });
    let given = "WITH given (kpi_id, touchpoint_id, channel_id, segment_id, measured_on) AS (";
    // A CROSS JOIN because SQLite takes it at its word: else it may read all measurements for a few keys.
    let text = SqlBuilder::new(backend, given).values_rows(keys).then(
        ") SELECT measurement.* FROM given CROSS JOIN measurement WHERE measurement.kpi_id = given.kpi_id
        AND measurement.measured_on = given.measured_on
        AND measurement.touchpoint_id IS NOT DISTINCT FROM given.touchpoint_id
        AND measurement.channel_id IS NOT DISTINCT FROM given.channel_id
        AND measurement.segment_id IS NOT DISTINCT FROM given.segment_id
        AND measurement.superseded_by_id IS NULL",
    );
    Some(text)
}

/// What is wrong with a KPI whose values nobody records by hand.
pub(super) fn fed_by_answers_fault(kpi: &kpi::Model) -> Option<FigureFault> {
    kpi.fed_from.map(|_| FigureFault {
        field: "kpiId",
        code: UserErrorCode::Conflict,
        reason: Some(Reason::FedByFeedback),
        message: "This KPI is fed by feedback: record the answers instead.".to_owned(),
    })
}

/// The row of a new measurement, in force.
fn new_measurement_row(
    caller: &Caller,
    id: MeasurementId,
    key: MeasurementKey,
    content: MeasurementContent,
) -> measurement::ActiveModel {
    measurement::ActiveModel {
        id: Set(id),
        kpi_id: Set(key.kpi),
        touchpoint_id: Set(key.touchpoint),
        channel_id: Set(key.channel),
        segment_id: Set(key.segment),
        measured_on: Set(key.measured_on),
        value: Set(content.figures.value),
        numerator: Set(content.figures.numerator),
        denominator: Set(content.figures.denominator),
        sample_size: Set(content.figures.sample_size),
        source: Set(content.source),
        recorded_at: Set(caller.now),
        recorded_by_account_id: Set(caller.account()),
        superseded_by_id: Set(None),
        series_revision: Set(0),
    }
}

/// Raises the revisions of what was measured of KPIs, which are under their locks, and gives each row its own.
async fn raise_kpi_revisions(
    permit: &Permit<'_>,
    rows: &mut [measurement::ActiveModel],
    state: &mut MeasurementUpsertContext,
) -> Result<()> {
    let raised = &mut state.raised;
    let kpis: BTreeSet<KpiId> = rows
        .iter()
        .filter_map(|row| row.kpi_id.try_as_ref())
        .filter(|id| !raised.contains_key(id))
        .copied()
        .collect();
    if !kpis.is_empty() {
        // RETURNING gives the revisions that the same statement made.
        let kpis: Vec<kpi::Model> = kpi::Entity::update_many()
            .col_expr(
                kpi::Column::SeriesRevision,
                Expr::col(kpi::Column::SeriesRevision).add(1),
            )
            .filter(kpi::Column::Id.is_in(kpis))
            .exec_with_returning(permit.tx())
            .await?;
        raised.extend(kpis.into_iter().map(|kpi| (kpi.id, kpi)));
    }
    for row in rows {
        let Some(kpi) = row.kpi_id.try_as_ref().and_then(|id| raised.get(id)) else {
            continue;
        };
        row.series_revision = Set(kpi.series_revision);
        state.changed_periods.extend(period_sum_key(kpi, row));
    }
    Ok(())
}

/// The period's sum that a measurement of a KPI belongs to.
fn period_sum_key(kpi: &kpi::Model, row: &measurement::ActiveModel) -> Option<PeriodSumKey> {
    let day = *row.measured_on.try_as_ref()?;
    Some(PeriodSumKey {
        kpi: kpi.id,
        touchpoint: *row.touchpoint_id.try_as_ref()?,
        part: KpiPart {
            channel: *row.channel_id.try_as_ref()?,
            segment: *row.segment_id.try_as_ref()?,
        },
        begin: Grain::finest_for(kpi.cadence).begin_of_period(day),
        cadence: kpi.cadence,
    })
}

fn year_range_fault(day: NaiveDate) -> Option<FigureFault> {
    (!is_day_in_range(day)).then(|| FigureFault {
        field: "measuredOn",
        code: UserErrorCode::Invalid,
        reason: Some(Reason::OutOfRange),
        message: DAY_OUT_OF_RANGE.to_owned(),
    })
}

/// Finds fault with a day in the future or outside those years.
pub fn add_measured_day_fault(faults: &mut Faults, path: &str, day: NaiveDate, today: NaiveDate) {
    add_fault(faults, path, measured_day_fault(day, today));
}

/// What is wrong with a day on which nothing can have been measured.
pub(super) fn measured_day_fault(day: NaiveDate, today: NaiveDate) -> Option<FigureFault> {
    if day <= today {
        return year_range_fault(day);
    }
    Some(FigureFault {
        field: "measuredOn",
        code: UserErrorCode::Invalid,
        reason: Some(Reason::InFuture),
        message: "The day of measurement is in the future.".to_owned(),
    })
}

fn add_fault(faults: &mut Faults, path: &str, wrong: Option<FigureFault>) {
    if let Some(wrong) = wrong {
        faults.add(path, wrong.code, wrong.reason, wrong.message);
    }
}

/// The figures of a measurement; what is wrong with them stands at its field after the path.
pub fn complete_figures(
    faults: &mut Faults,
    path: &str,
    kpi: &kpi::Model,
    given: &GivenFigures,
) -> MeasurementFigures {
    let (figures, wrong) = rules::complete_figures(kpi.into(), given);
    for wrong in wrong {
        let path = format!("{path}.{}", wrong.field);
        add_fault(faults, &path, Some(wrong));
    }
    figures
}

/// Keeps new measurements; those that they correct make room first. At most [`AT_ONCE`]: 1,000 rows of 15 columns are
/// fewer parameters than either database takes in a statement (SQLite 32,766).
async fn insert_measurements(
    permit: &Permit<'_>,
    mut rows: Vec<measurement::ActiveModel>,
    corrections: Vec<(MeasurementId, MeasurementId)>,
    state: &mut MeasurementUpsertContext,
) -> Result<()> {
    if !corrections.is_empty() {
        let pairs = corrections
            .into_iter()
            .map(|(was, becomes)| [was.into(), becomes.into()]);
        // The corrections need not exist yet, since the reference is checked at the commit; and the index that allows
        // one value in force for each key refuses them while the old ones are in force.
        let supersede = SqlBuilder::new(
            permit.tx().get_database_backend(),
            "WITH correction (was, becomes) AS (",
        )
        .values_rows(pairs)
        .then(") UPDATE measurement SET superseded_by_id = correction.becomes")
        .then(" FROM correction WHERE measurement.id = correction.was");
        permit.tx().execute_raw(supersede.statement()).await?;
    }
    if !rows.is_empty() {
        raise_kpi_revisions(permit, &mut rows, state).await?;
        measurement::Entity::insert_many(rows)
            .exec_without_returning(permit.tx())
            .await?;
    }
    Ok(())
}

/// The correction of a measurement. What is absent stays as it is, null clears.
#[derive(InputObject)]
pub struct KpiMeasurementCorrectInput {
    /// An id made by the client (a UUID of version 7) for the correction, so that a retry makes nothing twice.
    pub id: Option<ID>,
    /// Id of the measurement to correct; if it was corrected before, of its latest correction.
    pub measurement_id: ID,
    /// The value, in the KPI's unit. Of a share (the aggregation or the unit RATIO) it agrees with numerator and
    /// denominator, or is left out and follows from them.
    pub value: MaybeUndefined<f64>,
    /// Numerator of a share; signed for NPS.
    pub numerator: MaybeUndefined<f64>,
    /// Denominator of a share: the number of cases.
    pub denominator: MaybeUndefined<f64>,
    /// Sample size: the number of answers.
    pub sample_size: MaybeUndefined<i32>,
    /// Origin of the value.
    pub source: MaybeUndefined<String>,
}

impl KpiMeasurementCorrectInput {
    /// The figures of the correction of a measurement.
    fn given_figures(&self, corrected: &measurement::Model, kpi: &kpi::Model) -> GivenFigures {
        let changes_parts = !(self.numerator.is_undefined() && self.denominator.is_undefined());
        let follows = KpiMeasure::from(kpi).is_share() && changes_parts;
        GivenFigures {
            value: given_or_kept(self.value, (!follows).then_some(corrected.value)),
            numerator: given_or_kept(self.numerator, corrected.numerator),
            denominator: given_or_kept(self.denominator, corrected.denominator),
            sample_size: given_or_kept(self.sample_size, corrected.sample_size),
        }
    }
}

/// What a field gives, or what is kept where it is absent.
fn given_or_kept<T>(given: MaybeUndefined<T>, kept: Option<T>) -> Option<T> {
    match given {
        MaybeUndefined::Undefined => kept,
        given => given.take(),
    }
}

/// Corrects one measurement.
pub async fn correct_measurement(
    caller: &Caller,
    input: KpiMeasurementCorrectInput,
) -> Result<measurement::Model> {
    let mut faults = Faults::default();
    let id: MeasurementId = faults.parse_or_make_id(input.id.as_ref());
    let which: MeasurementId = faults.parse_id("measurementId", &input.measurement_id);
    let source = faults.check_optional_text("source", input.source.as_opt_deref().flatten());
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let found = permit
        .get::<measurement::Entity>("measurementId", which)
        .await?;
    let kpi = permit
        .fetch_locked::<kpi::Entity>(Action::RecordMeasurement, "measurementId", found.kpi_id)
        .await?;
    require_unarchived::<kpi::Entity>("measurementId", &kpi)?;
    let key = MeasurementKey::from_row(&found);
    let mut faults = Faults::default();
    // A measurement never changes: what corrects it is another.
    let figures = complete_figures(&mut faults, "", &kpi, &input.given_figures(&found, &kpi));
    let source = match input.source {
        MaybeUndefined::Undefined => found.source.clone(),
        _ => source,
    };
    let content = MeasurementContent { figures, source };
    // Before the check for a correction below: a retry finds the measurement corrected by its own first attempt.
    let same = |row: &measurement::Model| {
        MeasurementKey::from_row(row) == key && MeasurementContent::from_row(row) == content
    };
    if let Some(row) = permit
        .find_already_created::<measurement::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    // Only under the KPI's lock does it stay as it is read.
    let before = permit
        .get::<measurement::Entity>("measurementId", which)
        .await?;
    if let Some(by) = before.superseded_by_id {
        let message = "It was corrected already. Correct its latest correction.";
        let conflict = Error::conflict("measurementId", Reason::NotInForce, message);
        return Err(conflict.with_current(by.0));
    }
    add_fault(&mut faults, "measurementId", fed_by_answers_fault(&kpi));
    faults.check()?;
    if MeasurementContent::from_row(&before) == content {
        return Ok(before);
    }
    let mut state = MeasurementUpsertContext::default();
    let (new, correction) = (
        new_measurement_row(caller, id, key, content),
        (before.id, id),
    );
    insert_measurements(&permit, vec![new], vec![correction], &mut state).await?;
    state.refresh_period_sums(&permit).await?;
    let after = permit
        .get::<measurement::Entity>("measurementId", id)
        .await?;
    let corrects = serde_json::json!({ "corrects": before.id.to_string() });
    permit.invalidate_findings(FindingDependency::Kpi(after.kpi_id));
    permit.add_audit_event(
        AuditedChange::for_change_outside_row::<measurement::Entity>(&after, corrects),
    );
    permit.commit().await?;
    Ok(after)
}
