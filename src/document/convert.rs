//! Converts between the two forms of a document, and drops from an old one what no longer exists.

use super::{
    blueprint::{Document, DocumentPatch},
    catalogue::Catalogue,
    merge::SourceMap,
};
use crate::{
    access::Permit,
    error::{Error, Result},
    input::Faults,
};

/// The patch that says everything a document says.
pub fn to_patch(document: &Document) -> Result<DocumentPatch> {
    let value = serde_json::to_value(document).map_err(Error::internal)?;
    serde_json::from_value(value).map_err(Error::internal)
}

/// The document that a patch makes on its own.
///
/// # Errors
/// An internal one where the patch is not complete.
pub fn complete_document(patch: DocumentPatch) -> Result<Document> {
    let (mut source_map, mut faults) = (SourceMap::default(), Faults::default());
    let document = Document::merge(None, patch, true, (&mut source_map, &mut faults));
    document.ok_or_else(|| Error::internal("a kept document is not complete"))
}

/// Drops from a patch what no longer exists outside of the blueprint, or what the caller may not see: an old document
/// may name personas, channels, segments and KPIs that are archived or gone. `document` is the same, complete.
pub async fn drop_missing(
    permit: &Permit<'_>,
    document: &Document,
    mut patch: DocumentPatch,
) -> Result<DocumentPatch> {
    let catalogue = Catalogue::load(permit, document).await?;
    patch.drop_missing(&|target, key| catalogue.has(target, key));
    Ok(patch)
}
