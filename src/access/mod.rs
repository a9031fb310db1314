//! The only door to the database: who calls, what they may see, and the permit without which nothing is written.
//!
//! Ann leads Ticketing and renames a touchpoint of a blueprint that Ferry Operations owns. What happens:
//!
//! 1. `http` has verified her token. [`identify_session()`] reads her session, account and departments in one
//!    statement and makes a [`Caller`]: who calls, at which moment, with which roles, at the expense of which budget.
//! 2. The use-case asks for the row and for leave to change it in one call:
//!
//!    ```text
//!    let (row, mut permit) = caller.fetch_locked::<touchpoint::Entity>(Action::DescribeTouchpoint, "id", id).await?;
//!    let row = permit.update::<touchpoint::Entity>(&row, change).await?;
//!    permit.commit().await?;
//!    ```
//!
//! 3. `fetch_locked` begins a transaction and takes the lock that guards the row ([`LockTarget`]): here it raises the
//!    revision of the blueprint, so that two people who change one blueprint come one after the other.
//! 4. It reads the row behind the condition [`Guarded::readable_condition`]. Where Ann may not see the touchpoint, she
//!    is answered NOT_FOUND, as if it did not exist: an id tells nobody that something is there.
//! 5. It loads the row's [`RowTies`](crate::policy::RowTies) (Ferry Operations owns it, Ticketing delivers it) and asks
//!    the policy. Ann's department delivers, so she may describe it; had she tried to move it, she would be answered
//!    FORBIDDEN with the permission's name, and the refusal would be noted in the audit log after the rollback.
//! 6. `update` raises the row's version and notes an audit event. `commit` writes the events, renews the search index,
//!    marks findings to be looked at anew, and makes all of it true at once. A permit that is dropped has done nothing.
//!
//! Reading has the same law without the lock: [`Caller::select`] is a select that already carries the condition of 4,
//! so a list is filtered in the statement. Filtering afterwards would leave holes in its pages and give away its
//! length. That the decision of 5 and the condition of 4 agree is tested by properties (`tests/it/scope.rs`).

mod caller;
pub mod everybody;
mod guarded;
pub mod history;
mod identify;
mod permit;
mod principal;
pub mod scope;
mod ties;
mod weight;
mod writing;

/// The source text of the rules of access. Its digest is stored beside what was derived from the rules (the reach of BI
/// logins, sync tokens): under a program with other rules that is no longer valid. Any edit of these files, a comment
/// too, changes the digest: BI reach is stored anew and sync tokens are refused once. `ties.rs` and `who.rs` are left
/// out, as nothing stored is derived from them.
pub(crate) const RULES: &[&str] = &[
    include_str!("../policy.rs"),
    include_str!("../policy/reach.rs"),
    include_str!("../policy/table.rs"),
    include_str!("../policy/token.rs"),
    include_str!("everybody.rs"),
    include_str!("guarded.rs"),
    include_str!("identify.rs"),
    include_str!("principal.rs"),
    include_str!("scope.rs"),
];

pub use caller::Caller;
pub use guarded::{Archivable, FindingDependency, Guarded, HasKeyColumn, LockTarget};
pub(crate) use identify::load_caller_roles;
pub use identify::{identify_service_token, identify_session, refuse_if_rights_changed};
pub use permit::{
    Permit, expect_known_version, expect_revision, expect_version, require_unarchived,
    row_after_change, with_all_columns_set,
};
pub use principal::Principal;
pub(crate) use principal::{
    LOGIN_ACTIONS, select_if_login_reaches_anything, select_if_login_reaches_everything,
};
pub use ties::location_ties;
pub use weight::MOST_BYTES;
