//! Opens the database that the options name, and fills it.

use std::error::Error;

use cx_blueprint::{
    access::Caller,
    account::password,
    background,
    config::DatabaseArgs,
    database::{Options, Store},
};
use sea_orm::DbBackend;

use super::{generate::generate, generator::GenerationSummary, size::OrganisationSize};

/// The password of everybody in it: that of the demo, with which the server is reached from this machine only.
pub(crate) const PASSWORD: &str = "blueprint";

/// Fills an empty database. SQLite is migrated first, and made if it is not there.
///
/// # Errors
/// It cannot be opened, is not up to date (PostgreSQL), or whatever [`generate`] refuses.
pub(crate) async fn fill_database(
    database: &DatabaseArgs,
    size: &OrganisationSize,
) -> Result<GenerationSummary, Box<dyn Error + Send + Sync>> {
    let options = Options {
        url: database.database_url.clone(),
        connections: database.database_connections,
        schema: database.database_schema.clone(),
    };
    let store = Store::open(&options)
        .await
        .map_err(|error| format!("The database cannot be opened: {error}."))?;
    if store.backend() == DbBackend::Sqlite {
        migration::apply_pending_steps(store.migration_connection()).await?;
    }
    // PostgreSQL may be shared: when its tables change is for whoever keeps it to say.
    if !migration::pending_steps(store.migration_connection())
        .await?
        .is_empty()
    {
        return Err("The database is not up to date. Run `cx-blueprint migrate up` first.".into());
    }
    let clock = background::open_clock(&store, database.time_zone).await;
    let caller = Caller::operator(store.clone(), clock, "generate");
    let password_hash = password::hash(PASSWORD).await?;
    let filled = generate(&caller, size, &password_hash).await?;
    store.close().await?;
    Ok(filled)
}
