//! The edges of templates.

use async_graphql::{ComplexObject, Context};

use super::super::permissions;
use crate::{error::Result, payload::caller, policy::Action, template::graphql::Template};

#[ComplexObject]
impl Template {
    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::on_catalogue(caller(ctx)?))
    }
}
