//! The journeys: blueprints, their phases and touchpoints.

use entity::{
    id::{BlueprintId, DepartmentId, Id, PersonaId, PhaseId, TouchpointId},
    phase, touchpoint,
    words::{BlueprintState, BlueprintStatus, Lane, Stage, Subject, Visibility},
};

use super::{append_visible, columns, field_column::field_column, filters, order};
use crate::{
    access::Guarded,
    bi::{
        model::dataset::{
            Column, Dataset, RowSource,
            Type::{Day, Id as IdOf, Instant, Integer, Text as Words, Word},
        },
        scope::Scope,
    },
    fields::{kinds, touchpoint::touchpoint_fields},
    policy::Action,
    statement::SqlBuilder,
};

/// Begins a select of all columns of a dataset: of these by the names that they have in their tables, of all others by
/// their own names from `table`.
fn select_columns(
    text: SqlBuilder,
    dataset: &Dataset,
    table: &str,
    named: &[(&str, &str)],
) -> SqlBuilder {
    let columns = dataset.columns.iter().map(|column| {
        let named = named.iter().find(|(name, _)| *name == column.name);
        named.map_or_else(
            || format!("{table}.{}", column.name),
            |(name, stored)| format!("{stored} AS {name}"),
        )
    });
    let columns: Vec<String> = columns.collect();
    text.then("SELECT ").then(&columns.join(", "))
}

/// Goes on with the rows of a table inside the blueprints that count, joined with their blueprint.
fn append_inside_blueprints<E: Guarded>(
    text: SqlBuilder,
    scope: &Scope<'_>,
    table: &str,
) -> SqlBuilder {
    append_visible::<E>(text, scope, table)
        .then(&format!(
            " JOIN blueprint ON blueprint.id = {table}.blueprint_id WHERE {table}.blueprint_id IN ("
        ))
        .select(&scope.reportable_ids())
        .then(")")
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

/// Makes the columns: those of the described fields stand before the instants, or behind everything.
macro_rules! touchpoint_columns {
    ([] $({ $(
        $(#[$_doc:meta])* $field:ident $_name:literal: $kind:ty {
            $(search: $_rank:literal,)? $(column: $column:literal,)? $(appended: $appended:literal,)?
        }
    )* })*) => {
        const TOUCHPOINT_COLUMNS: &[Column] = &[
            Column::new("touchpoint_id", IdOf(TouchpointId::PREFIX), "Id of the touchpoint."),
            Column::new("touchpoint_key", Words, "The touchpoint's key, unique in its blueprint."),
            Column::new("touchpoint_name", Words, "The touchpoint's name, as it is today."),
            Column::new("blueprint_id", IdOf(BlueprintId::PREFIX), "Id of the blueprint."),
            Column::new("blueprint_key", Words, "The blueprint's key."),
            Column::new("phase_id", IdOf(PhaseId::PREFIX), "Id of the phase."),
            Column::new("position", Integer, "Position in the phase, from 1."),
            Column::new("lane", Word(Lane::texts), "The lane: the acting side, and whether the customer sees it."),
            $($($(field_column::<$kind>(stringify!($field), $column),)?)*)*
            Column::new("created_at", Instant, "Time of creation."),
            Column::nullable("archived_at", Instant, "Time of archiving; empty while it is not archived."),
            $($($(field_column::<$kind>(stringify!($field), $appended),)?)*)*
        ];
    };
}
touchpoint_fields!(touchpoint_columns);

fn touchpoints_sql(text: SqlBuilder, scope: &Scope<'_>) -> SqlBuilder {
    let named = [
        ("touchpoint_id", "touchpoint.id"),
        ("touchpoint_key", "touchpoint.key"),
        ("touchpoint_name", "touchpoint.name"),
        ("blueprint_key", "blueprint.key"),
    ];
    let text = select_columns(text, &TOUCHPOINTS, "touchpoint", &named).then(" FROM ");
    append_inside_blueprints::<touchpoint::Entity>(text, scope, "touchpoint")
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
        phase_id: IdOf(PhaseId::PREFIX), "Id of the phase.";
        phase_key: Words, "The phase's key, unique in its blueprint.";
        phase_name: Words, "The phase's name, as it is today.";
        blueprint_id: IdOf(BlueprintId::PREFIX), "Id of the blueprint.";
        blueprint_key: Words, "The blueprint's key.";
        position: Integer, "Position in the blueprint, from 1: the order of display, not of the flow.";
        stage: Word(Stage::texts), "The stage relative to what the customer came for.";
        customer_goal empty: Words, "The customer's goal in the phase.";
        created_at: Instant, "Time of creation.";
        archived_at empty: Instant, "Time of archiving; empty while it is not archived.";
    ],
    filters: filters![blueprint = blueprint_key, stage = stage],
    key: "phase_id",
    order: order![Id phase_id],
    source: RowSource::Sql {
        with: None,
        rows: phases_sql,
    },
};

fn phases_sql(text: SqlBuilder, scope: &Scope<'_>) -> SqlBuilder {
    let named = [
        ("phase_id", "phase.id"),
        ("phase_key", "phase.key"),
        ("phase_name", "phase.name"),
        ("blueprint_key", "blueprint.key"),
    ];
    let text = select_columns(text, &PHASES, "phase", &named).then(" FROM ");
    append_inside_blueprints::<phase::Entity>(text, scope, "phase")
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
        blueprint_id: IdOf(BlueprintId::PREFIX), "Id of the blueprint.";
        blueprint_key: Words, "The blueprint's key.";
        title: Words, "The blueprint's title, as it is today.";
        subject: Word(Subject::texts), "Whether it is the journey of a customer or an employee.";
        blueprint_state: Word(BlueprintState::texts), "Whether it shows the journey as it is or as it should become.";
        status: Word(BlueprintStatus::texts), "The place in the life cycle.";
        visibility: Word(Visibility::texts), "The people who may read it once it is published.";
        persona_id: IdOf(PersonaId::PREFIX), "Id of the main persona.";
        owner_department_id: IdOf(DepartmentId::PREFIX), "Id of the department that owns it.";
        next_review_on empty: Day, "The day on which it is due for review.";
        published_number empty: Integer, "Number of the latest publication; empty before the first.";
        created_at: Instant, "Time of creation.";
        archived_at empty: Instant, "Time of archiving; empty while it is not archived.";
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

fn blueprints_sql(text: SqlBuilder, scope: &Scope<'_>) -> SqlBuilder {
    let named = [
        ("blueprint_id", "blueprint.id"),
        ("blueprint_key", "blueprint.key"),
        ("blueprint_state", "blueprint.state"),
    ];
    select_columns(text, &BLUEPRINTS, "blueprint", &named)
        .then(" FROM blueprint WHERE blueprint.id IN (")
        .select(&scope.reportable_ids())
        .then(")")
}
