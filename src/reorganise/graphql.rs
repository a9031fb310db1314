//! Reorganising in the API: mutations that change many slices at once, and the questions what they would change.

use async_graphql::{Context, ID, Object, SimpleObject};
use entity::{account, department, touchpoint};

use super::{DepartmentArchiveInput, DepartmentMergeInput};
use crate::{
    account::graphql::Account,
    department::graphql::Department,
    error::{Result, UserError},
    input::AtVersionInput,
    payload,
    payload::{acting, caller, found, refused},
    snapshot,
    touchpoint::graphql::{Touchpoint, TouchpointPayload},
};

/// What follows from an act: what it would change, or in its payload what it has changed. Of what you may not read
/// it tells nothing. Everything is shown as it is now, in the order of creation.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Impact {
    /// What stands in the way of doing it as things are; empty where nothing does.
    pub obstacles: Vec<UserError>,
    #[graphql(skip)]
    pub what: super::ReorganisationImpact,
}

impl From<super::ReorganisationImpact> for Impact {
    fn from(what: super::ReorganisationImpact) -> Self {
        Self {
            obstacles: what.obstacles.clone(),
            what,
        }
    }
}

/// Asking what would change, without changing anything.
#[derive(Default)]
pub struct ReorganiseQuery;

#[Object]
impl ReorganiseQuery {
    /// What archiving a department would change; null where there is none, or none that you may see. Nothing is
    /// written. Requires: WHAT_IF.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn department_archive_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the department to archive.")] id: ID,
        #[graphql(desc = "Id of the successor; absent: shows what would be left.")]
        successor_id: Option<ID>,
    ) -> Option<Result<Impact>> {
        found(async { super::archive_impact(caller(ctx)?, &id, successor_id.as_ref()).await }).await
    }

    /// What merging departments into another would change; null where one of them is not there, or you may not see
    /// it. Nothing is written. Requires: WHAT_IF, over each that would end.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn department_merge_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ids of the departments that would be merged, at most 50.")] ids: Vec<ID>,
        #[graphql(desc = "Id of the successor.")] successor_id: ID,
    ) -> Option<Result<Impact>> {
        found(async { super::merge_impact(caller(ctx)?, &ids, &successor_id).await }).await
    }

    /// What archiving a touchpoint would change; null where there is none, or none that you may see. Nothing is
    /// written. Requires: SHAPE_BLUEPRINT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn touchpoint_archive_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the touchpoint to archive.")] id: ID,
    ) -> Option<Result<Impact>> {
        found(async { super::touchpoint::archive_impact(caller(ctx)?, &id).await }).await
    }

    /// What would change if a person went; null where there is none, or none that you may see. Nothing is written.
    /// Requires: WHAT_IF, over a department that the person belongs to.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn account_deactivate_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the account to deactivate.")] id: ID,
    ) -> Option<Result<Impact>> {
        found(async { super::deactivate_impact(caller(ctx)?, &id).await }).await
    }
}

payload! {
    /// What became of archiving a department.
    DepartmentArchivePayload {
        /// The department as it is now.
        department: Department of department::Entity,
        /// What changed with it.
        and impact: Impact
    }
}

payload! {
    /// What became of archiving a touchpoint.
    TouchpointArchivePayload {
        /// The touchpoint as it is now.
        touchpoint: Touchpoint of touchpoint::Entity,
        /// What changed with it.
        and impact: Impact
    }
}

payload! {
    /// What became of deactivating an account.
    AccountDeactivatePayload {
        /// The account as it is now.
        account: Account of account::Entity,
        /// What changed with it.
        and impact: Impact
    }
}

/// What became of merging departments.
#[derive(SimpleObject)]
pub struct DepartmentMergePayload {
    /// The department that took over; in a conflict the one that it is about, as it is now.
    pub department: Option<Department>,
    /// The departments that ended, as they are now.
    pub merged: Vec<Department>,
    /// What changed with it.
    pub impact: Option<Impact>,
    /// Why it was not done; empty when it was.
    pub user_errors: Vec<UserError>,
}

/// Changing the organisation.
#[derive(Default)]
pub struct ReorganiseMutation;

#[Object]
impl ReorganiseMutation {
    /// Puts a department away. Its successor takes over what it holds: responsibilities are ended and accepted anew
    /// at once, proposals made to it are made to the successor, blueprints and KPIs change owner, what is still to do about answers is its to do. Its members stay
    /// and lose what they could do through it. Requires: KEEP_ORGANISATION.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn department_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department, the version that you read, and its successor.")]
        input: DepartmentArchiveInput,
    ) -> Result<DepartmentArchivePayload> {
        let caller = acting(ctx)?;
        let result = super::archive(&caller, input).await;
        DepartmentArchivePayload::answer(&caller, result).await
    }

    /// Merges departments into another: all of them are put away and it takes over what they hold, as in
    /// `departmentArchive`, and the departments below them; or nothing happens. Where several hold the same role at
    /// a touchpoint, it holds it once, with the tasks of all. Requires: KEEP_ORGANISATION.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn department_merge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The departments to merge, and their successor.")]
        input: DepartmentMergeInput,
    ) -> Result<DepartmentMergePayload> {
        let caller = acting(ctx)?;
        match super::merge(&caller, input).await {
            Ok(done) => Ok(DepartmentMergePayload {
                department: Some(done.successor.into()),
                merged: done.departments.into_iter().map(Into::into).collect(),
                impact: Some(done.impact.into()),
                user_errors: Vec::new(),
            }),
            Err(error) => {
                let (current, user_errors) = refused::<department::Entity>(&caller, error).await?;
                Ok(DepartmentMergePayload {
                    department: current.map(Into::into),
                    merged: Vec::new(),
                    impact: None,
                    user_errors,
                })
            }
        }
    }

    /// Archives a touchpoint and ends its responsibilities, with the reason SUSPENDED. Where the blueprint is published
    /// and another department is accountable, its lead or a CX manager does. Requires: SHAPE_BLUEPRINT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn touchpoint_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<TouchpointArchivePayload> {
        let caller = acting(ctx)?;
        let result = super::touchpoint::archive(&caller, &input).await;
        TouchpointArchivePayload::answer(&caller, result).await
    }

    /// Brings a touchpoint back to its old place. Within 30 days its departments hold again what was suspended, from now
    /// on; later, or where a department is archived, it is proposed, to its successor. Where somebody else holds the
    /// role by now, nothing resumes. Requires: SHAPE_BLUEPRINT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn touchpoint_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<TouchpointPayload> {
        let caller = acting(ctx)?;
        let result = super::touchpoint::unarchive(&caller, &input).await;
        TouchpointPayload::answer(&caller, result).await
    }

    /// Deactivates an account, ends its sessions and revokes its service tokens; what it did stays under its name.
    /// The last ADMIN stays. Requires: KEEP_ORGANISATION.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn account_deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<AccountDeactivatePayload> {
        let caller = acting(ctx)?;
        let result = super::deactivate(&caller, &input).await;
        AccountDeactivatePayload::answer(&caller, result).await
    }
}
