//! How a statement is told from outside that nobody waits for it any more.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use sqlx::PgPool;

/// What reaches the statement that runs at one place, on either database.
#[derive(Debug, Default)]
pub(super) struct Signal {
    /// SQLite looks here while it works.
    stop: AtomicBool,
    /// The process of PostgreSQL that works here.
    process: AtomicI32,
}

impl Signal {
    /// Whether a statement should go on.
    pub(super) fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// The next statement is another one, which somebody waits for.
    pub(super) fn clear(&self) {
        self.stop.store(false, Ordering::Relaxed);
    }

    /// PostgreSQL works here in this process.
    pub(super) fn is_of(&self, process: i32) {
        self.process.store(process, Ordering::Relaxed);
    }

    /// Ends the statement. PostgreSQL is told by way of another connection.
    pub(super) async fn stop(&self, canceller: Option<&PgPool>) {
        self.stop.store(true, Ordering::Relaxed);
        let Some(canceller) = canceller else { return };
        let process = self.process.load(Ordering::Relaxed);
        let cancel = sqlx::query("SELECT pg_cancel_backend($1)").bind(process);
        if let Err(error) = cancel.execute(canceller).await {
            tracing::warn!(%error, "a statement that nobody waits for could not be cancelled");
        }
    }
}
