//! Ranges of days, half open and bounded.

use chrono::NaiveDate;

/// Most days of a range: ten years, with room for their leap days.
pub const MOST_DAYS: usize = 3_660;

/// The half-open range of days `from..to`; an end that was left out is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayRange {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

impl DayRange {
    #[must_use]
    pub fn new(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Self {
        Self { from, to }
    }

    /// The days of both.
    #[must_use]
    pub fn intersect(self, other: Self) -> Self {
        // `None` is less than any day, so the maximum takes the end that is known; the minimum would take the open
        // one.
        let later = |one: Option<NaiveDate>, other| one.max(other);
        let earlier = |one: Option<NaiveDate>, other: Option<NaiveDate>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self::new(later(self.from, other.from), earlier(self.to, other.to))
    }

    /// Both ends, where neither is open.
    #[must_use]
    pub fn ends(self) -> Option<(NaiveDate, NaiveDate)> {
        self.from.zip(self.to)
    }
}

/// The days from `from` on and before `to`; none where there are more than [`MOST_DAYS`].
#[must_use]
pub fn list_days_between(from: NaiveDate, to: NaiveDate) -> Option<Vec<NaiveDate>> {
    let days = from.iter_days().take_while(|day| *day < to);
    let days: Vec<NaiveDate> = days.take(MOST_DAYS + 1).collect();
    (days.len() <= MOST_DAYS).then_some(days)
}
