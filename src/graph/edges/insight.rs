//! The edges of insights and their sources.

use async_graphql::{ComplexObject, Context};

use super::{super::loaders::SourcesOf, list::load_list};
use crate::{
    batch::load,
    blueprint::graphql::{Blueprint, Phase},
    error::Result,
    insight::graphql::{Insight, Source},
    meter::BudgetChargedList,
    payload::into_node,
    persona::graphql::Persona,
    touchpoint::graphql::Touchpoint,
};

#[ComplexObject]
impl Insight {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.blueprint_id)).await
    }

    /// The phase that it is about as a whole; null for a touchpoint or a whole blueprint.
    async fn phase(&self, ctx: &Context<'_>) -> Option<Result<Phase>> {
        into_node(load(ctx, self.row.phase_id?)).await
    }

    /// The touchpoint that it is about; null for a phase or a whole blueprint.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        into_node(load(ctx, self.row.touchpoint_id?)).await
    }

    /// The persona that it is about; null for all.
    async fn persona(&self, ctx: &Context<'_>) -> Option<Result<Persona>> {
        into_node(load(ctx, self.row.persona_id?)).await
    }

    /// The sources that it rests on, in order.
    async fn sources(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Source>> {
        load_list(ctx, SourcesOf(self.row.id)).await
    }

    /// Of a QUESTION: the insight that answers it; null while it is open.
    async fn answered_by(&self, ctx: &Context<'_>) -> Option<Result<Insight>> {
        into_node(load(ctx, self.row.answered_by_id?)).await
    }
}

#[ComplexObject]
impl Source {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.blueprint_id)).await
    }
}
