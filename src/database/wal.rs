//! Makes commits of SQLite durable. A commit goes into the write-ahead log without waiting for the disk
//! (`synchronous=NORMAL`), and is answered when the log was synced after it: whoever commits meanwhile shares the sync.
//! With `synchronous=FULL`, SQLite would sync within the commit, while the one writer waits.
//!
//! The log is found where SQLite itself says that its file is, and stays the same one from the first connection to the
//! last: a connection that does nothing keeps SQLite from removing it. So one descriptor serves every sync, as the
//! kernel tells of a page that it could not write only those who had the file open at that time; and a log or a file
//! that is another one than was opened is somebody's doing, after which nothing is acknowledged any more.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use sea_orm::{DbErr, RuntimeErr};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::spawn_blocking,
};

use super::watched::FileReplacementCheck;

/// The write-ahead log of an SQLite file, with the file.
#[derive(Debug)]
pub(super) struct WalSyncer {
    /// Watched and never opened: closing any descriptor of it would drop the locks that SQLite has on it.
    database: FileReplacementCheck,
    log: FileReplacementCheck,
    file: File,
    /// A connection that holds the log in place, and reads nothing more.
    anchor: Mutex<Option<SqliteConnection>>,
    /// Number of syncs asked for.
    asked: AtomicU64,
    /// Number of those that are done; whoever holds the lock syncs.
    synced: Arc<Mutex<u64>>,
    broken: OnceLock<WalBrokenReason>,
}

/// The reason why nothing is written until a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WalBrokenReason {
    /// A sync has failed. What the disk has of the log is unknown from then on, and a later sync that succeeds
    /// says nothing of it: the kernel has forgotten the pages that it could not write.
    Disk,
    /// The file or its log is gone, or is another one than was opened.
    Moved,
}

impl WalSyncer {
    /// Opens the log of the database that these options open.
    pub(super) async fn open(options: &SqliteConnectOptions) -> Result<Arc<Self>, DbErr> {
        let mut anchor = options.connect().await.map_err(connect_error)?;
        let named = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let named = sqlx::query_scalar(named).fetch_one(&mut anchor);
        let database: PathBuf = named
            .await
            .map(|name: String| name.into())
            .map_err(connect_error)?;
        // SQLite makes the log when it first reads.
        let read = sqlx::query("SELECT count(*) FROM sqlite_schema");
        read.fetch_one(&mut anchor).await.map_err(connect_error)?;
        let log = log_path(&database);
        // For writing, too, although nothing is written: not every system syncs a descriptor that may only read.
        let file = File::options().read(true).write(true).open(&log);
        let file = file.map_err(|error| {
            let why = format!(
                "the write-ahead log {} cannot be opened: {error}",
                log.display()
            );
            DbErr::Conn(RuntimeErr::Internal(why))
        })?;
        Self::new(&database, &log, file, Some(anchor))
    }

    fn new(
        database: &Path,
        log: &Path,
        file: File,
        anchor: Option<SqliteConnection>,
    ) -> Result<Arc<Self>, DbErr> {
        let watched = |path: &Path| {
            FileReplacementCheck::new(path).map_err(|error| connect_error(error.into()))
        };
        Ok(Arc::new(Self {
            database: watched(database)?,
            log: watched(log)?,
            file,
            anchor: Mutex::new(anchor),
            asked: AtomicU64::new(0),
            synced: Arc::default(),
            broken: OnceLock::new(),
        }))
    }

    /// Returns when everything that was committed or could be read before this call is durable. One sync serves all who
    /// asked before it began.
    ///
    /// # Errors
    /// It failed, or one before has: whether it is durable is not known.
    pub(super) async fn sync(self: &Arc<Self>) -> Result<(), DbErr> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        // An owned guard travels into the blocking task: dropped with this future, it would let the next sync begin
        // while this one runs.
        let turn = Arc::clone(&self.synced).lock_owned().await;
        // A sync that began after this one was asked for has covered it.
        if *turn >= mine {
            return Ok(());
        }
        let wal = Arc::clone(self);
        // What comes of it is noted in there: whoever waits for it may be gone by then.
        let done = spawn_blocking(move || wal.sync_log_file(turn)).await;
        done.map_err(|error| sync_error(io::Error::other(error)))?
    }

    fn sync_log_file(&self, mut synced: OwnedMutexGuard<u64>) -> Result<(), DbErr> {
        // Read before the sync: what is asked for while the disk works may have been committed too late for it.
        let all = self.asked.load(Ordering::SeqCst);
        // One that has failed is the last: see `WalBrokenReason`.
        if self.broken.get().is_none() {
            let done = self.file.sync_data();
            if let Err(error) = done {
                tracing::error!(%error, "the write-ahead log could not be synced: nothing is written until a restart");
                self.broken.get_or_init(|| WalBrokenReason::Disk);
            // After the sync, which succeeds on a removed file too: SQLite may have gone on in another one.
            } else if !self.are_still_same_files() {
                tracing::error!(
                    database = %self.database, log = %self.log,
                    "the file or its write-ahead log was removed or replaced: nothing is written until a restart"
                );
                self.broken.get_or_init(|| WalBrokenReason::Moved);
            }
        }
        self.refuse_if_broken()?;
        *synced = all;
        Ok(())
    }

    /// Number of syncs asked for.
    pub(super) fn sync_count(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// The reason why nothing may be written; none where it may.
    pub(super) fn broken_reason(&self) -> Option<WalBrokenReason> {
        let now = || (!self.are_still_same_files()).then_some(WalBrokenReason::Moved);
        self.broken.get().copied().or_else(now)
    }

    /// Refuses to write where it would not be kept.
    pub(super) fn refuse_if_broken(&self) -> Result<(), DbErr> {
        let why = match self.broken_reason() {
            None => return Ok(()),
            Some(WalBrokenReason::Disk) => {
                "the disk has failed to keep what was written; restart the server when it is sound again"
            }
            Some(WalBrokenReason::Moved) => {
                "the database's file or its write-ahead log is gone or was replaced; put them back and restart the server"
            }
        };
        Err(sync_error(io::Error::other(why)))
    }

    fn are_still_same_files(&self) -> bool {
        self.database.is_still_same_file() && self.log.is_still_same_file()
    }

    /// Lets go of the log, which SQLite then may remove.
    pub(super) async fn close(&self) {
        let anchor = self.anchor.lock().await.take();
        if let Some(anchor) = anchor
            && let Err(error) = anchor.close().await
        {
            tracing::debug!(%error, "a connection was broken when it was closed");
        }
    }
}

/// The path of a database's log.
fn log_path(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

fn connect_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

fn sync_error(error: io::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(sqlx::Error::Io(error))))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{fs, sync::mpsc};

    use futures_util::future::poll_immediate;
    use tempfile::TempDir;
    use tokio::runtime;

    use super::*;

    /// A file and its log, of no database.
    struct Files {
        dir: TempDir,
        wal: Arc<WalSyncer>,
    }

    impl Files {
        /// With a descriptor for syncs that is that of this path, or of the log.
        fn syncing(path: Option<&str>) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let (database, log) = (dir.path().join("d"), dir.path().join("d-wal"));
            fs::write(&database, "").unwrap();
            fs::write(&log, "").unwrap();
            let file = File::open(path.map_or(log.clone(), PathBuf::from)).unwrap();
            let wal = WalSyncer::new(&database, &log, file, None).unwrap();
            Self { dir, wal }
        }

        /// With a descriptor that the kernel refuses to sync.
        fn failing() -> Self {
            Self::syncing(Some("/dev/null"))
        }
    }

    #[tokio::test]
    async fn a_sync_that_failed_is_the_last() {
        let files = Files::failing();
        assert!(files.wal.sync().await.is_err());
        assert_eq!(files.wal.broken_reason(), Some(WalBrokenReason::Disk));
        assert!(files.wal.refuse_if_broken().is_err());
    }

    #[test]
    fn a_sync_that_fails_after_its_client_has_gone_is_not_forgotten() {
        // One thread does what blocks, in turn: the sync is under way for as long as what stands before it is.
        let mut runtime = runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let files = Files::failing();
            let (free, held) = mpsc::channel();
            spawn_blocking(move || held.recv());
            let begun = poll_immediate(Box::pin(files.wal.sync())).await;
            assert!(begun.is_none(), "it is under way, and dropped");
            free.send(()).unwrap();
            spawn_blocking(|| ()).await.unwrap();
            assert_eq!(files.wal.broken_reason(), Some(WalBrokenReason::Disk));
        });
    }

    #[tokio::test]
    async fn a_sync_covers_what_asked_before_it_began() {
        let files = Files::syncing(None);
        let (first, second) = tokio::join!(files.wal.sync(), files.wal.sync());
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(*files.wal.synced.lock().await, 2);
    }

    #[tokio::test]
    async fn a_log_that_was_removed_or_replaced_is_no_log() {
        for name in ["d", "d-wal"] {
            for replaced in [false, true] {
                let files = Files::syncing(None);
                assert!(files.wal.sync().await.is_ok());
                let path = files.dir.path().join(name);
                // Kept under another name, so that its number is not given out again.
                fs::rename(&path, files.dir.path().join("aside")).unwrap();
                if replaced {
                    fs::write(&path, "").unwrap();
                }
                let case = format!("{name}, replaced: {replaced}");
                assert!(files.wal.refuse_if_broken().is_err(), "{case}");
                assert!(files.wal.sync().await.is_err(), "{case}");
            }
        }
    }

    /// What was committed between may be in either file.
    #[tokio::test]
    async fn a_log_that_was_away_at_a_sync_is_not_trusted_when_it_is_back() {
        let files = Files::syncing(None);
        let (log, aside) = (
            files.dir.path().join("d-wal"),
            files.dir.path().join("aside"),
        );
        fs::rename(&log, &aside).unwrap();
        assert!(files.wal.sync().await.is_err());
        fs::rename(&aside, &log).unwrap();
        assert_eq!(files.wal.broken_reason(), Some(WalBrokenReason::Moved));
    }
}
