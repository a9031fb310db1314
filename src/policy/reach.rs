//! The reach of a standing with an action, and the ties of a thing to departments, with which it is compared.

use std::collections::{BTreeMap, BTreeSet};

use entity::id::{AccountId, DepartmentId};

use super::table::Relation;

/// The things that a standing may do an action to. Both a decision about one thing and an SQL condition over many are
/// made from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub everything: bool,
    /// Things to which one of these departments stands in the relation; any of the entries suffices.
    pub through: BTreeMap<Relation, BTreeSet<DepartmentId>>,
    /// Things granted to this account by name.
    pub granted_to: Option<AccountId>,
}

impl Reach {
    /// Whether there is no thing that the action may be done to.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self.everything && self.through.is_empty() && self.granted_to.is_none()
    }

    /// Whether the action may be done to a thing with these ties.
    #[must_use]
    pub fn covers(&self, ties: &RowTies) -> bool {
        self.everything
            || self
                .granted_to
                .is_some_and(|account| ties.granted.contains(&account))
            || self.through.iter().any(|(relation, own)| {
                ties.departments
                    .get(relation)
                    .is_some_and(|theirs| !own.is_disjoint(theirs))
            })
    }
}

/// The departments that stand in a relation to one thing, and the accounts that it was granted to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowTies {
    pub departments: BTreeMap<Relation, BTreeSet<DepartmentId>>,
    pub granted: BTreeSet<AccountId>,
}

impl RowTies {
    /// The ties of a thing to which no department stands in a relation: only who reaches everything may act on it.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds departments that stand in the relation.
    #[must_use]
    pub fn with_departments(
        mut self,
        relation: Relation,
        departments: impl IntoIterator<Item = DepartmentId>,
    ) -> Self {
        self.departments
            .entry(relation)
            .or_default()
            .extend(departments);
        self
    }
}
