//! `dates`: a calendar to join days with.

use super::{columns, filters, order};
use crate::{
    bi::{
        model::dataset::{
            Dataset, RowSource,
            Type::{Boolean, Day, Instant, Integer},
        },
        scope::{DayPart, Scope},
    },
    policy::Action,
    statement::Text,
};

/// Days, one a row.
pub static DATES: Dataset = Dataset {
    name: "dates",
    description: "The calendar of the days that are asked about, one row a day. Weeks are ISO 8601: they begin on Monday, \
        and the year of a week is iso_year.",
    permission: Action::PullFlatRows,
    needs_days: true,
    counts: false,
    day: Some("day"),
    columns: columns![
        day: Day, "The day.";
        ends_at: Instant, "The moment at which it ends in the deployment's time zone.";
        year: Integer, "The year.";
        quarter: Integer, "The quarter, from 1 to 4.";
        month: Integer, "The month, from 1 to 12.";
        day_of_month: Integer, "The day of the month, from 1.";
        weekday: Integer, "The day of the week, from Monday, 1, to Sunday, 7.";
        iso_year: Integer, "The year that its ISO week belongs to.";
        iso_week: Integer, "The ISO week, from 1 to 53.";
        is_today: Boolean, "Whether it is today, in the deployment's time zone.";
        is_past: Boolean, "Whether it lies before today.";
    ],
    filters: filters![],
    key: "day",
    order: order![Day day],
    source: RowSource::Sql {
        with: Some(days),
        rows,
    },
};

fn days(text: Text, scope: &Scope<'_>) -> Text {
    scope
        .today(scope.days(text).then(", today (day) AS (VALUES ("))
        .then("))")
}

fn rows(text: Text, scope: &Scope<'_>) -> Text {
    let part = |part| scope.day_part(part, "day.day");
    let month = part(DayPart::Month);
    text.then(&format!(
        "SELECT day.day, day.ends AS ends_at, {year} AS year, ({month} + 2) / 3 AS quarter, {month} AS month, \
         {day_of_month} AS day_of_month, {weekday} AS weekday, {iso_year} AS iso_year, {iso_week} AS iso_week, \
         day.day = today.day AS is_today, day.day < today.day AS is_past FROM day CROSS JOIN today",
        year = part(DayPart::Year),
        day_of_month = part(DayPart::DayOfMonth),
        weekday = part(DayPart::Weekday),
        iso_year = part(DayPart::IsoYear),
        iso_week = part(DayPart::IsoWeek),
    ))
}
