//! The journey as a drawing: a blueprint, its phases and touchpoints, and the transitions between them.
//! What lies in a blueprint names it beside its neighbour in every foreign key, so that nothing can
//! join two blueprints, and goes with it when a draft is deleted.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLES).await
    }
}

const TABLES: &str = r#"
CREATE TABLE blueprint (
    id {uuid} NOT NULL PRIMARY KEY,
    key text NOT NULL,
    title text NOT NULL,
    subject text NOT NULL,
    state text NOT NULL,
    status text NOT NULL,
    archived_from text,
    visibility text NOT NULL,
    persona_id {uuid} NOT NULL REFERENCES persona (id),
    owner_department_id {uuid} NOT NULL REFERENCES department (id),
    next_review_on {day},
    published_number integer CHECK (published_number >= 1),
    published_revision integer CHECK (published_revision >= 1),
    created_at {instant} NOT NULL,
    archived_at {instant},
    version integer NOT NULL CHECK (version >= 1),
    revision integer NOT NULL CHECK (revision >= 1)
) {table};
CREATE UNIQUE INDEX blueprint_key ON blueprint (lower(key));
CREATE INDEX blueprint_owner ON blueprint (owner_department_id);
CREATE INDEX blueprint_main_persona ON blueprint (persona_id);
CREATE INDEX blueprint_created ON blueprint (created_at, id);

CREATE TABLE blueprint_persona (
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    persona_id {uuid} NOT NULL REFERENCES persona (id),
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (blueprint_id, persona_id)
) {table};
CREATE INDEX blueprint_persona_persona ON blueprint_persona (persona_id);

CREATE TABLE phase (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    key text NOT NULL,
    name text NOT NULL,
    position integer NOT NULL CHECK (position >= 1),
    stage text NOT NULL,
    customer_goal text,
    created_at {instant} NOT NULL,
    archived_at {instant},
    version integer NOT NULL CHECK (version >= 1),
    UNIQUE (id, blueprint_id)
) {table};
CREATE UNIQUE INDEX phase_key ON phase (blueprint_id, lower(key));

CREATE TABLE touchpoint (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    phase_id {uuid} NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    position integer NOT NULL CHECK (position >= 1),
    lane text NOT NULL,
    customer_action text,
    initiator text,
    contacts_per_month {number} CHECK (contacts_per_month >= 0 AND contacts_per_month {finite}),
    emotion integer CHECK (emotion BETWEEN -2 AND 2),
    employee_emotion integer CHECK (employee_emotion BETWEEN -2 AND 2),
    importance_customer integer CHECK (importance_customer BETWEEN 1 AND 5),
    importance_organisation integer CHECK (importance_organisation BETWEEN 1 AND 5),
    usage text NOT NULL,
    usage_reason text,
    moment_of_truth {boolean} NOT NULL,
    essential {boolean} NOT NULL,
    expected_minutes integer CHECK (expected_minutes >= 0),
    basis text NOT NULL,
    evidence {json} NOT NULL,
    systems {json} NOT NULL,
    note text,
    created_at {instant} NOT NULL,
    archived_at {instant},
    version integer NOT NULL CHECK (version >= 1),
    UNIQUE (id, blueprint_id),
    FOREIGN KEY (phase_id, blueprint_id) REFERENCES phase (id, blueprint_id)
) {table};
CREATE UNIQUE INDEX touchpoint_key ON touchpoint (blueprint_id, lower(key));
CREATE INDEX touchpoint_phase ON touchpoint (phase_id);
CREATE INDEX touchpoint_created ON touchpoint (created_at, id);

CREATE TABLE touchpoint_channel (
    touchpoint_id {uuid} NOT NULL REFERENCES touchpoint (id) ON DELETE CASCADE,
    channel_id {uuid} NOT NULL REFERENCES channel (id),
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (touchpoint_id, channel_id)
) {table};
CREATE INDEX touchpoint_channel_channel ON touchpoint_channel (channel_id);

CREATE TABLE touchpoint_segment (
    touchpoint_id {uuid} NOT NULL REFERENCES touchpoint (id) ON DELETE CASCADE,
    segment_id {uuid} NOT NULL REFERENCES segment (id),
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (touchpoint_id, segment_id)
) {table};
CREATE INDEX touchpoint_segment_segment ON touchpoint_segment (segment_id);

CREATE TABLE transition (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    kind text NOT NULL,
    "end" text,
    from_touchpoint_id {uuid},
    to_touchpoint_id {uuid},
    condition text,
    max_wait_minutes integer CHECK (max_wait_minutes >= 0),
    basis text NOT NULL,
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    FOREIGN KEY (from_touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    FOREIGN KEY (to_touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    CONSTRAINT transition_leads_elsewhere CHECK (from_touchpoint_id <> to_touchpoint_id),
    CONSTRAINT transition_has_a_touchpoint
        CHECK (from_touchpoint_id IS NOT NULL OR to_touchpoint_id IS NOT NULL),
    CONSTRAINT transition_has_an_end_for_a_missing_touchpoint
        CHECK (("end" IS NOT NULL) = (from_touchpoint_id IS NULL OR to_touchpoint_id IS NULL)),
    CONSTRAINT transition_starts_from_nowhere CHECK ("end" <> 'START' OR from_touchpoint_id IS NULL),
    CONSTRAINT transition_exits_to_nowhere CHECK ("end" <> 'EXIT' OR to_touchpoint_id IS NULL)
) {table};
CREATE INDEX transition_blueprint ON transition (blueprint_id);
-- No edge twice. NULLs count as different in a unique index, hence one for each shape.
CREATE UNIQUE INDEX transition_once ON transition (from_touchpoint_id, to_touchpoint_id, kind)
    WHERE from_touchpoint_id IS NOT NULL AND to_touchpoint_id IS NOT NULL;
CREATE UNIQUE INDEX transition_once_in ON transition (blueprint_id, to_touchpoint_id, kind, "end")
    WHERE from_touchpoint_id IS NULL;
CREATE UNIQUE INDEX transition_once_out ON transition (blueprint_id, from_touchpoint_id, kind, "end")
    WHERE to_touchpoint_id IS NULL;
"#;
