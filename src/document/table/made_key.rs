//! Keys that are made from names, for rows that give none.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::{document::catalogue::fold_key, input::make_key_from_name};

/// A key that was made from a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MadeKey {
    /// The name that it was made from.
    pub name: String,
    /// The key, where nothing with another name has it.
    pub base: String,
}

/// The names of what is kept in a blueprint, archived or not, by folded key.
#[derive(Debug, Default)]
pub(super) struct KeptNames {
    pub touchpoints: HashMap<String, String>,
    pub phases: HashMap<String, String>,
}

impl MadeKey {
    pub(super) fn from_name(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            base: make_key_from_name(name),
        }
    }

    /// The keys that it may become, in this order: the base, and then the base with a mark of the name.
    fn candidates(&self) -> impl Iterator<Item = String> {
        let marked = (0_u32..).map(|turn| {
            let digest = Sha256::digest(format!("{turn} {}", self.name));
            let mark: String = digest
                .iter()
                .take(4)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("{}-{mark}", self.base)
        });
        std::iter::once(self.base.clone()).chain(marked)
    }

    /// The first key that nothing with another name has: not what is kept, and not what `taken` says.
    pub(super) fn choose(
        &self,
        kept: &HashMap<String, String>,
        taken: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let is_free = |key: &String| {
            let folded = fold_key(key);
            kept.get(&folded).is_none_or(|name| *name == self.name) && !taken(&folded)
        };
        self.candidates().find(is_free)
    }
}
