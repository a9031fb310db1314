//! Random KPIs, and their figures worked out in another way than the program does.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};
use serde_json::{Value, json};

use super::MAKE;
use crate::{
    facts::{LINK, RECORD},
    ids::Ids,
    kpi::TARGET,
    world::Actor,
};

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

pub fn first() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day")
}

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
    pub targets: Vec<(NaiveDate, Option<f64>, Option<f64>)>,
    pub measured: Vec<Measured>,
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
}

/// The values of a period that count, by what they are of.
type Series = BTreeMap<(&'static str, &'static str, &'static str), Vec<Measured>>;

impl Random {
    fn start_of(&self, day: NaiveDate) -> NaiveDate {
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

    fn target(&self, day: NaiveDate) -> Option<(f64, Option<f64>)> {
        let begun = self.targets.iter().filter(|target| target.0 <= day);
        let (_, value, warning) = begun.max_by_key(|target| target.0)?;
        Some(((*value)?, *warning))
    }

    fn judge(&self, value: f64, day: NaiveDate) -> &'static str {
        let Some((target, warning)) = self.target(day) else {
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
            };
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
                    Some(value) => self.judge(value, judged),
                },
                periods,
                start: Some(start),
                target: self.target(judged).map(|target| target.0),
                decided,
                running: (beside && runs(*first)).then(|| (self.value(now), self.n(now))),
            }
        };
        let half = newest
            .iter()
            .find(|(start, _)| !runs(*start))
            .map_or(0.0, |(_, series)| self.n(series) / 2.0);
        for (start, series) in &newest {
            let n = self.n(series);
            let is_decided = || {
                let value = self.value(series).expect("a sum");
                let beyond = self.target(until(*start)).is_some_and(|(target, _)| {
                    if self.higher {
                        value >= target
                    } else {
                        value > target
                    }
                });
                beyond && series.values().flatten().all(|one| one.value >= 0.0)
            };
            let (counts, decided) = match (runs(*start), self.aggregation) {
                (false, _) | (true, "LAST") => (n >= self.minimum, false),
                (true, "SUM") => (is_decided(), true),
                (true, _) => (n >= self.minimum && n >= half, false),
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

fn close(one: Option<f64>, other: Option<f64>) -> bool {
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
            });
        assert!(same, "{what}: {figure} instead of {self:?}");
    }
}

pub async fn makes_random(cx: &Actor<'_>, ids: &Ids, at: usize, dice: &mut Dice) -> Random {
    let aggregation = dice.one_of(&["AVERAGE", "SUM", "RATIO", "LAST"]);
    let cadence = dice.one_of(&[
        "DAILY",
        "WEEKLY",
        "MONTHLY",
        "MONTHLY",
        "QUARTERLY",
        "YEARLY",
    ]);
    let (higher, minimum) = (dice.below(2) == 0, dice.one_of(&[1, 1, 3, 10]));
    let adds = aggregation == "LAST" && dice.below(2) == 0;
    let key = format!("K{at}");
    let mut input = json!({ "key": key, "name": format!("Number {at}"), "type": "OTHER", "unit": "CURRENCY",
        "currency": "DKK", "decimals": 2, "aggregation": aggregation, "cadence": cadence,
        "direction": if higher { "HIGHER" } else { "LOWER" }, "ownerDepartmentId": ids["sales"],
        "minimumSample": minimum, "acrossParts": if adds { "SUM" } else { "NONE" } });
    if aggregation == "RATIO" {
        input["unit"] = json!("PERCENT");
        input["currency"] = Value::Null;
    }
    let id = cx.does(MAKE, input).await["kpi"]["id"].clone();
    let mut targets = Vec::new();
    for day in [0, 60, 125] {
        if dice.below(3) == 0 {
            continue;
        }
        let from = first() + Days::new(day);
        let value = (dice.below(5) > 0).then(|| dice.below(90) as f64);
        let warning = value.filter(|_| dice.below(2) == 0);
        let warning = warning.map(|value| if higher { value - 10.0 } else { value + 10.0 });
        let target = json!({ "kpiId": id, "validFrom": from.to_string(), "value": value, "warning": warning });
        cx.does(TARGET, target).await;
        targets.push((from, value, warning));
    }
    let places = dice.one_of(&[
        &["", "T2", "T3", "D1"][..],
        &["T2", "T3"],
        &["", "T2"],
        &[""],
    ]);
    let channels = dice.one_of(&[&["", "", "PHONE", "WEB"][..], &["PHONE", "WEB"], &[""]]);
    let segments = dice.one_of(&[&["", "", "young"][..], &[""]]);
    let (mut measured, mut seen): (Vec<Measured>, _) = (Vec::new(), BTreeSet::new());
    for _ in 0..dice.one_of(&[2, 8, 30]) {
        let day = first() + Days::new(dice.below(170) as u64);
        let (place, channel, segment) = (
            dice.one_of(places),
            dice.one_of(channels),
            dice.one_of(segments),
        );
        if !seen.insert((day, place, channel, segment)) {
            continue;
        }
        let denominator = dice.below(9) as f64 + 1.0;
        let numerator = dice.below(denominator as usize + 1) as f64;
        let parts =
            (aggregation == "RATIO" && dice.below(12) > 0).then_some((numerator, denominator));
        let value = match aggregation {
            "RATIO" => 100.0 * numerator / denominator,
            _ => dice.below(60) as f64 - dice.one_of(&[0.0, 0.0, 5.0]),
        };
        measured.push(Measured {
            day,
            place,
            channel,
            segment,
            value,
            parts,
            sample: (dice.below(3) > 0).then_some(denominator),
        });
    }
    let id_of = |key: &str| (!key.is_empty()).then(|| ids[key].clone());
    let sent: Vec<Value> = measured
        .iter()
        .map(|one| {
            json!({ "kpiId": id, "measuredOn": one.day.to_string(), "touchpointId": id_of(one.place),
                "channelId": id_of(one.channel), "segmentId": id_of(one.segment), "value": one.value,
                "numerator": one.parts.map(|parts| parts.0), "denominator": one.parts.map(|parts| parts.1),
                "sampleSize": one.sample.map(|sample| sample as i64) })
        })
        .collect();
    // Some first with other values, which the second corrects.
    let wrong: Vec<Value> = sent
        .iter()
        .filter(|_| aggregation != "RATIO" && dice.below(3) == 0)
        .map(|one| {
            let mut one = one.clone();
            one["value"] = json!(7.5);
            one
        })
        .collect();
    for batch in [wrong, sent] {
        cx.does(RECORD, json!({ "measurements": batch })).await;
    }
    for (place, key) in [
        ("touchpointId", "T2"),
        ("touchpointId", "T3"),
        ("blueprintId", "open"),
    ] {
        cx.does(LINK, json!({ "kpiId": id, place: ids[key] })).await;
    }
    Random {
        key,
        id: id.as_str().expect("an id").to_owned(),
        aggregation,
        cadence,
        higher,
        minimum: minimum.into(),
        adds,
        targets,
        measured,
    }
}
