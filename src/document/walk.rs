//! Walks over all references of a document: dropping those that dangle, renaming, and collecting what they name.

use std::collections::{HashMap, HashSet};

use entity::words::ResponsibilityStatus;

use super::{
    blueprint::Document,
    catalogue::fold_key,
    list::PartList,
    merge::InputPartIndexes,
    reference::{ReferenceTarget, ReferencedKeys, References},
};

impl Document {
    /// Number of parts in all lists.
    #[must_use]
    pub fn part_count(&self) -> usize {
        self.lists().iter().map(|(.., list)| list.count()).sum()
    }

    /// The same without any of its parts.
    #[must_use]
    pub(super) fn without_parts(&self) -> Self {
        let mut emptied = self.clone();
        for (_, list) in emptied.lists_mut() {
            list.clear();
        }
        emptied
    }

    /// Puts what people do not arrange into the order of natural keys, so that the same blueprint is the same text.
    #[must_use]
    pub(super) fn sort_lists(mut self) -> Self {
        for (_, list) in self.lists_mut() {
            list.sort();
        }
        self
    }

    /// The document without open proposals: only responsibilities that are ACCEPTED.
    #[must_use]
    pub fn without_proposals(mut self) -> Self {
        self.responsibilities
            .retain(|part| part.status == ResponsibilityStatus::Accepted);
        self
    }

    /// Drops references to a phase that is pruned only now, since its touchpoints had to move first, and to insights that
    /// go with it. Parts named by the import stay, so that validation reports them.
    pub(super) fn drop_dangling_references(&mut self, part_positions: &InputPartIndexes) {
        let phases = self.phases.iter().map(|part| fold_key(&part.key));
        let phases: HashSet<String> = phases.collect();
        let exists = |target: ReferenceTarget, key: &str| {
            target != ReferenceTarget::Phase || phases.contains(&fold_key(key))
        };
        for (name, list) in self.lists_mut() {
            list.drop_missing_references(&exists, &|natural_key| {
                part_positions.contains_part(&name, natural_key)
            });
        }
        // An insight that went with its phase answers no question any more.
        let insights = self.insights.iter().map(|part| fold_key(&part.key));
        let insights: HashSet<String> = insights.collect();
        let exists = |target: ReferenceTarget, key: &str| {
            target != ReferenceTarget::Insight || insights.contains(&fold_key(key))
        };
        let named = |natural_key| part_positions.contains_part("insights", natural_key);
        self.insights.drop_missing_references(&exists, &named);
    }

    /// Renames phases and touchpoints, wherever they are named. The maps go from the old key in small letters to the
    /// new one; a key that is not in them stays.
    #[must_use]
    pub fn rename_keys(
        mut self,
        phases: &HashMap<String, String>,
        touchpoints: &HashMap<String, String>,
    ) -> Self {
        let rename = |keys: &HashMap<String, String>, key: &mut String| {
            if let Some(new) = keys.get(&key.to_lowercase()) {
                key.clone_from(new);
            }
        };
        for part in &mut self.phases {
            rename(phases, &mut part.key);
        }
        for part in &mut self.touchpoints {
            rename(touchpoints, &mut part.key);
        }
        for (_, list) in self.lists_mut() {
            for reference in list.references_mut() {
                let keys = match reference.target {
                    ReferenceTarget::Phase => phases,
                    ReferenceTarget::Touchpoint => touchpoints,
                    _ => continue,
                };
                for key in reference.field.keys_mut() {
                    rename(keys, key);
                }
            }
        }
        self.sort_lists()
    }

    /// What it names, each key once, trimmed and in small letters.
    #[must_use]
    pub fn referenced_keys(&self) -> ReferencedKeys {
        let mut named = ReferencedKeys::new();
        let lists = self.lists();
        let lists = lists.iter().flat_map(|(.., list)| list.references());
        for reference in self.references().into_iter().chain(lists) {
            let keys = reference.field.keys().into_iter().map(|key| fold_key(key));
            named.entry(reference.target).or_default().extend(keys);
        }
        named
    }
}
