//! What measurements are told apart by: channels, segments, and which channels a touchpoint has.

use entity::{
    channel,
    id::{BlueprintId, ChannelId, Id, SegmentId, TouchpointId},
    segment, touchpoint,
    words::Medium,
};

use super::{append_visible_rows, columns, filters, order};
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
    description: "The channels of each touchpoint of the blueprints that count and that you may read, one a row.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        row_id: Words => (row_id_sql), "Id of the row: of the touchpoint and of the channel.";
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

fn row_id_sql(scope: &ReaderScope<'_>) -> String {
    let touchpoint = scope.id_text_sql(TouchpointId::PREFIX, "touchpoint.id");
    let channel = scope.id_text_sql(ChannelId::PREFIX, "channel.id");
    format!("{touchpoint} || '.' || {channel}")
}

fn touchpoint_channels_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = TOUCHPOINT_CHANNELS
        .append_select(text, scope)
        .then(" FROM ");
    append_visible_rows::<touchpoint::Entity>(text, scope, "touchpoint")
        .then(
            " JOIN touchpoint_channel named ON named.touchpoint_id = touchpoint.id \
             JOIN channel ON channel.id = named.channel_id \
             JOIN blueprint ON blueprint.id = touchpoint.blueprint_id WHERE touchpoint.blueprint_id IN (",
        )
        .select(&scope.select_published_current_blueprint_ids())
        .then(")")
}
