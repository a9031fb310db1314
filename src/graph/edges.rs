//! The edges of the graph: fields that join two slices, or that answer from a whole blueprint in memory.

use async_graphql::{ComplexObject, Context};
use entity::id::TouchpointId;

use super::loaders::{HeldAt, InPhase, load};
use crate::{
    account::graphql::{Session, Viewer, own_sessions},
    blueprint::graphql::{Blueprint, Phase},
    error::Result,
    page::{self, Page, Pages},
    payload::found,
    responsibility::graphql::Responsibility,
    touchpoint::graphql::{Touchpoint, Transition},
};

#[ComplexObject]
impl Viewer {
    /// The devices on which you are signed in, in the order of signing in.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Pages<Session>> {
        own_sessions(ctx, Page { first, after }).await
    }
}

#[ComplexObject]
impl Blueprint {
    /// Its phases, in order of display.
    #[graphql(complexity = "20 * child_complexity")]
    async fn phases(&self, ctx: &Context<'_>) -> Result<Vec<Phase>> {
        let canvas = self.whole(ctx).await?;
        Ok(canvas
            .phases
            .iter()
            .map(|phase| Phase::within(phase, canvas))
            .collect())
    }

    /// Its transitions, in the order of creation; those from or to archived touchpoints are left out.
    #[graphql(complexity = "20 * child_complexity")]
    async fn transitions(&self, ctx: &Context<'_>) -> Result<Vec<Transition>> {
        let canvas = self.whole(ctx).await?;
        Ok(canvas
            .transitions
            .iter()
            .map(|edge| Transition::within(edge, canvas))
            .collect())
    }
}

#[ComplexObject]
impl Phase {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        found(load(ctx, self.row.blueprint_id)).await
    }

    /// Its touchpoints, in order of display.
    async fn touchpoints(&self, ctx: &Context<'_>) -> Result<Vec<Touchpoint>> {
        if let Some(canvas) = &self.canvas {
            let rows = canvas.touchpoints_of(self.row.id);
            return Ok(rows
                .iter()
                .map(|row| Touchpoint::within(row, canvas))
                .collect());
        }
        let rows = load(ctx, InPhase(self.row.id)).await?.unwrap_or_default();
        Ok(rows.iter().cloned().map(Touchpoint::from).collect())
    }
}

#[ComplexObject]
impl Touchpoint {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        match &self.canvas {
            Some(canvas) => Some(Ok(std::sync::Arc::clone(canvas).into())),
            None => found(load(ctx, self.row.blueprint_id)).await,
        }
    }

    /// The phase that it is in.
    async fn phase(&self, ctx: &Context<'_>) -> Option<Result<Phase>> {
        match &self.canvas {
            Some(canvas) => canvas
                .phase(self.row.phase_id)
                .map(|phase| Ok(Phase::within(phase, canvas))),
            None => found(load(ctx, self.row.phase_id)).await,
        }
    }

    /// Who is responsible, or offered to be: PROPOSED and ACCEPTED ones, in the order of creation.
    async fn responsibilities(&self, ctx: &Context<'_>) -> Result<Vec<Responsibility>> {
        if let Some(canvas) = &self.canvas {
            let rows = canvas.responsibilities_of(self.row.id);
            return Ok(rows
                .iter()
                .map(|row| Responsibility::within(row, canvas))
                .collect());
        }
        let rows = load(ctx, HeldAt(self.row.id)).await?.unwrap_or_default();
        Ok(rows.iter().cloned().map(Responsibility::from).collect())
    }
}

impl Transition {
    async fn side(
        &self,
        ctx: &Context<'_>,
        side: Option<TouchpointId>,
    ) -> Option<Result<Touchpoint>> {
        let id = side?;
        match &self.canvas {
            Some(canvas) => canvas
                .touchpoint(id)
                .map(|row| Ok(Touchpoint::within(row, canvas))),
            None => found(load(ctx, id)).await,
        }
    }
}

#[ComplexObject]
impl Transition {
    /// The touchpoint that it leads from; null where it comes from an end.
    async fn from(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        self.side(ctx, self.row.from_touchpoint_id).await
    }

    /// The touchpoint that it leads to; null where it leads to an end.
    async fn to(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        self.side(ctx, self.row.to_touchpoint_id).await
    }
}

#[ComplexObject]
impl Responsibility {
    /// The touchpoint.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        match &self.canvas {
            Some(canvas) => canvas
                .touchpoint(self.row.touchpoint_id)
                .map(|row| Ok(Touchpoint::within(row, canvas))),
            None => found(load(ctx, self.row.touchpoint_id)).await,
        }
    }
}
