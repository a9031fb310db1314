//! The index by which the newest periods of a KPI's touchpoints are found leaves out what was measured of the KPI as a
//! whole: for a KPI that is measured as a whole alone there is nothing to walk past.

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
DROP INDEX kpi_period_newest;
CREATE INDEX kpi_period_at_touchpoints ON kpi_period (kpi_id, period_start)
    WHERE touchpoint_id <> {hex}'00000000000000000000000000000000';
";
