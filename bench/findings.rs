//! What findings and flow cost together, by the number of touchpoints with 2.5 transitions each, beside what serving the
//! picture of 240 costs: `cargo bench --bench findings`. Past the limit of a blueprint too, to see that it stays linear.

#![recursion_limit = "256"]
#![expect(
    clippy::expect_used,
    reason = "a bench says what it expects, and fails where that is not so"
)]

use std::{hint::black_box, sync::Arc, time::Duration};

use async_graphql::{Request, Variables};
use chrono::NaiveDate;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use cx_blueprint::{
    access::Caller,
    canvas::{
        Canvas,
        findings::{self, Asked, Surroundings, Thresholds},
        flow::Flow,
        whole::Whole,
    },
    clock::Clock,
    config::Size,
    database::{Options, Store},
    generate, graph,
};
use entity::blueprint;
use sea_orm::{ColumnTrait, Condition};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const CANVAS: &str = include_str!("canvas/canvas.graphql");

/// One journey of this many touchpoints in a database of its own.
struct Journey {
    caller: Caller,
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
        migration::up(store.writer()).await.expect("it migrates");
        let caller = Caller::operator(store, Clock::new(chrono_tz::UTC), "bench");
        let size = Size {
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
        let made = generate::generate(&caller, &size, "no password fits").await;
        made.expect("it is made");
        Self { caller, _dir: dir }
    }

    /// Read anew, so that its graph is not made yet.
    async fn read(&self) -> Arc<Whole> {
        let the_one = Condition::all().add(blueprint::Column::Key.eq("blueprint-0001"));
        let whole = Whole::load(&self.caller, the_one, day()).await;
        whole.expect("it loads").expect("it is there")
    }
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 30).expect("a day")
}

/// All that is said of how people move, ways between two touchpoints left out: those are bounded by themselves.
fn flow(canvas: &Canvas) -> usize {
    let flow = Flow::of(canvas);
    flow.loops().len()
        + flow.backtracks().len()
        + flow.skips().len()
        + flow.exits().len()
        + flow.re_entries().len()
        + flow.dead_ends().len()
        + flow.unreachable().len()
        + flow.hand_offs().len()
        + flow.must_pass().len()
}

fn judge(whole: &Whole, thresholds: &Thresholds) -> usize {
    let asked = Asked {
        day: day(),
        thresholds,
        confidential: true,
    };
    let found = findings::find(whole, &Surroundings::default(), &asked);
    found.len() + flow(&whole.canvas)
}

fn bench(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let thresholds = Thresholds::default();
    let mut group = criterion.benchmark_group("findings and flow");
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_millis(500));
    for touchpoints in [240, 1_000, 3_000, 10_000] {
        let journey = runtime.block_on(Journey::of(touchpoints));
        group.throughput(Throughput::Elements(u64::from(touchpoints)));
        let name = BenchmarkId::from_parameter(touchpoints);
        group.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || runtime.block_on(journey.read()),
                |whole| judge(black_box(whole), &thresholds),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
    let journey = runtime.block_on(Journey::of(240));
    let api = graph::schema(thresholds);
    criterion.bench_function("serving the picture of 240", |bencher| {
        bencher
            .to_async(&runtime)
            .iter(|| serve(&api, &journey.caller));
    });
}

async fn serve(api: &graph::Api, caller: &Caller) -> usize {
    let variables = serde_json::json!({ "key": "blueprint-0001" });
    let request = Request::new(CANVAS)
        .variables(Variables::from_json(variables))
        .data(graph::loaders::loaders(caller.clone()))
        .data(caller.clone());
    let answer = api.execute(request).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    serde_json::to_vec(&answer).expect("an answer").len()
}

criterion_group!(benches, bench);
criterion_main!(benches);
