//! A KPI is fed by feedback from a day on: what was measured before that day stays. Those that are fed already are fed
//! from the first answer on that is here, as they were.

use sea_orm_migration::prelude::*;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, DAY).await
    }
}

const DAY: &str = "
ALTER TABLE kpi ADD COLUMN fed_from {day};
UPDATE kpi SET fed_from = COALESCE(
    (SELECT MIN(day) FROM (
        SELECT MIN(answered_on) AS day FROM feedback UNION ALL SELECT MIN(from_day) FROM employee_cell
    ) answered),
    CAST(substr(CAST(created_at AS text), 1, 10) AS {day})
) WHERE fed_by_feedback;
ALTER TABLE kpi DROP COLUMN fed_by_feedback;
";
