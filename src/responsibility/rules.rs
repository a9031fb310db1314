//! What a role means: whether it delivers.

use entity::words::Role;

/// Whether a role delivers: RESPONSIBLE does it, ACCOUNTABLE answers for it.
#[must_use]
pub fn delivers(role: Role) -> bool {
    matches!(role, Role::Responsible | Role::Accountable)
}
