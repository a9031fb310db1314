//! One connection of either database: runs statements, and knows whether it may run another.

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

use super::signal::Signal;
use crate::error::database::Kind;

/// How many steps of SQLite's machine pass between two looks at the signal: about 50 microseconds.
const STEPS: i32 = 4096;
/// How long PostgreSQL has to say that it is there. A network that has gone silent is not waited for.
const ALIVE: Duration = Duration::from_secs(1);
/// After so long PostgreSQL gives up a statement by itself, and says so.
pub(super) const STATEMENT: &str = "30s";
/// How long an answer of PostgreSQL is waited for: longer than [`STATEMENT`], so that only a network or a server that
/// has gone silent keeps anybody waiting for it.
const SILENCE: Duration = Duration::from_secs(35);
/// The same two for what is known to take long.
const LONG_STATEMENT: &str = "SET LOCAL statement_timeout = '10min'";
const LONG_SILENCE: Duration = Duration::from_secs(605);
/// The same for a transaction that is taken back, which PostgreSQL does at once.
const ROLLBACK: Duration = Duration::from_secs(5);
/// Has PostgreSQL look now and then, while it works, whether its client is still there.
const LOOK_FOR_CLIENT: &str = "SET client_connection_check_interval = '5s'";
/// After so long a connection is opened anew: PostgreSQL's processes grow.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// How connections are opened.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
}

impl Source {
    /// Opens a connection whose statements end when the signal says so. Boxed, because opening one takes far more room
    /// than running a statement, on the stack of whoever does.
    pub(super) fn connect<'s>(
        &'s self,
        signal: &'s Arc<Signal>,
    ) -> BoxFuture<'s, Result<Connection, Error>> {
        Box::pin(async move {
            let inner = match self {
                Self::Sqlite(options) => {
                    let mut connection = options.connect().await?;
                    let signal = Arc::clone(signal);
                    let mut handle = connection.lock_handle().await?;
                    handle.set_progress_handler(STEPS, move || signal.goes_on());
                    drop(handle);
                    Inner::Sqlite(connection)
                }
                Self::Postgres(options) => {
                    let mut connection = options.connect().await?;
                    let process = sqlx::query_scalar("SELECT pg_backend_pid()");
                    signal.is_of(process.fetch_one(&mut connection).await?);
                    match connection.execute(LOOK_FOR_CLIENT).await {
                        // Not every system on which PostgreSQL runs can look.
                        Ok(_) | Err(Error::Database(_)) => {}
                        Err(error) => return Err(error),
                    }
                    Inner::Postgres(Box::new(connection))
                }
            };
            Ok(Connection {
                inner,
                state: State::Clean,
                in_transaction: false,
                opened: Instant::now(),
                silence: SILENCE,
            })
        })
    }
}

#[derive(Debug)]
enum Inner {
    Sqlite(SqliteConnection),
    Postgres(Box<PgConnection>),
}

/// What is known of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Every statement has ended well: it may be used again.
    Clean,
    /// A statement is under way. Found by somebody else, it is one that was given up.
    Running,
    /// A statement has failed. SQLite rolls back by itself after some failures and not after others, so nothing more
    /// may be written: it could be kept without what came before.
    Failed(Kind),
}

/// A connection that somebody has to themselves.
#[derive(Debug)]
pub(super) struct Connection {
    inner: Inner,
    state: State,
    /// Whether a transaction was begun on it and has not ended.
    in_transaction: bool,
    opened: Instant,
    /// How long PostgreSQL may be silent. SQLite works in this process, and is told by its signal when to end.
    silence: Duration,
}

/// The same lines for either database, each with its own types.
macro_rules! either {
    ($inner:expr, $connection:ident => $body:expr) => {
        match $inner {
            Inner::Sqlite($connection) => $body,
            Inner::Postgres(connection) => {
                let $connection = &mut **connection;
                $body
            }
        }
    };
}

impl Connection {
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// When it was opened.
    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    /// Whether somebody else may go on with it.
    pub(super) fn is_reusable(&self) -> bool {
        self.state == State::Clean && !self.in_transaction
    }

    /// Begins a transaction with these words.
    pub(super) async fn begin(&mut self, words: &str) -> Result<(), DbErr> {
        self.in_transaction = true;
        self.execute_unprepared(words).await.map(|_| ())
    }

    /// Waits for a statement, but not for ever, and remembers whether it ended, and how.
    async fn run<T>(
        &mut self,
        statement: impl AsyncFnOnce(&mut Inner) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let silence = self.begin_statement()?;
        let result = answered(silence, statement(&mut self.inner)).await;
        self.end_statement(result.as_ref().err());
        result
    }

    /// Says how long the statement's answer may take to come.
    fn begin_statement(&mut self) -> Result<Option<Duration>, Error> {
        match self.state {
            State::Clean => {
                self.state = State::Running;
                Ok(match self.inner {
                    Inner::Sqlite(_) => None,
                    Inner::Postgres(_) => Some(self.silence),
                })
            }
            State::Failed(kind) => Err(kind.behind()),
            State::Running => Err(Kind::Fault.behind()),
        }
    }

    fn end_statement(&mut self, error: Option<&Error>) {
        self.state = match error {
            None => State::Clean,
            Some(error) => State::Failed(Kind::of(error)),
        };
    }

    /// Gives the statements of this transaction that are still to come, its commit among them, as long as a large sheet
    /// takes.
    pub(super) async fn takes_long(&mut self) -> Result<(), DbErr> {
        if matches!(self.inner, Inner::Postgres(_)) {
            self.execute_unprepared(LONG_STATEMENT).await?;
            self.silence = LONG_SILENCE;
        }
        Ok(())
    }

    /// Ends the transaction with this word.
    pub(super) async fn end(&mut self, word: &str) -> Result<(), DbErr> {
        if word == "ROLLBACK" {
            self.silence = ROLLBACK;
        }
        self.execute_unprepared(word).await?;
        self.in_transaction = false;
        Ok(())
    }

    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, DbErr> {
        let ran = self.run(async |inner| {
            either!(inner, connection => query(statement).execute(&mut *connection).await.map(ExecResult::from))
        });
        ran.await.map_err(executing)
    }

    /// Runs words that have no values, outside of the statements that are kept prepared.
    pub(super) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let ran = self.run(async |inner| {
            either!(inner, connection => {
                connection.execute(AssertSqlSafe(sql)).await.map(ExecResult::from)
            })
        });
        ran.await.map_err(executing)
    }

    pub(super) async fn query_one(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<QueryResult>, DbErr> {
        let ran = self.run(async |inner| {
            either!(inner, connection => {
                let row = query(statement).fetch_optional(&mut *connection).await?;
                Ok(row.map(QueryResult::from))
            })
        });
        ran.await.map_err(querying)
    }

    pub(super) async fn query_all(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let ran = self.run(async |inner| {
            either!(inner, connection => {
                let rows = query(statement).fetch_all(&mut *connection).await?;
                Ok(rows.into_iter().map(QueryResult::from).collect())
            })
        });
        ran.await.map_err(querying)
    }

    /// The rows of a statement as they come. Until the last one has come, the statement is under way.
    pub(super) fn stream(
        &mut self,
        statement: Statement,
    ) -> BoxStream<'_, Result<QueryResult, DbErr>> {
        let rows = async_stream::try_stream! {
            let silence = self.begin_statement().map_err(querying)?;
            let failed = {
                let mut rows = match &mut self.inner {
                    Inner::Sqlite(connection) => query(&statement)
                        .fetch(&mut *connection)
                        .map(|row| row.map(QueryResult::from))
                        .boxed(),
                    Inner::Postgres(connection) => query(&statement)
                        .fetch(&mut **connection)
                        .map(|row| row.map(QueryResult::from))
                        .boxed(),
                };
                loop {
                    match answered(silence, rows.try_next()).await {
                        Ok(Some(row)) => yield row,
                        Ok(None) => break None,
                        Err(error) => break Some(error),
                    }
                }
            };
            self.end_statement(failed.as_ref());
            if let Some(error) = failed {
                Err(querying(error))?;
            }
        };
        rows.boxed()
    }

    /// Whether it may be used again: clean, not too old, and PostgreSQL answers on it.
    pub(super) async fn is_good(&mut self) -> bool {
        self.silence = SILENCE;
        if !self.is_reusable() || self.opened.elapsed() > LIFETIME {
            return false;
        }
        match &mut self.inner {
            Inner::Sqlite(_) => true,
            Inner::Postgres(connection) => {
                matches!(timeout(ALIVE, connection.ping()).await, Ok(Ok(())))
            }
        }
    }

    /// Waits until whatever was given up has ended, and closes the connection.
    pub(super) async fn close(self) {
        let closed = match self.inner {
            Inner::Sqlite(connection) => connection.close().await,
            Inner::Postgres(mut connection) if self.state == State::Running => {
                match connection.ping().await {
                    Ok(()) => connection.close().await,
                    Err(error) => Err(error),
                }
            }
            Inner::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "a connection was broken when it was closed");
        }
    }
}

/// Waits for an answer, at the most for so long.
async fn answered<T>(
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

fn query<'q, D>(statement: &'q Statement) -> sqlx::query::Query<'q, D, SqlxValues>
where
    D: sqlx::Database,
    SqlxValues: sqlx::IntoArguments<D>,
{
    let values = statement.values.clone();
    let values = SqlxValues(values.unwrap_or(Values(Vec::new())));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values)
}

fn executing(error: Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn querying(error: Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
