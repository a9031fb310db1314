//! Merges the rows of changed measurements with tombstones for those that have no row any more.

use std::slice;

use chrono::NaiveDate;
use entity::id::{Id, MeasurementId};
use tokio::sync::mpsc::{self, Receiver};
use uuid::Uuid;

use crate::{
    bi::{
        model::cursor::{RowKey, RowKeyPart},
        model::dataset::KeyType,
        model::query::DatasetQuery,
        model::query::Projection,
        model::value::Value,
        source::reader::{ReadContext, RowReader},
        source::row::{DatasetRow, RowContent},
        source::stream::{BatchSender, RowBatch},
    },
    error::Result,
};

/// How many measurements the first round takes; each further one takes four times as many, up to the largest.
const FIRST_ROUND: usize = 16;
const LARGEST_ROUND: usize = 1_024;

/// Sends the rows of the changed measurements after the query's resume point, round by round, and a tombstone in the
/// place of each that has no row any more.
pub(crate) async fn send_changed_rows(
    reader: &dyn RowReader,
    context: ReadContext<'_>,
    query: &DatasetQuery,
    changed: &[(NaiveDate, MeasurementId)],
    to: &BatchSender,
) -> Result<()> {
    let projection = query.projection();
    // The measurement of the resume point may have more rows, and has had one: no tombstone for it.
    let begun = query.after.as_ref().and_then(RowKey::measurement);
    // None is less than every measurement: without a resume point nothing is skipped.
    let mut rest = &changed[changed.partition_point(|one| Some(*one) < begun)..];
    // Rounds grow, so that the first page of few rows does not wait for many measurements.
    let (mut missing, mut round) = (query.limit, FIRST_ROUND);
    while missing != Some(0) && !rest.is_empty() {
        let (these, later) = rest.split_at(round.min(rest.len()));
        rest = later;
        let query = query.narrowed_to_measurements(these, missing);
        let merge = TombstoneMerge {
            changed: these.iter(),
            last: begun,
            projection: &projection,
        };
        // The merge runs beside the reader in the same task: both stop together when nobody receives.
        let (sender, fetched) = mpsc::channel(1);
        // The sender is dropped with the last row: that ends the merge.
        let fetching = async move { reader.send_rows_of_query(context, &query, &sender).await };
        let (fetched, sent) = tokio::join!(fetching, merge.send_merged(fetched, missing, to));
        fetched?;
        // Where nobody receives, fetching has ended, too.
        let Some(sent) = sent? else {
            return Ok(());
        };
        missing = missing.map(|missing| missing.saturating_sub(sent));
        round = LARGEST_ROUND.min(round * 4);
    }
    Ok(())
}

/// Merges fetched rows with tombstones, both in the order of measurements.
struct TombstoneMerge<'r> {
    /// Those of which nothing was sent yet.
    changed: slice::Iter<'r, (NaiveDate, MeasurementId)>,
    /// The last one of which a row was sent.
    last: Option<(NaiveDate, MeasurementId)>,
    projection: &'r Projection,
}

impl TombstoneMerge<'_> {
    /// Sends rows and tombstones. Returns how many; none where nobody receives any more.
    async fn send_merged(
        mut self,
        mut fetched: Receiver<Result<RowBatch>>,
        missing: Option<u64>,
        to: &BatchSender,
    ) -> Result<Option<u64>> {
        let (mut count, mut sent) = (0, 0);
        while let Some(rows) = fetched.recv().await {
            let mut batch = Vec::new();
            for form in rows?.into_iter().flatten() {
                let row = DatasetRow {
                    form,
                    projection: self.projection.clone(),
                };
                self.add_tombstones_until(row.key()?.measurement(), &mut batch);
                batch.push(row.form);
                count += 1;
            }
            sent += batch.len() as u64;
            if to.send(Ok(Some(batch))).await.is_err() {
                return Ok(None);
            }
        }
        // Where the limit cut the rows off, measurements after the last row may have rows: no tombstones for these.
        if missing.is_none_or(|missing| count < missing) {
            let mut batch = Vec::new();
            self.add_tombstones_until(None, &mut batch);
            sent += batch.len() as u64;
            if to.send(Ok(Some(batch))).await.is_err() {
                return Ok(None);
            }
        }
        Ok(Some(sent))
    }

    /// Adds a tombstone for each measurement before this one, or for all that are left.
    fn add_tombstones_until(
        &mut self,
        next: Option<(NaiveDate, MeasurementId)>,
        batch: &mut Vec<RowContent>,
    ) {
        while let Some(one) = self.changed.as_slice().first().copied()
            && next.is_none_or(|next| one < next)
        {
            self.changed.next();
            if Some(one) != self.last {
                batch.push(self.tombstone(one));
            }
        }
        // Its rows follow, in this batch or in one of the next: it gets no tombstone.
        self.last = next;
    }

    /// A row that says that a measurement has none. Its key is the first that the measurement could have.
    fn tombstone(&self, (day, id): (NaiveDate, MeasurementId)) -> RowContent {
        let cells = self
            .projection
            .columns
            .iter()
            .map(|column| match column.name {
                "measurement_id" => Value::Id(MeasurementId::PREFIX, id.uuid()),
                "measured_on" => Value::Day(day),
                _ => Value::Empty,
            });
        let mut ids = [id.uuid()].into_iter();
        let parts = self.projection.key_types.iter().map(|part| match part {
            KeyType::Day => RowKeyPart::Day(day),
            // Nil for the parts after the measurement: the first place that any row of it could have, so that a page
            // may break here.
            KeyType::Id => RowKeyPart::Id(ids.next().unwrap_or(Uuid::nil())),
        });
        RowContent::Tombstone(cells.collect(), RowKey(parts.collect()))
    }
}
