//! The verbs of the command line. Everything that is done here is done as the operator and audited as such.

#[path = "main/bi.rs"]
mod bi;
#[path = "main/demo.rs"]
mod demo;
#[path = "main/export.rs"]
mod export;
#[path = "main/failure.rs"]
mod failure;
#[path = "main/import.rs"]
mod import;
#[path = "main/output.rs"]
mod output;
#[path = "main/published_password.rs"]
mod published_password;
#[path = "main/serve.rs"]
mod serve;
#[path = "main/store.rs"]
mod store;
#[path = "main/token.rs"]
mod token;

use std::{
    io::{BufRead, IsTerminal},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use cx_blueprint::{
    access::Caller,
    account::{self, AccountCreateInput},
    background,
    bi::views::{self, login},
    config::{
        AccountCreate, AccountVerb, Cli, FeedbackErase, FeedbackVerb, LogFormat, Migrate, Schema,
        SchemaKind, Verb,
    },
    document, feedback, graph,
};

use self::{
    failure::Failure,
    output::{note, say},
    store::{bring_up_to_date, open_as_operator, open_store, pending_migrations},
};

/// Reading and answering a blueprint is tens of thousands of small allocations, on several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long threads may finish what they are at when everything else is done: none of them is worth waiting for.
const LAST_WORK: Duration = Duration::from_millis(500);

/// Bytes of stack of each thread: a field is resolved above those that it is in. Only what is used takes memory.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    let cli = Cli::parse();
    init_log(&cli);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            note!("cx-blueprint: The system gives no threads: {error}.");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(run(cli.verb));
    // Not by dropping it: that waits for every thread, however long it works for a client who was cut off.
    runtime.shutdown_timeout(LAST_WORK);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            note!("cx-blueprint: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn init_log(cli: &Cli) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(&cli.log))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A log that nobody reads any more would else be complained of by a panic.
        .log_internal_errors(false);
    match cli.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}

async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Demo(demo) => demo::serve_demo(demo).await,
        Verb::Serve(serve) => serve::serve_database(serve).await,
        Verb::Migrate(migrate) => migrate_database(migrate).await,
        Verb::Export(options) => export::export(options).await,
        Verb::Import(options) => import::import(options).await,
        Verb::Schema(Schema { of }) => {
            match of {
                SchemaKind::Api => output::write_text(&graph::schema_sdl())?,
                SchemaKind::Blueprint => say!("{}", document::blueprint_schema()),
                SchemaKind::Organisation => say!("{}", document::organisation_schema()),
            }
            Ok(())
        }
        Verb::Account(AccountVerb::Create(create)) => create_account(create).await,
        Verb::Token(verb) => token::run_token_verb(verb).await,
        Verb::Bi(verb) => bi::run_bi_verb(verb).await,
        Verb::Feedback(FeedbackVerb::Erase(erase)) => erase_feedback(erase).await,
    }
}

async fn migrate_database(migrate: Migrate) -> Result<(), Failure> {
    match migrate {
        Migrate::Up(database) => {
            let store = open_store(&database).await?;
            let pending = pending_migrations(&store).await?;
            let clock = background::open_clock(&store, database.time_zone).await;
            let caller = Caller::operator(store.clone(), clock, "migrate");
            if !pending.is_empty() {
                views::detach_views_if_ours(&caller).await?;
            }
            bring_up_to_date(&store).await?;
            if views::refresh_views(&caller).await? {
                say!("done: the views for BI");
            }
            login::renew_stale_reaches(&caller).await?;
            for name in &pending {
                say!("done: {name}");
            }
            say!("The database is up to date.");
            Ok(())
        }
        Migrate::Status(database) => {
            let store = open_store(&database).await?;
            let pending = pending_migrations(&store).await?;
            if pending.is_empty() {
                say!("The database is up to date.");
                return Ok(());
            }
            for name in &pending {
                say!("pending: {name}");
            }
            Err("The database is not up to date. Run `cx-blueprint migrate up`.".into())
        }
    }
}

async fn create_account(create: AccountCreate) -> Result<(), Failure> {
    let (_, caller) = open_as_operator(&create.database, "accountCreate").await?;
    if std::io::stdin().is_terminal() {
        note!("Password for {}, then Enter:", create.key);
    }
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password)?;
    let input = AccountCreateInput {
        id: None,
        key: Some(create.key),
        name: create.name,
        role: create.role,
        service: false,
        password: Some(password.trim_end_matches(['\r', '\n']).to_owned()),
    };
    let account = account::create(&caller, input).await?;
    say!(
        "Made {} ({}) as {}.",
        account.key,
        account.id,
        account.role.as_str()
    );
    Ok(())
}

async fn erase_feedback(erase: FeedbackErase) -> Result<(), Failure> {
    let (store, caller) = open_as_operator(&erase.database, background::ERASE_ACT).await?;
    let erased =
        feedback::respondent::erase_respondents_of_old_answers(&caller, erase.older_than_days)
            .await?;
    let is_empty = store.empty_wal().await;
    store.close().await?;
    say!("Erased who gave {erased} answers, and what they wrote.");
    if !is_empty {
        let why = "It is still in the database's log, from which somebody reads. Do this again, or restart the server.";
        return Err(why.into());
    }
    Ok(())
}
