//! What was measured of a KPI at a place, period by period: what counts where a period has values of the whole and of
//! parts, of a touchpoint and of the KPI as a whole. Pure.
//!
//! In a period, values for all channels and segments count where there are any, else those by channel alone, else those
//! by segment alone, else those by both. At a touchpoint its own values count where the period has any, else those of
//! the KPI as a whole. The KPI as a whole has its own values, else those of the touchpoints that everybody may read.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use async_graphql::Enum;
use chrono::NaiveDate;
use entity::id::TouchpointId;
use serde::Serialize;

use super::{
    aggregate::Aggregate,
    period::{Grain, Period},
    target::KpiPart,
};

/// Where the values of a figure were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KpiFigurePlace {
    /// At the touchpoint that is judged.
    Touchpoint,
    /// The KPI as a whole.
    Whole,
    /// At touchpoints, put together: the KPI as a whole has no values of the period.
    Touchpoints,
}

/// What was measured of one part.
#[derive(Clone, Debug)]
pub struct PartSum {
    /// Where the KPI as a whole is put together from touchpoints: this one.
    pub touchpoint: Option<TouchpointId>,
    pub part: KpiPart,
    pub sum: Aggregate,
}

impl PartSum {
    /// Whether both are of the same part.
    #[must_use]
    pub fn is_same_part(&self, other: &Self) -> bool {
        (self.touchpoint, self.part) == (other.touchpoint, other.part)
    }
}

/// The values of a period that count at a place.
#[derive(Clone, Debug)]
pub struct PlacePeriod {
    pub period: Period,
    pub place: KpiFigurePlace,
    /// All of them, put together.
    pub sum: Aggregate,
    /// What they are put together from; nothing where they were measured as a whole.
    pub parts: Vec<PartSum>,
}

/// What was measured in one period at one place.
#[derive(Clone, Debug)]
struct PeriodAtPlace {
    /// The first day of the period.
    begin: NaiveDate,
    /// By part, in the order of parts.
    sums: Vec<(KpiPart, Aggregate)>,
}

/// The sums of one KPI by touchpoint and period; without a touchpoint those of the KPI as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct SumsOfKpi {
    /// The periods of each place, the newest first.
    places: HashMap<Option<TouchpointId>, Vec<PeriodAtPlace>>,
    /// The touchpoints that everybody may read: their sums are those of the KPI as a whole where it has none.
    open: BTreeSet<TouchpointId>,
}

impl SumsOfKpi {
    /// Adds what was measured in the period that begins on a day.
    pub(super) fn insert(&mut self, begin: NaiveDate, of: PartSum) {
        let periods = self.places.entry(of.touchpoint).or_default();
        let at = match find_period(periods, begin) {
            Ok(at) => at,
            Err(at) => {
                let sums = Vec::with_capacity(1);
                periods.insert(at, PeriodAtPlace { begin, sums });
                at
            }
        };
        let sums = &mut periods[at].sums;
        match sums.binary_search_by_key(&of.part, |(part, _)| *part) {
            Ok(at) => sums[at].1 = of.sum,
            Err(at) => sums.insert(at, (of.part, of.sum)),
        }
    }

    /// Notes that everybody may read of a touchpoint.
    pub(super) fn note_open(&mut self, touchpoint: TouchpointId) {
        self.open.insert(touchpoint);
    }

    /// The periods of a cadence at a touchpoint, or of the KPI as a whole, the newest first.
    #[must_use]
    pub(super) fn periods_at(
        &self,
        touchpoint: Option<TouchpointId>,
        cadence: Grain,
    ) -> Vec<PlacePeriod> {
        let (own, whole) = (self.periods_of(touchpoint), self.periods_of(None));
        let at_place = |place| {
            move |of: &PeriodAtPlace| {
                put_together(Period::containing(cadence, of.begin), place, &of.sums)
            }
        };
        let is_missing = |of: &&PeriodAtPlace| find_period(own, of.begin).is_err();
        let mut periods: Vec<PlacePeriod> = match touchpoint {
            Some(_) => {
                let own = own.iter().map(at_place(KpiFigurePlace::Touchpoint));
                let whole = whole.iter().filter(is_missing);
                own.chain(whole.map(at_place(KpiFigurePlace::Whole)))
                    .collect()
            }
            None => {
                let whole = whole.iter().map(at_place(KpiFigurePlace::Whole));
                whole
                    .chain(self.at_touchpoints(is_missing, cadence))
                    .collect()
            }
        };
        periods.sort_by_key(|of| Reverse(of.period.begin));
        periods
    }

    /// The sums at a place, each with the first day of its period.
    pub(super) fn sums_at(
        &self,
        touchpoint: Option<TouchpointId>,
    ) -> impl Iterator<Item = (NaiveDate, PartSum)> {
        self.periods_of(touchpoint).iter().flat_map(move |of| {
            let sums = of.sums.iter();
            sums.map(move |(part, sum)| {
                let of_part = PartSum {
                    touchpoint,
                    part: *part,
                    sum: *sum,
                };
                (of.begin, of_part)
            })
        })
    }

    /// The periods of a place, the newest first.
    fn periods_of(&self, place: Option<TouchpointId>) -> &[PeriodAtPlace] {
        self.places.get(&place).map_or(&[], Vec::as_slice)
    }

    /// The wanted periods of the KPI as a whole, put together from touchpoints.
    fn at_touchpoints(
        &self,
        is_wanted: impl Fn(&&PeriodAtPlace) -> bool,
        cadence: Grain,
    ) -> impl Iterator<Item = PlacePeriod> {
        let mut parts: BTreeMap<NaiveDate, Vec<PartSum>> = BTreeMap::new();
        for touchpoint in &self.open {
            let periods = self.periods_of(Some(*touchpoint)).iter();
            for of in periods.filter(&is_wanted) {
                let of_period = parts.entry(of.begin).or_default();
                of_period.extend(counting_parts(Some(*touchpoint), &of.sums));
            }
        }
        parts.into_iter().map(move |(begin, parts)| PlacePeriod {
            period: Period::containing(cadence, begin),
            place: KpiFigurePlace::Touchpoints,
            sum: sum_of_parts(&parts),
            parts,
        })
    }
}

/// Where the period that begins on a day is, or would be.
fn find_period(periods: &[PeriodAtPlace], begin: NaiveDate) -> Result<usize, usize> {
    periods.binary_search_by(|of| begin.cmp(&of.begin))
}

/// Those of the sums of one place that count: of the first division of the whole that has any.
fn counting_parts(
    touchpoint: Option<TouchpointId>,
    sums: &[(KpiPart, Aggregate)],
) -> impl Iterator<Item = PartSum> {
    let division = sums.iter().map(|(part, _)| part.division()).min();
    let counting = sums
        .iter()
        .filter(move |(part, _)| Some(part.division()) == division);
    counting.map(move |(part, sum)| PartSum {
        touchpoint,
        part: *part,
        sum: *sum,
    })
}

/// A period at a place that has values of it.
fn put_together(
    period: Period,
    place: KpiFigurePlace,
    sums: &[(KpiPart, Aggregate)],
) -> PlacePeriod {
    let whole = sums.iter().find(|(part, _)| *part == KpiPart::WHOLE);
    let parts: Vec<PartSum> = match whole {
        Some(_) => Vec::new(),
        None => counting_parts(None, sums).collect(),
    };
    PlacePeriod {
        period,
        place,
        sum: whole.map_or_else(|| sum_of_parts(&parts), |(_, whole)| *whole),
        parts,
    }
}

/// The values of some parts, put together.
fn sum_of_parts(parts: &[PartSum]) -> Aggregate {
    let mut sum = Aggregate::default();
    for part in parts {
        let mut joined = part.sum;
        joined.set_by_part(part.part != KpiPart::WHOLE);
        sum.join(&joined);
    }
    sum
}
