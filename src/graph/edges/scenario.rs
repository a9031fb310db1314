//! The edges of scenarios.

use async_graphql::{ComplexObject, Context};

use super::{super::loaders::ScenarioStepsOf, list::list_live_touchpoints};
use crate::{
    batch::load, blueprint::graphql::Blueprint, error::Result, meter::BudgetChargedList,
    payload::into_node, scenario::graphql::Scenario, touchpoint::graphql::Touchpoint,
};

#[ComplexObject]
impl Scenario {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.blueprint_id)).await
    }

    /// Its touchpoints, in the order of going; archived ones are left out.
    #[graphql(complexity = "20 * child_complexity")]
    async fn touchpoints(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Touchpoint>> {
        let rows = load(ctx, ScenarioStepsOf(self.row.id)).await?;
        Ok(list_live_touchpoints(&rows.unwrap_or_default()))
    }
}
