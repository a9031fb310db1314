//! The settings of connections to PostgreSQL, to write and to read.

use sea_orm::DbErr;
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

use super::{
    connection::STATEMENT,
    options::{AccessMode, Options, invalid_url},
};

/// The options of a connection, with the timeouts that end whatever a dead client or network leaves behind.
pub(super) fn connect_options(
    options: &Options,
    access: AccessMode,
) -> Result<PgConnectOptions, DbErr> {
    let postgres: PgConnectOptions = options.url.parse().map_err(invalid_url)?;
    let postgres = postgres.disable_statement_logging();
    let mut postgres = postgres.application_name("cx-blueprint").options([
        ("statement_timeout", STATEMENT),
        // A client or a network that has died holds no lock for longer than this.
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "30s"),
    ]);
    if let Some(schema) = &options.schema {
        postgres = postgres.options([("search_path", schema)]);
    }
    Ok(match access {
        AccessMode::Write => postgres.options([
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "60s"),
        ]),
        // One snapshot a transaction and no writing, said once a connection instead of in every transaction.
        AccessMode::Read => postgres.options([
            ("default_transaction_read_only", "on"),
            ("default_transaction_isolation", "repeatable read"),
            // A feed may wait for its reader meanwhile, and holds nothing but its snapshot.
            ("idle_in_transaction_session_timeout", "10min"),
            // With the price of a spinning disk the planner reads whole tables where an index leads to the rows.
            ("random_page_cost", "1.1"),
        ]),
    })
}
