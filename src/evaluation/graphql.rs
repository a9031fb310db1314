//! Evaluations in the API: what they show of themselves, and what people do to them.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{
    evaluation, persona_need,
    words::{Messages, Verdict},
};

use super::{EvaluationCreateInput, EvaluationUpdateInput};
use crate::{
    account::authorship::Authorship,
    error::Result,
    input::{self, AtVersionInput},
    payload,
    payload::{caller, into_node, mutation_caller},
    persona::graphql::PersonaNeed,
    scalar::Date,
};

/// A test of a touchpoint against the needs of the persona.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Evaluation {
    /// The object's id.
    pub id: ID,
    /// The day.
    pub held_on: Date,
    /// Name of the person who tested it; null where `byAccount` is set.
    pub by_name: Option<String>,
    /// Whether the messages there agree with those elsewhere; null if nobody checked.
    pub messages: Option<Messages>,
    /// Description of the conflict.
    pub conflict: Option<String>,
    /// A note.
    pub note: Option<String>,
    /// Version number: rises with every change of the evaluation or its verdicts. Send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: evaluation::Model,
}

impl From<evaluation::Model> for Evaluation {
    fn from(row: evaluation::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            held_on: Date(row.held_on),
            by_name: row.by_name.clone(),
            messages: row.messages,
            conflict: row.conflict.clone(),
            note: row.note.clone(),
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
        }
    }
}

/// The verdict on one need.
#[derive(SimpleObject)]
pub struct NeedVerdict {
    /// The need.
    pub need: PersonaNeed,
    /// Whether the touchpoint meets the need.
    pub verdict: Verdict,
}

impl From<(persona_need::Model, Verdict)> for NeedVerdict {
    fn from((need, verdict): (persona_need::Model, Verdict)) -> Self {
        let need = need.into();
        Self { need, verdict }
    }
}

/// Reading evaluations.
#[derive(Default)]
pub struct EvaluationQuery;

#[Object]
impl EvaluationQuery {
    /// An evaluation by id.
    async fn evaluation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<Evaluation>> {
        into_node(async {
            caller(ctx)?
                .get::<evaluation::Entity>(input::parse_id("id", &id)?)
                .await
        })
        .await
    }
}

payload! {
    /// Result of a mutation on an evaluation.
    EvaluationPayload {
        /// The evaluation as it is now; as it was, where it was deleted.
        evaluation: Evaluation of evaluation::Entity
    }
}

/// Changing evaluations.
#[derive(Default)]
pub struct EvaluationMutation;

#[Object]
impl EvaluationMutation {
    /// Creates an evaluation of a touchpoint. Requires: DESCRIBE_TOUCHPOINT.
    async fn evaluation_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: EvaluationCreateInput,
    ) -> Result<EvaluationPayload> {
        let caller = mutation_caller(ctx)?;
        EvaluationPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes the findings, day or author of an evaluation. Requires: DESCRIBE_TOUCHPOINT.
    async fn evaluation_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: EvaluationUpdateInput,
    ) -> Result<EvaluationPayload> {
        let caller = mutation_caller(ctx)?;
        EvaluationPayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Deletes an evaluation. Requires: DESCRIBE_TOUCHPOINT.
    async fn evaluation_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<EvaluationPayload> {
        let caller = mutation_caller(ctx)?;
        EvaluationPayload::from_result(&caller, super::delete(&caller, &input).await).await
    }
}
