//! Transitions in a document: fields and references, the part of a row, and the rows of parts.

use entity::transition;
use entity::words::{Basis, End, TransitionKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::authority::ImportConsent;
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::resolver::{Resolver, RowsByNaturalKey};
use crate::id;
use crate::touchpoint::transition::add_transition_shape_fault;

parts! {
    /// A way from one touchpoint to another, or from or to an end of the graph.
    TransitionPart or TransitionPatch, "transition", ordered: false, repeats: false,
    natural_key {
        /// The key of the touchpoint that it leads from; null where it leads from an end.
        #[serde(default)]
        from: Option<String>,
        /// The key of the touchpoint that it leads to; null where it leads to an end.
        #[serde(default)]
        to: Option<String>,
        /// The end of the graph, where one side is null.
        #[serde(default)]
        end: Option<End>,
        /// What kind of way it is.
        kind: TransitionKind,
    }
    fields {
        /// When it is taken.
        condition: Option<String> = None,
        /// The longest acceptable wait, in minutes.
        max_wait_minutes: Option<i32> = None,
        /// How it is known.
        basis: Basis = Basis::Assumed,
    }
}

references! { TransitionPart or TransitionPatch {
    from => Touchpoint, RemovePart;
    to => Touchpoint, RemovePart;
}}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn transition_row_to_part(&self, row: &transition::Model) -> TransitionPart {
        TransitionPart {
            from: self.optional_key(row.from_touchpoint_id),
            to: self.optional_key(row.to_touchpoint_id),
            end: row.end,
            kind: row.kind,
            condition: row.condition.clone(),
            max_wait_minutes: row.max_wait_minutes,
            basis: row.basis,
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_transitions(
        &mut self,
        parts: &[TransitionPart],
    ) -> Vec<transition::Model> {
        let mut current = RowsByNaturalKey::new(self.keys.iter().flat_map(|keys| {
            let rows = keys.snapshot.canvas.transitions.iter();
            rows.map(|row| (keys.transition_row_to_part(row), row))
        }));
        let mut rows = Vec::new();
        for part in parts {
            let path = self.part_positions.path("transitions", part);
            let stored = current.take_row_of(part);
            let at = |field: &str| format!("{path}.{field}");
            let from = self.resolve_optional_id(&at("from"), part.from.as_ref());
            let to = self.resolve_optional_id(&at("to"), part.to.as_ref());
            let (Some(from), Some(to)) = (from, to) else {
                continue;
            };
            // Kind and ends are what it is found by: one that is there already, or at the origin of a copy, has been
            // judged.
            if stored.is_none() && self.authority == ImportConsent::Own {
                add_transition_shape_fault(self.faults, &path, (part.kind, from, to, part.end));
            }
            rows.push(transition::Model {
                id: stored.map_or_else(id::new, |stored| stored.id),
                blueprint_id: self.blueprint,
                kind: part.kind,
                end: part.end,
                from_touchpoint_id: from,
                to_touchpoint_id: to,
                condition: self
                    .faults
                    .check_optional_text(&at("condition"), part.condition.as_deref()),
                max_wait_minutes: self.faults.check_within(
                    &at("maxWaitMinutes"),
                    part.max_wait_minutes,
                    0..=i32::MAX,
                ),
                basis: part.basis,
                created_at: stored.map_or(self.now, |stored| stored.created_at),
                version: stored.map_or(1, |stored| stored.version),
            });
        }
        rows
    }
}
