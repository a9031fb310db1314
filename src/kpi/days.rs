//! The days on which a link judges, as half-open intervals.

use chrono::NaiveDate;

/// The days of a link, half open; empty ends reach as far as time does.
pub type LinkDays = (Option<NaiveDate>, Option<NaiveDate>);

/// Whether two links share a day.
pub fn days_overlap(one: LinkDays, other: LinkDays) -> bool {
    let begins_before = |from: Option<NaiveDate>, to: Option<NaiveDate>| match (from, to) {
        (Some(from), Some(to)) => from < to,
        _ => true,
    };
    begins_before(one.0, other.1) && begins_before(other.0, one.1)
}
