//! What decides whether the values of a period are enough to judge, and their state. Pure.

use entity::{
    kpi,
    words::{Aggregation, Direction, KpiState},
};

use super::{
    aggregate::{Aggregate, AggregationRule},
    state::judge_state,
    target::TargetLevels,
};

/// How the values of a period are put together and judged.
#[derive(Clone, Copy, Debug)]
pub struct PeriodLaw {
    pub rule: AggregationRule,
    pub direction: Direction,
    /// The answers or cases that values need to be judged.
    pub minimum_sample: f64,
}

impl From<&kpi::Model> for PeriodLaw {
    fn from(kpi: &kpi::Model) -> Self {
        Self {
            rule: kpi.into(),
            direction: kpi.direction,
            minimum_sample: f64::from(minimum_sample(kpi)),
        }
    }
}

/// The answers or cases that a period of a KPI needs to count.
#[must_use]
pub fn minimum_sample(kpi: &kpi::Model) -> i32 {
    let usual = if kpi.fed_from.is_some() { 10 } else { 1 };
    kpi.minimum_sample.unwrap_or(usual)
}

/// The SQL twin of [`minimum_sample`], of the joined table `kpi`.
pub const MINIMUM_SAMPLE_SQL: &str =
    "COALESCE(kpi.minimum_sample, CASE WHEN kpi.fed_from IS NULL THEN 1 ELSE 10 END)";

impl PeriodLaw {
    /// The state of the values of a period, which runs or has ended.
    #[must_use]
    pub fn state(&self, sum: &Aggregate, target: Option<TargetLevels>, runs: bool) -> KpiState {
        match sum.value(&self.rule) {
            None if self.is_by_part_only(sum) => KpiState::ByPartOnly,
            Some(_) if !self.is_enough(sum, target, runs) => KpiState::TooFew,
            value => judge_state(self.direction, value, target),
        }
    }

    /// Whether the values are the last ones of parts, which have none in common.
    #[must_use]
    pub fn is_by_part_only(&self, sum: &Aggregate) -> bool {
        self.rule.aggregation == Aggregation::Last
            && sum.values > 0
            && sum.value(&self.rule).is_none()
    }

    /// Whether the values are made of enough answers or cases; of a sum that is still growing, whether it is decided.
    #[must_use]
    pub fn is_enough(&self, sum: &Aggregate, target: Option<TargetLevels>, runs: bool) -> bool {
        match self.rule.aggregation {
            Aggregation::Sum if runs => self.is_decided(sum, target),
            _ => sum.n(&self.rule) >= self.minimum_sample,
        }
    }

    /// Whether a sum that is still growing lies beyond its target, and can only rise.
    fn is_decided(&self, sum: &Aggregate, target: Option<TargetLevels>) -> bool {
        let beyond = match (sum.value(&self.rule), target) {
            (Some(value), Some((target, _))) => match self.direction {
                Direction::Higher => value >= target,
                Direction::Lower => value > target,
            },
            _ => false,
        };
        beyond && sum.is_only_rising()
    }
}
