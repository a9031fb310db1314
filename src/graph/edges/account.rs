//! The edges of accounts, of whoever asks, of memberships and service tokens, and of the audit log.

use async_graphql::{ComplexObject, Context};
use entity::membership;
use sea_orm::{ColumnTrait, Condition};

use super::super::{audit::AuditEvent, loaders::TokenLimitsOf, permissions};
use super::responsibility::{page_answerable_by_viewer, page_naming_person};
use crate::{
    account::{
        graphql::{Account, Session, Viewer, own_sessions},
        service_token::graphql::ServiceToken,
    },
    batch::load,
    department::graphql::{
        Department, Membership, load_memberships_in_live_departments, page_of_memberships,
    },
    error::Result,
    meter::{self, BudgetChargedList},
    page::{self, ObjectPage, PageArguments},
    payload::{caller, into_node},
    policy::Action,
    responsibility::graphql::Responsibility,
};

#[ComplexObject]
impl Viewer {
    /// The permissions that you have on every object, and for creating objects that belong to no department. Those on
    /// single objects, and for what belongs to a department, are in the `viewerPermissions` of these.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::everywhere(caller(ctx)?))
    }

    /// Your roles in departments; those in archived departments give no permissions and are left out.
    #[graphql(complexity = "10 * child_complexity")]
    async fn memberships(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Membership>> {
        Ok(meter::metered_list(
            load_memberships_in_live_departments(caller(ctx)?, self.account.row.id).await?,
        ))
    }

    /// Your sessions that are alive, in the order of signing in.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<Session>> {
        own_sessions(ctx, PageArguments { first, after }).await
    }

    /// The open proposals that you may answer now, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn awaiting_answer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<Responsibility>> {
        page_answerable_by_viewer(ctx, PageArguments { first, after }).await
    }

    /// Responsibilities, in force or proposed, that name you as the person who does them, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn responsibilities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<Responsibility>> {
        page_naming_person(ctx, self.account.row.id, PageArguments { first, after }).await
    }
}

#[ComplexObject]
impl Account {
    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::on_account(caller(ctx)?))
    }

    /// Its roles in departments, including archived ones, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn memberships(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<Membership>> {
        let its = Condition::all().add(membership::Column::AccountId.eq(self.row.id));
        page_of_memberships(ctx, its, PageArguments { first, after }).await
    }
}

#[ComplexObject]
impl ServiceToken {
    /// The account as which it acts.
    async fn account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.account_id)).await
    }

    /// The departments to which it is limited, with all below them; empty if it is not limited.
    async fn departments(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Department>> {
        let rows = load(ctx, TokenLimitsOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::metered_list(rows.iter().cloned()))
    }

    /// The account that created it; null for the command line.
    async fn made_by(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.made_by_account_id?)).await
    }
}

#[ComplexObject]
impl Membership {
    /// The account.
    async fn account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.account_id)).await
    }

    /// The department.
    async fn department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        into_node(load(ctx, self.row.department_id)).await
    }
}

#[ComplexObject]
impl AuditEvent {
    /// The account that acted; null for the command line, for an unknown actor, and where you may not see it.
    async fn actor(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.actor_id?)).await
    }

    /// The service token with which the account acted; null for every other sign-in, and where you may read neither
    /// service tokens nor the whole audit log.
    async fn actor_token(&self, ctx: &Context<'_>) -> Option<Result<ServiceToken>> {
        into_node(load(ctx, self.actor_token_id?)).await
    }
}
