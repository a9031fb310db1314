//! What measurements and people are told apart by: channels and segments, and which of them touchpoints, phases and
//! personas have.

use entity::{
    channel,
    id::{BlueprintId, ChannelId, Id, PersonaId, PhaseId, SegmentId, TouchpointId},
    persona, phase, segment, touchpoint,
    words::Medium,
};

use super::{
    append_visible_rows, columns, filters, journey::append_joined_rows_in_reportable_blueprints,
    order,
};
use crate::{
    bi::{
        model::dataset::{
            ColumnType::{Id as IdOf, Instant, Integer, Text as Words, Word},
            Dataset, RowSource,
        },
        scope::ReaderScope,
    },
    policy::Action,
    statement::SqlBuilder,
};

/// Channels.
pub static CHANNELS: Dataset = Dataset {
    name: "channels",
    description: "Every channel.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        channel_id: IdOf(ChannelId::PREFIX) => "channel.id", "Id of the channel.";
        channel_key: Words => "channel.key", "The channel's key.";
        channel_name: Words => "channel.name", "The channel's name, as it is today.";
        medium: Word(Medium::texts) => "channel.medium", "The medium of the channel.";
        created_at: Instant => "channel.created_at", "Time of creation.";
    ],
    filters: filters![channel = channel_key, medium = medium],
    key: "channel_id",
    order: order![Id channel_id],
    source: RowSource::Sql {
        with: None,
        rows: channels_sql,
    },
};

fn channels_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = CHANNELS.append_select(text, scope).then(" FROM ");
    append_visible_rows::<channel::Entity>(text, scope, "channel")
}

/// Segments.
pub static SEGMENTS: Dataset = Dataset {
    name: "segments",
    description: "Every segment.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        segment_id: IdOf(SegmentId::PREFIX) => "segment.id", "Id of the segment.";
        segment_key: Words => "segment.key", "The segment's key.";
        dimension: Words => "segment.dimension", "What people are told apart by.";
        value: Words => "segment.value", "Which of them it is.";
        created_at: Instant => "segment.created_at", "Time of creation.";
    ],
    filters: filters![segment = segment_key],
    key: "segment_id",
    order: order![Id segment_id],
    source: RowSource::Sql {
        with: None,
        rows: segments_sql,
    },
};

fn segments_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = SEGMENTS.append_select(text, scope).then(" FROM ");
    append_visible_rows::<segment::Entity>(text, scope, "segment")
}

/// Channels of touchpoints.
pub static TOUCHPOINT_CHANNELS: Dataset = Dataset {
    name: "touchpoint_channels",
    description: "The channels of each touchpoint of the blueprints that count and that you may read, one a row, archived ones \
        included.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        row_id: Words => (touchpoint_channel_row_id_sql), "Id of the row: of the touchpoint and of the channel.";
        touchpoint_id: IdOf(TouchpointId::PREFIX) => "touchpoint.id", "Id of the touchpoint.";
        touchpoint_key: Words => "touchpoint.key", "The touchpoint's key, unique in its blueprint.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "touchpoint.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        channel_id: IdOf(ChannelId::PREFIX) => "channel.id", "Id of the channel.";
        channel_key: Words => "channel.key", "The channel's key.";
        position: Integer => "named.position", "Position among the touchpoint's channels, from 1.";
    ],
    filters: filters![
        blueprint = blueprint_key,
        touchpoint = touchpoint_key,
        channel = channel_key
    ],
    key: "row_id",
    order: order![Id touchpoint_id, Id channel_id],
    source: RowSource::Sql {
        with: None,
        rows: touchpoint_channels_sql,
    },
};

fn touchpoint_channel_row_id_sql(scope: &ReaderScope<'_>) -> String {
    pair_id_sql(
        scope,
        (TouchpointId::PREFIX, "touchpoint.id"),
        (ChannelId::PREFIX, "channel.id"),
    )
}

/// Joins a table with the channels or segments that its rows name.
fn join_named_sql(owner: &str, kind: &str) -> String {
    format!(
        " JOIN {owner}_{kind} named ON named.{owner}_id = {owner}.id JOIN {kind} ON {kind}.id = named.{kind}_id"
    )
}

/// The id of a row that is a pair.
pub(super) fn pair_id_sql(
    scope: &ReaderScope<'_>,
    (prefix, id): (&str, &str),
    (other_prefix, other_id): (&str, &str),
) -> String {
    let one = scope.id_text_sql(prefix, id);
    let other = scope.id_text_sql(other_prefix, other_id);
    format!("{one} || '.' || {other}")
}

fn touchpoint_channels_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = TOUCHPOINT_CHANNELS
        .append_select(text, scope)
        .then(" FROM ");
    append_joined_rows_in_reportable_blueprints::<touchpoint::Entity>(
        text,
        scope,
        "touchpoint",
        &join_named_sql("touchpoint", "channel"),
    )
}

/// Segments of touchpoints.
pub static TOUCHPOINT_SEGMENTS: Dataset = Dataset {
    name: "touchpoint_segments",
    description: "The segments that each touchpoint of the blueprints that count and that you may read is for, one a \
        row, archived ones included. A touchpoint without a row is for all.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        row_id: Words => (touchpoint_segment_row_id_sql), "Id of the row: of the touchpoint and of the segment.";
        touchpoint_id: IdOf(TouchpointId::PREFIX) => "touchpoint.id", "Id of the touchpoint.";
        touchpoint_key: Words => "touchpoint.key", "The touchpoint's key, unique in its blueprint.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "touchpoint.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        segment_id: IdOf(SegmentId::PREFIX) => "segment.id", "Id of the segment.";
        segment_key: Words => "segment.key", "The segment's key.";
        position: Integer => "named.position", "Position among the touchpoint's segments, from 1.";
    ],
    filters: filters![
        blueprint = blueprint_key,
        touchpoint = touchpoint_key,
        segment = segment_key
    ],
    key: "row_id",
    order: order![Id touchpoint_id, Id segment_id],
    source: RowSource::Sql {
        with: None,
        rows: touchpoint_segments_sql,
    },
};

fn touchpoint_segment_row_id_sql(scope: &ReaderScope<'_>) -> String {
    pair_id_sql(
        scope,
        (TouchpointId::PREFIX, "touchpoint.id"),
        (SegmentId::PREFIX, "segment.id"),
    )
}

fn touchpoint_segments_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = TOUCHPOINT_SEGMENTS
        .append_select(text, scope)
        .then(" FROM ");
    append_joined_rows_in_reportable_blueprints::<touchpoint::Entity>(
        text,
        scope,
        "touchpoint",
        &join_named_sql("touchpoint", "segment"),
    )
}

/// Segments of phases.
pub static PHASE_SEGMENTS: Dataset = Dataset {
    name: "phase_segments",
    description: "The segments that each phase of the blueprints that count and that you may read is for, one a row, \
        archived ones included. A phase without a row is for those of its blueprint's personas.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        row_id: Words => (phase_segment_row_id_sql), "Id of the row: of the phase and of the segment.";
        phase_id: IdOf(PhaseId::PREFIX) => "phase.id", "Id of the phase.";
        phase_key: Words => "phase.key", "The phase's key, unique in its blueprint.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "phase.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        segment_id: IdOf(SegmentId::PREFIX) => "segment.id", "Id of the segment.";
        segment_key: Words => "segment.key", "The segment's key.";
        position: Integer => "named.position", "Position among the phase's segments, from 1.";
    ],
    filters: filters![blueprint = blueprint_key, segment = segment_key],
    key: "row_id",
    order: order![Id phase_id, Id segment_id],
    source: RowSource::Sql {
        with: None,
        rows: phase_segments_sql,
    },
};

fn phase_segment_row_id_sql(scope: &ReaderScope<'_>) -> String {
    pair_id_sql(
        scope,
        (PhaseId::PREFIX, "phase.id"),
        (SegmentId::PREFIX, "segment.id"),
    )
}

fn phase_segments_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = PHASE_SEGMENTS.append_select(text, scope).then(" FROM ");
    append_joined_rows_in_reportable_blueprints::<phase::Entity>(
        text,
        scope,
        "phase",
        &join_named_sql("phase", "segment"),
    )
}

/// Segments of personas.
pub static PERSONA_SEGMENTS: Dataset = Dataset {
    name: "persona_segments",
    description: "The segments that each persona that you may read stands for, one a row.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        row_id: Words => (persona_segment_row_id_sql), "Id of the row: of the persona and of the segment.";
        persona_id: IdOf(PersonaId::PREFIX) => "persona.id", "Id of the persona.";
        persona_key: Words => "persona.key", "The persona's key.";
        segment_id: IdOf(SegmentId::PREFIX) => "segment.id", "Id of the segment.";
        segment_key: Words => "segment.key", "The segment's key.";
        position: Integer => "named.position", "Position among the persona's segments, from 1.";
    ],
    filters: filters![persona = persona_key, segment = segment_key],
    key: "row_id",
    order: order![Id persona_id, Id segment_id],
    source: RowSource::Sql {
        with: None,
        rows: persona_segments_sql,
    },
};

fn persona_segment_row_id_sql(scope: &ReaderScope<'_>) -> String {
    pair_id_sql(
        scope,
        (PersonaId::PREFIX, "persona.id"),
        (SegmentId::PREFIX, "segment.id"),
    )
}

fn persona_segments_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = PERSONA_SEGMENTS.append_select(text, scope).then(" FROM ");
    append_visible_rows::<persona::Entity>(text, scope, "persona")
        .then(&join_named_sql("persona", "segment"))
}
