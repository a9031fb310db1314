//! Who there is: departments, accounts, and who belongs where.

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
CREATE TABLE department (
    id {uuid} NOT NULL PRIMARY KEY,
    key text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    parent_id {uuid} REFERENCES department (id),
    successor_id {uuid} REFERENCES department (id),
    created_at {instant} NOT NULL,
    archived_at {instant},
    version integer NOT NULL CHECK (version >= 1),
    CONSTRAINT department_not_its_own_parent CHECK (parent_id <> id),
    CONSTRAINT department_not_its_own_successor CHECK (successor_id <> id)
) {table};
CREATE UNIQUE INDEX department_key ON department (lower(key));
CREATE INDEX department_parent ON department (parent_id);
CREATE INDEX department_created ON department (created_at, id);

CREATE TABLE account (
    id {uuid} NOT NULL PRIMARY KEY,
    key text NOT NULL,
    name text NOT NULL,
    service {boolean} NOT NULL,
    role text NOT NULL,
    password_hash text,
    created_at {instant} NOT NULL,
    archived_at {instant},
    version integer NOT NULL CHECK (version >= 1)
) {table};
CREATE UNIQUE INDEX account_key ON account (lower(key));
CREATE INDEX account_created ON account (created_at, id);

CREATE TABLE membership (
    id {uuid} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES account (id),
    department_id {uuid} NOT NULL REFERENCES department (id),
    role text NOT NULL,
    created_at {instant} NOT NULL
) {table};
CREATE UNIQUE INDEX membership_once ON membership (account_id, department_id);
CREATE INDEX membership_department ON membership (department_id);
"#;
