//! Publications in the API: what they show of themselves, and publishing, restoring, copying, comparing.

use async_graphql::{Context, ID, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    id::{BlueprintId, PublicationId},
    publication,
};
use sea_orm::{ColumnTrait, QueryFilter};

use super::{
    BlueprintCopyInput, BlueprintPublishInput, BlueprintRestoreInput, BlueprintVersion,
    diff_versions,
};
use crate::{
    access::Caller,
    blueprint::graphql::BlueprintPayload,
    compute::WorkBudget,
    document::graphql::BlueprintChange,
    error::{Error, Result},
    input,
    meter::{BudgetChargedList, metered_list},
    page::{self, ObjectPage, PageArguments},
    payload::{caller, into_node, mutation_caller},
    snapshot,
};

/// A kept state of a blueprint: as it was published, or as it was before a restore replaced it. It never changes.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Publication {
    /// The object's id.
    pub id: ID,
    /// Its number, from 1; null for a state kept before a restore.
    pub number: Option<i32>,
    /// Its name.
    pub label: Option<String>,
    /// The revision of the blueprint that it keeps.
    pub revision: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Without its document, which is read when it is asked for.
    #[graphql(skip)]
    pub row: publication::Model,
}

impl From<publication::Model> for Publication {
    fn from(row: publication::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            number: row.number,
            label: row.label.clone(),
            revision: row.revision,
            created_at: row.created_at,
            row,
        }
    }
}

impl Publication {
    /// The blueprint as it was, as a document.
    pub async fn load_document(&self, caller: &Caller) -> Result<Json<serde_json::Value>> {
        let row = caller.get::<publication::Entity>(self.row.id).await?;
        let row = row.ok_or_else(|| Error::not_found("", "publication"))?;
        let document = row.document;
        caller.budget.count_answer_bytes(document.len() as u64)?;
        let parse = move |_: &WorkBudget| serde_json::from_str(&document).map_err(Error::internal);
        caller.run_on_compute_pool(parse).await.map(Json)
    }
}

/// Reading publications.
#[derive(Default)]
pub struct PublicationQuery;

#[Object]
impl PublicationQuery {
    /// A publication by id.
    async fn publication(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<Publication>> {
        into_node(async {
            let id: PublicationId = input::parse_id("id", &id)?;
            let caller = caller(ctx)?;
            let which = publication::Column::Id.eq(id);
            let select = caller.select::<publication::Entity>().filter(which);
            let select = super::select_without_document(select);
            Ok(select.one(caller.connection()).await?)
        })
        .await
    }

    /// The publications of a blueprint, including states kept before a restore, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn publications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The blueprint's id.")] blueprint_id: ID,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<Publication>> {
        let caller = caller(ctx)?;
        let blueprint: BlueprintId = input::parse_id("blueprintId", &blueprint_id)?;
        let select = caller.select::<publication::Entity>();
        let select = select.filter(publication::Column::BlueprintId.eq(blueprint));
        let select = super::select_without_document(select);
        page::page_oldest_first(
            ctx,
            select,
            PageArguments { first, after },
            Publication::from,
        )
        .await
    }

    /// The differences between two states of a blueprint, or between a blueprint and a copy of it; parts of the copy
    /// are compared with their originals.
    #[graphql(complexity = "2 * snapshot::COST + 20 * child_complexity")]
    async fn blueprint_diff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The older state.")] from: BlueprintVersion,
        #[graphql(desc = "The newer state.")] to: BlueprintVersion,
    ) -> Result<BudgetChargedList<BlueprintChange>> {
        let changes = diff_versions(caller(ctx)?, &from, &to).await?;
        Ok(metered_list(changes))
    }
}

/// Leading a blueprint through its life, where it leaves something behind.
#[derive(Default)]
pub struct PublicationMutation;

#[Object]
impl PublicationMutation {
    /// Publishes a blueprint, or its changes since the latest publication: `publishedNumber` rises, and the current
    /// state is kept as a publication. Refused while findings of severity ERROR are open; the errors name them.
    /// Requires: GOVERN_BLUEPRINT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn blueprint_publish(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The blueprint, the version that you read, and a label.")]
        input: BlueprintPublishInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(&caller, super::publish(&caller, input).await).await
    }

    /// Restores a blueprint to the state of a publication, and keeps the replaced state as another publication.
    /// Responsibilities, owner and visibility stay as they are now. Requires: GOVERN_BLUEPRINT.
    #[graphql(complexity = "4 * snapshot::COST + child_complexity")]
    async fn blueprint_restore(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The blueprint, the version that you read, and the publication to restore."
        )]
        input: BlueprintRestoreInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(&caller, super::restore(&caller, input).await).await
    }

    /// Copies a blueprint into a FUTURE draft, in which to design the journey as it should become. Requires:
    /// SHAPE_BLUEPRINT.
    #[graphql(complexity = "4 * snapshot::COST + child_complexity")]
    async fn blueprint_copy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The blueprint to copy, and the title of the copy.")]
        input: BlueprintCopyInput,
    ) -> Result<BlueprintPayload> {
        let caller = mutation_caller(ctx)?;
        BlueprintPayload::from_result(&caller, super::copy(&caller, input).await).await
    }
}
