//! Opens the database, embedded SQLite or PostgreSQL, and hands out connections: to write, to read, to sign in and to
//! see whether it works. The only room that connects.
//!
//! Everything runs on a [`Pool`], one statement at a time, or in a [`Transaction`]. Both stand on leases: whoever has a
//! lease has a connection to themselves, and gives back one whose last statement ended well. A connection on which a
//! statement has failed or was given up is closed instead, so that nothing is ever written behind a transaction that
//! nobody knows of. A future that is dropped, because its deadline has come or its client has gone, cancels its
//! statement: SQLite looks at a signal while it works, PostgreSQL is told by way of another connection. The place is
//! free only when the statement has ended, or when PostgreSQL has not said so for some seconds: what its client has left
//! it ends by itself. No wait for PostgreSQL is without a bound, whoever waits.
//!
//! What a request reads is charged to its budget here, statement by statement, so that no list of the API can run more
//! of them than it pays for.

mod charge;
mod connection;
mod erased;
mod options;
mod pool;
mod postgres;
mod probe;
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

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};
use sqlx::{PgPool, SqlitePool, pool::PoolOptions};
use tokio::{sync::Notify, time::timeout};

use self::{
    charge::Charge,
    connection::Source,
    erased::Erased,
    options::{Access, PATIENCE},
    pool::Shares,
    probe::Probe,
    wal::Wal,
};
use crate::compute::Budget;

pub use self::{
    options::Options,
    pool::Pool,
    probe::Trouble,
    sqlite::sqlite_path,
    transaction::{CommitError, Transaction},
};

/// Connections of PostgreSQL for those who sign in, and as many again for what they write.
const ENTRANCE: u32 = 2;
/// Connections of PostgreSQL on which statements are cancelled.
const SIGNALS: u32 = 2;
/// Connections that see whether the database works: one that waits for a dead network does not speak for the next.
const PROBES: u32 = 2;
/// How long what only has to be let go may take.
const CLOSING: Duration = Duration::from_secs(2);

/// The open database.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Pool,
    reader: Pool,
    entrance: Entrance,
    maintenance: DatabaseConnection,
    probe: Arc<Probe>,
    signals: Option<Pool>,
    wal: Option<Arc<Wal>>,
    erased: Arc<Erased>,
    statements: Arc<AtomicU64>,
    written: Arc<Notify>,
}

/// Connections that only signing in uses: whoever is inside cannot keep out who wants to get in.
#[derive(Clone, Debug)]
struct Entrance {
    reader: Pool,
    writer: Pool,
}

impl Store {
    /// Opens the database; an SQLite file is made if it is not there.
    pub async fn open(options: &Options) -> Result<Self, DbErr> {
        let file = sqlite_path(&options.url);
        let access = |access| match &file {
            Some(_) => sqlite::options(options, access).map(Source::Sqlite),
            None => postgres::connect_options(options, access).map(Source::Postgres),
        };
        let (write, read) = (access(Access::Write)?, access(Access::Read)?);
        // What is asked here is no statement of anybody's, and itself cancelled by nobody.
        let signals = match &read {
            Source::Sqlite(_) => None,
            Source::Postgres(_) => Some(Pool::new(
                read.clone(),
                SIGNALS,
                PATIENCE,
                Shares::default(),
            )),
        };
        let shares = Shares {
            signals: signals.clone(),
            ..Shares::default()
        };
        let pool =
            |source: &Source, places| Pool::new(source.clone(), places, PATIENCE, shares.clone());
        let maintenance = maintenance(&write);
        // SQLite has one writer at a time; a second connection would only wait inside the database instead of in the
        // pool, where who comes first is served first.
        let writer = match &write {
            Source::Sqlite(_) => pool(&write, 1),
            Source::Postgres(_) => pool(&write, options.connections),
        };
        let entrance = Entrance {
            reader: pool(&read, ENTRANCE),
            writer: match &write {
                Source::Sqlite(_) => writer.clone(),
                Source::Postgres(_) => pool(&write, ENTRANCE),
            },
        };
        if let Some(path) = &file {
            sqlite::make_private(path)?;
        }
        // Opened first of all, so that a file that is not there is made by whoever may write.
        writer.lease().await?;
        let wal = match &read {
            Source::Sqlite(options) => Some(Wal::open(options).await?),
            Source::Postgres(_) => None,
        };
        // What was erased just before the last process ended may be there still.
        if wal.is_some()
            && let Err(error) = erased::truncate(&writer).await
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
            erased: Arc::default(),
            statements: shares.statements,
            written: Arc::default(),
        })
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// The pool that can only read.
    #[must_use]
    pub fn reader(&self) -> &Pool {
        &self.reader
    }

    /// The same database, read at the expense of a budget. What is written is bounded by what was sent.
    #[must_use]
    pub fn charged(&self, budget: &Arc<Budget>) -> Self {
        Self {
            reader: self.reader.charged(Charge::to(budget)),
            ..self.clone()
        }
    }

    /// The pool that writes without a transaction, for what may get lost; everything else writes through a permit.
    #[must_use]
    pub fn writer(&self) -> &Pool {
        &self.writer
    }

    /// The pool that can only read, for those who sign in.
    #[must_use]
    pub fn entrance(&self) -> &Pool {
        &self.entrance.reader
    }

    /// What migrations run on.
    #[must_use]
    pub fn maintenance(&self) -> &DatabaseConnection {
        &self.maintenance
    }

    /// Begins to write.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        self.begin_on(&self.writer).await
    }

    /// Begins to write for somebody who signs in.
    pub async fn begin_entrance(&self) -> Result<Transaction, DbErr> {
        self.begin_on(&self.entrance.writer).await
    }

    async fn begin_on(&self, pool: &Pool) -> Result<Transaction, DbErr> {
        Transaction::to_write(pool, self.wal.clone()).await
    }

    /// Begins to read one moment of the truth.
    pub async fn snapshot(&self) -> Result<Transaction, DbErr> {
        Transaction::to_read(&self.reader).await
    }

    /// What keeps the database from being read or written, if anything does. Being busy does not.
    pub async fn trouble(&self) -> Option<Trouble> {
        self.probe.look().await
    }

    /// Returns when all that could be read before is on the disk: for who answers that something is done that somebody else
    /// has committed. PostgreSQL shows nothing to others before.
    ///
    /// # Errors
    /// Whether it will stay is not known.
    pub(crate) async fn settle(&self) -> Result<(), CommitError> {
        match &self.wal {
            Some(wal) => wal.sync().await.map_err(CommitError::Unknown),
            None => Ok(()),
        }
    }

    /// Writes SQLite's log into its file and empties it, so that what was overwritten is in neither. Where somebody reads
    /// from it, that is done later. Says whether it is done. PostgreSQL has no such act: its VACUUM and the
    /// recycling of its log do it in time.
    pub async fn empty_log(&self) -> bool {
        match &self.wal {
            Some(_) => self.erased.empty(&self.writer).await,
            None => true,
        }
    }

    /// Tells whoever waits that something was written.
    pub(crate) fn tell(&self) {
        self.written.notify_one();
    }

    /// Waits until something was written through this opening of the database since it was last asked; others, on
    /// other servers, tell nothing.
    pub async fn written(&self) {
        self.written.notified().await;
    }

    /// How many statements have run since it was opened, transactions' own words left out.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// How often the log of SQLite was to be synced since it was opened; PostgreSQL does so by itself.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.wal.as_ref().map_or(0, |wal| wal.asked())
    }

    /// Closes every connection, those that write last. What is still under way is given up after a moment.
    pub async fn close(self) -> Result<(), DbErr> {
        let Entrance { reader, writer } = &self.entrance;
        tokio::join!(self.probe.close(), reader.close(), self.reader.close());
        tokio::join!(writer.close(), self.writer.close());
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
fn maintenance(source: &Source) -> DatabaseConnection {
    match source {
        Source::Sqlite(options) => {
            let one = PoolOptions::new()
                .max_connections(1)
                .acquire_timeout(PATIENCE);
            let pool: SqlitePool = one.connect_lazy_with(options.clone());
            pool.into()
        }
        Source::Postgres(options) => {
            let few = PoolOptions::new()
                .max_connections(2)
                .acquire_timeout(PATIENCE);
            let pool: PgPool = few.connect_lazy_with(options.clone());
            pool.into()
        }
    }
}
