//! The rows of `kpi_facts`, joined in memory: the same rows as its SQL selects, in the dataset's own order.
//!
//! Links and holders come from the cache; measurements are read a few thousand at a time, so that ten years take no
//! more memory than a day. By SQL alone the database would look up links and holders for every measurement anew, sort
//! all rows, and send names with each: in memory they are looked up once, and rows come in order as they are made.
//! Tests hold the two together. What the caller may not see is never read.

mod columns;
mod context;
pub mod fact;
mod measurements;

use std::{mem, sync::Arc};

use futures_util::future::BoxFuture;

use self::{
    context::JoinContext,
    fact::{JoinedFact, MeasurementBatch},
};
use super::{
    model::cursor::{ResumePoint, RowKey},
    model::query::DatasetQuery,
    source::reader::{ReadContext, RowReader},
    source::row::RowContent,
    source::sql_reader::SqlReader,
    source::stream::{BATCH, BatchSender},
};
use crate::{compute::WorkBudget, error::Result};

/// Measurements read at a time, at most: enough to hide the round trip, few enough for memory.
const MOST_MEASUREMENTS: usize = 4_000;
/// Growth of the number of measurements from one read to the next: a page of few rows reads few.
const GROWTH: usize = 4;

/// Reads `kpi_facts`: joined in memory in the dataset's own order, by its SQL in any other.
pub(super) struct FactJoinReader;

impl RowReader for FactJoinReader {
    fn send_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
        to: &'r BatchSender,
    ) -> BoxFuture<'r, Result<()>> {
        // The join walks measurements by day: in another order, or for an offset, it would have to keep all rows.
        match query.order.is_empty() && query.offset.unwrap_or_default() == 0 {
            true => Box::pin(send_joined_rows(context, query, to)),
            false => SqlReader.send_rows_of_query(context, query, to),
        }
    }

    fn count_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
    ) -> BoxFuture<'r, Result<u64>> {
        SqlReader.count_rows_of_query(context, query)
    }
}

/// Sends the rows in the dataset's own order.
async fn send_joined_rows(
    context: ReadContext<'_>,
    query: &DatasetQuery,
    to: &BatchSender,
) -> Result<()> {
    let ReadContext { caller, tx } = context;
    let days = query.days_from_resume_point();
    let mut missing = query.row_limit();
    if days.is_empty() || missing == 0 {
        return Ok(());
    }
    let context = Arc::new(JoinContext::load(caller, tx, query).await?);
    let mut full = Vec::with_capacity(BATCH);
    let mut after = query.after.clone();
    let mut resume = after.as_ref().and_then(ResumePoint::after_row);
    // Most measurements have a row: for a first read, as many as rows are missing. Later reads grow.
    let mut most = missing.min(MOST_MEASUREMENTS);
    let query = Arc::new(query.clone());
    loop {
        let measured =
            measurements::load_next_measurements(caller, tx, &query, &days, resume.as_ref(), most)
                .await?;
        // Fewer than asked for: there are no more, and the empty read after them is spared.
        let is_last = measured.len() < most;
        let last = measured.last();
        resume = last.map(|last| ResumePoint::after_measurement(last.day, last.id));
        most = most.saturating_mul(GROWTH).min(MOST_MEASUREMENTS);
        let batch = MeasurementBatch {
            context: Arc::clone(&context),
            measured,
        };
        let mut join = BatchJoin {
            batch: Arc::new(batch),
            query: Arc::clone(&query),
            after: after.take(),
            missing,
        };
        // On the pool of `compute`, within the caller's budget: here, it would hold up other requests.
        let mut facts = caller
            .run_on_compute_pool(move |steps| join.join_rows(steps))
            .await?;
        missing -= facts.len();
        let is_last = is_last || missing == 0;
        // Rows of several reads are gathered into full batches: one measurement may have one row or fifty, and a
        // channel of tiny batches would cost more than the join.
        while full.len() + facts.len() >= BATCH {
            let rest = facts.split_off(BATCH - full.len());
            full.extend(facts);
            let full = mem::replace(&mut full, Vec::with_capacity(BATCH));
            if to.send(Ok(Some(full))).await.is_err() {
                return Ok(());
            }
            facts = rest;
        }
        full.extend(facts);
        if is_last || to.is_closed() {
            to.send(Ok(Some(full))).await.ok();
            return Ok(());
        }
        // After the batch was sent: a feed pays for each piece, and its client has taken the last one.
        caller.budget.renew_steps_of_feed();
    }
}

/// Compute steps of one row, besides its filter.
const FACT_STEPS: usize = 10;

/// The join of one batch of measurements.
struct BatchJoin {
    batch: Arc<MeasurementBatch>,
    query: Arc<DatasetQuery>,
    /// The key after which rows begin, in the first batch of a pull that has one.
    after: Option<RowKey>,
    /// Rows still to be sent, at most.
    missing: usize,
}

impl BatchJoin {
    /// The rows of the batch that pass. Each row looked at costs its steps, whether it passes or not.
    fn join_rows(&mut self, steps: &WorkBudget) -> Result<Vec<RowContent>> {
        let price = FACT_STEPS + self.query.filter.step_cost();
        // One buffer for the keys of all measurements: most have a handful, and an allocation for each would be most
        // of the work.
        let (mut facts, mut keys) = (Vec::new(), Vec::new());
        for (at, measured) in self.batch.measured.iter().enumerate() {
            keys.clear();
            self.batch.context.push_fact_keys(measured, &mut keys);
            // A measurement without a row was looked at as well.
            steps.spend(price * keys.len().max(1))?;
            for key in &keys {
                // The weight counts every row of the measurement that the caller may see, whatever the filter says.
                let fact = JoinedFact::new(&self.batch, at, *key, keys.len());
                let is_after = self
                    .after
                    .as_ref()
                    .is_none_or(|after| fact.row_key() > *after);
                if is_after && fact.passes(&self.query.filter) {
                    facts.push(RowContent::Joined(fact));
                }
                if facts.len() == self.missing {
                    return Ok(facts);
                }
            }
            // Only the first measurement can have rows on both sides of the resume point.
            self.after = None;
        }
        Ok(facts)
    }
}
