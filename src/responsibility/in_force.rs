//! When a responsibility is in force, and whether it delivers: in Rust and in SQL, side by side.
//!
//! A responsibility is in force from `valid_from` on and until `valid_to`, half open, whatever became of it later: so
//! both ACCEPTED and ENDED rows count, and an empty beginning reaches back for ever. A **day** is judged by what was
//! in force when it ended: whoever took over at noon holds the whole day.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    responsibility::{Column, Model},
    words::{ResponsibilityStatus, Role},
};
use sea_orm::{ColumnTrait, Condition, sea_query::SimpleExpr};

use crate::access::{Caller, scope::DELIVERING};

/// Statuses of responsibilities that are or were in force.
const EVER_IN_FORCE: [ResponsibilityStatus; 2] =
    [ResponsibilityStatus::Accepted, ResponsibilityStatus::Ended];

/// Whether a role delivers: RESPONSIBLE does the work, ACCOUNTABLE answers for it. In SQL:
/// `scope::delivering_role_condition`.
#[must_use]
pub fn is_delivering_role(role: Role) -> bool {
    DELIVERING.contains(&role)
}

/// Whether a responsibility is in force today and delivers.
#[must_use]
pub fn is_delivering(row: &Model) -> bool {
    is_delivering_now(row.role, row.status)
}

/// Whether a responsibility with this role and status is in force today and delivers.
#[must_use]
pub fn is_delivering_now(role: Role, status: ResponsibilityStatus) -> bool {
    status == ResponsibilityStatus::Accepted && is_delivering_role(role)
}

/// Whether a responsibility is in force, or ever was.
#[must_use]
pub fn was_ever_in_force(row: &Model) -> bool {
    EVER_IN_FORCE.contains(&row.status)
}

/// The SQL twin of [`was_ever_in_force`].
#[must_use]
pub fn ever_in_force_condition() -> SimpleExpr {
    Column::Status.is_in(EVER_IN_FORCE)
}

/// Whether a responsibility was in force in a moment: from its beginning on, and before its end.
#[must_use]
pub fn was_in_force_at(row: &Model, at: DateTime<Utc>) -> bool {
    was_ever_in_force(row)
        && row.valid_from.is_none_or(|from| from <= at)
        && row.valid_to.is_none_or(|to| at < to)
}

/// Responsibilities by which a department is accountable now.
#[must_use]
pub fn accountable_condition() -> Condition {
    Condition::all()
        .add(Column::Role.eq(Role::Accountable))
        .add(Column::Status.eq(ResponsibilityStatus::Accepted))
}

/// The days at whose end it was in force: from the day of its beginning on (included) until the day of its end
/// (excluded); none is open.
#[must_use]
pub fn date_range_in_force(
    caller: &Caller,
    valid_from: Option<DateTime<Utc>>,
    valid_to: Option<DateTime<Utc>>,
) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let day = |at| caller.local_day_of_moment(at);
    (valid_from.map(day), valid_to.map(day))
}

/// Responsibilities that were in force when a day ended. `end` is the first moment after the day: what begins then is
/// left out, what ends then is not.
#[must_use]
pub fn in_force_at_day_end_condition(caller: &Caller, day: NaiveDate) -> Condition {
    let end = caller.end_of_day(day);
    let began = Condition::any()
        .add(Column::ValidFrom.is_null())
        .add(Column::ValidFrom.lt(end));
    let lasted = Condition::any()
        .add(Column::ValidTo.is_null())
        .add(Column::ValidTo.gte(end));
    Condition::all()
        .add(ever_in_force_condition())
        .add(began)
        .add(lasted)
}

/// The same as [`in_force_at_day_end_condition`] for statements written as text: a condition on the table or alias
/// `$responsibility`, where `$end` is the moment at which the day ends. A literal, so that they stay constants.
macro_rules! in_force_at_end_sql {
    ($responsibility:literal, $end:literal) => {
        concat!(
            $crate::responsibility::in_force::ever_in_force_sql!($responsibility),
            " AND (",
            $responsibility,
            ".valid_from IS NULL OR ",
            $responsibility,
            ".valid_from < ",
            $end,
            ") AND (",
            $responsibility,
            ".valid_to IS NULL OR ",
            $responsibility,
            ".valid_to >= ",
            $end,
            ")"
        )
    };
}

/// The same as [`ever_in_force_condition`] for statements written as text: a condition on the table or alias
/// `$responsibility`.
macro_rules! ever_in_force_sql {
    ($responsibility:literal) => {
        concat!($responsibility, ".status IN ('ACCEPTED', 'ENDED')")
    };
}

/// Whether a role delivers, for statements written as text: a condition on `$role`, an expression.
macro_rules! delivering_sql {
    ($role:literal) => {
        concat!($role, " IN ('RESPONSIBLE', 'ACCOUNTABLE')")
    };
}

pub(crate) use {delivering_sql, ever_in_force_sql, in_force_at_end_sql};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_the_roles_and_statuses_that_rust_names() {
        let list = |words: Vec<&str>| format!("IN ('{}')", words.join("', '"));
        let roles = DELIVERING.map(Role::as_str);
        assert!(delivering_sql!("role").ends_with(&list(roles.to_vec())));
        let statuses = EVER_IN_FORCE.map(ResponsibilityStatus::as_str);
        assert!(in_force_at_end_sql!("r", "day.ends").contains(&list(statuses.to_vec())));
    }
}
