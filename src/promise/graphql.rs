//! Promises in the API: what they show of themselves, and what people do to them.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{promise, words::PromiseState};

use super::{PromiseCreateInput, PromiseUpdateInput};
use crate::{
    account::authorship::Authorship,
    error::Result,
    input::{AtVersionInput, ByInside},
    payload,
    payload::{caller, into_node, mutation_caller},
};

/// A promise to customers, made at a touchpoint.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct CustomerPromise {
    /// The object's id.
    pub id: ID,
    /// Its key, unique in the blueprint.
    pub key: String,
    /// The promise, as a text.
    pub text: String,
    /// Whether the promise is kept.
    pub state: PromiseState,
    /// Counts its changes, those of where it is delivered included; send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: promise::Model,
}

impl From<promise::Model> for CustomerPromise {
    fn from(row: promise::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            key: row.key.clone(),
            text: row.text.clone(),
            state: row.state,
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
        }
    }
}

/// Reading promises.
#[derive(Default)]
pub struct PromiseQuery;

#[Object]
impl PromiseQuery {
    /// A promise by id, or by its blueprint's key and its own.
    async fn promise(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id, or its blueprint's key and its own.")] by: ByInside,
    ) -> Option<Result<CustomerPromise>> {
        into_node(async {
            caller(ctx)?
                .get_inside_blueprint::<promise::Entity>(&by)
                .await
        })
        .await
    }
}

payload! {
    /// Result of a mutation on a promise.
    PromisePayload {
        /// The promise as it is now; as it was, where it was deleted.
        promise: CustomerPromise of promise::Entity
    }
}

/// Changing promises.
#[derive(Default)]
pub struct PromiseMutation;

#[Object]
impl PromiseMutation {
    /// Creates a promise made at a touchpoint. Requires: DESCRIBE_TOUCHPOINT.
    async fn promise_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: PromiseCreateInput,
    ) -> Result<PromisePayload> {
        let caller = mutation_caller(ctx)?;
        PromisePayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes a promise's text, state or delivering touchpoints. Requires: DESCRIBE_TOUCHPOINT.
    async fn promise_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: PromiseUpdateInput,
    ) -> Result<PromisePayload> {
        let caller = mutation_caller(ctx)?;
        PromisePayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Deletes a promise. Requires: DESCRIBE_TOUCHPOINT.
    async fn promise_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<PromisePayload> {
        let caller = mutation_caller(ctx)?;
        PromisePayload::from_result(&caller, super::delete(&caller, &input).await).await
    }
}
