//! Phases in a document: fields and references, the part of a row, the rows of parts, and how those are applied.

use std::collections::HashMap;

use entity::phase;
use entity::words::Stage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Permit;
use crate::document::catalogue::fold_key;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::reference::References;
use crate::document::resolver::Resolver;
use crate::document::target::CurrentBlueprint;
use crate::document::write::{audit_rows_written, upsert_rows};
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
        /// What to ask there.
        prompt: Option<String> = None,
    }
}

impl References for PhasePart {}
impl References for PhasePatch {}

/// The part of a row.
pub(crate) fn phase_row_to_part(row: &phase::Model) -> PhasePart {
    PhasePart {
        key: row.key.clone(),
        name: row.name.clone(),
        stage: row.stage,
        customer_goal: row.customer_goal.clone(),
        prompt: row.prompt.clone(),
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_phases(&mut self, parts: &[PhasePart]) -> Vec<phase::Model> {
        let before = self.before;
        let current = before.into_iter().flat_map(|before| {
            let live = before.snapshot.canvas.phases.iter();
            live.chain(&before.archived_phases)
        });
        let mut current: HashMap<String, &phase::Model> =
            current.map(|row| (fold_key(&row.key), row)).collect();
        let mut rows = Vec::new();
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
                prompt: self
                    .faults
                    .check_optional_text(&format!("{path}.prompt"), part.prompt.as_deref()),
                copied_from_id: stored.as_ref().and_then(|stored| stored.copied_from_id),
                created_at: stored.as_ref().map_or(self.now, |stored| stored.created_at),
                archived_at: None,
                version: stored.as_ref().map_or(1, |stored| stored.version),
            };
            self.phases.insert(fold_key(&part.key), row.id);
            rows.push(row);
        }
        rows
    }
}

pub(crate) async fn apply_phases(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    wanted: &[phase::Model],
) -> Result<()> {
    let current = before.map_or_else(Vec::new, |before| {
        [&before.snapshot.canvas.phases[..], &before.archived_phases].concat()
    });
    let positions: HashMap<_, _> = current.iter().map(|row| (row.id, row.position)).collect();
    let (mut rows, mut moved) = (wanted.to_vec(), Vec::new());
    for row in &mut rows {
        // Order is not part of a row's own version: what only moves aside stays at its version.
        if let Some(was) = positions.get(&row.id).filter(|was| **was != row.position) {
            moved.push((row.id, std::mem::replace(&mut row.position, *was)));
        }
    }
    upsert_rows::<phase::Entity>(permit, &current, rows).await?;
    if !moved.is_empty() {
        crate::blueprint::phase::set_positions(permit, moved).await?;
        audit_rows_written(permit, "moved phases", 1);
    }
    Ok(())
}
