//! Writes the document of a blueprint from its snapshot. It reads nothing itself.

use super::blueprint::{Document, FORMAT};
use super::keys::PartKeysById;

use super::parts;
use crate::snapshot::WholeBlueprint;

/// Computing steps of writing one row of a blueprint into a document and of comparing it with another.
pub const STEPS_PER_ROW: usize = 100;

impl Document {
    /// The document of a blueprint.
    #[must_use]
    pub fn from_snapshot(snapshot: &WholeBlueprint) -> Self {
        let canvas = &snapshot.canvas;
        let keys = PartKeysById::new(snapshot);
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
            phases: canvas
                .phases
                .iter()
                .map(|row| keys.phase_row_to_part(row))
                .collect(),
            touchpoints: canvas
                .touchpoints
                .iter()
                .map(|row| keys.touchpoint_row_to_part(row))
                .collect(),
            transitions: canvas
                .transitions
                .iter()
                .map(|row| keys.transition_row_to_part(row))
                .collect(),
            responsibilities: canvas
                .responsibilities
                .iter()
                .map(|row| keys.responsibility_row_to_part(row))
                .collect(),
            kpi_links: snapshot
                .kpi_links
                .iter()
                .map(|row| keys.kpi_link_row_to_part(row))
                .collect(),
            scenarios: snapshot
                .scenarios
                .iter()
                .map(|row| keys.scenario_row_to_part(row))
                .collect(),
            sources: snapshot
                .sources
                .iter()
                .map(parts::source::source_row_to_part)
                .collect(),
            insights: snapshot
                .insights
                .iter()
                .map(|row| keys.insight_row_to_part(row))
                .collect(),
            promises: snapshot
                .promises
                .iter()
                .map(|row| keys.promise_row_to_part(row))
                .collect(),
            evaluations: snapshot
                .evaluations
                .iter()
                .map(|row| keys.evaluation_row_to_part(row))
                .collect(),
            improvements: snapshot
                .improvements
                .iter()
                .map(|row| keys.improvement_row_to_part(row))
                .collect(),
        };
        document.sort_lists()
    }
}
