//! The newest sums at places, kept in memory between requests. As everywhere here, what is kept is trusted by its
//! revision alone: every change of a KPI's values counts up `kpi.series_revision`, which a request reads in the snapshot
//! that it asks for sums in.

use std::{collections::HashMap, sync::Arc};

use chrono::NaiveDate;
use entity::{
    id::{KpiId, TouchpointId},
    kpi,
    words::Cadence,
};

use super::place::{PartSum, SumsOfKpi};
use crate::database::{RevisionCache, RevisionCacheValue, Transaction};

/// The most bytes that are kept.
const BOUND: usize = 32 << 20;

/// A KPI at a touchpoint or, without one, as a whole.
pub(super) type MeasuredPlace = (KpiId, Option<TouchpointId>);

/// A place on the day up to which it is looked at. The cadence is that of the sums: it can change while no value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct PlaceOnDay {
    place: MeasuredPlace,
    cadence: Cadence,
    day: NaiveDate,
}

/// The sums of the newest periods at a place, each with the first day of its period.
struct SumsAtPlace {
    revision: i32,
    sums: Box<[(NaiveDate, PartSum)]>,
}

impl RevisionCacheValue for SumsAtPlace {
    fn revision(&self) -> i32 {
        self.revision
    }

    fn estimated_bytes(&self) -> usize {
        // What the cache itself takes for a value: its key, its slot, and as much again for the free room of a table.
        const SLOT: usize = 2 * (size_of::<PlaceOnDay>() + 24);
        SLOT + size_of::<Self>() + size_of_val(&*self.sums)
    }
}

/// The sums that are kept of one database.
pub(crate) struct KeptSums(RevisionCache<PlaceOnDay, SumsAtPlace>);

impl Default for KeptSums {
    fn default() -> Self {
        Self(RevisionCache::new(BOUND))
    }
}

impl KeptSums {
    /// The bytes that they take, estimated.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

/// Places of KPIs on a day, with the revisions of what was measured of the KPIs.
pub(super) struct WantedPlaces(Vec<(PlaceOnDay, i32)>);

impl WantedPlaces {
    /// These places; those of KPIs that are not among `kpis` are left out.
    pub(super) fn new(
        places: impl IntoIterator<Item = MeasuredPlace>,
        kpis: &HashMap<KpiId, kpi::Model>,
        day: NaiveDate,
    ) -> Self {
        let wanted = places.into_iter().filter_map(|place| {
            let kpi = kpis.get(&place.0)?;
            let key = PlaceOnDay {
                place,
                cadence: kpi.cadence,
                day,
            };
            Some((key, kpi.series_revision))
        });
        Self(wanted.collect())
    }

    /// Takes what is kept of them into `sums`, and leaves the places of which nothing is.
    pub(super) fn take_kept(&mut self, tx: &Transaction, sums: &mut HashMap<KpiId, SumsOfKpi>) {
        let Some(kept) = tx.kept::<KeptSums>() else {
            return;
        };
        let mut each = kept.0.get_each(&self.0).into_iter();
        self.0.retain(|(key, _)| {
            let Some(found) = each.next().flatten() else {
                return true;
            };
            let of_kpi = sums.entry(key.place.0).or_default();
            for (begin, sum) in &found.sums {
                of_kpi.insert(*begin, sum.clone());
            }
            false
        });
    }

    /// Keeps what was read of them.
    pub(super) fn keep(&self, tx: &Transaction, sums: &HashMap<KpiId, SumsOfKpi>) {
        let Some(kept) = tx.kept::<KeptSums>() else {
            return;
        };
        let read = self.0.iter().map(|(key, revision)| {
            let (kpi, touchpoint) = key.place;
            let sums = sums.get(&kpi).into_iter();
            Arc::new(SumsAtPlace {
                revision: *revision,
                sums: sums.flat_map(|of| of.sums_at(touchpoint)).collect(),
            })
        });
        kept.0.insert_unless_newer(&self.0, read.collect());
    }

    /// The places.
    pub(super) fn places(&self) -> impl Iterator<Item = MeasuredPlace> {
        self.0.iter().map(|(key, _)| key.place)
    }
}
