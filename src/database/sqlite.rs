//! How SQLite is opened, and which file that is: what sqlx reads in the URL, percent-encoding and parameters included.

use std::{
    borrow::Cow,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use sea_orm::{DbErr, RuntimeErr};
use sqlx::{
    ConnectOptions as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::options::{AccessMode, Options, PATIENCE, invalid_url};

pub(super) fn connect_options(
    options: &Options,
    access: AccessMode,
) -> Result<SqliteConnectOptions, DbErr> {
    let sqlite: SqliteConnectOptions = options.url.parse().map_err(invalid_url)?;
    refuse_memory_or_readonly_url(&options.url, sqlite.get_filename())?;
    let sqlite = sqlite.disable_statement_logging();
    // KiB. An import of very many rows comes back to the same index pages again and again, some for each KPI; what does
    // not fit into the cache until the commit is written out each time.
    let (cache, query_only) = match access {
        AccessMode::Write => ("-32768", "OFF"),
        AccessMode::Read => ("-2000", "ON"),
    };
    Ok(sqlite
        .pragma("cache_size", cache)
        // What is erased is overwritten.
        .pragma("secure_delete", "ON")
        .create_if_missing(access == AccessMode::Write)
        // In a rollback journal readers and the writer would wait for one another.
        .journal_mode(SqliteJournalMode::Wal)
        // 64 MiB, to which the log shrinks again after a burst.
        .pragma("journal_size_limit", "67108864")
        // A commit waits for the disk outside of SQLite, together with others: see `wal`.
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .pragma("query_only", query_only))
}

/// Refuses what is no file that can be written: of a database in memory, each connection would have one of its own.
fn refuse_memory_or_readonly_url(url: &str, path: &Path) -> Result<(), DbErr> {
    let (name, parameters) = url.split_once('?').unwrap_or((url, ""));
    let refused = |(key, value): &(Cow<'_, str>, Cow<'_, str>)| {
        let refused = [
            ("mode", "memory"),
            ("mode", "ro"),
            ("immutable", "true"),
            ("immutable", "1"),
        ];
        refused.contains(&(key, value))
    };
    let parameter = form_urlencoded::parse(parameters.as_bytes()).find(refused);
    let no_file = path.as_os_str().is_empty()
        || name.ends_with(":memory:")
        || path.to_string_lossy().starts_with("file:");
    let why = match parameter {
        Some((key, value)) => format!("{key}={value} in the database URL"),
        None if no_file => format!("the database URL {name}"),
        None => return Ok(()),
    };
    let why = format!("{why} names no file that can be written; it looks like sqlite://path");
    Err(DbErr::Conn(RuntimeErr::Internal(why)))
}

/// Makes the file of a new database, for its owner alone; SQLite makes those beside it alike. One that is there already
/// stays as its owner has it.
pub(super) fn create_private_database(path: &Path) -> Result<(), DbErr> {
    let made = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_file(path),
        // Looked at and not opened: SQLite's locks on it, where it has some in this process, would go with the handle.
        there => there.map(|_| ()),
    };
    made.map_err(|error| {
        let why = format!("{} cannot be made: {error}", path.display());
        DbErr::Conn(RuntimeErr::Internal(why))
    })
}

/// Creates the file; where the path is a symbolic link to a file that is not there, that file.
fn create_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.sync_all()?;
    // SQLite syncs the directory for files that it makes itself.
    let directory = fs::canonicalize(path)?.parent().map(Path::to_owned);
    match directory {
        Some(directory) if cfg!(unix) => File::open(directory)?.sync_all(),
        _ => Ok(()),
    }
}

/// The file of an SQLite URL; nothing for any other database.
#[must_use]
pub fn sqlite_path(url: &str) -> Option<PathBuf> {
    let options: SqliteConnectOptions = url.starts_with("sqlite:").then(|| url.parse().ok())??;
    Some(options.get_filename().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_a_file_that_can_be_written() {
        let open = |url: &str| {
            let options = Options {
                url: url.to_owned(),
                connections: 1,
                schema: None,
            };
            super::connect_options(&options, AccessMode::Write).map_err(|error| error.to_string())
        };
        for url in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite:",
            "sqlite://",
            "sqlite://x.db?mode=memory",
            "sqlite://x.db?mode=ro",
            "sqlite://x.db?cache=private&mode=%72o",
            "sqlite://x.db?immutable=1",
            "sqlite:file:x.db",
            "sqlite:file%3Ax.db",
        ] {
            let why = open(url).expect_err(url);
            assert!(why.contains("names no file that can be written"), "{why}");
        }
        for url in [
            "sqlite:x.db",
            "sqlite://x.db?mode=rwc",
            "sqlite:///var/lib/a%20b.db?mode=rw",
        ] {
            assert!(open(url).is_ok(), "{url}");
        }
    }
}
