//! Opens the database, embedded SQLite or PostgreSQL, and hands out connections. The only room that connects.
//!
//! A [`Store`] has separate pools, so that one kind of work cannot starve another:
//!
//! - `reader`: connections that cannot write. On PostgreSQL their transactions are REPEATABLE READ, so each is a
//!   snapshot; on SQLite in WAL mode a read transaction is one anyway, and never waits for the writer.
//! - `writer`: one connection on SQLite, which has one writer at a time; a second one would only wait inside the
//!   database, where nobody is served in turn. Several on PostgreSQL. A write transaction begins with `BEGIN IMMEDIATE`
//!   on SQLite.
//! - `entrance`: connections for signing in alone, since whoever is inside must not keep others out.
//! - `probe`, which asks whether the database works however busy the other pools are, and `signals`, which cancels
//!   statements of PostgreSQL.
//!
//! Everything runs on a [`Pool`], one statement at a time, or in a [`Transaction`]. Both stand on leases: whoever has a
//! lease has a connection to themselves, and gives back one whose last statement ended well. A connection on which a
//! statement has failed or was given up is closed instead, so that nothing is ever written after a transaction that
//! nobody knows of. That is why this is not sqlx's own pool: it cancels no statement whose future was dropped, and
//! hands its connection on.
//!
//! A future that is dropped, because its deadline has come or its client has gone, cancels its statement: SQLite looks
//! at a signal while it works, PostgreSQL is told by way of another connection. The place is free only when the
//! statement has ended, or when PostgreSQL has not said so for some seconds: it ends by itself what its client has
//! left. Every wait for PostgreSQL has a bound.
//!
//! What a request reads is charged to its budget here, statement by statement, so that no list of the API can run more
//! of them than it pays for.

mod charge;
mod connection;
mod erased;
mod kept;
mod options;
mod pool;
mod postgres;
mod probe;
mod revision_cache;
mod signal;
mod sqlite;
mod transaction;
mod wal;
mod watched;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};
use sqlx::{PgPool, SqlitePool, pool::PoolOptions};
use tokio::{sync::Notify, time::timeout};

use self::{
    charge::Charge,
    connection::Connector,
    erased::WalEraser,
    kept::KeptInMemory,
    options::{AccessMode, PATIENCE},
    pool::StateOfAllPools,
    probe::Probe,
    wal::WalSyncer,
};
use crate::compute::Budget;

pub(crate) use self::revision_cache::{RevisionCache, RevisionCacheValue};
pub use self::{
    options::Options,
    pool::Pool,
    probe::Trouble,
    sqlite::sqlite_path,
    transaction::{CommitError, Transaction},
};

/// Connections that read for signing in, and on PostgreSQL as many that write.
const ENTRANCE: u32 = 2;
/// Connections to PostgreSQL on which `pg_cancel_backend` runs.
const SIGNALS: u32 = 2;
/// Connections of the probe: while one waits for a dead network, the other can still answer.
const PROBES: u32 = 2;
/// Longest wait for connections to close.
const CLOSING: Duration = Duration::from_secs(2);

/// The open database.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Pool,
    reader: Pool,
    entrance: SignInPools,
    maintenance: DatabaseConnection,
    probe: Arc<Probe>,
    signals: Option<Pool>,
    wal: Option<Arc<WalSyncer>>,
    wal_eraser: Arc<WalEraser>,
    statements: Arc<AtomicU64>,
    written: Arc<Notify>,
    kept: KeptInMemory,
}

/// The pools that only signing in uses.
#[derive(Clone, Debug)]
struct SignInPools {
    reader: Pool,
    writer: Pool,
}

impl Store {
    /// Opens the database; an SQLite file that is not there is created, readable by its owner alone.
    ///
    /// # Errors
    /// The URL cannot be read, the file cannot be created or its log not opened, or PostgreSQL does not answer.
    pub async fn open(options: &Options) -> Result<Self, DbErr> {
        let file = sqlite_path(&options.url);
        let access = |access| match &file {
            Some(_) => sqlite::connect_options(options, access).map(Connector::Sqlite),
            None => postgres::connect_options(options, access).map(Connector::Postgres),
        };
        let (write, read) = (access(AccessMode::Write)?, access(AccessMode::Read)?);
        // Without signals of its own: a statement that cancels another is itself cancelled by nobody.
        let signals = match &read {
            Connector::Sqlite(_) => None,
            Connector::Postgres(_) => Some(Pool::new(
                read.clone(),
                SIGNALS,
                PATIENCE,
                StateOfAllPools::default(),
            )),
        };
        let all_pools = StateOfAllPools {
            signals: signals.clone(),
            // Only the signals' pool is taken over; the count of statements and the mark of an unwritable disk are new,
            // and shared by all pools that follow.
            ..StateOfAllPools::default()
        };
        let pool = |source: &Connector, places| {
            Pool::new(source.clone(), places, PATIENCE, all_pools.clone())
        };
        let maintenance = migration_connection(&write);
        // SQLite has one writer at a time; a second connection would only wait inside the database instead of in the
        // pool, where who comes first is served first.
        let writer = match &write {
            Connector::Sqlite(_) => pool(&write, 1),
            Connector::Postgres(_) => pool(&write, options.connections),
        };
        let entrance = SignInPools {
            reader: pool(&read, ENTRANCE),
            writer: match &write {
                // A second connection that writes would wait for the first inside SQLite, out of turn.
                Connector::Sqlite(_) => writer.clone(),
                Connector::Postgres(_) => pool(&write, ENTRANCE),
            },
        };
        if let Some(path) = &file {
            sqlite::create_private_database(path)?;
        }
        // Opened first of all, so that a file that is not there is made by whoever may write.
        writer.lease().await?;
        let wal = match &read {
            Connector::Sqlite(options) => Some(WalSyncer::open(options).await?),
            Connector::Postgres(_) => None,
        };
        // What was erased just before the last process ended may be there still.
        if wal.is_some()
            && let Err(error) = erased::truncate_wal(&writer).await
        {
            tracing::warn!(%error, "the write-ahead log could not be emptied");
        }
        Ok(Self {
            probe: Arc::new(Probe::new(pool(&read, PROBES), writer.clone(), wal.clone())),
            reader: pool(&read, options.connections),
            writer,
            entrance,
            maintenance,
            signals,
            wal,
            wal_eraser: Arc::default(),
            statements: all_pools.statements,
            written: Arc::default(),
            kept: KeptInMemory::default(),
        })
    }

    /// SQLite or PostgreSQL.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// The pool that can only read.
    #[must_use]
    pub fn reader(&self) -> &Pool {
        &self.reader
    }

    /// The same database, whose reads are charged to a budget. Writes are not: they are bounded by the size of the
    /// request.
    #[must_use]
    pub fn charged_to(&self, budget: &Arc<Budget>) -> Self {
        Self {
            reader: self.reader.charged_to(Charge::to(budget)),
            ..self.clone()
        }
    }

    /// The pool that writes without a transaction: for bookkeeping that may get lost. Everything else writes through a
    /// permit.
    #[must_use]
    pub fn writer(&self) -> &Pool {
        &self.writer
    }

    /// The pool that can only read, for signing in.
    #[must_use]
    pub fn sign_in_reader(&self) -> &Pool {
        &self.entrance.reader
    }

    /// sea-orm's own pool, for migrations alone.
    #[must_use]
    pub fn migration_connection(&self) -> &DatabaseConnection {
        &self.maintenance
    }

    /// Begins a transaction that writes.
    ///
    /// # Errors
    /// No connection within five seconds, or the disk has failed before.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        self.begin_on(&self.writer).await
    }

    /// Begins a transaction that writes, on the connections of signing in.
    pub async fn begin_sign_in(&self) -> Result<Transaction, DbErr> {
        self.begin_on(&self.entrance.writer).await
    }

    async fn begin_on(&self, pool: &Pool) -> Result<Transaction, DbErr> {
        Transaction::begin_write(pool, self.wal.clone()).await
    }

    /// Begins a read-only transaction, all of whose statements see the database at one moment.
    pub async fn begin_snapshot(&self) -> Result<Transaction, DbErr> {
        Transaction::begin_read(&self.reader, &self.kept).await
    }

    /// What is kept in memory of this database: one value of each type.
    pub(crate) fn kept<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.kept.get()
    }

    /// The reason why the database cannot be read or written; none where it can. Being busy is none.
    pub async fn find_trouble(&self) -> Option<Trouble> {
        self.probe.find_trouble().await
    }

    /// The time by the database's clock, on a connection that nothing keeps busy; none on SQLite, which has none but the
    /// machine's.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn read_clock(&self) -> Result<Option<DateTime<Utc>>, DbErr> {
        self.probe.read_clock().await
    }

    /// Returns when everything that could be read before this call is durable: for acts that confirm what somebody else
    /// has committed. At once on PostgreSQL, which shows a commit to others only when it is durable.
    ///
    /// # Errors
    /// `Unknown`: the disk failed, and whether it will stay is not known.
    pub(crate) async fn await_durable(&self) -> Result<(), CommitError> {
        match &self.wal {
            Some(wal) => wal.sync().await.map_err(CommitError::Unknown),
            None => Ok(()),
        }
    }

    /// Checkpoints SQLite's write-ahead log and truncates it, so that erased data is neither in the file nor in the
    /// log. Says whether it was done within two seconds; while somebody reads from the log, it goes on in the
    /// background. PostgreSQL has no such act: VACUUM and the recycling of its log do it in time.
    pub async fn empty_wal(&self) -> bool {
        match &self.wal {
            Some(_) => self.wal_eraser.empty_wal(&self.writer).await,
            None => true,
        }
    }

    /// Wakes whoever waits in [`Store::written`].
    pub(crate) fn notify_written(&self) {
        self.written.notify_one();
    }

    /// Waits until a permit of this process has committed since the last call. Other servers' commits wake nobody here.
    pub async fn wait_written(&self) {
        self.written.notified().await;
    }

    /// Number of statements since the opening, without BEGIN, COMMIT and ROLLBACK.
    #[must_use]
    pub fn statement_count(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Number of syncs of SQLite's log asked for since the opening; 0 on PostgreSQL.
    #[must_use]
    pub fn sync_count(&self) -> u64 {
        self.wal.as_ref().map_or(0, |wal| wal.sync_count())
    }

    /// Closes every connection, those that write last. Statements that still run are given up after two seconds.
    pub async fn close(self) -> Result<(), DbErr> {
        let SignInPools { reader, writer } = &self.entrance;
        tokio::join!(self.probe.close(), reader.close(), self.reader.close());
        tokio::join!(writer.close(), self.writer.close());
        // After all others, whose statements are cancelled through it.
        if let Some(signals) = &self.signals {
            signals.close().await;
        }
        let closed = timeout(CLOSING, self.maintenance.close_by_ref()).await;
        if let Some(wal) = &self.wal {
            wal.close().await;
        }
        closed.unwrap_or(Ok(()))
    }
}

/// sea-orm's own pool, which its migrations want.
fn migration_connection(source: &Connector) -> DatabaseConnection {
    match source {
        Connector::Sqlite(options) => {
            let one = PoolOptions::new()
                .max_connections(1)
                .acquire_timeout(PATIENCE);
            let pool: SqlitePool = one.connect_lazy_with(options.clone());
            pool.into()
        }
        Connector::Postgres(options) => {
            let few = PoolOptions::new()
                .max_connections(2)
                .acquire_timeout(PATIENCE);
            let pool: PgPool = few.connect_lazy_with(options.clone());
            pool.into()
        }
    }
}
