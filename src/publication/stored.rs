//! The documents that publications keep, as they are read back.

use std::collections::HashSet;

use chrono::NaiveDate;
use entity::{publication, words::Basis};

use crate::{
    document::{
        blueprint::{BlueprintDocumentPatch, Document},
        format,
    },
    error::{Error, Result},
    text::fold_key,
};

/// Bytes of a stored document that cost one step of computing.
pub(super) const BYTES_PER_STEP: usize = 10;

/// Marks sources of a day to come as planned, and what rests on such sources alone as assumed: publications from before
/// sources could be planned say neither.
pub(super) fn mark_planned_sources(document: &mut Document, today: NaiveDate) {
    for source in &mut document.sources {
        source.planned |= source.held_on.is_some_and(|day| day > today);
    }
    let asked = document.sources.iter().filter(|source| !source.planned);
    let asked: HashSet<String> = asked.map(|source| fold_key(&source.title)).collect();
    for insight in &mut document.insights {
        if !insight
            .sources
            .iter()
            .any(|title| asked.contains(&fold_key(title)))
        {
            insight.basis = Basis::Assumed;
        }
    }
}

/// The document of a publication, parsed.
///
/// # Errors
/// An internal one: what was stored was a document when it was written.
pub(super) fn parse_stored_document(row: &publication::Model) -> Result<BlueprintDocumentPatch> {
    format::parse_document(&row.document)
        .map_err(|error| Error::internal(format!("{}: {error:?}", row.id)))
}
