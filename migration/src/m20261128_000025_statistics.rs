//! PostgreSQL keeps no statistics of columns that hold confidential values: whoever may read the views could search
//! them out of the estimates of EXPLAIN, which are made before anybody is asked what they may see.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        match schema.get_database_backend() {
            DbBackend::Postgres => sql::run(schema, COLUMNS).await,
            _ => Ok(()),
        }
    }
}

/// Naming its type again drops what was gathered of a column; it is neither read nor written for that.
const COLUMNS: &str = "
ALTER TABLE measurement
    ALTER COLUMN value TYPE double precision, ALTER COLUMN value SET STATISTICS 0,
    ALTER COLUMN numerator TYPE double precision, ALTER COLUMN numerator SET STATISTICS 0,
    ALTER COLUMN denominator TYPE double precision, ALTER COLUMN denominator SET STATISTICS 0,
    ALTER COLUMN sample_size TYPE integer, ALTER COLUMN sample_size SET STATISTICS 0;
ALTER TABLE kpi_target
    ALTER COLUMN value TYPE double precision, ALTER COLUMN value SET STATISTICS 0,
    ALTER COLUMN warning TYPE double precision, ALTER COLUMN warning SET STATISTICS 0;
";
