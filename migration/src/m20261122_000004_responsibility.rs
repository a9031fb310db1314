//! Who answers for what: touchpoint × department × role, with the handshake's rules as unique indexes.

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
CREATE TABLE responsibility (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    touchpoint_id {uuid} NOT NULL,
    department_id {uuid} NOT NULL REFERENCES department (id),
    role text NOT NULL,
    status text NOT NULL,
    tasks {json} NOT NULL,
    person_id {uuid} REFERENCES account (id),
    note text,
    proposed_by_department_id {uuid} REFERENCES department (id),
    proposed_by_account_id {uuid} REFERENCES account (id),
    proposed_at {instant} NOT NULL,
    replaces_id {uuid} REFERENCES responsibility (id),
    reason text,
    decided_at {instant},
    decided_by_account_id {uuid} REFERENCES account (id),
    valid_from {instant},
    valid_to {instant},
    created_at {instant} NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    CONSTRAINT responsibility_period CHECK (valid_to >= valid_from)
) {table};

-- The comparison at the end of each is always true. It is there for SQLite, which names an index in
-- its error only where the index holds an expression; the program tells the two rules apart by name.
CREATE UNIQUE INDEX responsibility_one_accountable
    ON responsibility (touchpoint_id, (role = 'ACCOUNTABLE'))
    WHERE status = 'ACCEPTED' AND role = 'ACCOUNTABLE';
CREATE UNIQUE INDEX responsibility_once
    ON responsibility (touchpoint_id, department_id, role, (status <> 'ENDED'))
    WHERE status IN ('PROPOSED', 'ACCEPTED');

CREATE INDEX responsibility_blueprint ON responsibility (blueprint_id);
CREATE INDEX responsibility_touchpoint ON responsibility (touchpoint_id);
CREATE INDEX responsibility_department ON responsibility (department_id, status);
CREATE INDEX responsibility_created ON responsibility (created_at, id);
-- Deleting a draft asks for each of its responsibilities whether another one replaces it.
CREATE INDEX responsibility_replaces ON responsibility (replaces_id) WHERE replaces_id IS NOT NULL;
"#;
