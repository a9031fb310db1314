//! Sources in a document: fields and references, the part of a row, and the rows of parts.

use chrono::NaiveDate;
use entity::source;
use entity::words::SourceKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::bounds::read_optional_day;
use crate::document::catalogue::fold_key;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::reference::References;
use crate::document::resolver::{Resolver, RowsByNaturalKey};
use crate::id;
use crate::insight::source as sources;

parts! {
    /// Where something is known from.
    SourcePart or SourcePatch, "source", ordered: false, repeats: false,
    natural_key {
        /// Its title, unique in the blueprint.
        title: String,
    }
    fields {
        /// What kind of source it is.
        kind: SourceKind,
        /// The day on which it was taken; one to come only where it is planned.
        #[serde(deserialize_with = "read_optional_day")]
        held_on: Option<NaiveDate> = None,
        /// Whether it is still to be asked: nothing OBSERVED rests on it alone.
        planned: bool = false,
        /// How many took part.
        sample_size: Option<i32> = None,
        /// Where to find it: an http or https address.
        link: Option<String> = None,
        /// A note.
        note: Option<String> = None,
    }
}

impl References for SourcePart {}
impl References for SourcePatch {}

/// The part of a row.
pub(crate) fn source_row_to_part(row: &source::Model) -> SourcePart {
    SourcePart {
        title: row.title.clone(),
        kind: row.kind,
        held_on: row.held_on,
        planned: row.planned,
        sample_size: row.sample_size,
        link: row.link.clone(),
        note: row.note.clone(),
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_sources(&mut self, parts: &[SourcePart]) -> Vec<source::Model> {
        let mut current = RowsByNaturalKey::new(self.keys.iter().flat_map(|keys| {
            let rows = keys.snapshot.sources.iter();
            rows.map(|row| (source_row_to_part(row), row))
        }));
        let mut rows = Vec::new();
        for part in parts {
            let path = self.part_positions.path("sources", part);
            let at = |field: &str| format!("{path}.{field}");
            let stored = current.take_row_of(part);
            let id = stored.map_or_else(id::new, |stored| stored.id);
            self.sources.insert(fold_key(&part.title), id);
            if part.planned {
                self.planned_sources.insert(id);
            }
            let day = (part.held_on, part.planned);
            sources::check_day_of_source(self.faults, &at("heldOn"), day, self.today);
            let title = self.faults.check_name(&at("title"), &part.title);
            rows.push(source::Model {
                id,
                blueprint_id: self.blueprint,
                // The stored spelling stays: it is matched however its letters are cased.
                title: stored.map_or(title, |stored| stored.title.clone()),
                kind: part.kind,
                held_on: part.held_on,
                planned: part.planned,
                sample_size: sources::check_sample_size(
                    self.faults,
                    &at("sampleSize"),
                    part.sample_size,
                ),
                link: self.faults.check_link(&at("link"), part.link.as_deref()),
                note: self
                    .faults
                    .check_optional_text(&at("note"), part.note.as_deref()),
                created_at: stored.map_or(self.now, |stored| stored.created_at),
                version: stored.map_or(1, |stored| stored.version),
            });
        }
        rows
    }
}
