//! Opens the database that a verb works on, and brings it up to date where that is this program's to do.

use std::time::Duration;

use cx_blueprint::{
    access::Caller,
    background,
    config::DatabaseArgs,
    database::{Options, Store},
    index,
};
use sea_orm::DbBackend;
use tokio::time::timeout;

use super::failure::Failure;

/// How long the database has to say which migrations it knows.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a database as it is.
pub(crate) async fn open_store(database: &DatabaseArgs) -> Result<Store, Failure> {
    let options = Options {
        url: database.database_url.clone(),
        connections: database.database_connections,
        schema: database.database_schema.clone(),
    };
    Store::open(&options)
        .await
        .map_err(|error| format!("The database cannot be opened: {error}.").into())
}

/// Opens a database to work with: SQLite is brought up to date, PostgreSQL has to be.
pub(crate) async fn open_up_to_date_store(database: &DatabaseArgs) -> Result<Store, Failure> {
    let store = open_store(database).await?;
    if store.backend() == DbBackend::Sqlite {
        bring_up_to_date(&store).await?;
    }
    let pending = pending_migrations(&store).await?;
    if pending.is_empty() {
        return Ok(store);
    }
    Err(format!(
        "The database is not up to date: {} migrations are pending. Run `cx-blueprint migrate up` first.",
        pending.len()
    )
    .into())
}

/// Opens a database to work with, for an act of the operator.
pub(crate) async fn open_as_operator(
    database: &DatabaseArgs,
    act: &str,
) -> Result<(Store, Caller), Failure> {
    let store = open_up_to_date_store(database).await?;
    let clock = background::open_clock(&store, database.time_zone).await;
    let caller = Caller::operator(store.clone(), clock, act);
    Ok((store, caller))
}

/// The migrations that are pending.
pub(crate) async fn pending_migrations(store: &Store) -> Result<Vec<String>, Failure> {
    let asked = timeout(
        PATIENCE,
        migration::pending_steps(store.migration_connection()),
    )
    .await;
    Ok(asked.map_err(|_| "The database does not answer.")??)
}

/// Applies what is pending. A migration marks what has become searchable; folding its words is for the program.
pub(crate) async fn bring_up_to_date(store: &Store) -> Result<(), Failure> {
    let anything = !pending_migrations(store).await?.is_empty();
    migration::apply_pending_steps(store.migration_connection()).await?;
    // A step may have taken away what nothing may be left of.
    if anything {
        store.empty_wal().await;
    }
    let transaction = store.begin().await?;
    index::reindex_stale_rows(&transaction).await?;
    Ok(transaction.commit().await?)
}
