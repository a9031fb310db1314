//! Which values belong to which group: the days on which a line of a KPI does. Pure.

use std::{collections::HashSet, sync::Arc};

use entity::{id::TouchpointId, words::Aggregation};

use super::{
    Dimension, Question,
    given::Given,
    key::{Key, Keys, Place},
    spread::{Entry, Spread},
    sums::{Series, Share},
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
    /// Touchpoints whose values may not be seen.
    pub hidden: HashSet<TouchpointId>,
    pub series: Vec<Series>,
    pub shares: Vec<Share>,
    /// How many sums are worked out ahead.
    ahead: usize,
}

/// The lines of a KPI that count.
#[derive(Default)]
struct Counted {
    /// Those of the KPI as a whole.
    whole: Site,
    /// Those of each touchpoint, by its id.
    own: Vec<Site>,
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

impl Counted {
    /// Gives `taker` what belongs to a group on the days of one of its rows: own values of a touchpoint in the periods
    /// in which there are any, else those of the KPI as a whole.
    fn of_entry(&self, entry: &Entry, periods: &[Days], mut taker: impl FnMut(usize, Days)) {
        let own = entry.own.map(|at| &self.own[at]);
        if let (None, true, [line]) = (own, entry.whole, &self.whole.lines[..]) {
            taker(*line, entry.days.clone());
            return;
        }
        for (period, asked) in periods.iter().enumerate() {
            let own = own.map_or(&[][..], |site| &site.chosen[period]);
            let lines = match own {
                [] if entry.whole => &self.whole.chosen[period],
                own => own,
            };
            for line in lines {
                taker(*line, both(&entry.days, asked));
            }
        }
    }

    /// Gives `taker` what counts where nothing is asked about places: values of the KPI as a whole where there are any,
    /// else those of its touchpoints.
    fn anywhere(&self, periods: &[Days], mut taker: impl FnMut(usize, Days)) {
        for (period, asked) in periods.iter().enumerate() {
            let whole = &self.whole.chosen[period];
            let own = self.own.iter().filter(|_| whole.is_empty());
            let own = own.flat_map(|site| &site.chosen[period]);
            for line in whole.iter().chain(own) {
                taker(*line, asked.clone());
            }
        }
    }
}

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
            hidden: HashSet::new(),
            series: Vec::new(),
            shares: Vec::new(),
            ahead: 0,
        }
    }

    /// Adds what was measured of one of the KPIs.
    pub fn add(&mut self, kpi: usize, measured: &Arc<Measured>) {
        let counted = self.counted(kpi, measured);
        let Self {
            given,
            keys,
            periods,
            spread,
            series,
            shares,
            ..
        } = self;
        let mut give = |key: Key, line: usize, days: Days| {
            let of: &Series = &series[line];
            if !of.counts_on(&days) {
                return;
            }
            let key = keys.of_point(given, key, of.point());
            let share = Share { key, line, days };
            // It goes on as in the period before, mostly.
            let last = shares.last_mut();
            if !last.is_some_and(|last| last.takes(&share)) {
                shares.push(share);
            }
        };
        match spread {
            None => {
                let key = keys.at(given, kpi, Place::default());
                counted.anywhere(periods, |line, days| give(key, line, days));
            }
            Some(spread) => {
                let own: Vec<&Point> = counted.own.iter().map(|site| &site.point).collect();
                spread.each(kpi, &own, |entry| {
                    counted.of_entry(&entry, periods, |line, days| give(entry.key, line, days));
                });
            }
        }
    }

    fn counted(&mut self, kpi: usize, measured: &Arc<Measured>) -> Counted {
        let (first, asked) = (self.series.len(), self.asked());
        let mut counted = Counted::default();
        // Lines stand by touchpoint.
        for at in 0..measured.lines.len() {
            let point = &measured.lines[at].0;
            if !self.asks_for(point) {
                continue;
            }
            let last = counted.own.last().map(|site| site.point.touchpoint);
            if point.touchpoint.is_some() && last != Some(point.touchpoint) {
                counted.own.push(Site::default());
            }
            let site = match (point.touchpoint, counted.own.last_mut()) {
                (Some(_), Some(own)) => own,
                _ => &mut counted.whole,
            };
            site.point = *point;
            site.lines.push(self.series.len());
            let mut series = Series::new(kpi, Arc::clone(measured), at, &asked);
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
        for site in counted.own.iter_mut().chain([&mut counted.whole]) {
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
        point.touchpoint.is_none_or(|id| !self.hidden.contains(&id))
    }

    fn by_channel(&self) -> bool {
        self.question.is_by(Dimension::Channel) || self.question.channels.is_some()
    }

    fn by_segment(&self) -> bool {
        self.question.is_by(Dimension::Segment) || self.question.segments.is_some()
    }

    /// All days that are asked about.
    fn asked(&self) -> Days {
        let first = self.periods.first().map_or(0, |days| days.start);
        let last = self.periods.last().map_or(0, |days| days.end);
        first..last
    }
}
