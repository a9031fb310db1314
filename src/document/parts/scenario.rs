//! Scenarios in a document: fields and references, the part of a row, the rows of parts, and how those are applied.

use std::collections::HashMap;

use entity::id::{ScenarioId, TouchpointId};
use entity::words::ScenarioKind;
use entity::{scenario, scenario_step};
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, Condition};
use serde::{Deserialize, Serialize};

use crate::access::Permit;
use crate::document::bounds::read_step_list;
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::resolver::{Resolver, RowsByNaturalKey};
use crate::document::target::{CurrentBlueprint, ListsByOwner, WantedRows};
use crate::document::write::{
    delete_unwanted_rows, raise_versions_of_changed_lists, replace_rows, scenario_step_rows,
    upsert_rows,
};
use crate::error::{Result, UserErrorCode};
use crate::id;
use crate::scenario::MOST_STEPS;

parts! {
    /// A named way through the journey.
    ScenarioPart or ScenarioPatch, "scenario", ordered: false, repeats: false,
    natural_key {
        /// Its name, unique in the blueprint.
        name: String,
    }
    fields {
        /// What kind of way it is.
        kind: ScenarioKind,
        /// A note.
        note: Option<String> = None,
        /// The keys of its touchpoints, in order.
        #[serde(deserialize_with = "read_step_list")]
        touchpoints: Vec<String> = Vec::new(),
    }
}

references! { ScenarioPart or ScenarioPatch {
    touchpoints => Touchpoint, DropKey;
}}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn scenario_row_to_part(&self, row: &scenario::Model) -> ScenarioPart {
        ScenarioPart {
            name: row.name.clone(),
            kind: row.kind,
            note: row.note.clone(),
            touchpoints: self.keys(self.snapshot.scenario_steps.get(&row.id)),
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_scenarios(
        &mut self,
        parts: &[ScenarioPart],
    ) -> (Vec<scenario::Model>, ListsByOwner<ScenarioId, TouchpointId>) {
        let mut current = RowsByNaturalKey::new(self.keys.iter().flat_map(|keys| {
            let rows = keys.snapshot.scenarios.iter();
            rows.map(|row| (keys.scenario_row_to_part(row), row))
        }));
        let (mut rows, mut steps) = (Vec::new(), HashMap::new());
        for part in parts {
            let path = self.part_positions.path("scenarios", part);
            let at = |field: &str| format!("{path}.{field}");
            let found = current.take_stored_part(part);
            let stored = found.as_ref().map(|found| found.row);
            let id = stored.map_or_else(id::new, |stored: &scenario::Model| stored.id);
            let snapshot = self.before.map(|before| &before.snapshot);
            let was = snapshot.and_then(|snapshot| snapshot.scenario_steps.get(&id));
            if let Some(stored) = found.and_then(|found| found.unchanged_row(part)) {
                steps.insert(id, was.cloned().unwrap_or_default());
                rows.push(stored.clone());
                continue;
            }
            if part.touchpoints.len() > MOST_STEPS {
                let message = format!("A scenario has at most {MOST_STEPS} steps.");
                self.faults.add(
                    &at("touchpoints"),
                    UserErrorCode::LimitExceeded,
                    None,
                    message,
                );
            }
            // Not `resolve_ids`, which names each id once: a way may pass a touchpoint more than once.
            let mut way = Vec::new();
            for (step, key) in part.touchpoints.iter().enumerate() {
                way.extend(
                    self.resolve_id::<TouchpointId>(&format!("{path}.touchpoints.{step}"), key),
                );
            }
            let way = self.keep_archived_members(&at("touchpoints"), (id.0, MOST_STEPS), was, way);
            steps.insert(id, way);
            let name = self.faults.check_name(&at("name"), &part.name);
            rows.push(scenario::Model {
                id,
                blueprint_id: self.blueprint,
                // The stored spelling stays: it is matched however its letters are cased.
                name: stored.map_or(name, |stored| stored.name.clone()),
                kind: part.kind,
                note: self
                    .faults
                    .check_optional_text(&at("note"), part.note.as_deref()),
                created_at: stored.map_or(self.now, |stored| stored.created_at),
                version: stored.map_or(1, |stored| stored.version),
            });
        }
        (rows, steps)
    }
}

pub(crate) async fn apply_scenarios(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let snapshot = before.map(|before| &*before.snapshot);
    let current = snapshot.map_or(&[][..], |snapshot| &snapshot.scenarios);
    let mut rows = target.scenarios.clone();
    let was = snapshot.map(|snapshot| &snapshot.scenario_steps);
    let rise = |row: &mut scenario::Model| row.version += 1;
    let changed = raise_versions_of_changed_lists::<scenario::Entity, _>(
        current,
        &mut rows,
        was,
        &target.scenario_steps,
        rise,
    );
    upsert_rows::<scenario::Entity>(permit, current, rows).await?;
    let rows = scenario_step_rows(&changed, target);
    let old = Condition::all().add(scenario_step::Column::ScenarioId.is_in(changed));
    replace_rows::<scenario_step::Entity>(permit, old, rows).await?;
    delete_unwanted_rows::<scenario::Entity>(permit, current, &target.scenarios).await
}
