//! Improvements in the API: what they show of themselves, and what people do to them.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{improvement, words::ImprovementState};

use super::{ImprovementCreateInput, ImprovementUpdateInput};
use crate::{
    account::authorship::Authorship,
    error::Result,
    input::{AtVersionInput, ByInside},
    payload,
    payload::{caller, into_node, mutation_caller},
    scalar::Date,
};

/// An improvement, planned or made: a recommendation or an initiative.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Improvement {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the blueprint.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Description of the work.
    pub description: Option<String>,
    /// Impact, from 1 (least) to 5 (most); null if not estimated.
    pub impact: Option<i32>,
    /// Effort, from 1 (least) to 5 (most); null if not estimated.
    pub effort: Option<i32>,
    /// Its state.
    pub state: ImprovementState,
    /// The result; never null once it is DONE or DROPPED.
    pub result: Option<String>,
    /// The target day for completion.
    pub target_on: Option<Date>,
    /// Counts its changes, those of its touchpoints and KPIs included; send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: improvement::Model,
}

impl From<improvement::Model> for Improvement {
    fn from(row: improvement::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key.clone(),
            title: row.title.clone(),
            description: row.description.clone(),
            impact: row.impact,
            effort: row.effort,
            state: row.state,
            result: row.result.clone(),
            target_on: row.target_on.map(Date),
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
        }
    }
}

/// Reading improvements.
#[derive(Default)]
pub struct ImprovementQuery;

#[Object]
impl ImprovementQuery {
    /// An improvement by id, or by its blueprint's key and its own.
    async fn improvement(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id, or its blueprint's key and its own.")] by: ByInside,
    ) -> Option<Result<Improvement>> {
        into_node(async {
            caller(ctx)?
                .get_inside_blueprint::<improvement::Entity>(&by)
                .await
        })
        .await
    }
}

payload! {
    /// Result of a mutation on an improvement.
    ImprovementPayload {
        /// The improvement as it is now; as it was, where it was deleted.
        improvement: Improvement of improvement::Entity
    }
}

/// Changing improvements.
#[derive(Default)]
pub struct ImprovementMutation;

#[Object]
impl ImprovementMutation {
    /// Creates an improvement. Requires: KEEP_IMPROVEMENTS.
    async fn improvement_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: ImprovementCreateInput,
    ) -> Result<ImprovementPayload> {
        let caller = mutation_caller(ctx)?;
        ImprovementPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes an improvement: its texts, state, touchpoints, KPIs or owner. Transferring it to another department
    /// requires the permission in both. Requires: KEEP_IMPROVEMENTS.
    async fn improvement_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: ImprovementUpdateInput,
    ) -> Result<ImprovementPayload> {
        let caller = mutation_caller(ctx)?;
        ImprovementPayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Deletes an improvement. Requires: KEEP_IMPROVEMENTS.
    async fn improvement_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<ImprovementPayload> {
        let caller = mutation_caller(ctx)?;
        ImprovementPayload::from_result(&caller, super::delete(&caller, &input).await).await
    }
}
