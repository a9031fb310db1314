//! `kpiSeries`: series in the API.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject, connection::Edge};
use entity::words::{Aggregation, Direction, KpiState, Role, Stage, Unit};

use super::{
    SeriesAnswer, SeriesRow, SeriesRowPosition, answer_request,
    request::{Dimension, SeriesRequest},
};
use crate::{
    bi::{
        api_value::{api_description, next_value},
        cache::BiCache,
        datasets::{
            series::{KPI_SERIES, cells_of_row},
            series_columns::kpi_series_columns,
        },
        model::cursor::RowKey,
    },
    compute::WorkBudget,
    error::{Error, Result},
    judgement::period::{Grain, day_number},
    meter::BudgetCharged,
    page::{self, ObjectPage, PageArguments},
    payload::caller,
    scalar::Date,
};

/// Makes the object of the API out of the table of columns.
macro_rules! api_object {
    ($($name:ident $($empty:ident)?: $api:ty, $of:expr => $cell:expr, $($description:tt),*;)*) => {
        /// The combined value of KPIs in a period.
        #[derive(Clone, SimpleObject)]
        pub struct KpiSeriesPoint {
            $(#[doc = api_description!($($description),*)] pub $name: $api,)*
        }

        impl KpiSeriesPoint {
            /// The point of a row.
            fn from_row(row: &SeriesRow<'_>) -> Result<Self> {
                let mut values = cells_of_row(row).into_iter();
                Ok(Self {
                    $($name: next_value(&mut values)?,)*
                })
            }
        }
    };
}

kpi_series_columns!(api_object);

/// The order of the points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum KpiSeriesOrder {
    /// By group, in the order of the dimensions, and then by period.
    #[default]
    Group,
    /// By period, and then by group.
    Period,
    /// The lowest value first; points without a value before all others.
    ValueAscending,
    /// The highest value first; points without a value after all others.
    ValueDescending,
}

/// A range of days, half-open.
#[derive(InputObject)]
pub struct TimeRangeInput {
    /// The first day (included).
    pub from: Date,
    /// The day after the last one (excluded).
    pub to: Date,
}

/// Conditions on the values; all that are given must hold. An absent condition lets all values through, an empty list
/// none.
#[derive(Default, InputObject)]
pub struct KpiSeriesFilter {
    /// Only of departments with one of these keys.
    pub department_keys: Option<Vec<String>>,
    /// Only in blueprints with one of these keys.
    pub blueprint_keys: Option<Vec<String>>,
    /// Only at touchpoints with one of these keys.
    pub touchpoint_keys: Option<Vec<String>>,
    /// Only where a department held one of these roles.
    pub roles: Option<Vec<Role>>,
    /// Only in phases of one of these stages.
    pub stages: Option<Vec<Stage>>,
    /// Only in blueprints whose main persona has one of these keys.
    pub persona_keys: Option<Vec<String>>,
    /// Only measured on channels with one of these keys.
    pub channel_keys: Option<Vec<String>>,
    /// Only measured in segments with one of these keys.
    pub segment_keys: Option<Vec<String>>,
}

/// The definition of a series.
#[derive(InputObject)]
pub struct KpiSeriesInput {
    /// Only of KPIs with one of these keys; absent: of all KPIs whose values you may see.
    pub kpis: Option<Vec<String>>,
    /// The dimensions by which points are grouped, besides their period. Without KPI, several KPIs are combined: they
    /// must have the same unit, direction, aggregation and scope, and the aggregation LAST is not defined for several.
    #[graphql(default)]
    pub dimensions: Vec<Dimension>,
    /// The length of a period; not shorter than the cadence of any of the KPIs.
    pub grain: Grain,
    /// The days of the series, at most 3,660. A period cut off by their ends is not complete.
    pub time_range: TimeRangeInput,
    /// Conditions that must all hold.
    pub filter: Option<KpiSeriesFilter>,
    /// The order of the points.
    #[graphql(default)]
    pub order_by: KpiSeriesOrder,
}

impl From<&KpiSeriesInput> for SeriesRequest {
    fn from(input: &KpiSeriesInput) -> Self {
        let range = (input.time_range.from.0, input.time_range.to.0);
        let mut request = Self::new(input.grain, range);
        request.kpis.clone_from(&input.kpis);
        request.by.clone_from(&input.dimensions);
        if let Some(filter) = &input.filter {
            request.departments.clone_from(&filter.department_keys);
            request.blueprints.clone_from(&filter.blueprint_keys);
            request.touchpoints.clone_from(&filter.touchpoint_keys);
            request.roles.clone_from(&filter.roles);
            request.stages.clone_from(&filter.stages);
            request.personas.clone_from(&filter.persona_keys);
            request.channels.clone_from(&filter.channel_keys);
            request.segments.clone_from(&filter.segment_keys);
        }
        request
    }
}

/// Asking for series.
#[derive(Default)]
pub struct SeriesQuery;

#[Object]
impl SeriesQuery {
    /// Values of KPIs, combined by period and by the dimensions requested. A value belongs to the groups of its rows in
    /// `kpiFacts`, and is counted once in each. Values by channel or segment are kept apart only where that
    /// is requested; at a touchpoint, its own values take precedence over those of the KPI as a whole. Without places, a
    /// period in which a KPI was measured at touchpoints only is put together from those that everybody may read. A
    /// period without a value has no point. A request that is not defined is refused with a sentence. A LEAD gets the values of the
    /// departments that they lead. Requires: PULL_FLAT_ROWS.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn kpi_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The KPIs, days, periods and dimensions of the series.")]
        input: KpiSeriesInput,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Option<Result<ObjectPage<KpiSeriesPoint>>> {
        Some(pull_series(ctx, &input, PageArguments { first, after }).await)
    }
}

/// Compute steps of working out one cell, for an order that visits all of them.
const CELL_STEPS: usize = 4;

async fn pull_series(
    ctx: &Context<'_>,
    input: &KpiSeriesInput,
    page: PageArguments,
) -> Result<ObjectPage<KpiSeriesPoint>> {
    let caller = caller(ctx)?;
    let cache = ctx
        .data::<BiCache>()
        .map_err(|_| Error::internal("nothing is kept for series"))?;
    let size = usize::try_from(page.size()?).unwrap_or(usize::MAX);
    let tx = caller.begin_snapshot().await?;
    let answer = answer_request(caller, cache, &tx, &SeriesRequest::from(input)).await?;
    // Everything is in memory now: the connection goes back before the sorting begins.
    tx.commit().await?;
    let after = page
        .after
        .as_deref()
        .map(|after| SeriesCursor::decode(&answer, after));
    let (order, after) = (input.order_by, after.transpose()?);
    let answer = Arc::new(answer);
    let sorted = Arc::clone(&answer);
    let counts = page::wants_total(ctx);
    let work = move |steps: &WorkBudget| {
        steps.spend(CELL_STEPS * sorted.cell_count())?;
        let total = counts.then(|| sorted.rows(SeriesRowPosition::default()).count() as u64);
        Ok((order.page_of_cursors(&sorted, after, size + 1), total))
    };
    let (mut cursors, total) = caller.run_on_compute_pool(work).await?;
    let more = cursors.len() > size;
    cursors.truncate(size);
    let mut connection = ObjectPage::new(page.after.is_some(), more, total);
    for cursor in &cursors {
        let row = answer.row(cursor.index);
        let point = BudgetCharged(KpiSeriesPoint::from_row(&row)?);
        connection.edges.push(Edge::new(cursor.encode(&row), point));
    }
    Ok(connection)
}

/// The place of a point in an order: the number that it is ordered by, and then its index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SeriesCursor {
    by: u64,
    index: SeriesRowPosition,
}

impl SeriesCursor {
    fn encode(&self, row: &SeriesRow<'_>) -> String {
        let place = row.row_key().encode();
        page::encode_cursor(&[&self.by.to_be_bytes(), place.as_bytes()])
    }

    /// Reads the cursor of an earlier answer as the first place after it, wherever its own point is now.
    fn decode(answer: &SeriesAnswer, cursor: &str) -> Result<Self> {
        let bytes = page::decode_cursor(cursor)?;
        let (by, place) = bytes
            .split_first_chunk()
            .ok_or_else(page::invalid_cursor_error)?;
        let place = std::str::from_utf8(place).map_err(|_| page::invalid_cursor_error())?;
        let place = RowKey::decode(&KPI_SERIES, place)?;
        Ok(Self {
            by: u64::from_be_bytes(*by),
            index: answer.first_index_after(&place),
        })
    }
}

impl KpiSeriesOrder {
    /// The first `many` places from one on. All rows are visited, but only `many` are sorted.
    fn page_of_cursors(
        self,
        answer: &SeriesAnswer,
        from: Option<SeriesCursor>,
        many: usize,
    ) -> Vec<SeriesCursor> {
        let cursor = |row: SeriesRow<'_>| SeriesCursor {
            by: self.sort_key(&row),
            index: row.index,
        };
        if self == Self::Group {
            let from = from.map_or_else(SeriesRowPosition::default, |from| from.index);
            return answer.rows(from).map(cursor).take(many).collect();
        }
        let all = answer.rows(SeriesRowPosition::default()).map(cursor);
        let mut all: Vec<SeriesCursor> = all
            .filter(|cursor| from.is_none_or(|from| *cursor >= from))
            .collect();
        if all.len() > many {
            // The least `many` come to the front unsorted, in linear time: a page of fifty out of half a million
            // sorts fifty.
            all.select_nth_unstable(many);
            all.truncate(many);
        }
        all.sort_unstable();
        all
    }

    fn sort_key(self, row: &SeriesRow<'_>) -> u64 {
        match self {
            Self::Group => 0,
            Self::Period => day_number(row.period().begin).unsigned_abs().into(),
            Self::ValueAscending => row.value().map_or(0, to_ordered_bits),
            // Turned round bit by bit, so that one comparison of numbers serves both directions.
            Self::ValueDescending => row
                .value()
                .map_or(u64::MAX, |value| !to_ordered_bits(value)),
        }
    }
}

/// Maps values to whole numbers of the same order: the bits of a float sort as a number once the sign is turned.
fn to_ordered_bits(value: f64) -> u64 {
    let bits = value.to_bits();
    match value.is_sign_negative() {
        true => !bits,
        false => bits | 1 << 63,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whole_numbers_keep_the_order_of_values(one in -1e9..1e9, other in -1e9..1e9) {
            prop_assert_eq!(to_ordered_bits(one) < to_ordered_bits(other), one < other);
        }
    }
}
