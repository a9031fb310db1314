//! Opens the database, embedded SQLite or PostgreSQL, and hands out two pools: one that writes and one
//! that can only read. The only room that connects.

mod connection;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use tokio::sync::Notify;

pub use connection::{Pool, Transaction};

/// Where the database is and how many connections it may have.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// Connections of the pool that reads, and on PostgreSQL of the pool that writes.
    pub connections: u32,
    /// A PostgreSQL schema to work in, for tests that share a database.
    pub schema: Option<String>,
}

/// The open database.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Pool,
    reader: Pool,
    statements: Arc<AtomicU64>,
    written: Arc<Notify>,
}

impl Store {
    /// Opens the database; an SQLite file is made if it is not there.
    pub async fn open(options: &Options) -> Result<Self, DbErr> {
        let statements = Arc::new(AtomicU64::new(0));
        let writer = connect(options, Access::Write, &statements).await?;
        let reader = connect(options, Access::Read, &statements).await?;
        Ok(Self {
            writer: Pool::new(writer),
            reader: Pool::new(reader),
            statements,
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

    /// The pool that writes, for migrations and sign-in; everything else writes through a permit.
    #[must_use]
    pub fn writer(&self) -> &Pool {
        &self.writer
    }

    /// Begins to write. SQLite takes its write lock at once: a lock taken later is refused instead of waited for.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let writer = self.writer.connections().clone();
        whole(async move { writer.begin_with_options(options).await }).await
    }

    /// Begins to read one moment of the truth.
    pub async fn snapshot(&self) -> Result<Transaction, DbErr> {
        let reader = self.reader.connections().clone();
        whole(async move { reader.begin().await }).await
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

    /// Closes every connection.
    pub async fn close(self) -> Result<(), DbErr> {
        self.reader.connections().close_by_ref().await?;
        self.writer.connections().close_by_ref().await
    }
}

/// Begins in a task of its own, which goes on if whoever waits for it is given up. Given up between BEGIN and its
/// answer, a connection would go back to the pool inside a transaction that nobody knows of: whoever comes next
/// reads the past in it, and loses what is written.
async fn whole<F>(begin: F) -> Result<Transaction, DbErr>
where
    F: Future<Output = Result<DatabaseTransaction, DbErr>> + Send + 'static,
{
    match tokio::spawn(begin).await {
        Ok(begun) => begun.map(Transaction::new),
        Err(error) => Err(DbErr::Custom(format!(
            "a transaction did not begin: {error}"
        ))),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Access {
    Read,
    Write,
}

async fn connect(
    options: &Options,
    access: Access,
    statements: &Arc<AtomicU64>,
) -> Result<DatabaseConnection, DbErr> {
    let mut connect = ConnectOptions::new(&options.url);
    let sqlite = sqlite_path(&options.url).is_some();
    // SQLite has one writer at a time; a second connection would only wait inside the database instead of in the pool.
    let connections = if sqlite && access == Access::Write {
        1
    } else {
        options.connections
    };
    connect
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        .statement_timeout(Duration::from_secs(30))
        .sqlx_logging(false)
        .set_application_name("cx-blueprint");
    if let Some(schema) = &options.schema {
        connect.set_schema_search_path(schema);
    }
    // Who writes very many rows goes round the indexes' pages, some for each KPI: what does not stay in memory until the
    // commit is written out again with each round.
    let cache = if access == Access::Write {
        "-32768"
    } else {
        "-2000"
    };
    connect.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .pragma("cache_size", cache)
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
            .synchronous(sqlx::sqlite::SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma(
                "query_only",
                if access == Access::Read { "ON" } else { "OFF" },
            )
    });
    if access == Access::Read {
        // One snapshot a transaction and no writing, said once a connection instead of in every transaction.
        connect.map_sqlx_postgres_opts(|postgres| {
            postgres.options([
                ("default_transaction_read_only", "on"),
                ("default_transaction_isolation", "repeatable read"),
                // With the price of a spinning disk the planner reads whole tables where an index leads to the rows.
                ("random_page_cost", "1.1"),
            ])
        });
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one room that connects"
    )]
    let mut connection = Database::connect(connect).await?;
    let statements = Arc::clone(statements);
    connection.set_metric_callback(move |_| {
        statements.fetch_add(1, Ordering::Relaxed);
    });
    Ok(connection)
}

/// The file of an SQLite URL; nothing for any other database.
#[must_use]
pub fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?.trim_start_matches("//");
    Some(Path::new(path.split('?').next().unwrap_or(path)).to_owned())
}
