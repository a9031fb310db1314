//! Views whose rows each have a day, read day by day, so that a condition on the day chooses the days that are read,
//! whatever it is written with.
//!
//! A view that keeps rows from some of its readers is a `security_barrier`: PostgreSQL takes no condition into it that
//! could tell what it was called with, and says so of few functions. Of a day and a timestamp it does not, so
//! `measured_on >= now() - interval '3 days'` would read every row first. Therefore the view that is read has two
//! parts: the calendar of whole years, which takes any condition, and for each of its days the rows of that day, from a
//! view behind it with the barrier, which nobody but it can read. Of rows that a login may not see the calendar tells the
//! year of the first and of the last one.
//!
//! ```text
//! bi.kpi_facts     calendar (day)  ×  LATERAL rows WHERE measured_on = day
//!                       ▲                  │
//!    any condition on the day              └ bi_of_day_kpi_facts, security_barrier
//! ```

use super::sql::REQUIRE_CURRENT_RIGHTS;
use crate::bi::model::dataset::Dataset;

/// Where the days of the rows of a dataset are stored: what stands after FROM. Nothing where rows have no day, and of
/// the calendar itself, in which a day is found at once.
fn stored_days_sql(dataset: &Dataset) -> Option<&'static str> {
    match dataset.name {
        "kpi_facts" | "kpi_measurements" => Some("measurement WHERE superseded_by_id IS NULL"),
        "feedback" => Some("feedback"),
        _ => None,
    }
}

/// The name of the view behind the one that is read, where there is one.
pub(super) fn name_of_rows(dataset: &Dataset) -> Option<String> {
    stored_days_sql(dataset).map(|_| format!("{PREFIX}{}", dataset.name))
}

/// What the names of the views behind begin with.
const PREFIX: &str = "bi_of_day_";

/// The views behind, as a condition on `pg_views`.
pub(super) fn names_of_rows_sql() -> String {
    format!("schemaname = current_schema() AND starts_with(viewname, '{PREFIX}')")
}

/// The statement of the view that is read, over the one behind it; its columns in this order.
pub(super) fn query_sql(dataset: &Dataset, order: &[&str]) -> Option<String> {
    let (stored, day) = (stored_days_sql(dataset)?, dataset.day?);
    let rows = name_of_rows(dataset)?;
    let columns = order.iter().map(|name| match *name == day {
        true => format!("calendar.day AS {name}"),
        false => format!("flat.{name}"),
    });
    let columns: Vec<String> = columns.collect();
    // `fence`: without a column that is volatile PostgreSQL would make one join of it all, and read every row for it.
    // Conditions on the other columns go through it all the same.
    Some(format!(
        "SELECT {}
FROM (SELECT CAST(moment AS date) AS day FROM generate_series(
        date_trunc('year', CAST((SELECT MIN({day}) FROM {stored}) AS timestamp)),
        date_trunc('year', CAST((SELECT MAX({day}) FROM {stored}) AS timestamp)) + interval '1 year - 1 day',
        interval '1 day') AS moment
    WHERE {REQUIRE_CURRENT_RIGHTS}) AS calendar
CROSS JOIN LATERAL (SELECT of_day.*, clock_timestamp() AS fence FROM {rows} AS of_day
    WHERE of_day.{day} = calendar.day) AS flat",
        columns.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bi::catalogue;

    #[test]
    fn what_has_a_day_is_read_by_day() {
        let all = catalogue::ALL.iter();
        for dataset in all.filter(|dataset| dataset.source.sql_fragments().is_some()) {
            let has_day = dataset.day.is_some_and(|day| day != dataset.key);
            assert_eq!(
                stored_days_sql(dataset).is_some(),
                has_day,
                "{}",
                dataset.name
            );
        }
    }
}
