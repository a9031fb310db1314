//! Tokens with which programs sign in, the departments they are limited to, and which of them did what.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLES).await?;
        match schema.get_database_backend() {
            // There the trigger compares whole rows.
            DbBackend::Postgres => Ok(()),
            _ => sql::run(schema, APPEND_ONLY_SQLITE).await,
        }
    }
}

// What has acted is named by audit events, so tokens are revoked and never deleted; and a token that lost the
// departments it is limited to would be limited no longer, so those stay as well.
const TABLES: &str = r#"
CREATE TABLE service_token (
    id {uuid} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES account (id),
    name text NOT NULL,
    description text,
    hash {bytes} NOT NULL,
    scopes {json} NOT NULL,
    created_at {instant} NOT NULL,
    made_by_account_id {uuid} REFERENCES account (id),
    expires_at {instant} NOT NULL,
    last_used_at {instant},
    revoked_at {instant},
    CONSTRAINT service_token_expires CHECK (expires_at > created_at)
) {table};
CREATE UNIQUE INDEX service_token_hash ON service_token (hash);
CREATE INDEX service_token_account ON service_token (account_id);
CREATE INDEX service_token_created ON service_token (created_at, id);

CREATE TABLE service_token_department (
    service_token_id {uuid} NOT NULL REFERENCES service_token (id),
    department_id {uuid} NOT NULL REFERENCES department (id),
    position integer NOT NULL CHECK (position >= 1),
    PRIMARY KEY (service_token_id, department_id)
) {table};
CREATE INDEX service_token_department_department ON service_token_department (department_id);

ALTER TABLE audit_event ADD COLUMN actor_token_id {uuid} REFERENCES service_token (id);
"#;

const APPEND_ONLY_SQLITE: &str = r#"
DROP TRIGGER audit_event_stays;
CREATE TRIGGER audit_event_stays BEFORE UPDATE OF
    id, at, actor_kind, actor_account_id, actor_token_id, action, outcome, subject_type, subject_id,
    blueprint_id, before, after, request_id ON audit_event
    BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END;
"#;
