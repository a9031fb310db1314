//! What one request of GraphQL may take: bytes, time, and the guard's limits.

use std::time::Duration;

use graphql_guard::{Limits, SchemaTypes};

use crate::graph::types::SCHEMA_TYPES;

/// What one request may take.
#[derive(Clone, Copy, Debug)]
pub struct GraphqlSettings {
    pub limits: Limits,
    /// The types that documents are held against.
    pub types: &'static SchemaTypes,
    /// Bytes of the body of a POST.
    pub body: usize,
    /// For a body to arrive, here and where people sign in.
    pub arrival: Duration,
    /// For the operation to run.
    pub deadline: Duration,
}

impl Default for GraphqlSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            types: &SCHEMA_TYPES,
            body: 1024 * 1024,
            arrival: Duration::from_secs(10),
            deadline: Duration::from_secs(10),
        }
    }
}
