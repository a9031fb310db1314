//! Rules for the numbers of a KPI: which targets and figures are possible for its unit and aggregation. Pure: no
//! database, no clock. How a value is judged against its target is `judgement`.

use entity::{
    kpi, measurement,
    words::{Aggregation, Direction, KpiType, Unit},
};

use crate::{
    error::{Reason, UserErrorCode},
    judgement::{is_worse, ratio_multiplier},
    number::{self, round_computed},
};

/// Something about a number that cannot be right.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureFault {
    /// The field that is wrong.
    pub field: &'static str,
    pub code: UserErrorCode,
    pub reason: Option<Reason>,
    /// A sentence for people.
    pub message: String,
}

impl FigureFault {
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
pub fn target_faults(
    direction: Direction,
    value: Option<f64>,
    warning: Option<f64>,
) -> Vec<FigureFault> {
    let mut wrong: Vec<FigureFault> = [("value", value), ("warning", warning)]
        .into_iter()
        .filter_map(|(field, number)| number_fault(field, number?))
        .collect();
    let better = match (value, warning) {
        (None, Some(_)) => {
            let message = "A warning level needs a target.";
            wrong.push(FigureFault::new("warning", Reason::OutOfRange, message));
            false
        }
        (Some(value), Some(warning)) if wrong.is_empty() => !is_worse(direction, warning, value),
        _ => false,
    };
    if better {
        let message = match direction {
            Direction::Higher => "Higher is better here: the warning level lies below the target.",
            Direction::Lower => "Lower is better here: the warning level lies above the target.",
        };
        wrong.push(FigureFault::new("warning", Reason::OutOfRange, message));
    }
    wrong
}

/// What is wrong with a number as such: it is infinite or none, or larger than numbers may be.
fn number_fault(field: &'static str, number: f64) -> Option<FigureFault> {
    let (reason, message) = number::size_fault(number)?;
    Some(FigureFault::new(field, reason, message))
}

/// The numbers of one measurement as somebody gives them: the value of a share may be left out where its parts are given.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GivenFigures {
    pub value: Option<f64>,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    pub sample_size: Option<i32>,
}

/// The numbers of one measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeasurementFigures {
    pub value: f64,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    pub sample_size: Option<i32>,
}

/// What of a KPI decides which figures can be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KpiMeasure {
    pub kpi_type: KpiType,
    pub unit: Unit,
    pub aggregation: Aggregation,
}

impl From<&kpi::Model> for KpiMeasure {
    fn from(kpi: &kpi::Model) -> Self {
        Self {
            kpi_type: kpi.kpi_type,
            unit: kpi.unit,
            aggregation: kpi.aggregation,
        }
    }
}

impl KpiMeasure {
    fn is_net_promoter(self) -> bool {
        self.unit == Unit::Score && matches!(self.kpi_type, KpiType::Nps | KpiType::Enps)
    }

    /// Whether its value is a numerator over a denominator.
    #[must_use]
    pub fn is_share(self) -> bool {
        self.aggregation == Aggregation::Ratio || self.unit == Unit::Ratio
    }

    /// What a numerator over its denominator is multiplied by, to be told in the unit.
    #[must_use]
    pub const fn ratio_multiplier(self) -> f64 {
        ratio_multiplier(self.kpi_type, self.unit)
    }

    /// What the parts of a share come to; nothing where they are not given or none can come of them.
    fn value_of_parts(self, given: &GivenFigures) -> Option<f64> {
        let (numerator, denominator) = given.numerator.zip(given.denominator)?;
        (self.is_share() && denominator > 0.0)
            .then(|| round_computed(self.ratio_multiplier() * (numerator / denominator)))
    }

    /// The value of a measurement: of a share what its parts come to, also where it was kept otherwise.
    #[must_use]
    pub fn value_of_measurement(self, row: &measurement::Model) -> f64 {
        let parts = GivenFigures {
            numerator: row.numerator,
            denominator: row.denominator,
            ..GivenFigures::default()
        };
        self.value_of_parts(&parts).unwrap_or(row.value)
    }

    /// The lowest and the highest value that the unit knows.
    #[must_use]
    pub fn value_range(self) -> (f64, f64) {
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
pub const SHARE_TOLERANCE: f64 = 1e-9;

/// The figures of a measurement of such a KPI, the value as the parts of a share give it, or as it is given; and what is
/// wrong with them. Where something is, they are not to be used.
#[must_use]
pub fn complete_figures(
    measure: KpiMeasure,
    given: &GivenFigures,
) -> (MeasurementFigures, Vec<FigureFault>) {
    let numbers = [
        ("value", given.value),
        ("numerator", given.numerator),
        ("denominator", given.denominator),
    ];
    let mut wrong: Vec<FigureFault> = numbers
        .into_iter()
        .filter_map(|(field, number)| number_fault(field, number?))
        .collect();
    let is_possible = wrong.is_empty();
    if given.sample_size.is_some_and(|size| size < 1) {
        let message = "A sample size has to be at least 1.";
        wrong.push(FigureFault::new("sampleSize", Reason::OutOfRange, message));
    }
    // Where it agrees with the parts as well: one share has one value, in whichever way a sender rounds.
    let value = measure.value_of_parts(given).or(given.value);
    if is_possible {
        let of_parts = parts_fault(measure, given);
        // A value that follows from the parts, or is missing with them, is no fault besides theirs.
        let of_value = match value {
            _ if of_parts.is_some() && given.value.is_none() => None,
            None => Some(missing_value_fault(measure)),
            Some(value) => {
                let value = given.value.unwrap_or(value);
                number_fault("value", value).or_else(|| range_fault(measure, value))
            }
        };
        wrong.extend(of_value.into_iter().chain(of_parts));
    }
    let figures = MeasurementFigures {
        value: value.unwrap_or_default(),
        numerator: given.numerator,
        denominator: given.denominator,
        sample_size: given.sample_size,
    };
    (figures, wrong)
}

fn range_fault(measure: KpiMeasure, value: f64) -> Option<FigureFault> {
    let (lowest, highest) = measure.value_range();
    if (lowest..=highest).contains(&value) {
        return None;
    }
    let message = if highest.is_finite() {
        format!("This lies outside its scale from {lowest} to {highest}.")
    } else {
        "This cannot be negative.".to_owned()
    };
    Some(FigureFault::new("value", Reason::OutOfRange, message))
}

/// What is wrong with numerator and denominator, and with a share that is not the one over the other.
fn parts_fault(measure: KpiMeasure, given: &GivenFigures) -> Option<FigureFault> {
    if given.denominator.is_some_and(|number| number <= 0.0) {
        let message = "A denominator has to be greater than 0.";
        return Some(FigureFault::new("denominator", Reason::OutOfRange, message));
    }
    match (given.numerator, given.denominator) {
        (Some(_), None) if measure.is_share() => Some(missing_ratio_part_fault("denominator")),
        (None, Some(_)) if measure.is_share() => Some(missing_ratio_part_fault("numerator")),
        (Some(numerator), Some(denominator))
            if measure.is_net_promoter() && numerator.abs() > denominator =>
        {
            let message = "There cannot be more promoters or detractors than answers.";
            Some(FigureFault::new("numerator", Reason::OutOfRange, message))
        }
        _ => {
            let (value, of_parts) = given.value.zip(measure.value_of_parts(given))?;
            let message = || {
                format!(
                    "Numerator and denominator come to {of_parts}: give that, or leave the value out."
                )
            };
            (!is_nearly_equal(value, of_parts))
                .then(|| FigureFault::new("value", Reason::OutOfRange, message()))
        }
    }
}

fn missing_value_fault(measure: KpiMeasure) -> FigureFault {
    let message = if measure.is_share() {
        "Give the value, or numerator and denominator."
    } else {
        "Give the value."
    };
    FigureFault {
        field: "value",
        code: UserErrorCode::Required,
        reason: None,
        message: message.to_owned(),
    }
}

fn missing_ratio_part_fault(field: &'static str) -> FigureFault {
    FigureFault {
        field,
        code: UserErrorCode::Required,
        reason: None,
        message: "Numerator and denominator have to be given together.".to_owned(),
    }
}

fn is_nearly_equal(one: f64, other: f64) -> bool {
    one == other || (one - other).abs() <= SHARE_TOLERANCE * one.abs().max(other.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIGHER: Direction = Direction::Higher;
    const LOWER: Direction = Direction::Lower;

    fn fields(wrong: &[FigureFault]) -> Vec<&'static str> {
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

    fn measure(unit: Unit) -> KpiMeasure {
        KpiMeasure {
            kpi_type: KpiType::Other,
            unit,
            aggregation: Aggregation::Last,
        }
    }

    fn plain(value: f64) -> GivenFigures {
        GivenFigures {
            value: Some(value),
            ..GivenFigures::default()
        }
    }

    fn figure_faults(measure: KpiMeasure, given: &GivenFigures) -> Vec<FigureFault> {
        complete_figures(measure, given).1
    }

    fn share(value: f64, numerator: f64, denominator: f64) -> GivenFigures {
        GivenFigures {
            numerator: Some(numerator),
            denominator: Some(denominator),
            ..plain(value)
        }
    }

    #[test]
    fn a_value_lies_on_the_scale_of_its_unit() {
        let nps = KpiMeasure {
            kpi_type: KpiType::Nps,
            ..measure(Unit::Score)
        };
        let right = [
            (measure(Unit::Scale1To5), 1.0),
            (measure(Unit::Scale1To7), 7.0),
            (nps, -100.0),
            (measure(Unit::Score), 250.0),
            (measure(Unit::Percent), -3.5),
            (measure(Unit::Count), 0.0),
            (measure(Unit::Currency), -12.5),
        ];
        for (measure, value) in right {
            assert_eq!(
                figure_faults(measure, &plain(value)),
                [],
                "{measure:?} {value}"
            );
        }
        let wrong = [
            (measure(Unit::Scale1To5), 5.1),
            (measure(Unit::Scale1To7), 0.9),
            (nps, 100.5),
            (measure(Unit::Count), -1.0),
            (measure(Unit::Days), -0.1),
            (measure(Unit::Percent), f64::NAN),
        ];
        for (measure, value) in wrong {
            let faults = figure_faults(measure, &plain(value));
            assert_eq!(fields(&faults), ["value"], "{measure:?} {value}");
        }
    }

    #[test]
    fn a_ratio_is_its_numerator_over_its_denominator() {
        let ratio = measure(Unit::Ratio);
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
        let half = GivenFigures {
            numerator: Some(1.0),
            ..plain(0.5)
        };
        assert_eq!(fields(&figure_faults(ratio, &half)), ["denominator"]);
        assert_eq!(figure_faults(measure(Unit::Percent), &half), []);
    }

    #[test]
    fn the_value_of_a_share_agrees_with_its_parts_or_follows_from_them() {
        let of = |kpi_type, unit, aggregation| KpiMeasure {
            kpi_type,
            unit,
            aggregation,
        };
        let shares = [
            (of(KpiType::Other, Unit::Percent, Aggregation::Ratio), 100.0),
            (of(KpiType::Nps, Unit::Score, Aggregation::Ratio), 100.0),
            (of(KpiType::Enps, Unit::Score, Aggregation::Ratio), 100.0),
            (of(KpiType::Other, Unit::Ratio, Aggregation::Average), 1.0),
            (of(KpiType::Other, Unit::Ratio, Aggregation::Ratio), 1.0),
            (of(KpiType::Other, Unit::Minutes, Aggregation::Ratio), 1.0),
            (of(KpiType::Other, Unit::Currency, Aggregation::Ratio), 1.0),
        ];
        for (share_kpi, times) in shares {
            let of_parts = GivenFigures {
                value: None,
                ..share(0.0, 5.0, 19.0)
            };
            let right = round_computed(times * (5.0 / 19.0));
            let (figures, faults) = complete_figures(share_kpi, &of_parts);
            assert_eq!((figures.value, faults), (right, vec![]), "{share_kpi:?}");
            let nearly = share(right + 1e-13, 5.0, 19.0);
            let (figures, faults) = complete_figures(share_kpi, &nearly);
            assert_eq!((figures.value, faults), (right, vec![]), "{share_kpi:?}");
            for value in [right * 1.01, right + 0.001, 12.0 * times, -right, 0.0] {
                let faults = figure_faults(share_kpi, &share(value, 5.0, 19.0));
                assert!(fields(&faults).contains(&"value"), "{share_kpi:?} {value}");
            }
            let none = figure_faults(share_kpi, &GivenFigures::default());
            assert_eq!(none, [missing_value_fault(share_kpi)]);
            // A scale that parts lead out of is left by the value.
            let huge = GivenFigures {
                value: None,
                ..share(0.0, 1e15, 1e-300)
            };
            assert!(!figure_faults(share_kpi, &huge).is_empty(), "{share_kpi:?}");
        }
        // Parts of what is no share are kept and say nothing of its value.
        for other in [
            of(KpiType::Other, Unit::Percent, Aggregation::Average),
            of(KpiType::Nps, Unit::Score, Aggregation::Last),
            of(KpiType::Other, Unit::Count, Aggregation::Sum),
        ] {
            assert_eq!(figure_faults(other, &share(12.0, 5.0, 10.0)), []);
            let without = GivenFigures {
                value: None,
                ..share(0.0, 5.0, 10.0)
            };
            assert_eq!(fields(&figure_faults(other, &without)), ["value"]);
        }
    }

    #[test]
    fn a_net_promoter_score_keeps_a_signed_numerator() {
        let nps = KpiMeasure {
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
        let none = GivenFigures {
            sample_size: Some(0),
            ..plain(1.0)
        };
        assert_eq!(
            fields(&figure_faults(measure(Unit::Count), &none)),
            ["sampleSize"]
        );
    }
}
