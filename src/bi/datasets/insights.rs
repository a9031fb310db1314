//! What is said of journeys: promises and insights.

use entity::{
    id::{BlueprintId, Id, InsightId, PersonaId, PhaseId, PromiseId, TouchpointId},
    insight, promise,
    words::{Basis, InsightKind, PromiseState},
};

use super::{
    columns,
    dimensions::pair_id_sql,
    filters,
    journey::{
        append_joined_rows_in_reportable_blueprints, append_rows_in_reportable_blueprints,
        append_unless_archived,
    },
    order,
};
use crate::{
    bi::{
        model::dataset::{
            ColumnType::{Boolean, Id as IdOf, Instant, Integer, Text as Words, Word},
            Dataset, RowSource,
        },
        scope::ReaderScope,
    },
    policy::Action,
    statement::SqlBuilder,
};

/// Promises to customers.
pub static PROMISES: Dataset = Dataset {
    name: "promises",
    description: "The promises of the blueprints that count and that you may read, each with the touchpoint where it is \
        made; promise_deliveries has those where it is kept. Promises at archived touchpoints are left out.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        promise_id: IdOf(PromiseId::PREFIX) => "promise.id", "Id of the promise.";
        promise_key: Words => "promise.key", "The promise's key, unique in its blueprint.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "promise.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        touchpoint_id: IdOf(TouchpointId::PREFIX) => "promise.touchpoint_id", "Id of the touchpoint where it is made.";
        text: Words => "promise.text", "What is promised.";
        promise_state: Word(PromiseState::texts) => "promise.state", "Whether it is kept.";
        created_at: Instant => "promise.created_at", "Time of creation.";
    ],
    filters: filters![blueprint = blueprint_key, state = promise_state],
    key: "promise_id",
    order: order![Id promise_id],
    source: RowSource::Sql {
        with: None,
        rows: promises_sql,
    },
};

fn promises_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = PROMISES.append_select(text, scope).then(" FROM ");
    let text = append_rows_in_reportable_blueprints::<promise::Entity>(text, scope, "promise");
    append_unless_archived(text, "touchpoint", "promise.touchpoint_id")
}

/// Where promises are kept.
pub static PROMISE_DELIVERIES: Dataset = Dataset {
    name: "promise_deliveries",
    description: "The touchpoints where each promise of the blueprints that count and that you may read is kept, one a \
        row. Promises made, and touchpoints, that are archived are left out.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        row_id: Words => (delivery_row_id_sql), "Id of the row: of the promise and of the touchpoint.";
        promise_id: IdOf(PromiseId::PREFIX) => "promise.id", "Id of the promise.";
        promise_key: Words => "promise.key", "The promise's key, unique in its blueprint.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "promise.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        touchpoint_id: IdOf(TouchpointId::PREFIX) => "kept.id", "Id of the touchpoint where it is kept.";
        touchpoint_key: Words => "kept.key", "The touchpoint's key, unique in its blueprint.";
        position: Integer => "delivery.position", "Position among the promise's touchpoints, from 1.";
    ],
    filters: filters![blueprint = blueprint_key, touchpoint = touchpoint_key],
    key: "row_id",
    order: order![Id promise_id, Id touchpoint_id],
    source: RowSource::Sql {
        with: None,
        rows: deliveries_sql,
    },
};

fn delivery_row_id_sql(scope: &ReaderScope<'_>) -> String {
    pair_id_sql(
        scope,
        (PromiseId::PREFIX, "promise.id"),
        (TouchpointId::PREFIX, "kept.id"),
    )
}

fn deliveries_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = PROMISE_DELIVERIES.append_select(text, scope).then(" FROM ");
    let text = append_joined_rows_in_reportable_blueprints::<promise::Entity>(
        text,
        scope,
        "promise",
        "JOIN promise_delivery delivery ON delivery.promise_id = promise.id \
         JOIN touchpoint kept ON kept.id = delivery.touchpoint_id",
    );
    append_unless_archived(
        text.then(" AND kept.archived_at IS NULL"),
        "touchpoint",
        "promise.touchpoint_id",
    )
}

/// Insights into what people do, think and feel.
pub static INSIGHTS: Dataset = Dataset {
    name: "insights",
    description: "The insights of the blueprints that count and that you may read. Those at archived touchpoints and \
        phases are left out.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        insight_id: IdOf(InsightId::PREFIX) => "insight.id", "Id of the insight.";
        insight_key: Words => "insight.key", "The insight's key, unique in its blueprint.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "insight.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        phase_id empty: IdOf(PhaseId::PREFIX) => "insight.phase_id", "Id of the phase that it is about; empty where it is about a touchpoint, or the whole blueprint.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX) => "insight.touchpoint_id", "Id of the touchpoint that it is about; empty where it is about a phase, or the whole blueprint.";
        persona_id empty: IdOf(PersonaId::PREFIX) => "insight.persona_id", "Id of the persona that it is about; empty where it holds for all.";
        kind: Word(InsightKind::texts) => "insight.kind", "The kind of insight.";
        text: Words => "insight.text", "The insight.";
        is_quote: Boolean => "insight.quote", "Whether somebody said it in these words.";
        basis: Word(Basis::texts) => "insight.basis", "Whether it was observed or is assumed.";
        answer empty: Words => "insight.answer", "The answer to an information need; empty while there is none, and for other kinds.";
        answered_by_id empty: IdOf(InsightId::PREFIX) => "insight.answered_by_id", "Id of the insight that answers the question; empty while it is open, and for other kinds.";
        created_at: Instant => "insight.created_at", "Time of creation.";
    ],
    filters: filters![blueprint = blueprint_key, kind = kind, basis = basis],
    key: "insight_id",
    order: order![Id insight_id],
    source: RowSource::Sql {
        with: None,
        rows: insights_sql,
    },
};

fn insights_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = INSIGHTS.append_select(text, scope).then(" FROM ");
    let text = append_rows_in_reportable_blueprints::<insight::Entity>(text, scope, "insight");
    let text = append_unless_archived(text, "touchpoint", "insight.touchpoint_id");
    append_unless_archived(text, "phase", "insight.phase_id")
}
