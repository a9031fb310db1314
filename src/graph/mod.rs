//! The roof: the roots of the graph and its limits, and the edges that join two slices.

mod edges;
pub mod loaders;

use async_graphql::{EmptySubscription, MergedObject, Schema};

use crate::{
    blueprint::graphql::{BlueprintMutation, BlueprintQuery},
    responsibility::graphql::{ResponsibilityMutation, ResponsibilityQuery},
    touchpoint::graphql::{TouchpointMutation, TouchpointQuery},
};

/// What can be asked.
#[derive(Default, MergedObject)]
pub struct Query(BlueprintQuery, TouchpointQuery, ResponsibilityQuery);

/// What can be done.
#[derive(Default, MergedObject)]
pub struct Mutation(
    BlueprintMutation,
    TouchpointMutation,
    ResponsibilityMutation,
);

/// The schema.
pub type Api = Schema<Query, Mutation, EmptySubscription>;

/// What a document may cost; the largest picture of a blueprint is let through.
const COMPLEXITY: usize = 20_000;

/// Builds the schema with its limits.
#[must_use]
pub fn schema() -> Api {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .limit_complexity(COMPLEXITY)
        .finish()
}
