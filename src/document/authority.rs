//! On whose word an import acts: `apply` and `responsibilities` decide by it.

use entity::id::BlueprintId;

/// On whose word an import links KPIs, keeps improvements and puts responsibilities in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportConsent {
    /// The caller's own, as far as the policy lets them.
    Own,
    /// What was agreed at the blueprint that the new one, with this id, is copied from.
    Agreed(BlueprintId),
}
