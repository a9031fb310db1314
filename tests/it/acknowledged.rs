//! What an acknowledgement rests on: the log that SQLite really writes, on the disk before anybody is told, whoever
//! wrote into it and whoever still waits.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use futures_util::future::poll_immediate;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    cli::{Server, make_admin},
    ids::Ids,
    world::{Actor, PASSWORD, World, on_postgres},
};

const LOGIN: &str = r#"{"login":"me","password":"a long password of mine"}"#;
const READY: &str = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// A server on a file that its URL names in some way.
struct Named {
    server: Server,
    /// Where the file is.
    file: PathBuf,
    _directory: tempfile::TempDir,
}

/// Ways to name the file `base.db`, or `my base.db`, of a directory.
const WAYS: &[&str] = &[
    "plainly",
    "by a link",
    "by a link to nothing",
    "percent-encoded",
];

impl Named {
    fn new(way: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let within = |name: &str| directory.path().join(name);
        let (file, named) = match way {
            "percent-encoded" => (within("my base.db"), within("my%20base.db")),
            "plainly" => (within("base.db"), within("base.db")),
            _ => (within("base.db"), within("link.db")),
        };
        if way == "by a link" {
            fs::write(&file, "").expect("it is made");
        }
        if way.contains("link") {
            std::os::unix::fs::symlink(&file, &named).expect("it is linked");
        }
        let url = format!("sqlite://{}", named.display());
        make_admin(&url);
        let server = Server::start(&["serve", "--database-url", &url, "--listen", "127.0.0.1:0"]);
        assert_eq!(
            way == "percent-encoded",
            !named.exists(),
            "{way}: no other file is made"
        );
        Self {
            server,
            file,
            _directory: directory,
        }
    }

    fn signs_in(&self) -> bool {
        let answer = self.server.post("/auth/login", LOGIN);
        let done = answer.starts_with("HTTP/1.1 200");
        assert!(
            done || answer.starts_with("HTTP/1.1 50"),
            "neither done nor failed: {answer}"
        );
        done
    }

    fn is_ready(&self) -> bool {
        std::thread::sleep(Duration::from_millis(1_100));
        self.server.says(READY).starts_with("HTTP/1.1 200")
    }
}

fn log_of(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", file.display()))
}

#[test]
fn what_is_synced_is_the_log_that_is_written_however_the_file_is_named() {
    for way in WAYS {
        let named = Named::new(way);
        assert!(named.signs_in() && named.is_ready(), "{way}");
        fs::rename(log_of(&named.file), named.file.with_extension("aside")).expect("it is moved");
        assert!(!named.signs_in(), "{way}: it would be lost with the log");
        assert!(!named.is_ready(), "{way}");
    }
}

#[test]
fn nothing_is_acknowledged_into_a_file_that_was_replaced() {
    for way in WAYS {
        let named = Named::new(way);
        assert!(named.signs_in(), "{way}");
        let aside = named.file.with_extension("aside");
        fs::rename(&named.file, &aside).expect("it is moved");
        assert!(!named.signs_in(), "{way}, gone");
        fs::write(&named.file, "").expect("another one is there");
        assert!(!named.signs_in(), "{way}, replaced");
        assert!(!named.is_ready(), "{way}");
        assert_eq!(fs::read(&named.file).expect("it is read"), b"", "{way}");
    }
}

#[test]
fn a_new_file_is_its_owners_alone_however_it_is_named() {
    use std::os::unix::fs::PermissionsExt;
    for way in WAYS.iter().filter(|way| **way != "by a link") {
        let named = Named::new(way);
        for file in [named.file.clone(), log_of(&named.file)] {
            let mode = fs::metadata(&file)
                .expect("it is there")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{way}: {}", file.display());
        }
    }
}

/// Sends one request over a connection that stays, and gives the status of the answer.
fn over(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).expect("it listens");
    let mut answer = vec![0; 16 * 1024];
    let read = stream.read(&mut answer).expect("it answers");
    String::from_utf8_lossy(&answer[..read])
        .chars()
        .skip(9)
        .take(3)
        .collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_without_a_file_handle_left_keeps_what_it_acknowledges() {
    let named = Named::new("plainly");
    assert!(named.signs_in());
    let login = format!(
        "POST /auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{LOGIN}",
        LOGIN.len()
    );
    let mut stream = TcpStream::connect(&named.server.address).expect("it answers");
    assert_eq!(over(&mut stream, &login), "200");
    let limit = |soft: &str| {
        let pid = named.server.child.id().to_string();
        let files = format!("--nofile={soft}:");
        let limited = Command::new("prlimit")
            .args(["--pid", &pid, &files])
            .status();
        assert!(limited.expect("prlimit runs").success());
    };
    limit("3");
    assert_eq!(over(&mut stream, &login), "200");
    limit("512");
    assert!(named.signs_in(), "and goes on when there are some again");
    assert!(named.is_ready());
}

const CREATE: &str = "mutation($input: ChannelCreateInput!) { channelCreate(input: $input) {
    channel { id version } userErrors { code }
} }";
const UPDATE: &str = "mutation($input: ChannelUpdateInput!) { channelUpdate(input: $input) {
    channel { id version } userErrors { code }
} }";

#[tokio::test]
async fn what_was_done_already_is_answered_when_it_is_on_the_disk() {
    if on_postgres() {
        return;
    }
    let world = World::small().await;
    let cx = world.sign_in("cx-manager").await;
    let id = format!("chn_{}", cx_blueprint::id::new_hex());
    let pigeon = json!({ "id": id, "name": "Pigeon", "medium": "OTHER" });
    let made = cx.does(CREATE, pigeon.clone()).await;
    let before = world.store.sync_count();
    cx.does(CREATE, pigeon).await;
    assert!(world.store.sync_count() > before, "made once, sent twice");
    let before = world.store.sync_count();
    let version = &made["channel"]["version"];
    let same = json!({ "id": id, "expectedVersion": version, "name": "Pigeon" });
    cx.does(UPDATE, same).await;
    assert!(
        world.store.sync_count() > before,
        "a change that changes nothing"
    );

    let login = json!({ "login": "lead", "password": PASSWORD });
    let (_, tokens) = world.post("/auth/login", None, &login).await;
    let token = json!({ "refreshToken": tokens["refreshToken"] });
    for path in ["/auth/refresh", "/auth/logout"] {
        world.post(path, None, &token).await;
        let before = world.store.sync_count();
        let (status, answer) = world.post(path, None, &token).await;
        assert!(status.is_success(), "{path}: {answer}");
        assert!(world.store.sync_count() > before, "{path}, sent twice");
    }
}

async fn name(world: &World, id: &Value) -> String {
    let cx = world.sign_in("cx-manager").await;
    let all = cx
        .ask(
            "{ channels(first: 100) { nodes { id name } } }",
            Value::Null,
        )
        .await;
    let nodes = all["channels"]["nodes"].as_array().expect("nodes");
    let node = nodes
        .iter()
        .find(|node| node["id"] == *id)
        .expect("it is there");
    node["name"].as_str().expect("a name").to_owned()
}

/// Whoever writes has had their turn: what was under way is over.
async fn quiet(world: &World) {
    let tx = world.store.begin().await.expect("it begins");
    tx.rollback().await.expect("it ends");
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// A channel, to be renamed again and again.
struct Renamed<'w> {
    actor: Actor<'w>,
    id: Value,
    version: i64,
}

impl<'w> Renamed<'w> {
    async fn new(world: &'w World) -> Self {
        let actor = world.sign_in("cx-manager").await;
        let made = actor
            .does(CREATE, json!({ "name": "Pigeon", "medium": "OTHER" }))
            .await;
        Self {
            actor,
            id: made["channel"]["id"].clone(),
            version: 1,
        }
    }

    fn to(&self, name: &str) -> Value {
        json!({ "id": self.id, "expectedVersion": self.version, "name": name })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_follows_a_commit_follows_although_the_client_has_gone() {
    let world = World::small().await;
    let mut channel = Renamed::new(&world).await;
    let mut kept = 0;
    for round in 0..200_u64 {
        quiet(&world).await;
        // What was told before is taken in.
        poll_immediate(Box::pin(world.store.wait_written())).await;
        let named = format!("Pigeon {round}");
        let input = channel.to(&named);
        let sent = channel.actor.send(UPDATE, json!({ "input": input }));
        drop(timeout(Duration::from_micros(round * 200), sent).await);
        quiet(&world).await;
        if name(&world, &channel.id).await == named {
            channel.version += 1;
            kept += 1;
            let told = timeout(Duration::from_secs(1), world.store.wait_written()).await;
            assert!(
                told.is_ok(),
                "round {round}: it is kept, and nobody was told"
            );
        }
    }
    assert!(kept > 0, "some were kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_at_the_deadline_says_whether_it_may_have_been_done() {
    let world = World::small().await;
    let mut channel = Renamed::new(&world).await;
    for round in 0..60_u64 {
        let hasty = world
            .with_deadline(Duration::from_micros(500 + round * 500))
            .await;
        let named = format!("Pigeon {round}");
        let input = channel.to(&named);
        let token = channel.actor.token.clone();
        let body = json!({ "query": UPDATE, "variables": { "input": input } });
        let (_, answer) = hasty.post("/graphql", Some(&token), &body).await;
        quiet(&hasty).await;
        quiet(&world).await;
        if name(&world, &channel.id).await == named {
            channel.version += 1;
            let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
            let owned_up = answer.get("errors").is_none() || message.contains("Check whether");
            assert!(owned_up, "round {round}: {answer}");
        }
    }
}

#[tokio::test]
async fn what_was_erased_leaves_the_log_when_nobody_reads_from_it_any_more() {
    if on_postgres() {
        return;
    }
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let answer = json!({ "scale": "NPS", "score": 3, "touchpointId": ids["T2"], "answeredOn": "2025-03-04",
        "respondent": "qqperson" });
    let record = "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) { userErrors { code } } }";
    manager.does(record, json!({ "feedback": [answer] })).await;
    let url = world.url();
    let log = log_of(Path::new(url.trim_start_matches("sqlite://")));
    let is_in_log = || {
        let bytes = fs::read(&log).expect("it is there");
        bytes.windows(8).any(|some| some == b"qqperson")
    };
    assert!(is_in_log());
    let reading = world.store.begin_snapshot().await.expect("it begins");
    let looks = Statement::from_string(world.store.backend(), "SELECT count(*) FROM feedback");
    reading.query_one_raw(looks).await.expect("it reads");
    let erase = "mutation($input: RespondentEraseInput!) { respondentErase(input: $input) { erased userErrors { code } } }";
    let done = manager
        .does(erase, json!({ "respondent": "qqperson" }))
        .await;
    assert_eq!(done["erased"], json!(1));
    assert!(is_in_log(), "somebody reads from it");
    reading.commit().await.expect("it ends");
    for _ in 0..100 {
        if !is_in_log() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it was forgotten");
}
