//! Looks up the keys that parts name and collects every fault on the way; each kind adds its own rules in `parts`.

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, Utc};
use entity::id::{
    AccountId, BlueprintId, DepartmentId, InsightId, PersonaId, PhaseId, SourceId, TouchpointId,
};
use entity::words::Subject;

use super::catalogue::{Catalogue, lower};
use super::keys::DocumentKeys;
use super::merge::SourceMap;
use super::part::{DocumentPart, Identity};
use super::target::CurrentBlueprint;

use crate::error::UserErrorCode;
use crate::input::Faults;

/// Rows by the identity of their part. Each is taken once; of several with one identity, the oldest first.
pub(crate) struct RowsByIdentity<M>(HashMap<Identity, VecDeque<M>>);

impl<M> RowsByIdentity<M> {
    pub(crate) fn new<P: DocumentPart>(rows: impl Iterator<Item = (P, M)>) -> Self {
        let mut by: HashMap<Identity, VecDeque<M>> = HashMap::new();
        for (part, row) in rows {
            by.entry(part.identity()).or_default().push_back(row);
        }
        Self(by)
    }

    pub(crate) fn take<P: DocumentPart>(&mut self, part: &P) -> Option<M> {
        self.0
            .get_mut(&part.identity())
            .and_then(VecDeque::pop_front)
    }
}

/// The state of one resolution: what is looked up, what has an id so far, and the faults found.
pub(crate) struct Resolver<'a> {
    pub(crate) places: &'a SourceMap,
    pub(crate) before: Option<&'a CurrentBlueprint>,
    pub(crate) keys: Option<DocumentKeys<'a>>,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) faults: &'a mut Faults,
    pub(crate) now: DateTime<Utc>,
    pub(crate) blueprint: BlueprintId,
    pub(crate) phases: HashMap<String, PhaseId>,
    pub(crate) touchpoints: HashMap<String, TouchpointId>,
    pub(crate) sources: HashMap<String, SourceId>,
    pub(crate) insights: HashMap<String, InsightId>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn wrong(&mut self, path: &str, message: impl Into<String>) {
        self.faults.add(path, UserErrorCode::Invalid, None, message);
    }

    /// Passes on what was found for a key; `None` adds the fault "There is no …".
    pub(crate) fn found<T>(
        &mut self,
        path: &str,
        noun: &str,
        key: &str,
        found: Option<T>,
    ) -> Option<T> {
        if found.is_none() {
            let key: String = key.chars().take(64).collect();
            let message = format!("There is no {noun} \"{key}\".");
            self.faults
                .add(path, UserErrorCode::NotFound, None, message);
        }
        found
    }

    /// What was found for a list of keys, each once, in order; those not found are faults.
    pub(crate) fn found_all<T: Copy>(
        &mut self,
        path: &str,
        noun: &str,
        keys: &[String],
        of: impl Fn(&Self, &str) -> Option<T>,
    ) -> Vec<T> {
        let mut met = HashSet::new();
        let mut all = Vec::with_capacity(keys.len());
        for (at, key) in keys.iter().enumerate() {
            let found = of(self, &lower(key));
            if let Some(found) = self.found(&format!("{path}.{at}"), noun, key, found)
                && met.insert(lower(key))
            {
                all.push(found);
            }
        }
        all
    }

    pub(crate) fn phase_at(&mut self, path: &str, key: &str) -> Option<PhaseId> {
        let found = self.phases.get(&lower(key)).copied();
        self.found(path, "phase in this blueprint", key, found)
    }

    pub(crate) fn touchpoint_at(&mut self, path: &str, key: &str) -> Option<TouchpointId> {
        let found = self.touchpoints.get(&lower(key)).copied();
        self.found(path, "touchpoint in this blueprint", key, found)
    }

    /// An optional reference: `Some(None)` where it names nothing, `None` and a fault where what it names is missing.
    pub(crate) fn perhaps<T>(
        &mut self,
        path: &str,
        key: Option<&String>,
        at: fn(&mut Self, &str, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        key.map_or(Some(None), |key| at(self, path, key).map(Some))
    }

    pub(crate) fn department_at(&mut self, path: &str, key: &str) -> Option<DepartmentId> {
        let found = self.catalogue.departments.get(&lower(key)).copied();
        self.found(path, "department", key, found)
    }

    pub(crate) fn persona_at(&mut self, path: &str, key: &str) -> Option<(PersonaId, Subject)> {
        let found = self.catalogue.personas.get(&lower(key)).copied();
        self.found(path, "persona", key, found)
    }

    /// The key of a row: as it is stored, or checked where it is new.
    pub(crate) fn key(&mut self, path: &str, now: Option<&String>, said: &str) -> String {
        match now {
            Some(now) => now.clone(),
            None => self.faults.key(&format!("{path}.key"), said),
        }
    }

    /// Touchpoints named by keys, each once.
    pub(crate) fn touchpoints_at(&mut self, path: &str, keys: &[String]) -> Vec<TouchpointId> {
        self.faults.few(path, keys.len());
        self.found_all(path, "touchpoint in this blueprint", keys, |own, key| {
            own.touchpoints.get(key).copied()
        })
    }

    pub(crate) fn person_at(&mut self, path: &str, key: &str) -> Option<AccountId> {
        let found = self.catalogue.people.get(&lower(key)).copied();
        self.found(path, "account", key, found)
    }
}
