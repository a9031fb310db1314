//! Revisions of what was measured of a KPI, so that whoever keeps its values in memory knows what has come since.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, COLUMNS).await
    }
}

// There is no index over the revisions: reading the values of a KPI once is dearer than looking through them.
const COLUMNS: &str = r#"
ALTER TABLE kpi ADD COLUMN series_revision integer NOT NULL DEFAULT 0;
ALTER TABLE measurement ADD COLUMN series_revision integer NOT NULL DEFAULT 0;
"#;
