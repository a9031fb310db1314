//! Feedback: what customers answer at touchpoints and on the relationship as a whole, who looks after it, and what is
//! done about it, for the satisfied as for the dissatisfied. Employees answer unnamed and are told in cells only
//! (`kpi::cells`): at least five at one place in a block of closed months.

mod employees;
mod entry;
pub mod filter;
pub mod follow_up;
pub mod graphql;
pub mod playbook;
pub mod record;
mod references;
pub mod respondent;
pub mod routing;
pub mod rules;
pub mod sheet;
pub mod summary;

use entity::feedback;

pub use self::entry::MOST;
pub use self::filter::{
    FeedbackFilter, FollowUpFilter, open_follow_ups_condition, select_follow_ups,
};
use crate::{
    access::Caller,
    policy::{Action, Relation, RowTies},
};

/// Whether the caller may know who gave the answer and what they wrote.
#[must_use]
pub fn may_see_respondent(caller: &Caller, row: &feedback::Model) -> bool {
    let ties = RowTies::none().with_departments(Relation::LooksAfter, row.department_id);
    caller.may(Action::WorkFollowUp, &ties)
}
