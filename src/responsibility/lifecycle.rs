//! The handshake's transitions, written once: each takes a responsibility as it is, who acts and when, and gives it as
//! it becomes, or why not. Mutations, documents and reorganisations use them. It knows no database; who may act is
//! `parties` and the policy.
//!
//! ```text
//! PROPOSED ─ hand over ─► PROPOSED ─ accept ─► ACCEPTED ─ end, suspend ─► ENDED ┄ resume ┄► a new one
//!     └─ decline, withdraw, taken, suspend ─► DECLINED
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{AccountId, BlueprintId, DepartmentId, ResponsibilityId, TouchpointId},
    json::Texts,
    responsibility::Model,
    words::{ResponsibilityStatus, Role},
};

use super::parties::Proposer;
use crate::{
    access::Caller,
    error::{Error, Reason},
};

/// Why a proposal was declined: another department became accountable.
pub const TAKEN: &str = "TAKEN";
/// Why a proposal is no longer open: its proposer took it back.
pub const WITHDRAWN: &str = "WITHDRAWN";
/// Why a responsibility is no longer in force: its touchpoint was archived, and it resumes where that comes back.
pub const SUSPENDED: &str = "SUSPENDED";
/// Why a proposal is no longer open: the touchpoint that it was made at is archived.
pub const TOUCHPOINT_ARCHIVED: &str = "ARCHIVED";

/// For how long a suspended responsibility resumes as it was; later it comes back as a proposal.
const RESUMES_WITHIN: TimeDelta = TimeDelta::days(30);

/// Who acts, and when.
#[derive(Clone, Copy, Debug)]
pub struct ActContext {
    pub account: Option<AccountId>,
    pub now: DateTime<Utc>,
}

impl From<&Caller> for ActContext {
    fn from(caller: &Caller) -> Self {
        Self {
            account: caller.account(),
            now: caller.now,
        }
    }
}

/// Why something cannot be done to a responsibility as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleError {
    /// The proposal has been answered.
    NotOpen(ResponsibilityId, ResponsibilityStatus),
    /// It is not in force.
    NotInForce(ResponsibilityId, ResponsibilityStatus),
    /// The department has been asked.
    Asked(ResponsibilityId),
}

impl From<LifecycleError> for Error {
    fn from(refusal: LifecycleError) -> Self {
        let (id, reason, message) = match refusal {
            LifecycleError::NotOpen(id, status) => (
                id,
                Reason::NotOpen,
                format!("It has been answered: it is {}.", status.as_str()),
            ),
            LifecycleError::NotInForce(id, status) => (
                id,
                Reason::NotInForce,
                format!("It is not in force: it is {}.", status.as_str()),
            ),
            LifecycleError::Asked(id) => (
                id,
                Reason::NotOpen,
                "The department was asked, or has confirmed it already.".to_owned(),
            ),
        };
        Self::conflict("id", reason, message).with_current(id.0)
    }
}

/// A role that is offered.
#[derive(Clone, Debug)]
pub struct Offer {
    pub id: ResponsibilityId,
    pub blueprint: BlueprintId,
    pub touchpoint: TouchpointId,
    pub department: DepartmentId,
    pub role: Role,
    pub tasks: Vec<String>,
    pub person: Option<AccountId>,
    pub note: Option<String>,
}

/// Proposes; `replaces` is whoever is accountable, where ACCOUNTABLE is proposed.
#[must_use]
pub fn propose(
    offer: Offer,
    proposer: Proposer,
    replaces: Option<ResponsibilityId>,
    by: ActContext,
) -> Model {
    Model {
        id: offer.id,
        blueprint_id: offer.blueprint,
        touchpoint_id: offer.touchpoint,
        department_id: offer.department,
        role: offer.role,
        status: ResponsibilityStatus::Proposed,
        tasks: Texts(offer.tasks),
        person_id: offer.person,
        note: offer.note,
        proposed_by_department_id: proposer.on_behalf_of,
        proposed_by_account_id: proposer.account,
        proposed_from_department_id: proposer.seat,
        proposed_at: by.now,
        // Of the other roles several departments may hold one: they replace nobody.
        replaces_id: replaces.filter(|_| offer.role == Role::Accountable),
        reason: None,
        decided_at: None,
        decided_by_account_id: None,
        valid_from: None,
        valid_to: None,
        handed_over_at: None,
        handed_over_by_account_id: None,
        unasked: false,
        resumes_id: None,
        created_at: by.now,
        version: 1,
    }
}

fn require_open(row: &Model) -> Result<(), LifecycleError> {
    match row.status {
        ResponsibilityStatus::Proposed => Ok(()),
        status => Err(LifecycleError::NotOpen(row.id, status)),
    }
}

fn require_in_force(row: &Model) -> Result<(), LifecycleError> {
    match row.status {
        ResponsibilityStatus::Accepted => Ok(()),
        status => Err(LifecycleError::NotInForce(row.id, status)),
    }
}

fn with_decision(row: &Model, status: ResponsibilityStatus, by: ActContext) -> Model {
    Model {
        status,
        decided_at: Some(by.now),
        decided_by_account_id: by.account,
        ..row.clone()
    }
}

/// Both consents are there: it is in force from now on.
///
/// # Errors
/// It is not open.
pub fn accept(row: &Model, by: ActContext) -> Result<Model, LifecycleError> {
    require_open(row)?;
    Ok(Model {
        valid_from: Some(by.now),
        ..with_decision(row, ResponsibilityStatus::Accepted, by)
    })
}

/// It is in force from now on although the department has not been asked, until its leads confirm or end it.
///
/// # Errors
/// It is not open.
pub fn accept_unasked(row: &Model, by: ActContext) -> Result<Model, LifecycleError> {
    let accepted = accept(row, by)?;
    Ok(Model {
        unasked: true,
        ..accepted
    })
}

/// Whoever is accountable agrees to hand over; the next to answer is asked.
///
/// # Errors
/// It is not open.
pub fn agree_to_hand_over(row: &Model, by: ActContext) -> Result<Model, LifecycleError> {
    require_open(row)?;
    Ok(Model {
        handed_over_at: Some(by.now),
        handed_over_by_account_id: by.account,
        ..row.clone()
    })
}

/// A no.
///
/// # Errors
/// It is not open.
pub fn decline(
    row: &Model,
    reason: Option<String>,
    by: ActContext,
) -> Result<Model, LifecycleError> {
    require_open(row)?;
    Ok(Model {
        reason,
        ..with_decision(row, ResponsibilityStatus::Declined, by)
    })
}

/// The proposer takes it back.
///
/// # Errors
/// It is not open.
pub fn withdraw(row: &Model, by: ActContext) -> Result<Model, LifecycleError> {
    decline(row, Some(WITHDRAWN.to_owned()), by)
}

/// The department's own leads say yes to what it was given without being asked.
///
/// # Errors
/// It is not in force, or the department was asked.
pub fn confirm(row: &Model, by: ActContext) -> Result<Model, LifecycleError> {
    require_in_force(row)?;
    if !row.unasked {
        return Err(LifecycleError::Asked(row.id));
    }
    Ok(Model {
        unasked: false,
        ..with_decision(row, ResponsibilityStatus::Accepted, by)
    })
}

/// It ends.
///
/// # Errors
/// It is not in force.
pub fn end(row: &Model, reason: Option<String>, by: ActContext) -> Result<Model, LifecycleError> {
    require_in_force(row)?;
    Ok(Model {
        status: ResponsibilityStatus::Ended,
        // Not before it began, however the clocks of servers differ: one that ends as it begins was never in force.
        valid_to: row.valid_from.max(Some(by.now)),
        reason,
        ..row.clone()
    })
}

/// Another becomes accountable: who was ends, and who is proposed to be is declined.
///
/// # Errors
/// It is history.
pub fn end_or_decline(row: &Model, by: ActContext) -> Result<Model, LifecycleError> {
    match row.status {
        ResponsibilityStatus::Proposed => decline(row, Some(TAKEN.to_owned()), by),
        _ => end(row, None, by),
    }
}

/// A document no longer names it: what is in force ends, and what is proposed is taken back.
///
/// # Errors
/// It is history.
pub fn end_or_withdraw(row: &Model, by: ActContext) -> Result<Model, LifecycleError> {
    match row.status {
        ResponsibilityStatus::Proposed => withdraw(row, by),
        _ => end(row, None, by),
    }
}

/// Its touchpoint has come back, and the department is `department` by now: itself, or its successor. Soon enough the
/// department holds it again from now on; later, or by a successor, it is proposed.
#[must_use]
pub fn resume_or_propose(
    suspended: &Model,
    (id, department, proposer): (ResponsibilityId, DepartmentId, Proposer),
    by: ActContext,
) -> Model {
    let offer = Offer {
        id,
        blueprint: suspended.blueprint_id,
        touchpoint: suspended.touchpoint_id,
        department,
        role: suspended.role,
        tasks: suspended.tasks.0.clone(),
        person: suspended
            .person_id
            // The person is one of the department's own people, not of its successor's.
            .filter(|_| department == suspended.department_id),
        note: None,
    };
    let proposed = Model {
        resumes_id: Some(suspended.id),
        ..propose(offer, proposer, None, by)
    };
    let soon = suspended
        .valid_to
        .is_some_and(|ended| by.now - ended <= RESUMES_WITHIN);
    if !soon || department != suspended.department_id {
        return proposed;
    }
    Model {
        status: ResponsibilityStatus::Accepted,
        valid_from: Some(by.now),
        decided_at: Some(by.now),
        decided_by_account_id: by.account,
        // It holds again by the consents that were given then, and is told as theirs.
        proposed_by_department_id: suspended.proposed_by_department_id,
        proposed_by_account_id: suspended.proposed_by_account_id,
        proposed_from_department_id: suspended.proposed_from_department_id,
        unasked: suspended.unasked,
        ..proposed
    }
}

/// The successor of a department that goes holds it from now on, with these tasks.
#[must_use]
pub fn pass_to_successor(
    held: &Model,
    (id, successor): (ResponsibilityId, DepartmentId),
    tasks: Vec<String>,
    by: ActContext,
) -> Model {
    Model {
        id,
        department_id: successor,
        status: ResponsibilityStatus::Accepted,
        tasks: Texts(tasks),
        // The successor has not proposed anything: it follows by an act on the departments.
        proposed_by_department_id: None,
        proposed_by_account_id: by.account,
        proposed_from_department_id: None,
        proposed_at: by.now,
        replaces_id: (held.role == Role::Accountable).then_some(held.id),
        reason: None,
        decided_at: Some(by.now),
        decided_by_account_id: by.account,
        valid_from: Some(by.now),
        valid_to: None,
        handed_over_at: None,
        handed_over_by_account_id: None,
        resumes_id: None,
        created_at: by.now,
        version: 1,
        ..held.clone()
    }
}

/// A proposal after departments have gone: what was said by one of them is said by the successor, and what was
/// addressed to one of them is addressed to it.
#[must_use]
pub fn readdress_to_successor(
    row: &Model,
    gone: impl Fn(DepartmentId) -> bool,
    successor: DepartmentId,
) -> Model {
    let now = |department: DepartmentId| match gone(department) {
        true => successor,
        false => department,
    };
    Model {
        department_id: now(row.department_id),
        proposed_by_department_id: row.proposed_by_department_id.map(now),
        proposed_from_department_id: row.proposed_from_department_id.map(now),
        ..row.clone()
    }
}

/// Whether a lead of the department ends it: on a published blueprint somebody stays accountable, and it ends by
/// takeover or by a CX manager.
#[must_use]
pub fn lead_may_end(role: Role, published: bool) -> bool {
    role != Role::Accountable || !published
}

#[cfg(test)]
mod tests;
