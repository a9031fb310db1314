//! What journeys share: departments, channels, segments, personas, KPIs, playbooks, routing rules and templates,
//! turned into rows. Every fault is collected
//! with its place; nothing is written before there are none.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    channel, department,
    id::{ChannelId, DepartmentId, Id, KpiId, PersonaId, SegmentId, TemplateId},
    json::Texts,
    kpi, kpi_target, persona, persona_need, persona_segment, playbook, routing_rule, segment,
    template,
};
use sea_orm::{EntityTrait, Set};

use super::schema::{
    ChannelEntry, DepartmentEntry, KpiEntry, OrganisationInput, PersonaEntry, PlaybookEntry,
    RoutingRuleEntry, SegmentEntry, TemplateEntry, TemplatePhaseEntry,
};
use crate::{
    access::{Permit, with_all_columns_set},
    department::{ancestors_and_self, is_within},
    document::catalogue::fold_key,
    error::{Reason, Result, UserErrorCode},
    feedback::{
        playbook::check_content,
        routing::{MOST_RULES, add_no_condition_fault},
    },
    id,
    input::Faults,
    judgement::KpiPart,
    kpi::{self as kpis, fed::can_be_fed_by_answers, rules::target_faults},
    template::{TemplateContent, TemplatePhaseInput},
};

/// What has a key, by the key in small letters.
#[derive(Debug)]
pub(super) struct ClaimedIdsByKey<I>(HashMap<String, (I, String)>);

impl<I> Default for ClaimedIdsByKey<I> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<I: Id> ClaimedIdsByKey<I> {
    /// An id for what has this key, unless something above has it.
    fn claim(&mut self, path: &str, key: &str, faults: &mut Faults) -> I {
        let (path, id) = (format!("{path}.key"), id::new());
        let key = faults.check_key(&path, key);
        match self.0.get(&fold_key(&key)) {
            Some((_, first)) => {
                let message = format!("The key \"{key}\" is taken at {first}.");
                faults.add(&path, UserErrorCode::Duplicate, None, message);
            }
            None => {
                self.0.insert(fold_key(&key), (id, path));
            }
        }
        id
    }

    /// What is in the database already.
    fn insert_all<'k>(&mut self, there: impl Iterator<Item = (&'k str, I)>) {
        let there = there.map(|(key, id)| (fold_key(key), (id, String::new())));
        self.0.extend(there);
    }

    /// What has the key; a fault where nothing has.
    pub(super) fn find(&self, path: &str, noun: &str, key: &str, faults: &mut Faults) -> Option<I> {
        let found = self.0.get(&fold_key(key)).map(|(id, _)| *id);
        if found.is_none() {
            let message = format!("There is no {noun} \"{key}\" in this document.");
            faults.add(path, UserErrorCode::NotFound, None, message);
        }
        found
    }
}

/// The rows, and what is found by its key.
#[derive(Default)]
pub(super) struct SharedRows {
    pub department_keys: ClaimedIdsByKey<DepartmentId>,
    pub channel_keys: ClaimedIdsByKey<ChannelId>,
    pub segment_keys: ClaimedIdsByKey<SegmentId>,
    persona_keys: ClaimedIdsByKey<PersonaId>,
    kpi_keys: ClaimedIdsByKey<KpiId>,
    departments: Vec<department::Model>,
    channels: Vec<channel::Model>,
    segments: Vec<segment::Model>,
    personas: Vec<persona::Model>,
    needs: Vec<persona_need::Model>,
    persona_segments: Vec<persona_segment::Model>,
    playbooks: Vec<playbook::Model>,
    routing_rules: Vec<routing_rule::Model>,
    pub template_keys: ClaimedIdsByKey<TemplateId>,
    /// Those of the document; nothing where it does not say.
    templates: Option<Vec<template::Model>>,
    /// In the order of the document; one whose owner is unknown is left out.
    pub kpis: Vec<kpi::Model>,
    targets: Vec<kpi_target::Model>,
}

impl SharedRows {
    /// What an organisation's journeys share; `there` are the templates of the database, which count where the document
    /// says nothing of any.
    pub(super) fn from_document(
        said: &OrganisationInput,
        there: &[template::Model],
        (now, today): (DateTime<Utc>, NaiveDate),
        faults: &mut Faults,
    ) -> Self {
        let mut shared = Self::default();
        shared.add_departments(&said.departments, now, faults);
        for (at, channel) in said.channels.iter().enumerate() {
            shared.add_channel(&format!("channels.{at}"), channel, now, faults);
        }
        for (at, segment) in said.segments.iter().enumerate() {
            shared.add_segment(&format!("segments.{at}"), segment, now, faults);
        }
        for (at, persona) in said.personas.iter().enumerate() {
            shared.add_persona(&format!("personas.{at}"), persona, now, faults);
        }
        for (at, kpi) in said.kpis.iter().enumerate() {
            shared.add_kpi(&format!("kpis.{at}"), kpi, (now, today), faults);
        }
        for (at, playbook) in said.playbooks.iter().enumerate() {
            shared.add_playbook(&format!("playbooks.{at}"), playbook, now, faults);
        }
        faults.check_count("routingRules", said.routing_rules.len(), MOST_RULES);
        for (at, rule) in said.routing_rules.iter().enumerate() {
            shared.add_routing_rule(&format!("routingRules.{at}"), rule, now, faults);
        }
        if said.templates.is_none() {
            shared
                .template_keys
                .insert_all(there.iter().map(|row| (&*row.key, row.id)));
        }
        shared.templates = said.templates.as_ref().map(|templates| {
            let row = |(at, template): (usize, &TemplateEntry)| {
                let path = format!("templates.{at}");
                let id = shared.template_keys.claim(&path, &template.key, faults);
                template_row(&path, template, (id, now), faults)
            };
            templates.iter().enumerate().map(row).collect()
        });
        shared
    }

    fn add_departments(
        &mut self,
        said: &[DepartmentEntry],
        now: DateTime<Utc>,
        faults: &mut Faults,
    ) {
        // Two passes: a department may name a parent or a successor that stands below it.
        let ids: Vec<DepartmentId> = said
            .iter()
            .enumerate()
            .map(|(at, said)| {
                let path = format!("departments.{at}");
                self.department_keys.claim(&path, &said.key, faults)
            })
            .collect();
        for (at, (said, id)) in said.iter().zip(ids).enumerate() {
            let path = format!("departments.{at}");
            let keys = &self.department_keys;
            let mut find = |field: &str, key: &Option<String>| {
                let path = format!("{path}.{field}");
                key.as_ref()
                    .and_then(|key| keys.find(&path, "department", key, faults))
            };
            let parent_id = find("parent", &said.parent);
            let successor_id = find("successor", &said.successor);
            self.departments.push(department::Model {
                id,
                key: said.key.clone(),
                name: faults.check_name(&format!("{path}.name"), &said.name),
                kind: said.kind,
                parent_id,
                successor_id,
                created_at: now,
                archived_at: said.archived_at,
                version: 1,
            });
        }
        let parents = self.parents_by_department();
        for (at, row) in self.departments.iter().enumerate() {
            let above = row.parent_id;
            if above.is_some_and(|parent| is_within(&parents, parent, row.id)) {
                let message = "A department cannot be moved below itself.";
                let (path, reason) = (format!("departments.{at}.parent"), Some(Reason::Cycle));
                faults.add(&path, UserErrorCode::Invalid, reason, message);
            }
        }
    }

    fn parents_by_department(&self) -> HashMap<DepartmentId, Option<DepartmentId>> {
        self.departments
            .iter()
            .map(|row| (row.id, row.parent_id))
            .collect()
    }

    fn add_channel(
        &mut self,
        path: &str,
        said: &ChannelEntry,
        now: DateTime<Utc>,
        faults: &mut Faults,
    ) {
        self.channels.push(channel::Model {
            id: self.channel_keys.claim(path, &said.key, faults),
            key: said.key.clone(),
            name: faults.check_name(&format!("{path}.name"), &said.name),
            medium: said.medium,
            created_at: now,
            version: 1,
        });
    }

    fn add_segment(
        &mut self,
        path: &str,
        said: &SegmentEntry,
        now: DateTime<Utc>,
        faults: &mut Faults,
    ) {
        self.segments.push(segment::Model {
            id: self.segment_keys.claim(path, &said.key, faults),
            key: said.key.clone(),
            dimension: faults.check_name(&format!("{path}.dimension"), &said.dimension),
            value: faults.check_name(&format!("{path}.value"), &said.value),
            created_at: now,
            version: 1,
        });
    }

    fn add_persona(
        &mut self,
        path: &str,
        said: &PersonaEntry,
        now: DateTime<Utc>,
        faults: &mut Faults,
    ) {
        let at = |field: &str| format!("{path}.{field}");
        let id = self.persona_keys.claim(path, &said.key, faults);
        let most = said.max_contacts_per_month;
        self.personas.push(persona::Model {
            id,
            key: said.key.clone(),
            name: faults.check_name(&at("name"), &said.name),
            subject: said.subject,
            context: Texts(faults.check_texts(&at("context"), &said.context)),
            max_contacts_per_month: faults.check_within(
                &at("maxContactsPerMonth"),
                most,
                0..=i32::MAX,
            ),
            created_at: now,
            archived_at: said.archived_at,
            version: 1,
        });
        let needs = faults.check_texts(&at("needs"), &said.needs);
        let texts = needs.iter().map(String::as_str);
        faults.add_alike_faults(|index| at(&format!("needs.{index}")), texts);
        let needs = needs.into_iter().zip(1..);
        self.needs
            .extend(needs.map(|(text, position)| persona_need::Model {
                id: id::new(),
                persona_id: id,
                position,
                text,
            }));
        faults.check_list_length(&at("segments"), said.segments.len());
        let mut named = HashSet::new();
        for (key, position) in said.segments.iter().zip(1..) {
            let path = format!("{path}.segments.{}", position - 1);
            let Some(segment_id) = self.segment_keys.find(&path, "segment", key, faults) else {
                continue;
            };
            if !named.insert(segment_id) {
                let message = "This segment is in the list already.";
                faults.add(&path, UserErrorCode::Duplicate, None, message);
            }
            self.persona_segments.push(persona_segment::Model {
                persona_id: id,
                segment_id,
                position,
            });
        }
    }

    fn add_kpi(
        &mut self,
        path: &str,
        said: &KpiEntry,
        (now, today): (DateTime<Utc>, NaiveDate),
        faults: &mut Faults,
    ) {
        let at = |field: &str| format!("{path}.{field}");
        let id = self.kpi_keys.claim(path, &said.key, faults);
        let key = &said.owner_department;
        let owner = self
            .department_keys
            .find(&at("ownerDepartment"), "department", key, faults);
        let name = faults.check_name(&at("name"), &said.name);
        let description =
            faults.check_optional_text(&at("description"), said.description.as_deref());
        faults.check_within(&at("decimals"), Some(said.decimals), kpis::DECIMALS);
        faults.check_within(
            &at("minimumSample"),
            said.minimum_sample,
            kpis::MINIMUM_SAMPLE,
        );
        let (path_of_rule, rule) = (at("acrossParts"), said.aggregation);
        kpis::add_across_parts_fault(faults, &path_of_rule, rule, said.across_parts);
        kpis::add_currency_fault(faults, &at("currency"), said.unit, said.currency.as_deref());
        if let Some(day) = said.fed_from {
            faults.check_day(&at("fedFrom"), day);
            if said
                .measurements
                .iter()
                .any(|value| value.measured_on >= day)
            {
                let message = "It has values of that day or later, whose answers are not in a document: feed it from the \
                    day after its latest value on.";
                faults.add(&at("fedFrom"), UserErrorCode::Invalid, None, message);
            }
        }
        let fed_from = said
            .fed_from
            .or_else(|| today.succ_opt().filter(|_| said.fed_by_feedback));
        self.add_targets(path, id, said, now, faults);
        let Some(owner_department_id) = owner else {
            return;
        };
        let row = kpi::Model {
            id,
            key: said.key.clone(),
            name,
            description,
            kpi_type: said.r#type,
            unit: said.unit,
            currency: said.currency.clone(),
            decimals: said.decimals,
            direction: said.direction,
            aggregation: said.aggregation,
            cadence: said.cadence,
            owner_department_id,
            sensitivity: said.sensitivity,
            scope: said.scope,
            fed_from,
            minimum_sample: said.minimum_sample,
            across_parts: said.across_parts,
            series_revision: 0,
            created_at: now,
            archived_at: said.archived_at,
            version: 1,
        };
        if row.fed_from.is_some() && !can_be_fed_by_answers((&row).into()) {
            let path = at("fedFrom");
            faults.add(&path, UserErrorCode::Invalid, None, kpis::UNFEEDABLE);
        }
        self.kpis.push(row);
    }

    fn add_targets(
        &mut self,
        path: &str,
        kpi_id: KpiId,
        kpi: &KpiEntry,
        now: DateTime<Utc>,
        faults: &mut Faults,
    ) {
        let mut taken = HashSet::new();
        for (at, target) in kpi.targets.iter().enumerate() {
            let path = format!("{path}.targets.{at}");
            let (valid_from, value, warning) = (target.valid_from, target.value, target.warning);
            let part = self.part(
                &path,
                (target.channel.as_ref(), target.segment.as_ref()),
                faults,
            );
            let day = format!("{path}.validFrom");
            faults.check_day(&day, valid_from);
            if !taken.insert((part, valid_from)) {
                let message = "There is a target from this day on already.";
                faults.add(&day, UserErrorCode::Duplicate, None, message);
            }
            for wrong in target_faults(kpi.direction, value, warning) {
                let path = format!("{path}.{}", wrong.field);
                faults.add(&path, wrong.code, wrong.reason, wrong.message);
            }
            self.targets.push(kpi_target::Model {
                id: id::new(),
                kpi_id,
                channel_id: part.channel,
                segment_id: part.segment,
                valid_from,
                value,
                warning,
                created_at: now,
                version: 1,
            });
        }
    }

    /// The channel and the segment with these keys.
    fn part(
        &self,
        path: &str,
        (channel, segment): (Option<&String>, Option<&String>),
        faults: &mut Faults,
    ) -> KpiPart {
        let at = |field: &str| format!("{path}.{field}");
        let channels = &self.channel_keys;
        let segments = &self.segment_keys;
        KpiPart {
            channel: channel.and_then(|key| channels.find(&at("channel"), "channel", key, faults)),
            segment: segment.and_then(|key| segments.find(&at("segment"), "segment", key, faults)),
        }
    }

    fn add_playbook(
        &mut self,
        path: &str,
        said: &PlaybookEntry,
        now: DateTime<Utc>,
        faults: &mut Faults,
    ) {
        if self
            .playbooks
            .iter()
            .any(|row| row.answer_group == said.group)
        {
            let message = "This group has a playbook already.";
            let path = format!("{path}.group");
            faults.add(&path, UserErrorCode::Duplicate, None, message);
        }
        let mut wrong = Faults::default();
        let percent = said.follow_up_percent;
        let text = check_content(&mut wrong, &said.text, said.due_days, Some(percent));
        faults.add_under_path(path, wrong.into_errors());
        self.playbooks.push(playbook::Model {
            id: id::new(),
            answer_group: said.group,
            text,
            due_days: said.due_days,
            follow_up_percent: percent,
            created_at: now,
            version: 1,
        });
    }

    fn add_routing_rule(
        &mut self,
        path: &str,
        said: &RoutingRuleEntry,
        now: DateTime<Utc>,
        faults: &mut Faults,
    ) {
        let at = |field: &str| format!("{path}.{field}");
        let has_none = said.segment.is_none() && said.channel.is_none() && said.cause.is_none();
        add_no_condition_fault(faults, path, has_none);
        let part = self.part(path, (said.channel.as_ref(), said.segment.as_ref()), faults);
        let department =
            self.department_keys
                .find(&at("department"), "department", &said.department, faults);
        let conditions = |row: &routing_rule::Model| (row.segment_id, row.channel_id, row.cause);
        let same = (part.segment, part.channel, said.cause);
        // What is not known has its fault already, and equals nothing.
        let known = (part.segment.is_some(), part.channel.is_some())
            == (said.segment.is_some(), said.channel.is_some());
        if known && self.routing_rules.iter().any(|row| conditions(row) == same) {
            let message = "There is a rule with these conditions already.";
            faults.add(path, UserErrorCode::Duplicate, None, message);
        }
        if let Some(department_id) = department.filter(|_| known) {
            self.routing_rules.push(routing_rule::Model {
                id: id::new(),
                segment_id: part.segment,
                channel_id: part.channel,
                cause: said.cause,
                department_id,
                created_at: now,
                version: 1,
            });
        }
    }

    /// Makes the rows. What is archived is so only in the end (`archive_rows`): until then journeys may name it.
    pub(super) async fn insert_rows(&self, permit: &Permit<'_>) -> Result<()> {
        let parents = self.parents_by_department();
        let mut departments = self.departments.clone();
        // A parent has to be there before its children.
        departments.sort_by_key(|row| ancestors_and_self(&parents, row.id).count());
        for row in &mut departments {
            (row.successor_id, row.archived_at) = (None, None);
        }
        let (mut personas, mut kpis) = (self.personas.clone(), self.kpis.clone());
        personas.iter_mut().for_each(|row| row.archived_at = None);
        kpis.iter_mut().for_each(|row| row.archived_at = None);
        insert_models::<department::Entity>(permit, departments).await?;
        insert_models::<channel::Entity>(permit, self.channels.clone()).await?;
        insert_models::<segment::Entity>(permit, self.segments.clone()).await?;
        insert_models::<persona::Entity>(permit, personas).await?;
        insert_models::<persona_need::Entity>(permit, self.needs.clone()).await?;
        insert_models::<persona_segment::Entity>(permit, self.persona_segments.clone()).await?;
        insert_models::<kpi::Entity>(permit, kpis).await?;
        insert_models::<kpi_target::Entity>(permit, self.targets.clone()).await?;
        insert_models::<playbook::Entity>(permit, self.playbooks.clone()).await?;
        insert_models::<routing_rule::Entity>(permit, self.routing_rules.clone()).await?;
        if let Some(templates) = &self.templates {
            // What is there is the one that every database begins with: see `refuse_unless_database_empty`.
            template::Entity::delete_many().exec(permit.tx()).await?;
            insert_models::<template::Entity>(permit, templates.clone()).await?;
        }
        Ok(())
    }

    /// Archives what is archived, and says who took over.
    pub(super) async fn archive_rows(&self, permit: &Permit<'_>) -> Result<()> {
        for row in &self.departments {
            if row.successor_id.is_some() || row.archived_at.is_some() {
                let change = department::ActiveModel {
                    id: Set(row.id),
                    successor_id: Set(row.successor_id),
                    archived_at: Set(row.archived_at),
                    ..Default::default()
                };
                department::Entity::update(change).exec(permit.tx()).await?;
            }
        }
        for row in self.personas.iter().filter(|row| row.archived_at.is_some()) {
            let change = persona::ActiveModel {
                id: Set(row.id),
                archived_at: Set(row.archived_at),
                ..Default::default()
            };
            persona::Entity::update(change).exec(permit.tx()).await?;
        }
        for row in self.kpis.iter().filter(|row| row.archived_at.is_some()) {
            let change = kpi::ActiveModel {
                id: Set(row.id),
                archived_at: Set(row.archived_at),
                ..Default::default()
            };
            kpi::Entity::update(change).exec(permit.tx()).await?;
        }
        Ok(())
    }
}

fn template_row(
    path: &str,
    said: &TemplateEntry,
    (id, now): (TemplateId, DateTime<Utc>),
    faults: &mut Faults,
) -> template::Model {
    let phase = |said: &TemplatePhaseEntry| TemplatePhaseInput {
        name: said.name.clone(),
        stage: said.stage,
        prompt: said.prompt.clone(),
        customer_goal: said.customer_goal.clone(),
    };
    let phases: Vec<TemplatePhaseInput> = said.phases.iter().map(phase).collect();
    let content = TemplateContent {
        name: &said.name,
        description: said.description.as_deref(),
        subjects: &said.subjects,
        lenses: &said.lenses,
        phases: &phases,
    };
    let mut wrong = Faults::default();
    let row = content.to_row((id, said.key.clone()), now, &mut wrong);
    faults.add_under_path(path, wrong.into_errors());
    row
}

/// Inserts models as they are, every column set.
pub(super) async fn insert_models<E: EntityTrait>(
    permit: &Permit<'_>,
    rows: Vec<E::Model>,
) -> Result<()>
where
    E::Model: sea_orm::IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: sea_orm::ActiveModelTrait<Entity = E> + Send,
{
    permit
        .insert_all_unaudited::<E>(rows.into_iter().map(with_all_columns_set::<E>).collect())
        .await
}
