//! Resolves a document to the rows that it asks for: keys become ids, and every rule that holds for single changes is
//! checked for all of them at once. Pure: it reads and writes nothing.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use entity::blueprint;
use entity::id::{BlueprintId, PersonaId};
use entity::words::{BlueprintStatus, Subject};

use super::authority::ImportConsent;
use super::blueprint::Document;
use super::catalogue::ReferencedIds;
use super::keys::PartKeysById;
use super::merge::{InputPartIndexes, add_limit_exceeded_fault};
use super::resolver::Resolver;
use super::target::{CurrentBlueprint, WantedRows};

use crate::input::Faults;

impl WantedRows {
    /// The rows that a document asks for; nothing where it cannot be, which the faults tell. `now` is the time of the
    /// import, `new_id` the id of a blueprint that it creates.
    pub fn from_document(
        document: &Document,
        part_positions: &InputPartIndexes,
        before: Option<&CurrentBlueprint>,
        catalogue: &ReferencedIds,
        (now, today): (DateTime<Utc>, NaiveDate),
        (new_id, authority): (BlueprintId, ImportConsent),
        faults: &mut Faults,
    ) -> Option<Self> {
        let blueprint = before.map(|before| before.snapshot.canvas.blueprint.id);
        let mut resolver = Resolver {
            part_positions,
            before,
            keys: before.map(|before| PartKeysById::new(&before.snapshot)),
            catalogue,
            faults,
            now,
            today,
            authority,
            blueprint: blueprint.unwrap_or(new_id),
            phases: HashMap::new(),
            touchpoints: HashMap::new(),
            sources: HashMap::new(),
            planned_sources: HashSet::new(),
            insights: HashMap::new(),
        };
        // Not only of the patch: merged with what is there, a list of a lawful length may come to be too long.
        resolver.add_list_length_faults(document);
        // In the order of references: phases have ids before touchpoints name them. Nothing ends at the first fault,
        // so that all are told at once.
        let blueprint = resolver.resolve_blueprint(document);
        let secondary_personas = resolver.resolve_secondary_personas(document);
        let (phases, phase_segments) = resolver.resolve_phases(&document.phases);
        let (touchpoints, touchpoint_channels, touchpoint_segments) =
            resolver.resolve_touchpoints(&document.touchpoints);
        let transitions = resolver.resolve_transitions(&document.transitions);
        let responsibilities = resolver.resolve_responsibilities(&document.responsibilities);
        let kpi_links = resolver.resolve_kpi_links(&document.kpi_links);
        let (scenarios, scenario_steps) = resolver.resolve_scenarios(&document.scenarios);
        let sources = resolver.resolve_sources(&document.sources);
        let (insights, insight_sources) = resolver.resolve_insights(&document.insights);
        let (promises, promise_deliveries) = resolver.resolve_promises(&document.promises);
        let needs_of = blueprint.as_ref().map(|row| row.persona_id);
        let (evaluations, evaluation_verdicts) =
            resolver.resolve_evaluations(&document.evaluations, needs_of);
        let (improvements, improvement_touchpoints, improvement_kpis) =
            resolver.resolve_improvements(&document.improvements);
        Some(Self {
            blueprint: blueprint?,
            secondary_personas,
            phases,
            phase_segments,
            touchpoints,
            touchpoint_channels,
            touchpoint_segments,
            transitions,
            responsibilities,
            kpi_links,
            scenarios,
            scenario_steps,
            sources,
            insights,
            insight_sources,
            promises,
            promise_deliveries,
            evaluations,
            evaluation_verdicts,
            improvements,
            improvement_touchpoints,
            improvement_kpis,
        })
    }
}

impl Resolver<'_> {
    fn add_list_length_faults(&mut self, document: &Document) {
        for (name, most, list) in document.lists() {
            let (shown, archived) = self.stored_counts(&name);
            // Those at archived touchpoints count: they come back. What is too long already may stay, but not grow.
            if list.count() > shown && (list.count() + archived) as u64 > most {
                add_limit_exceeded_fault(&name, most, self.faults);
            }
        }
    }

    /// How many parts of a list are stored, and how many besides at archived touchpoints and phases.
    fn stored_counts(&self, list: &str) -> (usize, usize) {
        let Some(before) = self.before else {
            return (0, 0);
        };
        let snapshot = &before.snapshot;
        let canvas = &snapshot.canvas;
        match list {
            "phases" => (canvas.phases.len(), 0),
            "touchpoints" => (canvas.touchpoints.len(), 0),
            "transitions" => (canvas.transitions.len(), 0),
            "responsibilities" => (canvas.responsibilities.len(), 0),
            "kpiLinks" => (snapshot.kpi_links.len(), 0),
            "scenarios" => (snapshot.scenarios.len(), 0),
            "sources" => (snapshot.sources.len(), 0),
            "insights" => (snapshot.insights.len(), snapshot.archived_insights.len()),
            "promises" => (snapshot.promises.len(), snapshot.archived_promises.len()),
            "evaluations" => (snapshot.evaluations.len(), 0),
            "improvements" => (snapshot.improvements.len(), 0),
            _ => (0, 0),
        }
    }

    fn resolve_blueprint(&mut self, document: &Document) -> Option<blueprint::Model> {
        let title = self.faults.check_name("title", &document.title);
        let owner = self.resolve_id("ownerDepartment", &document.owner_department);
        let persona = self.resolve_id("persona", &document.persona);
        let persona = self.check_same_subject("persona", document, persona);
        let stored = self.before.map(|before| &before.snapshot.canvas.blueprint);
        if let Some(stored) = stored {
            for (field, same) in [
                ("subject", stored.subject == document.subject),
                ("state", stored.state == document.state),
            ] {
                if !same {
                    self.add_invalid_fault(
                        field,
                        "This cannot be changed once a blueprint is created.",
                    );
                }
            }
        } else {
            self.faults.check_key("key", &document.key);
        }
        let fresh = || blueprint::Model {
            id: self.blueprint,
            key: document.key.clone(),
            title: String::new(),
            subject: document.subject,
            state: document.state,
            status: BlueprintStatus::Draft,
            archived_from: None,
            visibility: document.visibility,
            // Replaced below: a new row without a persona or an owner is not returned.
            persona_id: uuid::Uuid::nil().into(),
            owner_department_id: uuid::Uuid::nil().into(),
            next_review_on: None,
            sent_back_reason: None,
            published_number: None,
            published_revision: None,
            template_id: None,
            copied_from_id: None,
            created_at: self.now,
            archived_at: None,
            version: 1,
            revision: 1,
        };
        Some(blueprint::Model {
            title,
            visibility: document.visibility,
            persona_id: persona?,
            owner_department_id: owner?,
            next_review_on: document
                .next_review_on
                .map(|day| self.faults.check_day("nextReviewOn", day)),
            ..stored.cloned().unwrap_or_else(fresh)
        })
    }

    fn check_same_subject(
        &mut self,
        path: &str,
        document: &Document,
        persona: Option<(PersonaId, Subject)>,
    ) -> Option<PersonaId> {
        let (persona, subject) = persona?;
        if subject != document.subject {
            self.add_invalid_fault(path, "This persona is of another subject than the journey.");
        }
        Some(persona)
    }

    fn resolve_secondary_personas(&mut self, document: &Document) -> Vec<PersonaId> {
        self.faults
            .check_list_length("secondaryPersonas", document.secondary_personas.len());
        let mut personas = Vec::new();
        for (at, key) in document.secondary_personas.iter().enumerate() {
            let path = format!("secondaryPersonas.{at}");
            let persona = self.resolve_id(&path, key);
            let persona = self.check_same_subject(&path, document, persona);
            personas.extend(persona.filter(|persona| !personas.contains(persona)));
        }
        personas
    }
}
