//! The policy: a table of actions × roles ([`policy_row`]), and two functions over it. Pure and total: it knows no
//! database, no request and no clock.
//!
//! A cell of the table says yes, no, or "where the department of the role stands in this relation to the thing". From
//! it [`reach()`] makes an answer without a thing: everything, or the things to which these departments stand in these
//! relations. [`allows`] compares a reach with the [`RowTies`] of one thing; `access::scope` turns the same reach into
//! SQL. So a decision about one row and a condition over many cannot disagree:
//!
//! ```text
//! DESCRIBE_TOUCHPOINT of a CONTRIBUTOR in Ticketing:  Where([Delivers])
//! reach:   through { Delivers: {Ticketing} }
//! ties:    { OwnsBlueprint: {Ferries}, Delivers: {Ticketing, Harbour} }      allows: they meet in Ticketing
//! ```
//!
//! A partner's table is narrower, and a service token narrows the reach of its account; nothing ever widens one.

mod reach;
mod table;
pub mod token;
mod who;

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    id::{AccountId, DepartmentId},
    words::{DepartmentRole, OrganisationRole},
};

use self::token::TokenNarrowing;

pub use self::{
    reach::{Reach, RowTies},
    table::{AccountRole, Action, PolicyCell, Relation, policy_row},
    who::{describe_token_needs, who_may_sentence},
};

/// The standing of a caller: all that the policy needs to know of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerRoles {
    /// The command line on the server: everything.
    Operator,
    /// A signed-in account.
    Account(AccountRoles),
}

/// The roles of a signed-in account, as they are at this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRoles {
    pub account: AccountId,
    pub role: OrganisationRole,
    /// The departments of each role; a LEAD's include all below.
    pub departments: BTreeMap<DepartmentRole, BTreeSet<DepartmentId>>,
    /// The departments of its LEAD memberships, without those below.
    pub leads: BTreeSet<DepartmentId>,
    /// Whether it is a MEMBER all of whose departments are PARTNER: it reads only what they participate in.
    pub partner: bool,
    /// The scopes and departments to which a service token narrows the account.
    pub token: Option<TokenNarrowing>,
}

impl AccountRoles {
    fn organisation_role(&self) -> AccountRole {
        match self.role {
            OrganisationRole::Admin => AccountRole::Admin,
            OrganisationRole::CxManager => AccountRole::CxManager,
            OrganisationRole::Auditor => AccountRole::Auditor,
            OrganisationRole::Analyst => AccountRole::Analyst,
            OrganisationRole::Member => AccountRole::Member,
        }
    }

    /// Every role with the departments that it is held in; none for the role in the organisation.
    fn roles(&self) -> impl Iterator<Item = (AccountRole, Option<&BTreeSet<DepartmentId>>)> {
        let in_departments = self.departments.iter().map(|(role, departments)| {
            let role = match role {
                DepartmentRole::Lead => AccountRole::Lead,
                DepartmentRole::Contributor => AccountRole::Contributor,
                DepartmentRole::Viewer => AccountRole::Viewer,
            };
            (role, Some(departments))
        });
        std::iter::once((self.organisation_role(), None)).chain(in_departments)
    }
}

/// The reach of a standing with an action: the union over its roles, unless one of them says never.
#[must_use]
pub fn reach(standing: &CallerRoles, action: Action) -> Reach {
    let CallerRoles::Account(account) = standing else {
        return Reach {
            everything: true,
            ..Reach::default()
        };
    };
    let mut reach = Reach::default();
    for (role, departments) in account.roles() {
        match apply_partner_limits(account, action, policy_row(action)[role as usize]) {
            PolicyCell::No => {}
            PolicyCell::Never => return Reach::default(),
            PolicyCell::Yes => reach.everything = true,
            PolicyCell::Granted => reach.granted_to = Some(account.account),
            PolicyCell::Where(relations) => {
                if let Some(own) = departments.filter(|own| !own.is_empty()) {
                    for relation in relations {
                        reach.through.entry(*relation).or_default().extend(own);
                    }
                }
            }
        }
    }
    match &account.token {
        Some(token) => token.narrow(action, reach),
        None => reach,
    }
}

/// A cell of the table as it applies to the account: partners read only what they participate in.
fn apply_partner_limits(account: &AccountRoles, action: Action, cell: PolicyCell) -> PolicyCell {
    match account.partner {
        true => restrict_for_partner(action, cell),
        false => cell,
    }
}

const fn restrict_for_partner(action: Action, cell: PolicyCell) -> PolicyCell {
    match (action, cell) {
        (Action::ReadPublished, PolicyCell::Yes) => PolicyCell::Where(&[Relation::Participates]),
        _ => cell,
    }
}

/// Every relation that can occur in a reach with the action, of any standing: the columns that a BI login's stored
/// reach needs.
#[must_use]
pub fn possible_relations(action: Action) -> BTreeSet<Relation> {
    let cells = policy_row(action).into_iter();
    let cells = cells.flat_map(|cell| [cell, restrict_for_partner(action, cell)]);
    cells
        .flat_map(|cell| match cell {
            PolicyCell::Where(relations) => relations,
            PolicyCell::No | PolicyCell::Never | PolicyCell::Yes | PolicyCell::Granted => &[],
        })
        .copied()
        .collect()
}

/// Whether some role reaches with the action what was granted to the account by name.
#[must_use]
pub fn reaches_grants_by_name(action: Action) -> bool {
    policy_row(action).contains(&PolicyCell::Granted)
}

/// Whether a standing may do the action to a thing with these ties.
#[must_use]
pub fn allows(standing: &CallerRoles, action: Action, ties: &RowTies) -> bool {
    reach(standing, action).covers(ties)
}
