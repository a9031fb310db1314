//! What one request may still spend: steps of work, and bytes of its answer. It counts and refuses, and does nothing.

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
pub const PULL: u64 = 8 * STEPS;

/// Steps of one row that the database gives.
pub const LOADED: u64 = 100;

/// Steps of keeping one row of a whole blueprint in memory, beside reading it.
pub const ROW: u64 = 300;

/// Steps of resolving one field of one object: some of it is memory, which is scarcer than time.
pub const FIELD: u64 = 30;

/// Steps of one statement, whatever it reads.
pub const STATEMENT: u64 = 4_000;

/// Steps of one search by words, or of one scorecard, beside its statements: they go through much.
pub const SEARCH: u64 = 25 * STATEMENT;

/// Whole blueprints that one request reads at the same time, so that it never takes all connections that read.
const LOADS_AT_ONCE: usize = 2;

/// What a request has spent. Made for each request, shared by all that it does.
#[derive(Debug)]
pub struct Budget {
    steps: AtomicU64,
    bytes: AtomicU64,
    most_steps: u64,
    most_bytes: u64,
    loads: Semaphore,
    /// What is said once the steps are spent.
    refusal: &'static str,
    /// Whether the steps are those of one piece of an answer, and come anew with the next.
    by_piece: bool,
}

/// Of a document of the API.
const OF_DOCUMENTS: &str = "This takes more work than one request may ask for. Ask for less at once: fewer objects \
    (`first: 20`), fewer aliases, a smaller part of the blueprint.";

/// Of flat rows.
const OF_ROWS: &str = "This takes more work than one request for rows may ask for. Ask for less at once: fewer days, a \
    filter of fewer terms, no order but the dataset's own.";

impl Default for Budget {
    fn default() -> Self {
        Self::of(STEPS, BYTES)
    }
}

impl Budget {
    /// So many steps and bytes.
    #[must_use]
    pub fn of(steps: u64, bytes: u64) -> Self {
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

    /// For one page of flat rows.
    #[must_use]
    pub fn of_page() -> Self {
        Self {
            refusal: OF_ROWS,
            ..Self::of(PULL, u64::MAX)
        }
    }

    /// For a feed, which is as long as it is: so much for each piece of it.
    #[must_use]
    pub fn of_feed() -> Self {
        Self {
            by_piece: true,
            ..Self::of_page()
        }
    }

    /// For the command line and for what the server does by itself.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::of(u64::MAX, u64::MAX)
    }

    /// Spends steps.
    ///
    /// # Errors
    ///
    /// `TooComplex` once more is spent than there is.
    pub fn spend(&self, steps: u64) -> Result<()> {
        let spent = self.steps.fetch_add(steps, Ordering::Relaxed);
        if spent.saturating_add(steps) <= self.most_steps {
            return Ok(());
        }
        Err(Error::TooComplex(self.refusal.to_owned()))
    }

    /// Counts bytes of the answer.
    ///
    /// # Errors
    ///
    /// `TooComplex` once the answer is larger than one may be.
    pub fn answer(&self, bytes: u64) -> Result<()> {
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

    /// A turn to read a whole blueprint.
    pub async fn load(&self) -> Result<SemaphorePermit<'_>> {
        self.loads.acquire().await.map_err(Error::internal)
    }

    /// Notes that a piece of the answer is done: a feed has as many steps again for the next.
    pub fn renew(&self) {
        if self.by_piece {
            self.steps.fetch_min(0, Ordering::Relaxed);
        }
    }

    /// Steps that were spent.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Bytes of the answer that were counted.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// The budget as one piece of work spends it: it ends, too, when nobody waits for that work any more.
#[derive(Clone, Debug)]
pub struct Steps {
    budget: Arc<Budget>,
    gone: Arc<AtomicBool>,
}

impl Steps {
    pub(super) fn new(budget: Arc<Budget>, gone: Arc<AtomicBool>) -> Self {
        Self { budget, gone }
    }

    /// Of a budget, for work that is done where one is.
    #[must_use]
    pub fn of(budget: &Arc<Budget>) -> Self {
        Self::new(Arc::clone(budget), Arc::default())
    }

    /// Without an end, for what is bounded by what it is.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::of(&Arc::new(Budget::unlimited()))
    }

    /// Takes so many steps.
    ///
    /// # Errors
    ///
    /// `TooComplex` where the budget does not reach, or where nobody waits any more.
    pub fn take(&self, steps: usize) -> Result<()> {
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
