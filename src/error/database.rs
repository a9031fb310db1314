//! Maps failures of the database to errors of the product, by their code and by the names of constraints, never by the
//! words of a message, which may contain anybody's data.

use std::{fmt, io, sync::Arc};

use sea_orm::{DbErr, RuntimeErr};
use sqlx::{
    error::DatabaseError,
    postgres::{PgDatabaseError, PgSeverity},
};

use super::{Error, Reason, UserErrorCode};

/// The error of sqlx inside an error of sea-orm.
#[must_use]
pub fn sqlx_cause(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

/// The code of a failure: SQLSTATE, or SQLite's extended result code.
#[must_use]
pub fn error_code(error: &DbErr) -> Option<String> {
    match sqlx_cause(error)? {
        sqlx::Error::Database(said) => said.code().map(Into::into),
        _ => None,
    }
}

/// A refusal of ours on its way through sea-orm, whose functions return errors of databases only.
#[derive(Debug)]
struct CarriedError(Error);

impl fmt::Display for CarriedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was refused before the database was asked, or while it worked")
    }
}

impl std::error::Error for CarriedError {}

/// Wraps a refusal as an error of the database; converting it into an [`Error`] unwraps it.
#[must_use]
pub fn wrap_as_database_error(error: Error) -> DbErr {
    let carried = sqlx::Error::AnyDriverError(Box::new(CarriedError(error)));
    DbErr::Query(RuntimeErr::SqlxError(carried.into()))
}

/// The kinds of failure that are answered differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// A unique index or primary key was violated.
    Unique,
    /// A foreign key was violated, by the row that refers or by the one that is referred to.
    ForeignKey,
    /// A text has a character that the database cannot keep.
    Unreadable,
    /// It cannot be reached, or not right now: nothing was done, and trying again may help.
    Unavailable,
    /// The disk is full or broken, or may not be written: nothing was done, and whoever runs the server has to look.
    Unwritable,
    /// The database was told to end the statement, or it took longer than a statement may: nothing was done.
    TookTooLong,
    /// A table is another one than when the statement was prepared: nothing was done, and on a new connection it works.
    Outdated,
    /// A fault of ours.
    Fault,
}

impl FailureKind {
    /// Classifies a failure.
    #[must_use]
    pub fn classify(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(said) => Self::from_database_error(&**said),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            // What comes over a connection that broke off cannot be read.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable,
            _ => Self::Fault,
        }
    }

    fn from_database_error(said: &(dyn DatabaseError + 'static)) -> Self {
        let Some(code) = said.code() else {
            return Self::Fault;
        };
        match said.try_downcast_ref::<PgDatabaseError>() {
            None => Self::from_sqlite_code(&code),
            Some(said) if said.routine() == Some(REPLANNING) => Self::Outdated,
            Some(said) => Self::from_sqlstate(&code, said.severity()),
        }
    }

    /// The error of further statements on a connection on which one has failed with this kind.
    pub(crate) fn subsequent_error(self) -> sqlx::Error {
        let why = "a statement before this one failed or was given up";
        match self {
            // Whoever shares a transaction meets the same failure, whoever met it first.
            Self::Unavailable | Self::Unwritable | Self::TookTooLong | Self::Outdated => {
                sqlx::Error::Io(io::Error::other(why))
            }
            Self::Unique | Self::ForeignKey | Self::Unreadable | Self::Fault => {
                sqlx::Error::InvalidArgument(why.to_owned())
            }
        }
    }

    /// By SQLite's extended result code, of which the lower byte is the primary one.
    fn from_sqlite_code(code: &str) -> Self {
        const UNIQUE: i32 = 2067;
        const PRIMARY_KEY: i32 = 1555;
        const FOREIGN_KEY: i32 = 787;
        let Ok(code) = code.parse::<i32>() else {
            return Self::Fault;
        };
        match code {
            UNIQUE | PRIMARY_KEY => Self::Unique,
            FOREIGN_KEY => Self::ForeignKey,
            _ => match code & 0xff {
                // BUSY, LOCKED, PROTOCOL (of locking)
                5 | 6 | 15 => Self::Unavailable,
                // INTERRUPT
                9 => Self::TookTooLong,
                // PERM, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOLFS, AUTH, NOTADB
                3 | 7 | 8 | 10 | 11 | 13 | 14 | 22 | 23 | 26 => Self::Unwritable,
                _ => Self::Fault,
            },
        }
    }

    /// By PostgreSQL's SQLSTATE, of which the first two characters are the class.
    fn from_sqlstate(code: &str, severity: PgSeverity) -> Self {
        let is_of = |classes: &[&str]| classes.iter().any(|class| code.starts_with(class));
        match code {
            "23505" => Self::Unique,
            "23503" | "23001" => Self::ForeignKey,
            "22021" => Self::Unreadable,
            // Cancelled, or longer than `statement_timeout`; longer than `transaction_timeout`.
            "57014" | "25P04" => Self::TookTooLong,
            // The server is a standby; its disk is full; a file of its data is broken.
            "25006" | "53100" | "XX001" | "XX002" => Self::Unwritable,
            // The system under it fails, as at reading or writing a file.
            _ if is_of(&["58"]) => Self::Unwritable,
            // A lock was not to be had in time; a session idled in its transaction.
            "55P03" | "25P03" => Self::Unavailable,
            // A pooler in between has lost a statement that was prepared, or given it to another.
            "26000" | "42P05" => Self::Outdated,
            // No connection; a serialisation failure or deadlock; no resources; ended by an operator.
            _ if is_of(&["08", "40", "53", "57"]) => Self::Unavailable,
            // The server has ended the connection, or is about to, whatever its reason.
            _ if ends_connection(severity) => Self::Unavailable,
            _ => Self::Fault,
        }
    }
}

/// The routine of PostgreSQL that finds a prepared statement out of date. The code that it fails with, 0A000, it shares
/// with whatever is not supported.
const REPLANNING: &str = "RevalidateCachedQuery";

fn ends_connection(severity: PgSeverity) -> bool {
    matches!(severity, PgSeverity::Fatal | PgSeverity::Panic)
}

/// Whether this failure of a COMMIT says for certain that nothing of the transaction was kept. Of SQLite its own log
/// has all of it or nothing. PostgreSQL has to have refused it, and to live: a server that goes down, or a pooler in
/// between that has lost it, may say so after it was kept.
#[must_use]
pub fn is_certainly_not_committed(error: &DbErr) -> bool {
    let Some(sqlx::Error::Database(said)) = sqlx_cause(error) else {
        return false;
    };
    said.try_downcast_ref::<PgDatabaseError>()
        .is_none_or(|said| refuses_commit(said.code(), said.severity()))
}

fn refuses_commit(code: &str, severity: PgSeverity) -> bool {
    // 40003 and 08007 say in so many words that it is not known; 58 and XX are what the server has not foreseen.
    let unsure = ["08", "40003", "57P", "58", "XX"];
    severity == PgSeverity::Error && !unsure.iter().any(|class| code.starts_with(class))
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Unavailable(Arc::new(error));
        }
        let Some(cause) = sqlx_cause(&error) else {
            return Self::Internal(Arc::new(error));
        };
        if let sqlx::Error::AnyDriverError(inside) = cause
            && let Some(CarriedError(error)) = inside.downcast_ref()
        {
            return error.clone();
        }
        match (FailureKind::classify(cause), cause) {
            (FailureKind::Unique, sqlx::Error::Database(said)) => lost_race_error(&**said),
            (FailureKind::ForeignKey, _) => Self::conflict(
                "id",
                Reason::InUse,
                "Something else still refers to it. Remove that first.",
            ),
            (FailureKind::Unreadable, _) => {
                Self::BadInput("A text must not contain a NUL character.".to_owned())
            }
            (FailureKind::TookTooLong, _) => {
                tracing::warn!(%error, "a statement was cancelled");
                Self::TookTooLong
            }
            (FailureKind::Unavailable | FailureKind::Unwritable | FailureKind::Outdated, _) => {
                Self::Unavailable(Arc::new(error))
            }
            _ => Self::Internal(Arc::new(error)),
        }
    }
}

/// The conflict of an act that lost a race: somebody else has inserted the same first.
fn lost_race_error(said: &(dyn DatabaseError + 'static)) -> Error {
    match constraint_name(said) {
        "responsibility_one_accountable" | "responsibility.touchpoint_id" => Error::conflict(
            "id",
            Reason::AccountableTaken,
            "Another department has become accountable here.",
        ),
        "responsibility_once"
        | "responsibility.touchpoint_id, responsibility.department_id, responsibility.role" => {
            Error::already_held()
        }
        name if KEYS.contains(&name) => Error::fault(
            "key",
            UserErrorCode::Duplicate,
            Some(Reason::KeyTaken),
            "This key is taken; keys are never used twice.",
        ),
        _ => Error::fault("id", UserErrorCode::Duplicate, None, "This already exists."),
    }
}

/// The unique indexes of keys. They are over expressions, so that SQLite names them too.
const KEYS: &[&str] = &[
    "account_key",
    "blueprint_key",
    "channel_key",
    "department_key",
    "improvement_key",
    "insight_key",
    "kpi_key",
    "persona_key",
    "phase_key",
    "promise_key",
    "segment_key",
    "template_key",
    "touchpoint_key",
];

/// The name of the index, or its columns where SQLite knows only those. It has no field for either: they are what
/// stands behind the fixed words of this one message.
fn constraint_name<'s>(said: &'s (dyn DatabaseError + 'static)) -> &'s str {
    said.constraint().unwrap_or_else(|| {
        let message = said.message();
        let named = message.strip_prefix("UNIQUE constraint failed: ");
        let named = named.unwrap_or_default();
        let index = named.strip_prefix("index '");
        index.map_or(named, |index| index.trim_end_matches('\''))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_is_read_by_its_code() {
        // SQLITE_FULL; SQLITE_IOERR_FSYNC; SQLITE_READONLY_DBMOVED; SQLITE_CORRUPT_INDEX
        for code in ["13", "1034", "1032", "779"] {
            assert_eq!(
                FailureKind::from_sqlite_code(code),
                FailureKind::Unwritable,
                "{code}"
            );
        }
        // SQLITE_BUSY, SQLITE_BUSY_SNAPSHOT
        for code in ["5", "517"] {
            assert_eq!(
                FailureKind::from_sqlite_code(code),
                FailureKind::Unavailable,
                "{code}"
            );
        }
        // SQLITE_INTERRUPT
        assert_eq!(FailureKind::from_sqlite_code("9"), FailureKind::TookTooLong);
        assert_eq!(FailureKind::from_sqlite_code("2067"), FailureKind::Unique);
        assert_eq!(FailureKind::from_sqlite_code("1555"), FailureKind::Unique);
        assert_eq!(
            FailureKind::from_sqlite_code("787"),
            FailureKind::ForeignKey
        );
        // SQLITE_CONSTRAINT_CHECK, SQLITE_ERROR
        for code in ["275", "1"] {
            assert_eq!(
                FailureKind::from_sqlite_code(code),
                FailureKind::Fault,
                "{code}"
            );
        }
    }

    #[test]
    fn postgresql_is_read_by_its_state() {
        let kind = |code| FailureKind::from_sqlstate(code, PgSeverity::Error);
        for code in [
            "08006", "40001", "40P01", "53300", "55P03", "57P03", "25P03",
        ] {
            assert_eq!(kind(code), FailureKind::Unavailable, "{code}");
        }
        for code in ["25006", "53100", "58000", "58030", "58P01", "XX001"] {
            assert_eq!(kind(code), FailureKind::Unwritable, "{code}");
        }
        for code in ["57014", "25P04"] {
            assert_eq!(kind(code), FailureKind::TookTooLong, "{code}");
        }
        for code in ["26000", "42P05"] {
            assert_eq!(kind(code), FailureKind::Outdated, "{code}");
        }
        for code in ["42P01", "23514", "22012", "0A000", "XX000"] {
            assert_eq!(kind(code), FailureKind::Fault, "{code}");
            for severity in [PgSeverity::Fatal, PgSeverity::Panic] {
                assert_eq!(
                    FailureKind::from_sqlstate(code, severity),
                    FailureKind::Unavailable,
                    "{code}"
                );
            }
        }
    }

    #[test]
    fn only_a_server_that_lives_can_say_that_a_commit_was_not_kept() {
        for code in ["23503", "23505", "40001", "53100", "57014", "P0001"] {
            assert!(refuses_commit(code, PgSeverity::Error), "{code}");
        }
        let unsure = [
            "08006", "08007", "08P01", "40003", "57P01", "57P02", "57P03", "58030", "XX000",
        ];
        for code in unsure {
            assert!(!refuses_commit(code, PgSeverity::Error), "{code}");
        }
        for code in ["23503", "57P01", "XX000", "25P04"] {
            for severity in [PgSeverity::Fatal, PgSeverity::Panic] {
                assert!(!refuses_commit(code, severity), "{code}");
            }
        }
    }

    #[test]
    fn what_comes_behind_a_failure_is_a_failure_of_the_same_side() {
        for kind in [
            FailureKind::Unavailable,
            FailureKind::Unwritable,
            FailureKind::TookTooLong,
            FailureKind::Outdated,
        ] {
            assert_eq!(
                FailureKind::classify(&kind.subsequent_error()),
                FailureKind::Unavailable,
                "{kind:?}"
            );
        }
        // To go on after a refusal is ours to avoid.
        for kind in [
            FailureKind::Unique,
            FailureKind::ForeignKey,
            FailureKind::Unreadable,
            FailureKind::Fault,
        ] {
            assert_eq!(
                FailureKind::classify(&kind.subsequent_error()),
                FailureKind::Fault,
                "{kind:?}"
            );
        }
    }
}
