//! Answers a request: one snapshot, the values KPI by KPI, and the rows of the series in order.

use std::sync::Arc;

use chrono::NaiveDate;
use entity::{
    id::{ChannelId, DepartmentId, Id, KpiId, PersonaId, SegmentId},
    kpi,
    words::{Aggregation, KpiState, Stage},
};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{
    context::{self, SeriesContext, SeriesPlaceForCaller},
    contributions::ContributionCollector,
    group_key::{GroupKey, KeyLayout},
    request::{Dimension, SeriesRequest},
    totals::GroupTotals,
    validate,
};
use crate::{
    access::Caller,
    bi::{
        cache::{
            BiCache,
            kpi_values::{KpiValues, SeriesPlace},
            topology::{DayNumberRange, TopologyPhase, TopologyTouchpoint},
        },
        journeys::JourneyWithTopology,
        model::cursor::{RowKey, RowKeyPart},
        names::NamedEntity,
        scope::ReaderScope,
        source::reader::ReadContext,
    },
    compute::WorkBudget,
    database::Transaction,
    error::{Error, Result},
    judgement::{
        KpiPart, TargetLevels, add_levels,
        aggregate::{Aggregate, AggregationRule},
        period::{Grain, Period, day_number, split_into_periods},
        period_law::PeriodLaw,
        target_levels,
    },
    policy::Action,
};

/// How many KPIs are read at once.
const AT_ONCE: usize = 200;

/// Compute steps of one KPI, besides its values and its contributions.
const KPI: usize = 20;

/// A computed series: its rows are sorted by group and then by period, and worked out one by one.
pub struct SeriesAnswer {
    context: Arc<SeriesContext>,
    keys: Arc<KeyLayout>,
    sums: GroupTotals,
    periods: Vec<Period>,
    today: NaiveDate,
}

/// Index of a series row: group, then period. Rows sort by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesRowPosition {
    group: usize,
    period: usize,
}

/// One row of a series: a group in a period, with the sum of its values.
pub struct SeriesRow<'a> {
    answer: &'a SeriesAnswer,
    pub index: SeriesRowPosition,
    key: GroupKey,
    sum: Aggregate,
}

/// Answers a request from the snapshot of the transaction.
///
/// # Errors
/// The request is at fault, has no defined value, or comes to more than [`MOST_CELLS`](super::request::MOST_CELLS).
pub async fn answer_request(
    caller: &Caller,
    cache: &BiCache,
    tx: &Transaction,
    request: &SeriesRequest,
) -> Result<SeriesAnswer> {
    let (scope, kpis) = load_answerable_kpis(caller, tx, request).await?;
    let read = ReadContext { caller, tx };
    let context = context::load_series_context(read, cache, &scope, request, kpis).await?;
    // At most MOST_DAYS periods: `validate` has bounded the days.
    let periods = split_into_periods(request.grain, (request.from, request.to));
    let keys = Arc::new(KeyLayout::new(request, &context)?);
    let context = Arc::new(context);
    // Everything is read before anything is computed: the work goes to a thread that has no connection.
    let known = load_values_with_origins(read, cache, request, &context).await?;
    let days: Vec<DayNumberRange> = periods
        .iter()
        .map(|period| day_number(period.from)..day_number(period.to))
        .collect();
    let work = {
        let (context, keys, request) = (Arc::clone(&context), Arc::clone(&keys), request.clone());
        move |steps: &WorkBudget| sum_contributions(&context, &keys, &request, days, &known, steps)
    };
    let sums = caller.run_on_compute_pool(work).await?;
    Ok(SeriesAnswer {
        context,
        keys,
        sums,
        periods,
        today: caller.today,
    })
}

/// Refuses what a request and its KPIs are at fault for, without computing anything.
///
/// # Errors
/// As for an answer, but for what only values tell.
pub async fn refuse_unanswerable(
    caller: &Caller,
    tx: &Transaction,
    request: &SeriesRequest,
) -> Result<()> {
    load_answerable_kpis(caller, tx, request).await?;
    Ok(())
}

/// What of the database the caller reads, and the KPIs that are asked for.
async fn load_answerable_kpis<'c>(
    caller: &'c Caller,
    tx: &Transaction,
    request: &SeriesRequest,
) -> Result<(ReaderScope<'c>, Vec<kpi::Model>)> {
    caller.require_reach(Action::PullFlatRows)?;
    require_no_faults(validate::request_faults(request))?;
    let scope = ReaderScope::for_caller(caller, tx.get_database_backend())
        .including_drafts(request.include_drafts);
    let kpis = context::load_visible_requested_kpis(tx, &scope, request).await?;
    require_no_faults(validate::kpi_faults(request, &kpis))?;
    Ok((scope, kpis))
}

fn require_no_faults(faults: Vec<String>) -> Result<()> {
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Error::BadInput(faults.join(" "))),
    }
}

/// The values of one KPI, and the origin of each of its time series.
type ValuesWithOrigins = (Arc<KpiValues>, Vec<SeriesPlaceForCaller>);

/// Reads the values of each of the KPIs from the cache.
async fn load_values_with_origins(
    read: ReadContext<'_>,
    cache: &BiCache,
    request: &SeriesRequest,
    context: &SeriesContext,
) -> Result<Vec<ValuesWithOrigins>> {
    let wanted: Vec<(KpiId, i32)> = context
        .kpis
        .iter()
        .map(|kpi| (kpi.id, kpi.series_revision))
        .collect();
    let mut known = Vec::with_capacity(wanted.len());
    for wanted in wanted.chunks(AT_ONCE) {
        let all = cache.load_kpi_values(read.tx, wanted).await?;
        let origins = context.load_origins(read, request, &all).await?;
        known.extend(all.into_iter().zip(origins));
    }
    Ok(known)
}

/// Finds the contributions of every KPI and groups them.
fn sum_contributions(
    context: &SeriesContext,
    keys: &KeyLayout,
    request: &SeriesRequest,
    days: Vec<DayNumberRange>,
    known: &[ValuesWithOrigins],
    steps: &WorkBudget,
) -> Result<GroupTotals> {
    let mut collected = ContributionCollector::new(context, keys, request, &days);
    let mut unmeasured = KpisUnmeasuredByDimension::default();
    for (kpi, (measured, origins)) in known.iter().enumerate() {
        // What a KPI adds is known only afterwards, so its steps are charged after it: the excess is that of one
        // KPI.
        let before = collected.contributions.len();
        unmeasured.record_if_unmeasured(request, kpi, measured, origins);
        collected.add_kpi(kpi, measured, origins);
        steps.spend(KPI + measured.value_count() + collected.contributions.len() - before)?;
    }
    // A question that was never measured is refused rather than answered with nothing, which would read as zero.
    require_no_faults(unmeasured.faults(context))?;
    let ContributionCollector {
        series,
        contributions,
        ..
    } = collected;
    steps.spend(contributions.len())?;
    GroupTotals::new(days, series, contributions)
}

/// The KPIs that were never measured by a dimension that is asked for.
#[derive(Default)]
struct KpisUnmeasuredByDimension {
    by_channel: Vec<usize>,
    by_segment: Vec<usize>,
}

impl KpisUnmeasuredByDimension {
    fn record_if_unmeasured(
        &mut self,
        request: &SeriesRequest,
        kpi: usize,
        measured: &KpiValues,
        origins: &[SeriesPlaceForCaller],
    ) {
        let never = |dimension: Dimension, has: fn(&SeriesPlace) -> bool| {
            let mut series = measured.series.iter().zip(origins);
            request.groups_by(dimension)
                && !series.any(|((series_place, _), origin)| {
                    *origin != SeriesPlaceForCaller::Hidden && has(series_place)
                })
        };
        if never(Dimension::Channel, |key| key.channel.is_some()) {
            self.by_channel.push(kpi);
        }
        if never(Dimension::Segment, |key| key.segment.is_some()) {
            self.by_segment.push(kpi);
        }
    }

    fn faults(&self, context: &SeriesContext) -> Vec<String> {
        let fault = |dimension, kpis: &[usize]| {
            validate::unmeasured_fault(dimension, kpis.iter().map(|at| &context.kpis[*at]))
        };
        [
            fault(Dimension::Channel, &self.by_channel),
            fault(Dimension::Segment, &self.by_segment),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl SeriesAnswer {
    /// The number of groups times periods, which is the most rows there can be.
    #[must_use]
    pub fn cell_count(&self) -> usize {
        self.sums.group_count() * self.periods.len()
    }

    /// The rows from an index on, each worked out as it is taken. Cells without a value give none.
    pub fn rows(&self, from: SeriesRowPosition) -> impl Iterator<Item = SeriesRow<'_>> {
        let indices = (from.group..self.sums.group_count()).flat_map(move |group| {
            let first = if group == from.group { from.period } else { 0 };
            (first..self.periods.len()).map(move |period| SeriesRowPosition { group, period })
        });
        let rows = indices.map(|index| self.row(index));
        rows.filter(|row| row.sum.values > 0)
    }

    /// The row at this index.
    #[must_use]
    pub fn row(&self, index: SeriesRowPosition) -> SeriesRow<'_> {
        SeriesRow {
            answer: self,
            index,
            key: self.sums.key(index.group),
            sum: self.sums.sum(index.group, index.period),
        }
    }

    /// The first index after a key, whether there is a row at it or not.
    #[must_use]
    pub fn first_index_after(&self, after: &RowKey) -> SeriesRowPosition {
        let is_before = |key, period: &Period| self.row_key(key, period) <= *after;
        let groups = self
            .sums
            .count_groups_before(|key| is_before(key, &self.periods[0]));
        let next = SeriesRowPosition {
            group: groups,
            period: 0,
        };
        // The last group that begins at the place or before it may go on after it.
        let Some(group) = groups.checked_sub(1) else {
            return next;
        };
        let key = self.sums.key(group);
        let period = self
            .periods
            .partition_point(|period| is_before(key, period));
        match period < self.periods.len() {
            true => SeriesRowPosition { group, period },
            false => next,
        }
    }

    fn row_key(&self, key: GroupKey, period: &Period) -> RowKey {
        let ids = Dimension::ALL.map(|dimension| RowKeyPart::Id(self.dimension_id(key, dimension)));
        let day = RowKeyPart::Day(period.begin);
        RowKey(ids.into_iter().chain([day]).collect())
    }

    /// The id that a group has in a dimension, nil where it has none. Ranks differ from answer to answer; ids do not,
    /// so a cursor holds these.
    fn dimension_id(&self, key: GroupKey, dimension: Dimension) -> Uuid {
        let of = |rank: usize| {
            let context = &self.context;
            Some(match dimension {
                Dimension::Kpi => context.kpis.get(rank)?.id.uuid(),
                Dimension::Department => context.names.departments.by_rank(rank)?.id.uuid(),
                Dimension::Blueprint => context.journeys.get(rank)?.id.uuid(),
                Dimension::Phase => {
                    let (journey, at) = self.keys.phase_indices(key)?;
                    context.journeys[journey].topology.phases[at].id.uuid()
                }
                // Stages have no ids: their ranks stand in, from 1 on, since nil stands for none.
                Dimension::Stage => Uuid::from_u128(rank as u128 + 1),
                Dimension::Touchpoint => {
                    let (journey, at) = self.keys.touchpoint_indices(key)?;
                    context.journeys[journey].topology.touchpoints[at].id.uuid()
                }
                Dimension::Channel => context.names.channels.by_rank(rank)?.id.uuid(),
                Dimension::Persona => context.names.personas.by_rank(rank)?.id.uuid(),
                Dimension::Segment => context.names.segments.by_rank(rank)?.id.uuid(),
            })
        };
        self.keys
            .rank(key, dimension)
            .and_then(of)
            .unwrap_or_default()
    }
}

impl<'a> SeriesRow<'a> {
    fn rank(&self, dimension: Dimension) -> Option<usize> {
        self.answer.keys.rank(self.key, dimension)
    }

    pub fn period(&self) -> Period {
        self.answer.periods[self.index.period]
    }

    /// Whether all days of the period are asked about, and none is later than today.
    pub fn is_complete(&self) -> bool {
        self.period().is_complete(self.answer.today)
    }

    /// The KPI, where the row is of one alone.
    pub fn kpi(&self) -> Option<&'a kpi::Model> {
        self.only_kpi_index()
            .map(|at| &self.answer.context.kpis[at])
    }

    /// The index of its KPI, where it is of one alone.
    fn only_kpi_index(&self) -> Option<usize> {
        let alone = || (self.answer.context.kpis.len() == 1).then_some(0);
        self.rank(Dimension::Kpi).or_else(alone)
    }

    /// One of its KPIs: all KPIs of a row are alike in unit, direction and aggregation.
    pub fn representative_kpi(&self) -> &'a kpi::Model {
        &self.answer.context.kpis[self.only_kpi_index().unwrap_or_default()]
    }

    /// The department, where that is asked for.
    pub fn department(&self) -> Option<NamedEntity<'a, DepartmentId>> {
        let rank = self.rank(Dimension::Department)?;
        self.answer.context.names.departments.by_rank(rank)
    }

    /// The blueprint, where that is asked for.
    pub fn journey(&self) -> Option<&'a JourneyWithTopology> {
        let rank = self.rank(Dimension::Blueprint)?;
        self.answer.context.journeys.get(rank)
    }

    /// The phase, where that is asked for.
    pub fn phase(&self) -> Option<&'a TopologyPhase> {
        let (journey, at) = self.answer.keys.phase_indices(self.key)?;
        self.answer.context.journeys[journey]
            .topology
            .phases
            .get(at)
    }

    /// The stage, where that is asked for.
    pub fn stage(&self) -> Option<Stage> {
        let rank = self.rank(Dimension::Stage)?;
        Stage::ALL.get(rank).copied()
    }

    /// The touchpoint, where that is asked for.
    pub fn touchpoint(&self) -> Option<&'a TopologyTouchpoint> {
        let (journey, at) = self.answer.keys.touchpoint_indices(self.key)?;
        self.answer.context.journeys[journey]
            .topology
            .touchpoints
            .get(at)
    }

    /// The channel, where that is asked for.
    pub fn channel(&self) -> Option<NamedEntity<'a, ChannelId>> {
        let rank = self.rank(Dimension::Channel)?;
        self.answer.context.names.channels.by_rank(rank)
    }

    /// The main persona, where that is asked for.
    pub fn persona(&self) -> Option<NamedEntity<'a, PersonaId>> {
        let rank = self.rank(Dimension::Persona)?;
        self.answer.context.names.personas.by_rank(rank)
    }

    /// The segment, where that is asked for.
    pub fn segment(&self) -> Option<NamedEntity<'a, SegmentId>> {
        let rank = self.rank(Dimension::Segment)?;
        self.answer.context.names.segments.by_rank(rank)
    }

    fn rule(&self) -> AggregationRule {
        self.representative_kpi().into()
    }

    /// The aggregated value; none where it is not defined.
    pub fn value(&self) -> Option<f64> {
        self.sum.value(&self.rule())
    }

    /// Numerators and denominators, each added up; nothing where a value has none.
    pub fn numerator_and_denominator(&self) -> Option<(f64, f64)> {
        self.sum.numerator_and_denominator()
    }

    /// How many answered; nothing where that is not known of every value.
    pub fn sample_size(&self) -> Option<i64> {
        self.sum.sample_size()
    }

    /// How many measurements it is made of.
    pub fn measurement_count(&self) -> u32 {
        self.sum.values
    }

    /// The target of a period is that of its last day that is asked about and has come; that of a sum over several
    /// periods of the cadence is the sum of theirs. Several KPIs have none in common, unless they are added up.
    pub fn target(&self) -> Option<TargetLevels> {
        let (rule, part) = (self.rule(), self.part());
        let until = self.period().last_day_until(self.answer.today);
        match (rule.aggregation, self.only_kpi_index()) {
            (Aggregation::Sum, Some(kpi)) => self.target_of_sum(kpi, part, until),
            (Aggregation::Sum, None) => {
                let index = self.index;
                let kpis = self.answer.sums.kpis_in_cell(index.group, index.period);
                let targets = kpis
                    .into_iter()
                    .map(|kpi| self.target_of_sum(kpi, part, until));
                add_levels(targets)
            }
            (_, Some(kpi)) => {
                let targets = &self.answer.context.targets[kpi];
                target_levels(targets.of_part(part, until, rule.adds_parts())?)
            }
            (_, None) => None,
        }
    }

    fn target_of_sum(&self, kpi: usize, part: KpiPart, until: NaiveDate) -> Option<TargetLevels> {
        let context = &self.answer.context;
        let cadence = Grain::finest_for(context.kpis[kpi].cadence);
        context.targets[kpi].sum_of_periods(part, cadence, &self.period(), until)
    }

    /// The channel and segment of which its values are.
    fn part(&self) -> KpiPart {
        let filtered = self.answer.context.filtered_part();
        KpiPart {
            channel: self
                .channel()
                .map(|channel| channel.id)
                .or(filtered.channel),
            segment: self
                .segment()
                .map(|segment| segment.id)
                .or(filtered.segment),
        }
    }

    /// What the value comes to against the target. What several KPIs need to be judged is not asked of their sum.
    pub fn state(&self) -> KpiState {
        let mut law = PeriodLaw::from(self.representative_kpi());
        if self.only_kpi_index().is_none() {
            law.minimum_sample = 0.0;
        }
        law.state(&self.sum, self.target(), !self.is_complete())
    }

    /// Its key: the ids of its dimensions, and the period.
    pub fn row_key(&self) -> RowKey {
        self.answer.row_key(self.key, &self.period())
    }

    /// Its id: made of its period and the ids of what it stands for.
    pub fn row_id(&self) -> String {
        let mut id = self.period().begin.to_string();
        for dimension in Dimension::ALL {
            if self.rank(dimension).is_none() {
                continue;
            }
            match (dimension.prefix(), self.stage()) {
                (Some(prefix), _) => {
                    let part = self.answer.dimension_id(self.key, dimension);
                    id.push_str(&format!(".{prefix}_{}", part.simple()));
                }
                (None, Some(stage)) => id.push_str(&format!(".{}", stage.as_str())),
                (None, None) => {}
            }
        }
        id
    }
}
