//! The arithmetic of KPIs: what a value comes to against its target, and which numbers can be right at all.
//! Pure; it knows no database and no clock.

use entity::{
    kpi,
    words::{Aggregation, Direction, KpiState, KpiType, Unit},
};

use crate::{
    canvas::judged::Judgement,
    error::{Reason, UserErrorCode},
};

/// What a value comes to against the target of its day, given as value and warning level.
///
/// HIGHER: value ≥ target is MET, warning ≤ value < target AT_RISK, anything else MISSED; LOWER is the mirror
/// image. Without a warning level nothing is ever AT_RISK. No value is NO_DATA, whatever the target.
#[must_use]
pub fn state(
    direction: Direction,
    value: Option<f64>,
    target: Option<(f64, Option<f64>)>,
) -> KpiState {
    let reaches = |value: f64, level: f64| match direction {
        Direction::Higher => value >= level,
        Direction::Lower => value <= level,
    };
    match (value, target) {
        (None, _) => KpiState::NoData,
        (Some(_), None) => KpiState::NoTarget,
        (Some(value), Some((target, _))) if reaches(value, target) => KpiState::Met,
        (Some(value), Some((_, Some(warning)))) if reaches(value, warning) => KpiState::AtRisk,
        (Some(_), Some(_)) => KpiState::Missed,
    }
}

/// What a KPI comes to by what judges it; nothing where there is nothing to judge.
#[must_use]
pub fn state_of(direction: Direction, judgement: &Judgement) -> Option<KpiState> {
    if !judgement.told {
        return None;
    }
    let value = judgement.latest.as_ref().map(|latest| latest.value);
    let target = judgement.target.as_ref();
    let target = target.and_then(|target| Some((target.value?, target.warning)));
    Some(state(direction, value, target))
}

/// The same as [`state`] in SQL: an expression over the tables that the names stand for, where `target.value` is
/// NULL when there is no target. A value there always is.
#[must_use]
pub fn state_sql(kpi: &str, value: &str, target: &str) -> String {
    format!(
        "CASE WHEN {target}.value IS NULL THEN 'NO_TARGET' \
         WHEN CASE {kpi}.direction WHEN 'HIGHER' THEN {value} >= {target}.value ELSE {value} <= {target}.value END THEN 'MET' \
         WHEN CASE {kpi}.direction WHEN 'HIGHER' THEN {value} >= {target}.warning ELSE {value} <= {target}.warning END THEN 'AT_RISK' \
         ELSE 'MISSED' END"
    )
}

/// Something about a number that cannot be right.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    /// The field that is wrong.
    pub field: &'static str,
    pub code: UserErrorCode,
    pub reason: Option<Reason>,
    /// A sentence for people.
    pub message: String,
}

impl Wrong {
    fn new(field: &'static str, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            field,
            code: UserErrorCode::Invalid,
            reason: Some(reason),
            message: message.into(),
        }
    }
}

/// What is wrong with a target and its warning level: both are finite, and the level lies on the worse side.
#[must_use]
pub fn target_faults(direction: Direction, value: Option<f64>, warning: Option<f64>) -> Vec<Wrong> {
    let mut wrong: Vec<Wrong> = [("value", value), ("warning", warning)]
        .into_iter()
        .filter_map(|(field, number)| not_finite(field, number?))
        .collect();
    let better = match (value, warning) {
        (None, Some(_)) => {
            let message = "Without a target there is nothing to warn of.";
            wrong.push(Wrong::new("warning", Reason::OutOfRange, message));
            false
        }
        (Some(value), Some(warning)) if wrong.is_empty() => !worse(direction, warning, value),
        _ => false,
    };
    if better {
        let message = match direction {
            Direction::Higher => "Higher is better here: the warning level lies below the target.",
            Direction::Lower => "Lower is better here: the warning level lies above the target.",
        };
        wrong.push(Wrong::new("warning", Reason::OutOfRange, message));
    }
    wrong
}

/// Whether a level is worse than a target, not equal to it.
#[must_use]
pub fn worse(direction: Direction, level: f64, target: f64) -> bool {
    match direction {
        Direction::Higher => level < target,
        Direction::Lower => level > target,
    }
}

fn not_finite(field: &'static str, number: f64) -> Option<Wrong> {
    (!number.is_finite())
        .then(|| Wrong::new(field, Reason::NotFinite, "This is not a finite number."))
}

/// The numbers of one measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    pub value: f64,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    pub sample_size: Option<i32>,
}

/// What of a KPI decides which figures can be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    pub kpi_type: KpiType,
    pub unit: Unit,
    pub aggregation: Aggregation,
}

impl From<&kpi::Model> for Measure {
    fn from(kpi: &kpi::Model) -> Self {
        Self {
            kpi_type: kpi.kpi_type,
            unit: kpi.unit,
            aggregation: kpi.aggregation,
        }
    }
}

impl Measure {
    /// What a numerator over its denominator is multiplied by, to be told in the unit: shares in percent and net
    /// promoter scores are told in points of a hundred.
    #[must_use]
    pub fn ratio_scale(self) -> f64 {
        match self.unit {
            Unit::Percent => 100.0,
            Unit::Score if self.is_net_promoter() => 100.0,
            _ => 1.0,
        }
    }

    fn is_net_promoter(self) -> bool {
        self.unit == Unit::Score && matches!(self.kpi_type, KpiType::Nps | KpiType::Enps)
    }

    /// The lowest and the highest value that the unit knows.
    #[must_use]
    pub fn range(self) -> (f64, f64) {
        match self.unit {
            Unit::Scale1To5 => (1.0, 5.0),
            Unit::Scale1To7 => (1.0, 7.0),
            Unit::Score if self.is_net_promoter() => (-100.0, 100.0),
            Unit::Count
            | Unit::Seconds
            | Unit::Minutes
            | Unit::Hours
            | Unit::Days
            | Unit::Years => (0.0, f64::INFINITY),
            Unit::Score | Unit::Percent | Unit::Ratio | Unit::Currency => {
                (f64::NEG_INFINITY, f64::INFINITY)
            }
        }
    }
}

/// How far, relatively, a share may lie from its numerator over its denominator: room for rounding in a sender's
/// arithmetic, not for a rounded figure.
const TOLERANCE: f64 = 1e-9;

/// What is wrong with the figures of a measurement of such a KPI.
#[must_use]
pub fn figure_faults(measure: Measure, figures: &Figures) -> Vec<Wrong> {
    let mut wrong: Vec<Wrong> = [
        ("value", Some(figures.value)),
        ("numerator", figures.numerator),
        ("denominator", figures.denominator),
    ]
    .into_iter()
    .filter_map(|(field, number)| not_finite(field, number?))
    .collect();
    if figures.sample_size.is_some_and(|size| size < 1) {
        let message = "A sample has one answer at least.";
        wrong.push(Wrong::new("sampleSize", Reason::OutOfRange, message));
    }
    if wrong
        .iter()
        .any(|wrong| wrong.reason == Some(Reason::NotFinite))
    {
        return wrong;
    }
    wrong.extend(out_of_range(measure, figures.value));
    wrong.extend(parts(measure, figures));
    wrong
}

fn out_of_range(measure: Measure, value: f64) -> Option<Wrong> {
    let (lowest, highest) = measure.range();
    if (lowest..=highest).contains(&value) {
        return None;
    }
    let message = if highest.is_finite() {
        format!("This lies outside its scale from {lowest} to {highest}.")
    } else {
        "This cannot be less than nothing.".to_owned()
    };
    Some(Wrong::new("value", Reason::OutOfRange, message))
}

/// What is wrong with numerator and denominator.
fn parts(measure: Measure, figures: &Figures) -> Option<Wrong> {
    if figures.denominator.is_some_and(|number| number <= 0.0) {
        let message = "A denominator is greater than nothing.";
        return Some(Wrong::new("denominator", Reason::OutOfRange, message));
    }
    let together = measure.aggregation == Aggregation::Ratio || measure.unit == Unit::Ratio;
    match (figures.numerator, figures.denominator) {
        (Some(_), None) if together => Some(missing("denominator")),
        (None, Some(_)) if together => Some(missing("numerator")),
        (Some(numerator), Some(denominator))
            if measure.is_net_promoter() && numerator.abs() > denominator =>
        {
            let message = "There cannot be more promoters or detractors than answers.";
            Some(Wrong::new("numerator", Reason::OutOfRange, message))
        }
        (Some(numerator), Some(denominator))
            if measure.unit == Unit::Ratio && !is_close(figures.value, numerator / denominator) =>
        {
            let message = "The value is not the numerator over the denominator.";
            Some(Wrong::new("value", Reason::OutOfRange, message))
        }
        _ => None,
    }
}

fn missing(field: &'static str) -> Wrong {
    Wrong {
        field,
        code: UserErrorCode::Required,
        reason: None,
        message: "A numerator and a denominator go together.".to_owned(),
    }
}

fn is_close(one: f64, other: f64) -> bool {
    one == other || (one - other).abs() <= TOLERANCE * one.abs().max(other.abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HIGHER: Direction = Direction::Higher;
    const LOWER: Direction = Direction::Lower;

    #[test]
    fn a_value_at_its_target_is_met_and_at_its_warning_level_at_risk() {
        let target = Some((8.0, Some(6.0)));
        let states = [9.0, 8.0, 7.9, 6.0, 5.9].map(|value| state(HIGHER, Some(value), target));
        use KpiState::{AtRisk, Met, Missed};
        assert_eq!(states, [Met, Met, AtRisk, AtRisk, Missed]);
        let target = Some((2.0, Some(3.0)));
        let states = [1.0, 2.0, 2.1, 3.0, 3.1].map(|value| state(LOWER, Some(value), target));
        assert_eq!(states, [Met, Met, AtRisk, AtRisk, Missed]);
    }

    #[test]
    fn without_a_warning_level_nothing_is_at_risk() {
        assert_eq!(
            state(HIGHER, Some(7.9), Some((8.0, None))),
            KpiState::Missed
        );
        assert_eq!(state(LOWER, Some(8.1), Some((8.0, None))), KpiState::Missed);
    }

    #[test]
    fn no_data_comes_before_no_target() {
        assert_eq!(state(HIGHER, None, None), KpiState::NoData);
        assert_eq!(state(HIGHER, None, Some((1.0, None))), KpiState::NoData);
        assert_eq!(state(HIGHER, Some(1.0), None), KpiState::NoTarget);
    }

    fn fields(wrong: &[Wrong]) -> Vec<&'static str> {
        wrong.iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn a_warning_level_lies_on_the_worse_side() {
        assert!(target_faults(HIGHER, Some(8.0), Some(6.0)).is_empty());
        assert!(target_faults(LOWER, Some(2.0), Some(3.0)).is_empty());
        assert!(target_faults(LOWER, None, None).is_empty());
        assert_eq!(
            fields(&target_faults(HIGHER, Some(8.0), Some(8.0))),
            ["warning"]
        );
        assert_eq!(
            fields(&target_faults(HIGHER, Some(8.0), Some(9.0))),
            ["warning"]
        );
        assert_eq!(
            fields(&target_faults(LOWER, Some(2.0), Some(1.0))),
            ["warning"]
        );
        assert_eq!(fields(&target_faults(LOWER, None, Some(1.0))), ["warning"]);
        let both = target_faults(LOWER, Some(f64::NAN), Some(f64::INFINITY));
        assert_eq!(fields(&both), ["value", "warning"]);
    }

    fn of(unit: Unit) -> Measure {
        Measure {
            kpi_type: KpiType::Other,
            unit,
            aggregation: Aggregation::Last,
        }
    }

    fn plain(value: f64) -> Figures {
        Figures {
            value,
            numerator: None,
            denominator: None,
            sample_size: None,
        }
    }

    fn share(value: f64, numerator: f64, denominator: f64) -> Figures {
        Figures {
            numerator: Some(numerator),
            denominator: Some(denominator),
            ..plain(value)
        }
    }

    #[test]
    fn a_value_lies_on_the_scale_of_its_unit() {
        let nps = Measure {
            kpi_type: KpiType::Nps,
            ..of(Unit::Score)
        };
        let right = [
            (of(Unit::Scale1To5), 1.0),
            (of(Unit::Scale1To7), 7.0),
            (nps, -100.0),
            (of(Unit::Score), 250.0),
            (of(Unit::Percent), -3.5),
            (of(Unit::Count), 0.0),
            (of(Unit::Currency), -12.5),
        ];
        for (measure, value) in right {
            assert_eq!(
                figure_faults(measure, &plain(value)),
                [],
                "{measure:?} {value}"
            );
        }
        let wrong = [
            (of(Unit::Scale1To5), 5.1),
            (of(Unit::Scale1To7), 0.9),
            (nps, 100.5),
            (of(Unit::Count), -1.0),
            (of(Unit::Days), -0.1),
            (of(Unit::Percent), f64::NAN),
        ];
        for (measure, value) in wrong {
            let faults = figure_faults(measure, &plain(value));
            assert_eq!(fields(&faults), ["value"], "{measure:?} {value}");
        }
    }

    #[test]
    fn a_ratio_is_its_numerator_over_its_denominator() {
        let ratio = of(Unit::Ratio);
        assert_eq!(figure_faults(ratio, &share(1.0 / 3.0, 1.0, 3.0)), []);
        assert_eq!(figure_faults(ratio, &plain(0.3)), []);
        assert_eq!(
            fields(&figure_faults(ratio, &share(0.333, 1.0, 3.0))),
            ["value"]
        );
        assert_eq!(
            fields(&figure_faults(ratio, &share(0.0, 0.0, 0.0))),
            ["denominator"]
        );
        let half = Figures {
            numerator: Some(1.0),
            ..plain(0.5)
        };
        assert_eq!(fields(&figure_faults(ratio, &half)), ["denominator"]);
        assert_eq!(figure_faults(of(Unit::Percent), &half), []);
    }

    #[test]
    fn a_net_promoter_score_keeps_a_signed_numerator() {
        let nps = Measure {
            kpi_type: KpiType::Nps,
            unit: Unit::Score,
            aggregation: Aggregation::Ratio,
        };
        assert_eq!(figure_faults(nps, &share(-20.0, -2.0, 10.0)), []);
        assert_eq!(
            fields(&figure_faults(nps, &share(-20.0, -12.0, 10.0))),
            ["numerator"]
        );
    }

    #[test]
    fn a_sample_has_an_answer() {
        let none = Figures {
            sample_size: Some(0),
            ..plain(1.0)
        };
        assert_eq!(
            fields(&figure_faults(of(Unit::Count), &none)),
            ["sampleSize"]
        );
    }

    proptest! {
        #[test]
        fn higher_and_lower_are_mirror_images(
            value in proptest::option::of(-10i32..10),
            target in proptest::option::of((-10i32..10, proptest::option::of(-10i32..10))),
        ) {
            let up = state(
                HIGHER,
                value.map(f64::from),
                target.map(|(value, warning)| (f64::from(value), warning.map(f64::from))),
            );
            let down = state(
                LOWER,
                value.map(|value| -f64::from(value)),
                target.map(|(value, warning)| (-f64::from(value), warning.map(|level| -f64::from(level)))),
            );
            prop_assert_eq!(up, down);
        }
    }
}
