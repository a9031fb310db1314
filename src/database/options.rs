//! What an opening of the database is asked for.

use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr};

/// How long one waits for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

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

/// What a connection is for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Access {
    Read,
    Write,
}

/// The URL itself may hold a password: it is not told.
pub(super) fn unreadable(_: sqlx::Error) -> DbErr {
    let message =
        "the database URL cannot be read; it looks like sqlite://path or postgres://user@host/name";
    DbErr::Conn(RuntimeErr::Internal(message.to_owned()))
}
