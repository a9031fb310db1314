//! KPIs fed by feedback: their measurements are what the answers give, per touchpoint or on the relationship as a
//! whole. Whenever answers come in, or what the KPI judges changes, they are counted anew; a value that differs is a
//! correction like any other.
//!
//! From a day on: what was measured before that day stays, whatever is answered about it later.
//!
//! Of customers the answers of each day are a measurement. Of employees each cell (`cells`) is one, on the last day of
//! its block, for KPIs of a monthly cadence or a coarser one that judged its place throughout the block; a cell whose
//! answers are all alike is none. On the relationship as a whole a KPI that judges a journey of customers counts
//! customers only: the two are never added up.
//!
//! A TRANSACTIONAL KPI takes the answers at the touchpoints that it judges on their day, itself or with their phase or
//! blueprint; each touchpoint has its own series. A RELATIONSHIP KPI takes the answers on the relationship as a whole:
//! of the journeys in which it judges anything on their day, or where it judges nothing at all, those about no journey,
//! of customers (ENPS: employees). Answers about a draft feed no such KPI. The two never meet in one KPI.

mod employees;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use entity::{
    blueprint,
    id::{BlueprintId, KpiId, TouchpointId},
    kpi, kpi_link, measurement as measurements,
    words::{
        Aggregation, BlueprintStatus, FeedbackGroup, FeedbackScale, KpiScope, KpiType, Subject,
        Unit, Visibility,
    },
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::LockType,
};

use super::{
    answers::{Tally, kpi_type_fed_by},
    cells,
    measurement::{MeasurementContent, MeasurementKey, upsert},
    rules::{KpiMeasure, MeasurementFigures},
};
use crate::{
    access::{Caller, FindingDependency, Permit},
    audit::AuditedChange,
    error::{Error, Reason, Result},
    judgement::link_in_force_sql,
    number::round_computed,
    policy::{Action, RowTies},
    statement::SqlBuilder,
};

/// Where the values of such a KPI come from.
pub const SOURCE: &str = "feedback";

/// What a KPI makes of answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum FeedbackFormula {
    /// Satisfied less dissatisfied, in points, with a signed numerator.
    Net,
    /// The mean score.
    Mean,
    /// The share of the satisfied, times this.
    Share(f64),
}

/// What such a KPI makes of answers; nothing where answers cannot feed it.
fn choose_feedback_formula(measure: KpiMeasure) -> Option<FeedbackFormula> {
    match (measure.kpi_type, measure.unit, measure.aggregation) {
        (KpiType::Nps | KpiType::Enps, Unit::Score, Aggregation::Ratio) => {
            Some(FeedbackFormula::Net)
        }
        (KpiType::Csat, Unit::Scale1To5, Aggregation::Average)
        | (KpiType::Ces, Unit::Scale1To7, Aggregation::Average) => Some(FeedbackFormula::Mean),
        (KpiType::Csat, Unit::Percent, Aggregation::Ratio) => Some(FeedbackFormula::Share(100.0)),
        (KpiType::Csat, Unit::Ratio, Aggregation::Ratio) => Some(FeedbackFormula::Share(1.0)),
        _ => None,
    }
}

/// Whether answers can feed such a KPI.
#[must_use]
pub fn can_be_fed_by_answers(measure: KpiMeasure) -> bool {
    choose_feedback_formula(measure).is_some()
}

/// The figures that answers give.
fn compute_figures(formula: FeedbackFormula, tally: &Tally) -> Option<MeasurementFigures> {
    // Counts of answers lie far below 2⁵³: exact.
    let share = |counted: i64| (Some(counted as f64), Some(tally.answers() as f64));
    let (value, (numerator, denominator)) = match formula {
        FeedbackFormula::Net => (
            tally.net_score()?,
            share(tally.satisfied - tally.dissatisfied),
        ),
        FeedbackFormula::Mean => (tally.mean_score()?, (None, None)),
        FeedbackFormula::Share(times) => (
            round_computed(tally.satisfied_share()? * times),
            share(tally.satisfied),
        ),
    };
    Some(MeasurementFigures {
        value,
        numerator,
        denominator,
        sample_size: i32::try_from(tally.answers()).ok(),
    })
}

/// Which answers have to be counted anew.
#[derive(Clone, Debug)]
pub enum RecountScope {
    /// All.
    All,
    /// Those in cells of blocks that ended after this day.
    Closed(NaiveDate),
    /// Those of customers, of these days at these touchpoints, and of these days on the relationship as a whole.
    Of {
        days: BTreeSet<NaiveDate>,
        touchpoints: BTreeSet<TouchpointId>,
    },
}

/// Takes the locks of the KPIs that answers on these scales feed or come to feed meanwhile, in ascending order, before
/// the answers are written: so no answer is missed, whoever else is writing. Gives those that are fed.
pub async fn lock_fed_kpis(
    permit: &Permit<'_>,
    scales: impl IntoIterator<Item = FeedbackScale>,
) -> Result<Vec<kpi::Model>> {
    let types = scales.into_iter().map(kpi_type_fed_by);
    let mut kpis = kpi::Entity::find()
        .filter(kpi::Column::KpiType.is_in(types))
        .order_by_asc(kpi::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(permit.tx())
        .await?;
    // Not a condition of the query: whether a KPI is fed can change until its lock is taken, so all of these types
    // are locked first.
    kpis.retain(|kpi| kpi.fed_from.is_some() && kpi.archived_at.is_none());
    Ok(kpis)
}

/// Makes the measurements of KPIs, whose locks are taken, what the answers give now. The act notes it with what it did.
/// Gives how many KPIs came to have other values.
pub async fn feed_kpis(
    permit: &mut Permit<'_>,
    kpis: &[kpi::Model],
    recount: &RecountScope,
) -> Result<usize> {
    let mut fed = Vec::new();
    let mut formulas: BTreeMap<KpiId, FeedbackFormula> = BTreeMap::new();
    for kpi in kpis {
        if let Some(formula) = choose_feedback_formula(kpi.into())
            && kpi.fed_from.is_some()
            && kpi.archived_at.is_none()
        {
            fed.push(kpi);
            formulas.insert(kpi.id, formula);
        }
    }
    if formulas.is_empty() {
        return Ok(0);
    }
    let tallies = load_tallies(permit, &fed, recount).await?;
    let measured = tallies.into_iter().filter_map(|(key, tally)| {
        let content = MeasurementContent {
            figures: compute_figures(*formulas.get(&key.kpi)?, &tally)?,
            source: Some(SOURCE.to_owned()),
        };
        Some((key, content))
    });
    let put = upsert(permit, measured.collect(), BTreeSet::new()).await?;
    let changed = put.kpis.len();
    put.kpis
        .into_iter()
        .for_each(|id| permit.invalidate_findings(FindingDependency::Kpi(id)));
    Ok(changed)
}

#[derive(FromQueryResult)]
struct AnswerCount {
    kpi_id: KpiId,
    touchpoint_id: Option<TouchpointId>,
    answered_on: NaiveDate,
    answer_group: FeedbackGroup,
    answers: i64,
    score_sum: i64,
}

/// The answers of customers that feed a KPI, by place, day and group.
const COUNTING: &str = concat!(
    "\
SELECT kpi.id AS kpi_id, feedback.touchpoint_id, feedback.answered_on, feedback.answer_group,
    COUNT(*) AS answers, CAST(SUM(feedback.score) AS bigint) AS score_sum
FROM kpi JOIN feedback ON feedback.scale = kpi.kpi_type AND feedback.answered_on >= kpi.fed_from
LEFT JOIN touchpoint ON touchpoint.id = feedback.touchpoint_id
LEFT JOIN blueprint ON blueprint.id = feedback.blueprint_id
WHERE (
    kpi.scope = 'TRANSACTIONAL' AND feedback.touchpoint_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM kpi_link link WHERE link.kpi_id = kpi.id AND link.blueprint_id = feedback.blueprint_id
            AND (link.touchpoint_id IS NULL OR link.touchpoint_id = feedback.touchpoint_id)
            AND (link.phase_id IS NULL OR link.phase_id = touchpoint.phase_id)
            AND ",
    link_in_force_sql!("link", "feedback.answered_on"),
    ")
    OR kpi.scope = 'RELATIONSHIP' AND feedback.touchpoint_id IS NULL AND (EXISTS (
        SELECT 1 FROM kpi_link link WHERE link.kpi_id = kpi.id AND link.blueprint_id = feedback.blueprint_id
            AND ",
    link_in_force_sql!("link", "feedback.answered_on"),
    "
            AND blueprint.status IN ('PUBLISHED', 'ARCHIVED'))
        OR feedback.blueprint_id IS NULL AND NOT EXISTS (SELECT 1 FROM kpi_link link WHERE link.kpi_id = kpi.id))
) AND kpi.id IN "
);

fn count_answers_sql<'k>(
    backend: sea_orm::DbBackend,
    kpis: impl Iterator<Item = &'k KpiId>,
    recount: &RecountScope,
) -> SqlBuilder {
    let mut text = SqlBuilder::new(backend, COUNTING).list(kpis.copied());
    if let RecountScope::Of { days, touchpoints } = recount {
        text = text
            .then(" AND feedback.answered_on IN ")
            .list(days.iter().copied())
            .then(" AND (feedback.touchpoint_id IS NULL");
        // PostgreSQL cannot tell of what type an empty list is.
        if !touchpoints.is_empty() {
            text = text
                .then(" OR feedback.touchpoint_id IN ")
                .list(touchpoints.iter().copied());
        }
        text = text.then(")");
    }
    text.then(
        " GROUP BY kpi.id, feedback.touchpoint_id, feedback.answered_on, feedback.answer_group",
    )
}

/// The answers that feed KPIs, by where and when they are measured.
async fn load_tallies(
    permit: &Permit<'_>,
    kpis: &[&kpi::Model],
    recount: &RecountScope,
) -> Result<BTreeMap<MeasurementKey, Tally>> {
    let ids = || kpis.iter().map(|kpi| &kpi.id);
    match recount {
        RecountScope::Of { .. } => load_customer_tallies(permit, ids(), recount).await,
        RecountScope::Closed(day) => {
            employees::load_employee_tallies(permit, kpis, Some(*day)).await
        }
        RecountScope::All => {
            let mut tallies = load_customer_tallies(permit, ids(), recount).await?;
            tallies.extend(employees::load_employee_tallies(permit, kpis, None).await?);
            Ok(tallies)
        }
    }
}

/// The answers of customers, by where and when they are measured.
async fn load_customer_tallies(
    permit: &Permit<'_>,
    kpis: impl Iterator<Item = &KpiId>,
    recount: &RecountScope,
) -> Result<BTreeMap<MeasurementKey, Tally>> {
    let statement = count_answers_sql(permit.tx().get_database_backend(), kpis, recount);
    let counted = AnswerCount::find_by_statement(statement.statement())
        .all(permit.tx())
        .await?;
    let mut tallies: BTreeMap<MeasurementKey, Tally> = BTreeMap::new();
    for row in counted {
        let key = MeasurementKey::for_all_channels_and_segments(
            row.kpi_id,
            row.touchpoint_id,
            row.answered_on,
        );
        *tallies.entry(key).or_default() +=
            Tally::of_group(row.answer_group, row.answers, row.score_sum);
    }
    Ok(tallies)
}

/// Refuses that a KPI is fed by answers that not everybody may read, unless a CX manager lets it: those on the
/// relationship as a whole, and those in a journey that is still a draft, or that not the whole organisation may read.
pub async fn refuse_feeding_restricted_answers(
    permit: &Permit<'_>,
    kpi: &kpi::Model,
) -> Result<()> {
    if kpi.fed_from.is_none() || permit.caller.may(Action::GovernKpi, &RowTies::none()) {
        return Ok(());
    }
    let open = Condition::all()
        .add(
            blueprint::Column::Status
                .is_in([BlueprintStatus::Published, BlueprintStatus::Archived]),
        )
        .add(blueprint::Column::Visibility.eq(Visibility::Organisation));
    // Each blueprint once, however many of its places the KPI judges: they are compared with a count of blueprints.
    let blueprint_ids: Vec<BlueprintId> = kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::BlueprintId)
        .distinct()
        .filter(kpi_link::Column::KpiId.eq(kpi.id))
        .into_tuple()
        .all(permit.tx())
        .await?;
    let count = u64::try_from(blueprint_ids.len()).unwrap_or(u64::MAX);
    let readable = blueprint::Entity::find()
        .filter(blueprint::Column::Id.is_in(blueprint_ids))
        .filter(open)
        .count(permit.tx())
        .await?;
    if kpi.scope == KpiScope::Transactional && readable == count {
        return Ok(());
    }
    permit.require(Action::GovernKpi, &RowTies::none(), Some(("Kpi", kpi.id.0)))
}

/// Refuses that a KPI comes to be fed on days that have values which its answers do not give: those that somebody
/// recorded, and those that came with the KPI when the organisation was imported, whose answers stayed where it came
/// from.
pub async fn refuse_feeding_measured_days(
    permit: &Permit<'_>,
    before: &kpi::Model,
    after: &kpi::Model,
) -> Result<()> {
    use measurements::Column;
    let Some(from) = after.fed_from else {
        return Ok(());
    };
    let others = Condition::any()
        .add(Column::Source.is_null())
        .add(Column::Source.ne(SOURCE))
        .add(Column::RecordedAt.lte(after.created_at));
    let mut kept = measurements::Entity::find()
        .filter(Column::KpiId.eq(after.id))
        .filter(Column::SupersededById.is_null())
        .filter(Column::MeasuredOn.gte(from))
        .filter(others);
    if let Some(until) = before.fed_from {
        kept = kept.filter(Column::MeasuredOn.lt(until));
    }
    let last = kept
        .order_by_desc(Column::MeasuredOn)
        .one(permit.tx())
        .await?;
    let Some(last) = last.map(|row| row.measured_on) else {
        return Ok(());
    };
    let first = last.succ_opt().unwrap_or(last);
    let message = format!(
        "It has values from that day on that were not given by answers, the latest of {last}. They stay as they are, so \
         it can be fed from {first} on."
    );
    Err(Error::conflict("fedFrom", Reason::FixedByMeasurements, message).with_current(after.id.0))
}

/// KPIs, whose locks are taken, that come to judge other places.
pub struct KpisWithChangingLinks {
    /// On the relationship as a whole, with those whose answers they count.
    kpis: Vec<(kpi::Model, Option<Subject>)>,
}

impl KpisWithChangingLinks {
    /// Before their links change.
    pub async fn begin(permit: &Permit<'_>, kpis: Vec<kpi::Model>) -> Result<Self> {
        let mut before = Vec::new();
        for kpi in kpis {
            let subject = match kpi.scope {
                KpiScope::Relationship => Some(find_subject_feeding_kpi(permit, &kpi).await?),
                KpiScope::Transactional => None,
            };
            before.push((kpi, subject));
        }
        Ok(Self { kpis: before })
    }

    /// Lets answers feed them where they judge now.
    pub async fn finish(self, permit: &mut Permit<'_>) -> Result<()> {
        for (kpi, before) in &self.kpis {
            refuse_feeding_restricted_answers(permit, kpi).await?;
            if let Some(before) = *before {
                refuse_answer_subject_change(permit, kpi, before).await?;
            }
        }
        let kpis: Vec<kpi::Model> = self.kpis.into_iter().map(|(kpi, _)| kpi).collect();
        feed_kpis(permit, &kpis, &RecountScope::All).await?;
        Ok(())
    }
}

/// Whose answers on the relationship as a whole feed a KPI: customers', unless it judges nothing but journeys of
/// employees.
async fn find_subject_feeding_kpi(permit: &Permit<'_>, kpi: &kpi::Model) -> Result<Subject> {
    let judged = kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::BlueprintId)
        .filter(kpi_link::Column::KpiId.eq(kpi.id));
    let subjects: Vec<Subject> = blueprint::Entity::find()
        .select_only()
        .column(blueprint::Column::Subject)
        .distinct()
        .filter(blueprint::Column::Id.in_subquery(judged.into_query()))
        .into_tuple()
        .all(permit.tx())
        .await?;
    Ok(match (kpi.kpi_type, subjects.as_slice()) {
        (KpiType::Enps, _) | (_, [Subject::Employee]) => Subject::Employee,
        _ => Subject::Customer,
    })
}

/// Refuses that a KPI on the relationship as a whole comes to count others than its values are of: the two are never
/// added up, nor follow one another in one series.
async fn refuse_answer_subject_change(
    permit: &Permit<'_>,
    kpi: &kpi::Model,
    before: Subject,
) -> Result<()> {
    if find_subject_feeding_kpi(permit, kpi).await? == before {
        return Ok(());
    }
    let fed = measurements::Entity::find()
        .filter(measurements::Column::KpiId.eq(kpi.id))
        .filter(measurements::Column::Source.eq(SOURCE));
    if fed.count(permit.tx()).await? == 0 {
        return Ok(());
    }
    let message = match before {
        Subject::Customer => {
            "Its values are of customers' answers: it cannot come to count employees'. Make another KPI for those."
        }
        Subject::Employee => {
            "Its values are of employees' answers: it cannot come to count customers'. Make another KPI for those."
        }
    };
    Err(Error::conflict("kpiId", Reason::FixedByMeasurements, message).with_current(kpi.id.0))
}

/// Closes the months of employees' answers that are over, and feeds the KPIs with their cells. Does nothing where
/// `done`, the month in which this last succeeded, is the current one.
pub async fn close_months_and_feed_kpis(
    caller: &Caller,
    done: &mut Option<NaiveDate>,
) -> Result<()> {
    let month = cells::first_day_of_month(caller.today);
    if *done == Some(month) {
        return Ok(());
    }
    let mut permit = caller.open_permit_without_check().await?;
    if let Some(closed) = cells::closing::close_months(&mut permit).await? {
        let of_employees = [FeedbackScale::Csat, FeedbackScale::Ces, FeedbackScale::Enps];
        let kpis = lock_fed_kpis(&permit, of_employees).await?;
        // The first closing ever: migration 21 deleted the measurements into which employees' answers of single days
        // had gone, so customers' answers of those days have to be counted anew.
        let recount = if closed.before == cells::BEFORE_FIRST_CLOSING {
            RecountScope::All
        } else {
            RecountScope::Closed(closed.before)
        };
        let kpis = feed_kpis(&mut permit, &kpis, &recount).await?;
        permit.add_audit_event(AuditedChange::for_bulk_write(
            serde_json::json!({ "cells": closed.cells, "kpis": kpis }),
        ));
        permit.commit().await?;
    }
    *done = Some(month);
    Ok(())
}
