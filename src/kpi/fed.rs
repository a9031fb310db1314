//! KPIs fed by feedback: their measurements are what the answers give, per touchpoint or on the relationship as a whole.
//! Whenever answers come in, or what the KPI judges changes, they are counted anew; a value that differs is a
//! correction like any other.
//!
//! A TRANSACTIONAL KPI takes the answers at the touchpoints that it judges on their day, itself or with their phase or
//! blueprint; each touchpoint has its own series. A RELATIONSHIP KPI takes the answers on the relationship as a whole:
//! of the journeys in which it judges anything on their day, or where it judges nothing at all, of all customers (ENPS:
//! employees). The two never meet in one KPI.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use entity::{
    id::{KpiId, TouchpointId},
    kpi,
    words::{Aggregation, FeedbackGroup, FeedbackScale, KpiType, Subject, Unit},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, sea_query::LockType,
};

use super::{
    answers::Tally,
    measurement::{Content, Key, put},
    rules::{Figures, Measure},
};
use crate::{
    access::{Permit, Stirred},
    error::Result,
    statement::Text,
};

/// Where the values of such a KPI come from.
const SOURCE: &str = "feedback";

/// What a KPI makes of answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Made {
    /// Satisfied less dissatisfied, in points, with a signed numerator.
    Net,
    /// The mean score.
    Mean,
    /// The share of the satisfied, times this.
    Share(f64),
}

/// What such a KPI makes of answers; nothing where answers cannot feed it.
fn made(measure: Measure) -> Option<Made> {
    match (measure.kpi_type, measure.unit, measure.aggregation) {
        (KpiType::Nps | KpiType::Enps, Unit::Score, Aggregation::Ratio) => Some(Made::Net),
        (KpiType::Csat, Unit::Scale1To5, Aggregation::Average)
        | (KpiType::Ces, Unit::Scale1To7, Aggregation::Average) => Some(Made::Mean),
        (KpiType::Csat, Unit::Percent, Aggregation::Ratio) => Some(Made::Share(100.0)),
        (KpiType::Csat, Unit::Ratio, Aggregation::Ratio) => Some(Made::Share(1.0)),
        _ => None,
    }
}

/// Whether answers can feed such a KPI.
#[must_use]
pub fn can_be_fed(measure: Measure) -> bool {
    made(measure).is_some()
}

/// The figures that answers give.
fn figures(made: Made, tally: &Tally) -> Option<Figures> {
    // Counts of answers lie far below 2⁵³: exact.
    let share = |counted: i64| (Some(counted as f64), Some(tally.answers() as f64));
    let (value, (numerator, denominator)) = match made {
        Made::Net => (tally.net()?, share(tally.satisfied - tally.dissatisfied)),
        Made::Mean => (tally.mean()?, (None, None)),
        Made::Share(times) => (tally.satisfied_share()? * times, share(tally.satisfied)),
    };
    Some(Figures {
        value,
        numerator,
        denominator,
        sample_size: i32::try_from(tally.answers()).ok(),
    })
}

/// Which answers have to be counted anew.
#[derive(Clone, Debug)]
pub enum Recount {
    /// All.
    All,
    /// Those of these days at these touchpoints, and of these days on the relationship as a whole.
    Of {
        days: BTreeSet<NaiveDate>,
        touchpoints: BTreeSet<TouchpointId>,
    },
}

/// Takes the locks of the KPIs that answers on these scales feed or come to feed meanwhile, in ascending order, before
/// the answers are written: so no answer is missed, whoever else is writing. Gives those that are fed.
pub async fn lock(
    permit: &Permit<'_>,
    scales: impl IntoIterator<Item = FeedbackScale>,
) -> Result<Vec<kpi::Model>> {
    let types = scales.into_iter().map(|scale| match scale {
        FeedbackScale::Nps => KpiType::Nps,
        FeedbackScale::Csat => KpiType::Csat,
        FeedbackScale::Ces => KpiType::Ces,
        FeedbackScale::Enps => KpiType::Enps,
    });
    let mut kpis = kpi::Entity::find()
        .filter(kpi::Column::KpiType.is_in(types))
        .order_by_asc(kpi::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(permit.tx())
        .await?;
    kpis.retain(|kpi| kpi.fed_by_feedback && kpi.archived_at.is_none());
    Ok(kpis)
}

/// Makes the measurements of KPIs, whose locks are taken, what the answers give now. The act notes it with what it did.
pub async fn feed(permit: &mut Permit<'_>, kpis: &[kpi::Model], recount: &Recount) -> Result<()> {
    let made: BTreeMap<KpiId, Made> = kpis
        .iter()
        .filter(|kpi| kpi.fed_by_feedback && kpi.archived_at.is_none())
        .filter_map(|kpi| Some((kpi.id, made(kpi.into())?)))
        .collect();
    if made.is_empty() {
        return Ok(());
    }
    let statement = counting(permit.tx().get_database_backend(), made.keys(), recount);
    let counted = Counted::find_by_statement(statement.statement())
        .all(permit.tx())
        .await?;
    let measured = told(counted).into_iter().filter_map(|(key, tally)| {
        let content = Content {
            figures: figures(*made.get(&key.kpi)?, &tally)?,
            source: Some(SOURCE.to_owned()),
        };
        Some((key, content))
    });
    let put = put(permit, measured.collect()).await?;
    put.kpis
        .into_iter()
        .for_each(|id| permit.stirs(Stirred::Kpi(id)));
    Ok(())
}

#[derive(FromQueryResult)]
struct Counted {
    kpi_id: KpiId,
    touchpoint_id: Option<TouchpointId>,
    answered_on: NaiveDate,
    subject: Subject,
    answer_group: FeedbackGroup,
    answers: i64,
    score_sum: i64,
}

/// The answers that feed a KPI, by place, day and group.
const COUNTING: &str = "\
SELECT kpi.id AS kpi_id, feedback.touchpoint_id, feedback.answered_on, feedback.subject, feedback.answer_group,
    COUNT(*) AS answers, CAST(SUM(feedback.score) AS bigint) AS score_sum
FROM kpi JOIN feedback ON feedback.scale = kpi.kpi_type
LEFT JOIN touchpoint ON touchpoint.id = feedback.touchpoint_id
WHERE (
    kpi.scope = 'TRANSACTIONAL' AND feedback.touchpoint_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM kpi_link link WHERE link.kpi_id = kpi.id AND link.blueprint_id = feedback.blueprint_id
            AND (link.touchpoint_id IS NULL OR link.touchpoint_id = feedback.touchpoint_id)
            AND (link.phase_id IS NULL OR link.phase_id = touchpoint.phase_id)
            AND (link.valid_from IS NULL OR link.valid_from <= feedback.answered_on)
            AND (link.valid_to IS NULL OR link.valid_to > feedback.answered_on))
    OR kpi.scope = 'RELATIONSHIP' AND feedback.touchpoint_id IS NULL AND (EXISTS (
        SELECT 1 FROM kpi_link link WHERE link.kpi_id = kpi.id AND link.blueprint_id = feedback.blueprint_id
            AND (link.valid_from IS NULL OR link.valid_from <= feedback.answered_on)
            AND (link.valid_to IS NULL OR link.valid_to > feedback.answered_on))
        OR (feedback.subject = 'CUSTOMER' OR feedback.scale = 'ENPS')
            AND NOT EXISTS (SELECT 1 FROM kpi_link link WHERE link.kpi_id = kpi.id))
) AND kpi.id IN ";

fn counting<'k>(
    backend: sea_orm::DbBackend,
    kpis: impl Iterator<Item = &'k KpiId>,
    recount: &Recount,
) -> Text {
    let mut text = Text::new(backend, COUNTING).list(kpis.copied());
    if let Recount::Of { days, touchpoints } = recount {
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
    text.then(" GROUP BY kpi.id, feedback.touchpoint_id, feedback.answered_on, feedback.subject")
        .then(", feedback.answer_group")
}

/// The answers that may be told, by where and when they are measured.
fn told(counted: Vec<Counted>) -> BTreeMap<Key, Tally> {
    let mut tallies: BTreeMap<(Key, Subject), Tally> = BTreeMap::new();
    for row in counted {
        let key = Key {
            kpi: row.kpi_id,
            touchpoint: row.touchpoint_id,
            channel: None,
            segment: None,
            measured_on: row.answered_on,
        };
        *tallies.entry((key, row.subject)).or_default() +=
            Tally::of(row.answer_group, row.answers, row.score_sum);
    }
    let mut told: BTreeMap<Key, Tally> = BTreeMap::new();
    for ((key, subject), tally) in tallies {
        if tally.may_be_told(subject) {
            *told.entry(key).or_default() += tally;
        }
    }
    told
}
