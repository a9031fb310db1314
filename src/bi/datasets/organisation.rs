//! The organisation: departments with their levels, their responsibilities at touchpoints, and personas.

use entity::{
    department,
    id::{BlueprintId, DepartmentId, Id, NeedId, PersonaId, ResponsibilityId, TouchpointId},
    persona, responsibility,
    words::{DepartmentKind, ResponsibilityStatus, Role, Subject},
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

/// Responsibilities of departments at touchpoints, with their history.
pub static RESPONSIBILITIES: Dataset = Dataset {
    name: "responsibilities",
    description: "Every responsibility of a department for a role at a touchpoint, in any state of the handshake, \
        with the moments between which it was in force. A LEAD sees those of the departments that they lead.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: columns![
        responsibility_id: IdOf(ResponsibilityId::PREFIX) => "responsibility.id", "Id of the responsibility.";
        blueprint_id: IdOf(BlueprintId::PREFIX) => "responsibility.blueprint_id", "Id of the blueprint.";
        blueprint_key: Words => "blueprint.key", "The blueprint's key.";
        touchpoint_id: IdOf(TouchpointId::PREFIX) => "responsibility.touchpoint_id", "Id of the touchpoint.";
        touchpoint_key: Words => "touchpoint.key", "The touchpoint's key.";
        department_id: IdOf(DepartmentId::PREFIX) => "responsibility.department_id", "Id of the department.";
        department_key: Words => "department.key", "The department's key.";
        role: Word(Role::texts) => "responsibility.role", "The department's role.";
        status: Word(ResponsibilityStatus::texts) => "responsibility.status", "The state of the handshake.";
        proposed_at: Instant => "responsibility.proposed_at", "Time of the proposal.";
        decided_at empty: Instant => "responsibility.decided_at", "Time of the answer; empty while there is none.";
        valid_from empty: Instant => "responsibility.valid_from", "In force from this moment (included); empty for no beginning, or if it was never in force.";
        valid_to empty: Instant => "responsibility.valid_to", "In force until this moment (excluded); empty for no end.";
    ],
    filters: filters![
        department = department_key,
        blueprint = blueprint_key,
        touchpoint = touchpoint_key,
        role = role,
        status = status
    ],
    key: "responsibility_id",
    order: order![Id responsibility_id],
    source: RowSource::Sql {
        with: None,
        rows: responsibilities_sql,
    },
};

const RESPONSIBILITY_JOINS: &str = "
JOIN blueprint ON blueprint.id = responsibility.blueprint_id
JOIN touchpoint ON touchpoint.id = responsibility.touchpoint_id
JOIN department ON department.id = responsibility.department_id
WHERE responsibility.blueprint_id IN (";

fn responsibilities_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = RESPONSIBILITIES.append_select(text, scope).then(" FROM ");
    let text = append_visible_rows::<responsibility::Entity>(text, scope, "responsibility")
        .then(RESPONSIBILITY_JOINS)
        .select(&scope.select_published_current_blueprint_ids())
        .then(")");
    scope.append_pullable_condition(text, "responsibility.department_id")
}

/// Departments, with their place in the tree.
pub static DEPARTMENTS: Dataset = Dataset {
    name: "departments",
    description: "Every department that you may read, archived ones included, with its place in the tree as it is \
        today. A department whose parent you may not read stands at the top.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        department_id: IdOf(DepartmentId::PREFIX) => "seen.id", "Id of the department.";
        department_key: Words => "seen.key", "The department's key.";
        department_name: Words => "seen.name", "The department's name, as it is today.";
        kind: Word(DepartmentKind::texts) => "seen.kind", "Whether it is part of the organisation or a partner.";
        parent_id empty: IdOf(DepartmentId::PREFIX) => "above.id", "Id of the department above it; empty at the top.";
        depth: Integer => "tree.depth", "Depth in the tree, 1 at the top.";
        path: Words => "tree.path", "Names from the top down to the department, with ' / ' between them.";
        level_1: Words => "tree.level_1", "Name on the first level of the path: of the department or of one above it.";
        level_2 empty: Words => "tree.level_2", "Name on the second level of the path; empty if the path is shorter.";
        level_3 empty: Words => "tree.level_3", "Name on the third level of the path; empty if the path is shorter.";
        level_4 empty: Words => "tree.level_4", "Name on the fourth level of the path; empty if the path is shorter.";
        level_5 empty: Words => "tree.level_5", "Name on the fifth level of the path; empty if the path is shorter. Deeper levels are only in the column path.";
        successor_id empty: IdOf(DepartmentId::PREFIX) => "successor.id", "Id of the department that took over from it.";
        created_at: Instant => "seen.created_at", "Time of creation.";
        archived_at empty: Instant => "seen.archived_at", "Time of archiving; empty while it is not archived.";
    ],
    filters: filters![department = department_key, kind = kind],
    key: "department_id",
    order: order![Id department_id],
    source: RowSource::Sql {
        with: Some(department_tree_cte_sql),
        rows: departments_sql,
    },
};

const TREE: &str = "), tree (id, depth, path, level_1, level_2, level_3, level_4, level_5) AS (
    SELECT id, 1, name, name, CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text), CAST(NULL AS text)
    FROM seen WHERE parent_id IS NULL OR parent_id NOT IN (SELECT id FROM seen)
    UNION ALL
    SELECT seen.id, tree.depth + 1, tree.path || ' / ' || seen.name, tree.level_1,
        CASE WHEN tree.depth = 1 THEN seen.name ELSE tree.level_2 END,
        CASE WHEN tree.depth = 2 THEN seen.name ELSE tree.level_3 END,
        CASE WHEN tree.depth = 3 THEN seen.name ELSE tree.level_4 END,
        CASE WHEN tree.depth = 4 THEN seen.name ELSE tree.level_5 END
    FROM tree JOIN seen ON seen.parent_id = tree.id
)";

fn department_tree_cte_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    text.then("RECURSIVE seen AS (")
        .select(&scope.select_visible::<department::Entity>())
        .then(TREE)
}

const DEPARTMENTS_IN_TREE: &str = "
FROM seen JOIN tree ON tree.id = seen.id
LEFT JOIN seen above ON above.id = seen.parent_id
LEFT JOIN seen successor ON successor.id = seen.successor_id";

fn departments_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    DEPARTMENTS
        .append_select(text, scope)
        .then(DEPARTMENTS_IN_TREE)
}

/// Personas.
pub static PERSONAS: Dataset = Dataset {
    name: "personas",
    description: "Every persona that you may read, archived ones included.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        persona_id: IdOf(PersonaId::PREFIX) => "persona.id", "Id of the persona.";
        persona_key: Words => "persona.key", "The persona's key.";
        persona_name: Words => "persona.name", "The persona's name, as it is today.";
        subject: Word(Subject::texts) => "persona.subject", "Whether it stands for customers or for employees.";
        max_contacts_per_month empty: Integer => "persona.max_contacts_per_month", "Greatest number of contacts a month that it accepts.";
        created_at: Instant => "persona.created_at", "Time of creation.";
        archived_at empty: Instant => "persona.archived_at", "Time of archiving; empty while it is not archived.";
    ],
    filters: filters![persona = persona_key, subject = subject],
    key: "persona_id",
    order: order![Id persona_id],
    source: RowSource::Sql {
        with: None,
        rows: personas_sql,
    },
};

fn personas_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    append_visible_rows::<persona::Entity>(
        PERSONAS.append_select(text, scope).then(" FROM "),
        scope,
        "persona",
    )
}

/// Needs of personas.
pub static PERSONA_NEEDS: Dataset = Dataset {
    name: "persona_needs",
    description: "The needs of every persona that you may read.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: false,
    day: None,
    columns: columns![
        need_id: IdOf(NeedId::PREFIX) => "need.id", "Id of the need.";
        persona_id: IdOf(PersonaId::PREFIX) => "persona.id", "Id of the persona.";
        persona_key: Words => "persona.key", "The persona's key.";
        position: Integer => "need.position", "Position among the persona's needs, from 1.";
        text: Words => "need.text", "What the persona needs.";
    ],
    filters: filters![persona = persona_key],
    key: "need_id",
    order: order![Id need_id],
    source: RowSource::Sql {
        with: None,
        rows: persona_needs_sql,
    },
};

fn persona_needs_sql(text: SqlBuilder, scope: &ReaderScope<'_>) -> SqlBuilder {
    let text = PERSONA_NEEDS.append_select(text, scope).then(" FROM ");
    append_visible_rows::<persona::Entity>(text, scope, "persona")
        .then(" JOIN persona_need need ON need.persona_id = persona.id")
}
