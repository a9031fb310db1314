//! The target of a day: the entry that began last by then. Rust and its SQL twin, side by side.

/// The entry in force on a day, among the targets of one KPI in ascending order of the days on which they begin.
/// An entry ends where the next begins, so only beginnings are kept; its first day belongs to it.
///
/// An entry without a value is found like any other: it says that there is no target from its day on.
#[must_use]
pub fn target_on<T, D: Ord>(targets: &[T], day: D, begins: impl Fn(&T) -> D) -> Option<&T> {
    let begun = targets.partition_point(|target| begins(target) <= day);
    targets.get(begun.checked_sub(1)?)
}

/// The SQL twin of [`target_on`]: how a SELECT FROM `kpi_target` under the alias `$target` goes on, to give the one
/// row in force for `$kpi` on `$day`, which are expressions. A literal, so that statements that use it stay
/// constants:
///
/// ```text
/// LEFT JOIN kpi_target target ON target.id = (SELECT id FROM kpi_target latest <this>)
/// ```
macro_rules! target_on_sql {
    ($target:literal, $kpi:literal, $day:literal) => {
        concat!(
            "WHERE ",
            $target,
            ".kpi_id = ",
            $kpi,
            " AND ",
            $target,
            ".valid_from <= ",
            $day,
            " ORDER BY ",
            $target,
            ".valid_from DESC LIMIT 1"
        )
    };
}

/// Joins `kpi_target` as `$target`: the entry in force for `$kpi` on `$day`, or none.
macro_rules! join_target_sql {
    ($target:literal, $kpi:literal, $day:literal) => {
        concat!(
            "LEFT JOIN kpi_target ",
            $target,
            " ON ",
            $target,
            ".id = (SELECT latest.id FROM kpi_target latest ",
            $crate::judgement::target::target_on_sql!("latest", $kpi, $day),
            ")"
        )
    };
}

/// The warning level of a joined target. An entry without a value is no target, whatever warning level it has.
macro_rules! warning_sql {
    ($target:literal) => {
        concat!(
            "CASE WHEN ",
            $target,
            ".value IS NOT NULL THEN ",
            $target,
            ".warning END"
        )
    };
}

pub(crate) use {join_target_sql, target_on_sql, warning_sql};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_holds_from_its_first_day_until_the_next_begins() {
        let targets = [(5, Some(1.0)), (10, None), (20, Some(3.0))];
        let found = |day| target_on(&targets, day, |target| target.0).map(|target| target.1);
        assert_eq!(found(4), None);
        assert_eq!(found(5), Some(Some(1.0)));
        assert_eq!(found(9), Some(Some(1.0)));
        assert_eq!(found(10), Some(None), "there is no target from here on");
        assert_eq!(found(31), Some(Some(3.0)));
    }

    #[test]
    fn the_sql_twin_is_spelled_like_this() {
        assert_eq!(
            target_on_sql!("t", "m.kpi_id", "m.measured_on"),
            "WHERE t.kpi_id = m.kpi_id AND t.valid_from <= m.measured_on ORDER BY t.valid_from DESC LIMIT 1"
        );
    }
}
