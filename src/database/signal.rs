//! How a statement is told from outside that nobody waits for it any more.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI32, Ordering},
};

use super::charge::Charge;

/// What reaches the statement that runs at one place, on either database.
#[derive(Debug, Default)]
pub(super) struct Signal {
    /// SQLite looks here while it works.
    stop: AtomicBool,
    /// The process of PostgreSQL that works here.
    process: AtomicI32,
    /// Who pays for what SQLite does here.
    charge: Mutex<Charge>,
}

impl Signal {
    /// Whether a statement should go on; asked again and again while it does, and paid for each time.
    pub(super) fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && self.charge().look()
    }

    /// The next statement is another one, which somebody waits for.
    pub(super) fn clear(&self) {
        self.stop.store(false, Ordering::Relaxed);
    }

    /// Somebody else pays from now on.
    pub(super) fn pay(&self, charge: &Charge) {
        self.charge().clone_from(charge);
    }

    fn charge(&self) -> MutexGuard<'_, Charge> {
        self.charge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// PostgreSQL works here in this process.
    pub(super) fn is_of(&self, process: i32) {
        self.process.store(process, Ordering::Relaxed);
    }

    /// Asks the statement to end. SQLite sees it for itself; the process of PostgreSQL that is given has to be told by way
    /// of another connection.
    pub(super) fn stop(&self) -> i32 {
        self.stop.store(true, Ordering::Relaxed);
        self.process.load(Ordering::Relaxed)
    }
}
