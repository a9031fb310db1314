//! Ranges of days, half open and bounded.

use chrono::NaiveDate;

/// Most days of a range: ten years, with room for their leap days.
pub const MOST_DAYS: usize = 3_660;

/// The days from `from` on and before `to`; none where there are more than [`MOST_DAYS`].
#[must_use]
pub fn list_days_between(from: NaiveDate, to: NaiveDate) -> Option<Vec<NaiveDate>> {
    let days = from.iter_days().take_while(|day| *day < to);
    let days: Vec<NaiveDate> = days.take(MOST_DAYS + 1).collect();
    (days.len() <= MOST_DAYS).then_some(days)
}
