//! How people get in: sessions, their refresh tokens, and the brake on guessing.

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
CREATE TABLE session (
    id {uuid} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES account (id),
    user_agent text,
    created_at {instant} NOT NULL,
    last_used_at {instant} NOT NULL,
    expires_at {instant} NOT NULL,
    ended_at {instant}
) {table};
CREATE INDEX session_account ON session (account_id);

CREATE TABLE refresh_token (
    hash {bytes} NOT NULL PRIMARY KEY,
    session_id {uuid} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    issued_at {instant} NOT NULL,
    rotated_at {instant}
) {table};
CREATE INDEX refresh_token_session ON refresh_token (session_id);

CREATE TABLE sign_in_throttle (
    subject {bytes} NOT NULL PRIMARY KEY,
    failures integer NOT NULL CHECK (failures >= 0),
    last_failed_at {instant} NOT NULL,
    blocked_until {instant} NOT NULL
) {table};
"#;
