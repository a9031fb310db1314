//! Roles with which BI tools read views, and how far each reaches. The views themselves are no step: the program makes
//! them anew whenever they are to say something else.

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

// Only PostgreSQL has roles; elsewhere the tables stay empty.
const TABLES: &str = r#"
CREATE TABLE bi_login (
    name text NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES account (id),
    signature text,
    created_at {instant} NOT NULL,
    renewed_at {instant}
) {table};
CREATE INDEX bi_login_account ON bi_login (account_id);

CREATE TABLE bi_reach (
    login text NOT NULL REFERENCES bi_login (name),
    position integer NOT NULL CHECK (position >= 1),
    action text NOT NULL,
    everything {boolean} NOT NULL,
    relation text,
    department_id {uuid} REFERENCES department (id),
    granted_account_id {uuid} REFERENCES account (id),
    PRIMARY KEY (login, position),
    CONSTRAINT bi_reach_through_whole CHECK ((relation IS NULL) = (department_id IS NULL))
) {table};
CREATE INDEX bi_reach_action ON bi_reach (login, action, relation);
CREATE INDEX bi_reach_department ON bi_reach (department_id);
CREATE INDEX bi_reach_granted_account ON bi_reach (granted_account_id);
"#;
