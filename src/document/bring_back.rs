//! Brings back the archived phases and touchpoints that a document names, before it is laid over the blueprint: it then
//! meets them with all that they were and all that hangs on them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use entity::{blueprint, id::BlueprintId, id::PhaseId, phase, touchpoint};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

use super::{catalogue::fold_key, parts::touchpoint::TouchpointPatch, target::CurrentBlueprint};
use crate::{access::Permit, error::Result, snapshot::WholeBlueprint};

/// The phases and touchpoints that a document names, by key.
pub(super) struct NamedPlaces {
    phases: HashSet<String>,
    /// For each touchpoint the phase that is named for it.
    touchpoints: HashMap<String, Option<String>>,
}

impl NamedPlaces {
    pub(super) fn new<'k>(
        phases: impl Iterator<Item = &'k String>,
        touchpoints: &[TouchpointPatch],
    ) -> Self {
        let touchpoints = touchpoints.iter().map(|patch| {
            let phase = patch.phase.0.as_deref().map(fold_key);
            (fold_key(&patch.key), phase)
        });
        let touchpoints: HashMap<String, Option<String>> = touchpoints.collect();
        let phases = phases.map(|key| fold_key(key));
        Self {
            phases: phases
                .chain(touchpoints.values().flatten().cloned())
                .collect(),
            touchpoints,
        }
    }

    /// The phase that is named for a touchpoint.
    fn phase_for(&self, row: &touchpoint::Model) -> Option<&String> {
        self.touchpoints.get(&fold_key(&row.key))?.as_ref()
    }
}

impl CurrentBlueprint {
    /// Loads a locked blueprint, with the archived phases and touchpoints that are named brought back.
    pub(super) async fn load(
        permit: &mut Permit<'_>,
        row: blueprint::Model,
        named: &NamedPlaces,
    ) -> Result<Self> {
        let caller = permit.caller;
        let load = |row| WholeBlueprint::load(caller, permit.tx(), row, caller.today);
        let found = Arc::new(load(row.clone()).await?);
        let touchpoints = load_archived_touchpoints(permit, row.id, named).await?;
        let phases = load_phases(permit, row.id).await?;
        let back = phases_that_come_back(&phases, &touchpoints, named);
        if touchpoints.is_empty() && back.is_empty() {
            return Ok(Self {
                snapshot: found,
                found: None,
                brought_back: Vec::new(),
            });
        }
        for phase in &back {
            permit.set_archived::<phase::Entity>(phase, false).await?;
        }
        let live = |phase: &&phase::Model| {
            phase.archived_at.is_none() || back.iter().any(|back| back.id == phase.id)
        };
        let live: Vec<&phase::Model> = phases.iter().filter(live).collect();
        for touchpoint in &touchpoints {
            let change = touchpoint::ActiveModel {
                archived_at: Set(None),
                phase_id: Set(phase_of_return(touchpoint, &live, named)),
                ..Default::default()
            };
            permit
                .update::<touchpoint::Entity>(touchpoint, change)
                .await?;
        }
        let snapshot = WholeBlueprint::load(caller, permit.tx(), row, caller.today).await?;
        Ok(Self {
            snapshot: Arc::new(snapshot),
            found: Some(found),
            brought_back: touchpoints,
        })
    }
}

async fn load_archived_touchpoints(
    permit: &Permit<'_>,
    blueprint: BlueprintId,
    named: &NamedPlaces,
) -> Result<Vec<touchpoint::Model>> {
    let archived = touchpoint::Entity::find()
        .filter(touchpoint::Column::BlueprintId.eq(blueprint))
        .filter(touchpoint::Column::ArchivedAt.is_not_null())
        .order_by_asc(touchpoint::Column::Id)
        .all(permit.tx())
        .await?;
    let is_named = |row: &touchpoint::Model| named.touchpoints.contains_key(&fold_key(&row.key));
    Ok(archived.into_iter().filter(is_named).collect())
}

/// The phases of a blueprint, archived ones too, in order.
async fn load_phases(permit: &Permit<'_>, blueprint: BlueprintId) -> Result<Vec<phase::Model>> {
    Ok(phase::Entity::find()
        .filter(phase::Column::BlueprintId.eq(blueprint))
        .order_by_asc(phase::Column::Position)
        .order_by_asc(phase::Column::Id)
        .all(permit.tx())
        .await?)
}

/// The archived phases that are named, or in which a touchpoint that comes back was and for which no other is named.
fn phases_that_come_back(
    phases: &[phase::Model],
    touchpoints: &[touchpoint::Model],
    named: &NamedPlaces,
) -> Vec<phase::Model> {
    let nowhere_else = |phase: PhaseId| {
        let inside = touchpoints.iter().filter(|row| row.phase_id == phase);
        inside.into_iter().any(|row| named.phase_for(row).is_none())
    };
    let archived = phases.iter().filter(|phase| phase.archived_at.is_some());
    archived
        .filter(|phase| named.phases.contains(&fold_key(&phase.key)) || nowhere_else(phase.id))
        .cloned()
        .collect()
}

/// The phase in which a touchpoint comes back: that which is named for it, or the one in which it was; where the one is
/// new and the other archived any other, from which the import moves it.
fn phase_of_return(
    row: &touchpoint::Model,
    live: &[&phase::Model],
    named: &NamedPlaces,
) -> PhaseId {
    let key = named.phase_for(row);
    let by_name = live
        .iter()
        .find(|phase| key.is_some_and(|key| fold_key(&phase.key) == *key));
    let own = live.iter().find(|phase| phase.id == row.phase_id);
    let found = by_name.or(own).or(live.first());
    found.map_or(row.phase_id, |phase| phase.id)
}
