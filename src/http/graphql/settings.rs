//! What one request of GraphQL may take: bytes, time, and the guard's limits.

use std::time::Duration;

use graphql_guard::Limits;

/// What one request may take.
#[derive(Clone, Copy, Debug)]
pub struct GraphqlSettings {
    pub limits: Limits,
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
            body: 1024 * 1024,
            arrival: Duration::from_secs(10),
            deadline: Duration::from_secs(10),
        }
    }
}
