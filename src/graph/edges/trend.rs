//! How KPIs are doing: their trend, whether they are measured as often as they should be, and what those that judge a
//! department's work come to.

use async_graphql::{Enum, SimpleObject};
use entity::words::KpiState;

use crate::{
    judgement::{
        period::Grain,
        trend::{KpiTrendDirection, Trend},
    },
    kpi::of_department::Scorecard,
    meter::{BudgetChargedList, metered_list},
    scalar::Date,
};

/// The recent trend of a KPI as a whole.
#[derive(SimpleObject)]
pub(super) struct KpiTrend {
    /// The length of a period: the KPI's cadence.
    pub grain: Grain,
    /// The last periods, the oldest first, including periods without a value.
    pub points: BudgetChargedList<KpiTrendPoint>,
    /// Whether it improves, by its last two complete periods; null if one of them has no value.
    pub direction: Option<KpiTrendDirection>,
    /// The last complete period's value less that of the period before it, in the unit; null if one of them has no
    /// value.
    pub change: Option<f64>,
}

/// The value of a KPI in one period.
#[derive(SimpleObject)]
pub(super) struct KpiTrendPoint {
    /// The first day of the period (included).
    pub period_start: Date,
    /// The day after the period's last one (excluded).
    pub period_end: Date,
    /// Whether none of the period's days is later than the day asked about.
    pub is_complete: bool,
    /// The values of the period, combined by the KPI's aggregation; null if there is none.
    pub value: Option<f64>,
    /// The target in force on the period's last day; of a running period on the day that is asked about.
    pub target: Option<f64>,
    /// The state of the value, judged by the target.
    pub state: KpiState,
}

impl KpiTrend {
    /// The trend as the API shows it; `better` is the direction in which the KPI improves.
    pub(super) fn new(trend: &Trend, better: entity::words::Direction) -> Self {
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
            points: metered_list(points),
            direction: trend.direction(better),
            change: trend.change(),
        }
    }
}

/// Whether a KPI is measured as often as its cadence demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum KpiFreshnessState {
    /// Its current figure is of a period that is recent enough.
    Fresh,
    /// More periods of its cadence have passed since than the deployment's threshold of KPI_STALE allows.
    Stale,
    /// It has no current figure: its state is NO_DATA.
    None,
}

/// The freshness of a KPI's current figure.
#[derive(SimpleObject)]
pub(super) struct KpiFreshness {
    /// Whether it is measured as often as its cadence demands.
    pub state: KpiFreshnessState,
    /// The number of periods of its cadence that have passed since that of the figure ended; null without a figure.
    pub periods: Option<i32>,
    /// The latest day with a measurement that the figure is made of.
    pub measured_on: Option<Date>,
}

/// The number of KPIs in each state, over those that judge a department's delivery on a day. Each KPI is counted once,
/// by its worst state at any touchpoint that the department delivers: MISSED, AT_RISK, NO_DATA, TOO_FEW,
/// BY_PART_ONLY, NO_TARGET, MET, worst first.
#[derive(SimpleObject)]
pub(super) struct DepartmentScorecard {
    /// The day.
    pub as_of: Date,
    /// Number of touchpoints at which the department is ACCOUNTABLE or RESPONSIBLE.
    pub touchpoints: i32,
    /// Number of these touchpoints that no KPI judges, counting only KPIs whose values you may see.
    pub touchpoints_without_kpi: i32,
    /// Number of KPIs that judge at least one of these touchpoints.
    pub kpis: i32,
    /// Number of KPIs that are MISSED somewhere.
    pub missed: i32,
    /// Number of KPIs that are AT_RISK somewhere, and nowhere worse.
    pub at_risk: i32,
    /// Number of KPIs that have no value somewhere, and are nowhere worse.
    pub no_data: i32,
    /// Number of KPIs that have a value of too few answers or cases somewhere, and are nowhere worse.
    pub too_few: i32,
    /// Number of KPIs that are known by part only somewhere, and are nowhere worse.
    pub by_part_only: i32,
    /// Number of KPIs that have no target somewhere, and are nowhere worse.
    pub no_target: i32,
    /// Number of KPIs that are MET everywhere.
    pub met: i32,
}

impl DepartmentScorecard {
    /// What the API tells of a scorecard of a day.
    pub(super) fn new(card: &Scorecard, as_of: Date) -> Self {
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
            too_few: of(KpiState::TooFew),
            by_part_only: of(KpiState::ByPartOnly),
            no_target: of(KpiState::NoTarget),
            met: of(KpiState::Met),
        }
    }
}
