//! The plan for responsibilities and proposals when departments go and a successor takes over. Pure.

use std::collections::HashMap;

use entity::{
    id::{DepartmentId, ResponsibilityId, TouchpointId},
    responsibility,
    words::{ResponsibilityStatus, Role},
};

use super::holdings::Holdings;
use crate::{
    input::LIST,
    responsibility::lifecycle::{TAKEN, TOUCHPOINT_ARCHIVED},
};

/// Why a proposal is no longer open: the department that it was made to is archived.
pub(super) const DEPARTMENT_ARCHIVED: &str = "DEPARTMENT_ARCHIVED";

/// What is to be done with one responsibility or proposal.
#[derive(Clone, Debug, PartialEq)]
pub enum ResponsibilityPlanStep {
    /// It ends.
    End(responsibility::Model, AfterResponsibilityEnd),
    /// The proposal is closed, for this reason.
    Decline(responsibility::Model, &'static str),
    /// It is accepted anew for the successor, with these tasks.
    Accept(responsibility::Model, Vec<String>),
    /// The successor's own gets these tasks.
    Merge(responsibility::Model, Vec<String>),
    /// The proposal is made to the successor instead.
    ChangeAddressee(responsibility::Model),
    /// The proposal counts as made by the successor.
    ChangeProposer(responsibility::Model),
    /// The proposal, which was to replace this responsibility, is to replace the successor's instead.
    ChangeReplaced(responsibility::Model, ResponsibilityId),
}

/// What comes after the end of a responsibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterResponsibilityEnd {
    /// Nobody takes it over.
    Nothing,
    /// Its touchpoint is archived: it resumes where that comes back.
    Suspended,
    /// The successor takes it over.
    Successor,
    /// It becomes part of what the successor has already, or takes over from another.
    Merged,
}

/// Ends what is in force and closes what is offered.
fn plan_end_without_successor(
    held: &[responsibility::Model],
    reason: &'static str,
    after: AfterResponsibilityEnd,
) -> Vec<ResponsibilityPlanStep> {
    let step = |held: &responsibility::Model| match held.status {
        ResponsibilityStatus::Proposed => ResponsibilityPlanStep::Decline(held.clone(), reason),
        _ => ResponsibilityPlanStep::End(held.clone(), after),
    };
    held.iter().map(step).collect()
}

/// Suspends what is in force at a touchpoint that is archived, and closes what is offered there.
#[must_use]
pub(super) fn plan_suspension(held: &[responsibility::Model]) -> Vec<ResponsibilityPlanStep> {
    plan_end_without_successor(held, TOUCHPOINT_ARCHIVED, AfterResponsibilityEnd::Suspended)
}

impl Holdings {
    /// What becomes of the responsibilities and proposals, in the order in which it has to be done: what ends first,
    /// so that nothing is ever held twice.
    #[must_use]
    pub fn plan_steps(&self, successor: Option<DepartmentId>) -> Vec<ResponsibilityPlanStep> {
        match successor {
            Some(successor) => self.plan_hand_over(successor),
            None => plan_end_without_successor(
                &self.held,
                DEPARTMENT_ARCHIVED,
                AfterResponsibilityEnd::Nothing,
            ),
        }
    }

    fn plan_hand_over(&self, successor: DepartmentId) -> Vec<ResponsibilityPlanStep> {
        // By touchpoint and role, of which the successor has one at the most: a unique index sees to it.
        let met: HashMap<_, _> = self
            .met
            .iter()
            .map(|met| (place_and_role(met), met))
            .collect();
        let mut steps = Vec::new();
        for group in self.group_by_place_and_role() {
            let met = group
                .first()
                .and_then(|held| met.get(&place_and_role(held)));
            let (accepted, offered): (Vec<_>, Vec<_>) = group
                .into_iter()
                .partition(|held| held.status == ResponsibilityStatus::Accepted);
            match accepted.first() {
                Some(first) => {
                    steps.extend(plan_take_over(first, &accepted, met.copied()));
                    steps.extend(offered.into_iter().map(plan_decline_as_taken));
                    steps.extend(self.plan_redirecting_rival_proposals(first.id, successor));
                }
                None => {
                    // One proposal is enough for the successor: none where it has the role, or is offered it, already.
                    let first = usize::from(met.is_none());
                    let addressed = offered.iter().take(first).copied();
                    steps.extend(
                        addressed
                            .cloned()
                            .map(ResponsibilityPlanStep::ChangeAddressee),
                    );
                    steps.extend(offered.into_iter().skip(first).map(plan_decline_as_taken));
                }
            }
        }
        // A proposal to the successor itself stays as it was made: nobody proposes to themselves.
        let others = |made: &&responsibility::Model| made.department_id != successor;
        steps.extend(
            self.made
                .iter()
                .filter(others)
                .cloned()
                .map(ResponsibilityPlanStep::ChangeProposer),
        );
        steps
    }

    /// What is held and offered by touchpoint and role, in the order of the first of each.
    fn group_by_place_and_role(&self) -> Vec<Vec<&responsibility::Model>> {
        let mut at: HashMap<(TouchpointId, Role), usize> = HashMap::new();
        let mut groups: Vec<Vec<&responsibility::Model>> = Vec::new();
        for held in &self.held {
            let group = *at.entry(place_and_role(held)).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(held);
        }
        groups
    }

    /// The proposals of others to take over from this one; the successor's own is closed already.
    fn plan_redirecting_rival_proposals(
        &self,
        from: ResponsibilityId,
        successor: DepartmentId,
    ) -> impl Iterator<Item = ResponsibilityPlanStep> {
        self.rivals
            .iter()
            .filter(move |rival| {
                rival.replaces_id == Some(from) && rival.department_id != successor
            })
            .map(move |rival| ResponsibilityPlanStep::ChangeReplaced(rival.clone(), from))
    }
}

fn place_and_role(row: &responsibility::Model) -> (TouchpointId, Role) {
    (row.touchpoint_id, row.role)
}

/// Closes a proposal because its role is taken.
fn plan_decline_as_taken(offered: &responsibility::Model) -> ResponsibilityPlanStep {
    ResponsibilityPlanStep::Decline(offered.clone(), TAKEN)
}

/// What departments hold of one role at one touchpoint becomes one of the successor: its own, where it has it.
fn plan_take_over(
    first: &responsibility::Model,
    accepted: &[&responsibility::Model],
    met: Option<&responsibility::Model>,
) -> Vec<ResponsibilityPlanStep> {
    let own = met.filter(|met| met.status == ResponsibilityStatus::Accepted);
    let after = |held: &responsibility::Model| match own.is_none() && held.id == first.id {
        true => AfterResponsibilityEnd::Successor,
        false => AfterResponsibilityEnd::Merged,
    };
    let ends = accepted
        .iter()
        .map(|held| ResponsibilityPlanStep::End((*held).clone(), after(held)));
    let tasks = own.into_iter().chain(accepted.iter().copied());
    let tasks = unite_tasks(tasks.flat_map(|held| &held.tasks.0));
    let mut steps: Vec<ResponsibilityPlanStep> = ends.collect();
    match (own, met) {
        (Some(own), _) => steps.push(ResponsibilityPlanStep::Merge(own.clone(), tasks)),
        (None, offered) => {
            steps.extend(offered.map(plan_decline_as_taken));
            steps.push(ResponsibilityPlanStep::Accept(first.clone(), tasks));
        }
    }
    steps
}

/// The tasks of all, each once, as many as a list takes.
fn unite_tasks<'t>(tasks: impl Iterator<Item = &'t String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for task in tasks {
        if !all.contains(task) && all.len() < LIST {
            all.push(task.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests;
