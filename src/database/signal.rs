//! How a statement is told from outside that nobody waits for it any more.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::time::timeout;

use super::{charge::Charge, pool::Pool};

/// How long telling PostgreSQL may take.
const TELLING: Duration = Duration::from_secs(2);

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

    /// Ends the statement. PostgreSQL is told by way of another connection, and this says whether it was; SQLite sees for
    /// itself.
    pub(super) async fn stop(&self, signals: Option<&Pool>) -> bool {
        self.stop.store(true, Ordering::Relaxed);
        let Some(signals) = signals else { return true };
        let process = self.process.load(Ordering::Relaxed);
        let cancel = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT pg_cancel_backend($1)",
            [process.into()],
        );
        let error = match timeout(TELLING, signals.query_one_raw(cancel)).await {
            Ok(Ok(_)) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        tracing::warn!(
            error,
            "a statement that nobody waits for could not be cancelled"
        );
        false
    }
}
