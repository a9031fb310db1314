//! The edges of templates.

use async_graphql::{ComplexObject, Context};

use super::super::permissions;
use crate::{error::Result, payload::caller, policy::Action, template::graphql::Template};

#[ComplexObject]
impl Template {
    /// What you may do to it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::of_catalogue(caller(ctx)?))
    }
}
