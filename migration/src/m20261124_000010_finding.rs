//! Since when findings are open and which were dismissed; what was renewed when, and what has changed since outside
//! of blueprints. What the findings are is computed, never kept.

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
CREATE TABLE finding (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    open_since {instant} NOT NULL,
    dismissed_at {instant},
    dismissed_by_id {uuid} REFERENCES account (id),
    reason text,
    CONSTRAINT finding_dismissed_with_reason CHECK (
        (dismissed_at IS NULL) = (reason IS NULL) AND (dismissed_by_id IS NULL OR dismissed_at IS NOT NULL))
) {table};
CREATE INDEX finding_blueprint ON finding (blueprint_id);
CREATE INDEX finding_dismissed_by ON finding (dismissed_by_id) WHERE dismissed_by_id IS NOT NULL;

CREATE TABLE finding_renewal (
    blueprint_id {uuid} NOT NULL PRIMARY KEY REFERENCES blueprint (id) ON DELETE CASCADE,
    revision integer NOT NULL,
    day {day} NOT NULL,
    number integer NOT NULL
) {table};

CREATE TABLE finding_mark (
    id {uuid} NOT NULL PRIMARY KEY,
    kpi_id {uuid} REFERENCES kpi (id),
    persona_id {uuid} REFERENCES persona (id),
    department_id {uuid} REFERENCES department (id)
) {table};
CREATE INDEX finding_mark_kpi ON finding_mark (kpi_id) WHERE kpi_id IS NOT NULL;
CREATE INDEX finding_mark_persona ON finding_mark (persona_id) WHERE persona_id IS NOT NULL;
CREATE INDEX finding_mark_department ON finding_mark (department_id) WHERE department_id IS NOT NULL;
"#;
