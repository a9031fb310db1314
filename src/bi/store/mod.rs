//! Measured values and what they judge, kept in memory between requests, so that sums over years cost no statement, and
//! the join of facts no more than its measurements.
//!
//! What is kept is never taken on trust: every request reads the revisions that its own snapshot of the database sees
//! (`kpi.series_revision`, `blueprint.revision`) and takes what is kept at exactly those. What is older is caught up
//! with by reading what has come since; what is newer, written behind the snapshot, is read for the request alone. So
//! an answer shows what was just written, by this server or another. Two requests that miss the same at the same time
//! both read it: neither waits, with a connection in its hand, for what another one reads. What a caller may see is decided before: this
//! room is asked for KPIs and blueprints by their ids.

mod cache;
pub mod kpi_columns;
mod load;
pub mod topology;

use std::sync::Arc;

use entity::id::{BlueprintId, KpiId};

use self::{cache::RevisionCache, kpi_columns::KpiColumns, topology::Topology};
use crate::{access::Caller, database::Transaction, error::Result};

/// What is kept in memory; a copy is the same.
#[derive(Clone)]
pub struct BiStore(Arc<StoreCaches>);

struct StoreCaches {
    measured: RevisionCache<KpiId, KpiColumns>,
    places: RevisionCache<BlueprintId, Topology>,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUsage {
    /// Values that were measured.
    pub values: usize,
    /// About how many bytes all of it takes.
    pub bytes: usize,
    /// How many bytes it may take.
    pub bound: usize,
}

impl BiStore {
    /// An empty one, that keeps about so many bytes at the most; what was asked for longest ago goes first.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        let places = bound / 4;
        Self(Arc::new(StoreCaches {
            measured: RevisionCache::new(bound - places),
            places: RevisionCache::new(places),
        }))
    }

    /// How much is kept.
    #[must_use]
    pub fn weight(&self) -> MemoryUsage {
        let (measured, places) = (&self.0.measured, &self.0.places);
        MemoryUsage {
            values: measured.sum(KpiColumns::values),
            bytes: measured.bytes() + places.bytes(),
            bound: measured.bound + places.bound,
        }
    }

    /// What was measured of these KPIs, each at the revision that the snapshot sees.
    pub async fn measured(
        &self,
        tx: &Transaction,
        wanted: &[(KpiId, i32)],
    ) -> Result<Vec<Arc<KpiColumns>>> {
        if let Some(all) = self.0.measured.all(wanted) {
            return Ok(all);
        }
        let read = tx
            .for_everybody(load::measured(tx, wanted, |id| self.0.measured.get(id)))
            .await?;
        Ok(self.0.measured.keep(wanted, read))
    }

    /// What is judged in these blueprints, each at the revision that the snapshot sees.
    pub async fn places(
        &self,
        caller: &Caller,
        tx: &Transaction,
        wanted: &[(BlueprintId, i32)],
    ) -> Result<Vec<Arc<Topology>>> {
        if let Some(all) = self.0.places.all(wanted) {
            return Ok(all);
        }
        let read = tx
            .for_everybody(load::places(caller, tx, wanted, |id| self.0.places.get(id)))
            .await?;
        Ok(self.0.places.keep(wanted, read))
    }
}
