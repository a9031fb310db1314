//! Where accounts have signed in from: what is tried elsewhere does not keep their owners out there.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLE).await
    }
}

const TABLE: &str = r#"
CREATE TABLE sign_in_origin (
    hash {bytes} NOT NULL PRIMARY KEY,
    account_id {uuid} NOT NULL REFERENCES account (id),
    last_used_at {instant} NOT NULL
) {table};
CREATE INDEX sign_in_origin_account ON sign_in_origin (account_id);
"#;
