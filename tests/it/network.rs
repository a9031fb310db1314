//! PostgreSQL behind a network that goes silent: whoever waits for it stops waiting, nothing is called kept or not kept
//! that is not known to be, and when the network is back, so is the server.

use std::{
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use cx_blueprint::{
    database::{CommitError, Options, Store},
    error::Error,
};
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    cli::{Server, program},
    world::{World, on_postgres, read},
};

/// A way to PostgreSQL that can be cut. What is on the way then is lost, and so is every connection that was open: as
/// when a server fails over to another, nothing comes on them any more, not even their end.
struct Network {
    url: String,
    state: watch::Sender<State>,
    at_commit: Arc<Mutex<Option<AtCommit>>>,
}

#[derive(Clone, Copy, Default)]
struct State {
    silent: bool,
    cuts: u32,
}

/// What comes instead of the answer to a COMMIT, which PostgreSQL has been told.
#[derive(Clone, Debug)]
enum AtCommit {
    Nothing,
    TheEnd,
    Bytes(Vec<u8>),
}

impl Network {
    /// A way to the database of this world.
    async fn to(world: &World) -> Self {
        let url = world.url();
        let (user, rest) = url.split_once('@').expect("a user in the URL");
        let (host, database) = rest.split_once('/').expect("a database in the URL");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (state, seen) = watch::channel(State::default());
        let at_commit = Arc::default();
        let way = Way {
            host: host.into(),
            seen,
            at_commit: Arc::clone(&at_commit),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let way = way.clone();
                tokio::spawn(async move { way.carry(client).await });
            }
        });
        Self {
            url: format!("{user}@{address}/{database}"),
            state,
            at_commit,
        }
    }

    fn goes_silent(&self) {
        self.state.send_modify(|state| {
            state.silent = true;
            state.cuts += 1;
        });
    }

    fn returns(&self) {
        self.state.send_modify(|state| state.silent = false);
    }

    fn at_commit(&self, what: AtCommit) {
        *self.at_commit.lock().expect("nobody panicked") = Some(what);
    }
}

#[derive(Clone)]
struct Way {
    host: Arc<str>,
    seen: watch::Receiver<State>,
    at_commit: Arc<Mutex<Option<AtCommit>>>,
}

impl Way {
    async fn carry(self, mut client: TcpStream) -> Option<()> {
        let opened = self.seen.borrow().cuts;
        self.is_open(opened).await;
        let mut server = TcpStream::connect(&*self.host).await.ok()?;
        let (mut asked, mut said) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut mute = false;
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let sent = &asked[..read.ok().filter(|read| *read > 0)?];
                    self.is_open(opened).await;
                    server.write_all(sent).await.ok()?;
                    let commits = sent.windows(7).any(|part| part == b"COMMIT\0");
                    let instead = commits.then(|| self.at_commit.lock().expect("nobody panicked").take());
                    if let Some(instead) = instead.flatten() {
                        // PostgreSQL is done with it before anything is said.
                        server.read(&mut said).await.ok().filter(|read| *read > 0)?;
                        mute = true;
                        match instead {
                            AtCommit::Nothing => {}
                            AtCommit::TheEnd => return None,
                            AtCommit::Bytes(bytes) => client.write_all(&bytes).await.ok()?,
                        }
                    }
                }
                read = server.read(&mut said) => {
                    let sent = &said[..read.ok().filter(|read| *read > 0)?];
                    self.is_open(opened).await;
                    if !mute {
                        client.write_all(sent).await.ok()?;
                    }
                }
            }
        }
    }

    /// Waits until something can pass, for ever on a connection that was cut.
    async fn is_open(&self, opened: u32) {
        let mut seen = self.seen.clone();
        let open = seen.wait_for(|state| !state.silent && state.cuts == opened);
        if open.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// An error as PostgreSQL says it.
fn says(severity: &str, code: &str) -> Vec<u8> {
    let fields = format!("S{severity}\0V{severity}\0C{code}\0Mit was told so\0\0");
    let length = u32::try_from(fields.len() + 4).expect("short");
    [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat()
}

fn segment(key: &str) -> String {
    format!(
        "INSERT INTO segment (id, key, dimension, value, created_at, version)
         VALUES (gen_random_uuid(), '{key}', 'MARKET', 'Denmark', '2026-01-01T00:00:00+00:00', 1)"
    )
}

async fn number(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = db.query_one_raw(statement).await.expect("it is counted");
    row.expect("a row").try_get_by_index(0).expect("a number")
}

async fn open(url: &str) -> Store {
    let options = Options {
        url: url.to_owned(),
        connections: 2,
        schema: None,
    };
    Store::open(&options).await.expect("it opens")
}

async fn status_of(world: &World, path: &str) -> (StatusCode, Value, Duration) {
    let begun = Instant::now();
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let (status, said) = read(world.send(request).await).await;
    (status, said, begun.elapsed())
}

const LOOK: &str = "{ channels(first: 3) { nodes { id } } }";
const MAKE: &str = "mutation($input: SegmentCreateInput!) { segmentCreate(input: $input) { userErrors { code } } }";

#[tokio::test]
async fn a_server_behind_a_silent_network_says_so_and_is_back_with_it() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let network = Network::to(&world).await;
    let deadline = Duration::from_secs(2);
    let served = world.by_way_of(&network.url, deadline).await;
    let cx = served.sign_in("cx-manager").await;
    // Every connection is open, and every place is taken by something that takes long, or will be.
    join_all((0..8).map(|_| cx.ask(LOOK, Value::Null))).await;
    let (status, ..) = status_of(&served, "/readyz").await;
    assert_eq!(status, StatusCode::OK);
    let long = (0..6).map(|_| {
        let asked = served
            .store
            .reader()
            .execute_unprepared("SELECT pg_sleep(20)");
        timeout(deadline, asked)
    });
    let cut = async {
        sleep(Duration::from_millis(300)).await;
        network.goes_silent();
    };
    let (long, ()) = futures_util::future::join(join_all(long), cut).await;
    assert!(long.iter().all(Result::is_err), "they were to take long");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(10) {
        let asked = Instant::now();
        let input = json!({ "input": { "dimension": "MARKET", "value": "Sweden" } });
        let (query, mutation, ready, alive) = tokio::join!(
            cx.send(LOOK, Value::Null),
            cx.send(MAKE, input),
            status_of(&served, "/readyz"),
            status_of(&served, "/healthz"),
        );
        for answer in [query, mutation] {
            let code = &answer["errors"][0]["extensions"]["code"];
            let known = *code == "SERVICE_UNAVAILABLE" || *code == "TIMEOUT";
            assert!(known, "{answer}");
        }
        assert_eq!(ready.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ready.1["error"]["message"], "The database does not answer.");
        assert!(ready.2 < Duration::from_secs(6), "{:?}", ready.2);
        assert_eq!(alive.0, StatusCode::OK);
        assert!(alive.2 < Duration::from_secs(1), "{:?}", alive.2);
        assert!(
            asked.elapsed() < Duration::from_secs(7),
            "{:?}",
            asked.elapsed()
        );
    }
    network.returns();
    let back = Instant::now();
    sleep(Duration::from_secs(3)).await;
    let input = json!({ "input": { "dimension": "MARKET", "value": "Norway" } });
    let all = join_all((0..6).map(|_| cx.send(LOOK, Value::Null)));
    let (queries, made) = tokio::join!(all, cx.send(MAKE, input));
    for answer in queries.iter().chain([&made]) {
        assert!(answer.get("errors").is_none(), "{answer}");
    }
    let (status, said, _) = status_of(&served, "/readyz").await;
    assert_eq!(status, StatusCode::OK, "{said}");
    assert!(
        back.elapsed() < Duration::from_secs(6),
        "{:?}",
        back.elapsed()
    );
}

/// What waits without a deadline of a request waits no longer than for a statement that is given up by PostgreSQL.
#[tokio::test]
async fn nothing_waits_for_a_silent_database_for_ever() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let network = Network::to(&world).await;
    let served = world.by_way_of(&network.url, Duration::from_secs(10)).await;
    let store = open(&network.url).await;
    let tx = store.begin().await.expect("it begins");
    let insert = segment("unknown");
    tx.execute_unprepared(&insert).await.expect("it is written");
    let other = store.begin().await.expect("it begins");
    let idle = store.begin_snapshot().await.expect("it begins");
    let begun = Instant::now();
    let renewed = async {
        // It is at its first statements when the network goes.
        sleep(Duration::from_millis(1)).await;
        served.renews_findings().await
    };
    let silence = async { network.goes_silent() };
    let waits = async {
        tokio::join!(
            tx.commit(),
            other.execute_unprepared("UPDATE segment SET value = 'Iceland'"),
            idle.rollback(),
            renewed,
            silence,
        )
    };
    let (commit, update, rollback, renewed, ()) = timeout(Duration::from_secs(60), waits)
        .await
        .expect("nobody waits for ever");
    assert!(
        begun.elapsed() > Duration::from_secs(30),
        "a statement may take long"
    );
    assert!(matches!(commit, Err(CommitError::Unknown(_))), "{commit:?}");
    let update = Error::from(update.expect_err("it is silent"));
    assert!(matches!(update, Error::Unavailable(_)), "{update:?}");
    assert!(rollback.is_err());
    assert!(matches!(renewed, Err(Error::Unavailable(_))), "{renewed:?}");
    // Behind a failure that is nobody's fault comes no fault.
    let behind = other.execute_unprepared("SELECT 1").await;
    let behind = Error::from(behind.expect_err("it has failed"));
    assert!(matches!(behind, Error::Unavailable(_)), "{behind:?}");
    drop(other);
    network.returns();
    let again = timeout(Duration::from_secs(8), store.begin()).await;
    let again = again.expect("a place is free").expect("it begins");
    again.rollback().await.expect("it ends");
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_never_called_lost() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let half = says("ERROR", "40001")[..9].to_vec();
    let foreign = b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec();
    let mut ends = vec![
        AtCommit::TheEnd,
        AtCommit::Nothing,
        AtCommit::Bytes(half),
        AtCommit::Bytes(foreign),
    ];
    for (severity, code) in [
        ("PANIC", "XX000"),
        ("FATAL", "XX000"),
        ("FATAL", "57P01"),
        ("FATAL", "57P02"),
        ("FATAL", "57P03"),
        ("FATAL", "25P03"),
        ("FATAL", "08P01"),
        ("ERROR", "08007"),
        ("ERROR", "40003"),
        ("ERROR", "58030"),
    ] {
        ends.push(AtCommit::Bytes(says(severity, code)));
    }
    let cases = ends.into_iter().enumerate();
    join_all(cases.map(|(case, end)| commits_into(&world, case, end))).await;
}

async fn commits_into(world: &World, case: usize, end: AtCommit) {
    let network = Network::to(world).await;
    let store = open(&network.url).await;
    let insert = segment(&format!("kept-{case}"));
    let tx = store.begin().await.expect("it begins");
    tx.execute_unprepared(&insert).await.expect("it is written");
    network.at_commit(end.clone());
    let ended = timeout(Duration::from_secs(50), tx.commit()).await;
    let ended = ended.unwrap_or_else(|_| panic!("{end:?} is waited for"));
    let kept = format!("SELECT count(*) FROM segment WHERE key = 'kept-{case}'");
    assert_eq!(number(&world.db(), &kept).await, 1, "{end:?}");
    let unknown = matches!(ended, Err(CommitError::Unknown(_)));
    assert!(unknown, "{end:?}: {ended:?}");
}

#[tokio::test]
async fn a_deferred_check_that_fails_says_that_nothing_was_kept() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let ddl = "CREATE TABLE late (id integer PRIMARY KEY, of integer REFERENCES late (id) DEFERRABLE INITIALLY DEFERRED)";
    world.db().execute_unprepared(ddl).await.expect("a table");
    let tx = world.store.begin().await.expect("it begins");
    let insert = "INSERT INTO late VALUES (1, 2)";
    tx.execute_unprepared(insert).await.expect("it is written");
    let ended = tx.commit().await;
    assert!(matches!(ended, Err(CommitError::NotKept(_))), "{ended:?}");
}

#[tokio::test]
async fn a_statement_that_is_cancelled_has_taken_too_long() {
    if !on_postgres() {
        return;
    }
    let world = World::new().await;
    let tx = world.store.begin_snapshot().await.expect("it begins");
    let brief = "SET LOCAL statement_timeout = '50ms'";
    tx.execute_unprepared(brief).await.expect("it is set");
    let slept = tx.execute_unprepared("SELECT pg_sleep(5)").await;
    let error = Error::from(slept.expect_err("it is cancelled"));
    assert!(matches!(error, Error::TookTooLong), "{error:?}");
}

/// A server of the next version has migrated the database under one that still runs.
#[tokio::test]
async fn a_table_that_has_changed_fails_one_request_and_no_other() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let look = || {
        let sql = "SELECT * FROM segment WHERE key <> $1";
        let values = [sea_orm::Value::from("")];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        world.store.reader().query_all_raw(statement)
    };
    // On every connection of the pool.
    for looked in join_all((0..32).map(|_| look())).await {
        looked.expect("it reads");
    }
    let change = "ALTER TABLE segment ADD COLUMN newer text";
    world
        .db()
        .execute_unprepared(change)
        .await
        .expect("a column");
    let error = Error::from(look().await.expect_err("it was prepared before"));
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    for looked in join_all((0..32).map(|_| look())).await {
        looked.expect("every other connection is a new one");
    }
}

/// Connections that this opening of the database has, by what PostgreSQL says of them.
async fn connections(world: &World) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    number(&world.db(), sql).await
}

#[tokio::test]
async fn a_closed_database_lends_nothing_and_keeps_no_connection() {
    if !on_postgres() {
        return;
    }
    let world = World::new().await;
    let before = connections(&world).await;
    let store = open(&world.url()).await;
    join_all((0..4).map(|_| store.reader().execute_unprepared("SELECT 1"))).await;
    let late = store.begin().await.expect("it begins");
    let insert = segment("late");
    late.execute_unprepared(&insert)
        .await
        .expect("it is written");
    let closing = Instant::now();
    store.clone().close().await.expect("it closes");
    assert!(closing.elapsed() < Duration::from_secs(6));
    let refused = Error::from(store.begin().await.expect_err("it is closed"));
    assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
    let refused = store.reader().execute_unprepared("SELECT 1").await;
    assert!(refused.is_err());
    // What was lent before may end well, and is closed then.
    late.commit().await.expect("it is kept");
    for _ in 0..40 {
        if connections(&world).await <= before {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "a connection was kept: {} of {before}",
        connections(&world).await
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_behind_a_silent_network_stops_when_it_is_told() {
    if !on_postgres() {
        return;
    }
    let world = World::small().await;
    let network = Network::to(&world).await;
    let url = network.url.clone();
    let mut command: Command = program();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--drain-seconds", "1"])
        .args(["--database-url", &url])
        .args(["--signing-key", "q8fJ2vLx0RkTz5WmYbN7cHs4PdEgUa1o"]);
    let started = tokio::task::spawn_blocking(move || Server::spawn(&mut command));
    let mut server = started.await.expect("it starts");
    network.goes_silent();
    let body = json!({ "login": "lead", "password": "correct horse battery" }).to_string();
    let asked = format!(
        "POST /auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(&server.address)
        .await
        .expect("it listens");
    stream
        .write_all(asked.as_bytes())
        .await
        .expect("it listens");
    sleep(Duration::from_millis(500)).await;
    let told = Instant::now();
    let kill = Command::new("kill")
        .arg(server.child.id().to_string())
        .status();
    assert!(kill.expect("kill runs").success());
    while server.child.try_wait().expect("its end").is_none() {
        let long = told.elapsed();
        assert!(long < Duration::from_secs(9), "it does not end");
        sleep(Duration::from_millis(50)).await;
    }
}
