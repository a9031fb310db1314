//! Promises in a document: fields and references, the part of a row, the rows of parts, and how those are applied.

use std::collections::{HashMap, HashSet};

use entity::id::{PromiseId, TouchpointId};
use entity::words::PromiseState;
use entity::{promise, promise_delivery};
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, Condition};
use serde::{Deserialize, Serialize};

use crate::access::Permit;
use crate::document::bounds::read_short_list;
use crate::document::catalogue::fold_key;
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::resolver::{Resolver, RowsByNaturalKey};
use crate::document::target::{CurrentBlueprint, ListsByOwner, WantedRows};
use crate::document::write::{
    delete_unwanted_rows, promise_delivery_rows, raise_versions_of_changed_lists, replace_rows,
    upsert_rows,
};
use crate::error::Result;
use crate::id;
use crate::input::LIST;

parts! {
    /// What customers are promised.
    PromisePart or PromisePatch, "promise", ordered: false, repeats: false,
    natural_key {
        /// Its key, unique in the blueprint.
        key: String,
    }
    fields {
        /// The key of the touchpoint where it is made; fixed.
        touchpoint: String,
        /// What is promised.
        text: String,
        /// Whether it is kept.
        state: PromiseState = PromiseState::Unknown,
        /// The keys of the touchpoints that deliver it, in order.
        #[serde(deserialize_with = "read_short_list")]
        delivered_at: Vec<String> = Vec::new(),
    }
}

references! { PromisePart or PromisePatch {
    touchpoint => Touchpoint, RemovePart;
    delivered_at => Touchpoint, DropKey;
}}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn promise_row_to_part(&self, row: &promise::Model) -> PromisePart {
        PromisePart {
            key: row.key.clone(),
            touchpoint: self.key(row.touchpoint_id),
            text: row.text.clone(),
            state: row.state,
            delivered_at: self.keys(self.snapshot.promise_deliveries.get(&row.id)),
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_promises(
        &mut self,
        parts: &[PromisePart],
    ) -> (Vec<promise::Model>, ListsByOwner<PromiseId, TouchpointId>) {
        let mut current = RowsByNaturalKey::new(self.keys.iter().flat_map(|keys| {
            let rows = keys.snapshot.promises.iter();
            rows.map(|row| (keys.promise_row_to_part(row), row))
        }));
        let archived = self.before.into_iter();
        let archived = archived.flat_map(|before| &before.snapshot.archived_promises);
        let archived_keys: HashSet<String> = archived.map(|row| fold_key(&row.key)).collect();
        let (mut rows, mut delivered_at) = (Vec::new(), HashMap::new());
        for part in parts {
            let path = self.part_positions.path("promises", part);
            let at = |field: &str| format!("{path}.{field}");
            let found = current.take_stored_part(part);
            let stored = found.as_ref().map(|found| found.row);
            let id = stored.map_or_else(id::new, |stored: &promise::Model| stored.id);
            let snapshot = self.before.map(|before| &before.snapshot);
            let was = snapshot.and_then(|snapshot| snapshot.promise_deliveries.get(&id));
            if let Some(stored) = found.and_then(|found| found.unchanged_row(part)) {
                delivered_at.insert(id, was.cloned().unwrap_or_default());
                rows.push(stored.clone());
                continue;
            }
            if stored.is_none() {
                self.check_key_is_not_archived(&path, &part.key, &archived_keys);
            }
            let touchpoint = self.resolve_id(&at("touchpoint"), &part.touchpoint);
            let deliver = self.resolve_ids(&at("deliveredAt"), &part.delivered_at);
            let Some(touchpoint_id) = touchpoint else {
                continue;
            };
            if stored.is_some_and(|stored| stored.touchpoint_id != touchpoint_id) {
                self.add_invalid_fault(&path, "The touchpoint at which a promise is made cannot be changed; create another promise.");
            }
            let deliver =
                self.keep_archived_members(&at("deliveredAt"), (id.0, LIST), was, deliver);
            delivered_at.insert(id, deliver);
            rows.push(promise::Model {
                id,
                blueprint_id: self.blueprint,
                key: self.stored_or_checked_key(&path, stored.map(|stored| &stored.key), &part.key),
                touchpoint_id,
                text: self.faults.check_required_text(&at("text"), &part.text),
                state: part.state,
                created_at: stored.map_or(self.now, |stored| stored.created_at),
                version: stored.map_or(1, |stored| stored.version),
            });
        }
        (rows, delivered_at)
    }
}

pub(crate) async fn apply_promises(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let snapshot = before.map(|before| &*before.snapshot);
    let current = snapshot.map_or(&[][..], |snapshot| &snapshot.promises);
    let mut rows = target.promises.clone();
    let was = snapshot.map(|snapshot| &snapshot.promise_deliveries);
    let rise = |row: &mut promise::Model| row.version += 1;
    let changed = raise_versions_of_changed_lists::<promise::Entity, _>(
        current,
        &mut rows,
        was,
        &target.promise_deliveries,
        rise,
    );
    upsert_rows::<promise::Entity>(permit, current, rows).await?;
    let rows = promise_delivery_rows(&changed, target);
    let old = Condition::all().add(promise_delivery::Column::PromiseId.is_in(changed));
    replace_rows::<promise_delivery::Entity>(permit, old, rows).await?;
    delete_unwanted_rows::<promise::Entity>(permit, current, &target.promises).await
}
