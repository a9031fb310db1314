//! What connections may take: how many there are, and how long their clients may be silent.

use std::time::Duration;

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one peer; the same as in all where the peers are proxies.
    pub of_one_peer: usize,
    /// Time for the head of a request to arrive, from its first byte, or from the connection's own beginning.
    pub head: Duration,
    /// Time without a request under way, or in which a client takes too little of an answer.
    pub idle: Duration,
    /// Bytes that a client takes of an answer within [`Self::idle`], at the least.
    pub least: u64,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            of_one_peer: 256,
            head: Duration::from_secs(10),
            // Longer than the minute for which proxies keep a connection: whoever closes first must not be us.
            idle: Duration::from_secs(75),
            least: 75 * 1024,
        }
    }
}
