//! Which values belong to which group: the days on which a line of a KPI does. Pure.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use entity::{id::TouchpointId, words::Aggregation};

use super::{
    Dimension, Question,
    given::Given,
    key::{Key, Keys, Place},
    spread::{Entry, Spread},
    sums::{Series, Share, united},
};
use crate::bi::cube::{
    places::{Days, both},
    values::{Measured, Point},
};

/// Most sums of lines in periods that are worked out ahead; what is beyond is added up when it is asked for.
const MOST_AHEAD: usize = 100_000;

/// What is added to.
pub struct Shares<'g> {
    given: &'g Given,
    pub question: &'g Question,
    keys: &'g Keys,
    /// The days of each period that are asked about.
    periods: &'g [Days],
    /// Where values belong; nothing where nothing is asked about places and every row may be seen.
    spread: Option<Spread<'g>>,
    /// Touchpoints in no journey that counts, whose values may be seen.
    pub elsewhere: HashSet<TouchpointId>,
    pub series: Vec<Series>,
    pub shares: Vec<Share>,
    /// How many sums are worked out ahead.
    ahead: usize,
}

/// The lines of a KPI that count.
#[derive(Default)]
struct Counted {
    /// Those of the KPI as a whole, and those of each touchpoint.
    whole: Site,
    own: BTreeMap<TouchpointId, Site>,
}

/// What was measured at one place.
#[derive(Default)]
struct Site {
    /// The point of one of the lines.
    point: Point,
    lines: Vec<usize>,
    /// Those that count in each period: of the whole where there are values of it, else of parts.
    chosen: Vec<Vec<usize>>,
}

/// Some days of a line.
type Piece = (usize, Days);

impl<'g> Shares<'g> {
    pub fn new(
        given: &'g Given,
        keys: &'g Keys,
        question: &'g Question,
        periods: &'g [Days],
    ) -> Self {
        let placed = question.asks_for_places() || given.departments.is_some();
        Self {
            given,
            question,
            keys,
            periods,
            spread: placed.then(|| Spread::new(given, keys, question)),
            elsewhere: HashSet::new(),
            series: Vec::new(),
            shares: Vec::new(),
            ahead: 0,
        }
    }

    /// Adds what was measured of one of the KPIs.
    pub fn add(&mut self, kpi: usize, measured: &Arc<Measured>) {
        let counted = self.counted(kpi, measured);
        let asked = self.asked();
        let Some(spread) = &self.spread else {
            let key = self.keys.at(self.given, kpi, Place::default());
            self.share(key, self.anywhere(&counted));
            return;
        };
        if let ([line], true) = (&counted.whole.lines[..], counted.own.is_empty()) {
            let series = &self.series[*line];
            let ever = series.has_values(&asked);
            spread.each(kpi, &[], |Entry { key, days, .. }| {
                let within = both(&days, &asked);
                if ever && (within == asked || series.has_values(&within)) {
                    let (key, line) = (self.keys.of_point(self.given, key, series.point()), *line);
                    self.shares.push(Share { key, line, days });
                }
            });
            return;
        }
        let own: Vec<&Point> = counted.own.values().map(|site| &site.point).collect();
        let mut entries = Vec::new();
        spread.each(kpi, &own, |entry| entries.push(entry));
        entries.sort_unstable_by_key(|entry| (entry.key, entry.days.start));
        for run in entries.chunk_by(|one, other| one.key == other.key) {
            self.share(run[0].key, self.pieces(run, &counted));
        }
    }

    fn counted(&mut self, kpi: usize, measured: &Arc<Measured>) -> Counted {
        let first = self.series.len();
        let mut counted = Counted::default();
        for at in 0..measured.lines.len() {
            let point = &measured.lines[at].0;
            if !self.asks_for(point) {
                continue;
            }
            let site = match point.touchpoint {
                None => &mut counted.whole,
                Some(id) => counted.own.entry(id).or_default(),
            };
            site.point = *point;
            site.lines.push(self.series.len());
            let mut series = Series::new(kpi, Arc::clone(measured), at);
            if self.ahead + self.periods.len() <= MOST_AHEAD {
                series.work_out(self.periods, &self.given.targets[kpi]);
                self.ahead += self.periods.len();
            }
            self.series.push(series);
        }
        let several = self.series.len() - first > 1;
        if several && self.given.kpis[kpi].aggregation == Aggregation::Sum {
            for series in &mut self.series[first..] {
                series.shares_targets = !self.given.targets[kpi].0.is_empty();
            }
        }
        for site in counted.own.values_mut().chain([&mut counted.whole]) {
            let periods = 0..self.periods.len();
            site.chosen = periods.map(|at| self.chosen(&site.lines, at)).collect();
        }
        counted
    }

    /// Those of a place's lines that count in a period.
    fn chosen(&self, lines: &[usize], period: usize) -> Vec<usize> {
        let days = &self.periods[period];
        let there = |line: &&usize| self.series[**line].has_values(days);
        let parts = |line: &usize| {
            let point = self.series[*line].point();
            u8::from(point.channel.is_some()) + 2 * u8::from(point.segment.is_some())
        };
        let fewest = lines.iter().filter(there).map(parts).min();
        let there = lines.iter().filter(there).copied();
        there.filter(|line| Some(parts(line)) == fewest).collect()
    }

    /// Whether values of this point may be seen and are asked for, as far as channels and segments go.
    fn asks_for(&self, point: &Point) -> bool {
        let seen = self.sees(point);
        let channels = self.given.channels.as_ref();
        let segments = self.given.segments.as_ref();
        seen && (!self.by_channel() || point.channel.is_some())
            && (!self.by_segment() || point.segment.is_some())
            && channels.is_none_or(|ids| point.channel.is_some_and(|id| ids.contains(&id)))
            && segments.is_none_or(|ids| point.segment.is_some_and(|id| ids.contains(&id)))
    }

    /// Whether values of this point may be seen, as far as its touchpoint goes.
    #[must_use]
    pub fn sees(&self, point: &Point) -> bool {
        let elsewhere = |id| self.elsewhere.contains(&id);
        point.touchpoint.is_none_or(elsewhere) || self.given.at(point).is_some()
    }

    fn by_channel(&self) -> bool {
        self.question.is_by(Dimension::Channel) || self.question.channels.is_some()
    }

    fn by_segment(&self) -> bool {
        self.question.is_by(Dimension::Segment) || self.question.segments.is_some()
    }

    /// What counts where nothing is asked about places: values of the KPI as a whole where there are any, else those
    /// of its touchpoints.
    fn anywhere(&self, counted: &Counted) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (period, days) in self.periods.iter().enumerate() {
            let whole = &counted.whole.chosen[period];
            let own = counted.own.values().filter(|_| whole.is_empty());
            let own = own.flat_map(|site| &site.chosen[period]);
            let lines = whole.iter().chain(own);
            pieces.extend(lines.map(|line| (*line, days.clone())));
        }
        pieces
    }

    /// What belongs to one group.
    fn pieces(&self, entries: &[Entry], counted: &Counted) -> Vec<Piece> {
        let measured_at = |entry: &Entry| entry.own.is_some_and(|id| counted.own.contains_key(&id));
        if let [line] = counted.whole.lines[..]
            && !entries.iter().any(measured_at)
        {
            let whole = entries.iter().filter(|entry| entry.whole);
            return whole.map(|entry| (line, entry.days.clone())).collect();
        }
        let mut pieces = Vec::new();
        for (period, asked) in self.periods.iter().enumerate() {
            for entry in entries {
                let days = both(&entry.days, asked);
                let there = entry.own.and_then(|id| counted.own.get(&id));
                let there = there.map(|site| &site.chosen[period]);
                let lines = match there.filter(|chosen| !chosen.is_empty()) {
                    Some(own) => own,
                    None if entry.whole => &counted.whole.chosen[period],
                    None => continue,
                };
                pieces.extend(lines.iter().map(|line| (*line, days.clone())));
            }
        }
        pieces
    }

    /// Gives these values to a group.
    fn share(&mut self, key: Key, pieces: Vec<Piece>) {
        let asked = self.asked();
        let given = pieces.into_iter().map(|(line, days)| {
            let key = self
                .keys
                .of_point(self.given, key, self.series[line].point());
            Share { key, line, days }
        });
        let mut given: Vec<Share> = given.collect();
        united(&mut given);
        given.retain(|share| self.series[share.line].has_values(&both(&share.days, &asked)));
        self.shares.append(&mut given);
    }

    /// All days that are asked about.
    fn asked(&self) -> Days {
        let first = self.periods.first().map_or(0, |days| days.start);
        let last = self.periods.last().map_or(0, |days| days.end);
        first..last
    }
}
