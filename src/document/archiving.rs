//! Archives the phases and touchpoints that a document leaves out, where it prunes, and brings back those that it names,
//! before it is laid over the blueprint. What hangs on an archived touchpoint is hidden with it and comes back with it;
//! nothing of it is deleted, and what comes back meets the document with all that it was.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use entity::{
    blueprint,
    id::{BlueprintId, PhaseId},
    phase, touchpoint,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::{
    blueprint::{BlueprintDocumentPatch, Document},
    catalogue::fold_key,
    export::STEPS_PER_ROW,
    parts::touchpoint::TouchpointPatch,
    target::CurrentBlueprint,
};
use crate::{
    access::Permit, compute::WorkBudget, error::Result, reorganise,
    responsibility::resume::resume_suspended, snapshot::WholeBlueprint, touchpoint as touchpoints,
};

/// The phases and touchpoints that a document names, by key.
pub(super) struct NamedPlaces {
    phases: HashSet<String>,
    /// Whether a phase that is not named goes.
    are_phases_complete: bool,
    /// For each touchpoint the phase that is named for it.
    touchpoints: HashMap<String, Option<String>>,
    /// Whether a touchpoint that is not named goes.
    are_touchpoints_complete: bool,
}

impl NamedPlaces {
    /// Those of a document, which is complete in the lists that it has where it prunes.
    pub(super) fn of_document(patch: &BlueprintDocumentPatch, prune: bool) -> Self {
        let phases = patch.phases.0.iter().flatten().map(|phase| &phase.key);
        let touchpoints = patch.touchpoints.0.as_deref();
        Self {
            are_phases_complete: prune && patch.phases.0.is_some(),
            are_touchpoints_complete: prune && touchpoints.is_some(),
            ..Self::of_sheet(phases, touchpoints.unwrap_or_default(), false)
        }
    }

    /// Those of a sheet, which says nothing of phases that it does not name; where it prunes, it names every touchpoint.
    pub(super) fn of_sheet<'k>(
        phases: impl Iterator<Item = &'k String>,
        touchpoints: &[TouchpointPatch],
        prune: bool,
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
            are_phases_complete: false,
            touchpoints,
            are_touchpoints_complete: prune,
        }
    }

    fn names_phase(&self, row: &phase::Model) -> bool {
        self.phases.contains(&fold_key(&row.key))
    }

    fn names_touchpoint(&self, row: &touchpoint::Model) -> bool {
        self.touchpoints.contains_key(&fold_key(&row.key))
    }

    /// The phase that is named for a touchpoint.
    fn phase_for(&self, row: &touchpoint::Model) -> Option<&String> {
        self.touchpoints.get(&fold_key(&row.key))?.as_ref()
    }
}

/// What is archived and what comes back.
struct ArchivingPlan {
    touchpoints_back: Vec<touchpoint::Model>,
    phases_back: Vec<phase::Model>,
    touchpoints_gone: Vec<touchpoint::Model>,
    phases_gone: Vec<phase::Model>,
    /// The phases that are live afterwards, in order.
    phases_live: Vec<phase::Model>,
}

impl ArchivingPlan {
    /// Plans for a blueprint with these phases, archived ones too, and these archived touchpoints.
    fn new(
        found: &WholeBlueprint,
        phases: Vec<phase::Model>,
        archived: Vec<touchpoint::Model>,
        named: &NamedPlaces,
    ) -> Self {
        let is_named = |row: &touchpoint::Model| named.names_touchpoint(row);
        let touchpoints_back: Vec<_> = archived.into_iter().filter(is_named).collect();
        let live = found.canvas.touchpoints.iter();
        let gone = live.filter(|row| named.are_touchpoints_complete && !is_named(row));
        let touchpoints_gone = gone.cloned().collect();
        // Where no other phase is named for a touchpoint, it comes back with the one in which it was.
        let own = touchpoints_back.iter();
        let own = own.filter(|row| named.phase_for(row).is_none());
        let own: HashSet<PhaseId> = own.map(|row| row.phase_id).collect();
        let comes_back = |row: &&phase::Model| {
            row.archived_at.is_some() && (named.names_phase(row) || own.contains(&row.id))
        };
        let mut phases_back: Vec<_> = phases.iter().filter(comes_back).cloned().collect();
        let goes = |row: &&phase::Model| {
            named.are_phases_complete && row.archived_at.is_none() && !named.names_phase(row)
        };
        let mut phases_gone: Vec<_> = phases.iter().filter(goes).cloned().collect();
        let is_among =
            |list: &[phase::Model], row: &phase::Model| list.iter().any(|other| other.id == row.id);
        let mut phases_live: Vec<_> = phases
            .iter()
            .filter(|row| row.archived_at.is_none() || is_among(&phases_back, row))
            .filter(|row| !is_among(&phases_gone, row))
            .cloned()
            .collect();
        // Only new phases are named: until they are made, what stays and what comes back has to stand in one that is
        // there. The import moves it on, and archives the phase.
        if phases_live.is_empty() {
            let stays = phases_gone.first().cloned();
            let stays = stays.or_else(|| {
                let first = touchpoints_back.first()?;
                phases.iter().find(|row| row.id == first.phase_id).cloned()
            });
            phases_gone.retain(|row| stays.as_ref().is_none_or(|stays| stays.id != row.id));
            phases_back.extend(
                stays
                    .iter()
                    .filter(|row| row.archived_at.is_some())
                    .cloned(),
            );
            phases_live.extend(stays);
        }
        Self {
            touchpoints_back,
            phases_back,
            touchpoints_gone,
            phases_gone,
            phases_live,
        }
    }

    fn is_empty(&self) -> bool {
        self.touchpoints_back.is_empty()
            && self.phases_back.is_empty()
            && self.touchpoints_gone.is_empty()
            && self.phases_gone.is_empty()
    }

    /// The phase for a touchpoint from now on: that which is named for it, or its own; where the one is new and the other
    /// goes or is archived any other, from which the import moves it.
    fn phase_for(&self, row: &touchpoint::Model, named: &NamedPlaces) -> PhaseId {
        let key = named.phase_for(row);
        let live = &self.phases_live;
        let by_name = live
            .iter()
            .find(|phase| key.is_some_and(|key| fold_key(&phase.key) == *key));
        let own = live.iter().find(|phase| phase.id == row.phase_id);
        let found = by_name.or(own).or(live.first());
        found.map_or(row.phase_id, |phase| phase.id)
    }

    async fn carry_out(
        &self,
        permit: &mut Permit<'_>,
        found: &WholeBlueprint,
        named: &NamedPlaces,
    ) -> Result<()> {
        let blueprint = &found.canvas.blueprint;
        for row in &self.touchpoints_gone {
            let held = found.canvas.responsibilities_of_touchpoint(row.id);
            reorganise::touchpoint::suspend_touchpoint_missing_from_import(permit, blueprint, held)
                .await?;
            touchpoints::archive_fetched(permit, row).await?;
        }
        for row in &self.phases_back {
            permit.set_archived::<phase::Entity>(row, false).await?;
        }
        let is_gone = |id: PhaseId| self.phases_gone.iter().any(|phase| phase.id == id);
        for row in &found.canvas.touchpoints {
            let stays = self.touchpoints_gone.iter().all(|gone| gone.id != row.id);
            if stays && is_gone(row.phase_id) {
                let phase = self.phase_for(row, named);
                touchpoints::put_at_end_of_phase(permit, row, phase).await?;
            }
        }
        for row in &self.phases_gone {
            permit.set_archived::<phase::Entity>(row, true).await?;
        }
        for row in &self.touchpoints_back {
            let phase = self.phase_for(row, named);
            if phase == row.phase_id {
                touchpoints::unarchive_fetched(permit, row).await?;
            } else {
                touchpoints::put_at_end_of_phase(permit, row, phase).await?;
            }
            if let Some(archived_at) = row.archived_at {
                let at = (row.id, archived_at);
                resume_suspended(permit, at, blueprint.owner_department_id).await?;
            }
        }
        Ok(())
    }
}

impl CurrentBlueprint {
    /// Loads a locked blueprint as it is once what is not named has gone, where the document is complete, and what is
    /// named has come back; besides, where any has, its document as it was found.
    pub(super) async fn load(
        permit: &mut Permit<'_>,
        row: blueprint::Model,
        named: &NamedPlaces,
    ) -> Result<(Self, Option<Document>)> {
        let caller = permit.caller;
        let found = WholeBlueprint::load(caller, permit.tx(), row.clone(), caller.today).await?;
        let phases = load_phases(permit, row.id).await?;
        let archived = load_archived_touchpoints(permit, row.id).await?;
        let plan = ArchivingPlan::new(&found, phases, archived, named);
        if plan.is_empty() {
            let snapshot = Arc::new(found);
            return Ok((Self { snapshot }, None));
        }
        plan.carry_out(permit, &found, named).await?;
        let rows = found.row_count();
        let written = move |steps: &WorkBudget| {
            steps.spend(STEPS_PER_ROW * rows)?;
            Ok(Document::from_snapshot(&found))
        };
        let document = caller.run_on_compute_pool(written).await?;
        // Its rows are no longer kept.
        caller.budget.give_back_rows(rows);
        let snapshot = WholeBlueprint::load(caller, permit.tx(), row, caller.today).await?;
        let snapshot = Arc::new(snapshot);
        Ok((Self { snapshot }, Some(document)))
    }
}

async fn load_archived_touchpoints(
    permit: &Permit<'_>,
    blueprint: BlueprintId,
) -> Result<Vec<touchpoint::Model>> {
    Ok(touchpoint::Entity::find()
        .filter(touchpoint::Column::BlueprintId.eq(blueprint))
        .filter(touchpoint::Column::ArchivedAt.is_not_null())
        .order_by_asc(touchpoint::Column::Position)
        .order_by_asc(touchpoint::Column::Id)
        .all(permit.tx())
        .await?)
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
