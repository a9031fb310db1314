//! The only door to the database: who calls, what they may see, and the permit without which nothing is written.
//!
//! A use-case takes `caller` first. It reads from [`Caller::select`], which is filtered in SQL by what the
//! caller may see, and writes through a [`Permit`], which has fetched the row, decided, and taken the lock that
//! guards it. What one may not see answers like what is not there; what one may see and not change answers
//! FORBIDDEN.

mod caller;
mod guarded;
mod identify;
mod permit;
mod reader;
pub mod scope;
mod ties;
mod weight;
mod writing;

/// The rules of access as they are written. What is kept of what they say is no longer so under others.
pub(crate) const RULES: &[&str] = &[
    include_str!("../policy.rs"),
    include_str!("../policy/reach.rs"),
    include_str!("../policy/table.rs"),
    include_str!("../policy/token.rs"),
    include_str!("guarded.rs"),
    include_str!("identify.rs"),
    include_str!("reader.rs"),
    include_str!("scope.rs"),
];

pub use caller::Caller;
pub use guarded::{Archives, Guarded, Keyed, Lock, Stirred};
pub(crate) use identify::standing_of;
pub use identify::{identify, identify_token};
pub use permit::{Permit, changed, expect_version, fresh, live};
pub use reader::Reader;
pub(crate) use reader::{OF_LOGINS, login_has_all, login_has_any};
pub use ties::place as ties_of_place;
pub use weight::MOST_BYTES;
