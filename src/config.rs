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

use self::word::parse_known_word;
pub use self::{
    bi::{BiRoleCreate, BiRoleDrop, BiRoleVerb, BiVerb},
    database::DatabaseArgs,
    token::{TokenCreate, TokenList, TokenRevoke, TokenVerb},
};
use crate::{finding::rules::Threshold, scalar::PictureTheme, sheet::Dialect};

/// Service blueprints that several departments share.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// The format of the log.
    #[arg(long, env = "CX_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
    /// The filter of the log, as a tracing directive such as `info` or `cx_blueprint=debug`.
    #[arg(
        long,
        env = "CX_LOG",
        default_value = "info,sqlx=warn,sea_orm_migration=warn",
        global = true
    )]
    pub log: String,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// Text, for people.
    Text,
    /// JSON, for machines.
    Json,
}

/// The commands of the program.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Serve a demo organisation on this machine, from a fresh SQLite file or an empty database.
    Demo(Demo),
    /// Serve the API.
    Serve(Serve),
    /// Apply pending migrations to the database, or list them.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Export a blueprint, or the whole organisation, as it is now.
    Export(Export),
    /// Import a document or a sheet: all of it or nothing.
    Import(Import),
    /// Print the GraphQL schema, or the JSON Schema of documents.
    Schema(Schema),
    /// Manage accounts.
    #[command(subcommand)]
    Account(AccountVerb),
    /// Manage service tokens, with which programs sign in.
    #[command(subcommand)]
    Token(TokenVerb),
    /// Manage the PostgreSQL views for BI tools, and the roles that read them.
    #[command(subcommand)]
    Bi(BiVerb),
    /// Erase old feedback.
    #[command(subcommand)]
    Feedback(FeedbackVerb),
}

/// Options of the server.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The address to listen on.
    #[arg(long, env = "CX_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The secret that sessions are signed with: at least 32 bytes, for example from `openssl rand -base64 48`.
    /// With SQLite one is made and kept beside the file; PostgreSQL needs it, the same for every server.
    #[arg(long, env = "CX_SIGNING_KEY", hide_env_values = true)]
    pub signing_key: Option<String>,
    /// Origins whose pages may call the API (CORS), such as https://blueprints.example.org.
    #[arg(long, env = "CX_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// Number of proxies in front that append to X-Forwarded-For; with 0 no header of a proxy is read. Behind them
    /// X-Forwarded-Proto, -Host and -Prefix are read too: a proxy sets these or removes what its clients sent.
    #[arg(long, env = "CX_FORWARDED_HOPS", default_value_t = 0)]
    pub forwarded_hops: usize,
    /// Longest duration of a request, in seconds.
    #[arg(long, env = "CX_REQUEST_SECONDS", default_value_t = Self::REQUEST_SECONDS, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub request_seconds: u64,
    /// Largest number of queries in progress; four times as many mutations may be. Default: twice the number of cores.
    /// Further requests wait for a moment; those that would wait too long are refused with 503.
    #[arg(long, env = "CX_CONCURRENT_REQUESTS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrent_requests: Option<u32>,
    /// Largest number of client connections. When it is reached, a new connection replaces an idle one. Each takes an
    /// open file: the process raises its soft limit as far as the hard one (`ulimit -Hn`) allows.
    #[arg(long, env = "CX_CONNECTIONS", default_value_t = Self::CONNECTIONS, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,
    /// Largest number of connections, and of requests in progress, per client, by its address (of IPv6 the network,
    /// /56). Behind proxies (`--forwarded-hops`) only the requests are counted, for the client that the proxies name.
    #[arg(long, env = "CX_CONNECTIONS_PER_CLIENT", default_value_t = Self::CONNECTIONS_PER_CLIENT, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections_per_client: u32,
    /// The address at which `/metrics` is served for Prometheus; not served if absent.
    #[arg(long, env = "CX_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// Memory for measured values, in MiB, used by KPI series and `kpi_facts`; values that do not fit are read from the
    /// database again.
    #[arg(long, env = "CX_CUBE_MEMORY_MIB", default_value_t = Self::CUBE_MEMORY_MIB, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub cube_memory_mib: u32,
    /// Largest uploaded sheet of measurements, in megabytes. During the import it is in a temporary file (TMPDIR).
    #[arg(long, env = "CX_SHEET_MEGABYTES", default_value_t = Self::SHEET_MEGABYTES, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub sheet_megabytes: u32,
    /// The threshold of a rule for findings, as CODE=VALUE; may be repeated. The query `findingRules` lists the rules.
    #[arg(
        long = "finding-threshold",
        env = "CX_FINDING_THRESHOLDS",
        value_name = "CODE=VALUE",
        value_delimiter = ','
    )]
    pub finding_thresholds: Vec<Threshold>,
    /// Days after which the respondent, contact and comment of feedback are erased; the scores stay. Never erased if
    /// absent.
    #[arg(long, env = "CX_FEEDBACK_RETENTION_DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub feedback_retention_days: Option<u32>,
    /// Seconds that a stopping server waits for requests in progress. Those not finished by then are cut off, and the
    /// program exits with 1.
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
    pub fn with_defaults(database: DatabaseArgs, listen: SocketAddr) -> Self {
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
    pub fn max_sheet_bytes(&self) -> u64 {
        u64::from(self.sheet_megabytes) << 20
    }

    /// How long a request may take.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }

    /// How many queries are worked on at the same time: what keeps every core busy. More of them would each take
    /// longer.
    #[must_use]
    pub fn concurrent_queries(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.concurrent_requests.map_or(2 * cores, to_usize)
    }

    /// How many bytes of measured values are kept in memory.
    #[must_use]
    pub fn bi_cache_bytes(&self) -> usize {
        usize::try_from(u64::from(self.cube_memory_mib) << 20).unwrap_or(usize::MAX)
    }
}

/// Options of the demo.
#[derive(Debug, Args)]
pub struct Demo {
    /// The port on this machine; 0 takes any that is free.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// The address to listen on; only loopback is allowed, because everybody knows the demo's password.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,
    /// Origins whose pages may call the API (CORS), such as http://localhost:5173.
    #[arg(long, env = "CX_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// An empty database to load into, instead of a fresh SQLite file that is removed at the end.
    #[arg(long, env = "CX_DEMO_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Another demonstration to load, a document in the format of demo/demonstration.json.
    #[arg(long)]
    pub file: Option<PathBuf>,
}

/// Options of the export.
#[derive(Debug, Args)]
pub struct Export {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The blueprint's key; absent: the whole organisation, as a document (`--format json`).
    #[arg(long)]
    pub blueprint: Option<String>,
    /// The format of the file.
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// The day as of which KPIs are shown in a picture, such as 2026-11-22; today if absent.
    #[arg(long)]
    pub as_of: Option<NaiveDate>,
    /// The colours of a picture.
    #[arg(long, value_enum, default_value_t)]
    pub theme: PictureTheme,
    /// The CSV dialect of a sheet.
    #[arg(long, value_enum, default_value_t)]
    pub dialect: Dialect,
    /// The file to write; standard output if absent.
    #[arg(long)]
    pub output: Option<PathBuf>,
}

/// Options of the import.
#[derive(Debug, Args)]
pub struct Import {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The file, `-` for standard input: the document of a blueprint, that of a whole organisation (into an empty
    /// database), or, with --blueprint, --measurements or --feedback, a sheet.
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
    /// Report what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Remove parts that a list of the document does not name; absent lists stay as they are. For a sheet: archive
    /// touchpoints that no row names.
    #[arg(long)]
    pub prune: bool,
    /// For a sheet of touchpoints: the roles whose columns are complete, such as `ACCOUNTABLE,RESPONSIBLE`: a
    /// department that is not named in the row of a touchpoint loses the role there. In other columns an empty cell
    /// ends nothing.
    #[arg(long, value_delimiter = ',', value_parser = parse_role, requires = "blueprint")]
    pub complete: Vec<Role>,
}

fn parse_role(text: &str) -> Result<Role, String> {
    let known = Role::from_name(&text.trim().to_uppercase());
    known.ok_or_else(|| format!("one of {}", Role::texts().join(", ")))
}

/// The schema to print.
#[derive(Debug, Args)]
pub struct Schema {
    /// The API's, or that of a document.
    #[arg(value_enum, default_value_t)]
    pub of: SchemaKind,
}

/// The kinds of schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// The API, in the schema language of GraphQL.
    #[default]
    Api,
    /// A blueprint's document, as JSON Schema.
    Blueprint,
    /// A whole organisation's document, as JSON Schema.
    Organisation,
}

/// The formats of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// The document, which `import` accepts.
    Json,
    /// A sheet of its touchpoints (CSV), which `import --blueprint` accepts.
    Csv,
    /// A picture (SVG).
    Svg,
    /// A page with the picture, to open or to print.
    Html,
}

/// Migrations of the database.
#[derive(Debug, Subcommand)]
pub enum Migrate {
    /// Apply pending migrations.
    Up(DatabaseArgs),
    /// List pending migrations; fails if there are any.
    Status(DatabaseArgs),
}

/// Management of accounts.
#[derive(Debug, Subcommand)]
pub enum AccountVerb {
    /// Create an account, for example the first one. The password is read from the first line of standard input.
    Create(AccountCreate),
}

/// Erasure of feedback.
#[derive(Debug, Subcommand)]
pub enum FeedbackVerb {
    /// Erase the respondent, contact and comment of old feedback; the scores stay.
    Erase(FeedbackErase),
}

/// The age of feedback to erase.
#[derive(Debug, Args)]
pub struct FeedbackErase {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Erase feedback older than this number of days.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub older_than_days: u32,
}

/// A new account.
#[derive(Debug, Args)]
pub struct AccountCreate {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The login name.
    #[arg(long)]
    pub key: String,
    /// The person's name.
    #[arg(long)]
    pub name: String,
    /// The role in the organisation: ADMIN, CX_MANAGER, AUDITOR, ANALYST or MEMBER.
    #[arg(long, value_parser = parse_organisation_role)]
    pub role: OrganisationRole,
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn parse_organisation_role(text: &str) -> Result<OrganisationRole, String> {
    parse_known_word(OrganisationRole::ALL, OrganisationRole::as_str, text)
}
