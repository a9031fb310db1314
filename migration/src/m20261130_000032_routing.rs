//! Who works an answer: the day of the contact that it is about, the organisation's rules for answers on the
//! relationship as a whole, and how many of a group's answers are followed up.

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

const TABLES: &str = "
ALTER TABLE feedback ADD COLUMN met_on {day};
ALTER TABLE feedback ADD COLUMN cause text;

ALTER TABLE playbook ADD COLUMN follow_up_percent integer NOT NULL DEFAULT 100
    CHECK (follow_up_percent BETWEEN 0 AND 100);

CREATE TABLE routing_rule (
    id {uuid} NOT NULL PRIMARY KEY,
    segment_id {uuid} REFERENCES segment (id),
    channel_id {uuid} REFERENCES channel (id),
    cause text,
    department_id {uuid} NOT NULL REFERENCES department (id),
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    CONSTRAINT routing_rule_says_when CHECK (
        segment_id IS NOT NULL OR channel_id IS NOT NULL OR cause IS NOT NULL)
) {table};
CREATE UNIQUE INDEX routing_rule_once ON routing_rule (
    COALESCE(segment_id, {hex}'00000000000000000000000000000000'),
    COALESCE(channel_id, {hex}'00000000000000000000000000000000'), COALESCE(cause, ''));
CREATE INDEX routing_rule_segment ON routing_rule (segment_id) WHERE segment_id IS NOT NULL;
CREATE INDEX routing_rule_channel ON routing_rule (channel_id) WHERE channel_id IS NOT NULL;
CREATE INDEX routing_rule_department ON routing_rule (department_id);
";
