//! Options of opening the database.

use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr};

/// Longest wait for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The URL of the database and the sizes of its pools.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite://path` or `postgres://…`.
    pub url: String,
    /// Connections of the pool that reads, and on PostgreSQL of the pool that writes.
    pub connections: u32,
    /// A PostgreSQL schema to work in, for tests that share a database.
    pub schema: Option<String>,
}

/// Whether a connection may write.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum AccessMode {
    Read,
    Write,
}

/// The error for a URL that cannot be parsed. It does not repeat the URL, which may hold a password.
pub(super) fn invalid_url(_: sqlx::Error) -> DbErr {
    let message =
        "the database URL cannot be read; it looks like sqlite://path or postgres://user@host/name";
    DbErr::Conn(RuntimeErr::Internal(message.to_owned()))
}
