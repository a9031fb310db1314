//! Measured values and what they judge, kept in memory between requests: series over years cost no statement, and the
//! join of facts costs no more than its measurements.
//!
//! Two caches, each bounded in bytes: per KPI its values as columns ([`kpi_values`]), per blueprint its links and
//! holders of roles as intervals of days ([`topology`]). What they keep is never trusted by its age, only by its
//! **revision**. Every change of a KPI's values counts up `kpi.series_revision`, every change inside a blueprint
//! `blueprint.revision`; a request reads these in its own snapshot and asks for exactly them:
//!
//! ```text
//! the snapshot sees   the cache has   what is read
//! KPI 7 at 12         7 at 12         nothing
//! KPI 8 at 5          8 at 3          values of 8 recorded at revisions 4 and 5, merged into a copy
//! KPI 9 at 2          9 at 4          9 whole, for this request alone: others already see what was written later
//! KPI 10 at 1         nothing         10 whole
//! ```
//!
//! So an answer shows what was just written, by this server or another. Two requests that miss the same value both read
//! it. The second does not wait for the first: it would wait with a connection in its hand, and a few slow reads could
//! drain the pool.
//!
//! Nothing here is filtered by caller: who may see which KPI or blueprint was decided before it is asked for.

pub mod kpi_values;
mod load;
pub mod topology;

use std::sync::Arc;

use entity::id::{BlueprintId, KpiId};

use self::{kpi_values::KpiValues, topology::Topology};
use crate::{
    access::Caller,
    database::{RevisionCache, Transaction},
    error::Result,
};

/// The cache. Clones share it.
#[derive(Clone)]
pub struct BiCache(Arc<RevisionCaches>);

struct RevisionCaches {
    measured: RevisionCache<KpiId, KpiValues>,
    topologies: RevisionCache<BlueprintId, Topology>,
}

/// The memory that the cache takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUsage {
    /// The number of measured values.
    pub values: usize,
    /// The bytes of all of it, estimated.
    pub bytes: usize,
    /// The most bytes that it takes.
    pub bound: usize,
}

impl BiCache {
    /// An empty cache that keeps at most so many bytes: a quarter for blueprints, the rest for values.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        let topologies = bound / 4;
        Self(Arc::new(RevisionCaches {
            measured: RevisionCache::new(bound - topologies),
            topologies: RevisionCache::new(topologies),
        }))
    }

    /// The memory that it takes now.
    #[must_use]
    pub fn memory_usage(&self) -> MemoryUsage {
        let (measured, topologies) = (&self.0.measured, &self.0.topologies);
        MemoryUsage {
            values: measured.sum(KpiValues::value_count),
            bytes: measured.bytes() + topologies.bytes(),
            bound: measured.bound + topologies.bound,
        }
    }

    /// The values of these KPIs, each at the revision that the snapshot of `tx` sees.
    pub async fn load_kpi_values(
        &self,
        tx: &Transaction,
        wanted: &[(KpiId, i32)],
    ) -> Result<Vec<Arc<KpiValues>>> {
        let cache = &self.0.measured;
        let read = load::load_kpi_values(tx, wanted, |id| cache.peek_any_revision(id));
        cache.get_or_read(tx, wanted, read).await
    }

    /// The topologies of these blueprints, each at the revision that the snapshot of `tx` sees.
    pub async fn load_topologies(
        &self,
        caller: &Caller,
        tx: &Transaction,
        wanted: &[(BlueprintId, i32)],
    ) -> Result<Vec<Arc<Topology>>> {
        let cache = &self.0.topologies;
        let read = load::load_topologies(caller, tx, wanted, |id| cache.peek_any_revision(id));
        cache.get_or_read(tx, wanted, read).await
    }
}
