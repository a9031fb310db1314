//! Which database a verb works with.

use chrono_tz::Tz;
use clap::Args;

/// Which database.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// `sqlite://FILE` (made if it is not there) or `postgres://USER:PASSWORD@HOST/DATABASE`.
    #[arg(
        long,
        env = "CX_DATABASE_URL",
        default_value = "sqlite://cx-blueprint.db",
        hide_env_values = true
    )]
    pub database_url: String,
    /// Connections that read at the same time, and on PostgreSQL as many that write.
    #[arg(long, env = "CX_DATABASE_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub database_connections: u32,
    /// A schema of PostgreSQL to work in, instead of the user's own search path.
    #[arg(long, env = "CX_DATABASE_SCHEMA")]
    pub database_schema: Option<String>,
    /// The IANA time zone in which days are counted, such as Europe/Copenhagen.
    #[arg(long, env = "CX_TIME_ZONE", default_value = "UTC")]
    pub time_zone: Tz,
}
