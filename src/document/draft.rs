//! A merged document and its faults, checked against every rule before anything is written. It reads and writes
//! nothing: current rows and the catalogue are handed to it.

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::BlueprintId;

use super::{
    authority::ImportConsent,
    blueprint::{BlueprintDocumentPatch, Document},
    catalogue::ReferencedIds,
    merge::InputPartIndexes,
    target::{CurrentBlueprint, WantedRows},
};
use crate::{
    error::{Error, Result},
    input::Faults,
};

/// Input fields of the API, and what documents call them: shared checks report the former.
const SPELLED: [(&str, &str); 5] = [
    ("fromId", "from"),
    ("toId", "to"),
    ("answeredById", "answeredBy"),
    ("conflictsWithId", "conflictsWith"),
    ("byAccountId", "byAccount"),
];

/// The wanted document, with the faults found so far.
#[derive(Debug)]
pub struct MergedDocument {
    document: Document,
    part_positions: InputPartIndexes,
    faults: Faults,
}

impl MergedDocument {
    /// Merges a patch into the current document, or into nothing; `prune` removes what a list of the patch does not
    /// name.
    ///
    /// # Errors
    /// The faults, where a new part lacks a field: half a document cannot be resolved.
    pub fn merge(
        current: Option<&Document>,
        patch: BlueprintDocumentPatch,
        prune: bool,
    ) -> Result<Self> {
        let (mut part_positions, mut faults) = (InputPartIndexes::default(), Faults::default());
        match Document::merge(current, patch, prune, (&mut part_positions, &mut faults)) {
            Some(mut document) => {
                document.drop_dangling_references(&part_positions);
                Ok(Self {
                    document,
                    part_positions,
                    faults,
                })
            }
            None => {
                faults.check()?;
                Err(Error::internal("a document is incomplete without a fault"))
            }
        }
    }

    /// The wanted document.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The target rows; `times` are the moment and the day of the import, `new_id` the id of a blueprint that it creates.
    ///
    /// # Errors
    /// Every fault of merging and resolving, at once.
    pub fn into_target_rows(
        mut self,
        before: Option<&CurrentBlueprint>,
        catalogue: &ReferencedIds,
        times: (DateTime<Utc>, NaiveDate),
        (new_id, authority): (BlueprintId, ImportConsent),
    ) -> Result<WantedRows> {
        let (document, faults) = (&self.document, &mut self.faults);
        let target = WantedRows::from_document(
            document,
            &self.part_positions,
            before,
            catalogue,
            times,
            (new_id, authority),
            faults,
        );
        self.faults.respell_paths(&SPELLED).check()?;
        target.ok_or_else(|| Error::internal("a document leads nowhere without a fault"))
    }
}
