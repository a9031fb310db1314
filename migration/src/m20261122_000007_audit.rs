//! Who did what: an audit log that the database itself keeps from being changed. It points only at
//! what is never deleted; the rest it remembers by id.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLES).await?;
        match schema.get_database_backend() {
            DbBackend::Postgres => sql::run(schema, APPEND_ONLY_POSTGRES).await,
            _ => sql::run(schema, APPEND_ONLY_SQLITE).await,
        }
    }
}

const TABLES: &str = r#"
CREATE TABLE audit_event (
    id {uuid} NOT NULL PRIMARY KEY,
    at {instant} NOT NULL,
    actor_kind text NOT NULL,
    actor_account_id {uuid} REFERENCES account (id),
    action text NOT NULL,
    outcome text NOT NULL,
    subject_type text,
    subject_id {uuid},
    blueprint_id {uuid},
    before {json},
    after {json},
    request_id text,
    repeats integer NOT NULL CHECK (repeats >= 1),
    last_at {instant} NOT NULL,
    CONSTRAINT audit_event_period CHECK (last_at >= at)
) {table};
CREATE INDEX audit_event_at ON audit_event (at, id);
CREATE INDEX audit_event_subject ON audit_event (subject_id);

CREATE TABLE audit_event_department (
    audit_event_id {uuid} NOT NULL REFERENCES audit_event (id) ON DELETE CASCADE,
    department_id {uuid} NOT NULL REFERENCES department (id),
    PRIMARY KEY (audit_event_id, department_id)
) {table};
CREATE INDEX audit_event_department_department ON audit_event_department (department_id);
"#;

// Only `repeats` and `last_at` may change: repeated refusals are counted.

const APPEND_ONLY_POSTGRES: &str = r#"
CREATE FUNCTION audit_event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit_event is append-only'; END $$;
CREATE TRIGGER audit_event_stays BEFORE UPDATE ON audit_event FOR EACH ROW
    WHEN (to_jsonb(OLD) - '{repeats,last_at}'::text[] <> to_jsonb(NEW) - '{repeats,last_at}'::text[])
    EXECUTE FUNCTION audit_event_is_append_only();
CREATE TRIGGER audit_event_is_kept BEFORE DELETE OR TRUNCATE ON audit_event
    EXECUTE FUNCTION audit_event_is_append_only();
"#;

const APPEND_ONLY_SQLITE: &str = r#"
CREATE TRIGGER audit_event_stays BEFORE UPDATE OF
    id, at, actor_kind, actor_account_id, action, outcome, subject_type, subject_id, blueprint_id,
    before, after, request_id ON audit_event
    BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END;
CREATE TRIGGER audit_event_is_kept BEFORE DELETE ON audit_event
    BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END;
"#;
