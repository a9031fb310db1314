//! What a search costs on 200 blueprints of 240 touchpoints, beside reading through the same folded words without an
//! index. On SQLite, or with TEST_DATABASE_URL on an empty PostgreSQL:
//! `cargo bench --bench search`, `checks/postgres cargo bench --bench search`.

#![expect(
    clippy::expect_used,
    reason = "a bench says what it expects, and ends where that is not so"
)]

use std::time::{Duration, Instant};

use cx_blueprint::{
    access::{self, Caller},
    batch::Loaders,
    clock::Clock,
    database::{Options, Store},
    finding::rules::Thresholds,
    graph,
};
use entity::{account, session};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, Statement};

use self::generated::{generate::generate, size::OrganisationSize};

#[path = "../tools/generate/src/organisation/mod.rs"]
#[expect(dead_code, reason = "the command uses more of it")]
mod generated;

const SEARCH: &str = "query($text: String!) { search(text: $text, first: 20) { nodes { kind node { __typename } matches { field } } } }";

/// A rare word, a common one, two, a folded one, a beginning of two letters and one of one.
const QUESTIONS: [&str; 6] = ["enrolment", "invoice", "sms custom", "kobenhavn", "in", "a"];

const RUNS: usize = 15;

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = || format!("sqlite://{}", dir.path().join("bench.db").display());
    let options = Options {
        url: server().unwrap_or_else(file),
        connections: 4,
        schema: None,
    };
    let store = Store::open(&options).await.expect("it opens");
    migration::apply_pending_steps(store.migration_connection())
        .await
        .expect("it migrates");
    let clock = Clock::new(chrono_tz::UTC);
    let operator = Caller::operator(store.clone(), clock.clone(), "generate");
    let size = OrganisationSize {
        blueprints: 200,
        touchpoints: 240,
        departments: 30,
        responsibilities: 3,
        kpis: 200,
        links: 1,
        days: 1,
        until: chrono::NaiveDate::from_ymd_opt(2026, 6, 30).expect("a day"),
        seed: 1,
    };
    let made = generate(&operator, &size, "no password fits")
        .await
        .expect("it is generated");
    println!(
        "{:?}: {} rows generated in {:?}",
        store.backend(),
        made.rows,
        made.took
    );
    if store.backend() == DbBackend::Postgres {
        store
            .writer()
            .execute_unprepared("VACUUM ANALYZE")
            .await
            .expect("it is analysed");
    }
    let (cx, member) = (
        somebody(&store, &clock, "cx-manager").await,
        somebody(&store, &clock, "member").await,
    );
    let api = graph::build_schema(Thresholds::default());
    println!(
        "{:<12}{:>8}{:>16}{:>16}{:>16}",
        "p50 in ms", "found", "CX manager", "member", "LIKE, no access"
    );
    for question in QUESTIONS {
        let words: Vec<String> = cx_blueprint::index::split_words(question)
            .map(|word| word.folded)
            .collect();
        let like: Vec<String> = words
            .iter()
            .map(|word| format!("words LIKE '% {word}%'"))
            .collect();
        let like = like.join(" AND ");
        let count = Statement::from_string(
            store.backend(),
            format!("SELECT COUNT(*) FROM search_text WHERE {like}"),
        );
        let count = store
            .reader()
            .query_one_raw(count)
            .await
            .expect("a count")
            .expect("a row");
        let count: i64 = count.try_get_by_index(0).expect("a number");
        let (by_cx, by_member) = (
            median(async || ask(&api, &cx, question).await).await,
            median(async || ask(&api, &member, question).await).await,
        );
        let scan = format!(
            "SELECT kind, id FROM search_text WHERE {like} ORDER BY length(title), id LIMIT 20"
        );
        let scan = Statement::from_string(store.backend(), scan);
        let by_scan = median(async || {
            store
                .reader()
                .query_all_raw(scan.clone())
                .await
                .expect("rows");
        })
        .await;
        let ms = |duration: Duration| format!("{:.1}", duration.as_secs_f64() * 1e3);
        println!(
            "{question:<12}{count:>8}{:>16}{:>16}{:>16}",
            ms(by_cx),
            ms(by_member),
            ms(by_scan)
        );
    }
    store.close().await.expect("it closes");
}

async fn median(run: impl AsyncFn()) -> Duration {
    let mut took = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let begun = Instant::now();
        run().await;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    took[RUNS / 2]
}

async fn ask(api: &graph::Api, caller: &Caller, text: &str) {
    let variables = serde_json::json!({ "text": text });
    let request = async_graphql::Request::new(SEARCH)
        .variables(async_graphql::Variables::from_json(variables))
        .data(Loaders::new(caller.clone()))
        .data(caller.clone());
    let answer = api.execute(request).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
}

/// Somebody with a session.
async fn somebody(store: &Store, clock: &Clock, key: &str) -> Caller {
    let accounts = account::Entity::find()
        .all(store.reader())
        .await
        .expect("accounts");
    let account = accounts
        .iter()
        .find(|account| account.key == key)
        .expect("an account")
        .id;
    let session = session::Model {
        id: cx_blueprint::id::new(),
        account_id: account,
        user_agent: None,
        created_at: clock.now(),
        last_used_at: clock.now(),
        expires_at: clock.now() + chrono::TimeDelta::hours(1),
        ended_at: None,
    };
    let id = session.id;
    let row = session.into_active_model();
    session::Entity::insert(row)
        .exec_without_returning(store.writer())
        .await
        .expect("a session");
    access::identify_session(store, clock, id, account, "bench".into())
        .await
        .expect("a caller")
}

#[expect(
    clippy::disallowed_methods,
    reason = "which database the bench runs on is said in the environment"
)]
fn server() -> Option<String> {
    std::env::var("TEST_DATABASE_URL").ok()
}
