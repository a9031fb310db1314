//! The edges of findings, and of their dismissals.

use async_graphql::{ComplexObject, Context};

use crate::{
    account::graphql::Account,
    batch::load,
    error::Result,
    finding::graphql::{Dismissal, Finding},
    payload::into_node,
};

#[ComplexObject]
impl Finding {
    /// Its dismissal; null if it was not dismissed.
    async fn dismissed(&self) -> Option<Dismissal> {
        let row = self.tracked.dismissed.clone()?;
        Some(Dismissal {
            reason: row.reason.clone()?,
            at: row.dismissed_at?,
            row,
        })
    }
}

#[ComplexObject]
impl Dismissal {
    /// The account that dismissed it; null for the command line, and where you may not see it.
    async fn by(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.dismissed_by_id?)).await
    }
}
