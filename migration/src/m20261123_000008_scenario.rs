//! Named ways through a journey: a scenario is an ordered list of the touchpoints of one blueprint.

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
CREATE TABLE scenario (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    name text NOT NULL,
    kind text NOT NULL,
    note text,
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    UNIQUE (id, blueprint_id)
) {table};
CREATE UNIQUE INDEX scenario_name ON scenario (blueprint_id, lower(name));

CREATE TABLE scenario_step (
    scenario_id {uuid} NOT NULL,
    -- Goes with the blueprint itself: PostgreSQL asks for what hangs on a touchpoint before it gets to a scenario's own.
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    touchpoint_id {uuid} NOT NULL,
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (scenario_id, position),
    FOREIGN KEY (scenario_id, blueprint_id) REFERENCES scenario (id, blueprint_id) ON DELETE CASCADE,
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id)
) {table};
CREATE INDEX scenario_step_blueprint ON scenario_step (blueprint_id);
CREATE INDEX scenario_step_touchpoint ON scenario_step (touchpoint_id);
"#;
