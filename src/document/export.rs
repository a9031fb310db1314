//! Writes a blueprint down: what was read whole becomes its document. It reads nothing itself.

use std::collections::HashMap;

use entity::{
    evaluation,
    id::{InsightId, NeedId, PhaseId, SourceId, TouchpointId},
    improvement, insight, kpi_link, persona, promise, responsibility, scenario, touchpoint,
    transition,
    words::Verdict,
};

use super::blueprint::{
    Document, Evaluation, Evidence, FORMAT, Improvement, Insight, KpiLink, NeedVerdict, Phase,
    Promise, Responsibility, Scenario, Source, Touchpoint, Transition,
};
use crate::canvas::whole::Whole;

/// The keys by which a blueprint's parts name one another.
pub(super) struct Keys<'w> {
    pub(super) whole: &'w Whole,
    phases: HashMap<PhaseId, &'w str>,
    sources: HashMap<SourceId, &'w str>,
    insights: HashMap<InsightId, &'w str>,
    personas: HashMap<entity::id::PersonaId, &'w str>,
}

impl Document {
    /// The document of a blueprint.
    #[must_use]
    pub fn of(whole: &Whole) -> Self {
        let canvas = &whole.canvas;
        let keys = Keys::of(whole);
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
            secondary_personas: whole.personas.iter().map(|row| row.key.clone()).collect(),
            owner_department: owner.map(|row| row.key.clone()).unwrap_or_default(),
            next_review_on: blueprint.next_review_on,
            phases: canvas.phases.iter().map(phase).collect(),
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
            kpi_links: whole
                .kpi_links
                .iter()
                .map(|row| keys.kpi_link(row))
                .collect(),
            scenarios: whole
                .scenarios
                .iter()
                .map(|row| keys.scenario(row))
                .collect(),
            sources: whole.sources.iter().map(source).collect(),
            insights: whole.insights.iter().map(|row| keys.insight(row)).collect(),
            promises: whole.promises.iter().map(|row| keys.promise(row)).collect(),
            evaluations: whole
                .evaluations
                .iter()
                .map(|row| keys.evaluation(row))
                .collect(),
            improvements: whole
                .improvements
                .iter()
                .map(|row| keys.improvement(row))
                .collect(),
        };
        document.sorted()
    }
}

fn phase(row: &entity::phase::Model) -> Phase {
    Phase {
        key: row.key.clone(),
        name: row.name.clone(),
        stage: row.stage,
        customer_goal: row.customer_goal.clone(),
        prompt: row.prompt.clone(),
    }
}

pub(super) fn source(row: &entity::source::Model) -> Source {
    Source {
        title: row.title.clone(),
        kind: row.kind,
        held_on: row.held_on,
        sample_size: row.sample_size,
        link: row.link.clone(),
        note: row.note.clone(),
    }
}

impl<'w> Keys<'w> {
    pub(super) fn of(whole: &'w Whole) -> Self {
        let canvas = &whole.canvas;
        let personas = std::iter::once(&canvas.persona)
            .chain(&whole.personas)
            .chain(whole.known_of.values());
        Self {
            whole,
            phases: canvas
                .phases
                .iter()
                .map(|row| (row.id, row.key.as_str()))
                .collect(),
            sources: whole
                .sources
                .iter()
                .map(|row| (row.id, row.title.as_str()))
                .collect(),
            insights: whole
                .insights
                .iter()
                .map(|row| (row.id, row.key.as_str()))
                .collect(),
            personas: personas
                .map(|row: &persona::Model| (row.id, row.key.as_str()))
                .collect(),
        }
    }

    fn touchpoint_key(&self, id: TouchpointId) -> Option<String> {
        self.whole.canvas.touchpoint(id).map(|row| row.key.clone())
    }

    fn phase_key(&self, id: PhaseId) -> Option<String> {
        self.phases.get(&id).map(|key| (*key).to_owned())
    }

    fn touchpoint(&self, row: &touchpoint::Model) -> Touchpoint {
        let canvas = &self.whole.canvas;
        let audience = self.whole.audiences.get(&row.id).into_iter().flatten();
        let audience = audience.filter_map(|id| self.whole.segments.get(id));
        Touchpoint {
            key: row.key.clone(),
            phase: self.phase_key(row.phase_id).unwrap_or_default(),
            name: row.name.clone(),
            lane: row.lane,
            customer_action: row.customer_action.clone(),
            channels: canvas
                .channels_of(row.id)
                .iter()
                .map(|channel| channel.key.clone())
                .collect(),
            audience: audience.map(|segment| segment.key.clone()).collect(),
            initiator: row.initiator,
            contacts_per_month: row.contacts_per_month,
            emotion: row.emotion,
            employee_emotion: row.employee_emotion,
            importance_customer: row.importance_customer,
            importance_organisation: row.importance_organisation,
            usage: row.usage,
            usage_reason: row.usage_reason.clone(),
            moment_of_truth: row.moment_of_truth,
            essential: row.essential,
            expected_minutes: row.expected_minutes,
            basis: row.basis,
            evidence: row
                .evidence
                .0
                .iter()
                .map(|item| Evidence {
                    label: item.label.clone(),
                    link: item.link.clone(),
                })
                .collect(),
            systems: row.systems.0.clone(),
            note: row.note.clone(),
        }
    }

    pub(super) fn transition(&self, row: &transition::Model) -> Transition {
        Transition {
            from: row
                .from_touchpoint_id
                .and_then(|id| self.touchpoint_key(id)),
            to: row.to_touchpoint_id.and_then(|id| self.touchpoint_key(id)),
            end: row.end,
            kind: row.kind,
            condition: row.condition.clone(),
            max_wait_minutes: row.max_wait_minutes,
            basis: row.basis,
        }
    }

    pub(super) fn responsibility(&self, row: &responsibility::Model) -> Responsibility {
        let department = self.whole.canvas.department(row.department_id);
        let person = row.person_id.and_then(|id| self.whole.people.get(&id));
        Responsibility {
            touchpoint: self.touchpoint_key(row.touchpoint_id).unwrap_or_default(),
            department: department.map(|row| row.key.clone()).unwrap_or_default(),
            role: row.role,
            status: row.status,
            tasks: row.tasks.0.clone(),
            person: person.map(|person| person.key.clone()),
        }
    }

    pub(super) fn kpi_link(&self, row: &kpi_link::Model) -> KpiLink {
        let kpi = self.whole.canvas.kpi(row.kpi_id);
        KpiLink {
            touchpoint: row.touchpoint_id.and_then(|id| self.touchpoint_key(id)),
            phase: row.phase_id.and_then(|id| self.phase_key(id)),
            kpi: kpi.map(|row| row.key.clone()).unwrap_or_default(),
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            weight: row.weight,
        }
    }

    pub(super) fn scenario(&self, row: &scenario::Model) -> Scenario {
        let steps = self.whole.steps.get(&row.id).into_iter().flatten();
        Scenario {
            name: row.name.clone(),
            kind: row.kind,
            note: row.note.clone(),
            touchpoints: steps.filter_map(|id| self.touchpoint_key(*id)).collect(),
        }
    }

    pub(super) fn insight(&self, row: &insight::Model) -> Insight {
        let told = |id: &SourceId| self.sources.get(id).map(|title| (*title).to_owned());
        let sources = self.whole.rests_on.get(&row.id).into_iter().flatten();
        let persona = row.persona_id.and_then(|id| self.personas.get(&id));
        let answered_by = row.answered_by_id.and_then(|id| self.insights.get(&id));
        Insight {
            key: row.key.clone(),
            touchpoint: row.touchpoint_id.and_then(|id| self.touchpoint_key(id)),
            phase: row.phase_id.and_then(|id| self.phase_key(id)),
            kind: row.kind,
            text: row.text.clone(),
            quote: row.quote,
            persona: persona.map(|key| (*key).to_owned()),
            basis: row.basis,
            sources: sources.filter_map(told).collect(),
            whys: row.whys.0.clone(),
            answer: row.answer.clone(),
            answered_by: answered_by.map(|key| (*key).to_owned()),
        }
    }

    pub(super) fn promise(&self, row: &promise::Model) -> Promise {
        let delivered_at = self.whole.delivered_at.get(&row.id).into_iter().flatten();
        Promise {
            key: row.key.clone(),
            touchpoint: self.touchpoint_key(row.touchpoint_id).unwrap_or_default(),
            text: row.text.clone(),
            state: row.state,
            delivered_at: delivered_at
                .filter_map(|id| self.touchpoint_key(*id))
                .collect(),
        }
    }

    pub(super) fn evaluation(&self, row: &evaluation::Model) -> Evaluation {
        let verdicts = self.whole.verdicts.get(&row.id).into_iter().flatten();
        let needs = &self.whole.canvas.needs;
        let told = |(need, verdict): &(NeedId, Verdict)| {
            let need = needs.iter().find(|row| row.id == *need)?;
            Some(NeedVerdict {
                need: need.text.clone(),
                verdict: *verdict,
            })
        };
        let by = row.by_account_id.and_then(|id| self.whole.people.get(&id));
        Evaluation {
            touchpoint: self.touchpoint_key(row.touchpoint_id).unwrap_or_default(),
            held_on: row.held_on,
            by_account: by.map(|person| person.key.clone()),
            by_name: row.by_name.clone(),
            messages: row.messages,
            conflicts_with: row.conflicts_with_id.and_then(|id| self.touchpoint_key(id)),
            conflict: row.conflict.clone(),
            verdicts: verdicts.filter_map(told).collect(),
            note: row.note.clone(),
        }
    }

    pub(super) fn improvement(&self, row: &improvement::Model) -> Improvement {
        let touchpoints = self.whole.improved.get(&row.id).into_iter().flatten();
        let kpis = self.whole.told_by.get(&row.id).into_iter().flatten();
        let kpis = kpis.filter_map(|id| self.whole.telling.get(id));
        let owner = self.whole.improvers.get(&row.owner_department_id);
        Improvement {
            key: row.key.clone(),
            title: row.title.clone(),
            description: row.description.clone(),
            owner_department: owner.map(|row| row.key.clone()).unwrap_or_default(),
            impact: row.impact,
            effort: row.effort,
            state: row.state,
            result: row.result.clone(),
            target_on: row.target_on,
            touchpoints: touchpoints
                .filter_map(|id| self.touchpoint_key(*id))
                .collect(),
            kpis: kpis.map(|row| row.key.clone()).collect(),
        }
    }
}
