//! A transaction. Whatever fails in it, or is given up, takes all of it along, and its connection too: nothing is
//! written on a connection whose state is not known.

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
    /// Statements that changed a row.
    writes: AtomicU64,
    /// What makes a commit of SQLite durable.
    wal: Option<Arc<Wal>>,
}

impl Transaction {
    /// Begins one that reads one moment of the truth.
    pub(super) async fn to_read(pool: &Pool) -> Result<Self, DbErr> {
        Self::begin(pool, "BEGIN", None).await
    }

    /// Begins one that writes, unless it is not known what the disk has.
    pub(super) async fn to_write(pool: &Pool, wal: Option<Arc<Wal>>) -> Result<Self, DbErr> {
        if let Some(wal) = &wal {
            wal.refuse_if_broken()?;
        }
        let words = match pool.get_database_backend() {
            // A lock that is taken later is refused instead of waited for.
            DbBackend::Sqlite => "BEGIN IMMEDIATE",
            _ => "BEGIN",
        };
        Self::begin(pool, words, wal).await
    }

    /// Begins one with these words, on a connection of its own.
    async fn begin(pool: &Pool, words: &str, wal: Option<Arc<Wal>>) -> Result<Self, DbErr> {
        let mut lease = pool.lease().await?;
        lease.connection()?.execute_unprepared(words).await?;
        Ok(Self {
            backend: lease.backend(),
            lease: Mutex::new(Some(lease)),
            writes: AtomicU64::new(0),
            wal,
        })
    }

    /// How many statements have changed a row.
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

    /// Makes what it wrote true at once, and returns when it is on the disk.
    ///
    /// # Errors
    /// Where nothing of it was kept, and where that is not known.
    pub async fn commit(self) -> Result<(), CommitError> {
        let ended = self.end(COMMIT).await;
        ended.map_err(|error| match is_refusal(&error) {
            true => CommitError::NotKept(error),
            false => CommitError::Unknown(error),
        })?;
        match &self.wal {
            Some(wal) if self.writes() > 0 => wal.sync().await.map_err(CommitError::Unknown),
            _ => Ok(()),
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

    /// Notes what a statement did to rows; looking at some, for a lock, changes none.
    fn note(&self, sql: &str, rows: u64) {
        const VERBS: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];
        let verb = sql.trim_start().get(..6).unwrap_or_default();
        if rows > 0 && VERBS.iter().any(|word| verb.eq_ignore_ascii_case(word)) {
            self.writes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

const COMMIT: &str = "COMMIT";

/// Why a commit did not end well.
#[derive(Debug)]
pub enum CommitError {
    /// Nothing of it was kept.
    NotKept(DbErr),
    /// The database went away before it answered: whether it was kept is not known.
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
