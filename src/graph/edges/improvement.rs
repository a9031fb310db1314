//! The edges of improvements.

use async_graphql::{ComplexObject, Context};

use super::{
    super::{
        loaders::{KpisOfImprovement, TouchpointsOfImprovement},
        permissions,
    },
    list::{list_live_touchpoints, load_list},
};
use crate::{
    batch::load,
    blueprint::graphql::Blueprint,
    department::graphql::Department,
    error::Result,
    improvement::graphql::Improvement,
    kpi::graphql::Kpi,
    meter::BudgetChargedList,
    payload::{caller, into_node},
    policy::Action,
    touchpoint::graphql::Touchpoint,
};

#[ComplexObject]
impl Improvement {
    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::on_improvement(caller(ctx)?, &self.row))
    }

    /// The blueprint that it improves.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.blueprint_id)).await
    }

    /// The department that owns it.
    async fn owner_department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        into_node(load(ctx, self.row.owner_department_id)).await
    }

    /// The touchpoints that it concerns, in order; archived ones are left out.
    async fn touchpoints(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Touchpoint>> {
        let rows = load(ctx, TouchpointsOfImprovement(self.row.id)).await?;
        Ok(list_live_touchpoints(&rows.unwrap_or_default()))
    }

    /// The KPIs that measure its effect, in order.
    async fn kpis(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Kpi>> {
        load_list(ctx, KpisOfImprovement(self.row.id)).await
    }
}
