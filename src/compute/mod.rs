//! A pool of threads for computing over whole blueprints, off the threads that answer requests, with bounds on what one
//! request may spend and one account may occupy. It knows nothing of blueprints.
//!
//! A request has one [`Budget`] of steps and of bytes. What walks a graph, draws, compares or judges spends from it as
//! it goes, and so does every statement that reads and every list that is answered: thirty aliases share what one has.
//! Work that may take longer than a tenth of a millisecond goes through [`run`], on a pool of one thread fewer than
//! there are cores (one at the least), where accounts take turns. The future of [`run`] that is dropped, because its
//! client has gone or its deadline has passed, stops the work at its next step. Who holds locks that others wait for
//! does not queue: [`run_beside_pool`] has a thread of its own.
//!
//! ```text
//! let view = compute::run(&caller.budget, caller.account(), move |steps| view(&canvas, steps)).await?;
//! ```

mod budget;
mod pool;
#[cfg(test)]
mod tests;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicBool, Ordering},
};

use entity::id::AccountId;
use tokio::{sync::oneshot, task::spawn_blocking};

pub use self::budget::{
    BYTES, Budget, FIELD, ROW_KEPT, ROW_READ, SEARCH, STATEMENT, STEPS, WorkBudget,
};
use self::pool::{ComputePool, Job};
use crate::error::{Error, Result};

/// One pool for the process, as the cores are those of the process.
static POOL: LazyLock<ComputePool> = LazyLock::new(|| ComputePool::start(pool::thread_count()));

/// Sets a flag when it is dropped: nobody waits for the work any more.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs work on the pool, in its account's turn.
///
/// # Errors
/// `Busy` where too much is waiting already, `TooComplex` where the budget is spent.
pub async fn run<T: Send + 'static>(
    budget: &Arc<Budget>,
    account: Option<AccountId>,
    work: impl FnOnce(&WorkBudget) -> Result<T> + Send + 'static,
) -> Result<T> {
    run_on(&POOL, budget, account, work).await
}

/// Runs work at once, on a thread beside the pool: for holders of locks. At most as many run at the same time as there
/// are connections that write.
///
/// # Errors
/// `TooComplex` where the budget is spent.
pub async fn run_beside_pool<T: Send + 'static>(
    budget: &Arc<Budget>,
    work: impl FnOnce(&WorkBudget) -> Result<T> + Send + 'static,
) -> Result<T> {
    let gone = CancelOnDrop(Arc::default());
    let steps = WorkBudget::new(Arc::clone(budget), Arc::clone(&gone.0));
    let result = spawn_blocking(move || work(&steps)).await;
    result.unwrap_or_else(|error| Err(Error::internal(error)))
}

async fn run_on<T: Send + 'static>(
    pool: &ComputePool,
    budget: &Arc<Budget>,
    account: Option<AccountId>,
    work: impl FnOnce(&WorkBudget) -> Result<T> + Send + 'static,
) -> Result<T> {
    // Lives in this future and not in the job: dropped with the future, it tells the job that nobody waits.
    let gone = CancelOnDrop(Arc::default());
    let steps = WorkBudget::new(Arc::clone(budget), Arc::clone(&gone.0));
    let (done, result) = oneshot::channel();
    let job: Job = Box::new(move || {
        // Work whose client went away while it waited costs nothing.
        let result = steps.spend(0).and_then(|()| work(&steps));
        // It fails where the client has gone meanwhile: then nobody misses the result.
        done.send(result).ok();
    });
    pool.submit(account, job)?;
    // Work that ends without a word has panicked; the pool has said so in the log.
    let result = result.await;
    result.unwrap_or_else(|_| Err(Error::internal("work on the pool broke off")))
}
