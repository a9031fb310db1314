//! Answers of employees are counted by the month of their receipt, and an external id belongs to who recorded it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, COLUMN).await?;
        let month = match schema.get_database_backend() {
            DbBackend::Postgres => ON_POSTGRESQL,
            _ => ON_SQLITE,
        };
        sql::run(schema, month).await?;
        sql::run(schema, REST).await?;
        match schema.get_database_backend() {
            DbBackend::Postgres => sql::run(schema, LOOKED_AT).await,
            _ => Ok(()),
        }
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

/// What single days of employees' answers had been measured goes, with what was corrected, whether or not its KPI is
/// still fed: the differences between two such values were single answers. Feedback counts each answer, so such a value
/// has a sample no larger than what was answered there on its day; what somebody recorded by hand and calls feedback
/// has none, or a larger one, and stays. On the relationship as a whole a value goes where its KPI judges a journey in
/// which an employee answered that day, or the customers of the day are too few for its sample: it judged one then.
///
/// A value that somebody recorded and that one of these took the place of is corrected by what is in force now, or is
/// in force again. What customers gave of the same days is measured again when months are closed for the first time.
const REST: &str = "
DROP INDEX feedback_external;
CREATE UNIQUE INDEX feedback_external ON feedback (recorded_by_account_id, external_id)
    WHERE external_id IS NOT NULL AND recorded_by_account_id IS NOT NULL;
CREATE UNIQUE INDEX feedback_external_operator ON feedback (external_id)
    WHERE external_id IS NOT NULL AND recorded_by_account_id IS NULL;
CREATE INDEX feedback_of_employees ON feedback (scale, received_in) WHERE subject = 'EMPLOYEE';

CREATE TABLE of_single_days (id {uuid} NOT NULL PRIMARY KEY) {table};
INSERT INTO of_single_days
    WITH answered AS (SELECT scale, touchpoint_id, answered_on, COUNT(*) AS answers,
            SUM(CASE subject WHEN 'EMPLOYEE' THEN 1 ELSE 0 END) AS of_employees
        FROM feedback GROUP BY scale, touchpoint_id, answered_on)
    SELECT measurement.id FROM measurement JOIN kpi ON kpi.id = measurement.kpi_id
    JOIN answered ON answered.scale = kpi.kpi_type AND answered.answered_on = measurement.measured_on
        AND answered.touchpoint_id IS NOT DISTINCT FROM measurement.touchpoint_id
    WHERE measurement.source = 'feedback' AND measurement.channel_id IS NULL AND measurement.segment_id IS NULL
        AND answered.of_employees > 0 AND measurement.sample_size <= answered.answers
        AND (measurement.touchpoint_id IS NOT NULL
            OR measurement.sample_size > answered.answers - answered.of_employees
            OR EXISTS (SELECT 1 FROM feedback WHERE feedback.subject = 'EMPLOYEE' AND feedback.touchpoint_id IS NULL
                AND feedback.scale = answered.scale AND feedback.answered_on = answered.answered_on
                AND (feedback.blueprint_id IS NULL
                        AND NOT EXISTS (SELECT 1 FROM kpi_link WHERE kpi_link.kpi_id = kpi.id)
                    OR feedback.blueprint_id IN (SELECT kpi_link.blueprint_id FROM kpi_link
                        WHERE kpi_link.kpi_id = kpi.id))));
-- What somebody recorded and one of these took the place of: corrected by what came later, or in force again.
CREATE TABLE by_hand (id {uuid} NOT NULL PRIMARY KEY, becomes_id {uuid}) {table};
INSERT INTO by_hand SELECT old.id, (SELECT later.id FROM measurement later
        WHERE later.kpi_id = old.kpi_id AND later.measured_on = old.measured_on
            AND later.touchpoint_id IS NOT DISTINCT FROM old.touchpoint_id
            AND later.channel_id IS NOT DISTINCT FROM old.channel_id
            AND later.segment_id IS NOT DISTINCT FROM old.segment_id
            AND (later.superseded_by_id IS NULL OR later.recorded_at > old.recorded_at)
            AND later.id <> old.id AND later.id NOT IN (SELECT id FROM of_single_days)
        ORDER BY later.superseded_by_id IS NULL DESC, later.recorded_at DESC, later.id DESC LIMIT 1)
    FROM measurement old WHERE old.superseded_by_id IN (SELECT id FROM of_single_days)
        AND old.id NOT IN (SELECT id FROM of_single_days);
DELETE FROM measurement WHERE id IN (SELECT id FROM of_single_days);
UPDATE measurement SET superseded_by_id = by_hand.becomes_id FROM by_hand WHERE by_hand.id = measurement.id;
DROP TABLE by_hand;
DROP TABLE of_single_days;
";

/// What was put off to the end of the transaction is looked at now: a table with such work left cannot be altered by a
/// later step.
const LOOKED_AT: &str = "
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
";
