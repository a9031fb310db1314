//! The journeys: blueprints, their phases and touchpoints.

use entity::{
    id::{BlueprintId, DepartmentId, Id, PersonaId, PhaseId, TouchpointId},
    phase, touchpoint,
    words::{
        Basis, BlueprintState, BlueprintStatus, Initiator, Lane, Stage, Subject, Usage, Visibility,
    },
};

use super::{columns, filters, order, seen};
use crate::{
    access::Guarded,
    bi::{
        model::dataset::{
            Dataset, RowSource,
            Type::{Boolean, Day, Id as IdOf, Instant, Integer, Number, Text as Words, Word},
        },
        scope::Scope,
    },
    policy::Action,
    statement::Text,
};

/// Goes on with the rows of a table inside the blueprints that count, joined with their blueprint.
fn inside<E: Guarded>(text: Text, scope: &Scope<'_>, table: &str) -> Text {
    seen::<E>(text, scope, table)
        .then(&format!(
            " JOIN blueprint ON blueprint.id = {table}.blueprint_id WHERE {table}.blueprint_id IN ("
        ))
        .select(&scope.counted())
        .then(")")
}

/// Steps.
pub static TOUCHPOINTS: Dataset = Dataset {
    name: "touchpoints",
    description: "Every touchpoint of the blueprints that count and that you may read, archived ones included.",
    permission: Action::PullFlatRows,
    needs_days: false,
    counts: true,
    day: None,
    columns: columns![
        touchpoint_id: IdOf(TouchpointId::PREFIX), "The touchpoint.";
        touchpoint_key: Words, "Its key, which tells it from the others of its blueprint.";
        touchpoint_name: Words, "Its name, as it is today.";
        blueprint_id: IdOf(BlueprintId::PREFIX), "Its blueprint.";
        blueprint_key: Words, "The blueprint's key.";
        phase_id: IdOf(PhaseId::PREFIX), "Its phase.";
        position: Integer, "Its place in the phase, from 1.";
        lane: Word(Lane::texts), "Who acts, and whether the customer sees it.";
        customer_action empty: Words, "What the customer does.";
        initiator empty: Word(Initiator::texts), "Who begins the contact.";
        contacts_per_month empty: Number, "How often a month it contacts each customer.";
        emotion empty: Integer, "How the customer feels, from -2 to 2.";
        employee_emotion empty: Integer, "How the employee feels, from -2 to 2.";
        importance_customer empty: Integer, "How much it matters to the customer, from 1 to 5.";
        importance_organisation empty: Integer, "How much it matters to the organisation, from 1 to 5.";
        usage: Word(Usage::texts), "Whether customers use it.";
        moment_of_truth: Boolean, "Whether the customer decides here to stay or to leave.";
        essential: Boolean, "Whether it is part of the smallest useful map.";
        expected_minutes empty: Integer, "How many minutes the customer expects it to take.";
        basis: Word(Basis::texts), "Whether it was observed or is assumed.";
        created_at: Instant, "When it was made.";
        archived_at empty: Instant, "Since when it is archived.";
    ],
    filters: filters![
        touchpoint = touchpoint_key,
        blueprint = blueprint_key,
        lane = lane
    ],
    key: "touchpoint_id",
    order: order![Id touchpoint_id],
    source: RowSource::Sql {
        with: None,
        rows: touchpoints,
    },
};

const TOUCHPOINT_COLUMNS: &str = "\
SELECT touchpoint.id AS touchpoint_id, touchpoint.key AS touchpoint_key, touchpoint.name AS touchpoint_name,
    touchpoint.blueprint_id, blueprint.key AS blueprint_key, touchpoint.phase_id, touchpoint.position, touchpoint.lane,
    touchpoint.customer_action, touchpoint.initiator, touchpoint.contacts_per_month, touchpoint.emotion,
    touchpoint.employee_emotion, touchpoint.importance_customer, touchpoint.importance_organisation, touchpoint.usage,
    touchpoint.moment_of_truth, touchpoint.essential, touchpoint.expected_minutes, touchpoint.basis,
    touchpoint.created_at, touchpoint.archived_at
FROM ";

fn touchpoints(text: Text, scope: &Scope<'_>) -> Text {
    inside::<touchpoint::Entity>(text.then(TOUCHPOINT_COLUMNS), scope, "touchpoint")
}

/// Groups of steps.
pub static PHASES: Dataset = Dataset {
    name: "phases",
    description: "Every phase of the blueprints that count and that you may read, archived ones included.",
    permission: Action::PullFlatRows,
    needs_days: false,
    counts: true,
    day: None,
    columns: columns![
        phase_id: IdOf(PhaseId::PREFIX), "The phase.";
        phase_key: Words, "Its key, which tells it from the others of its blueprint.";
        phase_name: Words, "Its name, as it is today.";
        blueprint_id: IdOf(BlueprintId::PREFIX), "Its blueprint.";
        blueprint_key: Words, "The blueprint's key.";
        position: Integer, "Its place in the blueprint, from 1: the order of display, not of the flow.";
        stage: Word(Stage::texts), "Where it stands relative to what the customer came for.";
        customer_goal empty: Words, "What the customer wants in it.";
        created_at: Instant, "When it was made.";
        archived_at empty: Instant, "Since when it is archived.";
    ],
    filters: filters![blueprint = blueprint_key, stage = stage],
    key: "phase_id",
    order: order![Id phase_id],
    source: RowSource::Sql {
        with: None,
        rows: phases,
    },
};

const PHASE_COLUMNS: &str = "\
SELECT phase.id AS phase_id, phase.key AS phase_key, phase.name AS phase_name, phase.blueprint_id,
    blueprint.key AS blueprint_key, phase.position, phase.stage, phase.customer_goal, phase.created_at,
    phase.archived_at
FROM ";

fn phases(text: Text, scope: &Scope<'_>) -> Text {
    inside::<phase::Entity>(text.then(PHASE_COLUMNS), scope, "phase")
}

/// Journeys.
pub static BLUEPRINTS: Dataset = Dataset {
    name: "blueprints",
    description: "Every blueprint that counts and that you may read.",
    permission: Action::PullFlatRows,
    needs_days: false,
    counts: true,
    day: None,
    columns: columns![
        blueprint_id: IdOf(BlueprintId::PREFIX), "The blueprint.";
        blueprint_key: Words, "Its key.";
        title: Words, "Its title, as it is today.";
        subject: Word(Subject::texts), "Whose journey it is.";
        blueprint_state: Word(BlueprintState::texts), "Whether it is how things are or how they are to become.";
        status: Word(BlueprintStatus::texts), "How far it has come.";
        visibility: Word(Visibility::texts), "Who may read it once it is published.";
        persona_id: IdOf(PersonaId::PREFIX), "The main persona.";
        owner_department_id: IdOf(DepartmentId::PREFIX), "The department that owns it.";
        next_review_on empty: Day, "When it is to be looked at again.";
        published_number empty: Integer, "The number of its latest publication.";
        created_at: Instant, "When it was made.";
        archived_at empty: Instant, "Since when it is archived.";
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
        rows: blueprints,
    },
};

const BLUEPRINT_COLUMNS: &str = "\
SELECT blueprint.id AS blueprint_id, blueprint.key AS blueprint_key, blueprint.title, blueprint.subject,
    blueprint.state AS blueprint_state, blueprint.status, blueprint.visibility, blueprint.persona_id,
    blueprint.owner_department_id, blueprint.next_review_on, blueprint.published_number, blueprint.created_at,
    blueprint.archived_at
FROM blueprint WHERE blueprint.id IN (";

fn blueprints(text: Text, scope: &Scope<'_>) -> Text {
    text.then(BLUEPRINT_COLUMNS)
        .select(&scope.counted())
        .then(")")
}
