//! Answers a question: one snapshot, the values KPI by KPI, and the lines of the series in order.

use std::{collections::HashMap, hash::Hash};

use chrono::NaiveDate;
use entity::{
    channel, department,
    id::{ChannelId, DepartmentId, KpiId, PersonaId, SegmentId},
    kpi, persona, segment,
    words::{Aggregation, KpiState, Stage},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    TryGetable, Value,
};
use uuid::Uuid;

use super::{
    Dimension, MOST_DAYS, Question,
    given::{self, Given, Journey},
    group::{Groups, Key, Keys, NONE, Numbered},
    period::{Period, periods},
    refuse,
    sum::Sums,
    tally::{Tally, Target},
};
use crate::{
    access::Caller,
    bi::{
        cube::{
            Cube,
            values::{Measured, Point, count},
        },
        query::{At, Place},
        scope::Scope,
    },
    error::{Error, Result},
    kpi::rules::{self, Measure},
    policy::Action,
};

/// How many KPIs are in memory at the same time, besides what is kept.
const AT_ONCE: usize = 100;

/// The lines of a series, in the order of what they stand for and of their periods.
pub struct Answer {
    given: Given,
    keys: Keys,
    groups: Groups,
    periods: Vec<Period>,
    today: NaiveDate,
    names: Names,
    lines: Vec<Held>,
}

/// One line, as it is held: which group in which period.
#[derive(Clone, Copy)]
struct Held {
    group: usize,
    period: usize,
}

/// Keys and names of what stands in few tables of few rows.
#[derive(Default)]
struct Names {
    departments: HashMap<DepartmentId, (String, String)>,
    channels: HashMap<ChannelId, (String, String)>,
    personas: HashMap<PersonaId, (String, String)>,
    segments: HashMap<SegmentId, (String, String)>,
}

/// What is called how.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a, I> {
    pub id: I,
    pub key: &'a str,
    pub name: &'a str,
}

/// One line of a series.
pub struct Line<'a> {
    pub period: Period,
    pub is_complete: bool,
    /// The KPI, where the line is of one alone.
    pub kpi: Option<&'a kpi::Model>,
    /// One of the KPIs that it is of: all of one line are alike in unit, direction and aggregation.
    pub like: &'a kpi::Model,
    pub department: Option<Named<'a, DepartmentId>>,
    pub journey: Option<&'a Journey>,
    pub phase: Option<(&'a Journey, usize)>,
    pub stage: Option<Stage>,
    pub touchpoint: Option<(&'a Journey, usize)>,
    pub channel: Option<Named<'a, ChannelId>>,
    pub persona: Option<Named<'a, PersonaId>>,
    pub segment: Option<Named<'a, SegmentId>>,
    /// What the values come to; nothing where that is not defined.
    pub value: Option<f64>,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    pub sample_size: Option<i64>,
    /// How many measurements it is made of.
    pub measurements: u32,
    pub target: Option<f64>,
    pub warning: Option<f64>,
    pub state: KpiState,
}

/// Answers a question from one moment of the truth.
pub async fn answer(
    caller: &Caller,
    cube: &Cube,
    tx: &DatabaseTransaction,
    question: &Question,
) -> Result<Answer> {
    caller.require_somewhere(Action::PullFlatRows)?;
    refused(refuse::faults(question))?;
    let scope = Scope::of(caller, tx.get_database_backend()).with_uncounted(question.uncounted);
    let kpis = given::kpis(tx, &scope, question).await?;
    refused(refuse::undefined(question, &kpis))?;
    let given = given::given(caller, cube, tx, (&scope, question), kpis).await?;
    let periods = periods(question.grain, (question.from, question.to), MOST_DAYS + 1);
    let (keys, groups, lines) = summed((caller, cube), tx, &given, question, &periods).await?;
    let names = names(tx, &keys).await?;
    let mut answer = Answer {
        names,
        given,
        keys,
        groups,
        periods,
        today: caller.today,
        lines,
    };
    answer.sort();
    Ok(answer)
}

fn refused(faults: Vec<String>) -> Result<()> {
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Error::BadInput(faults.join(" "))),
    }
}

async fn summed(
    (caller, cube): (&Caller, &Cube),
    tx: &DatabaseTransaction,
    given: &Given,
    question: &Question,
    periods: &[Period],
) -> Result<(Keys, Groups, Vec<Held>)> {
    let wanted: Vec<(KpiId, i32)> = given
        .kpis
        .iter()
        .map(|kpi| (kpi.id, kpi.series_revision))
        .collect();
    let mut sums = Sums::new(given, question, periods);
    let mut unmeasured = Unmeasured::default();
    for (chunk, wanted) in wanted.chunks(AT_ONCE).enumerate() {
        let all = cube.measured(tx, wanted).await?;
        sums.elsewhere = given.elsewhere(caller, tx, &all).await?;
        for (at, measured) in all.iter().enumerate() {
            let kpi = chunk * AT_ONCE + at;
            unmeasured.look(&sums, kpi, measured);
            sums.add(kpi, measured)?;
        }
        // A large answer takes a while: others go on meanwhile.
        tokio::task::yield_now().await;
    }
    refused(unmeasured.faults(given))?;
    let Sums { keys, groups, .. } = sums;
    let mut lines = Vec::new();
    for group in 0..groups.keys.len() {
        for (period, sum) in groups.sums(group).iter().enumerate() {
            if sum.values > 0 {
                lines.push(Held { group, period });
            }
        }
    }
    Ok((keys, groups, lines))
}

/// The KPIs that were never measured by a dimension that is asked for.
#[derive(Default)]
struct Unmeasured {
    by_channel: Vec<usize>,
    by_segment: Vec<usize>,
}

impl Unmeasured {
    fn look(&mut self, sums: &Sums<'_>, kpi: usize, measured: &Measured) {
        let seen = |point: &Point| point.touchpoint.is_none_or(|id| sums.sees(id));
        let never = |dimension: Dimension, has: fn(&Point) -> bool| {
            let mut points = measured.lines.iter().map(|(point, _)| point);
            sums.question.is_by(dimension) && !points.any(|point| seen(point) && has(point))
        };
        if never(Dimension::Channel, |point| point.channel.is_some()) {
            self.by_channel.push(kpi);
        }
        if never(Dimension::Segment, |point| point.segment.is_some()) {
            self.by_segment.push(kpi);
        }
    }

    fn faults(&self, given: &Given) -> Vec<String> {
        let fault = |dimension, kpis: &[usize]| {
            refuse::not_measured_by(dimension, kpis.iter().map(|at| &given.kpis[*at]))
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

async fn names(tx: &DatabaseTransaction, keys: &Keys) -> Result<Names> {
    use channel::Column as OfChannel;
    use department::Column as OfDepartment;
    use persona::Column as OfPersona;
    use segment::Column as OfSegment;
    Ok(Names {
        departments: named::<department::Entity, _>(
            tx,
            [OfDepartment::Id, OfDepartment::Key, OfDepartment::Name],
            &keys.departments,
        )
        .await?,
        channels: named::<channel::Entity, _>(
            tx,
            [OfChannel::Id, OfChannel::Key, OfChannel::Name],
            &keys.channels,
        )
        .await?,
        personas: named::<persona::Entity, _>(
            tx,
            [OfPersona::Id, OfPersona::Key, OfPersona::Name],
            &keys.personas,
        )
        .await?,
        // A segment has no name but its key.
        segments: named::<segment::Entity, _>(
            tx,
            [OfSegment::Id, OfSegment::Key, OfSegment::Key],
            &keys.segments,
        )
        .await?,
    })
}

/// The keys and names of what was numbered, by id.
async fn named<E, I>(
    tx: &DatabaseTransaction,
    [id, key, name]: [E::Column; 3],
    numbered: &Numbered<I>,
) -> Result<HashMap<I, (String, String)>>
where
    E: EntityTrait,
    I: Copy + Eq + Hash + Into<Value> + TryGetable + Send + Sync,
{
    if numbered.all.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(I, String, String)> = E::find()
        .select_only()
        .column_as(id, "id")
        .column_as(key, "key")
        .column_as(name, "name")
        .filter(id.is_in(numbered.all.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    let rows = rows.into_iter();
    Ok(rows.map(|(id, key, name)| (id, (key, name))).collect())
}

impl Answer {
    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line in this place.
    #[must_use]
    pub fn line(&self, at: usize) -> Line<'_> {
        let held = &self.lines[at];
        let key = &self.groups.keys[held.group];
        let period = self.periods[held.period];
        let sum = &self.groups.sums(held.group)[held.period];
        let number = |dimension: Dimension| {
            let number = key[dimension as usize];
            (number != NONE).then_some(number)
        };
        let index = |dimension| number(dimension).and_then(|number| usize::try_from(number).ok());
        let journeys = &self.given.journeys;
        let kpi = self.kpi(key);
        // What several KPIs are put together for is alike.
        let like = &self.given.kpis[kpi.unwrap_or_default()];
        let value = sum.value(like.aggregation, Measure::from(like).ratio_scale());
        let target = self.target(kpi, like, sum, &period);
        Line {
            period,
            is_complete: period.is_complete(self.today),
            kpi: kpi.map(|kpi| &self.given.kpis[kpi]),
            like,
            department: index(Dimension::Department)
                .map(|at| of(&self.names.departments, self.keys.departments.all[at])),
            journey: index(Dimension::Blueprint).map(|at| &journeys[at]),
            phase: number(Dimension::Phase)
                .and_then(|number| self.keys.phase(number))
                .map(|(journey, at)| (&journeys[journey], at)),
            stage: index(Dimension::Stage).and_then(|at| Stage::ALL.get(at).copied()),
            touchpoint: number(Dimension::Touchpoint)
                .and_then(|number| self.keys.touchpoint(number))
                .map(|(journey, at)| (&journeys[journey], at)),
            channel: index(Dimension::Channel)
                .map(|at| of(&self.names.channels, self.keys.channels.all[at])),
            persona: index(Dimension::Persona)
                .map(|at| of(&self.names.personas, self.keys.personas.all[at])),
            segment: index(Dimension::Segment)
                .map(|at| of(&self.names.segments, self.keys.segments.all[at])),
            value,
            numerator: sum.parts().map(|parts| parts.0),
            denominator: sum.parts().map(|parts| parts.1),
            sample_size: sum.sample_size(),
            measurements: sum.values,
            target: target.map(|target| target.0),
            warning: target.and_then(|target| target.1),
            state: rules::state(like.direction, value, target),
        }
    }

    /// Which KPI a group is of, if it is of one alone.
    fn kpi(&self, key: &Key) -> Option<usize> {
        match key[Dimension::Kpi as usize] {
            NONE => (self.given.kpis.len() == 1).then_some(0),
            number => usize::try_from(number).ok(),
        }
    }

    /// The target of a period is that of its end; that of a sum is the sum of those of the days that were measured.
    /// Several KPIs have none in common, unless they are added up.
    fn target(
        &self,
        kpi: Option<usize>,
        like: &kpi::Model,
        sum: &Tally,
        period: &Period,
    ) -> Option<Target> {
        match (like.aggregation, kpi) {
            (Aggregation::Sum, _) => sum.due.target(),
            (_, Some(kpi)) => self.given.targets[kpi].on(count(period.end) - 1),
            (_, None) => None,
        }
    }

    /// The place of a line in the order.
    #[must_use]
    pub fn place(&self, at: usize) -> Place {
        let held = &self.lines[at];
        let ids = self.ids(&self.groups.keys[held.group]).map(At::Id);
        let day = At::Day(self.periods[held.period].begin);
        Place(ids.into_iter().chain([day]).collect())
    }

    /// The id of a line: made of its period and the ids of what it stands for.
    #[must_use]
    pub fn row_id(&self, at: usize) -> String {
        let held = &self.lines[at];
        let key = &self.groups.keys[held.group];
        let ids = self.ids(key);
        let mut id = self.periods[held.period].begin.to_string();
        for (dimension, part) in Dimension::ALL.into_iter().zip(ids) {
            let number = key[dimension as usize];
            if number == NONE {
                continue;
            }
            let stage = usize::try_from(number)
                .ok()
                .and_then(|at| Stage::ALL.get(at));
            match (dimension.prefix(), stage) {
                (Some(prefix), _) => id.push_str(&format!(".{prefix}_{}", part.simple())),
                (None, Some(stage)) => id.push_str(&format!(".{}", stage.as_str())),
                (None, None) => {}
            }
        }
        id
    }

    /// What a group stands for, by ids that do not depend on the answer.
    fn ids(&self, key: &Key) -> [Uuid; Dimension::ALL.len()] {
        let journeys = &self.given.journeys;
        Dimension::ALL.map(|dimension| {
            let number = key[dimension as usize];
            if number == NONE {
                return Uuid::nil();
            }
            let Ok(at) = usize::try_from(number) else {
                return Uuid::nil();
            };
            match dimension {
                Dimension::Kpi => self.given.kpis[at].id.0,
                Dimension::Department => self.keys.departments.all[at].0,
                Dimension::Blueprint => journeys[at].row.id.0,
                Dimension::Phase => self
                    .keys
                    .phase(number)
                    .map_or(Uuid::nil(), |(journey, at)| {
                        journeys[journey].places.phases[at].id.0
                    }),
                Dimension::Stage => Uuid::from_u128(u128::from(number) + 1),
                Dimension::Touchpoint => self
                    .keys
                    .touchpoint(number)
                    .map_or(Uuid::nil(), |(journey, at)| {
                        journeys[journey].places.touchpoints[at].id.0
                    }),
                Dimension::Channel => self.keys.channels.all[at].0,
                Dimension::Persona => self.keys.personas.all[at].0,
                Dimension::Segment => self.keys.segments.all[at].0,
            }
        })
    }

    fn sort(&mut self) {
        let mut groups: Vec<usize> = (0..self.groups.keys.len()).collect();
        groups.sort_by_cached_key(|group| self.ids(&self.groups.keys[*group]));
        let mut places = vec![0; groups.len()];
        for (place, group) in groups.into_iter().enumerate() {
            places[group] = place;
        }
        self.lines
            .sort_unstable_by_key(|line| (places[line.group], line.period));
    }
}

fn of<I: Copy + Eq + Hash>(names: &HashMap<I, (String, String)>, id: I) -> Named<'_, I> {
    let (key, name) = names
        .get(&id)
        .map_or(("", ""), |(key, name)| (key.as_str(), name.as_str()));
    Named { id, key, name }
}
