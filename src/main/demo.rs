//! The verb `demo`: a demo organisation in a fresh database, served on this machine.

use std::{net::SocketAddr, path::Path};

use cx_blueprint::{
    access::Caller,
    account::password,
    background,
    config::{DatabaseArgs, Demo, Serve},
    document::{
        self,
        demonstration::{self, Demonstration},
    },
    http::ServedHosts,
    token::SigningKey,
};

use super::{
    failure::{Failure, import_failure},
    output::say,
    published_password::DEMO_PASSWORD,
    serve::serve_store,
    store::{bring_up_to_date, open_store},
};

/// The demonstration that comes with the program.
const DEMO: &str = include_str!("../../demo/demonstration.json");

/// Loads the demo, and serves it until it is asked to stop.
///
/// # Errors
/// The file or the database cannot be read, the database is not empty, or serving it failed.
pub(crate) async fn serve_demo(demo: Demo) -> Result<(), Failure> {
    if !demo.host.is_loopback() {
        return Err("The demo is served on this machine only (127.0.0.1 or ::1): everybody knows its password. \
                    Use `cx-blueprint serve` for anything else."
            .into());
    }
    let text = match &demo.file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}.", path.display()))?,
        None => DEMO.to_owned(),
    };
    let named = demo
        .file
        .as_deref()
        .unwrap_or_else(|| Path::new("demo/demonstration.json"))
        .display()
        .to_string();
    let shown: Demonstration =
        document::format::parse_document(&text).map_err(|error| import_failure(&named, error))?;
    let fresh = tempfile::tempdir()?;
    let in_fresh_file = || format!("sqlite://{}", fresh.path().join("demo.db").display());
    let database = DatabaseArgs {
        database_url: demo.database_url.unwrap_or_else(in_fresh_file),
        database_connections: 8,
        database_schema: None,
        time_zone: chrono_tz::UTC,
    };
    let store = open_store(&database).await?;
    bring_up_to_date(&store).await?;
    let clock = background::open_clock(&store, database.time_zone).await;
    let caller = Caller::operator(store.clone(), clock, "demo");
    let password_hash = password::hash(DEMO_PASSWORD).await?;
    demonstration::import_demonstration(&caller, &shown, &password_hash)
        .await
        .map_err(|error| import_failure(&named, error))?;
    say!(
        "Loaded {} departments and {} blueprints. Sign in as ann-cx, or anybody else of the demo, with the password {DEMO_PASSWORD}.",
        shown.organisation.departments.len(),
        shown.organisation.blueprints.len()
    );
    let serve = Serve {
        // Nobody waits for a demo that was stopped.
        drain_seconds: 5,
        cors_origins: demo.cors_origins,
        ..Serve::with_defaults(database, SocketAddr::new(demo.host, demo.port))
    };
    let key = SigningKey::random_for_process()?;
    // Everybody knows the password: a page elsewhere must not reach the demo under a name of its own.
    serve_store(&serve, store, key, ServedHosts::Loopback).await
}
