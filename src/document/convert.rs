//! Converts between the two forms of a document, and drops from an old one what no longer exists.

use super::{
    blueprint::{BlueprintDocumentPatch, Document},
    catalogue::ReferencedIds,
    merge::InputPartIndexes,
};
use crate::{
    access::Permit,
    error::{Error, Result},
    input::Faults,
};

/// The patch that says everything a document says.
pub fn to_patch(document: &Document) -> Result<BlueprintDocumentPatch> {
    let value = serde_json::to_value(document).map_err(Error::internal)?;
    serde_json::from_value(value).map_err(Error::internal)
}

/// The document that a patch makes on its own.
///
/// # Errors
/// An internal one where the patch is not complete.
pub fn document_from_complete_patch(patch: BlueprintDocumentPatch) -> Result<Document> {
    let (mut part_positions, mut faults) = (InputPartIndexes::default(), Faults::default());
    let document = Document::merge(None, patch, true, (&mut part_positions, &mut faults));
    document.ok_or_else(|| Error::internal("a kept document is not complete"))
}

/// Drops from a patch what no longer exists outside of the blueprint, or what the caller may not see: an old document
/// may name personas, channels and segments that are gone, and KPIs that are archived. Whatever else is archived is named
/// still. `document` is the same, complete.
pub async fn drop_missing_references(
    permit: &Permit<'_>,
    document: &Document,
    mut patch: BlueprintDocumentPatch,
) -> Result<BlueprintDocumentPatch> {
    let catalogue = ReferencedIds::load(permit, document, &document.referenced_keys()).await?;
    patch.drop_missing_references(&|target, key| catalogue.has_key(target, key));
    Ok(patch)
}
