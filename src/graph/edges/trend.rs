//! How KPIs are doing: their trend, whether they are measured as often as they should be, and what those that judge a
//! department's work come to.

use async_graphql::{Enum, SimpleObject};
use entity::words::KpiState;

use crate::{
    bi::series::{
        period::Grain,
        trend::{KpiTrendDirection, Trend},
    },
    kpi::of_department::Scorecard,
    meter::{Listed, listed},
    scalar::Date,
};

/// How a KPI as a whole has gone of late.
#[derive(SimpleObject)]
pub struct KpiTrend {
    /// How long a period is: that of the KPI's cadence.
    pub grain: Grain,
    /// The last periods, the oldest first; those without a value among them.
    pub points: Listed<KpiTrendPoint>,
    /// Which way it is going, by its last two complete periods; null where one of them has no value.
    pub direction: Option<KpiTrendDirection>,
    /// How much the last complete period differs from the one before it, in the unit.
    pub change: Option<f64>,
}

/// What a KPI came to in one period.
#[derive(SimpleObject)]
pub struct KpiTrendPoint {
    /// The first day of the period.
    pub period_start: Date,
    /// The first day behind the period.
    pub period_end: Date,
    /// Whether all its days have passed.
    pub is_complete: bool,
    /// What its values come to, by the KPI's aggregation; null where there is none.
    pub value: Option<f64>,
    /// The target of the period's last day; of a SUM those of the days that were measured, added up.
    pub target: Option<f64>,
    /// What the value comes to against the target.
    pub state: KpiState,
}

impl KpiTrend {
    /// What the API tells of a trend of a KPI of which this is better.
    pub fn of(trend: &Trend, better: entity::words::Direction) -> Self {
        let points = trend.points.iter().map(|point| KpiTrendPoint {
            period_start: Date(point.period.begin),
            period_end: Date(point.period.end),
            is_complete: point.is_complete,
            value: point.value,
            target: point.target,
            state: point.state,
        });
        Self {
            grain: trend.grain,
            points: listed(points),
            direction: trend.direction(better),
            change: trend.change(),
        }
    }
}

/// Whether a KPI is measured as often as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum KpiFreshnessState {
    /// It was measured within the periods of its cadence that are allowed.
    Fresh,
    /// Too many periods have passed since: KPI_STALE, by the deployment's threshold.
    Stale,
    /// It has never been measured.
    NeverMeasured,
}

/// How fresh a KPI's values are.
#[derive(SimpleObject)]
pub struct KpiFreshness {
    /// Whether it is measured as often as it should be.
    pub state: KpiFreshnessState,
    /// The last day on which anything of it was measured, at whichever place.
    pub measured_on: Option<Date>,
}

/// What the KPIs that judge a department's work come to on a day. A KPI counts by its worst state at any of the
/// touchpoints where the department delivers, from MISSED over AT_RISK, NO_DATA and NO_TARGET to MET.
#[derive(SimpleObject)]
pub struct DepartmentScorecard {
    /// The day.
    pub as_of: Date,
    /// Touchpoints at which it is ACCOUNTABLE or RESPONSIBLE.
    pub touchpoints: i32,
    /// How many of them no KPI judges whose values you may see.
    pub touchpoints_without_kpi: i32,
    /// KPIs that judge one of them at least.
    pub kpis: i32,
    /// KPIs that are MISSED somewhere.
    pub missed: i32,
    /// KPIs that are AT_RISK somewhere, and nowhere worse.
    pub at_risk: i32,
    /// KPIs that have no value somewhere, and are nowhere worse.
    pub no_data: i32,
    /// KPIs that have no target somewhere, and are nowhere worse.
    pub no_target: i32,
    /// KPIs that are MET everywhere.
    pub met: i32,
}

impl DepartmentScorecard {
    /// What the API tells of a scorecard of a day.
    pub fn of(card: &Scorecard, as_of: Date) -> Self {
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let of = |state: KpiState| {
            count(
                card.states
                    .values()
                    .filter(|other| **other == state)
                    .count(),
            )
        };
        Self {
            as_of,
            touchpoints: count(card.touchpoints),
            touchpoints_without_kpi: count(card.without_kpi),
            kpis: count(card.states.len()),
            missed: of(KpiState::Missed),
            at_risk: of(KpiState::AtRisk),
            no_data: of(KpiState::NoData),
            no_target: of(KpiState::NoTarget),
            met: of(KpiState::Met),
        }
    }
}
