//! The blueprints that count for whoever asks, each with what is judged in it and who holds a role there.

use std::{ops::Deref, sync::Arc};

use entity::{
    blueprint,
    id::{BlueprintId, PersonaId, TouchpointId},
};
use sea_orm::{QueryOrder, QuerySelect};

use super::{
    scope::Scope,
    store::{BiStore, topology::Topology},
};
use crate::{access::Caller, database::Transaction, error::Result};

/// A blueprint that counts.
pub struct Journey {
    pub id: BlueprintId,
    pub key: String,
    /// The main persona.
    pub persona: PersonaId,
    pub places: Arc<Topology>,
}

/// All of them, by id.
pub struct Journeys(Vec<Journey>);

impl Deref for Journeys {
    type Target = [Journey];

    fn deref(&self) -> &[Journey] {
        &self.0
    }
}

impl Journeys {
    /// Those that count in this scope.
    pub async fn of(
        caller: &Caller,
        cube: &BiStore,
        tx: &Transaction,
        scope: &Scope<'_>,
    ) -> Result<Self> {
        use blueprint::Column::{Id, Key, PersonaId as Persona, Revision};
        let rows: Vec<(BlueprintId, String, PersonaId, i32)> = scope
            .counted_blueprints()
            .select_only()
            .columns([Id, Key, Persona, Revision])
            .order_by_asc(Id)
            .into_tuple()
            .all(tx)
            .await?;
        let wanted: Vec<_> = rows.iter().map(|row| (row.0, row.3)).collect();
        let places = cube.places(caller, tx, &wanted).await?;
        let journeys = rows.into_iter().zip(places);
        let journeys = journeys.map(|((id, key, persona, _), places)| Journey {
            id,
            key,
            persona,
            places,
        });
        Ok(Self(journeys.collect()))
    }

    /// Where a touchpoint of a blueprint is: which journey, which of its touchpoints; nothing where that does not count.
    #[must_use]
    pub fn at(&self, blueprint: BlueprintId, touchpoint: TouchpointId) -> Option<(usize, usize)> {
        let journey = self.0.binary_search_by_key(&blueprint, |one| one.id);
        let journey = journey.ok()?;
        let touchpoint = self.0[journey].places.touchpoint(touchpoint)?;
        Some((journey, touchpoint))
    }
}
