//! The budget of one request: steps of work, and bytes of its answer. It counts and refuses.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Error, Result};

/// Steps of one request. A step is about 50 ns of one core: following a transition, comparing two parts.
pub const STEPS: u64 = 10_000_000;

/// Bytes of one answer, without the punctuation of its JSON.
pub const BYTES: u64 = 16 * 1024 * 1024;

/// Steps of one page of flat rows, and of one piece of a feed: programs read much at once, and few may at a time.
const PULL: u64 = 8 * STEPS;

/// Steps of one row returned by the database.
pub const ROW_READ: u64 = 100;

/// Steps of keeping one row of a whole blueprint in memory, beside reading it.
pub const ROW_KEPT: u64 = 300;

/// Steps of resolving one field of one object: some of it is memory, which is scarcer than time.
pub const FIELD: u64 = 30;

/// Steps of one statement, whatever it reads.
pub const STATEMENT: u64 = 4_000;

/// Steps of one search by words, or of one scorecard, beside its statements: they go through much.
pub const SEARCH: u64 = 25 * STATEMENT;

/// Most whole blueprints that one request reads at the same time, so that it never takes all connections that read.
const LOADS_AT_ONCE: usize = 2;

/// The budget of one request, shared by everything that the request does.
#[derive(Debug)]
pub struct Budget {
    steps: AtomicU64,
    bytes: AtomicU64,
    most_steps: u64,
    most_bytes: u64,
    loads: Semaphore,
    /// The sentence for a request whose steps are spent.
    refusal: &'static str,
    /// Whether the steps are renewed with each piece of the answer.
    by_piece: bool,
}

/// The refusal of a GraphQL document.
const OF_DOCUMENTS: &str = "This takes more work than one request may ask for. Ask for less at once: fewer objects \
    (`first: 20`), fewer aliases, a smaller part of the blueprint.";

/// The refusal of a pull of flat rows.
const OF_ROWS: &str = "This takes more work than one request for rows may ask for. Ask for less at once: fewer days, a \
    filter of fewer terms, no order but the dataset's own.";

impl Default for Budget {
    fn default() -> Self {
        Self::new(STEPS, BYTES)
    }
}

impl Budget {
    /// A budget of these steps and bytes.
    #[must_use]
    pub fn new(steps: u64, bytes: u64) -> Self {
        Self {
            steps: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            most_steps: steps,
            most_bytes: bytes,
            loads: Semaphore::new(LOADS_AT_ONCE),
            refusal: OF_DOCUMENTS,
            by_piece: false,
        }
    }

    /// The budget of one page of flat rows.
    #[must_use]
    pub fn for_row_page() -> Self {
        Self {
            refusal: OF_ROWS,
            ..Self::new(PULL, u64::MAX)
        }
    }

    /// The budget of a feed, which may be of any length: that of a page for each piece.
    #[must_use]
    pub fn for_feed() -> Self {
        Self {
            by_piece: true,
            ..Self::for_row_page()
        }
    }

    /// The budget of the command line and of the server's own work.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(u64::MAX, u64::MAX)
    }

    /// Spends steps.
    ///
    /// # Errors
    /// `TooComplex` once they exceed the budget; the first that do count as spent all the same.
    pub fn spend(&self, steps: u64) -> Result<()> {
        // What is asked for after that is not done and not counted: the number stays that of the work.
        if self.spent_steps() <= self.most_steps {
            // Added first and refused after: of many parts that spend at once, comparing before adding would let each
            // through on the same remainder.
            let spent = self.steps.fetch_add(steps, Ordering::Relaxed);
            if spent.saturating_add(steps) <= self.most_steps {
                return Ok(());
            }
        }
        Err(Error::TooComplex(self.refusal.to_owned()))
    }

    /// Gives back what was spent on rows that are no longer kept.
    pub fn give_back_rows(&self, rows: usize) {
        let steps = ROW_KEPT.saturating_mul(rows as u64);
        let left = |spent: u64| Some(spent.saturating_sub(steps));
        // It always gives a number, so that it never fails.
        let _ = self
            .steps
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
    }

    /// Counts bytes of the answer.
    ///
    /// # Errors
    /// `TooComplex` once they exceed the budget.
    pub fn count_answer_bytes(&self, bytes: u64) -> Result<()> {
        let told = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if told.saturating_add(bytes) <= self.most_bytes {
            return Ok(());
        }
        Err(Error::TooComplex(format!(
            "The answer would be larger than {} MiB, the most that one request is answered. Ask for less at once: fewer \
             objects (`first: 20`), fewer long texts.",
            self.most_bytes >> 20
        )))
    }

    /// Waits for a turn to read a whole blueprint, which ends when the permit is dropped.
    pub async fn acquire_blueprint_load_slot(&self) -> Result<SemaphorePermit<'_>> {
        self.loads.acquire().await.map_err(Error::internal)
    }

    /// Renews the steps of a feed, one piece of which is done; does nothing for other budgets.
    pub fn renew_steps_of_feed(&self) {
        if self.by_piece {
            self.steps.store(0, Ordering::Relaxed);
        }
    }

    /// Steps spent so far.
    #[must_use]
    pub fn spent_steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Bytes of the answer counted so far.
    #[must_use]
    pub fn answered_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// The budget in the hands of one piece of work, which also stops when nobody waits for it any more.
#[derive(Clone, Debug)]
pub struct WorkBudget {
    budget: Arc<Budget>,
    gone: Arc<AtomicBool>,
}

impl WorkBudget {
    pub(super) fn new(budget: Arc<Budget>, gone: Arc<AtomicBool>) -> Self {
        Self { budget, gone }
    }

    /// Steps without a bound.
    #[cfg(test)]
    pub(crate) fn unlimited() -> Self {
        Self::new(Arc::new(Budget::unlimited()), Arc::default())
    }

    /// Spends steps.
    ///
    /// # Errors
    /// `TooComplex` where the budget is spent, or nobody waits any more.
    pub fn spend(&self, steps: usize) -> Result<()> {
        if self.gone.load(Ordering::Relaxed) {
            return Err(Error::TooComplex("Nobody waits for this.".to_owned()));
        }
        self.budget.spend(steps as u64)
    }

    /// The budget itself.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }
}
