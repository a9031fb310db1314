//! The edges of what is known of a journey: insights and their sources, promises, evaluations, improvements,
//! findings.

use async_graphql::{ComplexObject, Context};

use super::{
    super::{
        loaders::{AboutKpis, AboutTouchpoints, DeliveredAt, SourcesOf, VerdictsOf},
        permissions,
    },
    listed,
};
use crate::{
    account::graphql::Account,
    batch::load,
    blueprint::graphql::{Blueprint, Phase},
    department::graphql::Department,
    error::Result,
    evaluation::graphql::{Evaluation, NeedVerdict},
    finding::graphql::{Dismissal, Finding},
    improvement::graphql::Improvement,
    insight::graphql::{Insight, Source},
    kpi::graphql::Kpi,
    meter::{self, Listed},
    payload::{caller, found},
    persona::graphql::Persona,
    policy::Action,
    promise::graphql::Promise,
    touchpoint::graphql::Touchpoint,
};

#[ComplexObject]
impl Insight {
    /// The blueprint of which it is known.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        found(load(ctx, self.row.blueprint_id)).await
    }

    /// The phase of which it is known as a whole; null for a touchpoint or a whole blueprint.
    async fn phase(&self, ctx: &Context<'_>) -> Option<Result<Phase>> {
        found(load(ctx, self.row.phase_id?)).await
    }

    /// The touchpoint at which it is known; null for a phase or a whole blueprint.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        found(load(ctx, self.row.touchpoint_id?)).await
    }

    /// The persona that it is known of; null for all.
    async fn persona(&self, ctx: &Context<'_>) -> Option<Result<Persona>> {
        found(load(ctx, self.row.persona_id?)).await
    }

    /// The sources that it rests on, in order.
    async fn sources(&self, ctx: &Context<'_>) -> Result<Listed<Source>> {
        listed(ctx, SourcesOf(self.row.id)).await
    }

    /// Of a QUESTION: the insight that answers it; null while it is open.
    async fn answered_by(&self, ctx: &Context<'_>) -> Option<Result<Insight>> {
        found(load(ctx, self.row.answered_by_id?)).await
    }
}

#[ComplexObject]
impl Source {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        found(load(ctx, self.row.blueprint_id)).await
    }
}

/// Of the touchpoints that were listed, those that are not archived.
fn living(rows: &[entity::touchpoint::Model]) -> Listed<Touchpoint> {
    let living = rows.iter().filter(|row| row.archived_at.is_none());
    meter::listed(living.cloned())
}

#[ComplexObject]
impl Promise {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        found(load(ctx, self.row.blueprint_id)).await
    }

    /// The touchpoint at which it is made.
    async fn made_at(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        found(load(ctx, self.row.touchpoint_id)).await
    }

    /// The touchpoints at which it is delivered, in order; archived ones are left out.
    async fn delivered_at(&self, ctx: &Context<'_>) -> Result<Listed<Touchpoint>> {
        let rows = load(ctx, DeliveredAt(self.row.id)).await?;
        Ok(living(&rows.unwrap_or_default()))
    }
}

#[ComplexObject]
impl Evaluation {
    /// The touchpoint that was tried.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        found(load(ctx, self.row.touchpoint_id)).await
    }

    /// The account of who tried it; null where `byName` says who did, and where you may not see it.
    async fn by_account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        found(load(ctx, self.row.by_account_id?)).await
    }

    /// How it meets the needs that were looked at, in order.
    async fn verdicts(&self, ctx: &Context<'_>) -> Result<Listed<NeedVerdict>> {
        listed(ctx, VerdictsOf(self.row.id)).await
    }

    /// The touchpoint that says something else; null where messages are not CONFLICTING.
    async fn conflicts_with(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        found(load(ctx, self.row.conflicts_with_id?)).await
    }
}

#[ComplexObject]
impl Improvement {
    /// What you may do to it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::of_improvement(caller(ctx)?, &self.row))
    }

    /// The blueprint whose journey it improves.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        found(load(ctx, self.row.blueprint_id)).await
    }

    /// The department that takes care of it.
    async fn owner_department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        found(load(ctx, self.row.owner_department_id)).await
    }

    /// The touchpoints that it is about, in order; archived ones are left out.
    async fn touchpoints(&self, ctx: &Context<'_>) -> Result<Listed<Touchpoint>> {
        let rows = load(ctx, AboutTouchpoints(self.row.id)).await?;
        Ok(living(&rows.unwrap_or_default()))
    }

    /// The KPIs that tell whether it works, in order.
    async fn kpis(&self, ctx: &Context<'_>) -> Result<Listed<Kpi>> {
        listed(ctx, AboutKpis(self.row.id)).await
    }
}

#[ComplexObject]
impl Finding {
    /// That somebody dismissed it; null where nobody did.
    async fn dismissed(&self) -> Option<Dismissal> {
        let row = self.told.dismissed.clone()?;
        Some(Dismissal {
            reason: row.reason.clone()?,
            at: row.dismissed_at?,
            row,
        })
    }
}

#[ComplexObject]
impl Dismissal {
    /// Who did; null for the command line, and where you may not see it.
    async fn by(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        found(load(ctx, self.row.dismissed_by_id?)).await
    }
}
