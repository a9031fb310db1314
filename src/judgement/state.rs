//! The state of a KPI: its value against the target of the value's day. Rust and its SQL twin, side by side.

use entity::words::{Direction, KpiState};

use super::target::TargetLevels;

/// The state of a value against a target, given as value and warning level.
///
/// HIGHER: value ≥ target is MET, warning ≤ value < target AT_RISK, anything else MISSED; LOWER is the mirror
/// image. Without a warning level nothing is ever AT_RISK. No value is NO_DATA, whatever the target.
#[must_use]
pub fn judge_state(
    direction: Direction,
    value: Option<f64>,
    target: Option<TargetLevels>,
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

/// Whether a level is worse than a target, not equal to it.
#[must_use]
pub fn is_worse(direction: Direction, level: f64, target: f64) -> bool {
    match direction {
        Direction::Higher => level < target,
        Direction::Lower => level > target,
    }
}

/// The SQL twin of [`judge_state`] for rows that have a value: `kpi` and `target` name joined tables, `value` is an
/// expression. A `target` whose value is NULL, or that is missing by an outer join, is no target.
#[must_use]
pub fn state_sql(kpi: &str, value: &str, target: &str) -> String {
    // A NULL warning makes its comparison NULL, which CASE takes for false: no warning level, never AT_RISK.
    format!(
        "CASE WHEN {target}.value IS NULL THEN 'NO_TARGET' \
         WHEN CASE {kpi}.direction WHEN 'HIGHER' THEN {value} >= {target}.value ELSE {value} <= {target}.value END THEN 'MET' \
         WHEN CASE {kpi}.direction WHEN 'HIGHER' THEN {value} >= {target}.warning ELSE {value} <= {target}.warning END THEN 'AT_RISK' \
         ELSE 'MISSED' END"
    )
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
        let states =
            [9.0, 8.0, 7.9, 6.0, 5.9].map(|value| judge_state(HIGHER, Some(value), target));
        use KpiState::{AtRisk, Met, Missed};
        assert_eq!(states, [Met, Met, AtRisk, AtRisk, Missed]);
        let target = Some((2.0, Some(3.0)));
        let states = [1.0, 2.0, 2.1, 3.0, 3.1].map(|value| judge_state(LOWER, Some(value), target));
        assert_eq!(states, [Met, Met, AtRisk, AtRisk, Missed]);
    }

    #[test]
    fn without_a_warning_level_nothing_is_at_risk() {
        assert_eq!(
            judge_state(HIGHER, Some(7.9), Some((8.0, None))),
            KpiState::Missed
        );
        assert_eq!(
            judge_state(LOWER, Some(8.1), Some((8.0, None))),
            KpiState::Missed
        );
    }

    #[test]
    fn no_data_comes_before_no_target() {
        assert_eq!(judge_state(HIGHER, None, None), KpiState::NoData);
        assert_eq!(
            judge_state(HIGHER, None, Some((1.0, None))),
            KpiState::NoData
        );
        assert_eq!(judge_state(HIGHER, Some(1.0), None), KpiState::NoTarget);
    }

    proptest! {
        #[test]
        fn higher_and_lower_are_mirror_images(
            value in proptest::option::of(-10i32..10),
            target in proptest::option::of((-10i32..10, proptest::option::of(-10i32..10))),
        ) {
            let up = judge_state(
                HIGHER,
                value.map(f64::from),
                target.map(|(value, warning)| (f64::from(value), warning.map(f64::from))),
            );
            let down = judge_state(
                LOWER,
                value.map(|value| -f64::from(value)),
                target.map(|(value, warning)| (-f64::from(value), warning.map(|level| -f64::from(level)))),
            );
            prop_assert_eq!(up, down);
        }
    }
}
