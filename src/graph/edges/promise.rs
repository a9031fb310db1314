//! The edges of promises.

use async_graphql::{ComplexObject, Context};

use super::{super::loaders::DeliveryPlacesOf, list::list_live_touchpoints};
use crate::{
    batch::load, blueprint::graphql::Blueprint, error::Result, meter::BudgetChargedList,
    payload::into_node, promise::graphql::CustomerPromise, touchpoint::graphql::Touchpoint,
};

#[ComplexObject]
impl CustomerPromise {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.blueprint_id)).await
    }

    /// The touchpoint at which it is made.
    async fn made_at(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        into_node(load(ctx, self.row.touchpoint_id)).await
    }

    /// The touchpoints at which it is delivered, in order; archived ones are left out.
    async fn delivered_at(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Touchpoint>> {
        let rows = load(ctx, DeliveryPlacesOf(self.row.id)).await?;
        Ok(list_live_touchpoints(&rows.unwrap_or_default()))
    }
}
