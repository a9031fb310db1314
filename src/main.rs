//! The verbs of the command line. Everything that is done here is done as the operator and audited as such.

#[path = "main/bi.rs"]
mod bi;
#[path = "main/export.rs"]
mod export;
#[path = "main/import.rs"]
mod import;
#[path = "main/serve.rs"]
mod serve;
#[path = "main/token.rs"]
mod token;

use std::{
    io::{BufRead, IsTerminal},
    net::SocketAddr,
    path::Path,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use cx_blueprint::{
    access::Caller,
    account::{self, AccountCreateInput, password},
    background,
    bi::views::{self, login},
    clock::Clock,
    config::{
        AccountCreate, AccountVerb, Cli, DatabaseArgs, Demo, FeedbackErase, FeedbackVerb,
        LogFormat, Migrate, Schema, SchemaOf, Serve, Verb,
    },
    database::{Options, Store},
    document::{
        self,
        demonstration::{self, Demonstration},
    },
    feedback, graph, index,
    token::SigningKey,
};
use sea_orm::DbBackend;
use tokio::time::timeout;

/// A sentence that says what went wrong and what to do.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The password of every person in the demo, and of what tools/generate makes.
const DEMO_PASSWORD: &str = "blueprint";
/// The demonstration that comes with the program.
const DEMO: &str = include_str!("../demo/demonstration.json");

/// Reading and answering a blueprint is tens of thousands of small allocations, on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the database has to say which migrations it knows.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long threads may finish what they are at when everything else is done: none of them is worth waiting for.
const LAST_WORK: Duration = Duration::from_millis(500);

/// Bytes of stack of each thread: a field is resolved above those that it is in. Only what is used takes memory.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log(&cli);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cx-blueprint: The system gives no threads: {error}.");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(run(cli.verb));
    // Not by dropping it: that waits for every thread, however long it works for a client who was cut off.
    runtime.shutdown_timeout(LAST_WORK);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("cx-blueprint: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn log(cli: &Cli) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(&cli.log))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match cli.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Demo(demo) => serve_demo(demo).await,
        Verb::Serve(serve) => serve::serve_database(serve).await,
        Verb::Migrate(migrate) => migrate_database(migrate).await,
        Verb::Export(options) => export::export(options).await,
        Verb::Import(options) => import::import(options).await,
        Verb::Schema(Schema { of }) => {
            match of {
                SchemaOf::Api => print!("{}", graph::sdl()),
                SchemaOf::Blueprint => println!("{}", document::blueprint_schema()),
                SchemaOf::Organisation => println!("{}", document::organisation_schema()),
            }
            Ok(())
        }
        Verb::Account(AccountVerb::Create(create)) => create_account(create).await,
        Verb::Token(verb) => token::keep(verb).await,
        Verb::Bi(verb) => bi::keep(verb).await,
        Verb::Feedback(FeedbackVerb::Erase(erase)) => erase_feedback(erase).await,
    }
}

async fn open(database: &DatabaseArgs) -> Result<Store, Failure> {
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
async fn open_current(database: &DatabaseArgs) -> Result<Store, Failure> {
    let store = open(database).await?;
    if store.backend() == DbBackend::Sqlite {
        bring_up_to_date(&store).await?;
    }
    let pending = pending(&store).await?;
    if pending.is_empty() {
        return Ok(store);
    }
    Err(format!(
        "The database is not up to date: {} migrations are pending. Run `cx-blueprint migrate up` first.",
        pending.len()
    )
    .into())
}

/// The migrations that are pending.
async fn pending(store: &Store) -> Result<Vec<String>, Failure> {
    let asked = timeout(PATIENCE, migration::pending(store.maintenance())).await;
    Ok(asked.map_err(|_| "The database does not answer.")??)
}

/// Applies what is pending. A migration marks what has become searchable; folding its words is for the program.
async fn bring_up_to_date(store: &Store) -> Result<(), Failure> {
    let anything = !pending(store).await?.is_empty();
    migration::up(store.maintenance()).await?;
    // A step may have taken away what nothing may be left of.
    if anything {
        store.empty_log().await;
    }
    let transaction = store.begin().await?;
    index::renew(&transaction).await?;
    Ok(transaction.commit().await?)
}

async fn migrate_database(migrate: Migrate) -> Result<(), Failure> {
    match migrate {
        Migrate::Up(database) => {
            let store = open(&database).await?;
            let pending = pending(&store).await?;
            let caller = Caller::operator(store.clone(), Clock::new(database.time_zone), "migrate");
            if !pending.is_empty() {
                views::make_way(&caller).await?;
            }
            bring_up_to_date(&store).await?;
            if views::keep(&caller).await? {
                println!("done: the views for BI");
            }
            login::renew(&caller).await?;
            pending.iter().for_each(|name| println!("done: {name}"));
            println!("The database is up to date.");
            Ok(())
        }
        Migrate::Status(database) => {
            let store = open(&database).await?;
            let pending = pending(&store).await?;
            if pending.is_empty() {
                println!("The database is up to date.");
                return Ok(());
            }
            pending.iter().for_each(|name| println!("pending: {name}"));
            Err("The database is not up to date. Run `cx-blueprint migrate up`.".into())
        }
    }
}

async fn create_account(create: AccountCreate) -> Result<(), Failure> {
    let store = open_current(&create.database).await?;
    if std::io::stdin().is_terminal() {
        eprintln!("Password for {}, then Enter:", create.key);
    }
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password)?;
    let caller = Caller::operator(
        store,
        Clock::new(create.database.time_zone),
        "accountCreate",
    );
    let input = AccountCreateInput {
        id: None,
        key: Some(create.key),
        name: create.name,
        role: create.role,
        service: false,
        password: Some(password.trim_end_matches(['\r', '\n']).to_owned()),
    };
    let account = account::create(&caller, input).await?;
    println!(
        "Made {} ({}) as {}.",
        account.key,
        account.id,
        account.role.as_str()
    );
    Ok(())
}

async fn erase_feedback(erase: FeedbackErase) -> Result<(), Failure> {
    let store = open_current(&erase.database).await?;
    let clock = Clock::new(erase.database.time_zone);
    let caller = Caller::operator(store.clone(), clock, background::ERASE_ACT);
    let erased = feedback::respondent::erase_older_than(&caller, erase.older_than_days).await?;
    let is_empty = store.empty_log().await;
    store.close().await?;
    println!("Erased who gave {erased} answers, and what they wrote.");
    if !is_empty {
        let why = "It is still in the database's log, from which somebody reads. Do this again, or restart the server.";
        return Err(why.into());
    }
    Ok(())
}

async fn serve_demo(demo: Demo) -> Result<(), Failure> {
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
        document::format::parse(&text).map_err(|error| import::told(&named, error))?;
    let fresh = tempfile::tempdir()?;
    let in_fresh_file = || format!("sqlite://{}", fresh.path().join("demo.db").display());
    let database = DatabaseArgs {
        database_url: demo.database_url.unwrap_or_else(in_fresh_file),
        database_connections: 8,
        database_schema: None,
        time_zone: chrono_tz::UTC,
    };
    let store = open(&database).await?;
    bring_up_to_date(&store).await?;
    let caller = Caller::operator(store.clone(), Clock::new(database.time_zone), "demo");
    let password_hash = password::hash(DEMO_PASSWORD).await?;
    demonstration::load(&caller, &shown, &password_hash)
        .await
        .map_err(|error| import::told(&named, error))?;
    println!(
        "Loaded {} departments and {} blueprints. Sign in as ann-cx, or anybody else of the demo, with the password {DEMO_PASSWORD}.",
        shown.organisation.departments.len(),
        shown.organisation.blueprints.len()
    );
    let serve = Serve {
        database,
        listen: SocketAddr::new(demo.host, demo.port),
        signing_key: None,
        cors_origins: Vec::new(),
        forwarded_hops: 0,
        request_seconds: 10,
        concurrent_requests: None,
        connections: 4_096,
        connections_per_client: 256,
        cube_memory_mib: 128,
        metrics_listen: None,
        sheet_megabytes: 512,
        drain_seconds: 5,
        finding_thresholds: Vec::new(),
        feedback_retention_days: None,
    };
    let key = SigningKey::for_this_process()?;
    serve::serve_store(&serve, store, key).await
}
