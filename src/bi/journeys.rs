//! The blueprints that count in a scope, each with its topology from the cache.

use std::{ops::Deref, sync::Arc};

use entity::{
    blueprint,
    id::{BlueprintId, PersonaId, TouchpointId},
};
use sea_orm::{QueryOrder, QuerySelect};

use super::{
    cache::{BiCache, topology::Topology},
    scope::ReaderScope,
};
use crate::{access::Caller, database::Transaction, error::Result};

/// A blueprint that counts.
pub struct JourneyWithTopology {
    pub id: BlueprintId,
    pub key: String,
    /// The main persona.
    pub persona: PersonaId,
    pub topology: Arc<Topology>,
}

/// The blueprints that count, sorted by id.
pub struct JourneysWithTopology(Vec<JourneyWithTopology>);

impl Deref for JourneysWithTopology {
    type Target = [JourneyWithTopology];

    fn deref(&self) -> &[JourneyWithTopology] {
        &self.0
    }
}

impl JourneysWithTopology {
    /// Reads those that count in a scope. Their revisions and the rest come from one snapshot.
    pub async fn load(
        caller: &Caller,
        cache: &BiCache,
        tx: &Transaction,
        scope: &ReaderScope<'_>,
    ) -> Result<Self> {
        use blueprint::Column::{Id, Key, PersonaId as Persona, Revision};
        let rows: Vec<(BlueprintId, String, PersonaId, i32)> = scope
            .select_reportable_blueprints()
            .select_only()
            .columns([Id, Key, Persona, Revision])
            .order_by_asc(Id)
            .into_tuple()
            .all(tx)
            .await?;
        let wanted: Vec<_> = rows.iter().map(|row| (row.0, row.3)).collect();
        let topologies = cache.load_topologies(caller, tx, &wanted).await?;
        let journeys = rows.into_iter().zip(topologies);
        let journeys = journeys.map(|((id, key, persona, _), topology)| JourneyWithTopology {
            id,
            key,
            persona,
            topology,
        });
        Ok(Self(journeys.collect()))
    }

    /// The indices of a touchpoint: of its journey, and among the touchpoints there; none where the blueprint does not
    /// count.
    #[must_use]
    pub fn find_touchpoint_indices(
        &self,
        blueprint: BlueprintId,
        touchpoint: TouchpointId,
    ) -> Option<(usize, usize)> {
        let journey = self.0.binary_search_by_key(&blueprint, |one| one.id);
        let journey = journey.ok()?;
        let touchpoint = self.0[journey].topology.touchpoint_index(touchpoint)?;
        Some((journey, touchpoint))
    }
}
