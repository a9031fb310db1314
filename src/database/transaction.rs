//! A transaction on a lease of its own. A statement that fails or is given up ends all of it, and its connection too:
//! nothing is written on a connection whose state is not known. Only the commit is seen through to the end, in a task
//! of its own, whoever still waits for it: a commit cut off half-way would leave nobody knowing what was kept.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::{StreamExt, stream::BoxStream};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, StreamTrait};
use tokio::sync::{Mutex, MutexGuard};
use tracing::Instrument;

use super::{
    charge::Charge,
    kept::KeptInMemory,
    pool::{Lease, Pool},
    wal::WalSyncer,
};
use crate::error::{Error, database::is_certainly_not_committed};

/// An open transaction. Dropped without `commit`, nothing of it happened.
#[derive(Debug)]
pub struct Transaction {
    lease: Mutex<Option<Lease>>,
    backend: DbBackend,
    /// Number of statements that changed something.
    writes: AtomicU64,
    /// Whether it may write.
    to_write: bool,
    /// What is kept in memory of what it reads; none for writing.
    kept: Option<KeptInMemory>,
    /// Syncs a commit of SQLite to the disk; none on PostgreSQL and for reading.
    wal: Option<Arc<WalSyncer>>,
}

impl Transaction {
    /// Begins one that reads the database at one moment: the first statement of a deferred transaction takes the
    /// snapshot on SQLite, and of a REPEATABLE READ one on PostgreSQL.
    pub(super) async fn begin_read(pool: &Pool, kept: &KeptInMemory) -> Result<Self, DbErr> {
        let mut tx = Self::begin(pool, "BEGIN").await?;
        tx.kept = Some(kept.clone());
        Ok(tx)
    }

    /// Begins one that writes.
    ///
    /// # Errors
    /// The disk has failed before, so that nothing would be kept; or there is no connection.
    pub(super) async fn begin_write(
        pool: &Pool,
        wal: Option<Arc<WalSyncer>>,
    ) -> Result<Self, DbErr> {
        if let Some(wal) = &wal {
            wal.refuse_if_broken()?;
        }
        let words = match pool.get_database_backend() {
            // Not a deferred BEGIN: SQLite refuses at once, with SQLITE_BUSY, to turn a read transaction into a writing
            // one when somebody else has written meanwhile; an immediate one waits for its turn.
            DbBackend::Sqlite => "BEGIN IMMEDIATE",
            _ => "BEGIN",
        };
        let mut tx = Self::begin(pool, words).await?;
        (tx.to_write, tx.wal) = (true, wal);
        Ok(tx)
    }

    /// Begins one with this SQL. Dropped while BEGIN runs, the lease closes its connection: the transaction may have
    /// begun.
    async fn begin(pool: &Pool, words: &str) -> Result<Self, DbErr> {
        // Not `connection_for_statement`: BEGIN, COMMIT and ROLLBACK are ours, not the request's, and are neither
        // counted nor charged.
        let mut lease = pool.lease().await?;
        lease.connection()?.begin_transaction(words).await?;
        Ok(Self {
            backend: lease.backend(),
            lease: Mutex::new(Some(lease)),
            writes: AtomicU64::new(0),
            to_write: false,
            kept: None,
            wal: None,
        })
    }

    /// Number of statements so far that changed something. A SELECT for a lock does not count.
    #[must_use]
    pub fn write_count(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// The database that it is open on. Said here, since two traits have a method for it.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    /// What is kept in memory of the database that it reads: one value of each type. None where it may write: what it
    /// sees may never be committed.
    pub(crate) fn kept<T: Default + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.kept.as_ref().map(KeptInMemory::get)
    }

    /// Runs reads that are charged to nobody: they fill a cache that serves everybody.
    pub async fn run_uncharged<T>(&self, read: impl Future<Output = T>) -> T {
        let paying = self.swap_charge(Charge::default()).await;
        let read = read.await;
        self.swap_charge(paying).await;
        read
    }

    async fn swap_charge(&self, charge: Charge) -> Charge {
        match self.lease.lock().await.as_mut() {
            Some(lease) => lease.swap_charge(charge),
            None => charge,
        }
    }

    /// Commits, and returns when the commit is durable; of a transaction that wrote nothing, when all that it has read
    /// is.
    ///
    /// # Errors
    /// `NotKept` where nothing of it was kept, `Unknown` where that is not known.
    pub async fn commit(self) -> Result<(), CommitError> {
        self.commit_then(async {}).await
    }

    /// Commits and then runs `then`, unless nothing was kept. Both are seen through although the caller's future may be
    /// dropped meanwhile.
    ///
    /// # Errors
    /// Those of [`Transaction::commit`].
    pub(crate) async fn commit_then(
        self,
        then: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), CommitError> {
        // Nothing can be lost of it: it is ended by the caller's own future, without a task.
        if !self.to_write {
            return self.end(COMMIT).await.map_err(CommitError::NotKept);
        }
        // A task of its own, and not this future: a deadline that drops it between COMMIT and the sync would leave a
        // commit that nobody has synced, and its audit event untold.
        let seen_through = async move {
            let kept = self.commit_and_sync().await;
            // Also where it is not known whether it was kept: it may well have been, and then `then` must have run.
            if !matches!(kept, Err(CommitError::NotKept(_))) {
                then.await;
            }
            kept
        };
        match tokio::spawn(seen_through.in_current_span()).await {
            Ok(kept) => kept,
            Err(error) => Err(CommitError::Unknown(DbErr::Custom(error.to_string()))),
        }
    }

    async fn commit_and_sync(&self) -> Result<(), CommitError> {
        // After a statement that failed, COMMIT is not even sent, so nothing is kept for certain.
        let is_sent = self
            .lease
            .lock()
            .await
            .as_ref()
            .is_some_and(Lease::is_clean);
        let ended = self.end(COMMIT).await;
        ended.map_err(
            |error| match is_sent && !is_certainly_not_committed(&error) {
                true => CommitError::Unknown(error),
                false => CommitError::NotKept(error),
            },
        )?;
        match &self.wal {
            Some(wal) => wal.sync().await.map_err(CommitError::Unknown),
            None => Ok(()),
        }
    }

    /// Rolls back.
    pub async fn rollback(self) -> Result<(), DbErr> {
        self.end("ROLLBACK").await
    }

    async fn end(&self, word: &str) -> Result<(), DbErr> {
        // Taken out, so that a second COMMIT or a late statement meets no open transaction instead of the next one on
        // the connection.
        let lease = self.lease.lock().await.take();
        let mut lease = lease.ok_or_else(ended_error)?;
        lease.connection()?.end_transaction(word).await?;
        // A transaction that only looked says nothing of the disk.
        if word == COMMIT && self.write_count() > 0 {
            lease.mark_disk_writable();
        }
        Ok(())
    }

    /// Gives the further statements, the commit included, ten minutes each on PostgreSQL: the deferred constraints of a
    /// large sheet, checked at the commit, outlast the usual timeout.
    pub async fn extend_timeouts(&self) -> Result<(), DbErr> {
        let mut open = self.lock_lease().await;
        open.lease()?.connection()?.extend_timeouts().await
    }

    async fn lock_lease(&self) -> OpenLease<'_> {
        OpenLease(self.lease.lock().await)
    }

    /// Whether a statement has failed, which ended it.
    pub async fn has_failed(&self) -> bool {
        let lease = self.lease.lock().await;
        !lease.as_ref().is_some_and(Lease::is_clean)
    }

    /// Counts a statement where it changed something.
    fn count_if_changing(&self, sql: &str, rows: u64) {
        if is_change(sql, rows) {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

const COMMIT: &str = "COMMIT";

/// Whether a statement changed something, by its first word and the number of rows that it affected or returned. By
/// words, since both databases count the rows of `SELECT … FOR UPDATE` like those of a change.
fn is_change(sql: &str, rows: u64) -> bool {
    const LOOK: &[&str] = &[
        "SELECT",
        "VALUES",
        "TABLE",
        "EXPLAIN",
        "SHOW",
        "PRAGMA",
        "SET",
        "RESET",
        "ANALYZE",
        "LOCK",
        "DECLARE",
        "FETCH",
        "MOVE",
        "CLOSE",
        "BEGIN",
        "SAVEPOINT",
        "RELEASE",
        "ROLLBACK",
        "COMMIT",
    ];
    const CHANGE: &[&str] = &["INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE"];
    let is = |word: &str, some: &[&str]| some.iter().any(|known| known.eq_ignore_ascii_case(word));
    let mut words = sql
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty());
    match words.next() {
        None => false,
        Some(word) if is(word, LOOK) => false,
        Some(word) if is(word, CHANGE) => rows > 0,
        Some(word) if is(word, &["WITH"]) => rows > 0 && words.any(|word| is(word, CHANGE)),
        // What is made, altered or dropped has no rows.
        Some(_) => true,
    }
}

/// A commit that failed.
#[derive(Debug)]
pub enum CommitError {
    /// Nothing of it was kept.
    NotKept(DbErr),
    /// The database went away before it answered, or the disk failed at the sync: whether it was kept is not known.
    Unknown(DbErr),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotKept(error) => error.fmt(f),
            Self::Unknown(error) => write!(f, "it is not known whether it was kept: {error}"),
        }
    }
}

impl std::error::Error for CommitError {}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::NotKept(error) => error.into(),
            CommitError::Unknown(error) => Self::Unknown(Arc::new(error)),
        }
    }
}

fn ended_error() -> DbErr {
    DbErr::Custom("the transaction has ended".to_owned())
}

/// The lease of an open transaction, locked for one statement.
struct OpenLease<'t>(MutexGuard<'t, Option<Lease>>);

impl OpenLease<'_> {
    fn lease(&mut self) -> Result<&mut Lease, DbErr> {
        self.0.as_mut().ok_or_else(ended_error)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.get_mut().take() else {
            return;
        };
        let runtime = tokio::runtime::Handle::try_current();
        // Where a statement failed, the connection is closed, and its transaction ends with it: there is nothing to
        // roll back by hand.
        if let (true, Ok(runtime)) = (lease.is_clean(), runtime) {
            runtime.spawn(async move {
                let rolled_back = match lease.connection() {
                    Ok(connection) => connection.end_transaction("ROLLBACK").await,
                    Err(error) => Err(error),
                };
                if let Err(error) = rolled_back {
                    tracing::debug!(%error, "a transaction ended with its connection");
                }
            });
        }
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let mut open = self.lock_lease().await;
        let result = open.lease()?.execute(&statement).await?;
        self.count_if_changing(&statement.sql, result.rows_affected());
        Ok(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut open = self.lock_lease().await;
        let result = open.lease()?.connection()?.execute_unprepared(sql).await?;
        self.count_if_changing(sql, result.rows_affected());
        Ok(result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut open = self.lock_lease().await;
        let row = open.lease()?.query_one(&statement).await?;
        self.count_if_changing(&statement.sql, u64::from(row.is_some()));
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut open = self.lock_lease().await;
        let rows = open.lease()?.query_all(&statement).await?;
        self.count_if_changing(&statement.sql, rows.len() as u64);
        Ok(rows)
    }
}

impl StreamTrait for Transaction {
    type Stream<'a> = BoxStream<'a, Result<QueryResult, DbErr>>;

    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    fn stream_raw<'a>(
        &'a self,
        statement: Statement,
    ) -> Pin<Box<dyn Future<Output = Result<Self::Stream<'a>, DbErr>> + 'a + Send>> {
        Box::pin(async move {
            let mut open = self.lock_lease().await;
            let rows = async_stream::try_stream! {
                let mut rows = open.lease()?.stream(statement)?;
                while let Some(row) = rows.next().await {
                    yield row?;
                }
            };
            Ok(Box::pin(rows) as Self::Stream<'a>)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_does_not_only_look_changes_something() {
        for sql in [
            "INSERT INTO a VALUES (1)",
            " replace INTO a VALUES (1)",
            "WITH b AS (SELECT 1) INSERT INTO a SELECT * FROM b",
            "with gone as (delete from a returning *) select * from gone",
            "CREATE TABLE a (b)",
            "DROP VIEW a",
            "GRANT SELECT ON a TO b",
        ] {
            assert!(is_change(sql, 1), "{sql}");
        }
        for sql in [
            "",
            "SELECT * FROM a FOR UPDATE",
            "(SELECT 1) UNION SELECT 2",
            "WITH b AS (SELECT updated_at FROM a) SELECT * FROM b",
            "PRAGMA query_only = ON",
            "SET LOCAL lock_timeout = '1s'",
            "ANALYZE measurement",
        ] {
            assert!(!is_change(sql, 1), "{sql}");
        }
        assert!(!is_change("UPDATE a SET b = 1", 0));
        assert!(is_change("CREATE TABLE a (b)", 0));
    }
}
