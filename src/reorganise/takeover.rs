//! Takeover: departments are archived and a successor takes over their holdings. One reading and one plan for the act
//! and for the question.

use std::collections::BTreeSet;

use entity::{department, id::DepartmentId};
use sea_orm::Set;

use super::{
    carry_out::{carry_out, give_owned_to_successor},
    holdings,
    holdings::Holdings,
    impact::ReorganisationImpact,
    links,
    plan::ResponsibilityPlanStep,
};
use crate::{
    access::{Caller, Permit, expect_version},
    compute::WorkBudget,
    database::Transaction,
    department::{is_within, load_parent_by_department},
    error::{Error, Reason, Result, UserErrorCode},
    feedback::follow_up::hand_over_follow_ups,
    policy::{Action, CallerRoles},
};

/// Computing steps of planning one row.
const PLANNED: usize = 20;

/// A planned takeover.
pub(super) struct PlannedTakeover {
    pub holdings: Holdings,
    pub steps: Vec<ResponsibilityPlanStep>,
    pub impact: ReorganisationImpact,
}

impl PlannedTakeover {
    /// Plans it over what somebody of this standing may see. KPIs and promises left without a place are judged by the
    /// links that the caller sees, wherever they are.
    pub(super) async fn plan(
        caller: &Caller,
        tx: &Transaction,
        eyes: &CallerRoles,
        of: &BTreeSet<DepartmentId>,
        successor: Option<DepartmentId>,
    ) -> Result<Self> {
        let holdings = Holdings::load(tx, eyes, of, successor).await?;
        let hung = links::load_kpi_links_and_deliveries(
            caller,
            tx,
            holdings::select_held_touchpoint_ids(of),
        )
        .await?;
        let planned = move |budget: &WorkBudget| {
            let hanging = hung.links.len() + hung.deliveries.len();
            budget.spend(PLANNED * (holdings.row_count() + hanging))?;
            let steps = holdings.plan_steps(successor);
            let impact =
                ReorganisationImpact::from_departments(&holdings, &steps, &hung, successor);
            Ok(Self {
                holdings,
                steps,
                impact,
            })
        };
        caller.run_on_compute_pool(planned).await
    }

    /// Plans it over everything, whatever the caller may see, under the locks of all rows that it changes.
    pub(super) async fn plan_under_lock(
        permit: &mut Permit<'_>,
        of: &BTreeSet<DepartmentId>,
        successor: Option<DepartmentId>,
    ) -> Result<Self> {
        holdings::lock_blueprints_and_kpis(permit, of).await?;
        Self::plan(
            permit.caller,
            permit.tx(),
            // Whatever the departments hold must be handed over, also what the caller may not read.
            &CallerRoles::Operator,
            of,
            successor,
        )
        .await
    }

    /// Refuses to let go what somebody has to answer for.
    pub(super) fn refuse_without_successor(&self, successor: Option<DepartmentId>) -> Result<()> {
        if successor.is_some() || !self.holdings.needs_successor() {
            return Ok(());
        }
        // No numbers: some of it may lie where the caller may not read.
        Err(Error::fault(
            "successorId",
            UserErrorCode::Required,
            Some(Reason::SuccessorNeeded),
            "It holds responsibilities, KPIs, blueprints or open follow-ups: name a successor.",
        ))
    }

    /// Does it: hands over what they hold and archives them, locked in the order of their ids. Gives them as they
    /// are then, and what has changed.
    pub(super) async fn carry_out(
        self,
        permit: &mut Permit<'_>,
        mut going: Vec<DepartmentToEnd>,
        successor: Option<DepartmentId>,
    ) -> Result<(Vec<department::Model>, ReorganisationImpact)> {
        // One order for everybody, so that two mergers cannot wait for each other.
        going.sort_by_key(|one| one.id);
        let mut rows = Vec::with_capacity(going.len());
        for one in &going {
            // Read again under the lock: the version may have risen since it was first looked at.
            rows.push(one.fetch(permit).await?);
        }
        carry_out(permit, self.steps, &self.holdings.of, successor).await?;
        if let Some(successor) = successor {
            give_owned_to_successor(permit, &self.holdings, successor).await?;
            hand_over_follow_ups(permit, &self.holdings.of, successor).await?;
        }
        let mut archived = Vec::with_capacity(rows.len());
        for row in rows {
            let change = department::ActiveModel {
                successor_id: Set(successor),
                archived_at: Set(Some(permit.caller.now)),
                ..Default::default()
            };
            archived.push(permit.update::<department::Entity>(&row, change).await?);
        }
        Ok((archived, self.impact))
    }
}

/// A department that goes, as the caller has read it.
pub(super) struct DepartmentToEnd {
    /// Its path in the input.
    pub path: String,
    pub id: DepartmentId,
    pub expected_version: i32,
}

impl DepartmentToEnd {
    /// The department, not locked yet.
    pub(super) async fn load(&self, permit: &Permit<'_>) -> Result<department::Model> {
        let row = permit
            .get::<department::Entity>(&self.path, self.id)
            .await?;
        expect_version::<department::Entity>(&row, self.expected_version)?;
        Ok(row)
    }

    async fn fetch(&self, permit: &mut Permit<'_>) -> Result<department::Model> {
        let row = permit
            .fetch_locked::<department::Entity>(Action::KeepOrganisation, &self.path, self.id)
            .await?;
        expect_version::<department::Entity>(&row, self.expected_version)?;
        Ok(row)
    }
}

/// Refuses a successor that goes itself, or lies below one that does.
pub(super) async fn refuse_ending_successor(
    tx: &Transaction,
    of: &BTreeSet<DepartmentId>,
    successor: DepartmentId,
) -> Result<()> {
    let parents = load_parent_by_department(tx).await?;
    if !of.iter().any(|id| is_within(&parents, successor, *id)) {
        return Ok(());
    }
    Err(Error::fault(
        "successorId",
        UserErrorCode::Invalid,
        Some(Reason::Cycle),
        "The successor cannot be the department itself or one below it.",
    ))
}
