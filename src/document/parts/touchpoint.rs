//! Touchpoints in a document: fields and references, the part of a row, the rows of parts, and how those are applied.

use std::collections::HashMap;

use entity::id::{ChannelId, PhaseId, SegmentId, TouchpointId};
use entity::words::Lane;
use entity::{touchpoint, touchpoint_channel, touchpoint_segment};
use schemars::JsonSchema;
use sea_orm::{ColumnTrait, Condition};
use serde::{Deserialize, Serialize};

use crate::access::Permit;
use crate::document::bounds::read_short_list;
use crate::document::catalogue::fold_key;
use crate::document::keys::PartKeysById;
use crate::document::part::{DocumentPart, NaturalKey, NaturalKeyField, PartPatch, PatchField};
use crate::document::part_field::{PartFieldKind, read_bounded_field};
use crate::document::resolver::Resolver;
use crate::document::target::{CurrentBlueprint, ListsByOwner, WantedRows};
use crate::document::write::{
    audit_rows_written, replace_rows, touchpoint_channel_rows, touchpoint_segment_rows, upsert_rows,
};
use crate::error::Result;
use crate::fields::kinds;
use crate::fields::touchpoint::touchpoint_fields;
use crate::id;
use crate::snapshot::WholeBlueprint;
use crate::touchpoint as touchpoints;

/// Makes the part and its patch: the described fields, with two lists of keys between their groups.
macro_rules! touchpoint_row_to_part {
    ([]
        { $(
            $(#[doc = $doc:literal])? $(#[shown = $shown:literal] #[given = $_given:literal])?
            $field:ident $_name:literal: $kind:ty { $($_facts:tt)* }
        )* }
        { $(
            $(#[doc = $then_doc:literal])? $(#[shown = $then_shown:literal] #[given = $_then_given:literal])?
            $then:ident $_then_name:literal: $then_kind:ty { $($_then_facts:tt)* }
        )* }
    ) => {
        parts! {
            /// A step, in order within its phase.
            TouchpointPart or TouchpointPatch, "touchpoint", ordered: true within phase, repeats: false,
            natural_key {
                /// Its key, unique in the blueprint.
                key: String,
            }
            fields {
                /// The key of its phase.
                phase: String,
                /// Its name.
                name: String,
                /// Who acts in it.
                lane: Lane,
                $(
                    $(#[doc = $doc])? $(#[doc = $shown])?
                    #[serde(deserialize_with = "read_bounded_field")]
                    $field: <$kind as PartFieldKind>::Part = <$kind as PartFieldKind>::initial_part(),
                )*
                /// The keys of its channels, in order.
                #[serde(deserialize_with = "read_short_list")]
                channels: Vec<String> = Vec::new(),
                /// The keys of the segments that it is for, in order; none means everybody.
                #[serde(deserialize_with = "read_short_list")]
                audience: Vec<String> = Vec::new(),
                $(
                    $(#[doc = $then_doc])? $(#[doc = $then_shown])?
                    #[serde(deserialize_with = "read_bounded_field")]
                    $then: <$then_kind as PartFieldKind>::Part = <$then_kind as PartFieldKind>::initial_part(),
                )*
            }
        }
    };
}
touchpoint_fields!(touchpoint_row_to_part);

references! { TouchpointPart or TouchpointPatch {
    phase => Phase, Report;
    channels => Channel, DropKey;
    audience => Segment, DropKey;
}}

impl PartKeysById<'_> {
    /// The part of a row.
    pub(crate) fn touchpoint_row_to_part(&self, row: &touchpoint::Model) -> TouchpointPart {
        let canvas = &self.snapshot.canvas;
        let channels = canvas.channels_of_touchpoint(row.id).iter();
        macro_rules! part {
            ([] $({ $(
                $(#[$_doc:meta])* $field:ident $_name:literal: $kind:ty { $($_facts:tt)* }
            )* })*) => {
                TouchpointPart {
                    key: row.key.clone(),
                    phase: self.key(row.phase_id),
                    name: row.name.clone(),
                    lane: row.lane,
                    channels: channels.map(|channel| channel.key.clone()).collect(),
                    audience: self.keys(self.snapshot.touchpoint_segments.get(&row.id)),
                    $($($field: <$kind as PartFieldKind>::to_part(&row.$field),)*)*
                }
            };
        }
        touchpoint_fields!(part)
    }
}

impl Resolver<'_> {
    pub(crate) fn resolve_touchpoints(
        &mut self,
        parts: &[TouchpointPart],
    ) -> (
        Vec<touchpoint::Model>,
        ListsByOwner<TouchpointId, ChannelId>,
        ListsByOwner<TouchpointId, SegmentId>,
    ) {
        let there = self.before.into_iter();
        let there = there.flat_map(|before| &before.snapshot.canvas.touchpoints);
        let mut there: HashMap<String, &touchpoint::Model> =
            there.map(|row| (fold_key(&row.key), row)).collect();
        let mut positions: HashMap<PhaseId, i32> = HashMap::new();
        let (mut channels, mut audiences) = (HashMap::new(), HashMap::new());
        let mut rows = Vec::new();
        for said in parts {
            let path = self.part_positions.path("touchpoints", said);
            let stored = there.remove(&fold_key(&said.key)).cloned();
            let id = stored.as_ref().map_or_else(id::new, |stored| stored.id);
            self.touchpoints.insert(fold_key(&said.key), id);
            channels.insert(
                id,
                self.resolve_ids(&format!("{path}.channels"), &said.channels),
            );
            audiences.insert(
                id,
                self.resolve_ids(&format!("{path}.audience"), &said.audience),
            );
            if let Some(phase) = self.resolve_id(&format!("{path}.phase"), &said.phase) {
                let position = positions.entry(phase).or_insert(0);
                *position += 1;
                let place = (id, phase, *position);
                rows.push(self.resolve_touchpoint(&path, place, said, stored.as_ref()));
            }
        }
        (rows, channels, audiences)
    }

    fn resolve_touchpoint(
        &mut self,
        path: &str,
        (id, phase_id, position): (TouchpointId, PhaseId, i32),
        said: &TouchpointPart,
        stored: Option<&touchpoint::Model>,
    ) -> touchpoint::Model {
        let key = self.stored_or_checked_key(path, stored.map(|stored| &stored.key), &said.key);
        let at = |field: &str| format!("{path}.{field}");
        let faults = &mut *self.faults;
        macro_rules! row {
            ([] $({ $(
                $(#[$_doc:meta])* $field:ident $name:literal: $kind:ty { $($_facts:tt)* }
            )* })*) => {
                touchpoint::Model {
                    id,
                    blueprint_id: self.blueprint,
                    phase_id,
                    key,
                    name: faults.check_name(&at("name"), &said.name),
                    position,
                    lane: said.lane,
                    $($($field: <$kind as PartFieldKind>::to_stored(&said.$field, &at($name), faults),)*)*
                    copied_from_id: stored.and_then(|stored| stored.copied_from_id),
                    created_at: stored.map_or(self.now, |stored| stored.created_at),
                    archived_at: None,
                    version: stored.map_or(1, |stored| stored.version),
                }
            };
        }
        touchpoint_fields!(row)
    }
}

/// The touchpoints with their lists.
pub(crate) async fn apply_touchpoints(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let snapshot = before.map(|before| &*before.snapshot);
    let there = snapshot.map_or(&[][..], |snapshot| &snapshot.canvas.touchpoints);
    let known: HashMap<TouchpointId, &touchpoint::Model> =
        there.iter().map(|row| (row.id, row)).collect();
    let mut changed = Vec::new();
    let (mut rows, mut moved) = (target.touchpoints.clone(), Vec::new());
    for row in &mut rows {
        let stored = known.get(&row.id);
        if has_lists_to_write(snapshot, target, row.id) {
            changed.push(row.id);
            // A list is part of the touchpoint: replacing it is a change of the touchpoint's own version.
            row.version += i32::from(stored.is_some());
        }
        if let Some(stored) = stored.filter(|stored| stored.position != row.position) {
            moved.push((
                row.id,
                std::mem::replace(&mut row.position, stored.position),
            ));
        }
    }
    upsert_rows::<touchpoint::Entity>(permit, there, rows).await?;
    if !moved.is_empty() {
        touchpoints::set_positions(permit, moved).await?;
        audit_rows_written(permit, "moved touchpoints", 1);
    }
    let ids = || changed.iter().copied();
    let old = Condition::all().add(touchpoint_channel::Column::TouchpointId.is_in(ids()));
    let rows = touchpoint_channel_rows(&changed, target);
    replace_rows::<touchpoint_channel::Entity>(permit, old, rows).await?;
    let old = Condition::all().add(touchpoint_segment::Column::TouchpointId.is_in(ids()));
    let rows = touchpoint_segment_rows(&changed, target);
    replace_rows::<touchpoint_segment::Entity>(permit, old, rows).await
}

/// Whether channels or audience of a touchpoint differ.
fn has_lists_to_write(
    snapshot: Option<&WholeBlueprint>,
    target: &WantedRows,
    id: TouchpointId,
) -> bool {
    let channels: &[ChannelId] = target
        .touchpoint_channels
        .get(&id)
        .map_or(&[], Vec::as_slice);
    let audience: &[SegmentId] = target
        .touchpoint_segments
        .get(&id)
        .map_or(&[], Vec::as_slice);
    let was = snapshot.map_or(&[][..], |snapshot| {
        snapshot.canvas.channels_of_touchpoint(id)
    });
    let meant = snapshot.and_then(|snapshot| snapshot.touchpoint_segments.get(&id));
    let was = was.iter().map(|channel| channel.id);
    !was.eq(channels.iter().copied()) || meant.map_or(&[][..], Vec::as_slice) != audience
}
