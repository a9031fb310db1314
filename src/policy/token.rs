//! What a service token leaves of what its account may do: scopes open actions, departments bound them. It narrows the
//! policy's answer and adds nothing to it.

use std::collections::{BTreeMap, BTreeSet};

use entity::{id::DepartmentId, words::TokenScope};

use super::{
    reach::Reach,
    table::{AccountRole, Action, PolicyCell, Relation, policy_row},
};

/// The scopes and departments to which a service token narrows its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenNarrowing {
    /// What it is for.
    pub scopes: BTreeSet<TokenScope>,
    /// The departments that it is limited to, those below included; none where it is limited to none.
    pub departments: Option<BTreeSet<DepartmentId>>,
}

/// Which scopes open an action, in the order of the words.
#[must_use]
#[rustfmt::skip]
pub const fn scopes_allowing_action(action: Action) -> [bool; 4] {
    use Action as A;
    const Y: bool = true;
    const N: bool = false;
    match action {
        //                                     READ BI MEASUREMENTS FEEDBACK
        A::ReadPublished | A::ReadRestricted => [Y, Y, Y, Y],
        A::ReadConfidential | A::PullFlatRows => [Y, Y, N, N],
        A::ReadDraft | A::WhatIf | A::ReadHistory | A::ReadAudit => [Y, N, N, N],
        A::RecordMeasurement                 => [N, N, Y, N],
        A::RecordFeedback                    => [N, N, N, Y],
        A::DescribeTouchpoint | A::DescribeBlueprint | A::ShapeBlueprint | A::CreateBlueprint | A::GovernBlueprint | A::KeepCatalogue
        | A::ImportDocument | A::ImportAccepted | A::ProposeResponsibility | A::AcceptResponsibility
        | A::DeclineResponsibility | A::WithdrawResponsibility | A::EndResponsibility | A::DescribeResponsibility
        | A::DefineKpi | A::GovernKpi | A::KeepImprovements | A::DismissFinding | A::DismissError | A::KeepMembers
        | A::KeepOrganisation | A::KeepOwnSignIn | A::WorkFollowUp | A::AssignFollowUp | A::HandOverFollowUp
        | A::EraseRespondent
                                             => [N, N, N, N],
    }
}

impl TokenNarrowing {
    /// Narrows a reach: to nothing where no scope opens the action, else to the token's departments, where it has any.
    pub(super) fn narrow(&self, action: Action, reach: Reach) -> Reach {
        let opened = scopes_allowing_action(action);
        if !self.scopes.iter().any(|scope| opened[*scope as usize]) {
            return Reach::default();
        }
        match &self.departments {
            Some(only) => limit_reach(action, reach, only),
            None => reach,
        }
    }
}

/// The part of a reach that leads through these departments. What was granted by name leads through none.
fn limit_reach(action: Action, reach: Reach, only: &BTreeSet<DepartmentId>) -> Reach {
    let through: BTreeMap<_, _> = if reach.everything {
        let ties = relations_limiting_full_reach(action).iter();
        ties.map(|relation| (*relation, only.clone())).collect()
    } else {
        let through = reach.through.into_iter();
        through
            .map(|(relation, own)| (relation, &own & only))
            .collect()
    };
    Reach {
        through: through
            .into_iter()
            .filter(|(_, own)| !own.is_empty())
            .collect(),
        ..Reach::default()
    }
}

/// The relations by which a reach of everything is limited to a token's departments: those through which a LEAD would
/// reach the action, or for what everybody may read those through which a partner would.
const fn relations_limiting_full_reach(action: Action) -> &'static [Relation] {
    match policy_row(action)[AccountRole::Lead as usize] {
        PolicyCell::Where(relations) => relations,
        PolicyCell::Yes => &[Relation::Participates],
        PolicyCell::No | PolicyCell::Never | PolicyCell::Granted => &[],
    }
}
