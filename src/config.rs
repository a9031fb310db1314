//! Flags and environment, read once.

mod bi;
mod database;
mod token;
mod word;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use entity::words::{OrganisationRole, Role};

use self::word::parse_word;
pub use self::{
    bi::{BiRoleCreate, BiRoleDrop, BiRoleVerb, BiVerb},
    database::DatabaseArgs,
    token::{TokenCreate, TokenList, TokenRevoke, TokenVerb},
};
use crate::{finding::rules::Threshold, scalar::Theme, sheet::Dialect};

/// Service blueprints that several departments share.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// How the log is written.
    #[arg(long, env = "CX_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
    /// What is logged, as a tracing filter.
    #[arg(
        long,
        env = "CX_LOG",
        default_value = "info,sqlx=warn,sea_orm_migration=warn",
        global = true
    )]
    pub log: String,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Serve a demo organisation on this machine, from a fresh SQLite file or an empty database.
    Demo(Demo),
    /// Serve the API.
    Serve(Serve),
    /// Bring the database's tables up to date, or say what is missing.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Write a blueprint as it is now.
    Export(Export),
    /// Bring a blueprint to what a document or a sheet says: all of it or nothing.
    Import(Import),
    /// Print the GraphQL schema, or that of documents.
    Schema(Schema),
    /// Keep accounts.
    #[command(subcommand)]
    Account(AccountVerb),
    /// Keep service tokens, with which programs sign in.
    #[command(subcommand)]
    Token(TokenVerb),
    /// Keep views of PostgreSQL for BI tools, and the roles that read them.
    #[command(subcommand)]
    Bi(BiVerb),
    /// Keep feedback no longer than it may be kept.
    #[command(subcommand)]
    Feedback(FeedbackVerb),
}

/// How to serve.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The address to listen on.
    #[arg(long, env = "CX_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The secret that sessions are signed with: at least 32 bytes, for example from `openssl rand -base64 48`.
    /// With SQLite one is made and kept beside the file; PostgreSQL needs it, the same for every server.
    #[arg(long, env = "CX_SIGNING_KEY", hide_env_values = true)]
    pub signing_key: Option<String>,
    /// Origins whose pages may call the API, such as https://blueprints.example.org.
    #[arg(long, env = "CX_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// How many proxies in front add to X-Forwarded-For; with 0 neither that nor X-Forwarded-Proto is read.
    #[arg(long, env = "CX_FORWARDED_HOPS", default_value_t = 0)]
    pub forwarded_hops: usize,
    /// How many seconds a request may take.
    #[arg(long, env = "CX_REQUEST_SECONDS", default_value_t = Self::REQUEST_SECONDS, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub request_seconds: u64,
    /// How many queries are worked on at the same time, and four times as many mutations; twice as many as there are
    /// cores, where this is not set. More wait for a moment; what would wait too long is refused with 503.
    #[arg(long, env = "CX_CONCURRENT_REQUESTS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrent_requests: Option<u32>,
    /// How many connections clients may have in all. Whoever comes to a full server takes the place of one that is
    /// silent. Each takes an open file: the process raises its soft limit as far as the hard one (`ulimit -Hn`) allows.
    #[arg(long, env = "CX_CONNECTIONS", default_value_t = Self::CONNECTIONS, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,
    /// How many connections one client may have, by its address (of IPv6 the network, /56), and how many requests under
    /// way; behind proxies (`--forwarded-hops`) the requests alone are counted, for the client that the proxies name.
    #[arg(long, env = "CX_CONNECTIONS_PER_CLIENT", default_value_t = Self::CONNECTIONS_PER_CLIENT, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections_per_client: u32,
    /// The address at which `/metrics` is served for Prometheus; nowhere where this is not set.
    #[arg(long, env = "CX_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// How many MiB of what is measured and judged are kept in memory, for series of KPIs and `kpi_facts`; what does not
    /// fit is read again.
    #[arg(long, env = "CX_CUBE_MEMORY_MIB", default_value_t = Self::CUBE_MEMORY_MIB, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub cube_memory_mib: u32,
    /// How many megabytes a sheet of measurements has at the most that is sent in. While it is taken in it lies where the
    /// system keeps what is temporary (TMPDIR).
    #[arg(long, env = "CX_SHEET_MEGABYTES", default_value_t = Self::SHEET_MEGABYTES, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub sheet_megabytes: u32,
    /// A threshold of a rule of findings, as CODE=VALUE; may be repeated. The query `findingRules` lists them.
    #[arg(
        long = "finding-threshold",
        env = "CX_FINDING_THRESHOLDS",
        value_name = "CODE=VALUE",
        value_delimiter = ','
    )]
    pub finding_thresholds: Vec<Threshold>,
    /// After how many days it is erased who gave feedback and what they wrote; the scores stay. Kept for good where
    /// this is not set.
    #[arg(long, env = "CX_FEEDBACK_RETENTION_DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub feedback_retention_days: Option<u32>,
    /// How many seconds a stopping server waits for the requests that it is working on. Those that are not done by then
    /// are cut off, and the program ends with a failure.
    #[arg(long, env = "CX_DRAIN_SECONDS", default_value_t = Self::DRAIN_SECONDS)]
    pub drain_seconds: u64,
}

impl Serve {
    // The defaults, each once: of the flags above, and of what is served without any.
    const REQUEST_SECONDS: u64 = 10;
    const CONNECTIONS: u32 = 4_096;
    const CONNECTIONS_PER_CLIENT: u32 = 256;
    const CUBE_MEMORY_MIB: u32 = 128;
    const SHEET_MEGABYTES: u32 = 512;
    const DRAIN_SECONDS: u64 = 25;

    /// How to serve a database at an address where no flag says otherwise. The environment is not read.
    #[must_use]
    pub fn new(database: DatabaseArgs, listen: SocketAddr) -> Self {
        Self {
            database,
            listen,
            signing_key: None,
            cors_origins: Vec::new(),
            forwarded_hops: 0,
            request_seconds: Self::REQUEST_SECONDS,
            concurrent_requests: None,
            connections: Self::CONNECTIONS,
            connections_per_client: Self::CONNECTIONS_PER_CLIENT,
            metrics_listen: None,
            cube_memory_mib: Self::CUBE_MEMORY_MIB,
            sheet_megabytes: Self::SHEET_MEGABYTES,
            finding_thresholds: Vec::new(),
            feedback_retention_days: None,
            drain_seconds: Self::DRAIN_SECONDS,
        }
    }

    /// Bytes of the longest sheet that is taken in.
    #[must_use]
    pub fn longest_sheet(&self) -> u64 {
        u64::from(self.sheet_megabytes) << 20
    }

    /// How long a request may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }

    /// How many queries are worked on at the same time: what keeps every core busy. More of them would each take longer.
    #[must_use]
    pub fn concurrent_queries(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.concurrent_requests.map_or(2 * cores, size)
    }

    /// How many bytes of measured values are kept in memory.
    #[must_use]
    pub fn cube_bytes(&self) -> usize {
        usize::try_from(u64::from(self.cube_memory_mib) << 20).unwrap_or(usize::MAX)
    }
}

/// How to serve the demo.
#[derive(Debug, Args)]
pub struct Demo {
    /// The port on this machine; 0 takes any that is free.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// The address to listen on; only loopback is allowed, because everybody knows the demo's password.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,
    /// An empty database to load into, instead of a fresh SQLite file that is removed in the end.
    #[arg(long, env = "CX_DEMO_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Another demonstration to load, as a document of the form of demo/demonstration.json.
    #[arg(long)]
    pub file: Option<PathBuf>,
}

/// What to export, as what, and to where.
#[derive(Debug, Args)]
pub struct Export {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The blueprint's key; without it, the whole organisation is written, which has a document and no picture.
    #[arg(long)]
    pub blueprint: Option<String>,
    /// What it is written as.
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// The day as of which KPIs are shown, such as 2026-11-22; today where none is given.
    #[arg(long)]
    pub as_of: Option<NaiveDate>,
    /// The colours of a picture.
    #[arg(long, value_enum, default_value_t)]
    pub theme: Theme,
    /// How a sheet is written.
    #[arg(long, value_enum, default_value_t)]
    pub dialect: Dialect,
    /// The file to write; standard output where none is given.
    #[arg(long)]
    pub output: Option<PathBuf>,
}

/// What to import, and how.
#[derive(Debug, Args)]
pub struct Import {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The document of a blueprint, or of a whole organisation for an empty database, or a sheet with --blueprint,
    /// --measurements or --feedback; `-` for standard input.
    pub file: PathBuf,
    /// The file is a sheet (CSV) of touchpoints of the blueprint with this key.
    #[arg(long)]
    pub blueprint: Option<String>,
    /// The file is a sheet (CSV) of measurements.
    #[arg(long, conflicts_with_all = ["blueprint", "prune"])]
    pub measurements: bool,
    /// The file is a sheet (CSV) of feedback.
    #[arg(long, conflicts_with_all = ["blueprint", "measurements", "prune"])]
    pub feedback: bool,
    /// Tell what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Remove what a list of the document does not name; lists that are absent stay as they are. Of a sheet: archive
    /// the touchpoints that no row names.
    #[arg(long)]
    pub prune: bool,
    /// Of a sheet of touchpoints: the roles whose columns name everybody who has them, such as
    /// `ACCOUNTABLE,RESPONSIBLE`; who is not named has the role no longer. Otherwise an empty cell ends nothing.
    #[arg(long, value_delimiter = ',', value_parser = role_named, requires = "blueprint")]
    pub complete: Vec<Role>,
}

fn role_named(text: &str) -> Result<Role, String> {
    let known = Role::named(&text.trim().to_uppercase());
    known.ok_or_else(|| format!("one of {}", Role::texts().join(", ")))
}

/// Which schema to print.
#[derive(Debug, Args)]
pub struct Schema {
    /// The one of the API, or of a document.
    #[arg(value_enum, default_value_t)]
    pub of: SchemaOf,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The API, in GraphQL's own language.
    #[default]
    Api,
    /// A blueprint's document, as JSON Schema.
    Blueprint,
    /// A whole organisation's document, as JSON Schema.
    Organisation,
}

/// What a blueprint can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Its document, which `import` takes.
    Json,
    /// Its touchpoints as a sheet for spreadsheets, which `import --blueprint` takes.
    Csv,
    /// A picture.
    Svg,
    /// A picture in a page of its own, to open or to print.
    Html,
}

/// Keeping the tables up to date.
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Bring the tables up to date.
    Up(DatabaseArgs),
    /// Say what is missing; fails if anything is.
    Status(DatabaseArgs),
}

/// Keeping accounts.
#[derive(Debug, Subcommand)]
pub enum AccountVerb {
    /// Make an account, the first one for example. The password is read from the first line of standard input.
    Create(AccountCreate),
}

/// Keeping feedback.
#[derive(Debug, Subcommand)]
pub enum FeedbackVerb {
    /// Erase who gave old feedback and what they wrote; the scores stay.
    Erase(FeedbackErase),
}

/// Which feedback is old.
#[derive(Debug, Args)]
pub struct FeedbackErase {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Given more than so many days ago.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub older_than_days: u32,
}

/// A new account.
#[derive(Debug, Args)]
pub struct AccountCreate {
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// What one signs in with.
    #[arg(long)]
    pub key: String,
    /// The person's name.
    #[arg(long)]
    pub name: String,
    /// The role in the organisation: ADMIN, CX_MANAGER, AUDITOR, ANALYST or MEMBER.
    #[arg(long, value_parser = role)]
    pub role: OrganisationRole,
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn role(text: &str) -> Result<OrganisationRole, String> {
    parse_word(OrganisationRole::ALL, OrganisationRole::as_str, text)
}
