//! What was measured of a KPI at a place, period by period: what counts where a period has values of the whole and of
//! parts, of a touchpoint and of the KPI as a whole. Pure.
//!
//! In a period, values for all channels and segments count where there are any, else those by channel alone, else those
//! by segment alone, else those by both. At a touchpoint its own values count where the period has any, else those of
//! the KPI as a whole. The KPI as a whole has its own values, else those of the touchpoints that everybody may read.

use std::collections::{BTreeMap, BTreeSet};

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

/// Sums by part.
type SumsByPart = BTreeMap<KpiPart, Aggregate>;

/// The sums of one KPI by period and touchpoint; without a touchpoint those of the KPI as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct SumsOfKpi {
    sums: BTreeMap<NaiveDate, BTreeMap<Option<TouchpointId>, SumsByPart>>,
    /// The touchpoints that everybody may read: their sums are those of the KPI as a whole where it has none.
    open: BTreeSet<TouchpointId>,
}

impl SumsOfKpi {
    /// Adds what was measured in the period that begins on a day.
    pub(super) fn insert(&mut self, begin: NaiveDate, of: PartSum) {
        let of_period = self.sums.entry(begin).or_default();
        let of_place = of_period.entry(of.touchpoint).or_default();
        of_place.insert(of.part, of.sum);
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
        let periods = self.sums.iter().rev();
        let at_place = periods.filter_map(|(begin, sums)| {
            let own = |place: Option<TouchpointId>| sums.get(&place);
            let (place, parts) = match (touchpoint.and_then(|id| own(Some(id))), own(None)) {
                (Some(own), _) => (
                    KpiFigurePlace::Touchpoint,
                    counting_parts(None, own).collect(),
                ),
                (None, Some(whole)) => {
                    (KpiFigurePlace::Whole, counting_parts(None, whole).collect())
                }
                (None, None) if touchpoint.is_none() => {
                    (KpiFigurePlace::Touchpoints, self.parts_at_touchpoints(sums))
                }
                (None, None) => return None,
            };
            put_together(Period::containing(cadence, *begin), place, parts)
        });
        at_place.collect()
    }

    fn parts_at_touchpoints(
        &self,
        sums: &BTreeMap<Option<TouchpointId>, SumsByPart>,
    ) -> Vec<PartSum> {
        let places = sums
            .iter()
            .filter_map(|(place, own)| Some(((*place)?, own)));
        let open = places.filter(|(touchpoint, _)| self.open.contains(touchpoint));
        open.flat_map(|(touchpoint, own)| counting_parts(Some(touchpoint), own))
            .collect()
    }
}

/// Those of the sums of one place that count: of the first division of the whole that has any.
fn counting_parts(
    touchpoint: Option<TouchpointId>,
    sums: &SumsByPart,
) -> impl Iterator<Item = PartSum> {
    let division = sums.keys().map(|part| part.division()).min();
    let counting = sums
        .iter()
        .filter(move |(part, _)| Some(part.division()) == division);
    counting.map(move |(part, sum)| PartSum {
        touchpoint,
        part: *part,
        sum: *sum,
    })
}

fn put_together(period: Period, place: KpiFigurePlace, parts: Vec<PartSum>) -> Option<PlacePeriod> {
    let mut sum = Aggregate::default();
    for part in &parts {
        let mut joined = part.sum;
        joined.set_by_part(part.part != KpiPart::WHOLE);
        sum.join(&joined);
    }
    let is_whole = place != KpiFigurePlace::Touchpoints
        && matches!(parts.as_slice(), [one] if one.part == KpiPart::WHOLE);
    (!parts.is_empty()).then(|| PlacePeriod {
        period,
        place,
        sum,
        parts: if is_whole { Vec::new() } else { parts },
    })
}
