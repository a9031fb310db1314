//! The roof: the roots of the graph and its limits, and the edges that join two slices.

mod edges;

use async_graphql::{EmptySubscription, MergedObject, Schema};

use crate::blueprint::graphql::{BlueprintMutation, BlueprintQuery};

/// What can be asked.
#[derive(Default, MergedObject)]
pub struct Query(BlueprintQuery);

/// What can be done.
#[derive(Default, MergedObject)]
pub struct Mutation(BlueprintMutation);

/// The schema.
pub type Api = Schema<Query, Mutation, EmptySubscription>;

/// Builds the schema with its limits.
#[must_use]
pub fn schema() -> Api {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription).finish()
}
