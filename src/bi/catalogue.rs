//! Every dataset with the reader that makes its rows. GraphQL, the feed, OData and the views of PostgreSQL are faces of
//! this list: a new dataset is a file in `datasets` and one line here.

use super::{
    changes,
    datasets::{
        current, dimensions, facts, feedback,
        findings::{self, FindingsReader},
        insights, journey, kpis, organisation,
        series::{self, SeriesReader},
        time,
    },
    default_days::close_open_range,
    fact_join::FactJoinReader,
    model::{dataset::Dataset, query::DatasetQuery},
    source::{
        reader::{ReadContext, RowReader},
        sql_reader::SqlReader,
        stream::RowStream,
    },
};
use crate::{
    access::Caller,
    database::Transaction,
    error::{Error, Result},
};

/// Pairs datasets with their readers, in the order in which they are listed.
macro_rules! catalogue {
    ($($dataset:path => $reader:expr;)*) => {
        /// Every dataset: the join of facts, the series over it, then the tables that the join is made of.
        pub static ALL: &[&Dataset] = &[$(&$dataset),*];

        /// The reader of each of them, in the same order.
        static READERS: &[&dyn RowReader] = &[$(&$reader),*];
    };
}

catalogue! {
    facts::KPI_FACTS => FactJoinReader;
    series::KPI_SERIES => SeriesReader;
    series::KPI_SERIES_DAY => SeriesReader;
    series::KPI_SERIES_WEEK => SeriesReader;
    series::KPI_SERIES_MONTH => SeriesReader;
    series::KPI_SERIES_QUARTER => SeriesReader;
    series::KPI_SERIES_YEAR => SeriesReader;
    current::KPI_CURRENT => SqlReader;
    kpis::KPI_MEASUREMENTS => SqlReader;
    kpis::KPIS => SqlReader;
    kpis::KPI_TARGETS => SqlReader;
    kpis::KPI_LINKS => SqlReader;
    organisation::RESPONSIBILITIES => SqlReader;
    organisation::DEPARTMENTS => SqlReader;
    journey::TOUCHPOINTS => SqlReader;
    journey::PHASES => SqlReader;
    journey::BLUEPRINTS => SqlReader;
    journey::TRANSITIONS => SqlReader;
    insights::PROMISES => SqlReader;
    insights::PROMISE_DELIVERIES => SqlReader;
    insights::INSIGHTS => SqlReader;
    organisation::PERSONAS => SqlReader;
    organisation::PERSONA_NEEDS => SqlReader;
    dimensions::CHANNELS => SqlReader;
    dimensions::SEGMENTS => SqlReader;
    dimensions::TOUCHPOINT_CHANNELS => SqlReader;
    dimensions::TOUCHPOINT_SEGMENTS => SqlReader;
    dimensions::PHASE_SEGMENTS => SqlReader;
    dimensions::PERSONA_SEGMENTS => SqlReader;
    time::DATES => SqlReader;
    findings::FINDINGS => FindingsReader;
    feedback::FEEDBACK => SqlReader;
}

/// The dataset of this name.
#[must_use]
pub fn find_dataset(name: &str) -> Option<&'static Dataset> {
    ALL.iter().copied().find(|dataset| dataset.name == name)
}

/// The reader of a dataset. Looked up, once a pull, since a dataset cannot name a reader that itself imports the
/// dataset.
fn find_row_reader(dataset: &'static Dataset) -> Result<&'static dyn RowReader> {
    let at = ALL.iter().position(|one| std::ptr::eq(*one, dataset));
    let reader = at.and_then(|at| READERS.get(at).copied());
    reader.ok_or_else(|| Error::internal("a dataset that is not in the catalogue"))
}

/// Streams the rows that a query selects, all from the snapshot of the transaction, which ends with the last row. Where
/// the query names changed measurements, rows of these alone, with tombstones for those that have none any more.
///
/// # Errors
/// The caller may pull this dataset nowhere, or asks for too many days. What fails later ends the stream.
pub async fn stream_rows(
    mut query: DatasetQuery,
    caller: &Caller,
    tx: Transaction,
) -> Result<RowStream> {
    caller.require_reach(query.dataset.permission)?;
    close_open_range(ReadContext { caller, tx: &tx }, &mut query).await?;
    let reader = find_row_reader(query.dataset)?;
    let caller = caller.clone();
    Ok(RowStream::spawn(query.projection(), move |to| async move {
        let context = ReadContext {
            caller: &caller,
            tx: &tx,
        };
        match &query.changed {
            Some(changed) => {
                changes::send_changed_rows(reader, context, &query, changed, &to).await?
            }
            None => reader.send_rows_of_query(context, &query, &to).await?,
        }
        Ok(tx.commit().await?)
    }))
}

/// Counts the rows that pass the filter, whatever limit, offset and resume point the query has.
///
/// # Errors
/// The caller may pull this dataset nowhere, or asks for too many days.
pub async fn count_rows(query: &DatasetQuery, caller: &Caller, tx: &Transaction) -> Result<u64> {
    caller.require_reach(query.dataset.permission)?;
    let mut every = DatasetQuery {
        after: None,
        limit: None,
        offset: None,
        ..query.clone()
    };
    let context = ReadContext { caller, tx };
    close_open_range(context, &mut every).await?;
    let reader = find_row_reader(query.dataset)?;
    reader.count_rows_of_query(context, &every).await
}

/// Refuses what a pull of these rows would be refused for before it reads any.
///
/// # Errors
/// The caller may pull this dataset nowhere, or asks for what has no answer.
pub async fn refuse_unanswerable(
    query: &DatasetQuery,
    caller: &Caller,
    tx: &Transaction,
) -> Result<()> {
    caller.require_reach(query.dataset.permission)?;
    let mut asked = query.clone();
    let context = ReadContext { caller, tx };
    close_open_range(context, &mut asked).await?;
    let reader = find_row_reader(query.dataset)?;
    reader.refuse_unanswerable(context, &asked).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that PostgreSQL takes for no column.
    const RESERVED: &str = "\
        all analyse analyze and any array as asc asymmetric authorization binary both case cast check \
        collate collation column concurrently constraint create cross current_catalog current_date \
        current_role current_schema current_time current_timestamp current_user default deferrable desc \
        distinct do else end except false fetch for foreign freeze from full grant group having ilike in \
        initially inner intersect into is isnull join lateral leading left like limit localtime \
        localtimestamp natural not notnull null offset on only or order outer overlaps placing primary \
        references returning right select session_user similar some symmetric table tablesample then to \
        trailing true union unique user using variadic verbose when where window with";

    #[test]
    fn every_dataset_has_the_columns_that_it_is_filtered_told_apart_and_paged_by() {
        for dataset in ALL {
            let name = dataset.name;
            assert!(dataset.column(dataset.key).is_some(), "{name}");
            assert!(
                dataset.day.is_none_or(|day| dataset.column(day).is_some()),
                "{name}"
            );
            // Statements of ours, and those of whoever reads the views, name columns without quotes.
            for column in dataset.columns {
                let is_reserved = RESERVED.split(' ').any(|word| word == column.name);
                assert!(!is_reserved, "{name}: {}", column.name);
            }
            for filter in dataset.filters {
                assert!(
                    dataset.filter_column(filter.name).is_some(),
                    "{name}: {}",
                    filter.name
                );
            }
        }
    }
}
