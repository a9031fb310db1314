//! `kpi_series`: values put together by period and by what one asks for. Computed from what the cube keeps.

use entity::{
    id::{
        BlueprintId, ChannelId, DepartmentId, Id, KpiId, PersonaId, PhaseId, SegmentId,
        TouchpointId,
    },
    words::{Aggregation, Direction, KpiState, Stage, Unit},
};

use super::{columns, filters, order};
use crate::{
    access::Caller,
    bi::{
        model::dataset::{
            Dataset, RowSource,
            Type::{Boolean, Day, Id as IdOf, Integer, Number, Text as Words, Word},
        },
        model::filter::Filter,
        model::query::DatasetQuery,
        model::value::OwnValue,
        series::{self, RowIndex, SeriesAnswer, SeriesRow},
        source::memory::{ComputedRow, ordered},
        source::row::RowData,
        source::stream::{BATCH, BatchSender},
    },
    compute::Steps,
    database::Transaction,
    error::{Error, Result},
    policy::Action,
};

/// Values put together.
pub static KPI_SERIES: Dataset = Dataset {
    name: "kpi_series",
    description: "What values come to by period and by what is asked for with `by`: LAST is the value of the latest day, \
        AVERAGE counts as many as answered, SUM adds up, RATIO adds up numerators and denominators. A value belongs to \
        the groups of the rows that it has in kpi_facts and counts once in each. Values by channel or segment are told \
        apart only where that is asked for; at a touchpoint its own values come before those of the KPI as a whole. A \
        period without a value has no row. A LEAD gets what the rows of the departments that they lead come to.",
    permission: Action::PullFlatRows,
    needs_days: true,
    counts: true,
    day: Some("period_start"),
    columns: columns![
        row_id: Words, "The row's id: made of its period and what it stands for, so that it is the same in every answer.";
        period_start: Day, "The first day of the period.";
        period_end: Day, "The first day behind the period.";
        is_complete: Boolean, "Whether all days of the period are asked about and have passed.";
        kpi_id empty: IdOf(KpiId::PREFIX), "The KPI; empty where a row is of several.";
        kpi_key empty: Words, "The KPI's key.";
        kpi_name empty: Words, "The KPI's name, as it is today.";
        unit: Word(Unit::texts), "What the value counts. Units never mix.";
        currency empty: Words, "ISO 4217 code, where the unit is CURRENCY.";
        direction: Word(Direction::texts), "Which way is better.";
        aggregation: Word(Aggregation::texts), "How the values came together.";
        department_id empty: IdOf(DepartmentId::PREFIX), "The department, where that is asked for; empty where nobody held a role.";
        department_key empty: Words, "The department's key.";
        department_name empty: Words, "The department's name, as it is today.";
        blueprint_id empty: IdOf(BlueprintId::PREFIX), "The blueprint, where that is asked for.";
        blueprint_key empty: Words, "The blueprint's key.";
        phase_id empty: IdOf(PhaseId::PREFIX), "The phase, where that is asked for.";
        phase_name empty: Words, "The phase's name, as it is today.";
        stage empty: Word(Stage::texts), "The stage, where that is asked for.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX), "The touchpoint, where that is asked for.";
        touchpoint_key empty: Words, "The touchpoint's key.";
        touchpoint_name empty: Words, "The touchpoint's name, as it is today.";
        channel_id empty: IdOf(ChannelId::PREFIX), "The channel, where that is asked for.";
        channel_key empty: Words, "The channel's key.";
        persona_id empty: IdOf(PersonaId::PREFIX), "The main persona of the blueprint, where that is asked for.";
        persona_key empty: Words, "The persona's key.";
        segment_id empty: IdOf(SegmentId::PREFIX), "The segment, where that is asked for.";
        segment_key empty: Words, "The segment's key.";
        value empty: Number, "What the values come to, in the unit; empty where that is not defined: several values on the last day, or shares without their parts.";
        numerator empty: Number, "The numerators, added up; empty where a value has none.";
        denominator empty: Number, "The denominators, added up; empty where a value has none.";
        sample_size empty: Number, "How many answered; empty where that is not known of every value.";
        measurements: Integer, "How many measurements it is made of.";
        target empty: Number, "The target of the period's last day; of a SUM the targets of the days that were measured, added up. Empty where there is none, and where a row is of several KPIs that are not added up.";
        warning empty: Number, "The warning level, in the same way.";
        state: Word(KpiState::texts), "What the value comes to against the target.";
    ],
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
    source: RowSource::Series,
};

/// Hands on the rows, batch after batch.
pub(in crate::bi) async fn each(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
    wanted: &BatchSender,
) -> Result<()> {
    if !query.order.is_empty() {
        let rows = all(caller, tx, query).await?;
        wanted.send(Ok(Some(rows))).await.ok();
        return Ok(());
    }
    let mut pass = SeriesScan::new(answered(caller, tx, query).await?, query);
    loop {
        let (batch, rest) = caller
            .compute(move |steps| Ok((pass.take(BATCH, steps)?, pass)))
            .await?;
        pass = rest;
        if batch.is_empty() || wanted.send(Ok(Some(batch))).await.is_err() {
            return Ok(());
        }
        caller.budget.renew();
    }
}

/// How many rows pass, without making any of them twice or keeping one.
pub(in crate::bi) async fn number(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
) -> Result<u64> {
    let answer = answered(caller, tx, query).await?;
    let query = query.clone();
    let count = move |steps: &Steps| {
        let price = LINE + query.filter.price();
        let every = matches!(&query.filter, Filter::All(all) if all.is_empty());
        let mut rows = 0;
        for line in answer.lines(RowIndex::default()) {
            steps.take(price)?;
            rows += u64::from(every || computed(&line).passes(&query));
        }
        Ok(rows)
    };
    caller.compute(count).await
}

/// Steps of working a line out.
const LINE: usize = 10;

/// All rows at once.
pub(in crate::bi) async fn all(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
) -> Result<Vec<RowData>> {
    let answer = answered(caller, tx, query).await?;
    if query.order.is_empty() {
        let mut pass = SeriesScan::new(answer, query);
        return caller
            .compute(move |steps| pass.take(usize::MAX, steps))
            .await;
    }
    let query = query.clone();
    let order = move |steps: &Steps| {
        let price = LINE * (1 + query.order.len()) + query.filter.price();
        let mut rows = Vec::new();
        for line in answer.lines(RowIndex::default()) {
            steps.take(price)?;
            rows.extend(Some(computed(&line)).filter(|row| row.passes(&query)));
        }
        Ok(ordered(rows, &query))
    };
    caller.compute(order).await
}

async fn answered(caller: &Caller, tx: &Transaction, query: &DatasetQuery) -> Result<SeriesAnswer> {
    let (Some(question), Some(cube)) = (&query.series, &query.cube) else {
        return Err(Error::internal("a series without a question"));
    };
    series::answer(caller, cube, tx, question).await
}

/// A pass over the rows that are asked for, in the dataset's own order.
struct SeriesScan {
    answer: SeriesAnswer,
    query: DatasetQuery,
    next: RowIndex,
    /// Rows that are left out before the first.
    skipped: usize,
    /// Rows that are still to come at the most.
    missing: usize,
}

impl SeriesScan {
    fn new(answer: SeriesAnswer, query: &DatasetQuery) -> Self {
        let after = query.after.as_ref();
        Self {
            next: after.map_or_else(RowIndex::default, |after| answer.behind(after)),
            skipped: usize::try_from(query.offset.unwrap_or_default()).unwrap_or(usize::MAX),
            missing: usize::try_from(query.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX),
            query: query.clone(),
            answer,
        }
    }

    /// The next rows, so many at the most; none at the end.
    fn take(&mut self, most: usize, steps: &Steps) -> Result<Vec<RowData>> {
        let price = LINE + self.query.filter.price();
        let most = most.min(self.missing);
        let (mut rows, mut last) = (Vec::new(), None);
        for line in self.answer.lines(self.next) {
            if rows.len() == most {
                break;
            }
            steps.take(price)?;
            last = Some(line.spot);
            let row = computed(&line);
            if !row.passes(&self.query) {
                continue;
            }
            match self.skipped.checked_sub(1) {
                Some(skipped) => self.skipped = skipped,
                None => rows.push(row.chosen(&self.query)),
            }
        }
        if let Some(last) = last {
            self.next = self.answer.behind(&self.answer.line(last).place());
        }
        self.missing -= rows.len();
        Ok(rows)
    }
}

fn computed(line: &SeriesRow<'_>) -> ComputedRow {
    ComputedRow {
        cells: cells(line),
        place: line.place(),
    }
}

fn cells(line: &SeriesRow<'_>) -> Vec<OwnValue> {
    let text =
        |text: Option<&str>| text.map_or(OwnValue::Empty, |text| OwnValue::Text(text.to_owned()));
    let number = |number: Option<f64>| number.map_or(OwnValue::Empty, OwnValue::Number);
    let (period, like, kpi) = (line.period(), line.like(), line.kpi());
    let (journey, phase, touchpoint) = (line.journey(), line.phase(), line.touchpoint());
    let (department, channel) = (line.department(), line.channel());
    let (persona, segment) = (line.persona(), line.segment());
    let (parts, target) = (line.parts(), line.target());
    vec![
        OwnValue::Text(line.row_id()),
        OwnValue::Day(period.begin),
        OwnValue::Day(period.end),
        OwnValue::Boolean(line.is_complete()),
        OwnValue::id(kpi.map(|kpi| kpi.id)),
        text(kpi.map(|kpi| &*kpi.key)),
        text(kpi.map(|kpi| &*kpi.name)),
        text(Some(like.unit.as_str())),
        text(like.currency.as_deref()),
        text(Some(like.direction.as_str())),
        text(Some(like.aggregation.as_str())),
        OwnValue::id(department.map(|one| one.id)),
        text(department.map(|one| one.key)),
        text(department.map(|one| one.name)),
        OwnValue::id(journey.map(|journey| journey.id)),
        text(journey.map(|journey| &*journey.key)),
        OwnValue::id(phase.map(|phase| phase.id)),
        text(phase.map(|phase| &*phase.name)),
        text(line.stage().map(Stage::as_str)),
        OwnValue::id(touchpoint.map(|touchpoint| touchpoint.id)),
        text(touchpoint.map(|touchpoint| &*touchpoint.key)),
        text(touchpoint.map(|touchpoint| &*touchpoint.name)),
        OwnValue::id(channel.map(|one| one.id)),
        text(channel.map(|one| one.key)),
        OwnValue::id(persona.map(|one| one.id)),
        text(persona.map(|one| one.key)),
        OwnValue::id(segment.map(|one| one.id)),
        text(segment.map(|one| one.key)),
        number(line.value()),
        number(parts.map(|parts| parts.0)),
        number(parts.map(|parts| parts.1)),
        // Counts of answers lie far below 2⁵³: exact.
        number(line.sample_size().map(|size| size as f64)),
        i32::try_from(line.measurements()).map_or(OwnValue::Empty, OwnValue::Integer),
        number(target.map(|target| target.0)),
        number(target.and_then(|target| target.1)),
        text(Some(line.state().as_str())),
    ]
}
