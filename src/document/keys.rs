//! The keys by which the parts of a blueprint name one another, found by id.

use std::collections::HashMap;

use entity::id::{InsightId, PhaseId, SourceId, TouchpointId};
use entity::persona;

use crate::snapshot::BlueprintSnapshot;

/// Keys by id, for writing rows down: documents name by key what rows name by id.
pub(crate) struct DocumentKeys<'w> {
    pub(crate) snapshot: &'w BlueprintSnapshot,
    pub(crate) phases: HashMap<PhaseId, &'w str>,
    pub(crate) sources: HashMap<SourceId, &'w str>,
    pub(crate) insights: HashMap<InsightId, &'w str>,
    pub(crate) personas: HashMap<entity::id::PersonaId, &'w str>,
}

impl<'w> DocumentKeys<'w> {
    pub(crate) fn new(snapshot: &'w BlueprintSnapshot) -> Self {
        let canvas = &snapshot.canvas;
        let personas = std::iter::once(&canvas.persona)
            .chain(&snapshot.secondary_personas)
            .chain(snapshot.insight_personas.values());
        Self {
            snapshot,
            phases: canvas
                .phases
                .iter()
                .map(|row| (row.id, row.key.as_str()))
                .collect(),
            sources: snapshot
                .sources
                .iter()
                .map(|row| (row.id, row.title.as_str()))
                .collect(),
            insights: snapshot
                .insights
                .iter()
                .map(|row| (row.id, row.key.as_str()))
                .collect(),
            personas: personas
                .map(|row: &persona::Model| (row.id, row.key.as_str()))
                .collect(),
        }
    }

    pub(crate) fn touchpoint_key(&self, id: TouchpointId) -> Option<String> {
        self.snapshot
            .canvas
            .touchpoint(id)
            .map(|row| row.key.clone())
    }

    pub(crate) fn phase_key(&self, id: PhaseId) -> Option<String> {
        self.phases.get(&id).map(|key| (*key).to_owned())
    }
}
