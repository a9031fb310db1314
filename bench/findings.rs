//! What findings and flow cost together, by the number of touchpoints with 2.5 transitions each, beside what serving
//! `Canvas` of 240 costs: `cargo bench --bench findings`, which ends with both as ratios. Past the limit of a blueprint
//! too, to see that it stays linear.

#![recursion_limit = "256"]
#![expect(
    clippy::expect_used,
    reason = "a bench says what it expects, and fails where that is not so"
)]

use std::{
    hint::black_box,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{Request, StatusCode, header},
};
use bytes::Bytes;
use chrono::NaiveDate;
use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use cx_blueprint::{
    access::Caller,
    account::password,
    bi::cache::BiCache,
    canvas::{Canvas, flow::FlowAnalysis},
    clock::Clock,
    database::{Options, Store},
    finding::{
        rules::{self, RuleOptions, Surroundings, Thresholds},
        surroundings,
    },
    graph,
    http::{self, App, AppParts, ServedHosts},
    snapshot::WholeBlueprint,
    token::SigningKey,
};
use entity::blueprint;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use self::generated::{generate::generate, size::OrganisationSize};

#[path = "../tools/generate/src/organisation/mod.rs"]
#[expect(dead_code, reason = "the command uses more of it")]
mod generated;

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CANVAS: &str = include_str!("canvas/canvas.graphql");

const KEY: &str = "blueprint-0001";

const PASSWORD: &str = "a password of the bench";

/// The sizes, the smallest first.
const TOUCHPOINTS: [u32; 4] = [240, 1_000, 3_000, 10_000];

/// One journey of this many touchpoints in a database of its own.
struct Journey {
    caller: Caller,
    store: Store,
    _dir: TempDir,
}

impl Journey {
    async fn of(touchpoints: u32) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options {
            url: format!("sqlite://{}", dir.path().join("bench.db").display()),
            connections: 2,
            schema: None,
        };
        let store = Store::open(&options).await.expect("it opens");
        migration::apply_pending_steps(store.migration_connection())
            .await
            .expect("it migrates");
        let caller = Caller::operator(store.clone(), Clock::new(chrono_tz::UTC), "bench");
        let size = OrganisationSize {
            blueprints: 1,
            touchpoints,
            departments: 30,
            responsibilities: 3,
            kpis: 200,
            links: 2,
            days: 31,
            until: day(),
            seed: 1,
        };
        let hash = password::hash(PASSWORD).await.expect("a hash");
        let made = generate(&caller, &size, &hash).await;
        made.expect("it is made");
        Self {
            caller,
            store,
            _dir: dir,
        }
    }

    /// Read anew, so that its graph is not made yet.
    async fn read(&self) -> (WholeBlueprint, Surroundings) {
        let tx = self.caller.begin_snapshot().await.expect("a snapshot");
        let the_one = self.caller.select::<blueprint::Entity>();
        let the_one = the_one.filter(blueprint::Column::Key.eq(KEY));
        let row = the_one.one(&tx).await.expect("it is read");
        let row = row.expect("it is there");
        let snapshot = WholeBlueprint::load(&self.caller, &tx, row, day()).await;
        let snapshot = snapshot.expect("it loads");
        let around =
            surroundings::load_facts_around_blueprint(&self.caller, &tx, &snapshot, day()).await;
        (snapshot, around.expect("what is around it loads"))
    }

    /// The application over it, as a server has it.
    fn served(&self) -> Router {
        http::router(App::new(AppParts {
            hosts: ServedHosts::Any,
            store: self.store.clone(),
            clock: Clock::new(chrono_tz::UTC),
            key: SigningKey::from_text("q8fJ2vLx0RkTz5WmYbN7cHs4PdEgUa1o").expect("a good key"),
            api: graph::build_schema(Thresholds::default()),
            settings: http::graphql::GraphqlSettings::default(),
            forwarded_hops: 0,
            cors_origins: Vec::new(),
            concurrent_requests: 512,
            requests_of_one_client: 512,
            bi_cache: BiCache::new(1 << 20),
            longest_sheet: 8 << 20,
            thresholds: Thresholds::default(),
        }))
    }
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 30).expect("a day")
}

/// All that is said of how people move, ways between two touchpoints left out: those are bounded by themselves.
fn flow(canvas: &Canvas) -> usize {
    let flow = FlowAnalysis::new(canvas);
    flow.loops().len()
        + flow.backtracks().len()
        + flow.skips().len()
        + flow.exits().len()
        + flow.re_entries().len()
        + flow.dead_ends().len()
        + flow.unreachable().len()
        + flow.hand_offs().len()
        + flow.unavoidable_touchpoints().len()
}

fn judge((snapshot, around): &(WholeBlueprint, Surroundings), thresholds: &Thresholds) -> usize {
    let asked = RuleOptions {
        day: day(),
        thresholds,
        confidential: true,
    };
    let found = rules::find_violations(snapshot, around, &asked);
    found.len() + flow(&snapshot.canvas)
}

/// Measures an act without what it is given and what it leaves, and gives the median of its runs.
fn median<G, L>(bencher: &mut Bencher<'_>, give: impl Fn() -> G, act: impl Fn(G) -> L) -> Duration {
    let mut took = Vec::new();
    bencher.iter_custom(|runs| {
        let mut all = Duration::ZERO;
        for _ in 0..runs {
            let given = give();
            let begun = Instant::now();
            let left = black_box(act(given));
            let run = begun.elapsed();
            drop(left);
            all += run;
            took.push(run);
        }
        all
    });
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default()
}

fn bench(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let thresholds = Thresholds::default();
    let mut group = criterion.benchmark_group("findings and flow");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_millis(500));
    let mut judging = [Duration::ZERO; TOUCHPOINTS.len()];
    for (touchpoints, median_of) in TOUCHPOINTS.into_iter().zip(&mut judging) {
        let journey = runtime.block_on(Journey::of(touchpoints));
        group.throughput(Throughput::Elements(u64::from(touchpoints)));
        let name = BenchmarkId::from_parameter(touchpoints);
        let read = || runtime.block_on(journey.read());
        group.bench_function(name, |bencher| {
            *median_of = median(bencher, read, |given| {
                (judge(black_box(&given), &thresholds), given)
            });
        });
    }
    group.finish();
    let mut serving = Duration::ZERO;
    // The router takes the runtime that it is made in for the work of requests.
    let _entered = runtime.enter();
    let journey = runtime.block_on(Journey::of(TOUCHPOINTS[0]));
    let served = journey.served();
    let token = runtime.block_on(sign_in(&served));
    let canvas = json!({ "query": CANVAS, "variables": { "key": KEY } });
    let picture = runtime.block_on(answer(&served, request("/graphql", Some(&token), &canvas)));
    assert!(
        serde_json::from_slice::<Value>(&picture)
            .is_ok_and(|told| told["data"]["blueprint"]["transitions"].is_array())
    );
    criterion.bench_function("serving Canvas of 240", |bencher| {
        serving = median(
            bencher,
            || request("/graphql", Some(&token), &canvas),
            |request| runtime.block_on(answer(&served, request)),
        );
    });
    tell(judging, serving);
}

/// Tells the medians of the run as the two ratios that matter.
fn tell(judging: [Duration; TOUCHPOINTS.len()], serving: Duration) {
    if judging.contains(&Duration::ZERO) || serving.is_zero() {
        println!("No ratios: not everything was measured.");
        return;
    }
    let each = |at: usize| judging[at].as_secs_f64() * 1e9 / f64::from(TOUCHPOINTS[at]);
    for (at, touchpoints) in TOUCHPOINTS.into_iter().enumerate() {
        let ratio = each(at) / each(0);
        println!(
            "findings and flow of {touchpoints}: {:.0} ns a touchpoint, {ratio:.2} times that of 240 (at 10,000 at most 3)",
            each(at)
        );
    }
    println!(
        "at 240: {:.2} ms, {:.3} of serving Canvas, {:.2} ms (less than 0.1)",
        judging[0].as_secs_f64() * 1e3,
        judging[0].as_secs_f64() / serving.as_secs_f64(),
        serving.as_secs_f64() * 1e3,
    );
}

/// A request through the front door, as it arrives from a client on this machine.
fn request(path: &str, token: Option<&str>, body: &Value) -> Request<Body> {
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 4000));
    let request = request.extension(ConnectInfo(from));
    request
        .body(Body::from(body.to_string()))
        .expect("a request")
}

/// The body of an answer, to its end.
async fn answer(served: &Router, request: Request<Body>) -> Bytes {
    let answer = served.clone().oneshot(request).await;
    let answer = answer.expect("the router answers");
    assert_eq!(answer.status(), StatusCode::OK);
    let body = to_bytes(answer.into_body(), usize::MAX).await;
    body.expect("a body")
}

async fn sign_in(served: &Router) -> String {
    let who = json!({ "login": "cx-manager", "password": PASSWORD });
    let tokens = answer(served, request("/auth/login", None, &who)).await;
    let tokens: Value = serde_json::from_slice(&tokens).expect("tokens");
    let token = tokens["accessToken"].as_str();
    token.expect("an access token").to_owned()
}

criterion_group!(benches, bench);
criterion_main!(benches);
