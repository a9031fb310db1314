//! Tasks that end with whoever waits for them. Admitted requests run like this, on other threads than those that
//! accept, read and refuse, so that a refusal, or a probe, does not wait behind the work of others.

use std::{any::Any, future::pending, panic::resume_unwind};

use futures_util::future::BoxFuture;
use tokio::{runtime::Handle, task::JoinSet};
use tracing::Instrument;

/// A result whose type is forgotten until it has left the task.
type AnyResult = Box<dyn Any + Send>;

/// A runtime to run tasks on; a clone is the same one.
#[derive(Clone, Debug)]
pub struct TaskRuntime(Handle);

impl TaskRuntime {
    /// The runtime of the caller.
    #[must_use]
    pub fn current() -> Self {
        Self(Handle::current())
    }

    /// Runs work in a task of its own. When this future is dropped, the task is aborted; `tokio::spawn` would let it go
    /// on. A panic of the work is resumed here.
    pub async fn run_while_awaited<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let work = async move { Box::new(work.await) as AnyResult };
        match self
            .run_boxed_while_awaited(Box::pin(work))
            .await
            .downcast()
        {
            Ok(result) => *result,
            // It is of no other type than the one that was boxed above.
            Err(_) => pending().await,
        }
    }

    /// Not generic, so that what tokio compiles for a task exists once, and not for each of a hundred kinds of work.
    async fn run_boxed_while_awaited(&self, work: BoxFuture<'static, AnyResult>) -> AnyResult {
        // A set of one: it ends its task when it is dropped.
        let mut task = JoinSet::new();
        task.spawn_on(work.in_current_span(), &self.0);
        match task.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            // The process ends: nobody is answered any more.
            _ => pending().await,
        }
    }
}
