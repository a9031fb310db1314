//! What a failure of the database means, told by its code and by the names of constraints, never by the words of its
//! message, which may be anybody's data.

use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::DatabaseError;

use super::{Error, Reason, UserErrorCode};

/// What sqlx says lies behind an error of sea-orm.
#[must_use]
pub fn cause(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(cause))
        | DbErr::Exec(RuntimeErr::SqlxError(cause))
        | DbErr::Query(RuntimeErr::SqlxError(cause)) => Some(cause),
        _ => None,
    }
}

/// The code that the database gave: SQLSTATE, or SQLite's extended result code.
#[must_use]
pub fn code(error: &DbErr) -> Option<String> {
    match cause(error)? {
        sqlx::Error::Database(said) => said.code().map(Into::into),
        _ => None,
    }
}

/// What went wrong, as far as it matters to whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A unique index has that already.
    Unique,
    /// Something else depends on it, or what it depends on is not there.
    ForeignKey,
    /// A text has a character that the database cannot keep.
    Unreadable,
    /// It cannot be reached, or not right now: nothing was done, and trying again may help.
    Unavailable,
    /// The disk is full or broken, or may not be written: nothing was done, and whoever runs the server has to look.
    Unwritable,
    /// A fault of ours.
    Fault,
}

impl Kind {
    /// What kind of failure this is.
    #[must_use]
    pub fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(said) => match said.code() {
                Some(code) if is_sqlite(&**said) => Self::of_sqlite(&code),
                Some(code) => Self::of_postgresql(&code),
                None => Self::Fault,
            },
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

    /// By SQLite's extended result code, of which the lower byte is the primary one.
    fn of_sqlite(code: &str) -> Self {
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
                // BUSY, LOCKED, INTERRUPT, PROTOCOL (of locking)
                5 | 6 | 9 | 15 => Self::Unavailable,
                // PERM, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOLFS, AUTH, NOTADB
                3 | 7 | 8 | 10 | 11 | 13 | 14 | 22 | 23 | 26 => Self::Unwritable,
                _ => Self::Fault,
            },
        }
    }

    /// By PostgreSQL's SQLSTATE, of which the first two characters are the class.
    fn of_postgresql(code: &str) -> Self {
        match code {
            "23505" => Self::Unique,
            "23503" | "23001" => Self::ForeignKey,
            "22021" => Self::Unreadable,
            // The server is a standby; its disk is full; a file of it is broken.
            "25006" | "53100" | "58030" | "XX001" | "XX002" => Self::Unwritable,
            // A lock was not to be had in time; a session idled in its transaction.
            "55P03" | "25P03" => Self::Unavailable,
            // No connection; a serialisation failure or deadlock; no resources; ended by an operator or a deadline.
            _ if ["08", "40", "53", "57"]
                .iter()
                .any(|class| code.starts_with(class)) =>
            {
                Self::Unavailable
            }
            _ => Self::Fault,
        }
    }
}

fn is_sqlite(error: &(dyn DatabaseError + 'static)) -> bool {
    error
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_some()
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Unavailable(Arc::new(error));
        }
        let Some(cause) = cause(&error) else {
            return Self::Internal(Arc::new(error));
        };
        match (Kind::of(cause), cause) {
            (Kind::Unique, sqlx::Error::Database(said)) => taken(&**said),
            (Kind::ForeignKey, _) => {
                Self::conflict("id", Reason::InUse, "Something else still depends on it.")
            }
            (Kind::Unreadable, _) => Self::BadInput("A text has a NUL character in it.".to_owned()),
            (Kind::Unavailable | Kind::Unwritable, _) => Self::Unavailable(Arc::new(error)),
            _ => Self::Internal(Arc::new(error)),
        }
    }
}

/// Somebody was first.
fn taken(said: &(dyn DatabaseError + 'static)) -> Error {
    match constraint(said) {
        "responsibility_one_accountable" | "responsibility.touchpoint_id" => Error::conflict(
            "id",
            Reason::AccountableTaken,
            "Another department has become accountable here.",
        ),
        "responsibility_once"
        | "responsibility.touchpoint_id, responsibility.department_id, responsibility.role" => {
            Error::fault(
                "departmentId",
                UserErrorCode::Duplicate,
                Some(Reason::AlreadyHeld),
                "This department already holds this role here, or is offered it.",
            )
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
fn constraint<'s>(said: &'s (dyn DatabaseError + 'static)) -> &'s str {
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
            assert_eq!(Kind::of_sqlite(code), Kind::Unwritable, "{code}");
        }
        // SQLITE_BUSY_SNAPSHOT; SQLITE_INTERRUPT
        for code in ["5", "517", "9"] {
            assert_eq!(Kind::of_sqlite(code), Kind::Unavailable, "{code}");
        }
        assert_eq!(Kind::of_sqlite("2067"), Kind::Unique);
        assert_eq!(Kind::of_sqlite("1555"), Kind::Unique);
        assert_eq!(Kind::of_sqlite("787"), Kind::ForeignKey);
        // SQLITE_CONSTRAINT_CHECK, SQLITE_ERROR
        for code in ["275", "1"] {
            assert_eq!(Kind::of_sqlite(code), Kind::Fault, "{code}");
        }
    }

    #[test]
    fn postgresql_is_read_by_its_state() {
        for code in [
            "08006", "40001", "40P01", "53300", "55P03", "57014", "57P01", "57P03", "25P03",
        ] {
            assert_eq!(Kind::of_postgresql(code), Kind::Unavailable, "{code}");
        }
        for code in ["25006", "53100", "58030"] {
            assert_eq!(Kind::of_postgresql(code), Kind::Unwritable, "{code}");
        }
        for code in ["42P01", "23514", "22012"] {
            assert_eq!(Kind::of_postgresql(code), Kind::Fault, "{code}");
        }
    }
}
