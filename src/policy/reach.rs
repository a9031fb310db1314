//! The policy's answer, and what it is held against: how far somebody may go, and what ties a thing to departments.

use std::collections::{BTreeMap, BTreeSet};

use entity::id::{AccountId, DepartmentId};

use super::table::Relation;

/// How far somebody may go with an action: the answer from which both a decision on one thing and a
/// condition over many are made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub everything: bool,
    /// Things to which one of these departments stands in the relation.
    pub through: BTreeMap<Relation, BTreeSet<DepartmentId>>,
    /// Things granted to this account by name.
    pub granted_to: Option<AccountId>,
}

impl Reach {
    /// Whether there is nothing at all that the action could be done to.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self.everything && self.through.is_empty() && self.granted_to.is_none()
    }

    /// Whether the action may be done to a thing with these ties.
    #[must_use]
    pub fn covers(&self, ties: &Ties) -> bool {
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

/// What ties a thing to departments and accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ties {
    pub departments: BTreeMap<Relation, BTreeSet<DepartmentId>>,
    pub granted: BTreeSet<AccountId>,
}

impl Ties {
    /// Nothing is tied to it.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These departments stand in the relation to it as well.
    #[must_use]
    pub fn and(
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
