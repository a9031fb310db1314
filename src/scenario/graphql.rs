//! Scenarios in the API: what they show of themselves, and what people do to them.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use entity::{scenario, words::ScenarioKind};

use super::{ScenarioCreateInput, ScenarioUpdateInput};
use crate::{
    account::authorship::Authorship,
    error::Result,
    input::{self, AtVersionInput},
    payload,
    payload::{caller, into_node, mutation_caller},
};

/// A named way through a journey.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Scenario {
    /// The object's id.
    pub id: ID,
    /// Its name, unique in the blueprint.
    pub name: String,
    /// The kind of way.
    pub kind: ScenarioKind,
    /// A note.
    pub note: Option<String>,
    /// Counts its changes, those of its steps included; send it as `expectedVersion`.
    pub version: i32,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    #[graphql(flatten)]
    pub authorship: Authorship,
    #[graphql(skip)]
    pub row: scenario::Model,
}

impl From<scenario::Model> for Scenario {
    fn from(row: scenario::Model) -> Self {
        Self {
            id: ID(row.id.to_string()),
            name: row.name.clone(),
            kind: row.kind,
            note: row.note.clone(),
            version: row.version,
            created_at: row.created_at,
            authorship: Authorship::of(row.id.0, row.created_at),
            row,
        }
    }
}

/// Reading scenarios.
#[derive(Default)]
pub struct ScenarioQuery;

#[Object]
impl ScenarioQuery {
    /// A scenario by id.
    async fn scenario(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Option<Result<Scenario>> {
        into_node(async {
            caller(ctx)?
                .get::<scenario::Entity>(input::parse_id("id", &id)?)
                .await
        })
        .await
    }
}

payload! {
    /// Result of a mutation on a scenario.
    ScenarioPayload {
        /// The scenario as it is now; as it was, where it was deleted.
        scenario: Scenario of scenario::Entity
    }
}

/// Changing scenarios.
#[derive(Default)]
pub struct ScenarioMutation;

#[Object]
impl ScenarioMutation {
    /// Creates a scenario. Requires: SHAPE_BLUEPRINT.
    async fn scenario_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object to create.")] input: ScenarioCreateInput,
    ) -> Result<ScenarioPayload> {
        let caller = mutation_caller(ctx)?;
        ScenarioPayload::from_result(&caller, super::create(&caller, input).await).await
    }

    /// Changes name, kind, note or steps of a scenario. Requires: SHAPE_BLUEPRINT.
    async fn scenario_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, the version that you read, and new values.")]
        input: ScenarioUpdateInput,
    ) -> Result<ScenarioPayload> {
        let caller = mutation_caller(ctx)?;
        ScenarioPayload::from_result(&caller, super::update(&caller, input).await).await
    }

    /// Deletes a scenario. Requires: SHAPE_BLUEPRINT.
    async fn scenario_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object, and the version that you read.")] input: AtVersionInput,
    ) -> Result<ScenarioPayload> {
        let caller = mutation_caller(ctx)?;
        ScenarioPayload::from_result(&caller, super::delete(&caller, &input).await).await
    }
}
