//! How a KPI as a whole has gone of late: its last periods by its own cadence. For whoever may see its values.

use std::collections::{BTreeMap, HashMap};

use async_graphql::Enum;
use chrono::NaiveDate;
use entity::{
    id::KpiId,
    kpi,
    words::{Cadence, Direction, KpiState},
};
use sea_orm::Select;

use super::{
    kpis::{KpisWithTargets, load_kpis_with_targets, select_ids},
    newest_sums::load_sums_of_wholes,
    period::{Grain, Period, split_into_periods},
    period_law::PeriodLaw,
    place::PlacePeriod,
    state::is_worse,
    target::{KpiTargets, target_levels},
};
use crate::{access::Caller, error::Result, number::round_computed};

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
            (better, _) if is_worse(better, last, before) => KpiTrendDirection::Worsening,
            _ => KpiTrendDirection::Improving,
        })
    }
}

/// How these KPIs, whose values the caller may see, have gone up to a day, each in so many periods.
pub async fn load_trends(
    caller: &Caller,
    kpis: Select<kpi::Entity>,
    day: NaiveDate,
    many: u32,
) -> Result<HashMap<KpiId, Trend>> {
    let begins = |cadence: Cadence| {
        let grain = Grain::finest_for(cadence);
        grain.subtract_periods(grain.begin_of_period(day), many.saturating_sub(1))
    };
    // One snapshot for values and targets: a state never compares a new value with an old target.
    let tx = caller.begin_snapshot().await?;
    let KpisWithTargets { kpis, mut targets } =
        load_kpis_with_targets(&tx, &select_ids(kpis)).await?;
    let mut by_cadence: BTreeMap<Cadence, Vec<KpiId>> = BTreeMap::new();
    for kpi in kpis.values() {
        by_cadence.entry(kpi.cadence).or_default().push(kpi.id);
    }
    let mut sums = HashMap::new();
    for (cadence, alike) in &by_cadence {
        let days = (begins(*cadence), day);
        sums.extend(load_sums_of_wholes(&tx, &kpis, alike, days).await?);
    }
    tx.commit().await?;
    let trends = kpis.values().map(|kpi| {
        let grain = Grain::finest_for(kpi.cadence);
        let measured = sums.get(&kpi.id).map(|sums| sums.periods_at(None, grain));
        let measured = measured.unwrap_or_default();
        let law = TrendLaw {
            period: kpi.into(),
            targets: targets.remove(&kpi.id).unwrap_or_default(),
            day,
        };
        let to = grain.next_begin(grain.begin_of_period(day));
        let points = split_into_periods(grain, (begins(kpi.cadence), to)).into_iter();
        let points = points.map(|period| {
            let found = measured.iter().find(|one| one.period.begin == period.begin);
            law.point(period, found)
        });
        (
            kpi.id,
            Trend {
                grain,
                points: points.collect(),
            },
        )
    });
    Ok(trends.collect())
}

/// What decides on the points of a KPI's trend up to a day.
struct TrendLaw {
    period: PeriodLaw,
    targets: KpiTargets,
    day: NaiveDate,
}

impl TrendLaw {
    fn point(&self, period: Period, measured: Option<&PlacePeriod>) -> TrendPoint {
        let value = measured.and_then(|measured| measured.sum.value(&self.period.rule));
        let is_complete = period.has_ended(self.day);
        let target = self.targets.of_whole(period.last_day_until(self.day));
        let levels = target.and_then(target_levels);
        TrendPoint {
            period,
            is_complete,
            value,
            target: levels.map(|(target, _)| target),
            state: match measured {
                Some(measured) => self.period.state(&measured.sum, levels, !is_complete),
                None => KpiState::NoData,
            },
        }
    }
}
