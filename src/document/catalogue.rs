//! Ids, by key, of what documents name outside of a blueprint: departments, personas, channels, segments, KPIs and
//! people. `lookup` fills it.

use std::collections::HashMap;

use entity::{
    id::{AccountId, ChannelId, DepartmentId, KpiId, NeedId, PersonaId, SegmentId},
    words::Subject,
};

use super::reference::ReferenceTarget;

/// Ids by key in small letters: of all that one document names and that exists. What is hidden from the caller is not
/// in it, nor what is archived (channels and segments never are), unless it was named there before.
#[derive(Debug, Default)]
pub struct ReferencedIds {
    pub departments: HashMap<String, DepartmentId>,
    pub personas: HashMap<String, (PersonaId, Subject)>,
    pub channels: HashMap<String, ChannelId>,
    pub segments: HashMap<String, SegmentId>,
    pub kpis: HashMap<String, KpiId>,
    pub people: HashMap<String, AccountId>,
    /// The needs of the personas, in their own words.
    pub needs: HashMap<(PersonaId, String), NeedId>,
}

impl ReferencedIds {
    /// Whether it has what a key names. Of what lies inside a blueprint it knows nothing, and says yes.
    #[must_use]
    pub fn has_key(&self, target: ReferenceTarget, key: &str) -> bool {
        let key = fold_key(key);
        match target {
            ReferenceTarget::Phase
            | ReferenceTarget::Touchpoint
            | ReferenceTarget::Source
            | ReferenceTarget::Insight => true,
            ReferenceTarget::Department => self.departments.contains_key(&key),
            ReferenceTarget::Persona => self.personas.contains_key(&key),
            // Whose need it is is checked when the evaluation is resolved.
            ReferenceTarget::Need => self.needs.keys().any(|(_, text)| *text == key),
            ReferenceTarget::Channel => self.channels.contains_key(&key),
            ReferenceTarget::Segment => self.segments.contains_key(&key),
            ReferenceTarget::Kpi => self.kpis.contains_key(&key),
            ReferenceTarget::Account => self.people.contains_key(&key),
        }
    }
}

pub use crate::text::fold_key;
