//! Probes whether the database works, on connections that nothing else uses: however busy the other pools are, that is
//! no trouble.

use std::{
    collections::BTreeSet,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use tokio::{sync::Mutex, time::timeout};

use super::{
    pool::Pool,
    transaction::{CommitError, Transaction},
    wal::{WalBrokenReason, WalSyncer},
};
use crate::error::database::{FailureKind, sqlx_cause};

/// How long an answer is reused, so that probes cost the database next to nothing.
const HOLDS: Duration = Duration::from_secs(1);
/// Longest wait for the database.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest wait of whoever asks, including those who asked before.
const ANSWER: Duration = Duration::from_secs(5);

/// A reason why the database cannot be read or written. Its `Display` is the sentence for whoever runs the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer.
    Silent,
    /// This number of migrations is pending.
    Pending(usize),
    /// A newer version has migrated it.
    Newer,
    /// It takes no writes: a standby of PostgreSQL.
    ReadOnly,
    /// The file of SQLite or its log is gone, or is another one than was opened.
    FileGone,
    /// The last write could not be kept, and trying again does not help yet: the disk is full or broken.
    Unwritable,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("The database does not answer."),
            Self::Pending(count) => write!(
                f,
                "{count} migrations are pending: run `cx-blueprint migrate up`."
            ),
            Self::Newer => f.write_str(
                "A newer version has migrated the database: stop this server and start the newer one.",
            ),
            Self::ReadOnly => f.write_str("The database takes no writes."),
            Self::FileGone => f.write_str(
                "The database's file is gone or was replaced: put it back and restart the server.",
            ),
            Self::Unwritable => {
                f.write_str("The database cannot keep what is written: look at its disk.")
            }
        }
    }
}

/// Probes the database, at most once a second.
#[derive(Debug)]
pub(super) struct Probe {
    reader: Pool,
    writer: Pool,
    wal: Option<Arc<WalSyncer>>,
    last: Mutex<Option<(Instant, Option<Trouble>)>>,
}

impl Probe {
    pub(super) fn new(reader: Pool, writer: Pool, wal: Option<Arc<WalSyncer>>) -> Self {
        Self {
            reader,
            writer,
            wal,
            last: Mutex::new(None),
        }
    }

    /// Probes, or returns what was found within the last second. Always answers within five seconds.
    pub(super) async fn find_trouble(&self) -> Option<Trouble> {
        let seen = timeout(ANSWER, self.probe_unless_recent()).await;
        seen.unwrap_or(Some(Trouble::Silent))
    }

    async fn probe_unless_recent(&self) -> Option<Trouble> {
        // Held while the database is asked: who comes meanwhile waits for that answer instead of asking as well.
        let mut last = self.last.lock().await;
        if let Some((at, seen)) = &*last
            && at.elapsed() < HOLDS
        {
            return seen.clone();
        }
        let seen = self.probe_database().await.err();
        *last = Some((Instant::now(), seen.clone()));
        seen
    }

    pub(super) async fn close(&self) {
        self.reader.close().await;
    }

    /// The time by the database's clock; none on SQLite, which has none but the machine's.
    pub(super) async fn read_clock(&self) -> Result<Option<DateTime<Utc>>, DbErr> {
        let backend = self.reader.get_database_backend();
        if backend != DbBackend::Postgres {
            return Ok(None);
        }
        let asked = Statement::from_string(backend, "SELECT clock_timestamp()");
        let row = self.reader.query_one_raw(asked).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    }

    async fn probe_database(&self) -> Result<(), Trouble> {
        // Before anything is read: SQLite still answers from a file that was removed, as the descriptor keeps it
        // alive.
        match self.wal.as_ref().and_then(|wal| wal.broken_reason()) {
            Some(WalBrokenReason::Moved) => return Err(Trouble::FileGone),
            Some(WalBrokenReason::Disk) => return Err(Trouble::Unwritable),
            None => {}
        }
        match timeout(PATIENCE, self.check_readable_and_migrated()).await {
            Ok(Ok(read)) => read?,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database does not answer");
                return Err(Trouble::Silent);
            }
            Err(_) => {
                tracing::warn!("the database does not answer in time");
                return Err(Trouble::Silent);
            }
        }
        // Writes that succeed say so by themselves: only after one that failed is one tried.
        match self.writer.is_disk_refusing_writes() {
            true => self.try_write().await,
            false => Ok(()),
        }
    }

    async fn check_readable_and_migrated(&self) -> Result<Result<(), Trouble>, DbErr> {
        let backend = self.reader.get_database_backend();
        let applied = Statement::from_string(backend, "SELECT version FROM seaql_migrations");
        let applied = self.reader.query_all_raw(applied).await?;
        let applied: Result<BTreeSet<String>, DbErr> =
            applied.iter().map(|row| row.try_get_by_index(0)).collect();
        let applied = applied?;
        let pending = migration::count_unapplied(&applied);
        if pending > 0 {
            return Ok(Err(Trouble::Pending(pending)));
        }
        if migration::is_newer(&applied) {
            return Ok(Err(Trouble::Newer));
        }
        if backend == DbBackend::Postgres {
            let standby = Statement::from_string(backend, "SELECT pg_is_in_recovery()");
            let standby = self.reader.query_one_raw(standby).await?;
            if standby.is_some_and(|row| row.try_get_by_index(0).unwrap_or(false)) {
                return Ok(Err(Trouble::ReadOnly));
            }
        }
        Ok(Ok(()))
    }

    /// Commits a write of one row. Where the writer is busy, whoever writes will find out instead.
    async fn try_write(&self) -> Result<(), Trouble> {
        let begun = timeout(
            PATIENCE,
            Transaction::begin_write(&self.writer, self.wal.clone()),
        );
        let tx = match begun.await {
            Ok(Ok(tx)) => tx,
            Ok(Err(error)) => return classify_write_error(&error),
            // No turn within the time means that somebody else is writing, which shows that it can be done.
            Err(_) => return Ok(()),
        };
        let kept = async {
            let touch = "UPDATE fixed_row SET touched = 1 - touched WHERE name = 'probe'";
            let touched = tx.execute_unprepared(touch).await;
            touched.map_err(CommitError::NotKept)?;
            tx.commit().await
        };
        match timeout(PATIENCE, kept).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(CommitError::NotKept(error))) => classify_write_error(&error),
            Ok(Err(CommitError::Unknown(_))) | Err(_) => Err(Trouble::Unwritable),
        }
    }
}

/// Whether a write that failed is trouble: being busy is none.
fn classify_write_error(error: &DbErr) -> Result<(), Trouble> {
    match sqlx_cause(error).map(FailureKind::classify) {
        Some(FailureKind::Unwritable) => Err(Trouble::Unwritable),
        _ => Ok(()),
    }
}
