//! Who may do what: a table of actions × roles ([`row`]), and the two questions asked of it ([`reach`], [`allows`]).
//! Pure and total: it knows no database, no request and no clock.

mod reach;
mod table;
pub mod token;

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    id::{AccountId, DepartmentId},
    words::{DepartmentRole, OrganisationRole},
};

use self::token::Narrowing;

pub use self::{
    reach::{Reach, Ties},
    table::{Action, Cell, Relation, Role, row},
};

/// What the policy needs to know of somebody.
#[derive(Clone, Debug)]
pub enum Standing {
    /// The command line on the server: everything.
    Operator,
    /// A signed-in account.
    Account(AccountStanding),
}

/// The roles of a signed-in account, as they are at this request.
#[derive(Clone, Debug)]
pub struct AccountStanding {
    pub account: AccountId,
    pub role: OrganisationRole,
    /// The departments in which one has each role; a LEAD's include all below.
    pub departments: BTreeMap<DepartmentRole, BTreeSet<DepartmentId>>,
    /// The departments of its LEAD memberships, without those below.
    pub leads: BTreeSet<DepartmentId>,
    /// A MEMBER all of whose departments are partners: reads only what they participate in.
    pub partner: bool,
    /// What is left of it all, where it is a service token that speaks for the account.
    pub token: Option<Narrowing>,
}

impl AccountStanding {
    fn organisation_role(&self) -> Role {
        match self.role {
            OrganisationRole::Admin => Role::Admin,
            OrganisationRole::CxManager => Role::CxManager,
            OrganisationRole::Auditor => Role::Auditor,
            OrganisationRole::Analyst => Role::Analyst,
            OrganisationRole::Member => Role::Member,
        }
    }

    /// Every role one has, with the departments it holds in; an organisation role holds in none.
    fn roles(&self) -> impl Iterator<Item = (Role, Option<&BTreeSet<DepartmentId>>)> {
        let in_departments = self.departments.iter().map(|(role, departments)| {
            let role = match role {
                DepartmentRole::Lead => Role::Lead,
                DepartmentRole::Contributor => Role::Contributor,
                DepartmentRole::Viewer => Role::Viewer,
            };
            (role, Some(departments))
        });
        std::iter::once((self.organisation_role(), None)).chain(in_departments)
    }
}

/// How far somebody may go with an action.
#[must_use]
pub fn reach(standing: &Standing, action: Action) -> Reach {
    let Standing::Account(account) = standing else {
        return Reach {
            everything: true,
            ..Reach::default()
        };
    };
    let mut reach = Reach::default();
    for (role, departments) in account.roles() {
        match restricted_for_partners(account, action, row(action)[role as usize]) {
            Cell::No => {}
            Cell::Never => return Reach::default(),
            Cell::Yes => reach.everything = true,
            Cell::Granted => reach.granted_to = Some(account.account),
            Cell::Where(relations) => {
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

/// Accounts whose departments are all PARTNER read only what they participate in.
fn restricted_for_partners(account: &AccountStanding, action: Action, cell: Cell) -> Cell {
    match account.partner {
        true => as_partner(action, cell),
        false => cell,
    }
}

const fn as_partner(action: Action, cell: Cell) -> Cell {
    match (action, cell) {
        (Action::ReadPublished, Cell::Yes) => Cell::Where(&[Relation::Participates]),
        _ => cell,
    }
}

/// Every relation that a reach of the action can lead through, whoever it is.
#[must_use]
pub fn relations(action: Action) -> BTreeSet<Relation> {
    let cells = row(action).into_iter();
    let cells = cells.flat_map(|cell| [cell, as_partner(action, cell)]);
    cells
        .flat_map(|cell| match cell {
            Cell::Where(relations) => relations,
            Cell::No | Cell::Never | Cell::Yes | Cell::Granted => &[],
        })
        .copied()
        .collect()
}

/// Whether the action can be granted by name.
#[must_use]
pub fn is_granted(action: Action) -> bool {
    row(action).contains(&Cell::Granted)
}

/// Whether somebody may do the action to a thing with these ties.
#[must_use]
pub fn allows(standing: &Standing, action: Action, ties: &Ties) -> bool {
    reach(standing, action).covers(ties)
}
