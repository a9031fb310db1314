//! The documents that publications keep, as they are read back.

use entity::publication;

use crate::{
    document::{blueprint::BlueprintDocumentPatch, format},
    error::{Error, Result},
};

/// Bytes of a stored document that cost one step of computing.
pub(super) const BYTES_PER_STEP: usize = 10;

/// The document of a publication, parsed.
///
/// # Errors
/// An internal one: what was stored was a document when it was written.
pub(super) fn parse_stored_document(row: &publication::Model) -> Result<BlueprintDocumentPatch> {
    format::parse_document(&row.document)
        .map_err(|error| Error::internal(format!("{}: {error:?}", row.id)))
}
