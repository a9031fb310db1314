//! Rows as they come out of the database, batch after batch, so that only a few are in memory however many there are.
//! A task fetches the next batch while the last one is being used; it ends when nobody wants more.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    pin::pin,
    vec,
};

use futures_util::{StreamExt, TryStreamExt};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, StreamTrait};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{
    datasets::{findings, series},
    query::Query,
    registry::Source,
    row::{Held, Row, Shape},
    since::{self, Changed},
};
use crate::{
    access::Caller,
    error::{Error, Result},
};

/// How many rows a batch has.
pub(super) const BATCH: usize = 1_000;
/// How many times as many days as the last one each round takes.
const GROWTH: usize = 4;

/// Rows that are being fetched.
pub struct Rows {
    batches: Option<Receiver<Result<Batch>>>,
    batch: vec::IntoIter<Held>,
    shape: Shape,
}

/// Some rows, or that there are no more.
pub(super) type Batch = Option<Vec<Held>>;

/// Where batches go; an error says that nobody wants more.
pub(super) type Wanted = Sender<Result<Batch>>;

impl Rows {
    /// No rows.
    pub(super) fn none(shape: Shape) -> Self {
        Self {
            batches: None,
            batch: Vec::new().into_iter(),
            shape,
        }
    }

    /// The rows of a statement.
    pub(super) fn stored(statement: Statement, tx: DatabaseTransaction, shape: Shape) -> Self {
        Self::fetched(shape, move |wanted| async move {
            from_statement(&tx, statement, 0, &wanted).await?;
            Ok(tx.commit().await?)
        })
    }

    /// The first rows of a dataset that goes by days, in rounds: those of the first day that has any, then those of the
    /// next four, and so on until there are enough. So a page costs what lies between its ends and not the whole range.
    pub(super) fn by_days(
        caller: Caller,
        query: Query,
        tx: DatabaseTransaction,
        shape: Shape,
    ) -> Self {
        Self::fetched(shape, move |wanted| async move {
            let mut missing = query.limit.unwrap_or(u64::MAX);
            let mut rest = query.busy_days(&caller, &tx).await?;
            let mut round = 1;
            while missing > 0 && !rest.is_empty() {
                let later = rest.split_off(round.min(rest.len()));
                let asked = Query {
                    days: mem::replace(&mut rest, later),
                    limit: Some(missing),
                    ..query.clone()
                };
                if let Some(statement) =
                    asked.statement(&caller, ConnectionTrait::get_database_backend(&tx))?
                {
                    match from_statement(&tx, statement, round, &wanted).await? {
                        Some(rows) => missing = missing.saturating_sub(rows),
                        None => break,
                    }
                }
                round *= GROWTH;
            }
            Ok(tx.commit().await?)
        })
    }

    /// The rows of measurements that are told anew, in rounds, and which of them have no rows any more.
    pub(super) fn changed(
        caller: Caller,
        query: Query,
        changed: Changed,
        tx: DatabaseTransaction,
        shape: Shape,
    ) -> Self {
        Self::fetched(shape.clone(), move |wanted| async move {
            since::rows(&caller, &query, &changed, (&tx, &shape), &wanted).await?;
            Ok(tx.commit().await?)
        })
    }

    /// Rows that are computed.
    pub(super) fn computed(
        caller: Caller,
        query: Query,
        tx: DatabaseTransaction,
        shape: Shape,
    ) -> Self {
        Self::fetched(shape, move |wanted| async move {
            match query.dataset.source {
                Source::Series => series::each(&caller, &tx, &query, &wanted).await?,
                _ => findings::each(&caller, &tx, &query, &wanted).await?,
            }
            Ok(tx.commit().await?)
        })
    }

    fn fetched<F>(shape: Shape, fetch: impl FnOnce(Wanted) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(1);
        let fetching = fetch(sender.clone());
        tokio::spawn(async move {
            let end = fetching.await.map(|()| None);
            // Nobody may be left to hear of it.
            sender.send(end).await.ok();
        });
        Self {
            batches: Some(receiver),
            ..Self::none(shape)
        }
    }

    /// The next row; nothing when there are no more.
    pub async fn next(&mut self) -> Result<Option<Row>> {
        loop {
            if let Some(held) = self.batch.next() {
                let shape = self.shape.clone();
                return Ok(Some(Row { held, shape }));
            }
            let Some(batches) = &mut self.batches else {
                return Ok(None);
            };
            // Fetching that ends without a word has failed, and what came is not all.
            let batch = batches.recv().await;
            let batch = batch.unwrap_or_else(|| Err(Error::internal("fetching rows broke off")))?;
            match batch {
                Some(batch) => self.batch = batch.into_iter(),
                None => self.batches = None,
            }
        }
    }
}

/// Hands on the rows of a statement and says how many there were; nothing where nobody wants more. Those of one
/// transaction have different numbers.
pub(super) async fn from_statement(
    tx: &DatabaseTransaction,
    statement: Statement,
    number: usize,
    wanted: &Wanted,
) -> Result<Option<u64>> {
    match statement.db_backend {
        DbBackend::Postgres => from_cursor(tx, statement, number, wanted).await,
        _ => from_stream(tx, statement, wanted).await,
    }
}

/// Through a cursor of the server: who goes away in the middle leaves it nothing to send, and each fetch has the time
/// of a statement for itself, however slowly the rows are taken.
async fn from_cursor(
    tx: &DatabaseTransaction,
    statement: Statement,
    number: usize,
    wanted: &Wanted,
) -> Result<Option<u64>> {
    let mut hash = DefaultHasher::new();
    (number, &statement.sql).hash(&mut hash);
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
    let mut sent = 0;
    loop {
        let rows = tx.query_all_raw(fetch.clone()).await?;
        let last = rows.len() < BATCH;
        sent += rows.len() as u64;
        let batch = rows.into_iter().map(Held::Stored).collect();
        if wanted.send(Ok(Some(batch))).await.is_err() {
            return Ok(None);
        }
        if last {
            return Ok(Some(sent));
        }
    }
}

/// As the statement gives them: SQLite makes no more than are taken.
async fn from_stream(
    tx: &DatabaseTransaction,
    statement: Statement,
    wanted: &Wanted,
) -> Result<Option<u64>> {
    let rows = tx.stream_raw(statement).await?;
    let mut sent = 0;
    let mut batches = pin!(rows.map_ok(Held::Stored).try_chunks(BATCH));
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|broken| broken.1)?;
        sent += batch.len() as u64;
        if wanted.send(Ok(Some(batch))).await.is_err() {
            return Ok(None);
        }
    }
    Ok(Some(sent))
}
