//! The responsibilities of an import. Nobody takes responsibility alone: what is said to be in force is so only from
//! those who settle; from others it arrives as a proposal, and the other side answers.

use std::collections::HashSet;

use entity::{
    blueprint, department,
    id::{DepartmentId, ResponsibilityId},
    json::Texts,
    responsibility,
    words::{ResponsibilityStatus, Role},
};
use sea_orm::{EntityTrait, Set};

use super::{
    import::Authority,
    target::{Target, Wanted},
};
use crate::{
    access::{Guarded, Permit},
    error::Result,
    id,
    policy::{Action, Relation, Ties},
    responsibility::{WITHDRAWN, accountable_at, make_way},
};

/// Brings the responsibilities of a blueprint to what an import asks for; `there` are those open before.
pub async fn apply(
    permit: &mut Permit<'_>,
    there: &[responsibility::Model],
    target: &Target,
    authority: Authority,
) -> Result<()> {
    let (blueprint, wanted) = (&target.blueprint, &target.responsibilities);
    let ties = Ties::none().and(Relation::OwnsBlueprint, [blueprint.owner_department_id]);
    let settles = authority != Authority::Own || permit.caller.may(Action::ImportAccepted, &ties);
    let stay: HashSet<ResponsibilityId> = wanted
        .iter()
        .filter_map(|wanted| wanted.now.as_ref().map(|now| now.id))
        .collect();
    for row in there.iter().filter(|row| !stay.contains(&row.id)) {
        let still = responsibility::Entity::find_by_id(row.id)
            .one(permit.tx())
            .await?;
        // It may have ended already, with its touchpoint.
        if still.is_some_and(|still| still.status == row.status) {
            permit.require(Action::ImportAccepted, &ties, None)?;
            end(permit, row).await?;
        }
    }
    let own = blueprint.owner_department_id;
    let proposer = permit.caller.led().contains(&own).then_some(own);
    for wanted in wanted {
        match &wanted.now {
            Some(now) => change(permit, wanted, now, settles).await?,
            None => offer(permit, (blueprint, proposer), wanted, settles).await?,
        }
    }
    Ok(())
}

async fn end(permit: &mut Permit<'_>, row: &responsibility::Model) -> Result<()> {
    permit.concerns(row.department_id);
    let now = permit.caller.now;
    let change = if row.status == ResponsibilityStatus::Accepted {
        responsibility::ActiveModel {
            status: Set(ResponsibilityStatus::Ended),
            valid_to: Set(Some(now)),
            ..Default::default()
        }
    } else {
        responsibility::ActiveModel {
            reason: Set(Some(WITHDRAWN.to_owned())),
            ..decided(permit, ResponsibilityStatus::Declined)
        }
    };
    permit.update::<responsibility::Entity>(row, change).await?;
    Ok(())
}

fn decided(permit: &Permit<'_>, status: ResponsibilityStatus) -> responsibility::ActiveModel {
    responsibility::ActiveModel {
        status: Set(status),
        decided_at: Set(Some(permit.caller.now)),
        decided_by_account_id: Set(permit.caller.account()),
        ..Default::default()
    }
}

/// What is there already: accepted where it was only proposed, and with what the department does and who.
async fn change(
    permit: &mut Permit<'_>,
    wanted: &Wanted,
    now: &responsibility::Model,
    settles: bool,
) -> Result<()> {
    let accepts = wanted.accepted && settles && now.status == ResponsibilityStatus::Proposed;
    let says = (now.tasks.0 != wanted.tasks, now.person_id != wanted.person);
    if !accepts && says == (false, false) {
        return Ok(());
    }
    permit.concerns(now.department_id);
    if says != (false, false) {
        let ties = responsibility::Entity::ties(permit.tx(), now).await?;
        permit.decide::<responsibility::Entity>(Action::DescribeResponsibility, &ties, now)?;
    }
    let mut change = responsibility::ActiveModel {
        tasks: Set(Texts(wanted.tasks.clone())),
        person_id: Set(wanted.person),
        ..Default::default()
    };
    if accepts {
        if now.role == Role::Accountable {
            make_way(permit, now.touchpoint_id, now.id).await?;
        }
        let yes = decided(permit, ResponsibilityStatus::Accepted);
        change.status = yes.status;
        change.decided_at = yes.decided_at;
        change.decided_by_account_id = yes.decided_by_account_id;
        change.valid_from = Set(Some(permit.caller.now));
    }
    permit.update::<responsibility::Entity>(now, change).await?;
    Ok(())
}

/// What is not there yet: in force at once from those who settle, a proposal from others.
async fn offer(
    permit: &mut Permit<'_>,
    (blueprint, proposer): (&blueprint::Model, Option<DepartmentId>),
    wanted: &Wanted,
    settles: bool,
) -> Result<()> {
    let in_force = wanted.accepted && settles;
    permit.concerns(wanted.department);
    permit
        .read_live::<department::Entity>(&format!("{}.department", wanted.path), wanted.department)
        .await?;
    let id: ResponsibilityId = id::new();
    let accountable = wanted.role == Role::Accountable;
    let replaces = if accountable && in_force {
        make_way(permit, wanted.touchpoint, id).await?
    } else if accountable {
        accountable_at(permit, wanted.touchpoint).await?
    } else {
        None
    };
    let now = permit.caller.now;
    let account = permit.caller.account();
    permit
        .insert::<responsibility::Entity>(responsibility::ActiveModel {
            id: Set(id),
            blueprint_id: Set(blueprint.id),
            touchpoint_id: Set(wanted.touchpoint),
            department_id: Set(wanted.department),
            role: Set(wanted.role),
            status: Set(if in_force {
                ResponsibilityStatus::Accepted
            } else {
                ResponsibilityStatus::Proposed
            }),
            tasks: Set(Texts(wanted.tasks.clone())),
            person_id: Set(wanted.person),
            note: Set(None),
            proposed_by_department_id: Set(proposer),
            proposed_by_account_id: Set(account),
            proposed_at: Set(now),
            replaces_id: Set(replaces.map(|replaced| replaced.id)),
            reason: Set(None),
            decided_at: Set(in_force.then_some(now)),
            decided_by_account_id: Set(account.filter(|_| in_force)),
            valid_from: Set(in_force.then_some(now)),
            valid_to: Set(None),
            created_at: Set(now),
            version: Set(1),
        })
        .await?;
    Ok(())
}
