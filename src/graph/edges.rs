//! The edges of the graph: fields that join two slices, or that answer from a whole blueprint in memory.

use async_graphql::{ComplexObject, Context};

use crate::{
    blueprint::graphql::{Blueprint, Phase},
    error::Result,
};

#[ComplexObject]
impl Blueprint {
    /// Its phases, in order of display.
    async fn phases(&self, ctx: &Context<'_>) -> Result<Vec<Phase>> {
        let canvas = self.whole(ctx).await?;
        Ok(canvas
            .phases
            .iter()
            .map(|phase| Phase::within(phase, canvas))
            .collect())
    }
}

#[ComplexObject]
impl Phase {
    /// The blueprint that it is in.
    async fn blueprint_id(&self) -> async_graphql::ID {
        async_graphql::ID(self.row.blueprint_id.to_string())
    }
}
