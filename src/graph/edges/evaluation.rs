//! The edges of evaluations.

use async_graphql::{ComplexObject, Context};

use super::{super::loaders::VerdictsOf, list::listed};
use crate::{
    account::graphql::Account,
    batch::load,
    error::Result,
    evaluation::graphql::{Evaluation, NeedVerdict},
    meter::Listed,
    payload::found,
    touchpoint::graphql::Touchpoint,
};

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
