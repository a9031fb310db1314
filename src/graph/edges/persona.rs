//! The edges of personas, segments and channels.

use async_graphql::{ComplexObject, Context};

use super::super::{
    loaders::{NeedsOf, SegmentsOf},
    permissions,
    view::{self as shown, ContactPressure},
};
use crate::{
    batch::load,
    error::Result,
    meter::{self, BudgetChargedList},
    payload::caller,
    persona::graphql::{Channel, Persona, PersonaNeed, Segment},
    policy::Action,
};

#[ComplexObject]
impl Persona {
    /// The persona's needs, in order.
    async fn needs(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<PersonaNeed>> {
        let rows = match &self.known_needs {
            Some(needs) => needs.clone(),
            None => Vec::clone(&load(ctx, NeedsOf(self.row.id)).await?.unwrap_or_default()),
        };
        Ok(meter::metered_list(rows))
    }

    /// The segments that the persona represents, in order.
    async fn segments(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Segment>> {
        let rows = load(ctx, SegmentsOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::metered_list(rows.iter().cloned()))
    }

    /// Its contacts a month, in all CURRENT blueprints that are or were published and that you may read, with it as
    /// main or secondary persona; of each, those in its busiest phase. Contacts started by the customer are left out.
    #[graphql(complexity = "20 * child_complexity")]
    async fn contact_pressure(&self, ctx: &Context<'_>) -> Result<ContactPressure> {
        shown::load_contact_pressure(ctx, &self.row).await
    }

    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::on_catalogue(caller(ctx)?))
    }
}

#[ComplexObject]
impl Segment {
    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::on_catalogue(caller(ctx)?))
    }
}

#[ComplexObject]
impl Channel {
    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::on_catalogue(caller(ctx)?))
    }
}
