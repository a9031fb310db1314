//! What becomes of responsibilities and proposals when another department takes over: a plan, made by pure rules.

use entity::{
    id::{DepartmentId, ResponsibilityId},
    responsibility,
    words::ResponsibilityStatus,
};

use super::Holdings;
use crate::responsibility::TAKEN;

/// Why a proposal is no longer open: the department that it was made to is archived.
pub const ARCHIVED: &str = "DEPARTMENT_ARCHIVED";

/// What is to be done with one responsibility or proposal.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It ends.
    End(responsibility::Model),
    /// The proposal is closed, for this reason.
    Decline(responsibility::Model, &'static str),
    /// It is accepted anew for the successor.
    Accept(responsibility::Model),
    /// The successor's own takes in these tasks.
    Merge(responsibility::Model, Vec<String>),
    /// The proposal is made to the successor instead.
    Address(responsibility::Model),
    /// The proposal counts as made by the successor.
    Speak(responsibility::Model),
    /// The proposal would now take over from the successor: of what this one was.
    Replace(responsibility::Model, ResponsibilityId),
}

impl Holdings {
    /// What becomes of the responsibilities and proposals, in the order in which it has to be done: what ends first,
    /// so that nothing is ever held twice.
    #[must_use]
    pub fn plan(&self, successor: Option<DepartmentId>) -> Vec<Step> {
        match successor {
            Some(successor) => self.hand_over(successor),
            None => self.let_go(),
        }
    }

    fn let_go(&self) -> Vec<Step> {
        self.held
            .iter()
            .map(|held| match held.status {
                ResponsibilityStatus::Proposed => Step::Decline(held.clone(), ARCHIVED),
                _ => Step::End(held.clone()),
            })
            .collect()
    }

    fn hand_over(&self, successor: DepartmentId) -> Vec<Step> {
        let mut steps = Vec::new();
        for held in &self.held {
            let met = self.meets(held);
            match (held.status, met) {
                (ResponsibilityStatus::Proposed, Some(_)) => {
                    steps.push(Step::Decline(held.clone(), TAKEN));
                }
                (ResponsibilityStatus::Proposed, None) => steps.push(Step::Address(held.clone())),
                (_, Some(met)) if met.status == ResponsibilityStatus::Accepted => {
                    steps.push(Step::End(held.clone()));
                    steps.push(Step::Merge(met.clone(), held.tasks.0.clone()));
                }
                (_, met) => {
                    steps.push(Step::End(held.clone()));
                    steps.extend(met.map(|met| Step::Decline(met.clone(), TAKEN)));
                    steps.push(Step::Accept(held.clone()));
                    steps.extend(self.rivals_of(held, successor));
                }
            }
        }
        let others = |made: &&responsibility::Model| made.department_id != successor;
        steps.extend(self.made.iter().filter(others).cloned().map(Step::Speak));
        steps
    }

    /// What the successor has of the same role at the same touchpoint.
    fn meets(&self, held: &responsibility::Model) -> Option<&responsibility::Model> {
        self.met
            .iter()
            .find(|met| met.touchpoint_id == held.touchpoint_id && met.role == held.role)
    }

    /// The proposals of others to take over from this one; the successor's own is closed already.
    fn rivals_of(
        &self,
        held: &responsibility::Model,
        successor: DepartmentId,
    ) -> impl Iterator<Item = Step> {
        let from = held.id;
        self.rivals
            .iter()
            .filter(move |rival| {
                rival.replaces_id == Some(from) && rival.department_id != successor
            })
            .map(move |rival| Step::Replace(rival.clone(), from))
    }
}

#[cfg(test)]
mod tests;
