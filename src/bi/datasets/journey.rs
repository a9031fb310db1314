//! The journeys: blueprints, their phases and touchpoints, and how touchpoints follow each other.

use entity::{
    id::{BlueprintId, DepartmentId, Id, PersonaId, PhaseId, TouchpointId, TransitionId},
    phase, touchpoint, transition,
    words::{
        Basis, BlueprintState, BlueprintStatus, End, Lane, Stage, Subject, TransitionKind,
        Visibility,
    },
};

use super::{append_visible_rows, columns, field_column::field_column, filters, order};
use crate::{
    access::Guarded,
    bi::{
        model::dataset::{
            Column,
            ColumnType::{Day, Id as IdOf, Instant, Integer, Text as Words, Word},
            Dataset, RowSource,
        },
        scope::ReaderScope,
    },
    fields::{kinds, touchpoint::touchpoint_fields},
    policy::Action,
    statement::SqlBuilder,
};

/// Goes on with the rows of a table inside the blueprints that count, joined with their blueprint.
pub(super) fn append_rows_in_reportable_blueprints<E: Guarded>(
    text: SqlBuilder,
    scope: &ReaderScope<'_>,
    table: &str,
) -> SqlBuilder {
    append_joined_rows_in_reportable_blueprints::<E>(text, scope, table, "")
}

/// The same, joined with more.
pub(super) fn append_joined_rows_in_reportable_blueprints<E: Guarded>(
    text: SqlBuilder,
    scope: &ReaderScope<'_>,
    table: &str,
    joins: &str,
) -> SqlBuilder {
    append_visible_rows::<E>(text, scope, table)
        .then(&format!(
            " JOIN blueprint ON blueprint.id = {table}.blueprint_id {joins} WHERE {table}.blueprint_id IN ("
        ))
        .select(&scope.select_published_current_blueprint_ids())
        .then(")")
}

/// Leaves out what lies at an archived place: a touchpoint or a phase, which a column names.
pub(super) fn append_unless_archived(text: SqlBuilder, place: &str, column: &str) -> SqlBuilder {
    text.then(&format!(
        " AND NOT EXISTS (SELECT 1 FROM {place} WHERE {place}.id = {column} AND {place}.archived_at IS NOT NULL)"
    ))
}

/// Touchpoints: the steps of journeys.
pub static TOUCHPOINTS: Dataset = Dataset {
    name: "touchpoints",
    description: "Every touchpoint of the blueprints that count and that you may read, archived ones included.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: TOUCHPOINT_COLUMNS,
    filters: filters![
        touchpoint = touchpoint_key,
        blueprint = blueprint_key,
        lane = lane
    ],
    key: "touchpoint_id",
    order: order![Id touchpoint_id],
    source: RowSource::Sql {
        with: None,
        rows: touchpoints_sql,
    },
};

/// Makes the columns: those of the described fields stand before the instants, or after everything.
macro_rules! touchpoint_columns {
    ([] $({ $(
        $(#[$_doc:meta])* $field:ident $_name:literal: $kind:ty {
            $(search: $_rank:literal,)? $(column: $column:literal,)? $(appended: $appended:literal,)?
        }
    )* })*) => {
        const TOUCHPOINT_COLUMNS: &[Column] = &[
            columns!(@row touchpoint_id: IdOf(TouchpointId::PREFIX) => "touchpoint.id", "Id of the touchpoint."),
            columns!(@row touchpoint_key: Words => "touchpoint.key", "The touchpoint's key, unique in its blueprint."),
            columns!(@row touchpoint_name: Words => "touchpoint.name", "The touchpoint's name, as it is today."),
            columns!(@row blueprint_id: IdOf(BlueprintId::PREFIX) => "touchpoint.blueprint_id", "Id of the blueprint."),
            columns!(@row blueprint_key: Words => "blueprint.key", "The blueprint's key."),
            columns!(@row phase_id: IdOf(PhaseId::PREFIX) => "touchpoint.phase_id", "Id of the phase."),
            columns!(@row position: Integer => "touchpoint.position", "Position in the phase, from 1."),
            columns!(@row lane: Word(Lane::texts) => "touchpoint.lane", "The lane: the acting side, and whether the customer sees it."),
            $($($(field_column::<$kind>(stringify!($field), concat!("touchpoint.", stringify!($field)), $column),)?)*)*
            columns!(@row created_at: Instant => "touchpoint.created_at", "Time of creation."),
            columns!(@row archived_at empty: Instant => "touchpoint.archived_at", "Time of archiving; empty while it is not archived."),
            $($($(field_column::<$kind>(stringify!($field), concat!("touchpoint.", stringify!($field)), $appended),)?)*)*
        ];
    };
}
touchpoint_fields!(touchpoint_columns);

fn touchpoints_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = TOUCHPOINTS.append_select(text, scope).then(" FROM ");
    append_rows_in_reportable_blueprints::<touchpoint::Entity>(text, scope, "touchpoint")
}

/// Phases: groups of touchpoints.
pub static PHASES: Dataset = Dataset {
    name: "phases",
    description: "Every phase of the blueprints that count and that you may read, archived ones included.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        phase_id: IdOf(PhaseId::PREFIX) => "phase.id", "Id of the phase.";
        phase_key: Words => "phase.key", "The phase's key, unique in its blueprint.";
        phase_name: Words => "phase.name", "The phase's name, as it is today.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "phase.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        position: Integer => "phase.position", "Position in the blueprint, from 1: the order of display, not of the flow.";
        stage: Word(Stage::texts) => "phase.stage", "The stage relative to what the customer came for.";
        customer_goal empty: Words => "phase.customer_goal", "The customer's goal in the phase.";
        created_at: Instant => "phase.created_at", "Time of creation.";
        archived_at empty: Instant => "phase.archived_at", "Time of archiving; empty while it is not archived.";
        timing empty: Words => "phase.timing", "When the phase is and how long it lasts, in words.";
    ],
    filters: filters![blueprint = blueprint_key, stage = stage],
    key: "phase_id",
    order: order![Id phase_id],
    source: RowSource::Sql {
        with: None,
        rows: phases_sql,
    },
};

fn phases_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = PHASES.append_select(text, scope).then(" FROM ");
    append_rows_in_reportable_blueprints::<phase::Entity>(text, scope, "phase")
}

/// Transitions: what follows what.
pub static TRANSITIONS: Dataset = Dataset {
    name: "transitions",
    description: "The transitions of the blueprints that count and that you may read: the touchpoint that a journey goes \
        on from, and the one that it goes on to. Those from or to archived touchpoints are left out.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        transition_id: IdOf(TransitionId::PREFIX) => "transition.id", "Id of the transition.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "transition.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        kind: Word(TransitionKind::texts) => "transition.kind", "How the journey goes on.";
        journey_end empty: Word(End::texts) => "transition.\"end\"", "Where the journey begins or ends; empty between two touchpoints.";
        from_touchpoint_id empty: IdOf(TouchpointId::PREFIX) => "transition.from_touchpoint_id", "Id of the touchpoint that it goes on from; empty where the journey begins.";
        to_touchpoint_id empty: IdOf(TouchpointId::PREFIX) => "transition.to_touchpoint_id", "Id of the touchpoint that it goes on to; empty where the journey ends.";
        condition empty: Words => "transition.condition", "When it goes on like this.";
        max_wait_minutes empty: Integer => "transition.max_wait_minutes", "Longest time in between, in minutes; empty where none is set.";
        basis: Word(Basis::texts) => "transition.basis", "Whether it was observed or is assumed.";
        created_at: Instant => "transition.created_at", "Time of creation.";
    ],
    filters: filters![blueprint = blueprint_key, kind = kind],
    key: "transition_id",
    order: order![Id transition_id],
    source: RowSource::Sql {
        with: None,
        rows: transitions_sql,
    },
};

fn transitions_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = TRANSITIONS.append_select(text, scope).then(" FROM ");
    let text =
        append_rows_in_reportable_blueprints::<transition::Entity>(text, scope, "transition");
    let text = append_unless_archived(text, "touchpoint", "transition.from_touchpoint_id");
    append_unless_archived(text, "touchpoint", "transition.to_touchpoint_id")
}

/// Blueprints: one journey each.
pub static BLUEPRINTS: Dataset = Dataset {
    name: "blueprints",
    description: "Every blueprint that counts and that you may read.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        blueprint_id: IdOf(BlueprintId::PREFIX) => "blueprint.id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        title: Words => "blueprint.title", "The blueprint's title, as it is today.";
        subject: Word(Subject::texts) => "blueprint.subject", "Whether it is the journey of a customer or an employee.";
        blueprint_state: Word(BlueprintState::texts) => "blueprint.state", "Whether it shows the journey as it is or as it should become.";
        status: Word(BlueprintStatus::texts) => "blueprint.status", "The place in the life cycle.";
        visibility: Word(Visibility::texts) => "blueprint.visibility", "The people who may read it once it is published.";
        persona_id: IdOf(PersonaId::PREFIX) => "blueprint.persona_id", "Id of the main persona.";
        owner_department_id: IdOf(DepartmentId::PREFIX) => "blueprint.owner_department_id", "Id of the department that owns it.";
        next_review_on empty: Day => "blueprint.next_review_on", "The day on which it is due for review.";
        published_number empty: Integer => "blueprint.published_number", "Number of the latest publication; empty before the first.";
        created_at: Instant => "blueprint.created_at", "Time of creation.";
        archived_at empty: Instant => "blueprint.archived_at", "Time of archiving; empty while it is not archived.";
    ],
    filters: filters![
        blueprint = blueprint_key,
        subject = subject,
        status = status
    ],
    key: "blueprint_id",
    order: order![Id blueprint_id],
    source: RowSource::Sql {
        with: None,
        rows: blueprints_sql,
    },
};

fn blueprints_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    BLUEPRINTS
        .append_select(text, scope)
        .then(" FROM blueprint WHERE blueprint.id IN (")
        .select(&scope.select_published_current_blueprint_ids())
        .then(")")
}
