//! What documents name that lies outside of a blueprint, found by key: departments, personas, channels, segments, KPIs
//! and people. `lookup` fills it.

use std::collections::HashMap;

use entity::{
    id::{AccountId, ChannelId, DepartmentId, KpiId, NeedId, PersonaId, SegmentId},
    words::Subject,
};

/// Ids by key in small letters. What is archived, but for channels and segments, or hidden from the caller is not in it.
#[derive(Debug, Default)]
pub struct Catalogue {
    pub departments: HashMap<String, DepartmentId>,
    pub personas: HashMap<String, (PersonaId, Subject)>,
    pub channels: HashMap<String, ChannelId>,
    pub segments: HashMap<String, SegmentId>,
    pub kpis: HashMap<String, KpiId>,
    pub people: HashMap<String, AccountId>,
    /// The needs of the personas, in their own words.
    pub needs: HashMap<(PersonaId, String), NeedId>,
}

/// A key as it is looked up: trimmed and in small letters.
#[must_use]
pub fn lower(key: &str) -> String {
    key.trim().to_lowercase()
}
