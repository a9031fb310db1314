//! The PostgreSQL server of the tests, where they run on one.

use std::str::FromStr;

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbErr};

/// What whoever runs the tests says of them in the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "it is said for tests, which have no configuration"
)]
pub fn said<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    let read = text.parse();
    Some(read.unwrap_or_else(|_| panic!("{name} cannot be read: {text}")))
}

/// The URL of the test server; none where the tests run on SQLite.
pub(super) fn server() -> Option<String> {
    said("TEST_DATABASE_URL")
}

/// The URL of a database on the test server.
pub(super) fn in_server(name: &str) -> String {
    let url = server().expect("a test server");
    let (rest, query) = url
        .split_once('?')
        .map_or((url.as_str(), None), |(rest, query)| (rest, Some(query)));
    let (host, _) = rest.rsplit_once('/').expect("a database in the URL");
    query.map_or_else(
        || format!("{host}/{name}"),
        |query| format!("{host}/{name}?{query}"),
    )
}

/// Whether the tests run on PostgreSQL.
pub fn on_postgres() -> bool {
    server().is_some()
}

/// Connects to a database past the application, as somebody else.
#[expect(
    clippy::disallowed_methods,
    reason = "a BI tool connects by itself as well"
)]
pub async fn connect_as(url: &str, user: &str) -> std::result::Result<DatabaseConnection, DbErr> {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (_, host) = rest.split_once('@').expect("a user in the URL");
    let mut options = ConnectOptions::new(format!("{scheme}://{user}@{host}"));
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await
}

/// Runs a statement on the test server.
#[expect(
    clippy::disallowed_methods,
    reason = "the database of a test is made before the application opens it"
)]
pub(super) async fn in_postgres(statement: &str) {
    let db = sea_orm::Database::connect(server().expect("a test server"))
        .await
        .expect("the test server answers");
    db.execute_unprepared(statement)
        .await
        .expect("the statement runs");
    db.close().await.expect("it closes");
}
