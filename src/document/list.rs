//! A list of a document, whichever kind of parts it holds, so that one loop can walk all lists.

use super::{
    part::{DocumentPart, NaturalKey},
    reference::{Exists, ReferenceDeclaration, ReferenceField, References},
};

/// A list of parts of one kind.
pub(super) trait PartList {
    /// Number of parts.
    fn count(&self) -> usize;

    /// Removes all parts.
    fn clear(&mut self);

    /// Sorts the parts by natural key, unless people arrange them.
    fn sort(&mut self);

    /// The references of its parts.
    fn references(&self) -> Vec<ReferenceDeclaration<&dyn ReferenceField>>;

    /// The references of its parts, to be changed.
    fn references_mut(&mut self) -> Vec<ReferenceDeclaration<&mut dyn ReferenceField>>;

    /// Drops what names something that does not exist, as each reference declares; parts that are `spared` stay whole.
    fn drop_missing_references(&mut self, exists: Exists<'_>, spared: &dyn Fn(NaturalKey) -> bool);
}

impl<P: DocumentPart + References> PartList for Vec<P> {
    fn count(&self) -> usize {
        self.len()
    }

    fn clear(&mut self) {
        self.clear();
    }

    fn sort(&mut self) {
        if !P::ORDERED {
            self.sort_by_cached_key(DocumentPart::natural_key);
        }
    }

    fn references(&self) -> Vec<ReferenceDeclaration<&dyn ReferenceField>> {
        self.iter().flat_map(References::references).collect()
    }

    fn references_mut(&mut self) -> Vec<ReferenceDeclaration<&mut dyn ReferenceField>> {
        self.iter_mut()
            .flat_map(References::references_mut)
            .collect()
    }

    fn drop_missing_references(&mut self, exists: Exists<'_>, spared: &dyn Fn(NaturalKey) -> bool) {
        self.retain_mut(|part| spared(part.natural_key()) || part.drop_missing_keys(exists));
    }
}
