//! The edges of touchpoints, and of the transitions between them.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context};
use entity::id::TouchpointId;

use super::super::{
    loaders::{
        AudienceOf, ChannelsOf, EvaluationsAt, FeedbackSummaryAt, InsightsAt,
        KpisJudgingTouchpoint, PromisesAt, PromisesDeliveredAt, ResponsibilitiesAt,
    },
    permissions,
};
use super::list::{list_judged_links, load_kpi_links, load_list};
use crate::{
    batch::load,
    blueprint::graphql::{Blueprint, Phase},
    error::Result,
    evaluation::graphql::Evaluation,
    feedback::graphql::FeedbackSummary,
    input::refuse_reversed_range,
    insight::graphql::Insight,
    kpi::graphql::KpiLink,
    meter::{self, BudgetChargedList},
    payload::{caller, into_node},
    persona::graphql::{Channel, Segment},
    policy::Action,
    promise::graphql::CustomerPromise,
    responsibility::graphql::Responsibility,
    scalar::Date,
    touchpoint::graphql::{Touchpoint, Transition},
};

#[ComplexObject]
impl Touchpoint {
    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let caller = caller(ctx)?;
        if let Some(canvas) = &self.canvas {
            let held = canvas.responsibilities_of_touchpoint(self.row.id);
            return Ok(permissions::on_touchpoint(caller, &canvas.blueprint, held));
        }
        let Some(blueprint) = load(ctx, self.row.blueprint_id).await? else {
            return Ok(Vec::new());
        };
        let held = load(ctx, ResponsibilitiesAt(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(permissions::on_touchpoint(caller, &blueprint, &held))
    }

    /// The object that it was copied from; null if it was not copied.
    async fn copied_from(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        into_node(load(ctx, self.row.copied_from_id?)).await
    }

    /// Its channels, in order.
    async fn channels(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Channel>> {
        if let Some(canvas) = &self.canvas {
            return Ok(meter::metered_list(
                canvas.channels_of_touchpoint(self.row.id).iter().cloned(),
            ));
        }
        let rows = load(ctx, ChannelsOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::metered_list(rows.iter().cloned()))
    }

    /// The segments that it is for, in order; empty for everybody.
    async fn audience(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Segment>> {
        let rows = load(ctx, AudienceOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::metered_list(rows.iter().cloned()))
    }

    /// The insights about it, in the order of creation.
    async fn insights(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Insight>> {
        load_list(ctx, InsightsAt(self.row.id)).await
    }

    /// The promises made at it, in the order of creation.
    async fn promises(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<CustomerPromise>> {
        load_list(ctx, PromisesAt(self.row.id)).await
    }

    /// The promises that are delivered at it, in the order of creation.
    async fn delivers(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<CustomerPromise>> {
        let rows = load(ctx, PromisesDeliveredAt(self.row.id)).await?;
        let mut rows = Vec::clone(&rows.unwrap_or_default());
        rows.sort_unstable_by_key(|row| (row.created_at, row.id));
        Ok(meter::metered_list(rows))
    }

    /// Its evaluations, in the order of creation.
    async fn evaluations(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Evaluation>> {
        load_list(ctx, EvaluationsAt(self.row.id)).await
    }

    /// The totals of the answers given at it from `from` (included) to `to` (excluded); of employees, of the whole
    /// blocks of months of receipt between these days.
    async fn feedback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day, itself included.")] from: Option<Date>,
        #[graphql(desc = "The day after the last one (excluded).")] to: Option<Date>,
    ) -> Option<Result<FeedbackSummary>> {
        into_node(async {
            refuse_reversed_range(from, to)?;
            let answered = FeedbackSummaryAt {
                touchpoint: self.row.id,
                from: from.map(Into::into),
                to: to.map(Into::into),
            };
            Ok(Some(load(ctx, answered).await?.unwrap_or_default()))
        })
        .await
    }

    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        match &self.canvas {
            Some(canvas) => Some(Ok(Arc::clone(canvas).into())),
            None => into_node(load(ctx, self.row.blueprint_id)).await,
        }
    }

    /// The phase that it is in.
    async fn phase(&self, ctx: &Context<'_>) -> Option<Result<Phase>> {
        match &self.canvas {
            Some(canvas) => canvas
                .phase(self.row.phase_id)
                .map(|phase| Ok(Phase::from_canvas(phase, canvas))),
            None => into_node(load(ctx, self.row.phase_id)).await,
        }
    }

    /// The KPIs that judge it, as of today, in the order of creation.
    async fn kpis(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<KpiLink>> {
        match &self.canvas {
            Some(canvas) => Ok(list_judged_links(
                canvas,
                canvas.kpi_links_of_touchpoint(self.row.id),
            )),
            None => load_kpi_links(ctx, KpisJudgingTouchpoint(self.row.id)).await,
        }
    }

    /// Its responsibilities that are PROPOSED or ACCEPTED, in the order of creation.
    async fn responsibilities(
        &self,
        ctx: &Context<'_>,
    ) -> Result<BudgetChargedList<Responsibility>> {
        if let Some(canvas) = &self.canvas {
            let rows = canvas.responsibilities_of_touchpoint(self.row.id);
            let rows = rows
                .iter()
                .map(|row| Responsibility::from_canvas(row, canvas));
            return Ok(meter::metered_list(rows));
        }
        let rows = load(ctx, ResponsibilitiesAt(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::metered_list(rows.iter().cloned()))
    }
}

impl Transition {
    async fn load_side_touchpoint(
        &self,
        ctx: &Context<'_>,
        side: Option<TouchpointId>,
    ) -> Option<Result<Touchpoint>> {
        let id = side?;
        match &self.canvas {
            Some(canvas) => canvas
                .touchpoint(id)
                .map(|row| Ok(Touchpoint::from_canvas(row, canvas))),
            None => into_node(load(ctx, id)).await,
        }
    }
}

#[ComplexObject]
impl Transition {
    /// The touchpoint that it leads from; null where it comes from an end.
    async fn from(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        self.load_side_touchpoint(ctx, self.row.from_touchpoint_id)
            .await
    }

    /// The touchpoint that it leads to; null where it leads to an end.
    async fn to(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        self.load_side_touchpoint(ctx, self.row.to_touchpoint_id)
            .await
    }
}
