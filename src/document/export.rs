//! Writes a blueprint down: what was read whole becomes its document. It reads nothing itself.

use super::blueprint::{Document, FORMAT};
use super::keys::DocumentKeys;

use super::parts;
use crate::snapshot::BlueprintSnapshot;

impl Document {
    /// The document of a blueprint.
    #[must_use]
    pub fn from_snapshot(snapshot: &BlueprintSnapshot) -> Self {
        let canvas = &snapshot.canvas;
        let keys = DocumentKeys::new(snapshot);
        let blueprint = &canvas.blueprint;
        let owner = canvas.department(blueprint.owner_department_id);
        let document = Self {
            format: FORMAT.to_owned(),
            key: blueprint.key.clone(),
            title: blueprint.title.clone(),
            subject: blueprint.subject,
            state: blueprint.state,
            visibility: blueprint.visibility,
            persona: canvas.persona.key.clone(),
            secondary_personas: snapshot
                .secondary_personas
                .iter()
                .map(|row| row.key.clone())
                .collect(),
            owner_department: owner.map(|row| row.key.clone()).unwrap_or_default(),
            next_review_on: blueprint.next_review_on,
            phases: canvas.phases.iter().map(parts::phase::phase).collect(),
            touchpoints: canvas
                .touchpoints
                .iter()
                .map(|row| keys.touchpoint(row))
                .collect(),
            transitions: canvas
                .transitions
                .iter()
                .map(|row| keys.transition(row))
                .collect(),
            responsibilities: canvas
                .responsibilities
                .iter()
                .map(|row| keys.responsibility(row))
                .collect(),
            kpi_links: snapshot
                .kpi_links
                .iter()
                .map(|row| keys.kpi_link(row))
                .collect(),
            scenarios: snapshot
                .scenarios
                .iter()
                .map(|row| keys.scenario(row))
                .collect(),
            sources: snapshot.sources.iter().map(parts::source::source).collect(),
            insights: snapshot
                .insights
                .iter()
                .map(|row| keys.insight(row))
                .collect(),
            promises: snapshot
                .promises
                .iter()
                .map(|row| keys.promise(row))
                .collect(),
            evaluations: snapshot
                .evaluations
                .iter()
                .map(|row| keys.evaluation(row))
                .collect(),
            improvements: snapshot
                .improvements
                .iter()
                .map(|row| keys.improvement(row))
                .collect(),
        };
        document.sorted()
    }
}
