//! The rows of what changed, with a row for each measurement that has none any more in its place among them.

use std::slice;

use chrono::NaiveDate;
use entity::id::{Id, MeasurementId};
use sea_orm::ConnectionTrait;
use tokio::sync::mpsc::{self, Receiver};
use uuid::Uuid;

use crate::{
    access::Caller,
    bi::{
        fact_join,
        model::cursor::{RowKey, RowKeyPart},
        model::dataset::{KeyType, RowSource},
        model::query::DatasetQuery,
        model::query::Projection,
        model::value::OwnValue,
        source::row::{DatasetRow, RowData},
        source::stream::{Batch, BatchSender},
    },
    database::Transaction,
    error::Result,
};

/// How many measurements the first round takes; each further one takes four times as many, up to the largest.
const FIRST_ROUND: usize = 16;
const LARGEST_ROUND: usize = 1_024;

/// Hands on what is to be told of these measurements behind the question's place, round by round.
pub async fn rows(
    caller: &Caller,
    query: &DatasetQuery,
    changed: &[(NaiveDate, MeasurementId)],
    (tx, shape): (&Transaction, &Projection),
    wanted: &BatchSender,
) -> Result<()> {
    // The measurement at the place may have more rows, and is not gone.
    let begun = query.after.as_ref().and_then(measurement);
    let mut rest = &changed[changed.partition_point(|one| Some(*one) < begun)..];
    let (mut missing, mut round) = (query.limit, FIRST_ROUND);
    while missing != Some(0) && !rest.is_empty() {
        let (these, later) = rest.split_at(round.min(rest.len()));
        rest = later;
        let asked = query.of_these(these, missing);
        let told = ChangeMerge {
            changed: these.iter(),
            last: begun,
            shape,
        };
        let (sender, fetched) = mpsc::channel(1);
        let fetching = async move { fetch(caller, &asked, tx, &sender).await };
        let (all, told) = tokio::join!(fetching, told.among(fetched, missing, wanted));
        all?;
        // Where nobody wants more, fetching has ended, too.
        let Some(told) = told? else {
            return Ok(());
        };
        missing = missing.map(|missing| missing.saturating_sub(told));
        round = LARGEST_ROUND.min(round * 4);
    }
    Ok(())
}

/// Fetches the rows of a few measurements.
async fn fetch(
    caller: &Caller,
    query: &DatasetQuery,
    tx: &Transaction,
    wanted: &BatchSender,
) -> Result<()> {
    if matches!(query.dataset.source, RowSource::Joined { .. }) {
        return fact_join::each(caller, tx, query, wanted).await;
    }
    if let Some(statement) = query.statement(caller, tx.get_database_backend())? {
        let rows = tx.query_all_raw(statement).await?;
        let rows = rows.into_iter().map(RowData::Stored).collect();
        wanted.send(Ok(Some(rows))).await.ok();
    }
    Ok(())
}

/// The measurement of a place.
fn measurement(place: &RowKey) -> Option<(NaiveDate, MeasurementId)> {
    Some((place.day()?, place.ids().first().copied()?.into()))
}

/// What is told of some measurements.
struct ChangeMerge<'r> {
    /// Those of which nothing has come yet.
    changed: slice::Iter<'r, (NaiveDate, MeasurementId)>,
    /// The last one of which a row has come.
    last: Option<(NaiveDate, MeasurementId)>,
    shape: &'r Projection,
}

impl ChangeMerge<'_> {
    /// Hands on rows, and between them what is gone. Says how many that were; nothing where nobody wants more.
    async fn among(
        mut self,
        mut fetched: Receiver<Result<Batch>>,
        missing: Option<u64>,
        wanted: &BatchSender,
    ) -> Result<Option<u64>> {
        let (mut rows, mut sent) = (0, 0);
        while let Some(batch) = fetched.recv().await {
            let mut told = Vec::new();
            for held in batch?.into_iter().flatten() {
                let row = DatasetRow {
                    held,
                    shape: self.shape.clone(),
                };
                self.until(measurement(&row.place()?), &mut told);
                told.push(row.held);
                rows += 1;
            }
            sent += told.len() as u64;
            if wanted.send(Ok(Some(told))).await.is_err() {
                return Ok(None);
            }
        }
        // Where there may be more rows than came, nobody knows what is gone behind the last of them.
        if missing.is_none_or(|missing| rows < missing) {
            let mut told = Vec::new();
            self.until(None, &mut told);
            sent += told.len() as u64;
            if wanted.send(Ok(Some(told))).await.is_err() {
                return Ok(None);
            }
        }
        Ok(Some(sent))
    }

    /// Tells what is gone before this measurement, or of all that are left.
    fn until(&mut self, next: Option<(NaiveDate, MeasurementId)>, told: &mut Vec<RowData>) {
        while let Some(one) = self.changed.as_slice().first().copied()
            && next.is_none_or(|next| one < next)
        {
            self.changed.next();
            if Some(one) != self.last {
                told.push(self.gone(one));
            }
        }
        self.last = next;
    }

    /// A row that tells that a measurement has none.
    fn gone(&self, (day, id): (NaiveDate, MeasurementId)) -> RowData {
        let cells = self.shape.columns.iter().map(|column| match column.name {
            "measurement_id" => OwnValue::Id(MeasurementId::PREFIX, id.uuid()),
            "measured_on" => OwnValue::Day(day),
            _ => OwnValue::Empty,
        });
        let mut ids = [id.uuid()].into_iter();
        let parts = self.shape.order.iter().map(|part| match part {
            KeyType::Day => RowKeyPart::Day(day),
            KeyType::Id => RowKeyPart::Id(ids.next().unwrap_or(Uuid::nil())),
        });
        RowData::Gone(cells.collect(), RowKey(parts.collect()))
    }
}
