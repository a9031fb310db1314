//! Phases in a document: fields and references, the part of a row, the rows of parts, and how those are applied.

use std::collections::HashMap;

use entity::id::{PhaseId, SegmentId};
use entity::words::Stage;
use entity::{phase, phase_segment};
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, Condition};
use serde::{Deserialize, Serialize};

use crate::access::Permit;
use crate::document::bounds::read_short_list;
use crate::document::catalogue::fold_key;
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::resolver::Resolver;
use crate::document::target::{CurrentBlueprint, ListsByOwner, WantedRows};
use crate::document::write::{
    audit_rows_written, phase_segment_rows, raise_versions_of_changed_lists, replace_rows,
    upsert_rows,
};
use crate::error::Result;
use crate::id;

parts! {
    /// A column group, in order.
    PhasePart or PhasePatch, "phase", ordered: true, repeats: false,
    natural_key {
        /// Its key, unique in the blueprint.
        key: String,
    }
    fields {
        /// Its name.
        name: String,
        /// Where it stands relative to what the customer came for.
        stage: Stage,
        /// What the customer wants to reach in it.
        customer_goal: Option<String> = None,
        /// When it is and how long it lasts, in words.
        timing: Option<String> = None,
        /// What to ask there.
        prompt: Option<String> = None,
        /// The keys of the segments that the personas stand for while in it, in order; none: those of the personas.
        #[serde(deserialize_with = "read_short_list")]
        segments: Vec<String> = Vec::new(),
    }
}

references! { PhasePart or PhasePatch {
    segments => Segment, DropKey;
}}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn phase_row_to_part(&self, row: &phase::Model) -> PhasePart {
        PhasePart {
            key: row.key.clone(),
            name: row.name.clone(),
            stage: row.stage,
            customer_goal: row.customer_goal.clone(),
            timing: row.timing.clone(),
            prompt: row.prompt.clone(),
            segments: self.keys(self.snapshot.phase_segments.get(&row.id)),
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_phases(
        &mut self,
        parts: &[PhasePart],
    ) -> (Vec<phase::Model>, ListsByOwner<PhaseId, SegmentId>) {
        let current = self.before.into_iter();
        let current = current.flat_map(|before| &before.snapshot.canvas.phases);
        let mut current: HashMap<String, &phase::Model> =
            current.map(|row| (fold_key(&row.key), row)).collect();
        let (mut rows, mut segments) = (Vec::new(), HashMap::new());
        for (part, position) in parts.iter().zip(1..) {
            let path = self.part_positions.path("phases", part);
            let stored = current.remove(&fold_key(&part.key)).cloned();
            let row = phase::Model {
                id: stored.as_ref().map_or_else(id::new, |stored| stored.id),
                blueprint_id: self.blueprint,
                key: self.stored_or_checked_key(
                    &path,
                    stored.as_ref().map(|stored| &stored.key),
                    &part.key,
                ),
                name: self.faults.check_name(&format!("{path}.name"), &part.name),
                position,
                stage: part.stage,
                customer_goal: self.faults.check_optional_text(
                    &format!("{path}.customerGoal"),
                    part.customer_goal.as_deref(),
                ),
                timing: self
                    .faults
                    .check_optional_text(&format!("{path}.timing"), part.timing.as_deref()),
                prompt: self
                    .faults
                    .check_optional_text(&format!("{path}.prompt"), part.prompt.as_deref()),
                copied_from_id: stored.as_ref().and_then(|stored| stored.copied_from_id),
                created_at: stored.as_ref().map_or(self.now, |stored| stored.created_at),
                archived_at: None,
                version: stored.as_ref().map_or(1, |stored| stored.version),
            };
            self.phases.insert(fold_key(&part.key), row.id);
            segments.insert(
                row.id,
                self.resolve_ids(&format!("{path}.segments"), &part.segments),
            );
            rows.push(row);
        }
        (rows, segments)
    }
}

pub(crate) async fn apply_phases(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let snapshot = before.map(|before| &*before.snapshot);
    let current = snapshot.map_or(&[][..], |snapshot| &snapshot.canvas.phases);
    let positions: HashMap<_, _> = current.iter().map(|row| (row.id, row.position)).collect();
    let (mut rows, mut moved) = (target.phases.clone(), Vec::new());
    let changed = raise_versions_of_changed_lists::<phase::Entity, _>(
        current,
        &mut rows,
        snapshot.map(|snapshot| &snapshot.phase_segments),
        &target.phase_segments,
        |row| row.version += 1,
    );
    for row in &mut rows {
        // Order is not part of a row's own version: what only moves aside stays at its version.
        if let Some(was) = positions.get(&row.id).filter(|was| **was != row.position) {
            moved.push((row.id, std::mem::replace(&mut row.position, *was)));
        }
    }
    upsert_rows::<phase::Entity>(permit, current, rows).await?;
    if !moved.is_empty() {
        crate::blueprint::phase::set_positions(permit, moved).await?;
        audit_rows_written(permit, "moved phases", 1);
    }
    let of_changed = phase_segment::Column::PhaseId.is_in(changed.iter().copied());
    let rows = phase_segment_rows(&changed, target);
    replace_rows::<phase_segment::Entity>(permit, Condition::all().add(of_changed), rows).await
}
