//! Writes an organisation down, read in one snapshot. It names no people: who does what a department is responsible
//! for is left out, and who tried a touchpoint is told by name.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::{
    account, blueprint, channel, department,
    id::{
        BlueprintId, ChannelId, DepartmentId, KpiId, PersonaId, PhaseId, SegmentId, TemplateId,
        TouchpointId,
    },
    json::StoredTemplatePhase,
    kpi, kpi_link, kpi_target, measurement, persona, persona_need, persona_segment, phase,
    playbook, publication, responsibility, routing_rule, segment, template, touchpoint,
    words::{BlueprintStatus, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::schema::{
    BlueprintEntry, ChannelEntry, DepartmentEntry, FORMAT, KpiEntry, MeasuredEntry,
    OrganisationDocument, OrganisationOutput, OriginEntry, PersonaEntry, PlaybookEntry,
    PublicationEntry, ResponsibilityEntry, RoutingRuleEntry, SegmentEntry, TargetEntry,
    TemplateEntry, TemplatePhaseEntry,
};
use crate::{
    access::Caller,
    database::Transaction,
    document::{
        blueprint::{Document, KpiLinkPart},
        convert::document_from_complete_patch,
        format,
        part::DocumentPart,
    },
    error::{Error, Result},
    kpi::rules::KpiMeasure,
    snapshot::WholeBlueprint,
};

/// Every row of a table, in the order of creation.
macro_rules! all {
    ($entity:ident, $tx:expr) => {
        $entity::Entity::find()
            .order_by_asc($entity::Column::CreatedAt)
            .order_by_asc($entity::Column::Id)
            .all($tx)
            .await?
    };
}

/// The whole organisation.
pub async fn export_organisation(caller: &Caller) -> Result<OrganisationOutput> {
    let tx = caller.begin_snapshot().await?;
    let keys = OrganisationRows::load(&tx).await?;
    let mut blueprints = Vec::with_capacity(keys.blueprints.len());
    for row in &keys.blueprints {
        blueprints.push(keys.load_blueprint(caller, &tx, row).await?);
    }
    let organisation = OrganisationDocument {
        format: FORMAT.to_owned(),
        departments: keys.department_entries(),
        channels: keys.channels.iter().map(channel_entry).collect(),
        segments: keys.segments.iter().map(segment_entry).collect(),
        personas: keys.load_personas(&tx).await?,
        kpis: keys.load_kpis(&tx, caller.today).await?,
        playbooks: all!(playbook, &tx)
            .into_iter()
            .map(playbook_entry)
            .collect(),
        routing_rules: keys.load_routing_rules(&tx).await?,
        templates: Some(keys.templates.iter().cloned().map(template_entry).collect()),
        blueprints,
    };
    tx.commit().await?;
    Ok(organisation)
}

fn channel_entry(row: &channel::Model) -> ChannelEntry {
    ChannelEntry {
        key: row.key.clone(),
        name: row.name.clone(),
        medium: row.medium,
    }
}

fn segment_entry(row: &segment::Model) -> SegmentEntry {
    SegmentEntry {
        key: row.key.clone(),
        dimension: row.dimension.clone(),
        value: row.value.clone(),
    }
}

fn playbook_entry(row: playbook::Model) -> PlaybookEntry {
    PlaybookEntry {
        group: row.answer_group,
        text: row.text,
        due_days: row.due_days,
        follow_up_percent: row.follow_up_percent,
    }
}

fn template_entry(row: template::Model) -> TemplateEntry {
    let phase = |row: StoredTemplatePhase| TemplatePhaseEntry {
        name: row.name,
        stage: row.stage,
        prompt: row.prompt,
        customer_goal: row.customer_goal,
    };
    TemplateEntry {
        key: row.key,
        name: row.name,
        description: row.description,
        subjects: row.subjects.0,
        lenses: row.lenses.0,
        phases: row.phases.0.into_iter().map(phase).collect(),
    }
}

/// What is named by its key, in the order of creation.
struct OrganisationRows {
    departments: Vec<department::Model>,
    channels: Vec<channel::Model>,
    segments: Vec<segment::Model>,
    blueprints: Vec<blueprint::Model>,
    phases: HashMap<PhaseId, (BlueprintId, String)>,
    touchpoints: HashMap<TouchpointId, (BlueprintId, String)>,
    /// The names of people, by their keys.
    people: HashMap<String, String>,
    department_keys: HashMap<DepartmentId, String>,
    channel_keys: HashMap<ChannelId, String>,
    segment_keys: HashMap<SegmentId, String>,
    blueprint_keys: HashMap<BlueprintId, String>,
    kpis: Vec<kpi::Model>,
    kpi_keys: HashMap<KpiId, String>,
    templates: Vec<template::Model>,
}

impl OrganisationRows {
    async fn load(tx: &Transaction) -> Result<Self> {
        let departments = all!(department, tx);
        let channels = all!(channel, tx);
        let segments = all!(segment, tx);
        let blueprints = all!(blueprint, tx);
        let kpis = all!(kpi, tx);
        let phases = phase::Entity::find().all(tx).await?;
        let touchpoints = touchpoint::Entity::find().all(tx).await?;
        let people = account::Entity::find().all(tx).await?;
        Ok(Self {
            department_keys: departments
                .iter()
                .map(|row| (row.id, row.key.clone()))
                .collect(),
            channel_keys: channels
                .iter()
                .map(|row| (row.id, row.key.clone()))
                .collect(),
            segment_keys: segments
                .iter()
                .map(|row| (row.id, row.key.clone()))
                .collect(),
            blueprint_keys: blueprints
                .iter()
                .map(|row| (row.id, row.key.clone()))
                .collect(),
            phases: phases
                .into_iter()
                .filter(|row| row.archived_at.is_none())
                .map(|row| (row.id, (row.blueprint_id, row.key)))
                .collect(),
            touchpoints: touchpoints
                .into_iter()
                .filter(|row| row.archived_at.is_none())
                .map(|row| (row.id, (row.blueprint_id, row.key)))
                .collect(),
            people: people.into_iter().map(|row| (row.key, row.name)).collect(),
            kpi_keys: kpis.iter().map(|row| (row.id, row.key.clone())).collect(),
            departments,
            channels,
            segments,
            blueprints,
            kpis,
            templates: all!(template, tx),
        })
    }

    fn department_key(&self, id: DepartmentId) -> String {
        self.department_keys.get(&id).cloned().unwrap_or_default()
    }

    fn department_entries(&self) -> Vec<DepartmentEntry> {
        let rows = self.departments.iter().map(|row| DepartmentEntry {
            key: row.key.clone(),
            name: row.name.clone(),
            kind: row.kind,
            parent: row.parent_id.map(|id| self.department_key(id)),
            successor: row.successor_id.map(|id| self.department_key(id)),
            archived_at: row.archived_at,
        });
        rows.collect()
    }

    async fn load_personas(&self, tx: &Transaction) -> Result<Vec<PersonaEntry>> {
        let needs = persona_need::Entity::find()
            .order_by_asc(persona_need::Column::Position)
            .all(tx)
            .await?;
        let mut needs = group_by(needs, |row| (row.persona_id, row.text));
        let segments = persona_segment::Entity::find()
            .order_by_asc(persona_segment::Column::Position)
            .all(tx)
            .await?;
        let mut segments = group_by(segments, |row| {
            let key = self.segment_keys.get(&row.segment_id).cloned();
            (row.persona_id, key.unwrap_or_default())
        });
        let list =
            |of: &mut HashMap<PersonaId, Vec<String>>, id| of.remove(&id).unwrap_or_default();
        let rows = all!(persona, tx).into_iter().map(|row| PersonaEntry {
            needs: list(&mut needs, row.id),
            segments: list(&mut segments, row.id),
            key: row.key,
            name: row.name,
            subject: row.subject,
            context: row.context.0,
            max_contacts_per_month: row.max_contacts_per_month,
            archived_at: row.archived_at,
        });
        Ok(rows.collect())
    }

    async fn load_routing_rules(&self, tx: &Transaction) -> Result<Vec<RoutingRuleEntry>> {
        let entry = |row: routing_rule::Model| RoutingRuleEntry {
            segment: self.segment_key(row.segment_id),
            channel: self.channel_key(row.channel_id),
            cause: row.cause,
            department: self.department_key(row.department_id),
        };
        Ok(all!(routing_rule, tx).into_iter().map(entry).collect())
    }

    async fn load_kpis(&self, tx: &Transaction, today: NaiveDate) -> Result<Vec<KpiEntry>> {
        let targets = kpi_target::Entity::find()
            .order_by_asc(kpi_target::Column::ValidFrom)
            .all(tx)
            .await?;
        let mut targets = group_by(targets, |row| {
            let target = TargetEntry {
                valid_from: row.valid_from,
                channel: self.channel_key(row.channel_id),
                segment: self.segment_key(row.segment_id),
                value: row.value,
                warning: row.warning,
            };
            (row.kpi_id, target)
        });
        let measured = measurement::Entity::find()
            .filter(measurement::Column::SupersededById.is_null())
            .order_by_asc(measurement::Column::MeasuredOn)
            .order_by_asc(measurement::Column::Id)
            .all(tx)
            .await?;
        // What was measured at a step that is archived stays behind with it.
        let there = measured.into_iter().filter(|row| {
            let at = row.touchpoint_id;
            at.is_none_or(|id| self.touchpoints.contains_key(&id))
        });
        let shares: HashMap<KpiId, KpiMeasure> = self
            .kpis
            .iter()
            .map(|row| (row.id, KpiMeasure::from(row)))
            .filter(|(_, measure)| measure.is_share())
            .collect();
        let mut measured: HashMap<KpiId, Vec<MeasuredEntry>> = group_by(there, |row| {
            let share = shares.get(&row.kpi_id).copied();
            (row.kpi_id, self.measurement_entry(row, share))
        });
        let rows = self.kpis.iter().cloned().map(|row| KpiEntry {
            targets: targets.remove(&row.id).unwrap_or_default(),
            measurements: measured.remove(&row.id).unwrap_or_default(),
            key: row.key,
            name: row.name,
            description: row.description,
            r#type: row.kpi_type,
            unit: row.unit,
            currency: row.currency,
            decimals: row.decimals,
            direction: row.direction,
            aggregation: row.aggregation,
            cadence: row.cadence,
            owner_department: self.department_key(row.owner_department_id),
            sensitivity: row.sensitivity,
            scope: row.scope,
            fed_from: row
                .fed_from
                .max(row.fed_from.and_then(|_| today.succ_opt())),
            fed_by_feedback: false,
            minimum_sample: row.minimum_sample,
            across_parts: row.across_parts,
            archived_at: row.archived_at,
        });
        Ok(rows.collect())
    }

    fn channel_key(&self, id: Option<ChannelId>) -> Option<String> {
        self.channel_keys.get(&id?).cloned()
    }

    fn segment_key(&self, id: Option<SegmentId>) -> Option<String> {
        self.segment_keys.get(&id?).cloned()
    }

    fn template_key(&self, id: Option<TemplateId>) -> Option<String> {
        let template = self.templates.iter().find(|row| Some(row.id) == id);
        template.map(|row| row.key.clone())
    }

    /// A measurement. The value of a share is what its parts come to, from which its periods are computed: earlier versions
    /// took others.
    fn measurement_entry(
        &self,
        row: measurement::Model,
        share: Option<KpiMeasure>,
    ) -> MeasuredEntry {
        let value = share.map_or(row.value, |share| share.value_of_measurement(&row));
        let place = row.touchpoint_id.and_then(|id| self.touchpoints.get(&id));
        let blueprint = place.and_then(|(id, _)| self.blueprint_keys.get(id));
        MeasuredEntry {
            measured_on: row.measured_on,
            blueprint: blueprint.cloned(),
            touchpoint: place.map(|(_, key)| key.clone()),
            channel: self.channel_key(row.channel_id),
            segment: self.segment_key(row.segment_id),
            value: Some(value),
            numerator: row.numerator,
            denominator: row.denominator,
            sample_size: row.sample_size,
            source: row.source,
        }
    }

    async fn load_blueprint(
        &self,
        caller: &Caller,
        tx: &Transaction,
        row: &blueprint::Model,
    ) -> Result<BlueprintEntry<Document>> {
        let snapshot = WholeBlueprint::load(caller, tx, row.clone(), caller.today).await?;
        let mut document = self.without_people(Document::from_snapshot(&snapshot));
        // The blueprint's own list has them with their moments, and loading refuses them in both places.
        document.responsibilities.clear();
        document.kpi_links = self.load_kpi_links(tx, &snapshot).await?;
        let archived = row.status == BlueprintStatus::Archived;
        Ok(BlueprintEntry {
            // The status before archiving: `archivedAt` says the rest, and loading refuses ARCHIVED as a status.
            status: row.archived_from.filter(|_| archived).unwrap_or(row.status),
            archived_at: row.archived_at,
            sent_back_reason: row.sent_back_reason.clone(),
            template: self.template_key(row.template_id),
            copied_from: self.origin(&snapshot),
            publications: self.load_publications(tx, row.id).await?,
            responsibilities: self.load_responsibilities(tx, &snapshot).await?,
            document,
        })
    }

    /// The links of every KPI, of archived ones too: facts of the past hang on them.
    async fn load_kpi_links(
        &self,
        tx: &Transaction,
        snapshot: &WholeBlueprint,
    ) -> Result<Vec<KpiLinkPart>> {
        let rows = kpi_link::Entity::find()
            .filter(kpi_link::Column::BlueprintId.eq(snapshot.canvas.blueprint.id))
            .order_by_asc(kpi_link::Column::CreatedAt)
            .order_by_asc(kpi_link::Column::Id)
            .all(tx)
            .await?;
        let there = rows.iter().filter_map(|row| {
            let touchpoint = row.touchpoint_id.map(|id| self.touchpoints.get(&id));
            let phase = row.phase_id.map(|id| self.phases.get(&id));
            if touchpoint == Some(None) || phase == Some(None) {
                return None;
            }
            Some(KpiLinkPart {
                touchpoint: touchpoint.flatten().map(|(_, key)| key.clone()),
                phase: phase.flatten().map(|(_, key)| key.clone()),
                kpi: self.kpi_keys.get(&row.kpi_id).cloned()?,
                valid_from: row.valid_from,
                valid_to: row.valid_to,
                weight: row.weight,
            })
        });
        let mut links: Vec<KpiLinkPart> = there.collect();
        links.sort_by_cached_key(DocumentPart::natural_key);
        Ok(links)
    }

    /// A document without the people that it names.
    fn without_people(&self, mut document: Document) -> Document {
        for part in &mut document.responsibilities {
            part.person = None;
        }
        for part in &mut document.evaluations {
            if let Some(key) = part.by_account.take() {
                part.by_name = Some(self.people.get(&key).cloned().unwrap_or(key));
            }
        }
        document.sort_lists()
    }

    fn origin(&self, snapshot: &WholeBlueprint) -> Option<OriginEntry> {
        let canvas = &snapshot.canvas;
        let blueprint = canvas.blueprint.copied_from_id?;
        let phases = canvas.phases.iter().filter_map(|row| {
            let (_, key) = self.phases.get(&row.copied_from_id?)?;
            Some((row.key.clone(), key.clone()))
        });
        let touchpoints = canvas.touchpoints.iter().filter_map(|row| {
            let (_, key) = self.touchpoints.get(&row.copied_from_id?)?;
            Some((row.key.clone(), key.clone()))
        });
        Some(OriginEntry {
            blueprint: self.blueprint_keys.get(&blueprint)?.clone(),
            phases: phases.collect::<BTreeMap<_, _>>(),
            touchpoints: touchpoints.collect::<BTreeMap<_, _>>(),
        })
    }

    async fn load_publications(
        &self,
        tx: &Transaction,
        id: BlueprintId,
    ) -> Result<Vec<PublicationEntry<Document>>> {
        let rows = publication::Entity::find()
            .filter(publication::Column::BlueprintId.eq(id))
            .order_by_asc(publication::Column::CreatedAt)
            .order_by_asc(publication::Column::Id)
            .all(tx)
            .await?;
        let kept = rows.into_iter().map(|row| {
            let document =
                format::parse_document(&row.document).and_then(document_from_complete_patch);
            let document =
                document.map_err(|error| Error::internal(format!("{}: {error:?}", row.id)));
            Ok(PublicationEntry {
                number: row.number,
                label: row.label,
                made_at: row.created_at,
                document: self.without_people(document?),
            })
        });
        kept.collect()
    }

    /// The handshakes at the touchpoints that are there, by touchpoint and in the order of proposal.
    async fn load_responsibilities(
        &self,
        tx: &Transaction,
        snapshot: &WholeBlueprint,
    ) -> Result<Vec<ResponsibilityEntry>> {
        let rows = responsibility::Entity::find()
            .filter(responsibility::Column::BlueprintId.eq(snapshot.canvas.blueprint.id))
            .order_by_asc(responsibility::Column::ProposedAt)
            .order_by_asc(responsibility::Column::Id)
            .all(tx)
            .await?;
        let holders: HashMap<_, _> = rows.iter().map(|row| (row.id, row.department_id)).collect();
        let mut at = group_by(rows, |row| (row.touchpoint_id, row));
        let there = snapshot.canvas.touchpoints.iter();
        let held = there.flat_map(|step| {
            let rows = at.remove(&step.id).unwrap_or_default().into_iter();
            rows.map(|row| (step.key.clone(), row))
        });
        let told = held.map(|(touchpoint, row)| {
            // Loading finds what is replaced by touchpoint and department, among accountabilities only.
            let replaces = row.replaces_id.filter(|_| row.role == Role::Accountable);
            let replaces = replaces.and_then(|id| holders.get(&id));
            ResponsibilityEntry {
                touchpoint,
                department: self.department_key(row.department_id),
                role: row.role,
                status: row.status,
                tasks: row.tasks.0,
                note: row.note,
                proposed_by_department: row
                    .proposed_by_department_id
                    .map(|id| self.department_key(id)),
                proposed_from_department: row
                    .proposed_from_department_id
                    // Loading takes the proposing department for an absent one.
                    .filter(|seat| Some(*seat) != row.proposed_by_department_id)
                    .map(|id| self.department_key(id)),
                proposed_at: Some(row.proposed_at),
                replaces: replaces.map(|id| self.department_key(*id)),
                reason: row.reason,
                decided_at: row.decided_at,
                valid_from: row.valid_from,
                valid_to: row.valid_to,
                handed_over_at: row.handed_over_at,
                unasked: row.unasked,
            }
        });
        Ok(told.collect())
    }
}

/// Rows by what they belong to, in the order they came in.
fn group_by<R, K: Eq + std::hash::Hash, V>(
    rows: impl IntoIterator<Item = R>,
    part: impl Fn(R) -> (K, V),
) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for row in rows {
        let (key, value) = part(row);
        groups.entry(key).or_default().push(value);
    }
    groups
}
