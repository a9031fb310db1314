//! The edges of publications, and documents on demand.

use async_graphql::{ComplexObject, Context, Json};
use entity::{blueprint, id::BlueprintId};
use sea_orm::{ColumnTrait, Condition};

use crate::{
    account::graphql::Account,
    batch::load,
    blueprint::graphql::Blueprint,
    compute::WorkBudget,
    document::{blueprint::Document, export::STEPS_PER_ROW},
    error::{Error, Result},
    payload::{caller, into_node},
    publication::graphql::Publication,
    snapshot::WholeBlueprint,
};

/// What is made of a blueprint's document, counted by its bytes.
pub(super) async fn compute_from_document<T: Send + 'static>(
    ctx: &Context<'_>,
    id: BlueprintId,
    make: impl FnOnce(Document) -> Result<(T, usize)> + Send + 'static,
) -> Result<T> {
    let caller = caller(ctx)?;
    let which = Condition::all().add(blueprint::Column::Id.eq(id));
    let snapshot = WholeBlueprint::find(caller, which, caller.today).await?;
    let snapshot = snapshot.ok_or_else(|| Error::not_found("", "blueprint"))?;
    let work = move |steps: &WorkBudget| {
        steps.spend(STEPS_PER_ROW * snapshot.row_count())?;
        let (made, bytes) = make(Document::from_snapshot(&snapshot))?;
        steps.budget().count_answer_bytes(bytes as u64)?;
        Ok(made)
    };
    caller.run_on_compute_pool(work).await
}

#[ComplexObject]
impl Publication {
    /// The blueprint.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.blueprint_id)).await
    }

    /// The account that made it; null for the command line.
    async fn made_by(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.made_by_account_id?)).await
    }

    /// The whole blueprint as a document, as it was.
    #[graphql(complexity = 100)]
    async fn document(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>> {
        self.load_document(caller(ctx)?).await
    }
}
