//! A transaction. Whatever fails in it, or is given up, takes all of it along, and its connection too: nothing is
//! written on a connection whose state is not known. Only its commit is seen through to the end, whoever waits for it.

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
    pool::{Lease, Pool},
    wal::Wal,
};
use crate::error::{Error, database::is_refusal};

/// An open transaction. Dropped without `commit`, nothing of it happened.
#[derive(Debug)]
pub struct Transaction {
    lease: Mutex<Option<Lease>>,
    backend: DbBackend,
    /// Statements that changed something.
    writes: AtomicU64,
    /// Whether it was begun to write.
    to_write: bool,
    /// What makes a commit of SQLite durable.
    wal: Option<Arc<Wal>>,
}

impl Transaction {
    /// Begins one that reads one moment of the truth.
    pub(super) async fn to_read(pool: &Pool) -> Result<Self, DbErr> {
        Self::begin(pool, "BEGIN").await
    }

    /// Begins one that writes, unless it would not be kept.
    pub(super) async fn to_write(pool: &Pool, wal: Option<Arc<Wal>>) -> Result<Self, DbErr> {
        if let Some(wal) = &wal {
            wal.refuse_if_broken()?;
        }
        let words = match pool.get_database_backend() {
            // A lock that is taken later is refused instead of waited for.
            DbBackend::Sqlite => "BEGIN IMMEDIATE",
            _ => "BEGIN",
        };
        let mut tx = Self::begin(pool, words).await?;
        (tx.to_write, tx.wal) = (true, wal);
        Ok(tx)
    }

    /// Begins one with these words, on a connection of its own.
    async fn begin(pool: &Pool, words: &str) -> Result<Self, DbErr> {
        let mut lease = pool.lease().await?;
        lease.connection()?.begin(words).await?;
        Ok(Self {
            backend: lease.backend(),
            lease: Mutex::new(Some(lease)),
            writes: AtomicU64::new(0),
            to_write: false,
            wal: None,
        })
    }

    /// How many statements have changed something.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Reads what is kept for everybody, which is nobody's to pay.
    pub async fn for_everybody<T>(&self, read: impl Future<Output = T>) -> T {
        let paying = self.recharge(Charge::default()).await;
        let read = read.await;
        self.recharge(paying).await;
        read
    }

    async fn recharge(&self, charge: Charge) -> Charge {
        match self.lease.lock().await.as_mut() {
            Some(lease) => lease.recharge(charge),
            None => charge,
        }
    }

    /// Makes what it wrote true at once, and returns when it is on the disk; and where it wrote nothing, when all that
    /// it has read is.
    ///
    /// # Errors
    /// Where nothing of it was kept, and where that is not known.
    pub async fn commit(self) -> Result<(), CommitError> {
        self.commit_then(async {}).await
    }

    /// The same, and then something that follows unless nothing was kept. A commit that has begun is seen through, with
    /// what follows, although whoever waits for it may give up.
    ///
    /// # Errors
    /// Those of [`Transaction::commit`].
    pub(crate) async fn commit_then(
        self,
        then: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), CommitError> {
        if !self.to_write {
            return self.end(COMMIT).await.map_err(CommitError::NotKept);
        }
        let seen_through = async move {
            let kept = self.keep().await;
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

    async fn keep(&self) -> Result<(), CommitError> {
        // Behind a statement that failed, the word is not even sent.
        let is_sent = self
            .lease
            .lock()
            .await
            .as_ref()
            .is_some_and(Lease::is_clean);
        let ended = self.end(COMMIT).await;
        ended.map_err(|error| match is_sent && !is_refusal(&error) {
            true => CommitError::Unknown(error),
            false => CommitError::NotKept(error),
        })?;
        match &self.wal {
            Some(wal) => wal.sync().await.map_err(CommitError::Unknown),
            None => Ok(()),
        }
    }

    /// Takes back what it wrote.
    pub async fn rollback(self) -> Result<(), DbErr> {
        self.end("ROLLBACK").await
    }

    async fn end(&self, word: &str) -> Result<(), DbErr> {
        let lease = self.lease.lock().await.take();
        let mut lease = lease.ok_or_else(ended)?;
        lease.connection()?.end(word).await?;
        if word == COMMIT && self.writes() > 0 {
            lease.has_written();
        }
        Ok(())
    }

    /// Gives the statements that are still to come, its commit among them, as long as a large sheet takes on PostgreSQL:
    /// checks that were put off to the commit may outlast what one statement has otherwise.
    pub async fn takes_long(&self) -> Result<(), DbErr> {
        let mut open = self.open().await;
        open.lease()?.connection()?.takes_long().await
    }

    async fn open(&self) -> Open<'_> {
        Open(self.lease.lock().await)
    }

    /// Notes what a statement did; looking at rows, for a lock, changes none.
    fn note(&self, sql: &str, rows: u64) {
        if changes(sql, rows) {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

const COMMIT: &str = "COMMIT";

/// Whether a statement that came to so many rows has changed something.
fn changes(sql: &str, rows: u64) -> bool {
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

/// Why a commit did not end well.
#[derive(Debug)]
pub enum CommitError {
    /// Nothing of it was kept.
    NotKept(DbErr),
    /// The database went away before it answered, or the disk failed: whether it was kept is not known.
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

fn ended() -> DbErr {
    DbErr::Custom("the transaction has ended".to_owned())
}

/// The lease of a transaction, for one statement.
struct Open<'t>(MutexGuard<'t, Option<Lease>>);

impl Open<'_> {
    fn lease(&mut self) -> Result<&mut Lease, DbErr> {
        self.0.as_mut().ok_or_else(ended)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.get_mut().take() else {
            return;
        };
        let runtime = tokio::runtime::Handle::try_current();
        if let (true, Ok(runtime)) = (lease.is_clean(), runtime) {
            runtime.spawn(async move {
                let rolled_back = match lease.connection() {
                    Ok(connection) => connection.end("ROLLBACK").await,
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
        let mut open = self.open().await;
        let result = open.lease()?.execute(&statement).await?;
        self.note(&statement.sql, result.rows_affected());
        Ok(result)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut open = self.open().await;
        let result = open.lease()?.connection()?.execute_unprepared(sql).await?;
        self.note(sql, result.rows_affected());
        Ok(result)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut open = self.open().await;
        let row = open.lease()?.query_one(&statement).await?;
        self.note(&statement.sql, u64::from(row.is_some()));
        Ok(row)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut open = self.open().await;
        let rows = open.lease()?.query_all(&statement).await?;
        self.note(&statement.sql, rows.len() as u64);
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
            let mut open = self.open().await;
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
            assert!(changes(sql, 1), "{sql}");
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
            assert!(!changes(sql, 1), "{sql}");
        }
        assert!(!changes("UPDATE a SET b = 1", 0));
        assert!(changes("CREATE TABLE a (b)", 0));
    }
}
