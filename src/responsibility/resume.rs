//! What was suspended with its touchpoint resumes when that comes back, by the rules of `lifecycle`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    blueprint, department,
    id::{DepartmentId, TouchpointId},
    responsibility,
    words::{BlueprintStatus, ResponsibilityStatus, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    answer::caller_as_acting_person,
    lifecycle::{self, SUSPENDED},
};
use crate::{
    access::{Caller, Permit, scope, with_all_columns_set},
    audit::AuditSubject,
    department::load_parent_by_department,
    error::{Error, Forbidden, Reason, Result},
    id,
    policy::{Action, Relation, RowTies},
};

/// Refuses an archiving that would suspend another department's ACCOUNTABLE on a published blueprint: only its leads
/// and CX managers may.
pub fn refuse_suspending_others_accountable(
    caller: &Caller,
    blueprint: &blueprint::Model,
    held: &[responsibility::Model],
) -> Result<()> {
    if blueprint.status != BlueprintStatus::Published {
        return Ok(());
    }
    let accountable = held.iter().filter(|held| {
        held.role == Role::Accountable && held.status == ResponsibilityStatus::Accepted
    });
    for held in accountable {
        let ties = RowTies::none().with_departments(Relation::MayEnd, [held.department_id]);
        if !caller.may(Action::EndResponsibility, &ties) {
            return Err(Error::Forbidden(Forbidden {
                path: String::new(),
                action: Action::EndResponsibility,
                subject: Some((responsibility::Entity::TYPE, held.id.0)),
                because: Some((
                    Reason::AccountableOnPublished,
                    "Another department is accountable here, and the blueprint is published: only its leads and CX managers may archive this step.",
                )),
                with_token: false,
            }));
        }
    }
    Ok(())
}

/// Resumes what was in force at a touchpoint when it was archived: never where somebody else
/// holds the role by now, and by the successor where the department is archived. The blueprint's lock must be held.
pub async fn resume_suspended(
    permit: &mut Permit<'_>,
    (touchpoint, archived_at): (TouchpointId, DateTime<Utc>),
    owner: DepartmentId,
) -> Result<Vec<responsibility::Model>> {
    let rows = responsibility::Entity::find()
        .filter(responsibility::Column::TouchpointId.eq(touchpoint))
        .order_by_asc(responsibility::Column::CreatedAt)
        .order_by_asc(responsibility::Column::Id);
    let suspended = rows
        .clone()
        .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Ended))
        .filter(responsibility::Column::Reason.eq(SUSPENDED))
        .all(permit.tx())
        .await?;
    let mut open = rows
        .filter(scope::open_responsibility_condition())
        .all(permit.tx())
        .await?;
    let successors = load_successors(permit).await?;
    let parents = load_parent_by_department(permit.tx()).await?;
    let caller = permit.caller;
    let on_behalf_of =
        Some(owner).filter(|owner| caller.led_departments_and_below().contains(owner));
    let mut resumed = Vec::new();
    for row in suspended {
        // What an earlier archiving suspended has resumed since, or was ended.
        if row.valid_to.is_none_or(|ended| ended < archived_at) {
            continue;
        }
        let Some(department) = find_live_successor(&successors, row.department_id) else {
            continue;
        };
        let met = |other: &responsibility::Model| {
            other.role == row.role
                && (other.department_id == department
                    || (row.role == Role::Accountable
                        && other.status == ResponsibilityStatus::Accepted))
        };
        if open.iter().any(met) {
            continue;
        }
        let proposer =
            caller_as_acting_person(caller).proposer_for(on_behalf_of, department, &parents);
        let next =
            lifecycle::resume_or_propose(&row, (id::new(), department, proposer), caller.into());
        permit.show_audit_to_leads_of(department);
        let next = permit
            .insert::<responsibility::Entity>(with_all_columns_set::<responsibility::Entity>(next))
            .await?;
        // Of several that were suspended in one role the oldest resumes: the next meets it here.
        open.push(next.clone());
        resumed.push(next);
    }
    Ok(resumed)
}

/// For each department that is archived its successor, if it has one.
type Successors = HashMap<DepartmentId, Option<DepartmentId>>;

async fn load_successors(permit: &Permit<'_>) -> Result<Successors> {
    let pairs: Vec<(DepartmentId, Option<DepartmentId>)> = department::Entity::find()
        .select_only()
        .column(department::Column::Id)
        .column(department::Column::SuccessorId)
        .filter(department::Column::ArchivedAt.is_not_null())
        .into_tuple()
        .all(permit.tx())
        .await?;
    Ok(pairs.into_iter().collect())
}

/// The department, or who took over from it; nothing where nobody did.
fn find_live_successor(successors: &Successors, department: DepartmentId) -> Option<DepartmentId> {
    let mut at = department;
    // No chain is longer than there are departments, should a circle ever have come in.
    for _ in 0..=successors.len() {
        match successors.get(&at) {
            None => return Some(at),
            Some(successor) => at = (*successor)?,
        }
    }
    None
}
