//! The keys by which documents name what rows name by id.

use std::collections::HashMap;

use entity::id::{
    AccountId, DepartmentId, InsightId, PersonaId, PhaseId, SegmentId, SourceId, TouchpointId,
};

use crate::snapshot::WholeBlueprint;

/// Keys by id of all that the parts of one blueprint name; each kind's file under parts makes a part of a row with
/// them.
pub(crate) struct PartKeysById<'s> {
    pub(crate) snapshot: &'s WholeBlueprint,
    phases: HashMap<PhaseId, &'s str>,
    sources: HashMap<SourceId, &'s str>,
    insights: HashMap<InsightId, &'s str>,
    personas: HashMap<PersonaId, &'s str>,
}

impl<'s> PartKeysById<'s> {
    pub(crate) fn new(snapshot: &'s WholeBlueprint) -> Self {
        let canvas = &snapshot.canvas;
        let personas = std::iter::once(&canvas.persona)
            .chain(&snapshot.secondary_personas)
            .chain(snapshot.insight_personas.values());
        let (phases, sources) = (canvas.phases.iter(), snapshot.sources.iter());
        let insights = snapshot.insights.iter();
        Self {
            snapshot,
            phases: phases.map(|row| (row.id, &*row.key)).collect(),
            sources: sources.map(|row| (row.id, &*row.title)).collect(),
            insights: insights.map(|row| (row.id, &*row.key)).collect(),
            personas: personas.map(|row| (row.id, &*row.key)).collect(),
        }
    }

    /// The key of a row that a part cannot be without; empty where the row is hidden from the caller.
    pub(crate) fn key<I: KeyedId>(&self, id: I) -> String {
        self.optional_key(Some(id)).unwrap_or_default()
    }

    /// The key of a row that a part may name.
    pub(crate) fn optional_key<I: KeyedId>(&self, id: Option<I>) -> Option<String> {
        id.and_then(|id| id.key(self)).map(str::to_owned)
    }

    /// The keys of a list of rows; what is hidden from the caller is left out.
    pub(crate) fn keys<I: KeyedId>(&self, ids: Option<&Vec<I>>) -> Vec<String> {
        let ids = ids.into_iter().flatten();
        ids.filter_map(|id| self.optional_key(Some(*id))).collect()
    }
}

/// An id for which documents write a key.
pub(crate) trait KeyedId: Copy {
    /// The key of the row, where the snapshot has it.
    fn key<'k>(self, keys: &'k PartKeysById<'_>) -> Option<&'k str>;
}

macro_rules! keyed_ids {
    ($($id:ident: |$keys:ident, $value:ident| $key:expr;)*) => {$(
        impl KeyedId for $id {
            fn key<'k>(self, $keys: &'k PartKeysById<'_>) -> Option<&'k str> {
                let $value = self;
                $key
            }
        }
    )*};
}

keyed_ids! {
    PhaseId: |keys, id| keys.phases.get(&id).copied();
    TouchpointId: |keys, id| keys.snapshot.canvas.touchpoint(id).map(|row| &*row.key);
    SourceId: |keys, id| keys.sources.get(&id).copied();
    InsightId: |keys, id| keys.insights.get(&id).copied();
    PersonaId: |keys, id| keys.personas.get(&id).copied();
    DepartmentId: |keys, id| keys.snapshot.canvas.department(id).map(|row| &*row.key);
    SegmentId: |keys, id| keys.snapshot.segments.get(&id).map(|row| &*row.key);
    AccountId: |keys, id| keys.snapshot.people.get(&id).map(|row| &*row.key);
}
