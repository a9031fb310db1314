//! Answers of employees leave the table of customers' answers: they wait without a time, a name or a system's id until
//! a cell of at least five closes, and then only the cell is kept.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit, Mac};
use sea_orm_migration::{
    prelude::*,
    sea_orm::{DbBackend, Statement, prelude::Uuid},
};
use sha2::Sha256;

use crate::sql;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let (before, random, after) = match schema.get_database_backend() {
            DbBackend::Postgres => (LOCK, "gen_random_uuid()", ON_POSTGRESQL),
            _ => ("", "randomblob(16)", ON_SQLITE),
        };
        sql::run(schema, before).await?;
        sql::run(schema, TABLES).await?;
        add_received_digests(schema).await?;
        sql::run(schema, &ANSWERS.replace("{random}", random)).await?;
        sql::run(schema, after).await
    }
}

/// A server of an older version may still be recording: what it has begun is waited for, and nothing comes behind it.
const LOCK: &str = "
LOCK TABLE feedback IN ACCESS EXCLUSIVE MODE;
";

/// A table that is ordered by random ids tells nothing of the order in which its rows came; PostgreSQL has no such
/// tables. What waits goes with its journey, so that nobody learns from a draft that stays that somebody has answered.
const TABLES: &str = "
CREATE TABLE employee_answer (
    id {uuid} NOT NULL PRIMARY KEY,
    scale text NOT NULL,
    score integer NOT NULL,
    blueprint_id {uuid} REFERENCES blueprint (id) ON DELETE CASCADE,
    touchpoint_id {uuid},
    received_in {day} NOT NULL,
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id) ON DELETE CASCADE,
    CONSTRAINT employee_answer_in_blueprint CHECK (touchpoint_id IS NULL OR blueprint_id IS NOT NULL),
    CONSTRAINT employee_answer_on_scale CHECK (
        (scale = 'ENPS' AND score BETWEEN 0 AND 10)
        OR (scale = 'CSAT' AND score BETWEEN 1 AND 5)
        OR (scale = 'CES' AND score BETWEEN 1 AND 7))
) {unordered};
CREATE INDEX employee_answer_blueprint ON employee_answer (blueprint_id);
CREATE INDEX employee_answer_touchpoint ON employee_answer (touchpoint_id);

CREATE TABLE employee_receipt (digest text NOT NULL PRIMARY KEY) {unordered};

CREATE TABLE employee_cell (
    id {uuid} NOT NULL PRIMARY KEY,
    scale text NOT NULL,
    blueprint_id {uuid} REFERENCES blueprint (id) ON DELETE CASCADE,
    touchpoint_id {uuid},
    from_day {day} NOT NULL,
    to_day {day} NOT NULL,
    first_in {day} NOT NULL,
    satisfied integer NOT NULL CHECK (satisfied >= 0),
    indifferent integer NOT NULL CHECK (indifferent >= 0),
    dissatisfied integer NOT NULL CHECK (dissatisfied >= 0),
    score_sum integer NOT NULL,
    FOREIGN KEY (touchpoint_id, blueprint_id) REFERENCES touchpoint (id, blueprint_id) ON DELETE CASCADE,
    CONSTRAINT employee_cell_in_blueprint CHECK (touchpoint_id IS NULL OR blueprint_id IS NOT NULL),
    CONSTRAINT employee_cell_block CHECK (from_day <= first_in AND first_in < to_day),
    CONSTRAINT employee_cell_of_five CHECK (satisfied + indifferent + dissatisfied >= 5)
) {table};
CREATE INDEX employee_cell_blueprint ON employee_cell (blueprint_id);
CREATE INDEX employee_cell_touchpoint ON employee_cell (touchpoint_id);
CREATE INDEX employee_cell_ended ON employee_cell (to_day);

CREATE TABLE employee_month (running {day} NOT NULL PRIMARY KEY) {table};
INSERT INTO employee_month (running) VALUES ('1970-01-01');
";

const ANSWERS: &str = "
INSERT INTO employee_answer (id, scale, score, blueprint_id, touchpoint_id, received_in)
    SELECT {random}, scale, score, blueprint_id, touchpoint_id, received_in FROM feedback
    WHERE subject = 'EMPLOYEE' ORDER BY 1;
DELETE FROM feedback WHERE subject = 'EMPLOYEE';
DROP INDEX feedback_of_employees;
ALTER TABLE feedback DROP COLUMN received_in;
";

/// A server of an older version that still runs can record no feedback from now on, of customers neither: it writes a
/// column that is gone. The rule is for whatever else writes here.
const ON_POSTGRESQL: &str = "
ALTER TABLE feedback ADD CONSTRAINT feedback_of_customers CHECK (subject = 'CUSTOMER');
";

const ON_SQLITE: &str = "
CREATE TRIGGER feedback_of_customers BEFORE INSERT ON feedback WHEN NEW.subject <> 'CUSTOMER'
    BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: feedback_of_customers'); END;
";

const RECEIVED: &str = "
SELECT external_id, recorded_by_account_id FROM feedback WHERE subject = 'EMPLOYEE' AND external_id IS NOT NULL
";

/// How many digests one statement keeps at the most.
const AT_ONCE: usize = 1_000;

/// Keeps a digest of each id under which an answer was received, in an order that tells nothing: sent again, it counts
/// once.
async fn add_received_digests(schema: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = schema.get_connection();
    let received = Statement::from_string(db.get_database_backend(), RECEIVED);
    let mut digests = BTreeSet::new();
    for row in db.query_all_raw(received).await? {
        let external: String = row.try_get("", "external_id")?;
        let recorder: Option<Uuid> = row.try_get("", "recorded_by_account_id")?;
        digests.insert(if external.starts_with(ERASED) {
            external
        } else {
            digest_external_id(recorder, &external)?
        });
    }
    let digests: Vec<String> = digests.into_iter().collect();
    for some in digests.chunks(AT_ONCE) {
        let mut insert = Query::insert();
        insert
            .into_table(Alias::new("employee_receipt"))
            .columns([Alias::new("digest")]);
        for digest in some {
            insert
                .values([digest.clone().into()])
                .map_err(migration_error)?;
        }
        db.execute(&insert).await?;
    }
    Ok(())
}

/// What an id begins with that is a digest already.
const ERASED: &str = "erased:";

/// The digest of an external id of this recorder, as the program computes it for what comes in.
fn digest_external_id(recorder: Option<Uuid>, external: &str) -> Result<String, DbErr> {
    let whose = recorder.map_or_else(Vec::new, |account| account.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&whose).map_err(migration_error)?;
    mac.update(external.as_bytes());
    let hex = mac.finalize().into_bytes();
    let hex = hex.iter().map(|byte| format!("{byte:02x}"));
    Ok(format!("{ERASED}{}", hex.collect::<String>()))
}

fn migration_error(error: impl std::fmt::Display) -> DbErr {
    DbErr::Migration(error.to_string())
}
