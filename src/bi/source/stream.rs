//! Rows as they come out of the database, batch after batch, so that only a few are in memory however many there are.
//! A task fetches the next batch while the last one is being used; it ends when nobody wants more.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    pin::pin,
    vec,
};

use futures_util::{StreamExt, TryStreamExt};
use sea_orm::{ConnectionTrait, DbBackend, Statement, StreamTrait};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::AbortHandle,
};

use crate::bi::{
    model::query::Projection,
    source::row::{DatasetRow, RowData},
};
use crate::{
    database::Transaction,
    error::{Error, Result},
};

/// How many rows a batch has.
pub(in crate::bi) const BATCH: usize = 1_000;

/// Rows that are being fetched.
pub struct RowStream {
    batches: Option<Receiver<Result<Batch>>>,
    fetching: Option<FetchTask>,
    batch: vec::IntoIter<RowData>,
    shape: Projection,
}

/// A task that fetches. It ends with whoever wants the rows, in the middle of a statement too.
struct FetchTask(AbortHandle);

impl Drop for FetchTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Some rows, or that there are no more.
pub(in crate::bi) type Batch = Option<Vec<RowData>>;

/// Where batches go; an error says that nobody wants more.
pub(in crate::bi) type BatchSender = Sender<Result<Batch>>;

impl RowStream {
    /// No rows.
    pub(in crate::bi) fn none(shape: Projection) -> Self {
        Self {
            batches: None,
            fetching: None,
            batch: Vec::new().into_iter(),
            shape,
        }
    }

    /// The rows of a statement.
    pub(in crate::bi) fn stored(statement: Statement, tx: Transaction, shape: Projection) -> Self {
        Self::fetched(shape, move |wanted| async move {
            from_statement(&tx, statement, &wanted).await?;
            Ok(tx.commit().await?)
        })
    }

    /// Rows that a task hands on, batch after batch.
    pub(in crate::bi) fn fetched<F>(shape: Projection, fetch: impl FnOnce(BatchSender) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(1);
        let fetching = fetch(sender.clone());
        let fetching = tokio::spawn(async move {
            let end = fetching.await.map(|()| None);
            // Nobody may be left to hear of it.
            sender.send(end).await.ok();
        });
        Self {
            batches: Some(receiver),
            fetching: Some(FetchTask(fetching.abort_handle())),
            ..Self::none(shape)
        }
    }

    /// The next row; nothing when there are no more.
    pub async fn next(&mut self) -> Result<Option<DatasetRow>> {
        loop {
            if let Some(held) = self.batch.next() {
                let shape = self.shape.clone();
                return Ok(Some(DatasetRow { held, shape }));
            }
            let Some(batches) = &mut self.batches else {
                return Ok(None);
            };
            // Fetching that ends without a word has failed, and what came is not all.
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

/// Hands on the rows of a statement, as long as anybody wants them.
async fn from_statement(
    tx: &Transaction,
    statement: Statement,
    wanted: &BatchSender,
) -> Result<()> {
    match statement.db_backend {
        DbBackend::Postgres => from_cursor(tx, statement, wanted).await,
        _ => from_stream(tx, statement, wanted).await,
    }
}

/// Through a cursor of the server: who goes away in the middle leaves it nothing to send, and each fetch has the time
/// of a statement for itself, however slowly the rows are taken.
async fn from_cursor(tx: &Transaction, statement: Statement, wanted: &BatchSender) -> Result<()> {
    let mut hash = DefaultHasher::new();
    statement.sql.hash(&mut hash);
    // Prepared statements are kept by their text: a cursor of other columns needs another name.
    let cursor = format!("flat_{:016x}", hash.finish());
    tx.execute_unprepared("SET LOCAL cursor_tuple_fraction = 1")
        .await?;
    let declare = Statement {
        sql: format!("DECLARE {cursor} NO SCROLL CURSOR FOR {}", statement.sql),
        ..statement
    };
    tx.execute_raw(declare).await?;
    let fetch = Statement::from_string(
        DbBackend::Postgres,
        format!("FETCH FORWARD {BATCH} FROM {cursor}"),
    );
    loop {
        let rows = tx.query_all_raw(fetch.clone()).await?;
        let last = rows.len() < BATCH;
        let batch = rows.into_iter().map(RowData::Stored).collect();
        if wanted.send(Ok(Some(batch))).await.is_err() || last {
            return Ok(());
        }
    }
}

/// As the statement gives them: SQLite makes no more than are taken.
async fn from_stream(tx: &Transaction, statement: Statement, wanted: &BatchSender) -> Result<()> {
    let rows = tx.stream_raw(statement).await?;
    let mut batches = pin!(rows.map_ok(RowData::Stored).try_chunks(BATCH));
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|broken| broken.1)?;
        if wanted.send(Ok(Some(batch))).await.is_err() {
            break;
        }
    }
    Ok(())
}
