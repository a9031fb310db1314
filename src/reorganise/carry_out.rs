//! Does what was planned, step by step, and decides nothing.

use std::collections::{BTreeSet, HashMap};

use entity::{
    blueprint,
    id::{DepartmentId, ResponsibilityId},
    json::Texts,
    kpi, responsibility,
    words::{ResponsibilityStatus, Role},
};
use sea_orm::{EntityTrait, Set};

use super::{Holdings, Step};
use crate::{
    access::Permit,
    error::{Error, Result},
    id,
};

/// Does what was planned, step by step.
pub(super) async fn carry_out(
    permit: &mut Permit<'_>,
    steps: Vec<Step>,
    of: &BTreeSet<DepartmentId>,
    successor: Option<DepartmentId>,
) -> Result<()> {
    let now = permit.caller.now;
    let mut became: HashMap<ResponsibilityId, ResponsibilityId> = HashMap::new();
    for step in steps {
        let (row, change) = match step {
            Step::End(row, _) => {
                let end = responsibility::ActiveModel {
                    status: Set(ResponsibilityStatus::Ended),
                    valid_to: Set(Some(now)),
                    ..Default::default()
                };
                (row, end)
            }
            Step::Decline(row, reason) => {
                let no = responsibility::ActiveModel {
                    status: Set(ResponsibilityStatus::Declined),
                    reason: Set(Some(reason.to_owned())),
                    decided_at: Set(Some(now)),
                    decided_by_account_id: Set(permit.caller.account()),
                    ..Default::default()
                };
                (row, no)
            }
            Step::Accept(row, tasks) => {
                if let Some(successor) = successor {
                    let fresh = accepted(permit, &row, tasks, successor);
                    let made = permit.insert::<responsibility::Entity>(fresh).await?;
                    became.insert(row.id, made.id);
                }
                continue;
            }
            Step::Merge(row, tasks) => {
                let merged = responsibility::ActiveModel {
                    tasks: Set(Texts(tasks)),
                    ..Default::default()
                };
                (row, merged)
            }
            Step::Address(row) => {
                let by = row.proposed_by_department_id;
                let own = by.is_some_and(|by| of.contains(&by));
                let mut address = responsibility::ActiveModel::default();
                if let Some(successor) = successor {
                    address.department_id = Set(successor);
                    if own {
                        address.proposed_by_department_id = Set(Some(successor));
                    }
                }
                (row, address)
            }
            Step::Speak(row) => {
                let speak = responsibility::ActiveModel {
                    proposed_by_department_id: Set(successor),
                    ..Default::default()
                };
                (row, speak)
            }
            Step::Replace(row, was) => {
                let replace = responsibility::ActiveModel {
                    replaces_id: Set(became.get(&was).copied()),
                    ..Default::default()
                };
                (row, replace)
            }
        };
        permit.concerns(row.department_id);
        change_one(permit, &row, change).await?;
    }
    Ok(())
}

/// Changes a responsibility as it is now: an earlier step may have changed it already.
async fn change_one(
    permit: &mut Permit<'_>,
    row: &responsibility::Model,
    change: responsibility::ActiveModel,
) -> Result<()> {
    let now = responsibility::Entity::find_by_id(row.id)
        .one(permit.tx())
        .await?;
    let now = now.ok_or_else(|| Error::internal(format!("{} is gone", row.id)))?;
    permit
        .update::<responsibility::Entity>(&now, change)
        .await?;
    Ok(())
}

/// A responsibility in force as the successor holds it from now on.
fn accepted(
    permit: &Permit<'_>,
    held: &responsibility::Model,
    tasks: Vec<String>,
    successor: DepartmentId,
) -> responsibility::ActiveModel {
    let caller = permit.caller;
    responsibility::ActiveModel {
        id: Set(id::new()),
        blueprint_id: Set(held.blueprint_id),
        touchpoint_id: Set(held.touchpoint_id),
        department_id: Set(successor),
        role: Set(held.role),
        status: Set(ResponsibilityStatus::Accepted),
        tasks: Set(Texts(tasks)),
        person_id: Set(held.person_id),
        note: Set(held.note.clone()),
        proposed_by_department_id: Set(None),
        proposed_by_account_id: Set(caller.account()),
        proposed_at: Set(caller.now),
        replaces_id: Set((held.role == Role::Accountable).then_some(held.id)),
        reason: Set(None),
        decided_at: Set(Some(caller.now)),
        decided_by_account_id: Set(caller.account()),
        valid_from: Set(Some(caller.now)),
        valid_to: Set(None),
        created_at: Set(caller.now),
        version: Set(1),
    }
}

pub(super) async fn give_ownership(
    permit: &mut Permit<'_>,
    holdings: &Holdings,
    successor: DepartmentId,
) -> Result<()> {
    for row in &holdings.owned {
        let change = blueprint::ActiveModel {
            owner_department_id: Set(successor),
            ..Default::default()
        };
        permit.update::<blueprint::Entity>(row, change).await?;
    }
    for row in &holdings.kpis {
        let change = kpi::ActiveModel {
            owner_department_id: Set(successor),
            ..Default::default()
        };
        permit.update::<kpi::Entity>(row, change).await?;
    }
    Ok(())
}
