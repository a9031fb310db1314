//! `kpi_series`: values aggregated by period and by the dimensions of a request. Computed from the cache.

use entity::{
    id::{
        BlueprintId, ChannelId, DepartmentId, Id, KpiId, PersonaId, PhaseId, SegmentId,
        TouchpointId,
    },
    words::{Aggregation, Direction, KpiState, Stage, Unit},
};

use futures_util::future::BoxFuture;

use super::{columns, computed_columns, filters, order, series_columns::kpi_series_columns};
use crate::{
    bi::{
        model::dataset::{
            ColumnType::{Boolean, Day, Id as IdOf, Integer, Number, Text as Words, Word},
            Dataset, RowSource, SeriesPeriods,
        },
        model::filter::Filter,
        model::query::DatasetQuery,
        model::value::Value,
        series::{self, SeriesAnswer, SeriesRow, SeriesRowPosition},
        source::memory::{ComputedRow, sort_and_limit},
        source::reader::{ReadContext, RowReader},
        source::row::RowContent,
        source::stream::{BATCH, BatchSender},
    },
    compute::WorkBudget,
    error::{Error, Result},
    judgement::period::Grain,
    policy::Action,
};

/// Values of KPIs, combined by period and dimension.
pub static KPI_SERIES: Dataset = series_dataset(
    "kpi_series",
    "Values of KPIs, combined by period and by the dimensions requested with `by`: LAST is the value of the latest day, \
        AVERAGE the mean weighted by sample size, SUM the sum, RATIO the sum of numerators divided by that of \
        denominators. A value belongs to the groups of the rows that it has in kpi_facts and counts once in each. \
        Channels and segments are separated only if `by` requests it; at a touchpoint its own values come before those \
        of the KPI as a whole. A period without a value has no row. A LEAD gets the values of the rows of the \
        departments that they lead. Without `grain` and `by` it is kpi_series_month.",
    SeriesPeriods::Asked,
);

/// Declares series of periods of one length.
macro_rules! series_of_one_length {
    ($($set:ident, $name:literal, $grain:ident, $word:literal;)*) => {
        $(
            #[doc = concat!("Values of KPIs by ", $word, ".")]
            pub static $set: Dataset = series_dataset(
                $name,
                concat!("Values of KPIs by ", $word, ", of each KPI, or grouped by the dimensions requested with `by`, as \
                    kpi_series has them. KPIs that are measured more seldom have no rows."),
                SeriesPeriods::Of(Grain::$grain),
            );
        )*
    };
}

series_of_one_length! {
    KPI_SERIES_DAY, "kpi_series_day", Day, "day";
    KPI_SERIES_WEEK, "kpi_series_week", Week, "ISO week";
    KPI_SERIES_MONTH, "kpi_series_month", Month, "month";
    KPI_SERIES_QUARTER, "kpi_series_quarter", Quarter, "quarter";
    KPI_SERIES_YEAR, "kpi_series_year", Year, "year";
}

const fn series_dataset(
    name: &'static str,
    description: &'static str,
    periods: SeriesPeriods,
) -> Dataset {
    Dataset {
        name,
        description,
        permission: Action::PullFlatRows,
        needs_days: true,
        published_only: true,
        day: Some("period_start"),
        columns: COLUMNS,
        filters: filters![
            kpi = kpi_key,
            department = department_key,
            blueprint = blueprint_key,
            touchpoint = touchpoint_key,
            stage = stage,
            persona = persona_key,
            channel = channel_key,
            segment = segment_key
        ],
        order: order![
            Id kpi_id empty, Id department_id empty, Id blueprint_id empty, Id phase_id empty, Id stage empty,
            Id touchpoint_id empty, Id channel_id empty, Id persona_id empty, Id segment_id empty, Day period_start
        ],
        key: "row_id",
        source: RowSource::Computed {
            series: Some(periods),
            is_fully_audited: true,
        },
    }
}

/// Reads `kpi_series`: computes the series, then its rows as they are taken.
pub(in crate::bi) struct SeriesReader;

impl RowReader for SeriesReader {
    fn send_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
        to: &'r BatchSender,
    ) -> BoxFuture<'r, Result<()>> {
        match query.order.is_empty() {
            true => Box::pin(send_in_dataset_order(context, query, to)),
            false => Box::pin(send_in_query_order(context, query, to)),
        }
    }

    fn count_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
    ) -> BoxFuture<'r, Result<u64>> {
        Box::pin(count_rows(context, query))
    }

    fn refuse_unanswerable<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
    ) -> BoxFuture<'r, Result<()>> {
        Box::pin(async move {
            let Some(request) = &query.series else {
                return Ok(());
            };
            series::refuse_unanswerable(context.caller, context.tx, request).await
        })
    }
}

/// Sends the rows batch after batch, each worked out only now.
async fn send_in_dataset_order(
    context: ReadContext<'_>,
    query: &DatasetQuery,
    to: &BatchSender,
) -> Result<()> {
    let caller = context.caller;
    let mut scan = SeriesRowScan::new(compute_series(context, query).await?, query);
    loop {
        // The scan travels to the pool of `compute` and back: it owns what it computes from.
        let (batch, rest) = caller
            .run_on_compute_pool(move |steps| Ok((scan.next_rows(BATCH, steps)?, scan)))
            .await?;
        scan = rest;
        if batch.is_empty() || to.send(Ok(Some(batch))).await.is_err() {
            return Ok(());
        }
        caller.budget.renew_steps_of_feed();
    }
}

/// Sends all rows at once, sorted. They are at most `MOST_CELLS` of `series::request`.
async fn send_in_query_order(
    context: ReadContext<'_>,
    query: &DatasetQuery,
    to: &BatchSender,
) -> Result<()> {
    let answer = compute_series(context, query).await?;
    let query = query.clone();
    let order = move |steps: &WorkBudget| {
        let price = ROW_STEPS * (1 + query.order.len()) + query.filter.step_cost();
        let mut rows = Vec::new();
        for row in answer.rows(SeriesRowPosition::default()) {
            steps.spend(price)?;
            rows.extend(Some(computed_row(&row)).filter(|row| row.passes(&query)));
        }
        Ok(sort_and_limit(rows, &query))
    };
    let rows = context.caller.run_on_compute_pool(order).await?;
    to.send(Ok(Some(rows))).await.ok();
    Ok(())
}

/// Counts the rows that pass, and keeps none of them.
async fn count_rows(context: ReadContext<'_>, query: &DatasetQuery) -> Result<u64> {
    let answer = compute_series(context, query).await?;
    let query = query.clone();
    let count = move |steps: &WorkBudget| {
        let price = ROW_STEPS + query.filter.step_cost();
        // Without a filter no cell needs to be made.
        let every = matches!(&query.filter, Filter::All(all) if all.is_empty());
        let mut rows = 0;
        for row in answer.rows(SeriesRowPosition::default()) {
            steps.spend(price)?;
            rows += u64::from(every || computed_row(&row).passes(&query));
        }
        Ok(rows)
    };
    context.caller.run_on_compute_pool(count).await
}

/// Compute steps of working a row out, besides its filter.
const ROW_STEPS: usize = 10;

async fn compute_series(context: ReadContext<'_>, query: &DatasetQuery) -> Result<SeriesAnswer> {
    let (Some(request), Some(cache)) = (&query.series, &query.cache) else {
        return Err(Error::internal(
            "a query for a series without its request or its cache",
        ));
    };
    series::answer_request(context.caller, cache, context.tx, request).await
}

/// A scan over the rows of a query, in the dataset's own order.
struct SeriesRowScan {
    answer: SeriesAnswer,
    query: DatasetQuery,
    next: SeriesRowPosition,
    /// Rows that the offset still leaves out.
    skipped: usize,
    /// Rows still to be sent, at most.
    missing: usize,
}

impl SeriesRowScan {
    fn new(answer: SeriesAnswer, query: &DatasetQuery) -> Self {
        let after = query.after.as_ref();
        Self {
            next: after.map_or_else(SeriesRowPosition::default, |after| {
                answer.first_index_after(after)
            }),
            skipped: query.row_offset(),
            missing: query.row_limit(),
            query: query.clone(),
            answer,
        }
    }

    /// The next rows, at most `most`; none at the end.
    fn next_rows(&mut self, most: usize, steps: &WorkBudget) -> Result<Vec<RowContent>> {
        let price = ROW_STEPS + self.query.filter.step_cost();
        let most = most.min(self.missing);
        let (mut rows, mut last) = (Vec::new(), None);
        for row in self.answer.rows(self.next) {
            if rows.len() == most {
                break;
            }
            steps.spend(price)?;
            last = Some(row.index);
            let row = computed_row(&row);
            if !row.passes(&self.query) {
                continue;
            }
            match self.skipped.checked_sub(1) {
                Some(skipped) => self.skipped = skipped,
                None => rows.push(row.select_columns(&self.query)),
            }
        }
        if let Some(last) = last {
            self.next = self
                .answer
                .first_index_after(&self.answer.row(last).row_key());
        }
        self.missing -= rows.len();
        Ok(rows)
    }
}

fn computed_row(row: &SeriesRow<'_>) -> ComputedRow {
    ComputedRow {
        cells: cells_of_row(row),
        key: row.row_key(),
    }
}

/// Takes the dataset's columns and their cells out of the table.
macro_rules! dataset_columns {
    ($($name:ident $($empty:ident)?: $api:ty, $of:expr => $cell:expr, $description:literal $(, $other:literal)?;)*) => {
        computed_columns! {
            SeriesRow<'_>;
            $($name $($empty)?: $of => $cell, $description;)*
        }
    };
}

kpi_series_columns!(dataset_columns);
