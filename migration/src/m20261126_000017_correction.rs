//! What a measurement took the place of is found without reading all of them. A value makes room before its correction
//! comes, and with that SQLite asks of each new one whether an old one waits for it; so does whoever removes any.

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
CREATE INDEX measurement_corrected ON measurement (superseded_by_id) WHERE superseded_by_id IS NOT NULL;
";
