//! Reads the rows of a dataset by its SQL.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    pin::pin,
};

use futures_util::{StreamExt, TryStreamExt, future::BoxFuture};
use sea_orm::{ConnectionTrait, DbBackend, Statement, StreamTrait};

use super::{
    reader::{ReadContext, RowReader},
    row::RowContent,
    stream::{BATCH, BatchSender},
};
use crate::{bi::model::query::DatasetQuery, database::Transaction, error::Result};

/// Reads every dataset that has SQL.
pub(in crate::bi) struct SqlReader;

impl RowReader for SqlReader {
    fn send_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
        to: &'r BatchSender,
    ) -> BoxFuture<'r, Result<()>> {
        Box::pin(async move {
            let ReadContext { caller, tx } = context;
            match query.rows_statement(caller, tx.backend())? {
                Some(statement) if query.at_once => send_as_one_batch(tx, statement, to).await,
                Some(statement) => send_statement_rows(tx, statement, to).await,
                None => Ok(()),
            }
        })
    }

    fn count_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
    ) -> BoxFuture<'r, Result<u64>> {
        Box::pin(async move {
            let ReadContext { caller, tx } = context;
            let Some(statement) = query.count_statement(caller, tx.backend())? else {
                return Ok(0);
            };
            let row = tx.query_one_raw(statement).await?;
            let rows: i64 = row.map_or(Ok(0), |row| row.try_get("", "rows"))?;
            Ok(u64::try_from(rows).unwrap_or_default())
        })
    }
}

/// Sends the rows of a statement that gives few of them, as one batch.
async fn send_as_one_batch(tx: &Transaction, statement: Statement, to: &BatchSender) -> Result<()> {
    let rows = tx.query_all_raw(statement).await?;
    let rows = rows.into_iter().map(RowContent::Stored).collect();
    to.send(Ok(Some(rows))).await.ok();
    Ok(())
}

/// Sends the rows of a statement until nobody receives.
async fn send_statement_rows(
    tx: &Transaction,
    statement: Statement,
    to: &BatchSender,
) -> Result<()> {
    match statement.db_backend {
        DbBackend::Postgres => send_by_cursor(tx, statement, to).await,
        _ => send_by_stream(tx, statement, to).await,
    }
}

/// Through a cursor of the server: streaming the statement, the server would go on sending after a client has gone, and
/// its `statement_timeout` would run while a slow client takes the rows; here each FETCH is a statement.
async fn send_by_cursor(tx: &Transaction, statement: Statement, to: &BatchSender) -> Result<()> {
    let mut hash = DefaultHasher::new();
    statement.sql.hash(&mut hash);
    // The driver caches prepared statements by their text, with the columns that they give: `FETCH` from a cursor of
    // other columns needs another text, hence another name.
    let cursor = format!("flat_{:016x}", hash.finish());
    // All rows are fetched: the default, 0.1, would choose the plan that has the first tenth soonest.
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
        let batch = rows.into_iter().map(RowContent::Stored).collect();
        if to.send(Ok(Some(batch))).await.is_err() || last {
            return Ok(());
        }
    }
}

/// SQLite steps through a statement as its rows are taken: there is nothing to spare by a cursor.
async fn send_by_stream(tx: &Transaction, statement: Statement, to: &BatchSender) -> Result<()> {
    let rows = tx.stream_raw(statement).await?;
    let mut batches = pin!(rows.map_ok(RowContent::Stored).try_chunks(BATCH));
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|broken| broken.1)?;
        if to.send(Ok(Some(batch))).await.is_err() {
            break;
        }
    }
    Ok(())
}
