//! `serve`: one process from its start to its end, with what it does beside answering requests. What is served is the
//! library's to say.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use axum::http::HeaderValue;
use cx_blueprint::{
    background,
    bi::cache::BiCache,
    clock::Clock,
    config::Serve,
    database::{self, Store},
    finding::rules::Thresholds,
    graph,
    http::{
        self, App, AppParts, ServedHosts,
        server::{self, ServerLimits, files},
    },
    token::SigningKey,
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    task::JoinHandle,
    time::timeout,
};

use super::{
    failure::Failure, output::say, published_password::refuse_published_password,
    store::open_up_to_date_store,
};

/// How long the connections to the database have to close, once no request is under way any more.
const CLOSING: Duration = Duration::from_secs(5);
/// How many may look at what the server is doing, at the same time.
const WATCHERS: usize = 64;

/// Where the signing key comes from.
enum KeySource {
    Configuration(SigningKey),
    /// Beside SQLite's file, where it is made if it is not there.
    Beside(PathBuf),
}

fn find_key_source(serve: &Serve) -> Result<KeySource, Failure> {
    let path = database::sqlite_path(&serve.database.database_url);
    match (&serve.signing_key, path) {
        (Some(text), _) => Ok(KeySource::Configuration(SigningKey::from_text(text)?)),
        (None, Some(path)) => Ok(KeySource::Beside(path)),
        (None, None) => Err(
            "PostgreSQL needs a signing key, the same for every server: set CX_SIGNING_KEY, for \
                             example to what `openssl rand -base64 48` prints."
                .into(),
        ),
    }
}

fn load_signing_key(source: KeySource) -> Result<SigningKey, Failure> {
    let path = match source {
        KeySource::Configuration(key) => return Ok(key),
        KeySource::Beside(path) => path,
    };
    SigningKey::load_or_create_beside(&path).map_err(|error| {
        let path = path.display();
        format!("The signing key beside {path} cannot be kept: {error}.").into()
    })
}

/// Opens the database and serves it.
///
/// # Errors
/// It could not begin, or requests were cut off when it stopped.
pub(crate) async fn serve_database(serve: Serve) -> Result<(), Failure> {
    let source = find_key_source(&serve)?;
    let store = open_up_to_date_store(&serve.database).await?;
    // Beside a database that is there, and nowhere else.
    let key = load_signing_key(source)?;
    refuse_published_password(&serve, &store).await?;
    serve_store(&serve, store, key, ServedHosts::Any).await
}

/// Serves this store until it is asked to stop.
///
/// # Errors
/// It could not begin, or requests were cut off when it stopped.
pub(crate) async fn serve_store(
    serve: &Serve,
    store: Store,
    key: SigningKey,
    hosts: ServedHosts,
) -> Result<(), Failure> {
    let thresholds = Thresholds::with_changed(serve.finding_thresholds.iter().copied());
    let clock = background::open_clock(&store, serve.database.time_zone).await;
    let app = assemble_app(serve, hosts, store.clone(), clock.clone(), key, &thresholds)?;
    let listener = listen(serve.listen).await?;
    let watching = spawn_metrics_server(serve.metrics_listen, &app).await?;
    let asked_to_stop = stop_signal()?;
    let limits = server_limits(
        serve,
        files::raise_open_files_limit(count_open_files_needed(serve)),
    );
    say!("listening on http://{}", listener.local_addr()?);
    let stop = async move {
        asked_to_stop.await;
        tracing::info!("stopping: no new requests are taken, those under way are finished");
    };
    let retention = serve.feedback_retention_days;
    let keeping = tokio::spawn(background::run_maintenance_rounds(
        store.clone(),
        clock.clone(),
        thresholds,
        retention,
    ));
    let following = tokio::spawn(background::follow_database_clock(store.clone(), clock));
    let drain = Duration::from_secs(serve.drain_seconds);
    let door = AcceptRuntime::open()?;
    let listener = listener.into_std()?;
    let served = door.runtime()?.spawn(async move {
        let listener = TcpListener::from_std(listener)?;
        std::io::Result::Ok(server::serve(listener, http::router(app), limits, stop, drain).await)
    });
    let cut = served.await??;
    for task in [keeping, following] {
        task.abort();
        // What it was at is dropped only then, with its connection.
        drop(task.await);
    }
    if let Some(watching) = watching {
        watching.abort();
    }
    // What was cut off may still hold a connection, and waits for nothing that would come.
    match timeout(CLOSING, store.close()).await {
        Ok(closed) => closed?,
        Err(_) => tracing::warn!("stopped before every connection to the database was closed"),
    }
    match cut {
        0 => Ok(()),
        cut => Err(format!(
            "Stopped before every request was finished: {cut} were cut off after {} seconds (--drain-seconds).",
            serve.drain_seconds
        )
        .into()),
    }
}

/// The runtime that accepts, reads, refuses and answers probes. The system gives its threads, which rest most of the
/// time, their turn before those that are always at work.
struct AcceptRuntime(Option<Runtime>);

impl AcceptRuntime {
    fn open() -> Result<Self, Failure> {
        let mut runtime = Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).thread_name("door").enable_all();
        Ok(Self(Some(runtime.build()?)))
    }

    fn runtime(&self) -> Result<&Runtime, Failure> {
        self.0.as_ref().ok_or_else(|| "The door is closed.".into())
    }
}

impl Drop for AcceptRuntime {
    fn drop(&mut self) {
        // Not by dropping it: that would wait for its threads, which is not for a task to do.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn assemble_app(
    serve: &Serve,
    hosts: ServedHosts,
    store: Store,
    clock: Clock,
    key: SigningKey,
    thresholds: &Thresholds,
) -> Result<App, Failure> {
    let origins = serve
        .cors_origins
        .iter()
        .map(|origin| parse_origin(origin))
        .collect::<Result<_, _>>()?;
    let settings = http::graphql::GraphqlSettings {
        deadline: serve.deadline(),
        ..Default::default()
    };
    Ok(App::new(AppParts {
        store,
        clock,
        key,
        api: graph::build_schema(thresholds.clone()),
        settings,
        thresholds: thresholds.clone(),
        forwarded_hops: serve.forwarded_hops,
        hosts,
        cors_origins: origins,
        concurrent_requests: serve.concurrent_queries(),
        requests_of_one_client: to_usize(serve.connections_per_client),
        bi_cache: BiCache::new(serve.bi_cache_bytes()),
        longest_sheet: serve.max_sheet_bytes(),
    }))
}

/// How many files may have to be open.
fn count_open_files_needed(serve: &Serve) -> u64 {
    u64::from(serve.connections).saturating_add(count_other_open_files(serve))
}

/// Files besides clients' connections: those of the database, of which SQLite takes three for each, sheets, the log.
fn count_other_open_files(serve: &Serve) -> u64 {
    // 6 and not 3: a connection that was given up keeps its files until its statement has ended, while another takes
    // its place. 128 for sheets, the log and the rest.
    128 + 6 * u64::from(serve.database.database_connections)
}

/// What connections may take, where so many files may be open.
fn server_limits(serve: &Serve, files: u64) -> ServerLimits {
    let left = files.saturating_sub(count_other_open_files(serve)).max(1);
    let connections = to_usize(serve.connections).min(usize::try_from(left).unwrap_or(usize::MAX));
    if connections < to_usize(serve.connections) {
        tracing::warn!(
            connections,
            files,
            "fewer connections than --connections: more files may not be open"
        );
    }
    let of_one_peer = match serve.forwarded_hops {
        0 => to_usize(serve.connections_per_client).min(connections),
        // The peers are the proxies.
        _ => connections,
    };
    ServerLimits {
        connections,
        of_one_peer,
        ..ServerLimits::default()
    }
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

async fn listen(at: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(at).await;
    listener.map_err(|error| format!("{at} cannot be listened on: {error}.").into())
}

/// Serves what the server is doing at an address of its own, where one is set.
async fn spawn_metrics_server(
    at: Option<SocketAddr>,
    app: &App,
) -> Result<Option<JoinHandle<usize>>, Failure> {
    let Some(at) = at else { return Ok(None) };
    let listener = listen(at).await?;
    say!("metrics on http://{}/metrics", listener.local_addr()?);
    let limits = ServerLimits {
        connections: WATCHERS,
        of_one_peer: WATCHERS,
        ..ServerLimits::default()
    };
    let (router, never) = (http::monitoring_router(app), std::future::pending());
    let served = server::serve(listener, router, limits, never, Duration::ZERO);
    Ok(Some(tokio::spawn(served)))
}

fn parse_origin(origin: &str) -> Result<HeaderValue, Failure> {
    let shaped = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    match shaped {
        Some(host) if !host.is_empty() && !host.contains(['/', '*']) => {
            Ok(HeaderValue::from_str(origin)?)
        }
        _ => Err(format!(
            "\"{origin}\" is not an origin such as https://blueprints.example.org: a scheme, a host and perhaps a port, \
             without a slash at the end."
        )
        .into()),
    }
}

/// Listens for the wish to stop from now on, so that whoever was told that the server listens can also end it well.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens for the wish to stop from now on.
#[cfg(windows)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
