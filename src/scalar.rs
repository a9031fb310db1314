//! Scalars that the API, its links and the command line spell alike.

use std::ops::RangeInclusive;

use async_graphql::{Enum, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Datelike, NaiveDate, SubsecRound, Timelike, Utc};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A day of the deployment's calendar, as `2026-11-22`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub NaiveDate);

/// The years in which days lie: one before or after is a slip of the keyboard, and years of four digits are those that
/// every client reads.
const YEARS: RangeInclusive<i32> = 1900..=2999;

/// What a day outside those years is told.
pub const DAY_OUT_OF_RANGE: &str = "A day lies between the years 1900 and 2999.";

/// Whether a day lies in the years 1900 to 2999.
#[must_use]
pub fn is_day_in_range(day: NaiveDate) -> bool {
    YEARS.contains(&day.year())
}

impl Date {
    /// Parses a day as the API spells it, `2026-01-02`; none where it is spelled otherwise.
    #[must_use]
    pub fn from_iso(text: &str) -> Option<Self> {
        // chrono reads `2026-1-2` and `+026-01-02` too; one spelling is enough.
        let is_iso = text.len() == 10 && text.starts_with(|first: char| first.is_ascii_digit());
        let day = is_iso.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
        day.flatten().map(Self)
    }
}

/// A day of the deployment's calendar, as `2026-11-22`.
#[Scalar(
    name = "Date",
    specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html"
)]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        Self::from_iso(text)
            .ok_or_else(|| InputValueError::custom("This is not a day such as 2026-11-22."))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<NaiveDate> for Date {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

impl From<Date> for NaiveDate {
    fn from(day: Date) -> Self {
        day.0
    }
}

/// Parses a moment as RFC 3339 spells it, `2026-11-22T09:30:00Z`, to the microsecond: what both databases keep. None where
/// it is spelled otherwise, and for a second 60, which they and most clients cannot write.
#[must_use]
pub fn parse_moment(text: &str) -> Option<DateTime<Utc>> {
    // chrono also reads years of fewer than four digits.
    Date::from_iso(text.get(..10)?)?;
    let moment = DateTime::parse_from_rfc3339(text).ok()?;
    // chrono keeps a second 60 as more than a second's worth of nanoseconds.
    let is_leap = moment.nanosecond() >= 1_000_000_000;
    let moment = moment.to_utc().trunc_subsecs(6);
    // The year in UTC may be another than the one spelled.
    (!is_leap && (0..=9_999).contains(&moment.year())).then_some(moment)
}

/// The colours of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum, Enum)]
#[serde(rename_all = "lowercase")]
pub enum PictureTheme {
    /// Light or dark, as the viewer's device is set.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}
