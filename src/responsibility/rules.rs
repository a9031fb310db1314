//! The handshake, as pure rules: nobody takes responsibility alone.

use std::collections::BTreeSet;

use entity::{
    id::{AccountId, DepartmentId},
    words::Role,
};

/// What the rules need to know of a proposal and of the touchpoint as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Proposal {
    /// The department that would take the role.
    pub addressed: DepartmentId,
    pub role: Role,
    /// The department that proposed; none where a CX manager did.
    pub proposed_by: Option<DepartmentId>,
    /// The department that is accountable now.
    pub accountable: Option<DepartmentId>,
    /// The department that owns the blueprint.
    pub owner: DepartmentId,
}

impl Proposal {
    fn is_own(&self) -> bool {
        self.proposed_by == Some(self.addressed)
    }

    /// Taking ACCOUNTABLE from a holder needs that the holder offered it, or a CX manager.
    fn takes_over_uninvited(&self) -> bool {
        self.role == Role::Accountable
            && self.accountable.is_some()
            && self.proposed_by.is_some()
            && self.proposed_by != self.accountable
    }

    /// The departments whose leads may accept; CX managers may besides. A department's own proposal is answered by
    /// the present accountable, or where there is none by the owner of the blueprint; another's by the addressed one.
    #[must_use]
    pub fn may_accept(&self) -> BTreeSet<DepartmentId> {
        let answering = if self.is_own() {
            Some(self.accountable.unwrap_or(self.owner)).filter(|other| *other != self.addressed)
        } else if self.takes_over_uninvited() {
            None
        } else {
            Some(self.addressed)
        };
        answering.into_iter().collect()
    }

    /// The departments whose leads may decline: those that may accept, and the addressed one of another's proposal.
    #[must_use]
    pub fn may_decline(&self) -> BTreeSet<DepartmentId> {
        let addressed = (!self.is_own()).then_some(self.addressed);
        self.may_accept().into_iter().chain(addressed).collect()
    }
}

/// The departments whose leads may end a responsibility; CX managers may besides. On a published blueprint
/// somebody stays accountable: there it ends by takeover only.
#[must_use]
pub fn may_end(holder: DepartmentId, role: Role, published: bool) -> BTreeSet<DepartmentId> {
    (role != Role::Accountable || !published)
        .then_some(holder)
        .into_iter()
        .collect()
}

/// Whether a role delivers: RESPONSIBLE does it, ACCOUNTABLE answers for it.
#[must_use]
pub fn delivers(role: Role) -> bool {
    matches!(role, Role::Responsible | Role::Accountable)
}

/// Who would accept.
#[derive(Clone, Debug)]
pub struct Acceptor {
    pub account: Option<AccountId>,
    pub cx_manager: bool,
    /// The departments led, those below included.
    pub leads: BTreeSet<DepartmentId>,
}

/// Whether accepting would be done by one party alone: by the account that proposed, or, where a department
/// proposed itself, by one of its own leads. A CX manager who leads no part of it is the second party.
#[must_use]
pub fn alone(proposal: &Proposal, proposed_by: Option<AccountId>, acceptor: &Acceptor) -> bool {
    let leads_it = acceptor.leads.contains(&proposal.addressed);
    let same_account = acceptor.account.is_some() && acceptor.account == proposed_by;
    if acceptor.cx_manager {
        leads_it && (same_account || proposal.is_own())
    } else {
        same_account
    }
}

#[cfg(test)]
mod tests {
    use entity::id::Id;
    use uuid::Uuid;

    use super::*;

    fn department(n: u128) -> DepartmentId {
        Uuid::from_u128(n).into()
    }

    fn proposal() -> Proposal {
        Proposal {
            addressed: department(1),
            role: Role::Accountable,
            proposed_by: Some(department(2)),
            accountable: None,
            owner: department(9),
        }
    }

    #[test]
    fn a_proposal_by_another_department_is_answered_by_the_addressed_one() {
        assert_eq!(proposal().may_accept(), [department(1)].into());
    }

    #[test]
    fn an_own_proposal_is_answered_by_the_accountable_or_else_by_the_owner() {
        let own = Proposal {
            proposed_by: Some(department(1)),
            ..proposal()
        };
        assert_eq!(own.may_accept(), [department(9)].into());
        let held = Proposal {
            accountable: Some(department(3)),
            ..own
        };
        assert_eq!(held.may_accept(), [department(3)].into());
    }

    #[test]
    fn an_own_proposal_in_an_own_blueprint_needs_a_cx_manager() {
        let own = Proposal {
            proposed_by: Some(department(1)),
            owner: department(1),
            ..proposal()
        };
        assert!(own.may_accept().is_empty());
        assert!(own.may_decline().is_empty());
    }

    #[test]
    fn taking_over_needs_the_holder_or_a_cx_manager_to_have_proposed() {
        let held = Proposal {
            accountable: Some(department(3)),
            ..proposal()
        };
        assert!(held.may_accept().is_empty());
        assert_eq!(held.may_decline(), [department(1)].into());
        let handed_over = Proposal {
            proposed_by: Some(department(3)),
            ..held
        };
        assert_eq!(handed_over.may_accept(), [department(1)].into());
        let by_cx_manager = Proposal {
            proposed_by: None,
            ..held
        };
        assert_eq!(by_cx_manager.may_accept(), [department(1)].into());
        let consulted = Proposal {
            role: Role::Consulted,
            ..held
        };
        assert_eq!(consulted.may_accept(), [department(1)].into());
    }

    #[test]
    fn nobody_accepts_what_they_proposed_themselves() {
        let account: AccountId = Uuid::from_u128(7).into();
        let acceptor = |cx_manager, leads: &[u128]| Acceptor {
            account: Some(account),
            cx_manager,
            leads: leads.iter().map(|n| department(*n)).collect(),
        };
        assert!(alone(&proposal(), Some(account), &acceptor(false, &[1, 2])));
        assert!(!alone(&proposal(), None, &acceptor(false, &[1])));
        assert!(!alone(&proposal(), Some(account), &acceptor(true, &[])));
        assert!(alone(&proposal(), Some(account), &acceptor(true, &[1])));
        let own = Proposal {
            proposed_by: Some(department(1)),
            ..proposal()
        };
        assert!(alone(&own, None, &acceptor(true, &[1])));
        assert_eq!(department(1).uuid(), Uuid::from_u128(1));
    }
}
