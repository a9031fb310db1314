//! Adds the values of a KPI to the groups that they belong to, period by period. Pure.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Range,
};

use entity::{id::TouchpointId, kpi, words::Aggregation};

use super::{
    Dimension, Question,
    given::Given,
    group::{Groups, Key, Keys, Place},
    period::Period,
    spread::{Entry, Spread, united},
    tally::{Due, Tally, Targets},
};
use crate::{
    bi::cube::{
        places::{Days, both},
        values::{Line, Measured, Point, count},
    },
    error::Result,
};

/// What is added to.
pub struct Sums<'g> {
    given: &'g Given,
    pub question: &'g Question,
    /// The days of each period that are asked about.
    periods: Vec<Days>,
    /// Where values belong; nothing where nothing is asked about places and every row may be seen.
    spread: Option<Spread<'g>>,
    pub keys: Keys,
    pub groups: Groups,
    /// Touchpoints in no journey that counts, whose values may be seen.
    pub elsewhere: HashSet<TouchpointId>,
}

/// The lines of a KPI that count.
struct Counted<'m> {
    lines: Vec<Series<'m>>,
    /// Those of the KPI as a whole, and those of each touchpoint.
    whole: Site,
    own: BTreeMap<TouchpointId, Site>,
    targets: &'m Targets,
    /// Whether the target of a day that several lines have must be counted once.
    shares_targets: bool,
}

/// A line, with what its values of each period come to.
struct Series<'m> {
    point: &'m Point,
    line: &'m Line,
    in_periods: Vec<Tally>,
}

/// What was measured at one place.
#[derive(Default)]
struct Site {
    lines: Vec<usize>,
    /// Those that count in each period: of the whole where there are values of it, else of parts.
    chosen: Vec<Vec<usize>>,
}

/// The days of which the target is counted already, by group and period.
type DueDays = HashMap<(usize, usize), BTreeSet<i32>>;

impl<'g> Sums<'g> {
    pub fn new(given: &'g Given, question: &'g Question, periods: &[Period]) -> Self {
        let placed = question.asks_for_places() || given.departments.is_some();
        Self {
            given,
            question,
            periods: periods
                .iter()
                .map(|period| count(period.from)..count(period.to))
                .collect(),
            spread: placed.then(|| Spread::new(given, question)),
            keys: Keys::new(question, &given.journeys),
            groups: Groups::new(periods.len()),
            elsewhere: HashSet::new(),
        }
    }

    /// Adds what was measured of one of the KPIs.
    pub fn add(&mut self, kpi: usize, measured: &Measured) -> Result<()> {
        let counted = self.counted(&self.given.kpis[kpi], &self.given.targets[kpi], measured);
        let mut due = HashMap::new();
        match &self.spread {
            None => {
                let key = self.keys.at(kpi, Place::default(), None);
                for period in 0..self.periods.len() {
                    let whole = &counted.whole.chosen[period];
                    let own = counted.own.values().filter(|_| whole.is_empty());
                    let own = own.flat_map(|site| &site.chosen[period]);
                    let days = self.periods[period].clone();
                    for line in whole.iter().chain(own) {
                        self.put(key, &counted, (*line, period), &days, &mut due)?;
                    }
                }
            }
            Some(spread) => {
                let own: Vec<TouchpointId> = counted.own.keys().copied().collect();
                let mut entries = spread.of(&mut self.keys, kpi, &own);
                entries.sort_unstable_by_key(|entry| entry.key);
                for run in entries.chunk_by(|one, other| one.key == other.key) {
                    self.spread_out(run, &counted, &mut due)?;
                }
            }
        }
        for ((group, period), days) in due {
            let mut sum = Due::default();
            days.iter()
                .for_each(|day| sum.add(counted.targets.on(*day)));
            self.groups.sum(group, period).due.merge(&sum);
        }
        Ok(())
    }

    fn counted<'m>(
        &self,
        kpi: &kpi::Model,
        targets: &'m Targets,
        measured: &'m Measured,
    ) -> Counted<'m> {
        let (mut whole, mut own) = (Site::default(), BTreeMap::<_, Site>::new());
        let mut lines: Vec<Series<'_>> = Vec::new();
        let points = measured.lines.iter();
        for (point, line) in points.filter(|(point, _)| self.asks_for(point)) {
            let site = match point.touchpoint {
                None => &mut whole,
                Some(id) => own.entry(id).or_default(),
            };
            site.lines.push(lines.len());
            let in_periods = self.periods.iter();
            let in_periods = in_periods.map(|days| tally(line, line.within(days), targets));
            lines.push(Series {
                point,
                line,
                in_periods: in_periods.collect(),
            });
        }
        for site in own.values_mut().chain([&mut whole]) {
            let periods = 0..self.periods.len();
            site.chosen = periods.map(|at| chosen(&lines, &site.lines, at)).collect();
        }
        Counted {
            shares_targets: kpi.aggregation == Aggregation::Sum
                && lines.len() > 1
                && !targets.0.is_empty(),
            lines,
            whole,
            own,
            targets,
        }
    }

    /// Whether values of this point may be seen and are asked for, as far as channels and segments go.
    fn asks_for(&self, point: &Point) -> bool {
        let seen = point.touchpoint.is_none_or(|id| self.sees(id));
        let channels = self.given.channels.as_ref();
        let segments = self.given.segments.as_ref();
        seen && (!self.by_channel() || point.channel.is_some())
            && (!self.by_segment() || point.segment.is_some())
            && channels.is_none_or(|ids| point.channel.is_some_and(|id| ids.contains(&id)))
            && segments.is_none_or(|ids| point.segment.is_some_and(|id| ids.contains(&id)))
    }

    /// Whether values at this touchpoint may be seen.
    #[must_use]
    pub fn sees(&self, touchpoint: TouchpointId) -> bool {
        self.given.at(touchpoint).is_some() || self.elsewhere.contains(&touchpoint)
    }

    fn by_channel(&self) -> bool {
        self.question.is_by(Dimension::Channel) || self.question.channels.is_some()
    }

    fn by_segment(&self) -> bool {
        self.question.is_by(Dimension::Segment) || self.question.segments.is_some()
    }

    /// Adds what belongs to one group, each value once.
    fn spread_out(
        &mut self,
        entries: &[Entry],
        counted: &Counted<'_>,
        due: &mut DueDays,
    ) -> Result<()> {
        let Some(key) = entries.first().map(|entry| entry.key) else {
            return Ok(());
        };
        let measured_there = |id: &TouchpointId| counted.own.contains_key(id);
        if let [line] = counted.whole.lines[..]
            && !entries
                .iter()
                .any(|one| one.own.as_ref().is_some_and(measured_there))
        {
            let entries = entries.iter().filter(|entry| entry.whole);
            let days = united(entries.map(|entry| entry.days.clone()).collect());
            return self.put_line(key, &counted.lines[line], counted.targets, &days);
        }
        for period in 0..self.periods.len() {
            let asked = self.periods[period].clone();
            let (mut whole, mut own) = (Vec::new(), BTreeMap::<_, Vec<Days>>::new());
            for entry in entries {
                let days = both(&entry.days, &asked);
                if days.is_empty() {
                    continue;
                }
                let there = entry.own.and_then(|id| counted.own.get_key_value(&id));
                match there.filter(|(_, site)| !site.chosen[period].is_empty()) {
                    Some((id, _)) => own.entry(*id).or_default().push(days),
                    None if entry.whole => whole.push(days),
                    None => {}
                }
            }
            let own = own.into_iter().map(|(id, days)| (&counted.own[&id], days));
            for (site, days) in [(&counted.whole, whole)].into_iter().chain(own) {
                let days = united(days);
                for line in &site.chosen[period] {
                    for days in &days {
                        self.put(key, counted, (*line, period), days, due)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds the values that a line has on some days, where no other line belongs to the group.
    fn put_line(
        &mut self,
        key: Key,
        series: &Series<'_>,
        targets: &Targets,
        days: &[Days],
    ) -> Result<()> {
        let mut group = None;
        for period in 0..self.periods.len() {
            let asked = self.periods[period].clone();
            for days in days {
                let days = both(days, &asked);
                let sum = series.sum(&days, (period, &asked), targets);
                if sum.values == 0 {
                    continue;
                }
                let group = match group {
                    Some(group) => group,
                    None => {
                        let part = (series.point.channel, series.point.segment);
                        let key = self.keys.of_part(key, part.0, part.1);
                        *group.insert(self.groups.of(key)?)
                    }
                };
                self.groups.sum(group, period).merge(&sum);
            }
        }
        Ok(())
    }

    /// Adds the values that a line has on some days of a period.
    fn put(
        &mut self,
        key: Key,
        counted: &Counted<'_>,
        (line, period): (usize, usize),
        days: &Days,
        due: &mut DueDays,
    ) -> Result<()> {
        let series = &counted.lines[line];
        let mut sum = series.sum(days, (period, &self.periods[period]), counted.targets);
        if sum.values == 0 {
            return Ok(());
        }
        let (channel, segment) = (series.point.channel, series.point.segment);
        let key = self.keys.of_part(key, channel, segment);
        let group = self.groups.of(key)?;
        if counted.shares_targets {
            sum.due = Due::default();
            let values = series.line.within(days);
            let days = values.map(|at| series.line.days[at]);
            due.entry((group, period)).or_default().extend(days);
        }
        self.groups.sum(group, period).merge(&sum);
        Ok(())
    }
}

impl Series<'_> {
    /// What its values on some days of a period come to; those of the whole period are known.
    fn sum(&self, days: &Days, (period, whole): (usize, &Days), targets: &Targets) -> Tally {
        match days == whole {
            true => self.in_periods[period],
            false => tally(self.line, self.line.within(days), targets),
        }
    }
}

/// Those of a place's lines that count in a period.
fn chosen(all: &[Series<'_>], lines: &[usize], period: usize) -> Vec<usize> {
    let there = |line: &&usize| all[**line].in_periods[period].values > 0;
    let parts = |line: &usize| {
        let point = all[*line].point;
        u8::from(point.channel.is_some()) + 2 * u8::from(point.segment.is_some())
    };
    let fewest = lines.iter().filter(there).map(parts).min();
    let there = lines.iter().filter(there).copied();
    there.filter(|line| Some(parts(line)) == fewest).collect()
}

fn tally(line: &Line, places: Range<usize>, targets: &Targets) -> Tally {
    let mut sum = Tally::default();
    for at in places {
        let value = line.at(at);
        sum.add(&value, targets.on(value.day));
    }
    sum
}
