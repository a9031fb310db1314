//! What was recorded since a moment is found without reading all of the measurements.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, INDEX).await
    }
}

const INDEX: &str = "
CREATE INDEX measurement_recorded ON measurement (recorded_at);
";
