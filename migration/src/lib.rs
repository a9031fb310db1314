//! How the tables came to be, told in the order of the files. Never imports `entity`: a test proves
//! that the two agree.
//!
//! Every step is plain SQL, written once for both databases (`sql.rs`). A step that has been released
//! is never edited: what changes later is a further file.

mod m20261122_000001_organisation;
mod m20261122_000002_persona;
mod m20261122_000003_blueprint;
mod m20261122_000004_responsibility;
mod m20261122_000005_kpi;
mod m20261122_000006_sign_in;
mod m20261122_000007_audit;
mod m20261123_000008_scenario;
mod m20261123_000009_insight;
mod m20261124_000010_finding;
mod m20261124_000010_promise;
mod m20261124_000011_publication;
mod m20261124_000012_search;
mod m20261125_000013_template;
mod m20261125_000014_service_token;
mod m20261125_000015_feedback;
mod m20261126_000016_series;
mod m20261126_000017_correction;
mod m20261126_000018_bi_role;
mod m20261126_000019_since;
mod m20261128_000020_handshake;
mod m20261128_000021_answers;
mod m20261128_000022_sign_in;
mod m20261128_000024_fixed_row;
mod m20261128_000025_statistics;
mod m20261129_000027_cells;
mod m20261130_000028_period;
mod m20261130_000029_newest;
mod m20261130_000030_alike;
mod m20261130_000031_journey;
mod m20261130_000032_routing;
mod m20261130_000033_row_edit;
mod m20261130_000034_fed_from;
mod m20261130_000035_marks;
mod search;
mod sql;

use std::collections::BTreeSet;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{
        DatabaseConnection, DbBackend, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    },
};

/// The steps, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_organisation::Migration),
            Box::new(m20261122_000002_persona::Migration),
            Box::new(m20261122_000003_blueprint::Migration),
            Box::new(m20261122_000004_responsibility::Migration),
            Box::new(m20261122_000005_kpi::Migration),
            Box::new(m20261122_000006_sign_in::Migration),
            Box::new(m20261122_000007_audit::Migration),
            Box::new(m20261123_000008_scenario::Migration),
            Box::new(m20261123_000009_insight::Migration),
            Box::new(m20261124_000010_promise::Migration),
            Box::new(m20261124_000010_finding::Migration),
            Box::new(m20261124_000011_publication::Migration),
            Box::new(m20261124_000012_search::Migration),
            Box::new(m20261125_000013_template::Migration),
            Box::new(m20261125_000014_service_token::Migration),
            Box::new(m20261125_000015_feedback::Migration),
            Box::new(m20261126_000016_series::Migration),
            Box::new(m20261126_000017_correction::Migration),
            Box::new(m20261126_000018_bi_role::Migration),
            Box::new(m20261126_000019_since::Migration),
            Box::new(m20261128_000020_handshake::Migration),
            Box::new(m20261128_000021_answers::Migration),
            Box::new(m20261128_000022_sign_in::Migration),
            Box::new(m20261128_000024_fixed_row::Migration),
            Box::new(m20261128_000025_statistics::Migration),
            Box::new(m20261129_000027_cells::Migration),
            Box::new(m20261130_000028_period::Migration),
            Box::new(m20261130_000029_newest::Migration),
            Box::new(m20261130_000030_alike::Migration),
            Box::new(m20261130_000031_journey::Migration),
            Box::new(m20261130_000032_routing::Migration),
            Box::new(m20261130_000033_row_edit::Migration),
            Box::new(m20261130_000034_fed_from::Migration),
            Box::new(m20261130_000035_marks::Migration),
        ]
    }
}

/// Applies every pending step, or none of them. Any number of processes may call it at the same time:
/// one works, the others wait and find nothing left to do.
///
/// It needs one connection. On PostgreSQL the tables are made in the first schema of the search path,
/// and the lock is that schema's own.
///
/// # Errors
/// The database refused a step, or knows a step that this program does not (it is newer than the program).
pub async fn apply_pending_steps(db: &DatabaseConnection) -> Result<(), DbErr> {
    let write = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let transaction = db.begin_with_options(write).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(LOCK).await?;
    }
    Migrator::up(&transaction, None).await?;
    transaction.commit().await
}

/// The lock and the work share one transaction, hence one connection: a lock of the session could
/// outlive an error in the pool, and waiting for a second connection would hang a pool of one.
/// Whoever waits here waits for a whole migration, longer than a statement is otherwise allowed.
/// Once there are tables it is one of them that is locked: an advisory lock could be held by anybody
/// who may sign in to the database, a role for BI among them.
/// SQLite needs no such thing: BEGIN IMMEDIATE already waits for the other writer.
const LOCK: &str = "SET LOCAL statement_timeout = 0;
    SET LOCAL lock_timeout = 0;
    DO $$ BEGIN
        IF to_regclass('seaql_migrations') IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('cx-blueprint migration'), hashtext(current_schema()));
        ELSE
            LOCK TABLE seaql_migrations IN SHARE ROW EXCLUSIVE MODE;
        END IF;
    END $$";

/// The names of the steps that [`apply_pending_steps`] would apply, oldest first. Changes nothing.
///
/// # Errors
/// The database cannot be read, or knows a step that this program does not.
pub async fn pending_steps(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let steps = Migrator::get_pending_migrations_read_only(db).await?;
    Ok(steps.iter().map(|step| step.name().to_owned()).collect())
}

/// How many steps are not among these names.
#[must_use]
pub fn count_unapplied(applied: &BTreeSet<String>) -> usize {
    let steps = Migrator::migrations();
    let missing = steps.iter().filter(|step| !applied.contains(step.name()));
    missing.count()
}

/// Whether one of these names is of a step that a newer version added.
#[must_use]
pub fn is_newer(applied: &BTreeSet<String>) -> bool {
    let steps = Migrator::migrations();
    let known: BTreeSet<&str> = steps.iter().map(|step| step.name()).collect();
    applied.iter().any(|name| !known.contains(name.as_str()))
}
