//! What blueprints can begin with: templates; and what to ask in a phase.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLES).await?;
        sql::run(schema, SIX_PHASES).await
    }
}

const TABLES: &str = r#"
CREATE TABLE template (
    id {uuid} NOT NULL PRIMARY KEY,
    key text NOT NULL,
    name text NOT NULL,
    description text,
    subjects {json} NOT NULL,
    lenses {json} NOT NULL,
    phases {json} NOT NULL,
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1)
) {table};
CREATE UNIQUE INDEX template_key ON template (lower(key));

ALTER TABLE blueprint ADD COLUMN template_id {uuid} REFERENCES template (id);
CREATE INDEX blueprint_template ON blueprint (template_id) WHERE template_id IS NOT NULL;
ALTER TABLE phase ADD COLUMN prompt text;
"#;

/// The experience journey that every organisation has from the beginning.
const SIX_PHASES: &str = r#"
INSERT INTO template (id, key, name, description, subjects, lenses, phases, created_at, version) VALUES (
    {hex}'01a2100088007000800000000000006f',
    'six-phases',
    'Experience journey in six phases',
    'From what somebody has lived through before to what they tell others; for customers and for employees.',
    '["CUSTOMER", "EMPLOYEE"]',
    '["THINKS", "DOES", "EXPERIENCES", "FEELS"]',
    '[
        {"name": "Prior experience", "stage": "BEFORE", "prompt": "Earlier experiences, as quotes"},
        {"name": "Awareness", "stage": "BEFORE", "prompt": "How the persona becomes aware"},
        {"name": "Choose", "stage": "BEFORE", "prompt": "Reasons for choosing"},
        {"name": "Act", "stage": "GOAL", "prompt": "How the persona acts or buys"},
        {"name": "Experience", "stage": "AFTER", "prompt": "How the persona will experience you"},
        {"name": "Share", "stage": "AFTER", "prompt": "How the persona shares the experience"}
    ]',
    '2026-11-25T00:00:00+00:00',
    1
);
"#;
