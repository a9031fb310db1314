//! Takes what was erased out of SQLite's log too: the log goes into the file and is cut off, as soon as nobody reads
//! from it. An erasing act is kept by then, so it fails for nothing that happens here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnAcquireErr, ConnectionTrait, DbErr, Statement};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

use super::{options::PATIENCE, pool::Pool};

/// How long readers are waited for each time: meanwhile nobody writes.
const READERS: Duration = Duration::from_millis(250);
/// How long the log is left alone after the first time that somebody read from it; each time twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// How long it is left alone at the most.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// How long an erasing act waits for it.
const MOMENT: Duration = Duration::from_secs(2);

/// How often the log was to be emptied, and how much of that is done.
#[derive(Debug, Default)]
pub(super) struct Erased {
    wanted: AtomicU64,
    /// Whoever holds it empties the log.
    emptied: Mutex<u64>,
}

impl Erased {
    /// Empties the log, within a moment or in the background. Says whether it is empty of what was erased before.
    pub(super) async fn empty(self: &Arc<Self>, writer: &Pool) -> bool {
        let (erased, writer) = (Arc::clone(self), writer.clone());
        let emptying = tokio::spawn(async move { erased.keep_trying(&writer).await });
        matches!(timeout(MOMENT, emptying).await, Ok(Ok(true)))
    }

    async fn keep_trying(&self, writer: &Pool) -> bool {
        let mine = self.wanted.fetch_add(1, Ordering::SeqCst) + 1;
        let mut emptied = self.emptied.lock().await;
        let mut pause = PAUSE;
        while *emptied < mine {
            let all = self.wanted.load(Ordering::SeqCst);
            match truncate(writer).await {
                Ok(true) => *emptied = all,
                // Whoever opens the database next does it.
                Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)) => return false,
                not_yet => {
                    tracing::warn!(
                        ?not_yet,
                        "what was erased is still in the log: it is emptied later"
                    );
                    sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
            }
        }
        true
    }
}

/// Writes the log into the file and cuts it off. Says whether that was possible: somebody may read from it.
pub(super) async fn truncate(writer: &Pool) -> Result<bool, DbErr> {
    let mut lease = writer.lease().await?;
    let backend = writer.get_database_backend();
    let connection = lease.connection()?;
    connection
        .execute_unprepared(&busy_timeout(READERS))
        .await?;
    let truncate = Statement::from_string(backend, "PRAGMA wal_checkpoint(TRUNCATE)");
    let told = connection.query_one(&truncate).await?;
    connection
        .execute_unprepared(&busy_timeout(PATIENCE))
        .await?;
    // That it is busy is no error: it stands in the first column.
    let busy: Option<i32> = told.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(busy == Some(0))
}

fn busy_timeout(time: Duration) -> String {
    format!("PRAGMA busy_timeout = {}", time.as_millis())
}
