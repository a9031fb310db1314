//! Random KPIs, and their figures worked out in another way than the program does.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use serde_json::Value;

/// Numbers that look like chance, and are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % below as u64).expect("small")
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// How many days before today the first measurement may lie, and how many have measurements.
pub const MEASURED_DAYS: usize = 170;

/// What somebody measured, in the words of the test.
#[derive(Clone)]
pub struct Measured {
    pub day: NaiveDate,
    pub place: &'static str,
    pub channel: &'static str,
    pub segment: &'static str,
    pub value: f64,
    pub parts: Option<(f64, f64)>,
    pub sample: Option<f64>,
}

/// A KPI and everything that was measured of it.
pub struct Random {
    pub key: String,
    pub id: String,
    pub aggregation: &'static str,
    pub cadence: &'static str,
    pub higher: bool,
    pub minimum: f64,
    pub adds: bool,
    /// Of the whole, and of channels.
    pub targets: Vec<Target>,
    pub measured: Vec<Measured>,
}

/// A target from a day on, of a channel or of the whole: its value and its warning level.
pub struct Target {
    pub channel: &'static str,
    pub from: NaiveDate,
    pub value: Option<f64>,
    pub warning: Option<f64>,
}

/// What a part of a figure is to be.
#[derive(Debug, PartialEq)]
pub struct ExpectedPart {
    pub of: (&'static str, &'static str, &'static str),
    pub value: Option<f64>,
    pub n: f64,
    pub state: &'static str,
    pub target: Option<f64>,
}

/// The answer that is worked out here.
#[derive(Debug, PartialEq)]
pub struct Expected {
    pub value: Option<f64>,
    pub n: f64,
    pub state: &'static str,
    pub periods: usize,
    pub start: Option<NaiveDate>,
    pub target: Option<f64>,
    pub decided: bool,
    pub running: Option<(Option<f64>, f64)>,
    pub parts: Vec<ExpectedPart>,
}

/// The values of a period that count, by what they are of.
type Series = BTreeMap<(&'static str, &'static str, &'static str), Vec<Measured>>;

impl Random {
    pub fn start_of(&self, day: NaiveDate) -> NaiveDate {
        let of = |month: u32| NaiveDate::from_ymd_opt(day.year(), month, 1).expect("a day");
        match self.cadence {
            "DAILY" => day,
            "WEEKLY" => day - Days::new(day.weekday().num_days_from_monday().into()),
            "MONTHLY" => of(day.month()),
            "QUARTERLY" => of([1, 1, 1, 4, 4, 4, 7, 7, 7, 10, 10, 10][day.month0() as usize]),
            _ => of(1),
        }
    }

    fn last_of(&self, start: NaiveDate) -> NaiveDate {
        let mut day = start;
        while self.start_of(day + Days::new(1)) == start {
            day = day + Days::new(1);
        }
        day
    }

    /// The values of the period that count at a place: its own, else those of the whole; of the whole, if there are
    /// none, those at touchpoints of the journey that everybody may read.
    fn counting(&self, place: &str, start: NaiveDate, day: NaiveDate) -> Series {
        let at = |places: &[&str]| {
            let mut fewest: BTreeMap<&str, usize> = BTreeMap::new();
            let there: Vec<&Measured> = self
                .measured
                .iter()
                .filter(|one| {
                    one.day <= day && self.start_of(one.day) == start && places.contains(&one.place)
                })
                .collect();
            let split = |one: &Measured| match (one.channel, one.segment) {
                ("", "") => 0,
                (_, "") => 1,
                ("", _) => 2,
                _ => 3,
            };
            for one in &there {
                let least = fewest.entry(one.place).or_insert(9);
                *least = split(one).min(*least);
            }
            let mut series = Series::new();
            for one in there {
                if split(one) == fewest[one.place] {
                    let key = (one.place, one.channel, one.segment);
                    series.entry(key).or_default().push(one.clone());
                }
            }
            series
        };
        let own = if place.is_empty() {
            Series::new()
        } else {
            at(&[place])
        };
        let whole = at(&[""]);
        match (own.is_empty(), whole.is_empty(), place) {
            (false, _, _) => own,
            (true, false, _) => whole,
            (true, true, "") => at(&["T1", "T2", "T3"]),
            _ => Series::new(),
        }
    }

    fn n(&self, series: &Series) -> f64 {
        let size = |one: &Measured| match (self.aggregation, one.parts) {
            ("RATIO", Some((_, denominator))) => denominator,
            _ => one.sample.unwrap_or(1.0),
        };
        series.values().flatten().map(size).sum()
    }

    fn value(&self, series: &Series) -> Option<f64> {
        let all: Vec<&Measured> = series.values().flatten().collect();
        let weight = |one: &Measured| one.sample.unwrap_or(1.0);
        match (self.aggregation, all.len()) {
            (_, 0) => None,
            ("LAST", _) => {
                let is_whole =
                    series.len() == 1 && series.keys().all(|key| (key.1, key.2) == ("", ""));
                let last = |values: &Vec<Measured>| {
                    values
                        .iter()
                        .max_by_key(|one| one.day)
                        .expect("a value")
                        .value
                };
                (is_whole || self.adds).then(|| series.values().map(last).sum())
            }
            (_, 1) => Some(all[0].value),
            ("AVERAGE", _) => {
                let weighted: f64 = all.iter().map(|one| one.value * weight(one)).sum();
                Some(weighted / all.iter().map(|one| weight(one)).sum::<f64>())
            }
            ("SUM", _) => Some(all.iter().map(|one| one.value).sum()),
            _ => {
                let parts: Option<Vec<(f64, f64)>> = all.iter().map(|one| one.parts).collect();
                let parts = parts?;
                let sum = |pick: fn(&(f64, f64)) -> f64| parts.iter().map(pick).sum::<f64>();
                Some(100.0 * sum(|part| part.0) / sum(|part| part.1))
            }
        }
    }

    fn target_of(&self, channel: &str, day: NaiveDate) -> Option<&Target> {
        let begun = self.targets.iter();
        let begun = begun.filter(|target| target.channel == channel && target.from <= day);
        begun.max_by_key(|target| target.from)
    }

    fn target(&self, day: NaiveDate) -> Option<(f64, Option<f64>)> {
        let target = self.target_of("", day)?;
        Some((target.value?, target.warning))
    }

    /// Whether there is a target on a day, of the whole or of a channel.
    pub fn is_aimed(&self, day: NaiveDate) -> bool {
        ["", "PHONE", "WEB"].into_iter().any(|channel| {
            self.target_of(channel, day)
                .is_some_and(|target| target.value.is_some())
        })
    }

    /// The target of a channel, a segment or both, or of a touchpoint's share.
    fn target_of_part(
        &self,
        channel: &str,
        segment: &str,
        day: NaiveDate,
    ) -> Option<(f64, Option<f64>)> {
        let own = (segment.is_empty() && !channel.is_empty()).then(|| self.target_of(channel, day));
        match own.flatten() {
            Some(own) => Some((own.value?, own.warning)),
            None if self.aggregation == "SUM" || self.adds => None,
            None => self.target(day),
        }
    }

    /// What enough values of a period come to; a sum that still grows is not judged before it lies beyond its target.
    fn judge_if_enough(
        &self,
        series: &Series,
        target: Option<(f64, Option<f64>)>,
        runs: bool,
    ) -> &'static str {
        let Some(value) = self.value(series) else {
            return match self.aggregation {
                "LAST" if !series.is_empty() => "BY_PART_ONLY",
                _ => "NO_DATA",
            };
        };
        let is_enough = match (self.aggregation, runs) {
            ("SUM", true) => self.is_decided(series, target),
            _ => self.n(series) >= self.minimum,
        };
        if is_enough {
            self.judge(value, target)
        } else {
            "TOO_FEW"
        }
    }

    fn is_decided(&self, series: &Series, target: Option<(f64, Option<f64>)>) -> bool {
        let value = self.value(series).expect("a sum");
        let beyond = target.is_some_and(|(target, _)| match self.higher {
            true => value >= target,
            false => value > target,
        });
        beyond && series.values().flatten().all(|one| one.value >= 0.0)
    }

    /// A point of the trend: the value, target and state of the period that begins on a day.
    pub fn expected_point(
        &self,
        start: NaiveDate,
        day: NaiveDate,
    ) -> (Option<f64>, Option<f64>, &'static str) {
        let series = self.counting("", start, day);
        let target = self.target(self.last_of(start).min(day));
        let state = self.judge_if_enough(&series, target, self.last_of(start) > day);
        (self.value(&series), target.map(|target| target.0), state)
    }

    fn judge(&self, value: f64, target: Option<(f64, Option<f64>)>) -> &'static str {
        let Some((target, warning)) = target else {
            return "NO_TARGET";
        };
        let reaches = |level: f64| {
            let off = 1e-9 * level.abs().max(1.0);
            if self.higher {
                value >= level - off
            } else {
                value <= level + off
            }
        };
        match (reaches(target), warning.is_some_and(reaches)) {
            (true, _) => "MET",
            (false, true) => "AT_RISK",
            (false, false) => "MISSED",
        }
    }

    /// The figure at a place, on a day.
    pub fn expected(&self, place: &str, day: NaiveDate) -> Expected {
        let starts: BTreeSet<NaiveDate> = self
            .measured
            .iter()
            .map(|one| self.start_of(one.day))
            .collect();
        let newest: Vec<(NaiveDate, Series)> = starts
            .into_iter()
            .rev()
            .filter(|start| *start <= day)
            .map(|start| (start, self.counting(place, start, day)))
            .filter(|(_, series)| !series.is_empty())
            .take(3)
            .filter(|(_, series)| self.aggregation == "LAST" || self.value(series).is_some())
            .collect();
        let until = |start: NaiveDate| self.last_of(start).min(day);
        let runs = |start: NaiveDate| self.last_of(start) > day;
        let Some((first, now)) = newest.first() else {
            return Expected {
                value: None,
                n: 0.0,
                state: "NO_DATA",
                periods: 0,
                start: None,
                target: self.target(day).map(|target| target.0),
                decided: false,
                running: None,
                parts: Vec::new(),
            };
        };
        // How a period is divided: where it was measured, and by what.
        let divided = |series: &Series| {
            let (at, channel, segment) = *series.keys().next().expect("a part");
            let at_touchpoints = place.is_empty() && !at.is_empty();
            let own = !place.is_empty() && at == place;
            (at_touchpoints, own, channel.is_empty(), segment.is_empty())
        };
        let parts = |periods: usize, start: NaiveDate, series: &Series, judged: NaiveDate| {
            let of: Vec<&Series> = newest
                .iter()
                .filter(|(begin, _)| periods > 1 || *begin == start)
                .map(|(_, series)| series)
                .collect();
            let alike = of.iter().all(|one| divided(one) == divided(of[0]));
            let is_whole = matches!(divided(of[0]), (false, _, true, true));
            let told = series.iter().filter(|_| alike && !is_whole);
            let told = told.map(|((at, channel, segment), values)| {
                let part = Series::from([(("", *channel, *segment), values.clone())]);
                let alone = Series::from([(("", "", ""), values.clone())]);
                let target = self.target_of_part(channel, segment, judged);
                ExpectedPart {
                    of: (if divided(of[0]).0 { at } else { "" }, channel, segment),
                    value: self.value(&alone),
                    n: self.n(&part),
                    state: self.judge_if_enough(
                        &alone,
                        target,
                        runs(if periods > 1 { *first } else { start }),
                    ),
                    target: target.map(|target| target.0),
                }
            });
            told.collect()
        };
        let figure = |start: NaiveDate,
                      periods: usize,
                      series: &Series,
                      few: bool,
                      decided: bool,
                      beside: bool| {
            let value = self.value(series);
            let newest_day = until(*first);
            let judged = if periods == 1 {
                until(start)
            } else {
                newest_day
            };
            Expected {
                value,
                n: self.n(series),
                state: match value {
                    None => "BY_PART_ONLY",
                    Some(_) if few => "TOO_FEW",
                    Some(value) => self.judge(value, self.target(judged)),
                },
                periods,
                start: Some(start),
                target: self.target(judged).map(|target| target.0),
                decided,
                running: (beside && runs(*first)).then(|| (self.value(now), self.n(now))),
                parts: parts(periods, start, series, judged),
            }
        };
        let ended = newest.iter().find(|(start, _)| !runs(*start));
        for (start, series) in &newest {
            let (n, is_sum) = (self.n(series), self.aggregation == "SUM");
            let (counts, decided) = match (runs(*start), ended) {
                (true, _) if is_sum => (self.is_decided(series, self.target(until(*start))), true),
                (false, _) | (true, None) => (n >= self.minimum, false),
                (true, Some((_, before))) if self.aggregation == "LAST" => {
                    let is_whole = matches!(divided(series), (false, _, true, true));
                    (
                        n >= self.minimum && (is_whole || series.len() >= before.len()),
                        false,
                    )
                }
                (true, Some((_, before))) => {
                    (n >= self.minimum && n >= self.n(before) / 2.0, false)
                }
            };
            if counts {
                return figure(*start, 1, series, false, decided, start != first);
            }
        }
        let mut together = Series::new();
        for (key, values) in newest.iter().flat_map(|(_, series)| series) {
            together
                .entry(*key)
                .or_default()
                .extend(values.iter().cloned());
        }
        let adds = ["AVERAGE", "RATIO"].contains(&self.aggregation);
        if adds && self.n(&together) >= self.minimum && self.value(&together).is_some() {
            let (oldest, _) = newest.last().expect("a period");
            return figure(*oldest, newest.len(), &together, false, false, true);
        }
        figure(*first, 1, now, true, false, true)
    }
}

pub fn close(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
        (one, other) => one == other,
    }
}

impl Expected {
    /// Whether a figure is what was worked out.
    #[track_caller]
    pub fn is(&self, figure: &Value, what: &str) {
        let same = close(figure["value"].as_f64(), self.value)
            && close(figure["n"].as_f64(), Some(self.n))
            && figure["state"] == self.state
            && figure["periods"] == self.periods
            && figure["periodStart"].as_str().map(str::to_owned)
                == self.start.map(|day| day.to_string())
            && close(figure["target"]["value"].as_f64(), self.target)
            && figure["isDecided"] == self.decided
            && figure["running"].is_null() == self.running.is_none()
            && self.running.is_none_or(|(value, n)| {
                close(figure["running"]["value"].as_f64(), value)
                    && close(figure["running"]["n"].as_f64(), Some(n))
            })
            && (figure["parts"].is_null() || self.has_parts(figure));
        assert!(same, "{what}: {figure} instead of {self:?}");
    }
}

impl Expected {
    fn has_parts(&self, figure: &Value) -> bool {
        let told = figure["parts"].as_array().expect("parts");
        let key =
            |part: &Value, field: &str| part[field]["key"].as_str().unwrap_or_default().to_owned();
        let is_told = |expected: &ExpectedPart| {
            let same = told.iter().filter(|part| {
                let of = ["touchpoint", "channel", "segment"].map(|field| key(part, field));
                (of[0].as_str(), of[1].as_str(), of[2].as_str()) == expected.of
                    && close(part["value"].as_f64(), expected.value)
                    && close(part["n"].as_f64(), Some(expected.n))
                    && part["state"] == expected.state
                    && close(part["target"]["value"].as_f64(), expected.target)
            });
            same.count() == 1
        };
        told.len() == self.parts.len() && self.parts.iter().all(is_told)
    }
}
