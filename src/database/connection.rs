//! One connection of either database. It runs statements and knows whether it may run another.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement, sea_query::Values};
use sea_query_sqlx::SqlxValues;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Error, Executor, PgConnection,
    SqliteConnection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};
use tokio::time::timeout;

use super::signal::StopSignal;
use crate::error::database::FailureKind;

/// Instructions of SQLite's virtual machine between two looks at the signal: about 50 microseconds.
const STEPS: i32 = 4096;
/// Longest wait for PostgreSQL's answer to a ping of an idle connection.
const ALIVE: Duration = Duration::from_secs(1);
/// PostgreSQL's `statement_timeout`.
pub(super) const STATEMENT: &str = "30s";
/// Longest wait for an answer of PostgreSQL: longer than [`STATEMENT`], so that it is reached only where the network or
/// the server has gone silent.
const SILENCE: Duration = Duration::from_secs(35);
/// The same two for transactions that are known to take long: imports of large sheets.
const LONG_STATEMENT: &str = "SET LOCAL statement_timeout = '10min'";
const LONG_SILENCE: Duration = Duration::from_secs(605);
/// The same for ROLLBACK, which PostgreSQL does at once.
const ROLLBACK: Duration = Duration::from_secs(5);
/// Has PostgreSQL check every five seconds, while a statement runs, whether its client is still there.
const LOOK_FOR_CLIENT: &str = "SET client_connection_check_interval = '5s'";
/// Age at which a connection is replaced: PostgreSQL's processes grow.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// The options with which connections of one pool are opened.
#[derive(Clone, Debug)]
pub(super) enum Connector {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
}

impl Connector {
    /// Opens a connection whose statements end when the signal says so. Boxed, because opening one takes far more room
    /// than running a statement, on the stack of whoever does.
    pub(super) fn connect<'s>(
        &'s self,
        signal: &'s Arc<StopSignal>,
    ) -> BoxFuture<'s, Result<Connection, Error>> {
        Box::pin(async move {
            let inner = match self {
                Self::Sqlite(options) => {
                    let mut connection = options.connect().await?;
                    let signal = Arc::clone(signal);
                    let mut handle = connection.lock_handle().await?;
                    // Not `sqlite3_interrupt`: it ends only what runs at that moment, and a statement that begins
                    // just after it would run to its end.
                    handle.set_progress_handler(STEPS, move || signal.should_continue());
                    drop(handle);
                    DriverConnection::Sqlite(connection)
                }
                Self::Postgres(options) => {
                    let mut connection = options.connect().await?;
                    let process = sqlx::query_scalar("SELECT pg_backend_pid()");
                    // Read once, since a connection has the same process for life: when it has to be cancelled,
                    // nothing can be asked on it any more.
                    signal.set_process(process.fetch_one(&mut connection).await?);
                    match connection.execute(LOOK_FOR_CLIENT).await {
                        // Not every system on which PostgreSQL runs can look.
                        Ok(_) | Err(Error::Database(_)) => {}
                        Err(error) => return Err(error),
                    }
                    DriverConnection::Postgres(Box::new(connection))
                }
            };
            Ok(Connection {
                inner,
                state: ConnectionState::Clean,
                in_transaction: false,
                opened: Instant::now(),
                silence: SILENCE,
            })
        })
    }
}

#[derive(Debug)]
enum DriverConnection {
    Sqlite(SqliteConnection),
    Postgres(Box<PgConnection>),
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionState {
    /// Every statement has ended well.
    Clean,
    /// A statement runs. In the hands of anybody but who runs it, it is one that was given up.
    Running,
    /// A statement has failed. SQLite rolls back by itself after some failures and not after others, so nothing more
    /// may be written: it could be kept without what came before.
    Failed(FailureKind),
}

/// A connection, used by one lease at a time.
#[derive(Debug)]
pub(super) struct Connection {
    inner: DriverConnection,
    state: ConnectionState,
    /// Whether a transaction is open on it.
    in_transaction: bool,
    opened: Instant,
    /// Longest wait for an answer of PostgreSQL. SQLite needs none: it works in this process and obeys its signal.
    silence: Duration,
}

/// Expands an expression once for each database, whose types of connection differ.
macro_rules! either {
    ($inner:expr, $connection:ident => $body:expr) => {
        match $inner {
            DriverConnection::Sqlite($connection) => $body,
            DriverConnection::Postgres(connection) => {
                let $connection = &mut **connection;
                $body
            }
        }
    };
}

impl Connection {
    pub(super) fn state(&self) -> ConnectionState {
        self.state
    }

    /// When it was opened.
    pub(super) fn opened_at(&self) -> Instant {
        self.opened
    }

    /// Whether another lease may use it.
    pub(super) fn is_reusable(&self) -> bool {
        self.state == ConnectionState::Clean && !self.in_transaction
    }

    /// Begins a transaction with these words.
    pub(super) async fn begin_transaction(&mut self, words: &str) -> Result<(), DbErr> {
        // Set before BEGIN is sent: dropped half-way, the transaction may be open, and the connection must not be
        // lent again.
        self.in_transaction = true;
        self.execute_unprepared(words).await.map(|_| ())
    }

    /// Runs a statement with a bound on its time, and remembers how it ended.
    async fn run_statement<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut DriverConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let silence = self.mark_statement_running()?;
        let result = await_answer(silence, statement(&mut self.inner)).await;
        // Reached only where the statement ended: a future that is dropped before leaves `Running` behind, by which
        // the lease knows that it was given up.
        self.mark_statement_ended(result.as_ref().err());
        result
    }

    /// Marks a statement as running, and returns the longest wait for its answer.
    ///
    /// # Errors
    /// An earlier statement has failed or was given up.
    fn mark_statement_running(&mut self) -> Result<Option<Duration>, Error> {
        match self.state {
            ConnectionState::Clean => {
                self.state = ConnectionState::Running;
                Ok(match self.inner {
                    DriverConnection::Sqlite(_) => None,
                    DriverConnection::Postgres(_) => Some(self.silence),
                })
            }
            ConnectionState::Failed(kind) => Err(kind.subsequent_error()),
            // Two statements at a time, or one after a stream that was not read to its end: a mistake of ours, not of
            // the database.
            ConnectionState::Running => Err(FailureKind::Fault.subsequent_error()),
        }
    }

    fn mark_statement_ended(&mut self, error: Option<&Error>) {
        self.state = match error {
            None => ConnectionState::Clean,
            Some(error) => ConnectionState::Failed(FailureKind::classify(error)),
        };
    }

    /// Gives the further statements of this transaction, its commit included, ten minutes each.
    pub(super) async fn extend_timeouts(&mut self) -> Result<(), DbErr> {
        if matches!(self.inner, DriverConnection::Postgres(_)) {
            self.execute_unprepared(LONG_STATEMENT).await?;
            self.silence = LONG_SILENCE;
        }
        Ok(())
    }

    /// Ends the transaction with this word.
    pub(super) async fn end_transaction(&mut self, word: &str) -> Result<(), DbErr> {
        // A rollback is often sent because PostgreSQL has gone silent: it does not wait as long as the statement did.
        if word == "ROLLBACK" {
            self.silence = ROLLBACK;
        }
        self.execute_unprepared(word).await?;
        self.in_transaction = false;
        Ok(())
    }

    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, DbErr> {
        let ran = self.run_statement(async |inner| {
            either!(inner, connection => bind_query(statement).execute(&mut *connection).await.map(ExecResult::from))
        });
        ran.await.map_err(execution_error)
    }

    /// Runs SQL without values and without preparing it.
    pub(super) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let ran = self.run_statement(async |inner| {
            either!(inner, connection => {
                connection.execute(AssertSqlSafe(sql)).await.map(ExecResult::from)
            })
        });
        ran.await.map_err(execution_error)
    }

    pub(super) async fn query_one(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, DbErr> {
        let ran = self.run_statement(async |inner| {
            either!(inner, connection => {
                let row = bind_query(statement).fetch_optional(&mut *connection).await?;
                Ok(row.map(QueryResult::from))
            })
        });
        ran.await.map_err(query_error)
    }

    pub(super) async fn query_all(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let ran = self.run_statement(async |inner| {
            either!(inner, connection => {
                let rows = bind_query(statement).fetch_all(&mut *connection).await?;
                Ok(rows.into_iter().map(QueryResult::from).collect())
            })
        });
        ran.await.map_err(query_error)
    }

    /// The rows of a statement as they come. Until the last one has come, the statement is under way.
    pub(super) fn stream(
        &mut self,
        statement: Statement,
    ) -> BoxStream<'_, Result<QueryResult, DbErr>> {
        let rows = async_stream::try_stream! {
            let silence = self.mark_statement_running().map_err(query_error)?;
            let failed = {
                let mut rows = match &mut self.inner {
                    DriverConnection::Sqlite(connection) => bind_query(&statement)
                        .fetch(&mut *connection)
                        .map(|row| row.map(QueryResult::from))
                        .boxed(),
                    DriverConnection::Postgres(connection) => bind_query(&statement)
                        .fetch(&mut **connection)
                        .map(|row| row.map(QueryResult::from))
                        .boxed(),
                };
                loop {
                    match await_answer(silence, rows.try_next()).await {
                        Ok(Some(row)) => yield row,
                        Ok(None) => break None,
                        Err(error) => break Some(error),
                    }
                }
            };
            self.mark_statement_ended(failed.as_ref());
            if let Some(error) = failed {
                Err(query_error(error))?;
            }
        };
        rows.boxed()
    }

    /// Whether it may be used again: it is clean and not too old, and PostgreSQL answers a ping on it.
    pub(super) async fn check_reusable(&mut self) -> bool {
        // A transaction before this one may have left the long patience of an import behind.
        self.silence = SILENCE;
        if !self.is_reusable() || self.opened.elapsed() > LIFETIME {
            return false;
        }
        match &mut self.inner {
            DriverConnection::Sqlite(_) => true,
            DriverConnection::Postgres(connection) => {
                matches!(timeout(ALIVE, connection.ping()).await, Ok(Ok(())))
            }
        }
    }

    /// Waits until a statement that was given up has ended, and closes the connection.
    pub(super) async fn close(self) {
        let closed = match self.inner {
            DriverConnection::Sqlite(connection) => connection.close().await,
            // The ping is answered after the cancelled statement. Closing without it would say only that the socket
            // is shut, while the statement may go on in the server and hold its locks.
            DriverConnection::Postgres(mut connection)
                if self.state == ConnectionState::Running =>
            {
                match connection.ping().await {
                    Ok(()) => connection.close().await,
                    Err(error) => Err(error),
                }
            }
            DriverConnection::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "a connection was broken when it was closed");
        }
    }
}

/// Waits for an answer of PostgreSQL, no longer than `silence` where there is one.
async fn await_answer<T>(
    silence: Option<Duration>,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(silence) = silence else {
        return answer.await;
    };
    timeout(silence, answer).await.unwrap_or_else(|_| {
        let why = "PostgreSQL, or the network to it, has gone silent";
        Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, why)))
    })
}

fn bind_query<'q, D>(statement: &'q Statement) -> sqlx::query::Query<'q, D, SqlxValues>
where
    D: sqlx::Database,
    SqlxValues: sqlx::IntoArguments<D>,
{
    // The driver takes values by ownership, and the statement belongs to the caller, which may send it again.
    let values = statement.values.clone();
    let values = SqlxValues(values.unwrap_or(Values(Vec::new())));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values)
}

fn execution_error(error: Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn query_error(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
