//! Touchpoints in a document: their fields, what is written from a row, the rows that are resolved from them, and how those are applied.

use std::collections::HashMap;

use entity::id::{ChannelId, PhaseId, SegmentId, TouchpointId};
use entity::json::Texts;
use entity::words::{Basis, Initiator, Lane, Usage};
use entity::{touchpoint, touchpoint_channel, touchpoint_segment};
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, Condition};
use serde::{Deserialize, Serialize};

use crate::access::Permit;
use crate::document::bounds::{few, few_objects};
use crate::document::catalogue::lower;
use crate::document::keys::DocumentKeys;
use crate::document::part::{DocumentPart, Identity, IdentityField, PartPatch, PatchField};
use crate::document::resolver::Resolver;
use crate::document::target::{CurrentBlueprint, Lists, TargetRows};
use crate::document::write::{channel_rows, note, replace, segment_rows, upsert};
use crate::error::Result;
use crate::id;
use crate::touchpoint as touchpoints;

parts! {
    /// A step, in order within its phase.
    TouchpointPart or TouchpointPatch, "touchpoint", ordered: true, repeats: false,
    told by {
        /// Its key, unique in the blueprint.
        key: String,
    }
    says {
        /// The key of its phase.
        phase: String,
        /// Its name.
        name: String,
        /// Who acts in it.
        lane: Lane,
        /// What the customer does.
        customer_action: Option<String> = None,
        /// The keys of its channels, in order.
        #[serde(deserialize_with = "few")]
        channels: Vec<String> = Vec::new(),
        /// The keys of the segments that it is for, in order; none means everybody.
        #[serde(deserialize_with = "few")]
        audience: Vec<String> = Vec::new(),
        /// Who starts it.
        initiator: Option<Initiator> = None,
        /// How often a month a persona is contacted here.
        contacts_per_month: Option<f64> = None,
        /// What the customer feels, from −2 to 2.
        emotion: Option<i32> = None,
        /// What the employee feels, from −2 to 2.
        employee_emotion: Option<i32> = None,
        /// How much it matters to the customer, from 1 to 5.
        importance_customer: Option<i32> = None,
        /// How much it matters to the organisation, from 1 to 5.
        importance_organisation: Option<i32> = None,
        /// Whether it is used.
        usage: Usage = Usage::Unknown,
        /// Why it is not used.
        usage_reason: Option<String> = None,
        /// Whether the customer decides here to stay or to leave.
        moment_of_truth: bool = false,
        /// Whether it belongs to the smallest useful map.
        essential: bool = false,
        /// How many minutes it should take.
        expected_minutes: Option<i32> = None,
        /// How it is known.
        basis: Basis = Basis::Assumed,
        /// What the customer holds or sees.
        #[serde(deserialize_with = "few_objects")]
        evidence: Vec<EvidenceItem> = Vec::new(),
        /// The systems that it runs on.
        #[serde(deserialize_with = "few")]
        systems: Vec<String> = Vec::new(),
        /// A note.
        note: Option<String> = None,
    }
}

/// Something that the customer holds or sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "evidence")]
pub struct EvidenceItem {
    /// What it is.
    pub label: String,
    /// Where to find it: an http or https address.
    #[serde(default)]
    pub link: Option<String>,
}

impl DocumentKeys<'_> {
    pub(crate) fn touchpoint(&self, row: &touchpoint::Model) -> TouchpointPart {
        let canvas = &self.whole.canvas;
        let audience = self.whole.audiences.get(&row.id).into_iter().flatten();
        let audience = audience.filter_map(|id| self.whole.segments.get(id));
        TouchpointPart {
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
                .map(|item| EvidenceItem {
                    label: item.label.clone(),
                    link: item.link.clone(),
                })
                .collect(),
            systems: row.systems.0.clone(),
            note: row.note.clone(),
        }
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_touchpoints(
        &mut self,
        parts: &[TouchpointPart],
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
        for said in parts {
            let path = self.places.path("touchpoints", said);
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
        said: &TouchpointPart,
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
}

/// The touchpoints with their lists.
pub(crate) async fn apply_touchpoints(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &TargetRows,
) -> Result<()> {
    let there = before.map_or_else(Vec::new, |before| {
        [&before.whole.canvas.touchpoints[..], &before.touchpoints].concat()
    });
    let known: HashMap<TouchpointId, &touchpoint::Model> =
        there.iter().map(|row| (row.id, row)).collect();
    let mut changed = Vec::new();
    let (mut rows, mut moved) = (target.touchpoints.clone(), Vec::new());
    for row in &mut rows {
        let now = known.get(&row.id);
        if lists_differ(before, target, row.id, now.copied()) {
            changed.push(row.id);
            // A list is part of the touchpoint: replacing it is a change of the touchpoint's own version.
            row.version += i32::from(now.is_some());
        }
        if let Some(now) = now.filter(|now| now.position != row.position) {
            moved.push((row.id, std::mem::replace(&mut row.position, now.position)));
        }
    }
    upsert::<touchpoint::Entity>(permit, &there, rows).await?;
    if !moved.is_empty() {
        touchpoints::set_positions(permit, moved).await?;
        note(permit, "moved touchpoints", 1);
    }
    let ids = || changed.iter().copied();
    let old = Condition::all().add(touchpoint_channel::Column::TouchpointId.is_in(ids()));
    let rows = channel_rows(&changed, target);
    replace::<touchpoint_channel::Entity>(permit, old, rows).await?;
    let old = Condition::all().add(touchpoint_segment::Column::TouchpointId.is_in(ids()));
    let rows = segment_rows(&changed, target);
    replace::<touchpoint_segment::Entity>(permit, old, rows).await
}

/// Whether channels or audience of a touchpoint are to be written: they differ, or it comes back with who knows what.
fn lists_differ(
    before: Option<&CurrentBlueprint>,
    target: &TargetRows,
    id: TouchpointId,
    now: Option<&touchpoint::Model>,
) -> bool {
    let channels: &[ChannelId] = target.channels.get(&id).map_or(&[], Vec::as_slice);
    let audience: &[SegmentId] = target.audiences.get(&id).map_or(&[], Vec::as_slice);
    match (before, now) {
        (Some(before), Some(now)) if now.archived_at.is_none() => {
            let was = before.whole.canvas.channels_of(id).iter();
            let meant = before
                .whole
                .audiences
                .get(&id)
                .map_or(&[][..], Vec::as_slice);
            !was.map(|channel| channel.id).eq(channels.iter().copied()) || meant != audience
        }
        (_, Some(_)) => true,
        (_, None) => !channels.is_empty() || !audience.is_empty(),
    }
}
