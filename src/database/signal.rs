//! The signal by which a running statement is stopped from outside.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI32, Ordering},
};

use super::charge::Charge;

/// The signal of one place in a pool, on either database.
#[derive(Debug, Default)]
pub(super) struct StopSignal {
    /// Whether to stop; SQLite looks here while it works.
    stop: AtomicBool,
    /// The id of the process of PostgreSQL behind the connection.
    process: AtomicI32,
    /// The budget that is charged for SQLite's work.
    charge: Mutex<Charge>,
}

impl StopSignal {
    /// Whether a statement should go on. Called by SQLite about every 50 microseconds, and charged each time.
    pub(super) fn should_continue(&self) -> bool {
        !self.stop.load(Ordering::Relaxed) && self.lock_charge().charge_sqlite_steps()
    }

    /// Takes the signal back, for the next statement.
    pub(super) fn clear(&self) {
        self.stop.store(false, Ordering::Relaxed);
    }

    /// Charges somebody else from now on.
    pub(super) fn charge_to(&self, charge: &Charge) {
        self.lock_charge().clone_from(charge);
    }

    fn lock_charge(&self) -> MutexGuard<'_, Charge> {
        self.charge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the process of PostgreSQL behind the connection.
    pub(super) fn set_process(&self, process: i32) {
        self.process.store(process, Ordering::Relaxed);
    }

    /// Asks the statement to end. SQLite sees that by itself; the process of PostgreSQL that is returned has to be
    /// cancelled on another connection.
    pub(super) fn stop(&self) -> i32 {
        self.stop.store(true, Ordering::Relaxed);
        self.process.load(Ordering::Relaxed)
    }
}
