//! What an import would make of a blueprint, held to every rule before anything is written. It reads and writes
//! nothing itself: what is there, and what the document names elsewhere, are handed to it.

use chrono::{DateTime, Utc};
use entity::id::BlueprintId;

use super::{
    blueprint::{Document, SaidDocument},
    catalogue::Catalogue,
    merge::Places,
    target::{Before, Target},
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
pub struct Draft {
    document: Document,
    places: Places,
    faults: Faults,
}

impl Draft {
    /// What a blueprint becomes by what is said, or a new one; `prune` removes what a list that is there does not
    /// name. Refused where something is lacking, as nothing can be looked up in half a document.
    pub fn of(current: Option<&Document>, said: SaidDocument, prune: bool) -> Result<Self> {
        let (mut places, mut faults) = (Places::default(), Faults::default());
        match Document::merged(current, said, prune, (&mut places, &mut faults)) {
            Some(mut document) => {
                document.let_go(&places);
                Ok(Self {
                    document,
                    places,
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
    pub fn checked(
        mut self,
        before: Option<&Before>,
        catalogue: &Catalogue,
        moment: (DateTime<Utc>, BlueprintId),
    ) -> Result<Target> {
        let (document, faults) = (&self.document, &mut self.faults);
        let target = Target::of(document, &self.places, before, catalogue, moment, faults);
        self.faults.respelled(&SPELLED).check()?;
        target.ok_or_else(|| Error::internal("a document leads nowhere without a fault"))
    }
}
