//! What a blueprint was: publications; and what a part was copied from.

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
CREATE TABLE publication (
    id {uuid} NOT NULL PRIMARY KEY,
    blueprint_id {uuid} NOT NULL REFERENCES blueprint (id) ON DELETE CASCADE,
    -- Empty of what was kept before it was replaced.
    number integer CHECK (number >= 1),
    label text,
    revision integer NOT NULL CHECK (revision >= 1),
    -- As text, so that it stays what it was to the letter.
    document text NOT NULL,
    made_by_account_id {uuid} REFERENCES account (id),
    created_at {instant} NOT NULL,
    UNIQUE (blueprint_id, number)
) {table};
CREATE INDEX publication_created ON publication (blueprint_id, created_at, id);

-- No foreign keys: a copy outlives what it was made from.
ALTER TABLE blueprint ADD COLUMN copied_from_id {uuid};
ALTER TABLE phase ADD COLUMN copied_from_id {uuid};
ALTER TABLE touchpoint ADD COLUMN copied_from_id {uuid};
"#;
