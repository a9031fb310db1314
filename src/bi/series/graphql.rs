//! Series in the API.

use std::sync::Arc;

use async_graphql::{
    Context, Enum, ID, InputObject, Object, SimpleObject,
    connection::{Connection, Edge},
};
use entity::words::{Aggregation, Direction, KpiState, Role, Stage, Unit};

use super::{
    RowIndex, SeriesAnswer, SeriesRow, answer,
    period::Grain,
    request::{Dimension, SeriesRequest},
};
use crate::{
    bi::{
        datasets::series::KPI_SERIES,
        model::cursor::RowKey,
        store::{BiStore, kpi_columns::count},
    },
    compute::Steps,
    error::{Error, Result},
    meter::Metered,
    page::{self, Page},
    payload::caller,
    scalar::Date,
};

/// What values of KPIs come to in a period.
#[derive(Clone, SimpleObject)]
pub struct KpiSeriesPoint {
    /// The point's id: made of its period and what it stands for, so that it is the same in every answer.
    pub row_id: ID,
    /// The first day of the period.
    pub period_start: Date,
    /// The first day behind the period.
    pub period_end: Date,
    /// Whether all days of the period are asked about and have passed.
    pub is_complete: bool,
    /// The KPI; null where the point is of several.
    pub kpi_id: Option<ID>,
    /// The KPI's key.
    pub kpi_key: Option<String>,
    /// The KPI's name, as it is today.
    pub kpi_name: Option<String>,
    /// What the value counts. Units never mix.
    pub unit: Unit,
    /// ISO 4217 code, where the unit is CURRENCY.
    pub currency: Option<String>,
    /// Which way is better.
    pub direction: Direction,
    /// How the values came together.
    pub aggregation: Aggregation,
    /// The department, where that is asked for; null where nobody held a role.
    pub department_id: Option<ID>,
    /// The department's key.
    pub department_key: Option<String>,
    /// The department's name, as it is today.
    pub department_name: Option<String>,
    /// The blueprint, where that is asked for.
    pub blueprint_id: Option<ID>,
    /// The blueprint's key.
    pub blueprint_key: Option<String>,
    /// The phase, where that is asked for.
    pub phase_id: Option<ID>,
    /// The phase's name, as it is today.
    pub phase_name: Option<String>,
    /// The stage, where that is asked for.
    pub stage: Option<Stage>,
    /// The touchpoint, where that is asked for.
    pub touchpoint_id: Option<ID>,
    /// The touchpoint's key.
    pub touchpoint_key: Option<String>,
    /// The touchpoint's name, as it is today.
    pub touchpoint_name: Option<String>,
    /// The channel, where that is asked for.
    pub channel_id: Option<ID>,
    /// The channel's key.
    pub channel_key: Option<String>,
    /// The main persona of the blueprint, where that is asked for.
    pub persona_id: Option<ID>,
    /// The persona's key.
    pub persona_key: Option<String>,
    /// The segment, where that is asked for.
    pub segment_id: Option<ID>,
    /// The segment's key.
    pub segment_key: Option<String>,
    /// What the values come to, in the unit; null where that is not defined: several values on the last day, or
    /// shares without their numerators and denominators.
    pub value: Option<f64>,
    /// The numerators, added up; null where a value has none.
    pub numerator: Option<f64>,
    /// The denominators, added up; null where a value has none.
    pub denominator: Option<f64>,
    /// How many answered; null where that is not known of every value.
    pub sample_size: Option<f64>,
    /// How many measurements it is made of.
    pub measurements: i32,
    /// The target of the period's last day; of a SUM the targets of the days that were measured, added up. Null where
    /// there is none, and where the point is of several KPIs that are not added up.
    pub target: Option<f64>,
    /// The warning level, in the same way.
    pub warning: Option<f64>,
    /// What the value comes to against the target.
    pub state: KpiState,
}

impl KpiSeriesPoint {
    fn of(line: &SeriesRow<'_>) -> Self {
        fn id(id: impl ToString) -> ID {
            ID(id.to_string())
        }
        let (period, like, kpi) = (line.period(), line.like(), line.kpi());
        let (journey, phase, touchpoint) = (line.journey(), line.phase(), line.touchpoint());
        let (department, channel) = (line.department(), line.channel());
        let (persona, segment) = (line.persona(), line.segment());
        let (parts, target) = (line.parts(), line.target());
        Self {
            row_id: ID(line.row_id()),
            period_start: Date(period.begin),
            period_end: Date(period.end),
            is_complete: line.is_complete(),
            kpi_id: kpi.map(|kpi| id(kpi.id)),
            kpi_key: kpi.map(|kpi| kpi.key.clone()),
            kpi_name: kpi.map(|kpi| kpi.name.clone()),
            unit: like.unit,
            currency: like.currency.clone(),
            direction: like.direction,
            aggregation: like.aggregation,
            department_id: department.map(|one| id(one.id)),
            department_key: department.map(|one| one.key.to_owned()),
            department_name: department.map(|one| one.name.to_owned()),
            blueprint_id: journey.map(|journey| id(journey.id)),
            blueprint_key: journey.map(|journey| journey.key.clone()),
            phase_id: phase.map(|phase| id(phase.id)),
            phase_name: phase.map(|phase| phase.name.to_string()),
            stage: line.stage(),
            touchpoint_id: touchpoint.map(|touchpoint| id(touchpoint.id)),
            touchpoint_key: touchpoint.map(|touchpoint| touchpoint.key.to_string()),
            touchpoint_name: touchpoint.map(|touchpoint| touchpoint.name.to_string()),
            channel_id: channel.map(|one| id(one.id)),
            channel_key: channel.map(|one| one.key.to_owned()),
            persona_id: persona.map(|one| id(one.id)),
            persona_key: persona.map(|one| one.key.to_owned()),
            segment_id: segment.map(|one| id(one.id)),
            segment_key: segment.map(|one| one.key.to_owned()),
            value: line.value(),
            numerator: parts.map(|parts| parts.0),
            denominator: parts.map(|parts| parts.1),
            // Counts of answers lie far below 2⁵³: exact.
            sample_size: line.sample_size().map(|size| size as f64),
            measurements: i32::try_from(line.measurements()).unwrap_or(i32::MAX),
            target: target.map(|target| target.0),
            warning: target.and_then(|target| target.1),
            state: line.state(),
        }
    }
}

/// In which order points come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum KpiSeriesOrder {
    /// By what they stand for, in the order of the dimensions, and then by period.
    #[default]
    Group,
    /// By period, and then by what they stand for.
    Period,
    /// The lowest value first; points without a value before all others.
    ValueAscending,
    /// The highest value first; points without a value after all others.
    ValueDescending,
}

/// Some days.
#[derive(InputObject)]
pub struct TimeRangeInput {
    /// The first day.
    pub from: Date,
    /// The first day that is too late.
    pub to: Date,
}

/// Which values count: those of rows like these. What is absent lets everything through, an empty list nothing.
#[derive(Default, InputObject)]
pub struct KpiSeriesFilter {
    /// Of departments with one of these keys.
    pub department_keys: Option<Vec<String>>,
    /// In blueprints with one of these keys.
    pub blueprint_keys: Option<Vec<String>>,
    /// At touchpoints with one of these keys.
    pub touchpoint_keys: Option<Vec<String>>,
    /// Where a department held one of these roles.
    pub roles: Option<Vec<Role>>,
    /// In phases of one of these stages.
    pub stages: Option<Vec<Stage>>,
    /// In journeys of these main personas, by key.
    pub persona_keys: Option<Vec<String>>,
    /// Measured on channels with one of these keys.
    pub channel_keys: Option<Vec<String>>,
    /// Measured in segments with one of these keys.
    pub segment_keys: Option<Vec<String>>,
}

/// What a series is asked.
#[derive(InputObject)]
pub struct KpiSeriesInput {
    /// Of KPIs with one of these keys; of all whose values you may see where it is absent.
    pub kpis: Option<Vec<String>>,
    /// What points are told apart by, besides their period. Without KPI, several KPIs are put together: they must be
    /// alike in unit, direction, aggregation and scope, and a LAST of several is not defined.
    #[graphql(default)]
    pub dimensions: Vec<Dimension>,
    /// How long a period is; not finer than the cadence of any of the KPIs.
    pub grain: Grain,
    /// The days that are asked about, at most 3,660. A period that is cut by their ends is not complete.
    pub time_range: TimeRangeInput,
    /// Which values count.
    pub filter: Option<KpiSeriesFilter>,
    /// In which order points come.
    #[graphql(default)]
    pub order_by: KpiSeriesOrder,
    /// How many points a page has: 50 unless said, at most 200.
    pub first: Option<i32>,
    /// The cursor behind which the page begins.
    pub after: Option<String>,
}

impl From<&KpiSeriesInput> for SeriesRequest {
    fn from(input: &KpiSeriesInput) -> Self {
        let range = (input.time_range.from.0, input.time_range.to.0);
        let mut question = Self::of(input.grain, range);
        question.kpis.clone_from(&input.kpis);
        question.by.clone_from(&input.dimensions);
        if let Some(filter) = &input.filter {
            question.departments.clone_from(&filter.department_keys);
            question.blueprints.clone_from(&filter.blueprint_keys);
            question.touchpoints.clone_from(&filter.touchpoint_keys);
            question.roles.clone_from(&filter.roles);
            question.stages.clone_from(&filter.stages);
            question.personas.clone_from(&filter.persona_keys);
            question.channels.clone_from(&filter.channel_keys);
            question.segments.clone_from(&filter.segment_keys);
        }
        question
    }
}

/// Asking for series.
#[derive(Default)]
pub struct SeriesQuery;

#[Object]
impl SeriesQuery {
    /// Values of KPIs, put together by period and by what you ask for. A value belongs to the groups of the rows that
    /// it has in `kpiFacts`, and counts once in each. Values by channel or segment are told apart only where that is
    /// asked for; at a touchpoint its own values come before those of the KPI as a whole. A period without a value has
    /// no point. What is not defined is refused with a sentence. A LEAD gets what the rows of the departments that they
    /// lead come to. Requires: PULL_FLAT_ROWS.
    #[graphql(complexity = "page::cost(input.first, child_complexity)")]
    async fn kpi_series(
        &self,
        ctx: &Context<'_>,
        input: KpiSeriesInput,
    ) -> Option<Result<Connection<String, Metered<KpiSeriesPoint>>>> {
        Some(series(ctx, input).await)
    }
}

/// Steps of working out one cell, for an order that looks at all of them.
const CELL: usize = 4;

async fn series(
    ctx: &Context<'_>,
    input: KpiSeriesInput,
) -> Result<Connection<String, Metered<KpiSeriesPoint>>> {
    let caller = caller(ctx)?;
    let cube = ctx
        .data::<BiStore>()
        .map_err(|_| Error::internal("nothing is kept for series"))?;
    let page = Page {
        first: input.first,
        after: input.after.clone(),
    };
    let size = usize::try_from(page.size()?).unwrap_or(usize::MAX);
    let tx = caller.snapshot().await?;
    let answer = answer(caller, cube, &tx, &SeriesRequest::from(&input)).await?;
    tx.commit().await?;
    let after = page
        .after
        .as_deref()
        .map(|after| SeriesCursor::read(&answer, after));
    let (order, after) = (input.order_by, after.transpose()?);
    let answer = Arc::new(answer);
    let sorted = Arc::clone(&answer);
    let work = move |steps: &Steps| {
        steps.take(CELL * sorted.cells())?;
        Ok(order.stops(&sorted, after, size + 1))
    };
    let mut stops = caller.compute(work).await?;
    let more = stops.len() > size;
    stops.truncate(size);
    let mut connection = Connection::new(page.after.is_some(), more);
    connection.edges.extend(stops.iter().map(|stop| {
        let line = answer.line(stop.spot);
        Edge::new(stop.cursor(&line), Metered(KpiSeriesPoint::of(&line)))
    }));
    Ok(connection)
}

/// Where a point stands in an order: by what it is ordered by, and then by its own spot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SeriesCursor {
    by: u64,
    spot: RowIndex,
}

impl SeriesCursor {
    fn cursor(&self, line: &SeriesRow<'_>) -> String {
        let place = line.place().cursor();
        page::encode(&[&self.by.to_be_bytes(), place.as_bytes()])
    }

    /// The first stop behind a cursor, wherever its own point has gone since.
    fn read(answer: &SeriesAnswer, cursor: &str) -> Result<Self> {
        let bytes = page::decode(cursor)?;
        let (by, place) = bytes.split_first_chunk().ok_or_else(page::not_a_cursor)?;
        let place = std::str::from_utf8(place).map_err(|_| page::not_a_cursor())?;
        let place = RowKey::read(&KPI_SERIES, place)?;
        Ok(Self {
            by: u64::from_be_bytes(*by),
            spot: answer.behind(&place),
        })
    }
}

impl KpiSeriesOrder {
    /// So many of the first stops from one on.
    fn stops(
        self,
        answer: &SeriesAnswer,
        from: Option<SeriesCursor>,
        many: usize,
    ) -> Vec<SeriesCursor> {
        let stop = |line: SeriesRow<'_>| SeriesCursor {
            by: self.by(&line),
            spot: line.spot,
        };
        if self == Self::Group {
            let from = from.map_or_else(RowIndex::default, |from| from.spot);
            return answer.lines(from).map(stop).take(many).collect();
        }
        let all = answer.lines(RowIndex::default()).map(stop);
        let mut all: Vec<SeriesCursor> = all
            .filter(|stop| from.is_none_or(|from| *stop >= from))
            .collect();
        if all.len() > many {
            all.select_nth_unstable(many);
            all.truncate(many);
        }
        all.sort_unstable();
        all
    }

    fn by(self, line: &SeriesRow<'_>) -> u64 {
        match self {
            Self::Group => 0,
            Self::Period => count(line.period().begin).unsigned_abs().into(),
            Self::ValueAscending => line.value().map_or(0, ascending),
            Self::ValueDescending => line.value().map_or(u64::MAX, |value| !ascending(value)),
        }
    }
}

/// Numbers in the order of the values, as whole ones.
fn ascending(value: f64) -> u64 {
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
            prop_assert_eq!(ascending(one) < ascending(other), one < other);
        }
    }
}
