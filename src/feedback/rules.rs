//! Who looks after an answer, until when, and when that is over: pure rules.

use chrono::{DateTime, Days, NaiveDate, Utc};
use entity::{
    id::{DepartmentId, FeedbackId},
    responsibility,
    words::{FeedbackGroup, FollowUpState, Role},
};

use crate::responsibility::in_force::was_in_force_at;

/// How many days after the answer its follow-up is due where no playbook says otherwise.
#[must_use]
pub const fn default_due_days(group: FeedbackGroup) -> i32 {
    match group {
        FeedbackGroup::Satisfied => 14,
        FeedbackGroup::Indifferent => 7,
        FeedbackGroup::Dissatisfied => 2,
    }
}

/// The day on which the follow-up of an answer of this day is due.
#[must_use]
pub fn due_on(answered_on: NaiveDate, days: i32) -> NaiveDate {
    let days = Days::new(u64::try_from(days).unwrap_or_default());
    answered_on.checked_add_days(days).unwrap_or(answered_on)
}

/// Whether an answer is in the share of a hundred that is followed up: by its id, whose last digits are random.
#[must_use]
pub fn is_within_share(answer: FeedbackId, percent: i32) -> bool {
    let drawn = answer.0.as_u128() % 100;
    u128::try_from(percent).is_ok_and(|percent| drawn < percent)
}

/// Whether nothing more is to be done.
#[must_use]
pub const fn is_closed(state: FollowUpState) -> bool {
    match state {
        FollowUpState::Open | FollowUpState::Contacted => false,
        FollowUpState::Resolved | FollowUpState::NoContactWanted => true,
    }
}

/// The department that was accountable at a touchpoint in a moment, by what was ever held there.
#[must_use]
pub fn accountable_at<'r>(
    held: impl IntoIterator<Item = &'r responsibility::Model>,
    at: DateTime<Utc>,
) -> Option<DepartmentId> {
    let accountable =
        |row: &&responsibility::Model| row.role == Role::Accountable && was_in_force_at(row, at);
    let held = held.into_iter().find(accountable);
    held.map(|row| row.department_id)
}
