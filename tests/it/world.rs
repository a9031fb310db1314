//! A fresh database with the real application over it, and people who call it.

mod postgres;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{Request, Response, StatusCode, header},
};
use chrono_tz::Tz;
use cx_blueprint::{
    access::Caller,
    account::password,
    bi::cache::BiCache,
    clock::Clock,
    database::{Options, Store},
    document::{self, demonstration},
    error::Result,
    finding,
    finding::rules::Thresholds,
    graph,
    http::{
        self, App, AppParts, ServedHosts,
        server::{self, ServerLimits},
    },
    kpi::fed,
    token::SigningKey,
};
use migration::Migrator;
use sea_orm::DatabaseConnection;
use sea_orm_migration::MigratorTrait;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tower::ServiceExt;

pub use self::postgres::{connect_as, on_postgres, said};
use self::postgres::{in_postgres, in_server, server};

/// The password of everybody in every test.
pub const PASSWORD: &str = "correct horse battery";

/// The organisation that most tests live in; its answers are worked out by hand.
pub const ORGANISATION: &str = include_str!("demonstration.json");
/// The demo organisation.
const DEMO: &str = include_str!("../../demo/demonstration.json");

/// How long a body may take to arrive.
pub const ARRIVAL: Duration = Duration::from_secs(2);
/// How long a listening world waits for what is under way when it stops.
pub const DRAIN: Duration = Duration::from_millis(800);

/// A server that listens.
pub struct Listening {
    pub address: std::net::SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    served: tokio::task::JoinHandle<usize>,
}

impl Listening {
    /// Stops it, and tells how many requests were cut off.
    pub async fn stops(self) -> usize {
        drop(self.stop);
        self.served.await.expect("it served")
    }
}

/// A fresh, migrated database and the application over it.
pub struct World {
    pub store: Store,
    pub clock: Clock,
    router: Router,
    watched: Router,
    /// The access tokens of those who were signed in when the database was made.
    tokens: Arc<Tokens>,
    place: Place,
}

type Tokens = BTreeMap<String, String>;

impl World {
    /// An empty one.
    pub async fn new() -> Self {
        Self::in_zone(chrono_tz::UTC).await
    }

    /// An empty one whose days are counted in this time zone.
    pub async fn in_zone(zone: Tz) -> Self {
        static EMPTY: Template = Template::new(None);
        EMPTY.copy(zone).await
    }

    /// One as it was left by the version whose last step this is: nothing is in it.
    pub async fn before(last: &str) -> Self {
        let world = Self::at(Place::fresh().await, chrono_tz::UTC, Arc::default()).await;
        let steps = Migrator::migrations();
        let at = steps.iter().position(|step| step.name() == last);
        let many = u32::try_from(at.expect("a step") + 1).expect("few");
        let done = Migrator::up(world.store.migration_connection(), Some(many)).await;
        done.expect("the older version migrates");
        world
    }

    /// One with the small organisation of the tests.
    pub async fn small() -> Self {
        static SMALL: Template = Template::new(Some(ORGANISATION));
        SMALL.copy(chrono_tz::UTC).await
    }

    /// One with the small organisation of the tests, in a database of PostgreSQL whose locale makes an i without a dot of
    /// a capital I; none on SQLite, which has no locale.
    pub async fn in_turkish() -> Option<Self> {
        server()?;
        let name = format!("turkish_{}", cx_blueprint::id::new_hex());
        let locale = "LOCALE_PROVIDER icu ICU_LOCALE 'tr' TEMPLATE template0";
        in_postgres(&format!("CREATE DATABASE {name} {locale}")).await;
        let world = Self::at(Place::Database(name), chrono_tz::UTC, Arc::default()).await;
        migration::apply_pending_steps(world.store.migration_connection())
            .await
            .expect("a fresh database migrates");
        world.load(ORGANISATION).await.expect("the document loads");
        Some(world)
    }

    /// One with the demo organisation.
    pub async fn demo() -> Self {
        static DEMONSTRATION: Template = Template::new(Some(DEMO));
        DEMONSTRATION.copy(chrono_tz::UTC).await
    }

    /// Where the database is.
    pub fn url(&self) -> String {
        self.place.url()
    }

    /// Another server on the same database.
    pub async fn beside(&self) -> Self {
        let place = Place::Shared(self.place.url());
        Self::at(place, chrono_tz::UTC, Arc::clone(&self.tokens)).await
    }

    /// Another server on the same database that works on so many queries at the same time, and takes so many requests
    /// of one client.
    pub async fn beside_with(&self, queries: usize, of_one_client: usize) -> Self {
        let place = Place::Shared(self.place.url());
        let room = (queries, of_one_client);
        Self::set_up(
            place,
            chrono_tz::UTC,
            Arc::clone(&self.tokens),
            room,
            settings(),
        )
        .await
    }

    /// The same on a server whose requests may take so long.
    pub async fn with_deadline(&self, deadline: Duration) -> Self {
        let settings = http::graphql::GraphqlSettings {
            deadline,
            ..settings()
        };
        let place = Place::Shared(self.place.url());
        let tokens = Arc::clone(&self.tokens);
        Self::set_up(place, chrono_tz::UTC, tokens, (512, 512), settings).await
    }

    /// The same on a server that reaches the database in another way.
    pub async fn by_way_of(&self, url: &str, deadline: Duration) -> Self {
        let settings = http::graphql::GraphqlSettings {
            deadline,
            ..settings()
        };
        let place = Place::Shared(url.to_owned());
        let tokens = Arc::clone(&self.tokens);
        Self::set_up(place, chrono_tz::UTC, tokens, (512, 512), settings).await
    }

    async fn at(place: Place, zone: Tz, tokens: Arc<Tokens>) -> Self {
        Self::set_up(place, zone, tokens, (512, 512), settings()).await
    }

    async fn set_up(
        place: Place,
        zone: Tz,
        tokens: Arc<Tokens>,
        (queries, of_one_client): (usize, usize),
        settings: http::graphql::GraphqlSettings,
    ) -> Self {
        let store = Store::open(&Options {
            url: place.url(),
            connections: 8,
            schema: None,
        })
        .await;
        let store = store.expect("a fresh database opens");
        let clock = Clock::new(zone);
        // One for all: making it takes longer than many a test.
        static API: LazyLock<graph::Api> =
            LazyLock::new(|| graph::build_schema(Thresholds::default()));
        let app = App::new(AppParts {
            store: store.clone(),
            clock: clock.clone(),
            key: SigningKey::from_text("q8fJ2vLx0RkTz5WmYbN7cHs4PdEgUa1o").expect("a good key"),
            api: API.clone(),
            settings,
            thresholds: Thresholds::default(),
            forwarded_hops: 0,
            hosts: ServedHosts::Any,
            cors_origins: vec!["https://blueprints.example.org".parse().expect("an origin")],
            concurrent_requests: queries,
            requests_of_one_client: of_one_client,
            bi_cache: BiCache::new(64 << 20),
            longest_sheet: 8 << 20,
        });
        Self {
            store,
            clock,
            watched: http::monitoring_router(&app),
            router: http::router(app),
            tokens,
            place,
        }
    }

    /// Loads an organisation, as the command line does.
    pub async fn load(&self, document: &str) -> Result<()> {
        let caller = Caller::operator(self.store.clone(), self.clock.clone(), "load");
        let said = document::format::parse_document(document)?;
        demonstration::import_demonstration(&caller, &said, &password_hash().await).await
    }

    /// Notes since when findings are open, as the server does in the background.
    pub async fn note_findings(&self) {
        self.renews_findings().await.expect("findings are noted");
    }

    /// The same, where it may fail.
    pub async fn renews_findings(&self) -> Result<()> {
        let caller = Caller::operator(self.store.clone(), self.clock.clone(), "findingRenew");
        finding::renewal::renew_due_findings(&caller, &Thresholds::default()).await
    }

    /// Closes the months of employees' answers that are over, as the server does in the background.
    pub async fn close_months(&self) {
        let operator = Caller::operator(self.store.clone(), self.clock.clone(), "feedbackMeasure");
        let closed = fed::close_months_and_feed_kpis(&operator, &mut None).await;
        closed.expect("months close");
    }

    /// The database, for looking at what is stored.
    pub fn db(&self) -> DatabaseConnection {
        self.store.migration_connection().clone()
    }

    /// Sends a request through the front door.
    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.send_from([127, 0, 0, 1], request).await
    }

    /// Sends a request through the front door from this address.
    pub async fn send_from(&self, from: [u8; 4], mut request: Request<Body>) -> Response<Body> {
        let peer = ConnectInfo(std::net::SocketAddr::from((from, 4000)));
        request.extensions_mut().insert(peer);
        self.router
            .clone()
            .oneshot(request)
            .await
            .expect("the router answers")
    }

    /// Listens at an address of its own, until what is returned is dropped.
    pub async fn listens(&self, limits: ServerLimits) -> Listening {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let router = self.router.clone();
        let served = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or_default() };
            server::serve(listener, router, limits, stopped, DRAIN).await
        });
        Listening {
            address,
            stop,
            served,
        }
    }

    /// What Prometheus reads.
    pub async fn metrics(&self) -> String {
        let request = Request::get("/metrics").body(Body::empty());
        let answer = self.watched.clone().oneshot(request.expect("a request"));
        let bytes = to_bytes(answer.await.expect("an answer").into_body(), 1 << 20);
        String::from_utf8(bytes.await.expect("a body").to_vec()).expect("text")
    }

    /// Posts JSON and reads the answer.
    pub async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> (StatusCode, Value) {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request
            .body(Body::from(body.to_string()))
            .expect("a request");
        read(self.send(request).await).await
    }

    /// Somebody who is signed in.
    pub async fn sign_in(&self, login: &str) -> Actor<'_> {
        let fresh = BEGUN.elapsed() < FRESH;
        match self.tokens.get(login).filter(|_| fresh) {
            Some(token) => Actor {
                world: self,
                login: login.to_owned(),
                token: token.clone(),
            },
            None => self.sign_in_anew(login).await,
        }
    }

    /// Signs somebody in with their password.
    pub async fn sign_in_anew(&self, login: &str) -> Actor<'_> {
        let (status, tokens) = self
            .post(
                "/auth/login",
                None,
                &json!({ "login": login, "password": PASSWORD }),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{login} signs in: {tokens}");
        let token = tokens["accessToken"]
            .as_str()
            .expect("an access token")
            .to_owned();
        Actor {
            world: self,
            login: login.to_owned(),
            token,
        }
    }
}

/// What a request may take in tests.
fn settings() -> http::graphql::GraphqlSettings {
    http::graphql::GraphqlSettings {
        arrival: ARRIVAL,
        ..Default::default()
    }
}

/// The status and the JSON of an answer.
pub async fn read(response: Response<Body>) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 64 << 20)
        .await
        .expect("a body");
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Actor<'w> {
    pub world: &'w World,
    pub login: String,
    pub token: String,
}

impl Actor<'_> {
    /// Sends a document and gives the whole answer.
    pub async fn send(&self, document: &str, variables: Value) -> Value {
        let body = json!({ "query": document, "variables": variables });
        self.world
            .post("/graphql", Some(&self.token), &body)
            .await
            .1
    }

    /// Sends a document that must not fail, and gives its data.
    pub async fn ask(&self, document: &str, variables: Value) -> Value {
        let mut answer = self.send(document, variables).await;
        assert!(
            answer.get("errors").is_none(),
            "{} asked {document}: {answer}",
            self.login
        );
        answer["data"].take()
    }

    /// Sends a mutation with one root field that must succeed, and gives what it answers.
    pub async fn does(&self, document: &str, input: Value) -> Value {
        let answer = self.tries(document, input.clone()).await;
        assert_eq!(
            answer["userErrors"],
            json!([]),
            "{} did {document} with {input}",
            self.login
        );
        answer
    }

    /// Sends a mutation with one root field, and gives what it answers.
    pub async fn tries(&self, document: &str, input: Value) -> Value {
        let data = self.ask(document, json!({ "input": input })).await;
        data.as_object()
            .and_then(|data| data.values().next())
            .cloned()
            .expect("one root field")
    }

    /// Sends a mutation that must be refused, and gives the codes of its user errors.
    pub async fn refused(&self, document: &str, input: Value) -> Vec<String> {
        let answer = self.tries(document, input).await;
        let errors = answer["userErrors"].as_array().expect("user errors");
        errors
            .iter()
            .map(|error| error["code"].as_str().expect("a code").to_owned())
            .collect()
    }
}

/// The user errors of an answer, each as its path and its code.
pub fn faults(answer: &Value) -> Vec<String> {
    let errors = answer["userErrors"].as_array().expect("user errors").iter();
    errors
        .map(|error| {
            let path = error["field"].as_array().expect("a path").iter();
            let path: Vec<&str> = path.map(|part| part.as_str().expect("a part")).collect();
            format!(
                "{} {}",
                path.join("."),
                error["code"].as_str().expect("a code")
            )
        })
        .collect()
}

/// The hash of everybody's password, made once.
pub async fn password_hash() -> Arc<str> {
    static HASH: OnceCell<Arc<str>> = OnceCell::const_new();
    let hash = HASH
        .get_or_init(|| async { password::hash(PASSWORD).await.expect("a hash").into() })
        .await;
    Arc::clone(hash)
}

/// So long the tokens of a template are used; they end after ten minutes, and a test takes some of them.
const FRESH: Duration = Duration::from_secs(480);
/// From before any template was made.
static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A database made once, of which every world gets a copy.
struct Template {
    document: Option<&'static str>,
    made: OnceCell<(Source, Arc<Tokens>)>,
}

/// What is copied.
enum Source {
    File(TempDir),
    Database(String),
}

/// A database of one world, removed when the world ends.
enum Place {
    File(TempDir),
    Database(String),
    /// That of another world, by its URL.
    Shared(String),
}

impl Place {
    /// One in which there is nothing, not even tables.
    async fn fresh() -> Self {
        if server().is_none() {
            return Self::File(tempfile::tempdir().expect("a directory"));
        }
        let name = format!("fresh_{}", cx_blueprint::id::new_hex());
        in_postgres(&format!("CREATE DATABASE {name}")).await;
        Self::Database(name)
    }

    fn url(&self) -> String {
        match self {
            Self::File(dir) => format!("sqlite://{}", dir.path().join("test.db").display()),
            Self::Database(name) => in_server(name),
            Self::Shared(url) => url.clone(),
        }
    }
}

impl Template {
    const fn new(document: Option<&'static str>) -> Self {
        Self {
            document,
            made: OnceCell::const_new(),
        }
    }

    async fn copy(&self, zone: Tz) -> World {
        let (source, tokens) = self.made.get_or_init(|| self.make()).await;
        let place = match source {
            Source::File(made) => {
                let dir = tempfile::tempdir().expect("a directory");
                std::fs::copy(made.path().join("test.db"), dir.path().join("test.db"))
                    .expect("the template is copied");
                Place::File(dir)
            }
            Source::Database(template) => {
                let name = format!("test_{}", cx_blueprint::id::new_hex());
                // A copy of the files: to write it all to the log as well takes several times as long.
                in_postgres(&format!(
                    "CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"
                ))
                .await;
                Place::Database(name)
            }
        };
        World::at(place, zone, Arc::clone(tokens)).await
    }

    async fn make(&self) -> (Source, Arc<Tokens>) {
        LazyLock::force(&BEGUN);
        let mut world = World::at(Place::fresh().await, chrono_tz::UTC, Arc::default()).await;
        migration::apply_pending_steps(world.store.migration_connection())
            .await
            .expect("a fresh database migrates");
        let mut tokens = Tokens::new();
        if let Some(document) = self.document {
            world.load(document).await.expect("the document loads");
            let said: Value = serde_json::from_str(document).expect("the document reads");
            let people = said["people"].as_array().expect("people").iter();
            for person in people.filter(|person| person["service"] != json!(true)) {
                let key = person["key"].as_str().expect("a key");
                tokens.insert(key.to_owned(), world.sign_in_anew(key).await.token);
            }
        }
        world
            .store
            .clone()
            .close()
            .await
            .expect("the template is written out");
        let source = match std::mem::replace(&mut world.place, Place::Database(String::new())) {
            Place::File(dir) => Source::File(dir),
            Place::Database(name) => Source::Database(name),
            Place::Shared(_) => unreachable!("a template has a database of its own"),
        };
        (source, Arc::new(tokens))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let Place::Database(name) = &self.place else {
            return;
        };
        if name.is_empty() {
            return;
        }
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        // A drop cannot wait for the database: a thread with a runtime of its own can.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(in_postgres(&statement));
        });
        dropped.join().expect("the database is dropped");
    }
}
