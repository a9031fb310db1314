//! KPIs: what is measured and how to read it. Their targets, links, grants and measurements are rooms of their own.

pub mod answers;
pub mod cells;
pub mod days;
pub mod fed;
pub mod grant;
pub mod graphql;
pub mod link;
pub mod measurement;
pub mod of_department;
pub mod record;
pub mod rules;
pub mod sheet;
pub mod target;

use async_graphql::{ID, InputObject, MaybeUndefined};
use chrono::NaiveDate;
use entity::{
    department,
    id::{DepartmentId, KpiId},
    kpi, kpi_target, measurement as measurements,
    words::{AcrossParts, Aggregation, Cadence, Direction, KpiScope, KpiType, Sensitivity, Unit},
};
use sea_orm::{
    ActiveValue::{self, NotSet},
    ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
    sea_query::Expr,
};

use self::{fed::RecountScope, rules::KpiMeasure};
use crate::{
    access::{Caller, Permit, expect_version, row_after_change},
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, set_if_given, set_or_clear},
    judgement::rebuild_period_sums,
    policy::{Action, Relation, RowTies},
    scalar::Date,
};

/// A new KPI of its owner department.
#[derive(InputObject)]
pub struct KpiCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Key, unique in the organisation; derived from the name if absent.
    pub key: Option<String>,
    /// The name.
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
    /// Number of decimals to display, from 0 to 6.
    #[graphql(default = 1)]
    pub decimals: i32,
    /// Whether a higher or a lower value is better.
    pub direction: Direction,
    /// The way its values are combined over time and groups.
    #[graphql(default_with = "Aggregation::Last")]
    pub aggregation: Aggregation,
    /// The interval at which it should be measured.
    #[graphql(default_with = "Cadence::Monthly")]
    pub cadence: Cadence,
    /// The department that owns it.
    pub owner_department_id: ID,
    /// The people who may see its values.
    #[graphql(default_with = "Sensitivity::Open")]
    pub sensitivity: Sensitivity,
    /// Whether it judges single contacts or the relationship as a whole.
    #[graphql(default_with = "KpiScope::Transactional")]
    pub scope: KpiScope,
    /// The number of answers or cases that a period needs to be its current figure, from 1 to 1,000,000; if absent, 10
    /// while it is fed by feedback and else 1.
    pub minimum_sample: Option<i32>,
    /// What the last values of channels, segments or touchpoints come to; SUM only with the aggregation LAST.
    #[graphql(default_with = "AcrossParts::None")]
    pub across_parts: AcrossParts,
}

/// Changes to a KPI. Absent fields stay as they are; null clears, or is REQUIRED where there is always a value. Type,
/// unit and currency are fixed once it has measurements.
#[derive(InputObject)]
pub struct KpiUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The new name.
    pub name: MaybeUndefined<String>,
    /// Definition: the quantity measured, and the method.
    pub description: MaybeUndefined<String>,
    /// The subject that it measures.
    #[graphql(name = "type")]
    pub kpi_type: MaybeUndefined<KpiType>,
    /// The unit of its values.
    pub unit: MaybeUndefined<Unit>,
    /// ISO 4217 code, where the unit is CURRENCY.
    pub currency: MaybeUndefined<String>,
    /// Number of decimals to display, from 0 to 6.
    pub decimals: MaybeUndefined<i32>,
    /// Whether a higher or a lower value is better; cannot be changed while a target has a warning level that would
    /// then lie on its better side.
    pub direction: MaybeUndefined<Direction>,
    /// The way its values are combined over time and groups.
    pub aggregation: MaybeUndefined<Aggregation>,
    /// The interval at which it should be measured.
    pub cadence: MaybeUndefined<Cadence>,
    /// The people who may see its values.
    pub sensitivity: MaybeUndefined<Sensitivity>,
    /// Whether it judges single contacts or the relationship as a whole; fixed once it has measurements from feedback.
    pub scope: MaybeUndefined<KpiScope>,
    /// The number of answers or cases that a period needs to be its current figure, from 1 to 1,000,000; null for the
    /// usual: 10 while it is fed by feedback and else 1.
    pub minimum_sample: MaybeUndefined<i32>,
    /// What the last values of channels, segments or touchpoints come to; SUM only with the aggregation LAST.
    pub across_parts: MaybeUndefined<AcrossParts>,
    /// The day from which on its values are computed from feedback, tomorrow at the latest: from all answers of these
    /// days, whenever they are recorded. While it is set nobody can record values. What was measured before that day
    /// stays; a day from which on it has values that were recorded or imported is a CONFLICT that names the first day
    /// that can be fed. Null stops it and keeps the values. Allowed combinations of type, unit and aggregation: NPS or ENPS with SCORE and RATIO; CSAT
    /// with SCALE_1_5 and AVERAGE, or with PERCENT or RATIO and the aggregation RATIO; CES with SCALE_1_7 and AVERAGE.
    /// Only a CX manager may set it for a RELATIONSHIP KPI, or for one that judges a place that not everybody may read.
    /// Employees' answers are counted in whole cells of at least five, at a cadence of a month or longer, where the KPI
    /// judged the place throughout; before the first such cell, a KPI without other values is NO_DATA. A KPI of
    /// employees' answers cannot change to customers', nor the other way round.
    pub fed_from: MaybeUndefined<Date>,
}

/// The transfer of a KPI to another department.
#[derive(InputObject)]
pub struct KpiOwnerChangeInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The department that owns it from now on.
    pub owner_department_id: ID,
}

/// Makes a KPI.
pub async fn create(caller: &Caller, input: KpiCreateInput) -> Result<kpi::Model> {
    let mut faults = Faults::default();
    let id: KpiId = faults.parse_or_make_id(input.id.as_ref());
    let name = faults.check_name("name", &input.name);
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let description = faults.check_optional_text("description", input.description.as_deref());
    faults.check_within("decimals", Some(input.decimals), DECIMALS);
    faults.check_within("minimumSample", input.minimum_sample, MINIMUM_SAMPLE);
    add_across_parts_fault(
        &mut faults,
        "acrossParts",
        input.aggregation,
        input.across_parts,
    );
    add_currency_fault(
        &mut faults,
        "currency",
        input.unit,
        input.currency.as_deref(),
    );
    let owner: DepartmentId = faults.parse_id("ownerDepartmentId", &input.owner_department_id);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let owner = permit
        .read_unarchived_row::<department::Entity>("ownerDepartmentId", owner)
        .await?;
    let ties = RowTies::none().with_departments(Relation::OwnsKpi, [owner.id]);
    permit.require(Action::DefineKpi, &ties, None)?;
    permit.show_audit_to_leads_of(owner.id);
    let same = |row: &kpi::Model| row.name == name && row.owner_department_id == owner.id;
    if let Some(row) = permit
        .find_already_created::<kpi::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let key = permit
        .choose_unique_key::<kpi::Entity>(key.as_deref(), &name, id, None)
        .await?;
    let row = permit
        .insert::<kpi::Entity>(kpi::ActiveModel {
            id: Set(id),
            key: Set(key),
            name: Set(name),
            description: Set(description),
            kpi_type: Set(input.kpi_type),
            unit: Set(input.unit),
            currency: Set(input.currency),
            decimals: Set(input.decimals),
            direction: Set(input.direction),
            aggregation: Set(input.aggregation),
            cadence: Set(input.cadence),
            owner_department_id: Set(owner.id),
            sensitivity: Set(input.sensitivity),
            scope: Set(input.scope),
            fed_from: Set(None),
            minimum_sample: Set(input.minimum_sample),
            across_parts: Set(input.across_parts),
            series_revision: Set(0),
            created_at: Set(caller.now),
            archived_at: Set(None),
            version: Set(1),
        })
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// How many decimals can be shown.
pub const DECIMALS: std::ops::RangeInclusive<i32> = 0..=6;

/// How many answers or cases a period can be asked to have.
pub const MINIMUM_SAMPLE: std::ops::RangeInclusive<i32> = 1..=1_000_000;

/// Only last values can be told to add up across parts: of the other aggregations the rule says what parts come to.
pub fn add_across_parts_fault(
    faults: &mut Faults,
    path: &str,
    aggregation: Aggregation,
    across_parts: AcrossParts,
) {
    if across_parts == AcrossParts::Sum && aggregation != Aggregation::Last {
        let message = "`acrossParts: SUM` is for the aggregation LAST: the others put parts together by themselves.";
        faults.add(path, UserErrorCode::Invalid, None, message);
    }
}

/// A currency is said where the unit is CURRENCY, and nowhere else.
pub fn add_currency_fault(faults: &mut Faults, path: &str, unit: Unit, currency: Option<&str>) {
    match (unit, currency) {
        (Unit::Currency, None) => {
            let message = "A KPI with the unit CURRENCY needs a `currency`.";
            faults.add(path, UserErrorCode::Required, None, message);
        }
        (Unit::Currency, Some(code)) => {
            if code.len() != 3 || !code.bytes().all(|letter| letter.is_ascii_uppercase()) {
                let message = "A currency is a code of ISO 4217: three capital letters.";
                faults.add(path, UserErrorCode::Invalid, None, message);
            }
        }
        (_, Some(_)) => {
            let message = "Only a KPI with the unit CURRENCY can have a `currency`.";
            faults.add(path, UserErrorCode::Invalid, None, message);
        }
        (_, None) => {}
    }
}

/// Changes what a KPI is; how it is read only while it has no measurements.
pub async fn update(caller: &Caller, input: KpiUpdateInput) -> Result<kpi::Model> {
    let mut faults = Faults::default();
    let id: KpiId = faults.parse_id("id", &input.id);
    let name = set_if_given(faults.given("name", &input.name), |name| {
        faults.check_name("name", name)
    });
    let description = set_or_clear(&input.description, |text| {
        faults.check_optional_text("description", text.map(String::as_str))
    });
    let decimals = faults.given("decimals", &input.decimals).copied();
    faults.check_within("decimals", decimals, DECIMALS);
    let unit = faults.given("unit", &input.unit).copied();
    let mut change = kpi::ActiveModel {
        name,
        description,
        kpi_type: set_if_some(faults.given("type", &input.kpi_type).copied()),
        unit: set_if_some(unit),
        decimals: set_if_some(decimals),
        direction: set_if_some(faults.given("direction", &input.direction).copied()),
        aggregation: set_if_some(faults.given("aggregation", &input.aggregation).copied()),
        cadence: set_if_some(faults.given("cadence", &input.cadence).copied()),
        sensitivity: set_if_some(faults.given("sensitivity", &input.sensitivity).copied()),
        scope: set_if_some(faults.given("scope", &input.scope).copied()),
        fed_from: set_or_clear(&input.fed_from, |day| {
            let day = day?.0;
            faults.check_day("fedFrom", day);
            if caller
                .today
                .succ_opt()
                .is_some_and(|tomorrow| day > tomorrow)
            {
                let message = "It begins tomorrow at the latest.";
                let reason = Some(Reason::OutOfRange);
                faults.add("fedFrom", UserErrorCode::Invalid, reason, message);
            }
            Some(day)
        }),
        minimum_sample: set_or_clear(&input.minimum_sample, |number| number.copied()),
        across_parts: set_if_some(faults.given("acrossParts", &input.across_parts).copied()),
        ..Default::default()
    };
    faults.check_within(
        "minimumSample",
        input.minimum_sample.as_opt_ref().flatten().copied(),
        MINIMUM_SAMPLE,
    );
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .fetch_at_version::<kpi::Entity>(Action::DefineKpi, "id", id, input.expected_version)
        .await?;
    change.currency = Set(resolve_currency(
        &row,
        unit.unwrap_or(row.unit),
        &input.currency,
    )?);
    let after = row_after_change::<kpi::Entity>(&row, &change)?;
    refuse_redefining_measured(&permit, &row, &after).await?;
    refuse_shares_against_parts(&permit, &row, &after).await?;
    if after.direction != row.direction {
        refuse_direction_against_warnings(&permit, &row, after.direction).await?;
    }
    refuse_unfeedable_kpi(&after)?;
    let mut faults = Faults::default();
    add_across_parts_fault(
        &mut faults,
        "acrossParts",
        after.aggregation,
        after.across_parts,
    );
    faults.check()?;
    let before = row;
    let row = permit.update::<kpi::Entity>(&before, change).await?;
    if (before.fed_from, before.scope) != (row.fed_from, row.scope) {
        fed::refuse_feeding_restricted_answers(&permit, &row).await?;
    }
    fed::refuse_feeding_measured_days(&permit, &before, &row).await?;
    if before.cadence != row.cadence {
        rebuild_period_sums(permit.tx(), &row).await?;
    }
    fed::feed_kpis(&mut permit, std::slice::from_ref(&row), &RecountScope::All).await?;
    permit.commit().await?;
    Ok(row)
}

/// Why a KPI cannot be fed by answers.
pub const UNFEEDABLE: &str = "Answers give NPS and ENPS as SCORE and RATIO, CSAT as SCALE_1_5 and AVERAGE or as \
    PERCENT and RATIO, CES as SCALE_1_7 and AVERAGE.";

/// Refuses a KPI that is to be fed by answers that cannot give its values.
fn refuse_unfeedable_kpi(row: &kpi::Model) -> Result<()> {
    if row.fed_from.is_none() || fed::can_be_fed_by_answers(row.into()) {
        return Ok(());
    }
    Err(Error::fault(
        "fedFrom",
        UserErrorCode::Invalid,
        None,
        UNFEEDABLE,
    ))
}

fn set_if_some<V: Into<sea_orm::Value>>(value: Option<V>) -> ActiveValue<V> {
    value.map_or(NotSet, Set)
}

/// The currency that a KPI comes to have with this unit.
fn resolve_currency(
    row: &kpi::Model,
    unit: Unit,
    said: &MaybeUndefined<String>,
) -> Result<Option<String>> {
    let currency = match said {
        MaybeUndefined::Undefined => row.currency.clone().filter(|_| unit == Unit::Currency),
        MaybeUndefined::Null => None,
        MaybeUndefined::Value(code) => Some(code.clone()),
    };
    let mut faults = Faults::default();
    add_currency_fault(&mut faults, "currency", unit, currency.as_deref());
    faults.check()?;
    Ok(currency)
}

async fn refuse_redefining_measured(
    permit: &Permit<'_>,
    row: &kpi::Model,
    after: &kpi::Model,
) -> Result<()> {
    let measured = measurements::Entity::find().filter(measurements::Column::KpiId.eq(row.id));
    let field = if after.kpi_type != row.kpi_type {
        Some("type")
    } else if after.unit != row.unit {
        Some("unit")
    } else if after.currency != row.currency {
        Some("currency")
    } else {
        None
    };
    if let Some(field) = field
        && measured.clone().count(permit.tx()).await? > 0
    {
        let message = "It has measurements, so type, unit and currency cannot be changed. Create another KPI instead.";
        return Err(redefining_error(row, field, message));
    }
    let from_answers = measured.filter(measurements::Column::Source.eq(fed::SOURCE));
    if after.scope != row.scope && from_answers.count(permit.tx()).await? > 0 {
        let message = "It has values from feedback, so its scope cannot be changed. Create another KPI instead.";
        return Err(redefining_error(row, "scope", message));
    }
    Ok(())
}

/// Refuses to make a share of what has values that are not their numerator over their denominator. The twin, in SQL, of
/// what [`rules::complete_figures`] says of one measurement.
async fn refuse_shares_against_parts(
    permit: &Permit<'_>,
    row: &kpi::Model,
    after: &kpi::Model,
) -> Result<()> {
    let [was, becomes] = [row, after].map(KpiMeasure::from);
    if was.is_share() || !becomes.is_share() {
        return Ok(());
    }
    let (numerator, denominator) = (
        measurements::Column::Numerator,
        measurements::Column::Denominator,
    );
    let differs = Expr::cust(format!(
        "ABS(value - {:?} * numerator / denominator) > {:?} * ABS(value)",
        becomes.ratio_multiplier(),
        rules::SHARE_TOLERANCE
    ));
    let wrong = Condition::any()
        .add(numerator.is_null().and(denominator.is_not_null()))
        .add(numerator.is_not_null().and(denominator.is_null()))
        .add(differs);
    let first: Option<NaiveDate> = measurements::Entity::find()
        .select_only()
        .column(measurements::Column::MeasuredOn)
        .filter(measurements::Column::KpiId.eq(row.id))
        .filter(measurements::Column::SupersededById.is_null())
        .filter(wrong)
        .order_by_asc(measurements::Column::MeasuredOn)
        .into_tuple()
        .one(permit.tx())
        .await?;
    match first {
        None => Ok(()),
        Some(day) => {
            let message = format!(
                "The value of {day} is not its numerator over its denominator. Correct it first, or take the parts away."
            );
            Err(redefining_error(row, "aggregation", &message))
        }
    }
}

fn redefining_error(row: &kpi::Model, field: &str, message: &str) -> Error {
    Error::conflict(field, Reason::FixedByMeasurements, message).with_current(row.id.0)
}

/// Refuses to turn a KPI round while a warning level would come to lie on the better side of its target.
async fn refuse_direction_against_warnings(
    permit: &Permit<'_>,
    row: &kpi::Model,
    direction: Direction,
) -> Result<()> {
    let targets = kpi_target::Entity::find()
        .filter(kpi_target::Column::KpiId.eq(row.id))
        .all(permit.tx())
        .await?;
    let turned = targets
        .iter()
        .any(|target| !rules::target_faults(direction, target.value, target.warning).is_empty());
    if !turned {
        return Ok(());
    }
    let message =
        "A target's warning level would come to lie on its better side. Take it away first.";
    Err(Error::conflict("direction", Reason::InUse, message).with_current(row.id.0))
}

/// Gives the KPI to another department.
pub async fn change_owner(caller: &Caller, input: KpiOwnerChangeInput) -> Result<kpi::Model> {
    let mut faults = Faults::default();
    let id: KpiId = faults.parse_id("id", &input.id);
    let owner: DepartmentId = faults.parse_id("ownerDepartmentId", &input.owner_department_id);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    // Departments are locked before KPIs, here as where a department is archived.
    let owner = permit
        .read_unarchived_row::<department::Entity>("ownerDepartmentId", owner)
        .await?;
    let row = permit
        .fetch_at_version::<kpi::Entity>(Action::GovernKpi, "id", id, input.expected_version)
        .await?;
    permit.show_audit_to_leads_of(owner.id);
    let change = kpi::ActiveModel {
        owner_department_id: Set(owner.id),
        ..Default::default()
    };
    let row = permit.update::<kpi::Entity>(&row, change).await?;
    permit.commit().await?;
    Ok(row)
}

/// Archives a KPI, or brings it back. Its measurements stay in facts.
pub async fn set_archived(
    caller: &Caller,
    input: &AtVersionInput,
    archived: bool,
) -> Result<kpi::Model> {
    let id: KpiId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<kpi::Entity>(Action::GovernKpi, "id", id)
        .await?;
    expect_version::<kpi::Entity>(&row, input.expected_version)?;
    if row.archived_at.is_some() == archived {
        return Ok(row);
    }
    let row = permit.set_archived::<kpi::Entity>(&row, archived).await?;
    fed::feed_kpis(&mut permit, std::slice::from_ref(&row), &RecountScope::All).await?;
    permit.commit().await?;
    Ok(row)
}
