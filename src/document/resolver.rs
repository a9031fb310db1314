//! Looks up the keys that parts name and collects every fault on the way; each kind adds its own rules in `parts`.

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{
    AccountId, BlueprintId, ChannelId, DepartmentId, InsightId, KpiId, PersonaId, PhaseId,
    SegmentId, SourceId, TouchpointId,
};
use entity::words::Subject;

use super::authority::ImportConsent;
use super::catalogue::{ReferencedIds, fold_key};
use super::keys::PartKeysById;
use super::merge::InputPartIndexes;
use super::part::{DocumentPart, NaturalKey};
use super::reference::ReferenceTarget;
use super::target::CurrentBlueprint;

use crate::error::{Reason, UserErrorCode};
use crate::input::Faults;
use crate::order;
use crate::text::quote_for_message;

/// Current rows, each with its part, by the natural key of that. Each is taken once; of several with one key, the oldest
/// first.
pub(crate) struct RowsByNaturalKey<P, M>(HashMap<NaturalKey, VecDeque<StoredPart<P, M>>>);

/// A row, and its part as it is now.
pub(crate) struct StoredPart<P, M> {
    pub(crate) part: P,
    pub(crate) row: M,
}

impl<P: PartialEq, M: Copy> StoredPart<P, M> {
    /// The row, where the part is to be what it is: it is left as it is, since it may hold what the part does not show,
    /// as that is archived or hidden from the caller.
    pub(crate) fn unchanged_row(&self, wanted: &P) -> Option<M> {
        (self.part == *wanted).then_some(self.row)
    }
}

impl<P: DocumentPart, M> RowsByNaturalKey<P, M> {
    pub(crate) fn new(rows: impl Iterator<Item = (P, M)>) -> Self {
        let mut by: HashMap<NaturalKey, VecDeque<StoredPart<P, M>>> = HashMap::new();
        for (part, row) in rows {
            by.entry(part.natural_key())
                .or_default()
                .push_back(StoredPart { part, row });
        }
        Self(by)
    }

    /// The row that each of the parts is about, with its part as it is now: first of those that stay the same, so that of
    /// several with one natural key none takes the row of another.
    pub(crate) fn match_parts(&mut self, parts: &[P]) -> Vec<Option<StoredPart<P, M>>> {
        let same = parts.iter().map(|part| {
            let rows = self.0.get_mut(&part.natural_key())?;
            let at = rows.iter().position(|stored| stored.part == *part)?;
            rows.remove(at)
        });
        let same: Vec<Option<StoredPart<P, M>>> = same.collect();
        let found = same.into_iter().zip(parts);
        found
            .map(|(same, part)| same.or_else(|| self.take_stored_part(part)))
            .collect()
    }

    pub(crate) fn take_row_of(&mut self, part: &P) -> Option<M> {
        self.take_stored_part(part).map(|stored| stored.row)
    }

    /// The row that a part is about, with its part as it is now.
    pub(crate) fn take_stored_part(&mut self, part: &P) -> Option<StoredPart<P, M>> {
        self.0
            .get_mut(&part.natural_key())
            .and_then(VecDeque::pop_front)
    }
}

/// The state of one resolution: what is looked up, what has an id so far, and the faults found.
pub(crate) struct Resolver<'a> {
    pub(crate) part_positions: &'a InputPartIndexes,
    pub(crate) before: Option<&'a CurrentBlueprint>,
    pub(crate) keys: Option<PartKeysById<'a>>,
    pub(crate) catalogue: &'a ReferencedIds,
    pub(crate) faults: &'a mut Faults,
    pub(crate) now: DateTime<Utc>,
    pub(crate) today: NaiveDate,
    pub(crate) authority: ImportConsent,
    pub(crate) blueprint: BlueprintId,
    /// By key in small letters, as far as they are resolved: kinds that name others come after them.
    pub(crate) phases: HashMap<String, PhaseId>,
    pub(crate) touchpoints: HashMap<String, TouchpointId>,
    pub(crate) sources: HashMap<String, SourceId>,
    /// The sources that are still to be asked.
    pub(crate) planned_sources: HashSet<SourceId>,
    pub(crate) insights: HashMap<String, InsightId>,
}

impl<'a> Resolver<'a> {
    /// Adds an INVALID fault.
    pub(crate) fn add_invalid_fault(&mut self, path: &str, message: impl Into<String>) {
        self.faults.add(path, UserErrorCode::Invalid, None, message);
    }

    /// Passes on what was found for a key; `None` adds the fault "There is no …".
    pub(crate) fn found_or_fault<T>(
        &mut self,
        path: &str,
        target: ReferenceTarget,
        key: &str,
        found: Option<T>,
    ) -> Option<T> {
        if found.is_none() {
            let message = format!(
                "There is no {} \"{}\".",
                target.noun(),
                quote_for_message(key)
            );
            self.faults
                .add(path, UserErrorCode::NotFound, None, message);
        }
        found
    }

    /// The id that a key names; `None` and a fault where there is none.
    pub(crate) fn resolve_id<I: ResolvedId>(&mut self, path: &str, key: &str) -> Option<I> {
        let found = I::find(self, &fold_key(key));
        self.found_or_fault(path, I::TARGET, key, found)
    }

    /// The id that an optional reference names: `Some(None)` where it names nothing, `None` and a fault where what it
    /// names is missing.
    pub(crate) fn resolve_optional_id<I: ResolvedId>(
        &mut self,
        path: &str,
        key: Option<&String>,
    ) -> Option<Option<I>> {
        key.map_or(Some(None), |key| self.resolve_id(path, key).map(Some))
    }

    /// The ids that a list of keys names, each once, in order; those that are missing are faults, as is a list that is
    /// too long.
    pub(crate) fn resolve_ids<I: ResolvedId>(&mut self, path: &str, keys: &[String]) -> Vec<I> {
        self.faults.check_list_length(path, keys.len());
        let mut met = HashSet::new();
        let mut ids = Vec::with_capacity(keys.len());
        for (at, key) in keys.iter().enumerate() {
            // A key that is named twice is looked up twice, so that each place where it is missing has its fault.
            if let Some(id) = self.resolve_id(&format!("{path}.{at}"), key)
                && met.insert(fold_key(key))
            {
                ids.push(id);
            }
        }
        ids
    }

    /// The touchpoints of a list as they are to be stored: with the archived ones of the list as it is, where it changes.
    pub(crate) fn keep_archived_members(
        &mut self,
        path: &str,
        (owner, most): (uuid::Uuid, usize),
        was: Option<&Vec<TouchpointId>>,
        wanted: Vec<TouchpointId>,
    ) -> Vec<TouchpointId> {
        let snapshot = self.before.map(|before| &before.snapshot);
        let all = snapshot.and_then(|snapshot| snapshot.touchpoints_with_archived.get(&owner));
        let (Some(snapshot), Some(all)) = (snapshot, all) else {
            return wanted;
        };
        if was.map_or(&[][..], Vec::as_slice) == wanted {
            return wanted;
        }
        let is_archived = |id| snapshot.canvas.touchpoint(id).is_none();
        let list = order::keep_hidden_members(all, is_archived, &wanted);
        self.faults
            .check_count_with_archived(path, list.len(), most);
        list
    }

    /// Adds a fault where the key of a new part is, in small letters, that of one at an archived touchpoint or phase.
    pub(crate) fn check_key_is_not_archived(
        &mut self,
        path: &str,
        key: &str,
        archived_keys: &HashSet<String>,
    ) {
        if archived_keys.contains(&fold_key(key)) {
            let message = "Something at an archived touchpoint or phase has this key, and keys are never used twice.";
            let reason = Some(Reason::KeyTaken);
            self.faults.add(
                &format!("{path}.key"),
                UserErrorCode::Duplicate,
                reason,
                message,
            );
        }
    }

    /// The key of a row: as it is stored, or checked where the row is new.
    pub(crate) fn stored_or_checked_key(
        &mut self,
        path: &str,
        stored: Option<&String>,
        wanted: &str,
    ) -> String {
        match stored {
            // As it is stored and not as the document spells it: letters may be cased otherwise, and a key never
            // changes.
            Some(stored) => stored.clone(),
            None => self.faults.check_key(&format!("{path}.key"), wanted),
        }
    }
}

/// An id that documents name by a key.
pub(crate) trait ResolvedId: Copy {
    /// What the key names.
    const TARGET: ReferenceTarget;

    /// The id of a key in small letters, as far as it was resolved or looked up.
    fn find(resolver: &Resolver<'_>, key: &str) -> Option<Self>;
}

macro_rules! resolved_ids {
    ($($id:ty: $target:ident in $($map:ident).+;)*) => {$(
        impl ResolvedId for $id {
            const TARGET: ReferenceTarget = ReferenceTarget::$target;

            fn find(resolver: &Resolver<'_>, key: &str) -> Option<Self> {
                resolver.$($map).+.get(key).copied()
            }
        }
    )*};
}

resolved_ids! {
    PhaseId: Phase in phases;
    TouchpointId: Touchpoint in touchpoints;
    SourceId: Source in sources;
    InsightId: Insight in insights;
    DepartmentId: Department in catalogue.departments;
    (PersonaId, Subject): Persona in catalogue.personas;
    ChannelId: Channel in catalogue.channels;
    SegmentId: Segment in catalogue.segments;
    KpiId: Kpi in catalogue.kpis;
    AccountId: Account in catalogue.people;
}
