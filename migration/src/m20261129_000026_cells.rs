//! Answers of employees leave the table of customers' answers: they wait without a time, a name or a system's id until
//! a cell of at least five closes, and then only the cell is kept.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::sql;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        sql::run(schema, TABLES).await?;
        match schema.get_database_backend() {
            DbBackend::Postgres => sql::run(schema, ON_POSTGRESQL).await,
            _ => sql::run(schema, ON_SQLITE).await,
        }
    }
}

/// The ids that older answers came with are not kept: sent again, those answers count as new.
const TABLES: &str = "
CREATE TABLE employee_answer (
    id {uuid} NOT NULL PRIMARY KEY,
    scale text NOT NULL,
    score integer NOT NULL,
    blueprint_id {uuid} REFERENCES blueprint (id),
    touchpoint_id {uuid},
    received_in {day} NOT NULL,
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    CONSTRAINT employee_answer_in_blueprint CHECK (touchpoint_id IS NULL OR blueprint_id IS NOT NULL),
    CONSTRAINT employee_answer_on_scale CHECK (
        (scale = 'ENPS' AND score BETWEEN 0 AND 10)
        OR (scale = 'CSAT' AND score BETWEEN 1 AND 5)
        OR (scale = 'CES' AND score BETWEEN 1 AND 7))
) {table};
CREATE INDEX employee_answer_blueprint ON employee_answer (blueprint_id);
CREATE INDEX employee_answer_touchpoint ON employee_answer (touchpoint_id);

CREATE TABLE employee_receipt (digest text NOT NULL PRIMARY KEY) {table};

CREATE TABLE employee_cell (
    id {uuid} NOT NULL PRIMARY KEY,
    scale text NOT NULL,
    blueprint_id {uuid} REFERENCES blueprint (id),
    touchpoint_id {uuid},
    from_day {day} NOT NULL,
    to_day {day} NOT NULL,
    satisfied integer NOT NULL CHECK (satisfied >= 0),
    indifferent integer NOT NULL CHECK (indifferent >= 0),
    dissatisfied integer NOT NULL CHECK (dissatisfied >= 0),
    score_sum integer NOT NULL,
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id),
    CONSTRAINT employee_cell_in_blueprint CHECK (touchpoint_id IS NULL OR blueprint_id IS NOT NULL),
    CONSTRAINT employee_cell_block CHECK (to_day > from_day),
    CONSTRAINT employee_cell_of_five CHECK (satisfied + indifferent + dissatisfied >= 5)
) {table};
CREATE INDEX employee_cell_blueprint ON employee_cell (blueprint_id);
CREATE INDEX employee_cell_touchpoint ON employee_cell (touchpoint_id);

CREATE TABLE employee_month (running {day} NOT NULL PRIMARY KEY) {table};
INSERT INTO employee_month (running) VALUES ('1970-01-01');

INSERT INTO employee_answer (id, scale, score, blueprint_id, touchpoint_id, received_in)
    SELECT id, scale, score, blueprint_id, touchpoint_id, received_in FROM feedback WHERE subject = 'EMPLOYEE';
DELETE FROM feedback WHERE subject = 'EMPLOYEE';
DROP INDEX feedback_of_employees;
ALTER TABLE feedback DROP COLUMN received_in;
";

/// Servers of an older version may still be running: they are refused.
const ON_POSTGRESQL: &str = "
UPDATE employee_answer SET id = gen_random_uuid();
ALTER TABLE feedback ADD CONSTRAINT feedback_of_customers CHECK (subject = 'CUSTOMER');
";

const ON_SQLITE: &str = "
UPDATE employee_answer SET id = randomblob(16);
CREATE TRIGGER feedback_of_customers BEFORE INSERT ON feedback WHEN NEW.subject <> 'CUSTOMER'
    BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: feedback_of_customers'); END;
";
