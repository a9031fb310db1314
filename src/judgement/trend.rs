//! How a KPI as a whole has gone of late: its last periods by its own cadence, and when it was measured last. For
//! whoever may see its values; pulling flat rows is another matter.

use std::collections::HashMap;

use async_graphql::Enum;
use chrono::NaiveDate;
use entity::{
    id::KpiId,
    kpi, kpi_target, measurement, read,
    words::{Aggregation, Direction, KpiState},
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    aggregate::{Aggregate, TargetHistory},
    period::{Grain, Period, split_into_periods},
};
use crate::{
    access::Caller,
    bi::cache::kpi_values::{DayValue, day_number},
    error::Result,
    judgement,
    kpi::rules::{self, KpiMeasure},
    number::round_computed,
};

/// Whether a KPI improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum KpiTrendDirection {
    /// The last complete period is better than the one before it.
    Improving,
    /// The last complete period is worse than the one before it.
    Worsening,
    /// The last complete period equals the one before it.
    Steady,
}

/// The value of a KPI in one period.
#[derive(Clone, Debug)]
pub struct TrendPoint {
    pub period: Period,
    pub is_complete: bool,
    pub value: Option<f64>,
    pub target: Option<f64>,
    pub state: KpiState,
}

/// How a KPI has gone.
#[derive(Clone, Debug)]
pub struct Trend {
    pub grain: Grain,
    /// Its last periods, the oldest first.
    pub points: Vec<TrendPoint>,
    /// The latest day with a measurement of it, at any place.
    pub measured_on: Option<NaiveDate>,
}

impl Trend {
    /// The last two periods that are complete, if both have a value.
    fn last_two_complete_values(&self) -> Option<(f64, f64)> {
        let mut complete = self.points.iter().rev().filter(|point| point.is_complete);
        let (last, before) = (complete.next()?.value?, complete.next()?.value?);
        Some((before, last))
    }

    /// How much the last complete period differs from the one before it.
    #[must_use]
    pub fn change(&self) -> Option<f64> {
        self.last_two_complete_values()
            .map(|(before, last)| round_computed(last - before))
    }

    /// Which way it is going.
    #[must_use]
    pub fn direction(&self, better: Direction) -> Option<KpiTrendDirection> {
        let (before, last) = self.last_two_complete_values()?;
        Some(match (better, last == before) {
            (_, true) => KpiTrendDirection::Steady,
            (better, _) if rules::is_worse(better, last, before) => KpiTrendDirection::Worsening,
            _ => KpiTrendDirection::Improving,
        })
    }
}

/// How these KPIs have gone up to a day, each in so many periods.
pub async fn load_trends(
    caller: &Caller,
    kpis: &[kpi::Model],
    day: NaiveDate,
    many: u32,
) -> Result<HashMap<KpiId, Trend>> {
    let after = day.succ_opt().unwrap_or(day);
    let begins = |kpi: &kpi::Model| {
        let grain = Grain::finest_for(kpi.cadence);
        grain.subtract_periods(grain.begin_of_period(day), many.saturating_sub(1))
    };
    let ids = || kpis.iter().map(|kpi| kpi.id);
    let first = kpis.iter().map(begins).min().unwrap_or(day);
    // One snapshot for values, last days and targets: a state never compares a new value with an old target.
    let tx = caller.begin_snapshot().await?;
    let measured = caller
        .select::<measurement::Entity>()
        .filter(measurement::Column::KpiId.is_in(ids()))
        .filter(measurement::Column::SupersededById.is_null())
        .filter(measurement::Column::MeasuredOn.lt(after));
    let whole = measured
        .clone()
        .filter(measurement::Column::MeasuredOn.gte(first))
        .filter(measurement::Column::TouchpointId.is_null())
        .filter(measurement::Column::ChannelId.is_null())
        .filter(measurement::Column::SegmentId.is_null())
        .order_by_asc(measurement::Column::MeasuredOn);
    let whole = read::read_selected(&tx, whole).await?;
    // A statement of its own: the last day counts at any place and however long ago, the values of periods only as a
    // whole.
    let last: Vec<(KpiId, Option<NaiveDate>)> = measured
        .select_only()
        .column(measurement::Column::KpiId)
        .column_as(measurement::Column::MeasuredOn.max(), "last")
        .group_by(measurement::Column::KpiId)
        .into_tuple()
        .all(&tx)
        .await?;
    let targets = caller
        .select::<kpi_target::Entity>()
        .filter(kpi_target::Column::KpiId.is_in(ids()))
        .order_by_asc(kpi_target::Column::ValidFrom);
    let targets = read::read_selected(&tx, targets).await?;
    tx.commit().await?;
    let last: HashMap<KpiId, Option<NaiveDate>> = last.into_iter().collect();
    let mut by_kpi: HashMap<KpiId, Vec<measurement::Model>> = HashMap::new();
    for row in whole {
        by_kpi.entry(row.kpi_id).or_default().push(row);
    }
    let mut histories = TargetHistory::by_kpi(targets);
    let trend = |kpi: &kpi::Model| {
        let values = by_kpi.remove(&kpi.id).unwrap_or_default();
        let targets = histories.remove(&kpi.id).unwrap_or_default();
        let grain = Grain::finest_for(kpi.cadence);
        let all = split_into_periods(
            grain,
            (begins(kpi), grain.next_begin(grain.begin_of_period(day))),
        );
        let points = all
            .into_iter()
            .map(|period| trend_point(kpi, period, &values, &targets, after));
        let trend = Trend {
            grain,
            points: points.collect(),
            measured_on: last.get(&kpi.id).copied().flatten(),
        };
        (kpi.id, trend)
    };
    Ok(kpis.iter().map(trend).collect())
}

fn trend_point(
    kpi: &kpi::Model,
    period: Period,
    values: &[measurement::Model],
    targets: &TargetHistory,
    after: NaiveDate,
) -> TrendPoint {
    let mut aggregate = Aggregate::default();
    for row in values
        .iter()
        .filter(|row| (period.begin..period.end).contains(&row.measured_on))
    {
        let day = day_number(row.measured_on);
        let value = DayValue {
            day,
            value: row.value,
            parts: row.numerator.zip(row.denominator),
            sample_size: row.sample_size,
        };
        aggregate.add(&value, targets.target_on(day));
    }
    let value = aggregate.value(kpi.aggregation, KpiMeasure::from(kpi).ratio_multiplier());
    let target = match kpi.aggregation {
        Aggregation::Sum => aggregate.target_sum.target(),
        _ => targets.target_on(day_number(period.end) - 1),
    };
    TrendPoint {
        period,
        is_complete: period.end <= after,
        value,
        target: target.map(|target| target.0),
        state: judgement::judge_state(kpi.direction, value, target),
    }
}
