//! Makes commits of SQLite durable. A commit goes into the write-ahead log without waiting for the disk
//! (`synchronous=NORMAL`), and is answered when the log was synced after it: whoever commits meanwhile shares the sync.

use std::{
    fs::File,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use sea_orm::{DbErr, RuntimeErr};
use tokio::{sync::Mutex, task::spawn_blocking};

/// The write-ahead log of an SQLite file.
#[derive(Debug)]
pub(super) struct Wal {
    path: PathBuf,
    /// Commits that have asked for a sync, in order.
    asked: AtomicU64,
    /// Of these, how many are on the disk. Whoever holds it syncs.
    synced: Mutex<u64>,
    /// Whether a sync has failed. What the disk has of the log is unknown from then on, and a later sync that succeeds
    /// says nothing of it: the kernel has forgotten the pages that it could not write.
    broken: AtomicBool,
}

impl Wal {
    pub(super) fn of(database: &std::path::Path) -> Arc<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Arc::new(Self {
            path: path.into(),
            asked: AtomicU64::new(0),
            synced: Mutex::new(0),
            broken: AtomicBool::new(false),
        })
    }

    /// Returns when everything that was committed before is on the disk.
    pub(super) async fn sync(&self) -> Result<(), DbErr> {
        let mine = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut synced = self.synced.lock().await;
        if *synced >= mine {
            return Ok(());
        }
        self.refuse_if_broken()?;
        let all = self.asked.load(Ordering::SeqCst);
        let path = self.path.clone();
        let done = spawn_blocking(move || sync_file(&path)).await;
        let done = done.map_err(|error| io::Error::other(error.to_string()));
        if let Err(error) = done.flatten() {
            tracing::error!(%error, "the write-ahead log could not be synced: nothing is written until a restart");
            self.broken.store(true, Ordering::SeqCst);
            return Err(failed(error));
        }
        *synced = all;
        Ok(())
    }

    /// Refuses to write where it is not known what the disk has.
    pub(super) fn refuse_if_broken(&self) -> Result<(), DbErr> {
        if self.broken.load(Ordering::SeqCst) {
            let why = "the disk has failed to keep what was written; restart the server when it is sound again";
            return Err(failed(io::Error::other(why)));
        }
        Ok(())
    }
}

/// The file is opened for each sync: it goes and comes again with the last connection, and any handle of it syncs all
/// that was written to it. Where it has gone, its content is in the database's own file, synced.
fn sync_file(path: &std::path::Path) -> io::Result<()> {
    match File::options().read(true).write(true).open(path) {
        Ok(file) => file.sync_data(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn failed(error: io::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(sqlx::Error::Io(error))))
}
