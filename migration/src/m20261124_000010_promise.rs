//! What is promised, what was tried and what is to become better: promises with where they are delivered,
//! evaluations with a verdict for each need, improvements with the touchpoints and KPIs that they are about.

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

// What hangs on two things inside a blueprint goes with the blueprint itself: PostgreSQL otherwise asks for what hangs
// on the one before it gets to the other's own.
const TABLES: &str = r#"
CREATE TABLE promise (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    key text NOT NULL,
    touchpoint_id {uuid} NOT NULL,
    text text NOT NULL,
    state text NOT NULL,
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    UNIQUE (id, blueprint_id),
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id)
) {table};
CREATE UNIQUE INDEX promise_key ON promise (blueprint_id, lower(key));
CREATE INDEX promise_touchpoint ON promise (touchpoint_id);

CREATE TABLE promise_delivery (
    promise_id {uuid} NOT NULL,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    touchpoint_id {uuid} NOT NULL,
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (promise_id, touchpoint_id),
    FOREIGN KEY (promise_id, blueprint_id) REFERENCES promise (id, blueprint_id) ON DELETE CASCADE,
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id)
) {table};
CREATE INDEX promise_delivery_blueprint ON promise_delivery (blueprint_id);
CREATE INDEX promise_delivery_touchpoint ON promise_delivery (touchpoint_id);

CREATE TABLE evaluation (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    touchpoint_id {uuid} NOT NULL,
    held_on {day} NOT NULL,
    by_account_id {uuid} REFERENCES account (id),
    by_name text,
    messages text,
    conflicts_with_id {uuid},
    conflict text,
    note text,
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    UNIQUE (id, blueprint_id),
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    FOREIGN KEY (conflicts_with_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    CONSTRAINT evaluation_by_one CHECK ((by_account_id IS NULL) <> (by_name IS NULL)),
    CONSTRAINT evaluation_conflict_named CHECK (
        (COALESCE(messages, '') = 'CONFLICTING') = (conflicts_with_id IS NOT NULL)
        AND (conflicts_with_id IS NULL) = (conflict IS NULL)),
    CONSTRAINT evaluation_not_with_itself CHECK (conflicts_with_id <> touchpoint_id)
) {table};
CREATE INDEX evaluation_blueprint ON evaluation (blueprint_id);
CREATE INDEX evaluation_touchpoint ON evaluation (touchpoint_id);
CREATE INDEX evaluation_conflicts_with ON evaluation (conflicts_with_id) WHERE conflicts_with_id IS NOT NULL;
CREATE INDEX evaluation_by_account ON evaluation (by_account_id) WHERE by_account_id IS NOT NULL;

CREATE TABLE evaluation_verdict (
    evaluation_id {uuid} NOT NULL REFERENCES evaluation (id) ON DELETE CASCADE,
    -- What was found about a need that the persona no longer has is of no use.
    need_id {uuid} NOT NULL REFERENCES persona_need (id) ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 1),
    verdict text NOT NULL,
    PRIMARY KEY (evaluation_id, need_id)
) {table};
CREATE INDEX evaluation_verdict_need ON evaluation_verdict (need_id);

CREATE TABLE improvement (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    key text NOT NULL,
    title text NOT NULL,
    description text,
    owner_department_id {uuid} NOT NULL REFERENCES department (id),
    impact integer CHECK (impact BETWEEN 1 AND 5),
    effort integer CHECK (effort BETWEEN 1 AND 5),
    state text NOT NULL,
    result text,
    target_on {day},
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    UNIQUE (id, blueprint_id),
    CONSTRAINT improvement_finished_with_result CHECK (state NOT IN ('DONE', 'DROPPED') OR result IS NOT NULL)
) {table};
CREATE UNIQUE INDEX improvement_key ON improvement (blueprint_id, lower(key));
CREATE INDEX improvement_owner ON improvement (owner_department_id, created_at, id);

CREATE TABLE improvement_touchpoint (
    improvement_id {uuid} NOT NULL,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    touchpoint_id {uuid} NOT NULL,
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (improvement_id, touchpoint_id),
    FOREIGN KEY (improvement_id, blueprint_id) REFERENCES improvement (id, blueprint_id) ON DELETE CASCADE,
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id)
) {table};
CREATE INDEX improvement_touchpoint_blueprint ON improvement_touchpoint (blueprint_id);
CREATE INDEX improvement_touchpoint_touchpoint ON improvement_touchpoint (touchpoint_id);

CREATE TABLE improvement_kpi (
    improvement_id {uuid} NOT NULL REFERENCES improvement (id) ON DELETE CASCADE,
    kpi_id {uuid} NOT NULL REFERENCES kpi (id),
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (improvement_id, kpi_id)
) {table};
CREATE INDEX improvement_kpi_kpi ON improvement_kpi (kpi_id);
"#;
