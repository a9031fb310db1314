//! Who belongs to a department, and as what.

use async_graphql::{ID, InputObject};
use entity::{
    account, department,
    id::{AccountId, DepartmentId, MembershipId},
    membership,
    words::DepartmentRole,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use crate::{
    access::{Caller, Guarded, require_unarchived},
    account::{may_hold_memberships, own_role_change_error},
    error::{Error, Reason, Result, UserErrorCode},
    input::{self, Faults},
    policy::Action,
};

/// A role for an account in a department; replaces the role that it has there.
#[derive(InputObject)]
pub struct MembershipGrantInput {
    /// An id made by the client (a UUID of version 7), for a membership that is new.
    pub id: Option<ID>,
    /// Id of the account.
    pub account_id: ID,
    /// Id of the department.
    pub department_id: ID,
    /// The role. A LEAD also leads all departments below, and only an ADMIN makes one.
    pub role: DepartmentRole,
}

/// The membership to revoke.
#[derive(InputObject)]
pub struct MembershipRevokeInput {
    /// The object's id.
    pub id: ID,
}

/// What it takes to make or unmake such a member.
const fn required_action(role: DepartmentRole) -> Action {
    match role {
        DepartmentRole::Lead => Action::KeepOrganisation,
        DepartmentRole::Contributor | DepartmentRole::Viewer => Action::KeepMembers,
    }
}

/// Gives an account a role in a department, or another one than it has.
pub async fn grant(caller: &Caller, input: MembershipGrantInput) -> Result<membership::Model> {
    let mut faults = Faults::default();
    let id: MembershipId = faults.parse_or_make_id(input.id.as_ref());
    let account_id: AccountId = faults.parse_id("accountId", &input.account_id);
    let department_id: DepartmentId = faults.parse_id("departmentId", &input.department_id);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let department = permit
        .get::<department::Entity>("departmentId", department_id)
        .await?;
    // The account's lock keeps its role as it is, and two grants from making two memberships.
    let account = permit
        .lock_and_read_row::<account::Entity>("accountId", account_id)
        .await?;
    let held = membership::Entity::find()
        .filter(membership::Column::AccountId.eq(account.id))
        .filter(membership::Column::DepartmentId.eq(department.id))
        .one(permit.tx())
        .await?;
    let ties = department::Entity::load_ties(permit.tx(), &department).await?;
    for role in held.iter().map(|held| held.role).chain([input.role]) {
        permit.require_permission_on_row::<department::Entity>(
            required_action(role),
            &ties,
            &department,
        )?;
    }
    if caller.account() == Some(account.id) {
        return Err(own_role_change_error(account.id));
    }
    require_unarchived::<department::Entity>("departmentId", &department)?;
    require_unarchived::<account::Entity>("accountId", &account)?;
    if !may_hold_memberships(account.role) {
        return Err(Error::fault(
            "accountId",
            UserErrorCode::Invalid,
            Some(Reason::RoleWithoutMemberships),
            "AUDITOR and ANALYST hold no memberships.",
        ));
    }
    let row = match held {
        Some(held) => {
            let change = membership::ActiveModel {
                role: Set(input.role),
                ..Default::default()
            };
            permit.update::<membership::Entity>(&held, change).await?
        }
        None => {
            permit
                .insert::<membership::Entity>(membership::ActiveModel {
                    id: Set(id),
                    account_id: Set(account.id),
                    department_id: Set(department.id),
                    role: Set(input.role),
                    created_at: Set(caller.now),
                })
                .await?
        }
    };
    permit.commit().await?;
    Ok(row)
}

/// Ends a membership.
pub async fn revoke(caller: &Caller, input: &MembershipRevokeInput) -> Result<membership::Model> {
    let id: MembershipId = input::parse_id("id", &input.id)?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .lock_and_read_row::<membership::Entity>("id", id)
        .await?;
    let ties = membership::Entity::load_ties(permit.tx(), &row).await?;
    permit.require_permission_on_row::<membership::Entity>(
        required_action(row.role),
        &ties,
        &row,
    )?;
    permit.delete::<membership::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}
