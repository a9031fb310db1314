//! Carries a plan out, step by step, and decides nothing: what a responsibility becomes is up to its lifecycle.

use std::collections::{BTreeSet, HashMap};

use entity::{
    blueprint,
    id::{DepartmentId, ResponsibilityId},
    improvement,
    json::Texts,
    kpi, responsibility,
};
use sea_orm::{EntityTrait, Set};

use super::{holdings::Holdings, plan::AfterResponsibilityEnd, plan::ResponsibilityPlanStep};
use crate::{
    access::{Permit, with_all_columns_set},
    error::{Error, Result},
    id,
    responsibility::{
        answer::write_next_state,
        lifecycle::{self, ActContext, LifecycleError, SUSPENDED},
    },
};

/// Does what was planned, step by step.
pub(super) async fn carry_out(
    permit: &mut Permit<'_>,
    steps: Vec<ResponsibilityPlanStep>,
    of: &BTreeSet<DepartmentId>,
    successor: Option<DepartmentId>,
) -> Result<()> {
    let by = ActContext::from(permit.caller);
    // By what they succeed: proposals to take over from a department that goes are to replace these.
    let mut became: HashMap<ResponsibilityId, ResponsibilityId> = HashMap::new();
    for step in steps {
        if let ResponsibilityPlanStep::Accept(row, tasks) = step {
            if let Some(successor) = successor {
                let held = lifecycle::pass_to_successor(&row, (id::new(), successor), tasks, by);
                permit.show_audit_to_leads_of(successor);
                let made = permit
                    .insert::<responsibility::Entity>(
                        with_all_columns_set::<responsibility::Entity>(held),
                    )
                    .await?;
                became.insert(row.id, made.id);
            }
            continue;
        }
        // An earlier step may have changed it already.
        let row = read_current_responsibility(permit, step.responsibility_id()).await?;
        let next = apply_step(&step, &row, (of, successor), &became, by)?;
        write_next_state(permit, &row, next).await?;
    }
    Ok(())
}

impl ResponsibilityPlanStep {
    fn responsibility_id(&self) -> ResponsibilityId {
        match self {
            Self::End(row, _)
            | Self::Decline(row, _)
            | Self::Accept(row, _)
            | Self::Merge(row, _)
            | Self::ChangeAddressee(row)
            | Self::ChangeProposer(row)
            | Self::ChangeReplaced(row, _) => row.id,
        }
    }
}

/// What a responsibility becomes by a step.
fn apply_step(
    step: &ResponsibilityPlanStep,
    row: &responsibility::Model,
    (of, successor): (&BTreeSet<DepartmentId>, Option<DepartmentId>),
    became: &HashMap<ResponsibilityId, ResponsibilityId>,
    by: ActContext,
) -> Result<responsibility::Model, LifecycleError> {
    let mut next = row.clone();
    match step {
        ResponsibilityPlanStep::End(_, AfterResponsibilityEnd::Suspended) => {
            return lifecycle::end(row, Some(SUSPENDED.to_owned()), by);
        }
        ResponsibilityPlanStep::End(..) => return lifecycle::end(row, None, by),
        ResponsibilityPlanStep::Decline(_, reason) => {
            return lifecycle::decline(row, Some((*reason).to_owned()), by);
        }
        ResponsibilityPlanStep::Merge(_, tasks) => next.tasks = Texts(tasks.clone()),
        ResponsibilityPlanStep::ChangeAddressee(_) | ResponsibilityPlanStep::ChangeProposer(_) => {
            if let Some(successor) = successor {
                next = lifecycle::readdress_to_successor(
                    row,
                    |department| of.contains(&department),
                    successor,
                );
            }
        }
        ResponsibilityPlanStep::ChangeReplaced(_, was) => {
            next.replaces_id = became.get(was).copied()
        }
        ResponsibilityPlanStep::Accept(..) => {}
    }
    Ok(next)
}

async fn read_current_responsibility(
    permit: &Permit<'_>,
    id: ResponsibilityId,
) -> Result<responsibility::Model> {
    let row = responsibility::Entity::find_by_id(id)
        .one(permit.tx())
        .await?;
    row.ok_or_else(|| Error::internal(format!("{id} is gone")))
}

pub(super) async fn give_owned_to_successor(
    permit: &mut Permit<'_>,
    holdings: &Holdings,
    successor: DepartmentId,
) -> Result<()> {
    for row in &holdings.owned {
        let change = blueprint::ActiveModel {
            owner_department_id: Set(successor),
            ..Default::default()
        };
        // One by one and not by one statement: each has a version to be raised and an event of its own.
        permit.update::<blueprint::Entity>(row, change).await?;
    }
    for row in &holdings.kpis {
        let change = kpi::ActiveModel {
            owner_department_id: Set(successor),
            ..Default::default()
        };
        permit.update::<kpi::Entity>(row, change).await?;
    }
    for row in &holdings.improvements {
        let change = improvement::ActiveModel {
            owner_department_id: Set(successor),
            ..Default::default()
        };
        permit.update::<improvement::Entity>(row, change).await?;
    }
    Ok(())
}
