//! What is acknowledged is kept: whatever a write runs into, at its beginning, in the middle or at its end, nothing
//! that was answered with success before or after it is lost, and nobody else is locked out.

use std::{path::Path, process::Command, time::Duration};

use cx_blueprint::database::{Options, Store, Trouble};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};

use crate::{
    cli::{Server, make_admin, sqlite},
    facts::RECORD,
    ids::Ids,
    world::{Actor, World, on_postgres},
};

const RENAME: &str = "mutation($input: ChannelUpdateInput!) { channelUpdate(input: $input) { userErrors { code } } }";

/// How many measurements one batch has.
const BATCH: i64 = 50;

/// The measurements of the batch with this number; every batch has days of its own.
fn batch(kpi: &str, number: i64) -> Value {
    let first = chrono::NaiveDate::from_ymd_opt(1990, 1, 1).expect("a day");
    let days = (0..BATCH).map(|day| first + chrono::Duration::days(number * BATCH + day));
    let measurements: Vec<Value> = days
        .map(|day| json!({ "kpiId": kpi, "measuredOn": day, "value": 1.5 }))
        .collect();
    json!({ "measurements": measurements })
}

/// Somebody who records batches, and counts what was acknowledged.
struct Recorder<'w> {
    actor: Actor<'w>,
    kpi: String,
    next: i64,
    acknowledged: i64,
}

impl<'w> Recorder<'w> {
    async fn of(world: &'w World) -> Self {
        Self {
            actor: world.sign_in("cx-manager").await,
            kpi: Ids::of(world).await["PRICE"].clone(),
            next: 0,
            acknowledged: 0,
        }
    }

    async fn records(&mut self) -> Value {
        let input = batch(&self.kpi, self.next);
        self.next += 1;
        let answer = self.actor.send(RECORD, json!({ "input": input })).await;
        let recorded = &answer["data"]["kpiMeasurementsRecord"]["recorded"];
        self.acknowledged += recorded.as_i64().unwrap_or(0);
        answer
    }
}

async fn number(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.expect("it is counted");
    row.expect("a row").try_get_by_index(0).expect("a number")
}

const OF_BATCHES: &str = "SELECT count(*) FROM measurement WHERE measured_on >= '1990-01-01' AND measured_on < '2000-01-01'";

/// Another process on the same database.
async fn elsewhere(world: &World) -> Store {
    let options = Options {
        url: world.url(),
        connections: 1,
        schema: None,
    };
    Store::open(&options).await.expect("it opens")
}

/// What the writer of SQLite runs into. A connection that has failed is not used again, so each is over after once.
const FAULTS: &[(&str, &str)] = &[
    ("a full disk", "PRAGMA max_page_count = 1"),
    ("a disk that may not be written", "PRAGMA query_only = ON"),
];

#[tokio::test]
async fn nothing_acknowledged_is_lost_after_a_write_that_failed() {
    if on_postgres() {
        return;
    }
    for (fault, pragma) in FAULTS {
        for refused in [false, true] {
            for failures in 1..=3 {
                let world = World::small().await;
                let case = format!("{fault}, {failures} times, refused behind it: {refused}");
                holds(&world, pragma, failures, refused, &case).await;
            }
        }
    }
}

async fn holds(world: &World, pragma: &str, failures: i32, refused: bool, case: &str) {
    let mut recorder = Recorder::of(world).await;
    recorder.records().await;
    assert_eq!(recorder.acknowledged, BATCH, "{case}");
    for _ in 0..failures {
        let writer = world.store.writer();
        writer.execute_unprepared(pragma).await.expect("it is said");
        let answer = recorder.records().await;
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(*code, "SERVICE_UNAVAILABLE", "{case}: {answer}");
        if refused {
            let stranger = world.sign_in("stranger").await;
            let input = batch(&recorder.kpi, 0);
            let codes = stranger.refused(
                "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) { userErrors { code } } }",
                input,
            );
            assert_eq!(codes.await, ["FORBIDDEN"], "{case}");
        }
    }
    for _ in 0..8 {
        let answer = recorder.records().await;
        assert_eq!(
            answer["data"]["kpiMeasurementsRecord"]["recorded"], BATCH,
            "{case}: {answer}"
        );
    }
    world
        .sign_in_anew("lead")
        .await
        .ask("{ viewer { account { key } } }", Value::Null)
        .await;
    let other = elsewhere(world).await;
    assert_eq!(
        number(other.reader(), OF_BATCHES).await,
        recorder.acknowledged,
        "{case}"
    );
    let tx = other.begin().await.expect("nobody is locked out");
    tx.rollback().await.expect("it ends");
    assert_eq!(world.store.find_trouble().await, None, "{case}");
}

#[tokio::test]
async fn a_server_that_cannot_keep_anything_says_so_until_it_can() {
    if on_postgres() {
        return;
    }
    let world = World::small().await;
    let mut recorder = Recorder::of(&world).await;
    let read_only = "PRAGMA query_only = ON";
    let writer = world.store.writer();
    writer
        .execute_unprepared(read_only)
        .await
        .expect("it is said");
    recorder.records().await;
    writer
        .execute_unprepared(read_only)
        .await
        .expect("it is said");
    assert_eq!(world.store.find_trouble().await, Some(Trouble::Unwritable));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(world.store.find_trouble().await, None);
}

/// The file of the server's database is gone: whatever it answered from now on would be lost with it.
#[tokio::test]
async fn a_server_whose_file_is_gone_is_not_ready() {
    if on_postgres() {
        return;
    }
    let world = World::small().await;
    assert_eq!(world.store.find_trouble().await, None);
    let url = world.url();
    let file = Path::new(url.trim_start_matches("sqlite://")).to_owned();
    std::fs::rename(&file, file.with_extension("aside")).expect("it is moved");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(world.store.find_trouble().await, Some(Trouble::FileGone));
}

/// Ends every other session of the database.
const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn say(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.expect("it is said");
}

#[tokio::test]
async fn sessions_that_postgresql_ends_lose_nothing_and_are_not_our_fault() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let mut recorder = Recorder::of(&world).await;
    let operator = world.db();
    for round in 0..20 {
        let (answer, ()) = tokio::join!(recorder.records(), async {
            tokio::time::sleep(Duration::from_millis(round)).await;
            number(&operator, TERMINATE).await;
        });
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_ne!(*code, "INTERNAL_SERVER_ERROR", "round {round}: {answer}");
    }
    let kept = number(world.store.reader(), OF_BATCHES).await;
    assert!(
        kept >= recorder.acknowledged,
        "{kept} of {}",
        recorder.acknowledged
    );
    assert_eq!(kept % BATCH, 0, "half a batch was kept");
}

#[tokio::test]
async fn a_standby_takes_no_writes_and_says_so() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    let operator = world.db();
    let name = world.url().rsplit_once('/').expect("a name").1.to_owned();
    say(
        &operator,
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
    )
    .await;
    number(&operator, TERMINATE).await;
    let input = batch(&ids["PRICE"], 0);
    let answer = cx.send(RECORD, json!({ "input": input })).await;
    let code = &answer["errors"][0]["extensions"]["code"];
    assert_eq!(*code, "SERVICE_UNAVAILABLE", "{answer}");
}

#[tokio::test]
async fn a_row_that_somebody_holds_is_waited_for_no_longer_than_a_lock_may_take() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    let operator = world.db();
    let held = sea_orm::TransactionTrait::begin(&operator)
        .await
        .expect("it begins");
    held.execute_unprepared("SELECT id FROM channel FOR UPDATE")
        .await
        .expect("they are held");
    let channel = cx
        .ask(
            "{ channels(first: 1) { nodes { id version } } }",
            Value::Null,
        )
        .await;
    let channel = &channel["channels"]["nodes"][0];
    let input =
        json!({ "id": channel["id"], "expectedVersion": channel["version"], "name": "Other" });
    let held_up = cx.send(RENAME, json!({ "input": input }));
    let record = cx.send(RECORD, json!({ "input": batch(&ids["PRICE"], 0) }));
    let (held_up, recorded) = tokio::join!(held_up, record);
    let code = &held_up["errors"][0]["extensions"]["code"];
    assert_eq!(*code, "SERVICE_UNAVAILABLE", "{held_up}");
    assert_eq!(recorded["data"]["kpiMeasurementsRecord"]["recorded"], BATCH);
}

/// A server on a disk whose files can be kept from growing.
struct OnDisk {
    server: Server,
    directory: tempfile::TempDir,
}

impl OnDisk {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let url = sqlite(directory.path());
        make_admin(&url);
        // What goes beyond the limit would otherwise end the program.
        let mut command = Command::new("env");
        command.args(["--ignore-signal=XFSZ", env!("CARGO_BIN_EXE_cx-blueprint")]);
        command.args(["serve", "--database-url", &url, "--listen", "127.0.0.1:0"]);
        Self {
            server: Server::spawn(&mut command),
            directory,
        }
    }

    /// Lets no file grow beyond so many bytes: the next commit that would fails with an I/O error.
    fn limit(&self, bytes: &str) {
        let pid = self.server.child.id().to_string();
        let size = format!("--fsize={bytes}:unlimited");
        let limited = Command::new("prlimit")
            .args(["--pid", &pid, &size])
            .status();
        assert!(limited.expect("prlimit runs").success());
    }

    fn sign_in(&self) -> String {
        let body = r#"{"login":"me","password":"a long password of mine"}"#;
        self.server.post("/auth/login", body)
    }

    fn ready(&self) -> String {
        let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        self.server.says(request)
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_commit_that_the_disk_refuses_is_no_success_and_what_comes_after_it_is_kept() {
    let disk = OnDisk::new();
    let mut acknowledged = 0;
    for round in 0..6 {
        disk.limit("4096");
        for _ in 0..=round % 3 {
            let refused = disk.sign_in();
            assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
            assert!(refused.contains("retry-after"), "{refused}");
        }
        disk.limit("unlimited");
        for _ in 0..3 {
            let answer = disk.sign_in();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            acknowledged += 1;
        }
        let asked = disk.server.asks(
            "me",
            "a long password of mine",
            "{ viewer { account { key } } }",
        );
        assert!(asked.contains(r#""key":"me""#), "{asked}");
        acknowledged += 1;
    }
    assert!(disk.ready().contains("ready"), "{}", disk.ready());
    let OnDisk { server, directory } = disk;
    drop(server);
    let file = directory.path().join("own.db").display().to_string();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let kept = runtime.block_on(async {
        let options = Options {
            url: format!("sqlite://{file}"),
            connections: 1,
            schema: None,
        };
        let store = Store::open(&options).await.expect("it opens");
        number(store.reader(), "SELECT count(*) FROM session").await
    });
    assert_eq!(kept, acknowledged);
}
