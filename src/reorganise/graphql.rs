//! Reorganising in the API: mutations that change many slices at once.

use async_graphql::{Context, Object};

use super::DepartmentArchiveInput;
use crate::{department::graphql::DepartmentPayload, error::Result, payload::acting};

/// Changing the organisation.
#[derive(Default)]
pub struct ReorganiseMutation;

#[Object]
impl ReorganiseMutation {
    /// Puts a department away. Its successor takes over what it holds: responsibilities are ended and accepted anew
    /// at once, proposals made to it are made to the successor, blueprints and KPIs change owner. Its members stay
    /// and lose what they could do through it. Requires: KEEP_ORGANISATION.
    async fn department_archive(
        &self,
        ctx: &Context<'_>,
        input: DepartmentArchiveInput,
    ) -> Result<DepartmentPayload> {
        let caller = acting(ctx)?;
        DepartmentPayload::answer(&caller, super::archive(&caller, input).await).await
    }
}
