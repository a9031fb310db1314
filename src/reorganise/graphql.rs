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
    payload::{caller, into_node, load_conflict_and_errors, mutation_caller},
    snapshot,
    touchpoint::graphql::{Touchpoint, TouchpointPayload},
};

/// The consequences of a mutation: those it would have, or, in its payload, those it had. What you may not read is left
/// out. Every object is shown as it is now; lists are in the order of creation.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Impact {
    /// The reasons why the mutation would be refused now; empty if it would be carried out.
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
    /// The consequences that archiving a department would have; null if there is none that you may see. Nothing is
    /// written. Requires: WHAT_IF.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn department_archive_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the department to archive.")] id: ID,
        #[graphql(desc = "Id of the successor; absent: shows what would be left.")]
        successor_id: Option<ID>,
    ) -> Option<Result<Impact>> {
        into_node(async {
            super::preview_archiving(caller(ctx)?, &id, successor_id.as_ref()).await
        })
        .await
    }

    /// The consequences that merging departments into a successor would have; null if any of them does not exist or you
    /// may not see it. Nothing is written. Requires: WHAT_IF, over each that would end.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn department_merge_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ids of the departments that would be merged, at most 50.")] ids: Vec<ID>,
        #[graphql(desc = "Id of the successor.")] successor_id: ID,
    ) -> Option<Result<Impact>> {
        into_node(async { super::preview_merge(caller(ctx)?, &ids, &successor_id).await }).await
    }

    /// The consequences that archiving a touchpoint would have; null if there is none that you may see. Nothing is
    /// written. Requires: SHAPE_BLUEPRINT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn touchpoint_archive_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the touchpoint to archive.")] id: ID,
    ) -> Option<Result<Impact>> {
        into_node(async { super::touchpoint::preview_archiving(caller(ctx)?, &id).await }).await
    }

    /// The consequences that deactivating an account would have; null if there is none that you may see. Nothing is
    /// written. Requires: WHAT_IF, over a department that the person belongs to.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn account_deactivate_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of the account to deactivate.")] id: ID,
    ) -> Option<Result<Impact>> {
        into_node(async { super::preview_deactivation(caller(ctx)?, &id).await }).await
    }
}

payload! {
    /// Result of archiving a department.
    DepartmentArchivePayload {
        /// The department as it is now.
        department: Department of department::Entity,
        /// Everything else that changed.
        and impact: Impact
    }
}

payload! {
    /// Result of archiving a touchpoint.
    TouchpointArchivePayload {
        /// The touchpoint as it is now.
        touchpoint: Touchpoint of touchpoint::Entity,
        /// Everything else that changed.
        and impact: Impact
    }
}

payload! {
    /// Result of deactivating an account.
    AccountDeactivatePayload {
        /// The account as it is now.
        account: Account of account::Entity,
        /// Everything else that changed.
        and impact: Impact
    }
}

/// Result of merging departments.
#[derive(SimpleObject)]
pub struct DepartmentMergePayload {
    /// The successor as it is now; in a CONFLICT the department whose version was stale, as it is now.
    pub department: Option<Department>,
    /// The archived departments, as they are now.
    pub merged: Option<Vec<Department>>,
    /// Everything else that changed.
    pub impact: Option<Impact>,
    /// The reasons why the mutation was refused; empty if it was carried out.
    pub user_errors: Vec<UserError>,
}

/// Changing the organisation.
#[derive(Default)]
pub struct ReorganiseMutation;

#[Object]
impl ReorganiseMutation {
    /// Archives a department. Its successor takes over all that it holds: responsibilities end and start again for the
    /// successor, proposals to it become proposals to the successor, blueprints, KPIs and improvements change owner, and
    /// open follow-ups are the successor's to work. Memberships stay, but give no permissions. Requires:
    /// KEEP_ORGANISATION.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn department_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department, the version that you read, and its successor.")]
        input: DepartmentArchiveInput,
    ) -> Result<DepartmentArchivePayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::archive(&caller, input).await;
        DepartmentArchivePayload::from_result(&caller, result).await
    }

    /// Merges departments into a successor: all or none of them are archived, and the successor takes over all that
    /// they hold, as in `departmentArchive`, and the departments below them. Where several hold the same role at a
    /// touchpoint, the successor holds it once, with the tasks of all. Requires: KEEP_ORGANISATION.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn department_merge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The departments to merge, and their successor.")]
        input: DepartmentMergeInput,
    ) -> Result<DepartmentMergePayload> {
        let caller = mutation_caller(ctx)?;
        match super::merge(&caller, input).await {
            Ok(done) => Ok(DepartmentMergePayload {
                department: Some(done.successor.into()),
                merged: Some(done.departments.into_iter().map(Into::into).collect()),
                impact: Some(done.impact.into()),
                user_errors: Vec::new(),
            }),
            Err(error) => {
                let (current, user_errors) =
                    load_conflict_and_errors::<department::Entity>(&caller, error).await?;
                Ok(DepartmentMergePayload {
                    department: current.map(Into::into),
                    merged: Some(Vec::new()),
                    impact: None,
                    user_errors,
                })
            }
        }
    }

    /// Archives a touchpoint and ends its responsibilities, with the reason SUSPENDED. On a published blueprint where
    /// another department is accountable, only that department's leads and CX managers may. Requires: SHAPE_BLUEPRINT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn touchpoint_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<TouchpointArchivePayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::touchpoint::archive(&caller, &input).await;
        TouchpointArchivePayload::from_result(&caller, result).await
    }

    /// Unarchives a touchpoint at its old position. Within 30 days its suspended responsibilities are in force again,
    /// from now on; later they are proposed again; those of an archived department are proposed to its successor. A
    /// role that somebody else holds by now does not resume. Requires: SHAPE_BLUEPRINT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn touchpoint_unarchive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<TouchpointPayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::touchpoint::unarchive(&caller, &input).await;
        TouchpointPayload::from_result(&caller, result).await
    }

    /// Deactivates an account, ends its sessions and revokes its service tokens. What it did stays under its name. The
    /// last ADMIN cannot be deactivated. Requires: KEEP_ORGANISATION.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn account_deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<AccountDeactivatePayload> {
        let caller = mutation_caller(ctx)?;
        let result = super::deactivate(&caller, &input).await;
        AccountDeactivatePayload::from_result(&caller, result).await
    }
}
