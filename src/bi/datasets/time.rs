//! `dates`: a calendar to join days with.

use super::{columns, filters, order};
use crate::{
    bi::{
        model::dataset::{
            ColumnType::{Boolean, Day, Instant, Integer},
            Dataset, RowSource,
        },
        scope::{DayPart, ReaderScope},
    },
    policy::Action,
    statement::SqlBuilder,
};

/// Days, one a row.
pub static DATES: Dataset = Dataset {
    name: "dates",
    description: "A calendar, one row a day: of the requested days, else of those from the first \
        measurement through today. Weeks are ISO 8601: they begin on Monday, and the \
        year of a week is iso_year.",
    permission: Action::PullFlatRows,
    needs_days: true,
    published_only: false,
    day: Some("day"),
    columns: columns![
        day: Day => "day.day", "The day.";
        ends_at: Instant => "day.ends", "End of the day in the deployment's time zone.";
        year: Integer => (year_sql), "The year.";
        quarter: Integer => (quarter_sql), "The quarter, from 1 to 4.";
        month: Integer => (month_sql), "The month, from 1 to 12.";
        day_of_month: Integer => (day_of_month_sql), "The day of the month, from 1.";
        weekday: Integer => (weekday_sql), "The day of the week, from Monday, 1, to Sunday, 7.";
        iso_year: Integer => (iso_year_sql), "The year of its ISO week.";
        iso_week: Integer => (iso_week_sql), "The ISO week, from 1 to 53.";
        is_today: Boolean => "day.day = today.day", "Whether it is today, in the deployment's time zone.";
        is_past: Boolean => "day.day < today.day", "Whether it lies before today.";
    ],
    filters: filters![],
    key: "day",
    order: order![Day day],
    source: RowSource::Sql {
        with: Some(days_cte_sql),
        rows: date_rows_sql,
    },
};

fn days_cte_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    scope
        .append_today(
            scope
                .append_days_table(text)
                .then(", today (day) AS (VALUES ("),
        )
        .then("))")
}

fn date_rows_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    DATES
        .append_select(text, scope)
        .then(" FROM day CROSS JOIN today")
}

/// Functions that make the SQL of a part of the day.
macro_rules! day_parts {
    ($($name:ident = $part:ident),*) => {
        $(fn $name(scope: &ReaderScope<'_>) -> String {
            scope.day_part_sql(DayPart::$part, "day.day")
        })*
    };
}

day_parts!(
    year_sql = Year,
    month_sql = Month,
    day_of_month_sql = DayOfMonth,
    weekday_sql = Weekday,
    iso_year_sql = IsoYear,
    iso_week_sql = IsoWeek
);

fn quarter_sql(scope: &ReaderScope<'_>) -> String {
    format!("({} + 2) / 3", month_sql(scope))
}
