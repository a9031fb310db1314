//! A stream of rows, fetched batch after batch by a task of its own: it makes the next batch while the last one is
//! being used, so that at most three batches are in memory, and it is aborted when the stream is dropped.

use std::vec;

use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::AbortHandle,
};

use crate::bi::{
    model::query::Projection,
    source::row::{DatasetRow, RowContent},
};
use crate::error::{Error, Result};

/// Rows in a batch, at most.
pub(in crate::bi) const BATCH: usize = 1_000;

/// The rows of one pull, in the order of its query.
pub struct RowStream {
    batches: Option<Receiver<Result<RowBatch>>>,
    fetching: Option<FetchTaskGuard>,
    batch: vec::IntoIter<RowContent>,
    projection: Projection,
}

/// Aborts the fetching task when it is dropped, in the middle of a statement too.
struct FetchTaskGuard(AbortHandle);

impl Drop for FetchTaskGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Some rows; `None` after the last.
pub(in crate::bi) type RowBatch = Option<Vec<RowContent>>;

/// Takes batches; sending fails once the stream is dropped.
pub(in crate::bi) type BatchSender = Sender<Result<RowBatch>>;

impl RowStream {
    /// Spawns the task that fetches: it sends batches, and an error ends the stream.
    pub(in crate::bi) fn spawn<F>(
        projection: Projection,
        fetch: impl FnOnce(BatchSender) -> F,
    ) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        // One batch waits in the channel while the next is made and the last is used: more would only take memory.
        let (sender, receiver) = mpsc::channel(1);
        let fetching = fetch(sender.clone());
        let fetching = tokio::spawn(async move {
            let end = fetching.await.map(|()| None);
            // It fails where the stream was dropped: then nobody is left to hear of the end.
            sender.send(end).await.ok();
        });
        Self {
            batches: Some(receiver),
            fetching: Some(FetchTaskGuard(fetching.abort_handle())),
            batch: Vec::new().into_iter(),
            projection,
        }
    }

    /// The next row; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<DatasetRow>> {
        loop {
            if let Some(form) = self.batch.next() {
                let projection = self.projection.clone();
                return Ok(Some(DatasetRow { form, projection }));
            }
            let Some(batches) = &mut self.batches else {
                return Ok(None);
            };
            // A task that ends without sending an end has panicked or was aborted: what came is not all of the rows.
            let batch = batches.recv().await;
            let batch = batch.unwrap_or_else(|| Err(Error::internal("fetching rows broke off")))?;
            match batch {
                Some(batch) => self.batch = batch.into_iter(),
                None => {
                    self.batches = None;
                    self.fetching = None;
                }
            }
        }
    }
}
