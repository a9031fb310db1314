//! Whom it is for and where they meet us: segments, personas, channels.

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
CREATE TABLE segment (
    id {uuid} NOT NULL PRIMARY KEY,
    key text NOT NULL,
    dimension text NOT NULL,
    value text NOT NULL,
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1)
) {table};
CREATE UNIQUE INDEX segment_key ON segment (lower(key));

CREATE TABLE channel (
    id {uuid} NOT NULL PRIMARY KEY,
    key text NOT NULL,
    name text NOT NULL,
    medium text NOT NULL,
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1)
) {table};
CREATE UNIQUE INDEX channel_key ON channel (lower(key));

CREATE TABLE persona (
    id {uuid} NOT NULL PRIMARY KEY,
    key text NOT NULL,
    name text NOT NULL,
    subject text NOT NULL,
    context {json} NOT NULL,
    max_contacts_per_month integer CHECK (max_contacts_per_month >= 0),
    created_at {instant} NOT NULL,
    archived_at {instant},
    version integer NOT NULL CHECK (version >= 1)
) {table};
CREATE UNIQUE INDEX persona_key ON persona (lower(key));
CREATE INDEX persona_created ON persona (created_at, id);

CREATE TABLE persona_need (
    id {uuid} NOT NULL PRIMARY KEY,
    persona_id {uuid} NOT NULL REFERENCES persona (id) ON DELETE CASCADE,
    position integer NOT NULL CHECK (position >= 1),
    text text NOT NULL
) {table};
CREATE INDEX persona_need_persona ON persona_need (persona_id);

CREATE TABLE persona_segment (
    persona_id {uuid} NOT NULL REFERENCES persona (id) ON DELETE CASCADE,
    segment_id {uuid} NOT NULL REFERENCES segment (id),
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (persona_id, segment_id)
) {table};
CREATE INDEX persona_segment_segment ON persona_segment (segment_id);
"#;
