//! Rows of `kpi_facts` put together in memory: the same rows as its SQL selects, in the dataset's own order. A few
//! thousand measurements are read at a time, each with what it is judged by, so that ten years hold no more than a day;
//! what was linked and who held a role comes from the cube. What one may not see is never read.

mod columns;
mod context;
pub mod fact;
mod measurements;

use std::{mem, sync::Arc};

use self::{
    context::JoinContext,
    fact::{JoinedFact, MeasurementBatch},
    measurements::ResumePoint,
};
use super::{
    model::cursor::RowKey,
    model::query::DatasetQuery,
    source::row::RowData,
    source::stream::{BATCH, BatchSender},
};
use crate::{access::Caller, compute::Steps, database::Transaction, error::Result};

/// How many measurements are read at a time at the most.
const MOST: usize = 4_000;
/// How many times as many measurements as before are read next, where few were enough to begin with.
const GROWTH: usize = 4;

/// Hands on the rows, batch after batch.
pub(super) async fn each(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
    wanted: &BatchSender,
) -> Result<()> {
    let days = query.days_left();
    let mut missing = usize::try_from(query.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    if days.is_empty() || missing == 0 {
        return Ok(());
    }
    let given = Arc::new(JoinContext::of(caller, tx, query).await?);
    let mut batch = Vec::with_capacity(BATCH);
    let mut after = query.after.clone();
    let mut behind = after.as_ref().and_then(ResumePoint::of);
    // A measurement gives a row at least, unless the filter takes it away.
    let mut most = missing.min(MOST);
    let query = Arc::new(query.clone());
    let price = FACT + query.filter.price();
    loop {
        let measured =
            measurements::next(caller, tx, (&query, &days), behind.as_ref(), most).await?;
        let is_last = measured.len() < most;
        behind = measured.last().map(ResumePoint::all_of);
        most = most.saturating_mul(GROWTH).min(MOST);
        let given = Arc::clone(&given);
        let lot = Arc::new(MeasurementBatch { given, measured });
        let (asked, place) = (Arc::clone(&query), after.take());
        let pass = move |steps: &Steps| passing(&lot, (&asked, place, missing), (price, steps));
        let mut facts = caller.compute(pass).await?;
        missing -= facts.len();
        let is_last = is_last || missing == 0;
        while batch.len() + facts.len() >= BATCH {
            let rest = facts.split_off(BATCH - batch.len());
            batch.extend(facts);
            let full = mem::replace(&mut batch, Vec::with_capacity(BATCH));
            if wanted.send(Ok(Some(full))).await.is_err() {
                return Ok(());
            }
            facts = rest;
        }
        batch.extend(facts);
        if is_last || wanted.is_closed() {
            wanted.send(Ok(Some(batch))).await.ok();
            return Ok(());
        }
        caller.budget.renew();
    }
}

/// Steps of putting one row together.
const FACT: usize = 10;

/// The rows of a lot that are asked for, as many as are missing at the most; each looked at costs its price.
fn passing(
    lot: &Arc<MeasurementBatch>,
    (query, mut after, missing): (&DatasetQuery, Option<RowKey>, usize),
    (price, steps): (usize, &Steps),
) -> Result<Vec<RowData>> {
    let (mut facts, mut seats) = (Vec::new(), Vec::new());
    for (at, measured) in lot.measured.iter().enumerate() {
        seats.clear();
        lot.given.seat(measured, &mut seats);
        steps.take(price * seats.len().max(1))?;
        for seat in &seats {
            let fact = JoinedFact::new(lot, at, *seat, seats.len());
            if is_asked_for(&fact, query, after.as_ref()) {
                facts.push(RowData::Joined(fact));
            }
            if facts.len() == missing {
                return Ok(facts);
            }
        }
        // Only the first measurement can have rows on both sides of the place.
        after = None;
    }
    Ok(facts)
}

fn is_asked_for(fact: &JoinedFact, query: &DatasetQuery, after: Option<&RowKey>) -> bool {
    after.is_none_or(|after| fact.place() > *after) && fact.passes(&query.filter)
}
