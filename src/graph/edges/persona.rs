//! The edges of personas.

use async_graphql::{ComplexObject, Context};

use super::super::{
    loaders::{NeedsOf, SegmentsOf},
    permissions,
    view::{self as shown, ContactPressure},
};
use crate::{
    batch::load,
    error::Result,
    meter::{self, Listed},
    payload::caller,
    persona::graphql::{Persona, PersonaNeed, Segment},
    policy::Action,
};

#[ComplexObject]
impl Persona {
    /// What the persona needs, in order.
    async fn needs(&self, ctx: &Context<'_>) -> Result<Listed<PersonaNeed>> {
        let rows = match &self.known_needs {
            Some(needs) => needs.clone(),
            None => Vec::clone(&load(ctx, NeedsOf(self.row.id)).await?.unwrap_or_default()),
        };
        Ok(meter::listed(rows))
    }

    /// The segments that the persona stands for, in order.
    async fn segments(&self, ctx: &Context<'_>) -> Result<Listed<Segment>> {
        let rows = load(ctx, SegmentsOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::listed(rows.iter().cloned()))
    }

    /// How often a month it is contacted in all journeys that you may read and that are CURRENT and are or were
    /// published, as their main persona or another. Contacts that the customer begins are left out.
    #[graphql(complexity = "20 * child_complexity")]
    async fn contact_pressure(&self, ctx: &Context<'_>) -> Result<ContactPressure> {
        shown::contact_pressure(ctx, &self.row).await
    }

    /// What you may do to it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::of_catalogue(caller(ctx)?))
    }
}
