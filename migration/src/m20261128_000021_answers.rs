//! Answers of employees are counted by the month of their receipt, and an external id belongs to who recorded it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::sql;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, COLUMN).await?;
        let month = match schema.get_database_backend() {
            DbBackend::Postgres => ON_POSTGRESQL,
            _ => ON_SQLITE,
        };
        sql::run(schema, month).await?;
        sql::run(schema, REST).await
    }
}

const COLUMN: &str = "
ALTER TABLE feedback ADD COLUMN received_in {day} NOT NULL DEFAULT '1970-01-01';
";

const ON_POSTGRESQL: &str = "
UPDATE feedback SET received_in = CAST(date_trunc('month', recorded_at AT TIME ZONE 'UTC') AS date);
";

const ON_SQLITE: &str = "
UPDATE feedback SET received_in = substr(recorded_at, 1, 7) || '-01';
";

/// What single days of employees' answers had been measured goes, with what was corrected: the differences between two
/// such values were single answers. NPS is of customers alone and stays; what customers gave of the rest is measured
/// again by the worker in the background.
const REST: &str = "
DROP INDEX feedback_external;
CREATE UNIQUE INDEX feedback_external ON feedback (recorded_by_account_id, external_id)
    WHERE external_id IS NOT NULL AND recorded_by_account_id IS NOT NULL;
CREATE UNIQUE INDEX feedback_external_operator ON feedback (external_id)
    WHERE external_id IS NOT NULL AND recorded_by_account_id IS NULL;
CREATE INDEX feedback_of_employees ON feedback (scale, received_in) WHERE subject = 'EMPLOYEE';
DELETE FROM measurement WHERE source = 'feedback' AND kpi_id IN (SELECT id FROM kpi WHERE fed_by_feedback) AND (
    kpi_id IN (SELECT id FROM kpi WHERE kpi_type = 'ENPS')
    OR touchpoint_id IN (SELECT touchpoint.id FROM touchpoint JOIN blueprint ON blueprint.id = touchpoint.blueprint_id
        WHERE blueprint.subject = 'EMPLOYEE')
    OR touchpoint_id IS NULL AND kpi_id IN (SELECT id FROM kpi WHERE kpi_type IN ('CES', 'CSAT'))
        AND EXISTS (SELECT 1 FROM feedback WHERE subject = 'EMPLOYEE' AND touchpoint_id IS NULL));
";
