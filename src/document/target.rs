//! What a blueprint's rows are to be after an import: the document with its keys looked up, and every rule that
//! holds for what people change one by one held for all of it at once. Pure: it reads and writes nothing.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use entity::{
    blueprint, evaluation,
    id::{
        AccountId, BlueprintId, ChannelId, DepartmentId, EvaluationId, ImprovementId, InsightId,
        KpiId, NeedId, PersonaId, PhaseId, PromiseId, ScenarioId, SegmentId, SourceId,
        TouchpointId,
    },
    improvement, insight,
    json::Texts,
    kpi_link, phase, promise, responsibility, scenario, source, touchpoint, transition,
    words::{BlueprintStatus, ResponsibilityStatus, Role, Subject, Verdict},
};

use super::{
    blueprint::{Document, NeedVerdict, Touchpoint},
    catalogue::{Catalogue, lower},
    export::Keys,
    merge::{Places, too_many},
    part::{Identity, Part},
};
use crate::{
    canvas::whole::Whole,
    error::{Reason, UserErrorCode},
    id, improvement as improvements,
    input::{Faults, LIST},
    insight::{self as insights, source as sources},
    kpi::link,
    scenario::MOST_STEPS,
    touchpoint::{self as touchpoints, transition::check_shape},
};

/// A blueprint as it is before an import.
pub struct Before {
    pub whole: Arc<Whole>,
    /// What is archived in it, and comes back where a document names it.
    pub phases: Vec<phase::Model>,
    pub touchpoints: Vec<touchpoint::Model>,
}

/// A role as a document wants it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its place in the document.
    pub path: String,
    pub touchpoint: TouchpointId,
    pub department: DepartmentId,
    pub role: Role,
    pub accepted: bool,
    pub tasks: Vec<String>,
    pub person: Option<AccountId>,
    /// The open responsibility or proposal that is there.
    pub now: Option<responsibility::Model>,
}

/// The lists of parts, by what they belong to.
pub type Lists<O, P> = HashMap<O, Vec<P>>;

/// A need, and whether it is met.
pub type Found = (NeedId, Verdict);

/// A link as a document wants it, with its place in it.
pub type WantedLink = (String, kpi_link::Model);

/// The rows as they are to be.
#[derive(Debug)]
pub struct Target {
    pub blueprint: blueprint::Model,
    pub personas: Vec<PersonaId>,
    pub phases: Vec<phase::Model>,
    pub touchpoints: Vec<touchpoint::Model>,
    pub channels: Lists<TouchpointId, ChannelId>,
    pub audiences: Lists<TouchpointId, SegmentId>,
    pub transitions: Vec<transition::Model>,
    pub responsibilities: Vec<Wanted>,
    pub kpi_links: Vec<WantedLink>,
    pub scenarios: Vec<scenario::Model>,
    pub steps: Lists<ScenarioId, TouchpointId>,
    pub sources: Vec<source::Model>,
    pub insights: Vec<insight::Model>,
    pub rests_on: Lists<InsightId, SourceId>,
    pub promises: Vec<promise::Model>,
    pub delivered_at: Lists<PromiseId, TouchpointId>,
    pub evaluations: Vec<evaluation::Model>,
    pub verdicts: Lists<EvaluationId, Found>,
    pub improvements: Vec<improvement::Model>,
    pub improved: Lists<ImprovementId, TouchpointId>,
    pub told_by: Lists<ImprovementId, KpiId>,
}

/// Rows that are there, each taken once by what tells it from the others.
struct Rows<M>(HashMap<Identity, VecDeque<M>>);

impl<M> Rows<M> {
    fn of<P: Part>(rows: impl Iterator<Item = (P, M)>) -> Self {
        let mut by: HashMap<Identity, VecDeque<M>> = HashMap::new();
        for (part, row) in rows {
            by.entry(part.identity()).or_default().push_back(row);
        }
        Self(by)
    }

    fn take<P: Part>(&mut self, part: &P) -> Option<M> {
        self.0
            .get_mut(&part.identity())
            .and_then(VecDeque::pop_front)
    }
}

/// Looks up, checks and collects what is wrong, part by part.
struct Resolver<'a> {
    document: &'a Document,
    places: &'a Places,
    before: Option<&'a Before>,
    keys: Option<Keys<'a>>,
    catalogue: &'a Catalogue,
    faults: &'a mut Faults,
    now: DateTime<Utc>,
    blueprint: BlueprintId,
    phases: HashMap<String, PhaseId>,
    touchpoints: HashMap<String, TouchpointId>,
    sources: HashMap<String, SourceId>,
    insights: HashMap<String, InsightId>,
}

impl Target {
    /// The rows that a document asks for; nothing where it cannot be, which the faults tell.
    pub fn of(
        document: &Document,
        places: &Places,
        before: Option<&Before>,
        catalogue: &Catalogue,
        (now, fresh): (DateTime<Utc>, BlueprintId),
        faults: &mut Faults,
    ) -> Option<Self> {
        let blueprint = before.map(|before| before.whole.canvas.blueprint.id);
        let mut resolver = Resolver {
            document,
            places,
            before,
            keys: before.map(|before| Keys::of(&before.whole)),
            catalogue,
            faults,
            now,
            blueprint: blueprint.unwrap_or(fresh),
            phases: HashMap::new(),
            touchpoints: HashMap::new(),
            sources: HashMap::new(),
            insights: HashMap::new(),
        };
        resolver.few_enough();
        let blueprint = resolver.blueprint();
        let personas = resolver.secondary_personas();
        let phases = resolver.phases();
        let (touchpoints, channels, audiences) = resolver.touchpoints();
        let transitions = resolver.transitions();
        let responsibilities = resolver.responsibilities();
        let kpi_links = resolver.kpi_links();
        let (scenarios, steps) = resolver.scenarios();
        let sources = resolver.sources();
        let (insights, rests_on) = resolver.insights();
        let (promises, delivered_at) = resolver.promises();
        let needs_of = blueprint.as_ref().map(|row| row.persona_id);
        let (evaluations, verdicts) = resolver.evaluations(needs_of);
        let (improvements, improved, told_by) = resolver.improvements();
        Some(Self {
            blueprint: blueprint?,
            personas,
            phases,
            touchpoints,
            channels,
            audiences,
            transitions,
            responsibilities,
            kpi_links,
            scenarios,
            steps,
            sources,
            insights,
            rests_on,
            promises,
            delivered_at,
            evaluations,
            verdicts,
            improvements,
            improved,
            told_by,
        })
    }
}

impl<'a> Resolver<'a> {
    fn wrong(&mut self, path: &str, message: impl Into<String>) {
        self.faults.add(path, UserErrorCode::Invalid, None, message);
    }

    /// What was found for a key, or a fault.
    fn found<T>(&mut self, path: &str, noun: &str, key: &str, found: Option<T>) -> Option<T> {
        if found.is_none() {
            let key: String = key.chars().take(64).collect();
            let message = format!("There is no {noun} \"{key}\".");
            self.faults
                .add(path, UserErrorCode::NotFound, None, message);
        }
        found
    }

    /// What was found for keys, each once.
    fn found_all<T: Copy>(
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

    fn phase_at(&mut self, path: &str, key: &str) -> Option<PhaseId> {
        let found = self.phases.get(&lower(key)).copied();
        self.found(path, "phase in this blueprint", key, found)
    }

    fn touchpoint_at(&mut self, path: &str, key: &str) -> Option<TouchpointId> {
        let found = self.touchpoints.get(&lower(key)).copied();
        self.found(path, "touchpoint in this blueprint", key, found)
    }

    /// A place that may be named: nothing where it is not; a fault, and nothing at all, where it is not there.
    fn perhaps<T>(
        &mut self,
        path: &str,
        key: Option<&String>,
        at: fn(&mut Self, &str, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        key.map_or(Some(None), |key| at(self, path, key).map(Some))
    }

    fn department_at(&mut self, path: &str, key: &str) -> Option<DepartmentId> {
        let found = self.catalogue.departments.get(&lower(key)).copied();
        self.found(path, "department", key, found)
    }

    fn persona_at(&mut self, path: &str, key: &str) -> Option<(PersonaId, Subject)> {
        let found = self.catalogue.personas.get(&lower(key)).copied();
        self.found(path, "persona", key, found)
    }

    fn few_enough(&mut self) {
        for (list, there, most) in self.document.lists() {
            if there as u64 > most {
                too_many(&list, most, self.faults);
            }
        }
    }

    fn blueprint(&mut self) -> Option<blueprint::Model> {
        let document = self.document;
        let title = self.faults.name("title", &document.title);
        let owner = self.department_at("ownerDepartment", &document.owner_department);
        let persona = self.persona_at("persona", &document.persona);
        let persona = self.same_subject("persona", persona);
        let now = self.before.map(|before| &before.whole.canvas.blueprint);
        if let Some(now) = now {
            for (field, same) in [
                ("subject", now.subject == document.subject),
                ("state", now.state == document.state),
            ] {
                if !same {
                    self.wrong(field, "This is fixed once a blueprint is made.");
                }
            }
        } else {
            self.faults.key("key", &document.key);
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
            persona_id: uuid::Uuid::nil().into(),
            owner_department_id: uuid::Uuid::nil().into(),
            next_review_on: None,
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
            next_review_on: document.next_review_on,
            ..now.cloned().unwrap_or_else(fresh)
        })
    }

    fn same_subject(
        &mut self,
        path: &str,
        persona: Option<(PersonaId, Subject)>,
    ) -> Option<PersonaId> {
        let (persona, subject) = persona?;
        if subject != self.document.subject {
            self.wrong(path, "This persona is of another subject than the journey.");
        }
        Some(persona)
    }

    fn secondary_personas(&mut self) -> Vec<PersonaId> {
        let document = self.document;
        self.faults
            .few("secondaryPersonas", document.secondary_personas.len());
        let mut personas = Vec::new();
        for (at, key) in document.secondary_personas.iter().enumerate() {
            let path = format!("secondaryPersonas.{at}");
            let persona = self.persona_at(&path, key);
            let persona = self.same_subject(&path, persona);
            personas.extend(persona.filter(|persona| !personas.contains(persona)));
        }
        personas
    }

    fn phases(&mut self) -> Vec<phase::Model> {
        let before = self.before;
        let there = before.into_iter().flat_map(|before| {
            let live = before.whole.canvas.phases.iter();
            live.chain(&before.phases)
        });
        let mut there: HashMap<String, &phase::Model> =
            there.map(|row| (lower(&row.key), row)).collect();
        let mut rows = Vec::new();
        for (said, position) in self.document.phases.iter().zip(1..) {
            let path = self.places.of("phases", said);
            let now = there.remove(&lower(&said.key)).cloned();
            let row = phase::Model {
                id: now.as_ref().map_or_else(id::new, |now| now.id),
                blueprint_id: self.blueprint,
                key: self.key(&path, now.as_ref().map(|now| &now.key), &said.key),
                name: self.faults.name(&format!("{path}.name"), &said.name),
                position,
                stage: said.stage,
                customer_goal: self.faults.optional_text(
                    &format!("{path}.customerGoal"),
                    said.customer_goal.as_deref(),
                ),
                prompt: self
                    .faults
                    .optional_text(&format!("{path}.prompt"), said.prompt.as_deref()),
                copied_from_id: now.as_ref().and_then(|now| now.copied_from_id),
                created_at: now.as_ref().map_or(self.now, |now| now.created_at),
                archived_at: None,
                version: now.as_ref().map_or(1, |now| now.version),
            };
            self.phases.insert(lower(&said.key), row.id);
            rows.push(row);
        }
        rows
    }

    /// A key: as it is kept, or checked where it is new.
    fn key(&mut self, path: &str, now: Option<&String>, said: &str) -> String {
        match now {
            Some(now) => now.clone(),
            None => self.faults.key(&format!("{path}.key"), said),
        }
    }

    fn touchpoints(
        &mut self,
    ) -> (
        Vec<touchpoint::Model>,
        Lists<TouchpointId, ChannelId>,
        Lists<TouchpointId, SegmentId>,
    ) {
        let there = self.before.into_iter().flat_map(|before| {
            let live = before.whole.canvas.touchpoints.iter();
            live.chain(&before.touchpoints)
        });
        let mut there: HashMap<String, &touchpoint::Model> =
            there.map(|row| (lower(&row.key), row)).collect();
        let mut positions: HashMap<PhaseId, i32> = HashMap::new();
        let (mut channels, mut audiences) = (HashMap::new(), HashMap::new());
        let mut rows = Vec::new();
        for said in &self.document.touchpoints {
            let path = self.places.of("touchpoints", said);
            let now = there.remove(&lower(&said.key)).cloned();
            let id = now.as_ref().map_or_else(id::new, |now| now.id);
            self.touchpoints.insert(lower(&said.key), id);
            let at = format!("{path}.channels");
            self.faults.few(&at, said.channels.len());
            channels.insert(
                id,
                self.found_all(&at, "channel", &said.channels, |own, key| {
                    own.catalogue.channels.get(key).copied()
                }),
            );
            let at = format!("{path}.audience");
            self.faults.few(&at, said.audience.len());
            audiences.insert(
                id,
                self.found_all(&at, "segment", &said.audience, |own, key| {
                    own.catalogue.segments.get(key).copied()
                }),
            );
            if let Some(phase) = self.phase_at(&format!("{path}.phase"), &said.phase) {
                let position = positions.entry(phase).or_insert(0);
                *position += 1;
                let place = (id, phase, *position);
                rows.push(self.touchpoint(&path, place, said, now.as_ref()));
            }
        }
        (rows, channels, audiences)
    }

    fn touchpoint(
        &mut self,
        path: &str,
        (id, phase_id, position): (TouchpointId, PhaseId, i32),
        said: &Touchpoint,
        now: Option<&touchpoint::Model>,
    ) -> touchpoint::Model {
        let key = self.key(path, now.map(|now| &now.key), &said.key);
        let at = |field: &str| format!("{path}.{field}");
        let faults = &mut *self.faults;
        touchpoint::Model {
            id,
            blueprint_id: self.blueprint,
            phase_id,
            key,
            name: faults.name(&at("name"), &said.name),
            position,
            lane: said.lane,
            customer_action: faults
                .optional_text(&at("customerAction"), said.customer_action.as_deref()),
            initiator: said.initiator,
            contacts_per_month: touchpoints::read_contacts(
                faults,
                &at("contactsPerMonth"),
                said.contacts_per_month,
            ),
            emotion: faults.within(&at("emotion"), said.emotion, -2..=2),
            employee_emotion: faults.within(&at("employeeEmotion"), said.employee_emotion, -2..=2),
            importance_customer: faults.within(
                &at("importanceCustomer"),
                said.importance_customer,
                1..=5,
            ),
            importance_organisation: faults.within(
                &at("importanceOrganisation"),
                said.importance_organisation,
                1..=5,
            ),
            usage: said.usage,
            usage_reason: faults.optional_text(&at("usageReason"), said.usage_reason.as_deref()),
            moment_of_truth: said.moment_of_truth,
            essential: said.essential,
            expected_minutes: faults.within(
                &at("expectedMinutes"),
                said.expected_minutes,
                0..=i32::MAX,
            ),
            basis: said.basis,
            evidence: touchpoints::read_evidence(
                faults,
                &at("evidence"),
                said.evidence
                    .iter()
                    .map(|item| (&*item.label, item.link.as_deref())),
            ),
            systems: Texts(faults.names(&at("systems"), &said.systems)),
            note: faults.optional_text(&at("note"), said.note.as_deref()),
            copied_from_id: now.and_then(|now| now.copied_from_id),
            created_at: now.map_or(self.now, |now| now.created_at),
            archived_at: None,
            version: now.map_or(1, |now| now.version),
        }
    }

    fn transitions(&mut self) -> Vec<transition::Model> {
        let mut there = Rows::of(self.keys.iter().flat_map(|keys| {
            let rows = keys.whole.canvas.transitions.iter();
            rows.map(|row| (keys.transition(row), row))
        }));
        let mut rows = Vec::new();
        for said in &self.document.transitions {
            let path = self.places.of("transitions", said);
            let now = there.take(said);
            let at = |field: &str| format!("{path}.{field}");
            let from = self.perhaps(&at("from"), said.from.as_ref(), Self::touchpoint_at);
            let to = self.perhaps(&at("to"), said.to.as_ref(), Self::touchpoint_at);
            let (Some(from), Some(to)) = (from, to) else {
                continue;
            };
            check_shape(self.faults, &path, from, to, said.end);
            rows.push(transition::Model {
                id: now.map_or_else(id::new, |now| now.id),
                blueprint_id: self.blueprint,
                kind: said.kind,
                end: said.end,
                from_touchpoint_id: from,
                to_touchpoint_id: to,
                condition: self
                    .faults
                    .optional_text(&at("condition"), said.condition.as_deref()),
                max_wait_minutes: self.faults.within(
                    &at("maxWaitMinutes"),
                    said.max_wait_minutes,
                    0..=i32::MAX,
                ),
                basis: said.basis,
                created_at: now.map_or(self.now, |now| now.created_at),
                version: now.map_or(1, |now| now.version),
            });
        }
        rows
    }

    fn responsibilities(&mut self) -> Vec<Wanted> {
        let mut there = Rows::of(self.keys.iter().flat_map(|keys| {
            let rows = keys.whole.canvas.responsibilities.iter();
            rows.map(|row| (keys.responsibility(row), row.clone()))
        }));
        let mut accountable: HashMap<TouchpointId, String> = HashMap::new();
        let mut wanted = Vec::new();
        for said in &self.document.responsibilities {
            let path = self.places.of("responsibilities", said);
            let at = |field: &str| format!("{path}.{field}");
            let touchpoint = self.touchpoint_at(&at("touchpoint"), &said.touchpoint);
            let department = self.department_at(&at("department"), &said.department);
            let person = said.person.as_ref();
            let person = person.and_then(|key| self.person_at(&at("person"), key));
            let tasks = self.faults.texts(&at("tasks"), &said.tasks);
            let accepted = said.status == ResponsibilityStatus::Accepted;
            if !accepted && said.status != ResponsibilityStatus::Proposed {
                self.wrong(
                    &at("status"),
                    "This is PROPOSED or ACCEPTED; history is not written.",
                );
            }
            let (Some(touchpoint), Some(department)) = (touchpoint, department) else {
                continue;
            };
            // Who is accountable and not named gives way to who is named.
            if accepted
                && said.role == Role::Accountable
                && self.places.said("responsibilities", said)
                && let Some(first) = accountable.insert(touchpoint, path.clone())
            {
                let message =
                    format!("One department is accountable at a touchpoint: see {first}.");
                let reason = Some(Reason::AccountableTaken);
                self.faults
                    .add(&path, UserErrorCode::Conflict, reason, message);
            }
            wanted.push(Wanted {
                touchpoint,
                department,
                role: said.role,
                accepted,
                tasks,
                person,
                now: there.take(said),
                path,
            });
        }
        wanted
    }

    fn kpi_links(&mut self) -> Vec<WantedLink> {
        let mut there = Rows::of(self.keys.iter().flat_map(|keys| {
            let rows = keys.whole.kpi_links.iter();
            rows.map(|row| (keys.kpi_link(row), row))
        }));
        let mut rows: Vec<WantedLink> = Vec::new();
        for said in &self.document.kpi_links {
            let path = self.places.of("kpiLinks", said);
            let now = there.take(said);
            let at = |field: &str| format!("{path}.{field}");
            let found = self.catalogue.kpis.get(&lower(&said.kpi)).copied();
            let kpi = self.found(&at("kpi"), "KPI", &said.kpi, found);
            let phase = self.perhaps(&at("phase"), said.phase.as_ref(), Self::phase_at);
            let touchpoint = self.perhaps(
                &at("touchpoint"),
                said.touchpoint.as_ref(),
                Self::touchpoint_at,
            );
            if said.phase.is_some() && said.touchpoint.is_some() {
                self.wrong(
                    &path,
                    "A KPI judges a phase or a touchpoint, not both by one link.",
                );
            }
            let days = (said.valid_from, said.valid_to);
            link::check_days(self.faults, &path, days);
            self.faults.finite(&at("weight"), said.weight);
            let (Some(kpi_id), Some(phase_id), Some(touchpoint_id)) = (kpi, phase, touchpoint)
            else {
                continue;
            };
            let row = kpi_link::Model {
                id: now.map_or_else(id::new, |now| now.id),
                kpi_id,
                blueprint_id: self.blueprint,
                phase_id,
                touchpoint_id,
                valid_from: said.valid_from,
                valid_to: said.valid_to,
                weight: said.weight,
                created_at: now.map_or(self.now, |now| now.created_at),
                version: now.map_or(1, |now| now.version),
            };
            rows.push((path, row));
        }
        self.refuse_overlaps(&rows);
        rows
    }

    /// Refuses two links of one KPI to one place that share a day.
    fn refuse_overlaps(&mut self, rows: &[WantedLink]) {
        let mut places: HashMap<_, Vec<&WantedLink>> = HashMap::new();
        for wanted in rows {
            let (_, row) = wanted;
            let place = (row.kpi_id, row.phase_id, row.touchpoint_id);
            places.entry(place).or_default().push(wanted);
        }
        for links in places.values_mut() {
            // By their first days: where none shares a day with the next, none shares one at all.
            links.sort_by_key(|(_, row)| row.valid_from);
            for pair in links.windows(2) {
                if let [(_, one), (path, other)] = pair
                    && link::overlap(
                        (one.valid_from, one.valid_to),
                        (other.valid_from, other.valid_to),
                    )
                {
                    let message = "The KPI judges this already on some of these days.";
                    let reason = Some(Reason::AlreadyLinked);
                    self.faults
                        .add(path, UserErrorCode::Duplicate, reason, message);
                }
            }
        }
    }

    fn scenarios(&mut self) -> (Vec<scenario::Model>, Lists<ScenarioId, TouchpointId>) {
        let mut there = Rows::of(self.keys.iter().flat_map(|keys| {
            let rows = keys.whole.scenarios.iter();
            rows.map(|row| (keys.scenario(row), row))
        }));
        let (mut rows, mut steps) = (Vec::new(), HashMap::new());
        for said in &self.document.scenarios {
            let path = self.places.of("scenarios", said);
            let at = |field: &str| format!("{path}.{field}");
            let now = there.take(said);
            let id = now.map_or_else(id::new, |now| now.id);
            if said.touchpoints.len() > MOST_STEPS {
                let message = format!("A scenario has at most {MOST_STEPS} steps.");
                self.faults.add(
                    &at("touchpoints"),
                    UserErrorCode::LimitExceeded,
                    None,
                    message,
                );
            }
            let mut way = Vec::new();
            for (step, key) in said.touchpoints.iter().enumerate() {
                way.extend(self.touchpoint_at(&format!("{path}.touchpoints.{step}"), key));
            }
            steps.insert(id, way);
            let name = self.faults.name(&at("name"), &said.name);
            rows.push(scenario::Model {
                id,
                blueprint_id: self.blueprint,
                name: now.map_or(name, |now| now.name.clone()),
                kind: said.kind,
                note: self.faults.optional_text(&at("note"), said.note.as_deref()),
                created_at: now.map_or(self.now, |now| now.created_at),
                version: now.map_or(1, |now| now.version),
            });
        }
        (rows, steps)
    }

    fn sources(&mut self) -> Vec<source::Model> {
        let mut there = Rows::of(self.keys.iter().flat_map(|keys| {
            let rows = keys.whole.sources.iter();
            rows.map(|row| (super::export::source(row), row))
        }));
        let mut rows = Vec::new();
        for said in &self.document.sources {
            let path = self.places.of("sources", said);
            let at = |field: &str| format!("{path}.{field}");
            let now = there.take(said);
            let id = now.map_or_else(id::new, |now| now.id);
            self.sources.insert(lower(&said.title), id);
            let title = self.faults.name(&at("title"), &said.title);
            rows.push(source::Model {
                id,
                blueprint_id: self.blueprint,
                title: now.map_or(title, |now| now.title.clone()),
                kind: said.kind,
                held_on: said.held_on,
                sample_size: sources::read_sample_size(
                    self.faults,
                    &at("sampleSize"),
                    said.sample_size,
                ),
                link: self.faults.link(&at("link"), said.link.as_deref()),
                note: self.faults.optional_text(&at("note"), said.note.as_deref()),
                created_at: now.map_or(self.now, |now| now.created_at),
                version: now.map_or(1, |now| now.version),
            });
        }
        rows
    }

    fn insights(&mut self) -> (Vec<insight::Model>, Lists<InsightId, SourceId>) {
        let mut there = Rows::of(self.keys.iter().flat_map(|keys| {
            let rows = keys.whole.insights.iter();
            rows.map(|row| (keys.insight(row), row))
        }));
        let document = self.document;
        let said: Vec<_> = document
            .insights
            .iter()
            .map(|said| {
                let now = there.take(said);
                let id: InsightId = now.map_or_else(id::new, |now| now.id);
                self.insights.insert(lower(&said.key), id);
                (said, id, now)
            })
            .collect();
        let (mut rows, mut rests_on) = (Vec::new(), HashMap::new());
        let mut answers = Vec::new();
        for (said, id, now) in said {
            let path = self.places.of("insights", said);
            let at = |field: &str| format!("{path}.{field}");
            let touchpoint = self.perhaps(
                &at("touchpoint"),
                said.touchpoint.as_ref(),
                Self::touchpoint_at,
            );
            let phase = self.perhaps(&at("phase"), said.phase.as_ref(), Self::phase_at);
            if said.touchpoint.is_some() && said.phase.is_some() {
                self.wrong(
                    &path,
                    "An insight is known of a phase or of a touchpoint, not of both.",
                );
            }
            let persona = said.persona.as_ref();
            let persona = persona.and_then(|key| self.persona_at(&at("persona"), key));
            let answered_by = said.answered_by.as_ref().and_then(|key| {
                let found = self.insights.get(&lower(key)).copied();
                self.found(&at("answeredBy"), "insight in this blueprint", key, found)
            });
            self.faults.few(&at("sources"), said.sources.len());
            let sources = self.found_all(
                &at("sources"),
                "source in this blueprint",
                &said.sources,
                |own, title| own.sources.get(title).copied(),
            );
            let (Some(touchpoint_id), Some(phase_id)) = (touchpoint, phase) else {
                continue;
            };
            let fixed = now.filter(|now| {
                (now.touchpoint_id, now.phase_id, now.kind) != (touchpoint_id, phase_id, said.kind)
            });
            if fixed.is_some() {
                self.wrong(
                    &path,
                    "The place and the kind of an insight are fixed; make another one.",
                );
            }
            let row = insight::Model {
                id,
                blueprint_id: self.blueprint,
                key: self.key(&path, now.map(|now| &now.key), &said.key),
                phase_id,
                touchpoint_id,
                persona_id: persona.map(|(persona, _)| persona),
                kind: said.kind,
                text: self.faults.some_text(&at("text"), &said.text),
                quote: said.quote,
                basis: said.basis,
                whys: Texts(self.faults.texts(&at("whys"), &said.whys)),
                answer: self
                    .faults
                    .optional_text(&at("answer"), said.answer.as_deref()),
                answered_by_id: answered_by,
                created_at: now.map_or(self.now, |now| now.created_at),
                version: now.map_or(1, |now| now.version),
            };
            insights::check(self.faults, &path, &row, sources.len());
            rests_on.insert(id, sources);
            if let Some(answer) = row.answered_by_id.filter(|answer| *answer != id) {
                answers.push((id, at("answeredBy"), answer));
            }
            rows.push(row);
        }
        self.refuse_circles(&answers);
        (rows, rests_on)
    }

    /// Refuses questions that answer one another in a circle, each circle once.
    fn refuse_circles(&mut self, answers: &[(InsightId, String, InsightId)]) {
        let onward: HashMap<InsightId, InsightId> = answers
            .iter()
            .map(|(question, _, answer)| (*question, *answer))
            .collect();
        // Each question by the walk that came to it first: a walk that meets itself has gone in a circle.
        let mut walks: HashMap<InsightId, InsightId> = HashMap::new();
        for (start, path, _) in answers {
            let mut next = Some(*start);
            while let Some(at) = next.filter(|at| !walks.contains_key(at)) {
                walks.insert(at, *start);
                next = onward.get(&at).copied();
            }
            if next.is_some_and(|met| walks.get(&met) == Some(start)) {
                self.wrong(path, insights::CIRCLE);
            }
        }
    }

    /// Touchpoints named by keys, each once.
    fn touchpoints_at(&mut self, path: &str, keys: &[String]) -> Vec<TouchpointId> {
        self.faults.few(path, keys.len());
        self.found_all(path, "touchpoint in this blueprint", keys, |own, key| {
            own.touchpoints.get(key).copied()
        })
    }

    fn promises(&mut self) -> (Vec<promise::Model>, Lists<PromiseId, TouchpointId>) {
        let mut there = Rows::of(self.keys.iter().flat_map(|keys| {
            let rows = keys.whole.promises.iter();
            rows.map(|row| (keys.promise(row), row))
        }));
        let (mut rows, mut delivered_at) = (Vec::new(), HashMap::new());
        for said in &self.document.promises {
            let path = self.places.of("promises", said);
            let at = |field: &str| format!("{path}.{field}");
            let now = there.take(said);
            let id = now.map_or_else(id::new, |now| now.id);
            let touchpoint = self.touchpoint_at(&at("touchpoint"), &said.touchpoint);
            let deliver = self.touchpoints_at(&at("deliveredAt"), &said.delivered_at);
            let Some(touchpoint_id) = touchpoint else {
                continue;
            };
            if now.is_some_and(|now| now.touchpoint_id != touchpoint_id) {
                self.wrong(&path, "Where a promise is made is fixed; make another one.");
            }
            delivered_at.insert(id, deliver);
            rows.push(promise::Model {
                id,
                blueprint_id: self.blueprint,
                key: self.key(&path, now.map(|now| &now.key), &said.key),
                touchpoint_id,
                text: self.faults.some_text(&at("text"), &said.text),
                state: said.state,
                created_at: now.map_or(self.now, |now| now.created_at),
                version: now.map_or(1, |now| now.version),
            });
        }
        (rows, delivered_at)
    }

    fn evaluations(
        &mut self,
        needs_of: Option<PersonaId>,
    ) -> (Vec<evaluation::Model>, Lists<EvaluationId, Found>) {
        let mut there = Rows::of(self.keys.iter().flat_map(|keys| {
            let rows = keys.whole.evaluations.iter();
            rows.map(|row| (keys.evaluation(row), row))
        }));
        let (mut rows, mut verdicts) = (Vec::new(), HashMap::new());
        for said in &self.document.evaluations {
            let path = self.places.of("evaluations", said);
            let at = |field: &str| format!("{path}.{field}");
            let now = there.take(said);
            let id = now.map_or_else(id::new, |now| now.id);
            let touchpoint = self.touchpoint_at(&at("touchpoint"), &said.touchpoint);
            let other = said.conflicts_with.as_ref();
            let other = other.and_then(|key| self.touchpoint_at(&at("conflictsWith"), key));
            let by = said.by_account.as_ref();
            let by = by.and_then(|key| self.person_at(&at("byAccount"), key));
            let found = self.verdicts(&at("verdicts"), &said.verdicts, needs_of);
            let Some(touchpoint_id) = touchpoint else {
                continue;
            };
            verdicts.insert(id, found);
            let by_name = said.by_name.as_deref();
            let row = evaluation::Model {
                id,
                blueprint_id: self.blueprint,
                touchpoint_id,
                held_on: said.held_on,
                by_account_id: by,
                by_name: by_name.map(|name| self.faults.name(&at("byName"), name)),
                messages: said.messages,
                conflicts_with_id: other,
                conflict: self
                    .faults
                    .optional_text(&at("conflict"), said.conflict.as_deref()),
                note: self.faults.optional_text(&at("note"), said.note.as_deref()),
                created_at: now.map_or(self.now, |now| now.created_at),
                version: now.map_or(1, |now| now.version),
            };
            crate::evaluation::check(self.faults, &path, &row);
            rows.push(row);
        }
        (rows, verdicts)
    }

    fn verdicts(
        &mut self,
        path: &str,
        said: &[NeedVerdict],
        persona: Option<PersonaId>,
    ) -> Vec<Found> {
        self.faults.few(path, said.len());
        let mut found: Vec<Found> = Vec::new();
        for (at, NeedVerdict { need, verdict }) in said.iter().take(LIST).enumerate() {
            let id = persona.and_then(|persona| {
                let need = (persona, lower(need));
                self.catalogue.needs.get(&need).copied()
            });
            let path = format!("{path}.{at}.need");
            match self.found(&path, "such need of the persona:", need, id) {
                Some(id) if found.iter().any(|(met, _)| *met == id) => {
                    self.wrong(&path, "This need is in the list already.");
                }
                id => found.extend(id.map(|id| (id, *verdict))),
            }
        }
        found
    }

    fn improvements(
        &mut self,
    ) -> (
        Vec<improvement::Model>,
        Lists<ImprovementId, TouchpointId>,
        Lists<ImprovementId, KpiId>,
    ) {
        let mut there = Rows::of(self.keys.iter().flat_map(|keys| {
            let rows = keys.whole.improvements.iter();
            rows.map(|row| (keys.improvement(row), row))
        }));
        let (mut rows, mut improved, mut told_by) = (Vec::new(), HashMap::new(), HashMap::new());
        for said in &self.document.improvements {
            let path = self.places.of("improvements", said);
            let at = |field: &str| format!("{path}.{field}");
            let now = there.take(said);
            let id = now.map_or_else(id::new, |now| now.id);
            let owner = self.department_at(&at("ownerDepartment"), &said.owner_department);
            improved.insert(
                id,
                self.touchpoints_at(&at("touchpoints"), &said.touchpoints),
            );
            self.faults.few(&at("kpis"), said.kpis.len());
            told_by.insert(
                id,
                self.found_all(&at("kpis"), "KPI", &said.kpis, |own, key| {
                    own.catalogue.kpis.get(key).copied()
                }),
            );
            let Some(owner_department_id) = owner else {
                continue;
            };
            let key = self.key(&path, now.map(|now| &now.key), &said.key);
            let faults = &mut *self.faults;
            let row = improvement::Model {
                id,
                blueprint_id: self.blueprint,
                key,
                title: faults.name(&at("title"), &said.title),
                description: faults.optional_text(&at("description"), said.description.as_deref()),
                owner_department_id,
                impact: improvements::estimate(faults, &at("impact"), said.impact),
                effort: improvements::estimate(faults, &at("effort"), said.effort),
                state: said.state,
                result: faults.optional_text(&at("result"), said.result.as_deref()),
                target_on: said.target_on,
                created_at: now.map_or(self.now, |now| now.created_at),
                version: now.map_or(1, |now| now.version),
            };
            improvements::check(faults, &path, &row);
            rows.push(row);
        }
        (rows, improved, told_by)
    }

    fn person_at(&mut self, path: &str, key: &str) -> Option<AccountId> {
        let found = self.catalogue.people.get(&lower(key)).copied();
        self.found(path, "account", key, found)
    }
}
