//! Every dataset, and the one place that hands a query to whatever makes its rows. GraphQL, the feed, OData and the
//! views of PostgreSQL are faces of it.

use sea_orm::ConnectionTrait;

use super::{
    changes,
    datasets::{facts, feedback, findings, journey, kpis, organisation, series, time},
    fact_join,
    model::{
        dataset::{Dataset, RowSource},
        query::DatasetQuery,
    },
    source::stream::RowStream,
};
use crate::{access::Caller, database::Transaction, error::Result};

/// Every dataset: the join first, what it comes to, then the star that it is made of.
pub static ALL: &[&Dataset] = &[
    &facts::KPI_FACTS,
    &series::KPI_SERIES,
    &kpis::KPI_MEASUREMENTS,
    &kpis::KPIS,
    &kpis::KPI_TARGETS,
    &kpis::KPI_LINKS,
    &organisation::RESPONSIBILITIES,
    &organisation::DEPARTMENTS,
    &journey::TOUCHPOINTS,
    &journey::PHASES,
    &journey::BLUEPRINTS,
    &organisation::PERSONAS,
    &time::DATES,
    &findings::FINDINGS,
    &feedback::FEEDBACK,
];

/// The dataset of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Dataset> {
    ALL.iter().copied().find(|dataset| dataset.name == name)
}

/// The rows, one after another, from one moment of the truth that the transaction keeps.
pub fn rows(query: DatasetQuery, caller: &Caller, tx: Transaction) -> Result<RowStream> {
    caller.require_somewhere(query.dataset.permission)?;
    let shape = query.shape();
    let caller = caller.clone();
    if let Some(changed) = query.changed.clone() {
        return Ok(RowStream::fetched(
            shape.clone(),
            move |wanted| async move {
                changes::rows(&caller, &query, &changed, (&tx, &shape), &wanted).await?;
                Ok(tx.commit().await?)
            },
        ));
    }
    // The join gives rows in the dataset's own order alone, from a key on: another order, or an offset, is left to SQL.
    let in_own_order = query.order.is_empty() && query.offset.unwrap_or_default() == 0;
    match query.dataset.source {
        RowSource::Joined { .. } if in_own_order => {}
        RowSource::Findings | RowSource::Series => {}
        RowSource::Joined { .. } | RowSource::Sql { .. } => {
            return Ok(match query.statement(&caller, tx.get_database_backend())? {
                Some(statement) => RowStream::stored(statement, tx, shape),
                None => RowStream::none(shape),
            });
        }
    }
    Ok(RowStream::fetched(shape, move |wanted| async move {
        match query.dataset.source {
            RowSource::Series => series::each(&caller, &tx, &query, &wanted).await?,
            RowSource::Findings => findings::each(&caller, &tx, &query, &wanted).await?,
            _ => fact_join::each(&caller, &tx, &query, &wanted).await?,
        }
        Ok(tx.commit().await?)
    }))
}

/// How many rows there are, whatever the limit and the place.
pub async fn count(query: &DatasetQuery, caller: &Caller, tx: &Transaction) -> Result<u64> {
    caller.require_somewhere(query.dataset.permission)?;
    let whole = DatasetQuery {
        after: None,
        limit: None,
        offset: None,
        ..query.clone()
    };
    match query.dataset.source {
        RowSource::Findings => return Ok(findings::all(caller, tx, &whole).await?.len() as u64),
        RowSource::Series => return series::number(caller, tx, &whole).await,
        RowSource::Sql { .. } | RowSource::Joined { .. } => {}
    }
    let Some(statement) = whole.count_statement(caller, tx.get_database_backend())? else {
        return Ok(0);
    };
    let row = tx.query_one_raw(statement).await?;
    let rows: i64 = row.map_or(Ok(0), |row| row.try_get("", "rows"))?;
    Ok(u64::try_from(rows).unwrap_or_default())
}
