//! What an import would make of a blueprint, held to every rule before anything is written. It reads and writes
//! nothing itself: what is there, and what the document names elsewhere, are handed to it.

use chrono::{DateTime, Utc};
use entity::id::BlueprintId;

use super::{
    blueprint::{Document, DocumentPatch},
    catalogue::Catalogue,
    merge::SourceMap,
    target::{CurrentBlueprint, TargetRows},
};
use crate::{
    error::{Error, Result},
    input::Faults,
};

/// What documents spell otherwise than the API, which names by ids what documents name by keys.
const SPELLED: [(&str, &str); 5] = [
    ("fromId", "from"),
    ("toId", "to"),
    ("answeredById", "answeredBy"),
    ("conflictsWithId", "conflictsWith"),
    ("byAccountId", "byAccount"),
];

/// A document as it would become, with the faults found so far.
#[derive(Debug)]
pub struct MergedDocument {
    document: Document,
    source_map: SourceMap,
    faults: Faults,
}

impl MergedDocument {
    /// What a blueprint becomes by what is said, or a new one; `prune` removes what a list that is there does not
    /// name. Refused where something is lacking, as nothing can be looked up in half a document.
    pub fn merge(current: Option<&Document>, patch: DocumentPatch, prune: bool) -> Result<Self> {
        let (mut source_map, mut faults) = (SourceMap::default(), Faults::default());
        match Document::merged(current, patch, prune, (&mut source_map, &mut faults)) {
            Some(mut document) => {
                document.drop_dangling(&source_map);
                Ok(Self {
                    document,
                    source_map,
                    faults,
                })
            }
            None => {
                faults.check()?;
                Err(Error::internal("a document is incomplete without a fault"))
            }
        }
    }

    /// The document that it would become.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The rows that it asks for, with the moment and the id of what is new; refused with every rule that it breaks.
    pub fn resolve(
        mut self,
        before: Option<&CurrentBlueprint>,
        catalogue: &Catalogue,
        moment: (DateTime<Utc>, BlueprintId),
    ) -> Result<TargetRows> {
        let (document, faults) = (&self.document, &mut self.faults);
        let target = TargetRows::resolve(
            document,
            &self.source_map,
            before,
            catalogue,
            moment,
            faults,
        );
        self.faults.respelled(&SPELLED).check()?;
        target.ok_or_else(|| Error::internal("a document leads nowhere without a fault"))
    }
}
