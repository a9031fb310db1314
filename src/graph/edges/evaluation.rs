//! The edges of evaluations.

use async_graphql::{ComplexObject, Context};

use super::{super::loaders::VerdictsOf, list::load_list};
use crate::{
    account::graphql::Account,
    batch::load,
    error::Result,
    evaluation::graphql::{Evaluation, NeedVerdict},
    meter::BudgetChargedList,
    payload::into_node,
    touchpoint::graphql::Touchpoint,
};

#[ComplexObject]
impl Evaluation {
    /// The touchpoint that was tested.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        into_node(load(ctx, self.row.touchpoint_id)).await
    }

    /// The account that tested it; null where `byName` is set, and where you may not see it.
    async fn by_account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.by_account_id?)).await
    }

    /// The verdict on each need that was checked, in order.
    async fn verdicts(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<NeedVerdict>> {
        load_list(ctx, VerdictsOf(self.row.id)).await
    }

    /// The touchpoint whose messages disagree; null unless `messages` is CONFLICTING.
    async fn conflicts_with(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        into_node(load(ctx, self.row.conflicts_with_id?)).await
    }
}
