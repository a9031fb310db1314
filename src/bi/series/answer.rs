//! Answers a question: one snapshot, the values KPI by KPI, and the lines of the series in order.

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
    aggregate::{Aggregate, Target},
    context::{self, SeriesContext, SeriesOrigin},
    contributions::Contributions,
    group_key::{GroupKey, KeyLayout},
    period::{Period, periods},
    request::{Dimension, SeriesRequest},
    totals::GroupTotals,
    validate,
};
use crate::bi::model::days::MOST_DAYS;
use crate::{
    access::Caller,
    bi::{
        journeys::Journey,
        model::cursor::{RowKey, RowKeyPart},
        names::NamedEntity,
        scope::Scope,
        store::{
            BiStore,
            kpi_columns::{KpiColumns, SeriesKey, count},
            topology::{Days, TopologyPhase, TopologyTouchpoint},
        },
    },
    compute::Steps,
    database::Transaction,
    error::{Error, Result},
    judgement,
    kpi::rules::Measure,
    policy::Action,
};

/// How many KPIs are read at once.
const AT_ONCE: usize = 200;

/// Steps of one KPI, besides its values and its shares.
const KPI: usize = 20;

/// A series: its lines are in the order of what they stand for and of their periods, and worked out one by one.
pub struct SeriesAnswer {
    given: Arc<SeriesContext>,
    keys: Arc<KeyLayout>,
    sums: GroupTotals,
    periods: Vec<Period>,
    today: NaiveDate,
}

/// Where a line stands. Lines come in the order of this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowIndex {
    group: usize,
    period: usize,
}

/// One line of a series.
pub struct SeriesRow<'a> {
    answer: &'a SeriesAnswer,
    pub spot: RowIndex,
    key: GroupKey,
    sum: Aggregate,
}

/// Answers a question from one moment of the truth.
pub async fn answer(
    caller: &Caller,
    cube: &BiStore,
    tx: &Transaction,
    question: &SeriesRequest,
) -> Result<SeriesAnswer> {
    caller.require_somewhere(Action::PullFlatRows)?;
    refused(validate::faults(question))?;
    let scope = Scope::of(caller, tx.get_database_backend()).with_uncounted(question.uncounted);
    let kpis = context::kpis(tx, &scope, question).await?;
    refused(validate::undefined(question, &kpis))?;
    let given = context::given(caller, cube, tx, (&scope, question), kpis).await?;
    let periods = periods(question.grain, (question.from, question.to), MOST_DAYS + 1);
    let keys = Arc::new(KeyLayout::new(question, &given)?);
    let given = Arc::new(given);
    let known = known((caller, cube), tx, &given).await?;
    let days: Vec<Days> = periods
        .iter()
        .map(|period| count(period.from)..count(period.to))
        .collect();
    let work = {
        let (given, keys, question) = (Arc::clone(&given), Arc::clone(&keys), question.clone());
        move |steps: &Steps| summed((&given, &keys), &question, (days, &known), steps)
    };
    let sums = caller.compute(work).await?;
    Ok(SeriesAnswer {
        given,
        keys,
        sums,
        periods,
        today: caller.today,
    })
}

fn refused(faults: Vec<String>) -> Result<()> {
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Error::BadInput(faults.join(" "))),
    }
}

/// The values of one KPI, and where each of its lines was measured.
type Known = (Arc<KpiColumns>, Vec<SeriesOrigin>);

/// What was measured of each of the KPIs.
async fn known(
    (caller, cube): (&Caller, &BiStore),
    tx: &Transaction,
    given: &SeriesContext,
) -> Result<Vec<Known>> {
    let wanted: Vec<(KpiId, i32)> = given
        .kpis
        .iter()
        .map(|kpi| (kpi.id, kpi.series_revision))
        .collect();
    let mut known = Vec::with_capacity(wanted.len());
    for wanted in wanted.chunks(AT_ONCE) {
        let all = cube.measured(tx, wanted).await?;
        let seen = given.seen(caller, tx, &all).await?;
        known.extend(all.into_iter().zip(seen));
    }
    Ok(known)
}

/// Adds up what belongs to each group in each period.
fn summed(
    (given, keys): (&SeriesContext, &KeyLayout),
    question: &SeriesRequest,
    (days, known): (Vec<Days>, &[Known]),
    steps: &Steps,
) -> Result<GroupTotals> {
    let mut shares = Contributions::new(given, keys, question, &days);
    let mut unmeasured = Unmeasured::default();
    for (kpi, (measured, seen)) in known.iter().enumerate() {
        let shared = shares.shares.len();
        unmeasured.look(question, kpi, (measured, seen));
        shares.add(kpi, measured, seen);
        steps.take(KPI + measured.values() + shares.shares.len() - shared)?;
    }
    refused(unmeasured.faults(given))?;
    let Contributions { series, shares, .. } = shares;
    steps.take(shares.len())?;
    GroupTotals::of(days, series, shares)
}

/// The KPIs that were never measured by a dimension that is asked for.
#[derive(Default)]
struct Unmeasured {
    by_channel: Vec<usize>,
    by_segment: Vec<usize>,
}

impl Unmeasured {
    fn look(
        &mut self,
        question: &SeriesRequest,
        kpi: usize,
        (measured, seen): (&KpiColumns, &[SeriesOrigin]),
    ) {
        let never = |dimension: Dimension, has: fn(&SeriesKey) -> bool| {
            let mut lines = measured.lines.iter().zip(seen);
            question.is_by(dimension)
                && !lines.any(|((point, _), seen)| *seen != SeriesOrigin::Hidden && has(point))
        };
        if never(Dimension::Channel, |point| point.channel.is_some()) {
            self.by_channel.push(kpi);
        }
        if never(Dimension::Segment, |point| point.segment.is_some()) {
            self.by_segment.push(kpi);
        }
    }

    fn faults(&self, given: &SeriesContext) -> Vec<String> {
        let fault = |dimension, kpis: &[usize]| {
            validate::not_measured_by(dimension, kpis.iter().map(|at| &given.kpis[*at]))
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
    /// Groups and periods that lines may stand in.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.sums.groups() * self.periods.len()
    }

    /// The lines from a spot on, each worked out as it is taken.
    pub fn lines(&self, from: RowIndex) -> impl Iterator<Item = SeriesRow<'_>> {
        let spots = (from.group..self.sums.groups()).flat_map(move |group| {
            let first = if group == from.group { from.period } else { 0 };
            (first..self.periods.len()).map(move |period| RowIndex { group, period })
        });
        let lines = spots.map(|spot| self.line(spot));
        lines.filter(|line| line.sum.values > 0)
    }

    /// The line in this spot.
    #[must_use]
    pub fn line(&self, spot: RowIndex) -> SeriesRow<'_> {
        let targets = &self.given.targets;
        SeriesRow {
            answer: self,
            spot,
            key: self.sums.key(spot.group),
            sum: self.sums.sum(spot.group, spot.period, targets),
        }
    }

    /// The first spot behind a place, whether a line stands there or not.
    #[must_use]
    pub fn behind(&self, place: &RowKey) -> RowIndex {
        let is_before = |key, period: &Period| self.place(key, period) <= *place;
        let groups = self.sums.before(|key| is_before(key, &self.periods[0]));
        let next = RowIndex {
            group: groups,
            period: 0,
        };
        // The last group that begins at the place or before it may go on behind it.
        let Some(group) = groups.checked_sub(1) else {
            return next;
        };
        let key = self.sums.key(group);
        let period = self
            .periods
            .partition_point(|period| is_before(key, period));
        match period < self.periods.len() {
            true => RowIndex { group, period },
            false => next,
        }
    }

    fn place(&self, key: GroupKey, period: &Period) -> RowKey {
        let ids = Dimension::ALL.map(|dimension| RowKeyPart::Id(self.id(key, dimension)));
        let day = RowKeyPart::Day(period.begin);
        RowKey(ids.into_iter().chain([day]).collect())
    }

    /// What a key stands for in a dimension, by an id that does not depend on the answer: of nothing, the first of all.
    fn id(&self, key: GroupKey, dimension: Dimension) -> Uuid {
        let of = |rank: usize| {
            let given = &self.given;
            Some(match dimension {
                Dimension::Kpi => given.kpis.get(rank)?.id.uuid(),
                Dimension::Department => given.names.departments.at(rank)?.id.uuid(),
                Dimension::Blueprint => given.journeys.get(rank)?.id.uuid(),
                Dimension::Phase => {
                    let (journey, at) = self.keys.phase(key)?;
                    given.journeys[journey].places.phases[at].id.uuid()
                }
                Dimension::Stage => Uuid::from_u128(rank as u128 + 1),
                Dimension::Touchpoint => {
                    let (journey, at) = self.keys.touchpoint(key)?;
                    given.journeys[journey].places.touchpoints[at].id.uuid()
                }
                Dimension::Channel => given.names.channels.at(rank)?.id.uuid(),
                Dimension::Persona => given.names.personas.at(rank)?.id.uuid(),
                Dimension::Segment => given.names.segments.at(rank)?.id.uuid(),
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
        self.answer.periods[self.spot.period]
    }

    /// Whether all days of the period are asked about and have passed.
    pub fn is_complete(&self) -> bool {
        self.period().is_complete(self.answer.today)
    }

    /// The KPI, where the line is of one alone.
    pub fn kpi(&self) -> Option<&'a kpi::Model> {
        self.only().map(|at| &self.answer.given.kpis[at])
    }

    /// Which KPI it is of, if it is of one alone.
    fn only(&self) -> Option<usize> {
        let alone = || (self.answer.given.kpis.len() == 1).then_some(0);
        self.rank(Dimension::Kpi).or_else(alone)
    }

    /// One of the KPIs that it is of: all of one line are alike in unit, direction and aggregation.
    pub fn like(&self) -> &'a kpi::Model {
        &self.answer.given.kpis[self.only().unwrap_or_default()]
    }

    /// The department, where that is asked for.
    pub fn department(&self) -> Option<NamedEntity<'a, DepartmentId>> {
        let rank = self.rank(Dimension::Department)?;
        self.answer.given.names.departments.at(rank)
    }

    /// The blueprint, where that is asked for.
    pub fn journey(&self) -> Option<&'a Journey> {
        let rank = self.rank(Dimension::Blueprint)?;
        self.answer.given.journeys.get(rank)
    }

    /// The phase, where that is asked for.
    pub fn phase(&self) -> Option<&'a TopologyPhase> {
        let (journey, at) = self.answer.keys.phase(self.key)?;
        self.answer.given.journeys[journey].places.phases.get(at)
    }

    /// The stage, where that is asked for.
    pub fn stage(&self) -> Option<Stage> {
        let rank = self.rank(Dimension::Stage)?;
        Stage::ALL.get(rank).copied()
    }

    /// The touchpoint, where that is asked for.
    pub fn touchpoint(&self) -> Option<&'a TopologyTouchpoint> {
        let (journey, at) = self.answer.keys.touchpoint(self.key)?;
        self.answer.given.journeys[journey]
            .places
            .touchpoints
            .get(at)
    }

    /// The channel, where that is asked for.
    pub fn channel(&self) -> Option<NamedEntity<'a, ChannelId>> {
        let rank = self.rank(Dimension::Channel)?;
        self.answer.given.names.channels.at(rank)
    }

    /// The main persona, where that is asked for.
    pub fn persona(&self) -> Option<NamedEntity<'a, PersonaId>> {
        let rank = self.rank(Dimension::Persona)?;
        self.answer.given.names.personas.at(rank)
    }

    /// The segment, where that is asked for.
    pub fn segment(&self) -> Option<NamedEntity<'a, SegmentId>> {
        let rank = self.rank(Dimension::Segment)?;
        self.answer.given.names.segments.at(rank)
    }

    /// What the values come to; nothing where that is not defined.
    pub fn value(&self) -> Option<f64> {
        let like = self.like();
        self.sum
            .value(like.aggregation, Measure::from(like).ratio_scale())
    }

    /// Numerators and denominators, each added up; nothing where a value has none.
    pub fn parts(&self) -> Option<(f64, f64)> {
        self.sum.parts()
    }

    /// How many answered; nothing where that is not known of every value.
    pub fn sample_size(&self) -> Option<i64> {
        self.sum.sample_size()
    }

    /// How many measurements it is made of.
    pub fn measurements(&self) -> u32 {
        self.sum.values
    }

    /// The target of a period is that of its end; that of a sum is the sum of those of the days that were measured.
    /// Several KPIs have none in common, unless they are added up.
    pub fn target(&self) -> Option<Target> {
        match (self.like().aggregation, self.only()) {
            (Aggregation::Sum, _) => self.sum.due.target(),
            (_, Some(kpi)) => self.answer.given.targets[kpi].on(count(self.period().end) - 1),
            (_, None) => None,
        }
    }

    /// What the value comes to against the target.
    pub fn state(&self) -> KpiState {
        judgement::state(self.like().direction, self.value(), self.target())
    }

    /// Its place in the order of lines.
    pub fn place(&self) -> RowKey {
        self.answer.place(self.key, &self.period())
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
                    let part = self.answer.id(self.key, dimension);
                    id.push_str(&format!(".{prefix}_{}", part.simple()));
                }
                (None, Some(stage)) => id.push_str(&format!(".{}", stage.as_str())),
                (None, None) => {}
            }
        }
        id
    }
}
