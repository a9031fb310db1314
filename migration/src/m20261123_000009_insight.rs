//! What is known of a journey, and from where: sources, and insights at a touchpoint, a phase or the whole.

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
CREATE TABLE source (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    title text NOT NULL,
    kind text NOT NULL,
    held_on {day},
    sample_size integer CHECK (sample_size >= 1),
    link text,
    note text,
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    UNIQUE (id, blueprint_id)
) {table};
CREATE UNIQUE INDEX source_title ON source (blueprint_id, lower(title));

CREATE TABLE insight (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    key text NOT NULL,
    phase_id {uuid},
    touchpoint_id {uuid},
    persona_id {uuid} REFERENCES persona (id),
    kind text NOT NULL,
    text text NOT NULL,
    quote {boolean} NOT NULL,
    basis text NOT NULL,
    whys {json} NOT NULL,
    answer text,
    answered_by_id {uuid},
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    UNIQUE (id, blueprint_id),
    FOREIGN KEY (phase_id, blueprint_id) REFERENCES phase (id, blueprint_id),
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    FOREIGN KEY (answered_by_id, blueprint_id) REFERENCES insight (id, blueprint_id),
    CONSTRAINT insight_in_one_place CHECK (phase_id IS NULL OR touchpoint_id IS NULL),
    CONSTRAINT insight_not_its_own_answer CHECK (answered_by_id <> id)
) {table};
CREATE UNIQUE INDEX insight_key ON insight (blueprint_id, lower(key));
CREATE INDEX insight_touchpoint ON insight (touchpoint_id) WHERE touchpoint_id IS NOT NULL;
CREATE INDEX insight_phase ON insight (phase_id) WHERE phase_id IS NOT NULL;
CREATE INDEX insight_persona ON insight (persona_id) WHERE persona_id IS NOT NULL;
CREATE INDEX insight_answered_by ON insight (answered_by_id) WHERE answered_by_id IS NOT NULL;
CREATE INDEX insight_created ON insight (created_at, id);

CREATE TABLE insight_source (
    insight_id {uuid} NOT NULL,
    -- Goes with the blueprint itself: PostgreSQL asks for what hangs on a source before it gets to an insight's own.
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    source_id {uuid} NOT NULL,
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (insight_id, source_id),
    FOREIGN KEY (insight_id, blueprint_id) REFERENCES insight (id, blueprint_id) ON DELETE CASCADE,
    FOREIGN KEY (source_id, blueprint_id) REFERENCES source (id, blueprint_id)
) {table};
CREATE INDEX insight_source_blueprint ON insight_source (blueprint_id);
CREATE INDEX insight_source_source ON insight_source (source_id);
"#;
