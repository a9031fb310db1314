//! What customers answer, what is done about it, and what to do about each group of answers.

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
CREATE TABLE feedback (
    id {uuid} NOT NULL PRIMARY KEY,
    external_id text,
    subject text NOT NULL,
    scale text NOT NULL,
    score integer NOT NULL,
    answer_group text NOT NULL,
    blueprint_id {uuid} REFERENCES blueprint (id),
    touchpoint_id {uuid},
    persona_id {uuid} REFERENCES persona (id),
    channel_id {uuid} REFERENCES channel (id),
    segment_id {uuid} REFERENCES segment (id),
    answered_at {instant} NOT NULL,
    answered_on {day} NOT NULL,
    department_id {uuid} REFERENCES department (id),
    respondent text,
    contact text,
    comment text,
    erased_at {instant},
    recorded_at {instant} NOT NULL,
    recorded_by_account_id {uuid} REFERENCES account (id),
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    CONSTRAINT feedback_in_blueprint CHECK (touchpoint_id IS NULL OR blueprint_id IS NOT NULL),
    CONSTRAINT feedback_on_scale CHECK (
        (scale IN ('NPS', 'ENPS') AND score BETWEEN 0 AND 10)
        OR (scale = 'CSAT' AND score BETWEEN 1 AND 5)
        OR (scale = 'CES' AND score BETWEEN 1 AND 7)),
    CONSTRAINT feedback_employees_unnamed CHECK (
        subject = 'CUSTOMER' OR (respondent IS NULL AND contact IS NULL AND comment IS NULL)),
    CONSTRAINT feedback_erased CHECK (
        erased_at IS NULL OR (respondent IS NULL AND contact IS NULL AND comment IS NULL))
) {table};
CREATE UNIQUE INDEX feedback_external ON feedback (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX feedback_recorded ON feedback (recorded_at, id);
CREATE INDEX feedback_touchpoint ON feedback (touchpoint_id, scale, answered_on) WHERE touchpoint_id IS NOT NULL;
CREATE INDEX feedback_relationship ON feedback (scale, answered_on) WHERE touchpoint_id IS NULL;
CREATE INDEX feedback_blueprint ON feedback (blueprint_id) WHERE blueprint_id IS NOT NULL;
CREATE INDEX feedback_persona ON feedback (persona_id) WHERE persona_id IS NOT NULL;
CREATE INDEX feedback_channel ON feedback (channel_id) WHERE channel_id IS NOT NULL;
CREATE INDEX feedback_segment ON feedback (segment_id) WHERE segment_id IS NOT NULL;
CREATE INDEX feedback_department ON feedback (department_id) WHERE department_id IS NOT NULL;
CREATE INDEX feedback_respondent ON feedback (respondent) WHERE respondent IS NOT NULL;
-- Whose answers are older than they may be kept: those of whom anything is left.
CREATE INDEX feedback_known ON feedback (answered_on)
    WHERE respondent IS NOT NULL OR contact IS NOT NULL OR comment IS NOT NULL;

CREATE TABLE follow_up (
    id {uuid} NOT NULL PRIMARY KEY,
    feedback_id {uuid} NOT NULL UNIQUE REFERENCES feedback (id) ON DELETE CASCADE,
    state text NOT NULL,
    assignee_account_id {uuid} REFERENCES account (id),
    due_on {day} NOT NULL,
    cause text,
    note text,
    closed_at {instant},
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    CONSTRAINT follow_up_closed CHECK ((closed_at IS NOT NULL) = (state IN ('RESOLVED', 'NO_CONTACT_WANTED')))
) {table};
CREATE INDEX follow_up_created ON follow_up (created_at, id);
CREATE INDEX follow_up_open ON follow_up (due_on) WHERE closed_at IS NULL;
CREATE INDEX follow_up_assignee ON follow_up (assignee_account_id) WHERE assignee_account_id IS NOT NULL;

CREATE TABLE playbook (
    id {uuid} NOT NULL PRIMARY KEY,
    answer_group text NOT NULL UNIQUE,
    text text NOT NULL,
    due_days integer NOT NULL CHECK (due_days BETWEEN 0 AND 365),
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1)
) {table};

ALTER TABLE kpi ADD COLUMN fed_by_feedback {boolean} NOT NULL DEFAULT FALSE;
ALTER TABLE finding_mark ADD COLUMN blueprint_id {uuid} REFERENCES blueprint (id) ON DELETE CASCADE;
CREATE INDEX finding_mark_blueprint ON finding_mark (blueprint_id) WHERE blueprint_id IS NOT NULL;
"#;
