//! Removes erased data from SQLite's write-ahead log: the log is checkpointed into the file and truncated, as soon as
//! nobody reads from it. The erasing act is committed by then, so nothing that fails here fails the act.

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

/// Longest wait for readers in one try: meanwhile nobody can write.
const READERS: Duration = Duration::from_millis(250);
/// Pause after the first failed try; it doubles with each.
const PAUSE: Duration = Duration::from_millis(250);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// Longest time that an erasing act waits.
const MOMENT: Duration = Duration::from_secs(2);

/// Counts the erasures that were asked for, and how many of them the log no longer holds: one truncation serves all
/// that came before it.
#[derive(Debug, Default)]
pub(super) struct WalEraser {
    wanted: AtomicU64,
    /// How many of them the log no longer holds; whoever holds the lock empties the log.
    emptied: Mutex<u64>,
}

impl WalEraser {
    /// Empties the log, within two seconds or else in the background. Says whether it is done.
    pub(super) async fn empty_wal(self: &Arc<Self>, writer: &Pool) -> bool {
        let (eraser, writer) = (Arc::clone(self), writer.clone());
        // In a task of its own, so that it goes on where the time is up or the client has gone.
        let emptying = tokio::spawn(async move { eraser.retry_truncation(&writer).await });
        matches!(timeout(MOMENT, emptying).await, Ok(Ok(true)))
    }

    async fn retry_truncation(&self, writer: &Pool) -> bool {
        let mine = self.wanted.fetch_add(1, Ordering::SeqCst) + 1;
        let mut emptied = self.emptied.lock().await;
        let mut pause = PAUSE;
        while *emptied < mine {
            // Read before the truncation, not after it: an erasure that is committed meanwhile may be missing from
            // it.
            let all = self.wanted.load(Ordering::SeqCst);
            match truncate_wal(writer).await {
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

/// Checkpoints and truncates the log. Says whether that was possible: it is not while somebody reads from the log.
pub(super) async fn truncate_wal(writer: &Pool) -> Result<bool, DbErr> {
    let mut lease = writer.lease().await?;
    let backend = writer.get_database_backend();
    let connection = lease.connection()?;
    connection
        // The writer's own patience of five seconds would keep everybody from writing for as long as one feed is
        // read.
        .execute_unprepared(&busy_timeout_sql(READERS))
        .await?;
    let truncate = Statement::from_string(backend, "PRAGMA wal_checkpoint(TRUNCATE)");
    let told = connection.query_one(&truncate).await?;
    connection
        .execute_unprepared(&busy_timeout_sql(PATIENCE))
        .await?;
    // That it was busy is reported as no error, but in the first column.
    let busy: Option<i32> = told.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(busy == Some(0))
}

fn busy_timeout_sql(time: Duration) -> String {
    format!("PRAGMA busy_timeout = {}", time.as_millis())
}
