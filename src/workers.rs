//! Work in tasks of its own that end with whoever waits for them. Requests that were let in are worked on like this, on
//! other threads than those that accept, read and refuse, so that a refusal, or a probe, does not wait behind the work
//! of others.

use std::{future::pending, panic::resume_unwind};

use tokio::{runtime::Handle, task::JoinSet};
use tracing::Instrument;

/// A runtime that works on what others wait for; a copy is the same one.
#[derive(Clone, Debug)]
pub struct Workers(Handle);

impl Workers {
    /// The runtime in which this is called.
    #[must_use]
    pub fn current() -> Self {
        Self(Handle::current())
    }

    /// Works on something there. Dropped before it is done, the work is dropped too.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        // A set of one: it ends its task when it is dropped.
        let mut task = JoinSet::new();
        task.spawn_on(work.in_current_span(), &self.0);
        match task.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            // The process ends: nobody is answered any more.
            _ => pending().await,
        }
    }
}
