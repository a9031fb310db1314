//! A disk that fails: whichever call of a write or a read it fails, at its beginning, in the middle or at its commit,
//! once or again, with a refusal behind it or without, what was acknowledged is there afterwards, nothing that was
//! refused is, and another process gets in.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use cx_blueprint::database::{Options, Store};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::Value;

use crate::{
    cli::{Server, make_account, program, sqlite},
    world::said,
};

const LOGIN: &str = r#"{"login":"me","password":"a long password of mine"}"#;

/// What fails, as `disk/faults.c` numbers it, and the `errno` of it.
const FAULTS: &[(&str, i32, i32)] = &[
    ("a full disk", WRITES, 28),
    ("writes that fail", WRITES, 5),
    ("reads that fail", READS, 5),
    ("a disk that becomes read-only", WRITES + SYNCS, 30),
    ("syncs that fail", SYNCS, 5),
];
const READS: i32 = 1;
const WRITES: i32 = 2;
const SYNCS: i32 = 4;

/// What came of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// Nothing was kept.
    NotDone,
    /// It may have been done.
    Unknown,
}

/// A server on a disk that fails when it is told to.
struct Disk {
    directory: tempfile::TempDir,
    library: PathBuf,
    /// The five numbers of `disk/faults.c`.
    faults: File,
    server: Option<Server>,
    token: String,
    /// Acts by what came of them, as their keys in the database.
    done: Vec<String>,
    not_done: Vec<String>,
    tried: usize,
}

impl Disk {
    fn new(library: &Path) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        make_account(&sqlite(directory.path()), "CX_MANAGER");
        let faults = OpenOptions::new()
            .create_new(true)
            .write(true)
            .read(true)
            .open(directory.path().join("faults"));
        let faults = faults.expect("it is made");
        faults.write_all_at(&[0; 20], 0).expect("it is written");
        let mut disk = Self {
            directory,
            library: library.to_owned(),
            faults,
            server: None,
            token: String::new(),
            done: Vec::new(),
            not_done: Vec::new(),
            tried: 0,
        };
        disk.start();
        disk
    }

    fn start(&mut self) {
        self.server = None;
        let within = self.directory.path();
        let url = sqlite(within);
        let mut command = program();
        command.env("LD_PRELOAD", &self.library);
        command.env("DISK_FAULTS", within.join("faults"));
        command.env("DISK_FILE", within.join("own.db"));
        command.args(["serve", "--database-url", &url, "--listen", "127.0.0.1:0"]);
        let server = Server::spawn(&mut command);
        let answer = server.post("/auth/login", LOGIN);
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let tokens: Value = serde_json::from_str(body).expect("tokens");
        self.token = tokens["accessToken"].as_str().expect("a token").to_owned();
        self.server = Some(server);
    }

    /// Of these calls, so many end well, and then so many fail.
    fn fails(&self, (_, which, error): (&str, i32, i32), after: i32, times: i32) {
        self.stops();
        for (at, number) in [error, after, times, 0].into_iter().enumerate() {
            self.say(at as u64 + 1, number);
        }
        self.say(0, which);
    }

    fn stops(&self) {
        self.say(0, 0);
    }

    fn say(&self, at: u64, number: i32) {
        let bytes = number.to_ne_bytes();
        self.faults
            .write_all_at(&bytes, at * 4)
            .expect("it is said");
    }

    /// How many calls have failed since it was told to.
    fn failed(&self) -> i32 {
        let mut bytes = [0; 4];
        self.faults
            .read_exact_at(&mut bytes, 16)
            .expect("it is read");
        i32::from_ne_bytes(bytes)
    }

    fn asks(&self, query: &str) -> (Outcome, Value) {
        let server = self.server.as_ref().expect("a server");
        let answer = server.graphql(&self.token, query);
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let outcome = match head.split(' ').nth(1) {
            Some("200") => Outcome::Done,
            Some("503") => Outcome::NotDone,
            Some("504") => Outcome::Unknown,
            _ => panic!("neither done nor failed: {answer}"),
        };
        assert!(
            outcome != Outcome::NotDone || head.contains("retry-after"),
            "{answer}"
        );
        (outcome, serde_json::from_str(body).expect("JSON"))
    }

    /// An act.
    fn writes(&mut self) -> Outcome {
        self.tried += 1;
        let key = format!("S{}", self.tried);
        let query = format!(
            r#"mutation {{ segmentCreate(input: {{ key: "{key}", dimension: "D", value: "{key}" }}) {{ segment {{ key }} userErrors {{ code }} }} }}"#
        );
        let (outcome, answer) = self.asks(&query);
        let made = answer["data"]["segmentCreate"]["segment"]["key"] == key.as_str();
        assert_eq!(made, outcome == Outcome::Done, "{answer}");
        match outcome {
            Outcome::Done => self.done.push(key),
            Outcome::NotDone => self.not_done.push(key),
            Outcome::Unknown => {}
        }
        outcome
    }

    fn reads(&self) -> Outcome {
        let (outcome, answer) = self.asks("{ segments(first: 100) { nodes { key } } }");
        if outcome == Outcome::Done {
            let there = answer["data"]["segments"]["nodes"].as_array();
            let there = there.unwrap_or_else(|| panic!("dressed as success: {answer}"));
            let there: Vec<&str> = there.iter().filter_map(|row| row["key"].as_str()).collect();
            let lost = |key: &&String| !there.contains(&key.as_str());
            assert_eq!(self.done.iter().find(lost), None, "{answer}");
        }
        outcome
    }

    /// An act that is refused, and takes its transaction back.
    fn is_refused(&self) {
        let query = r#"mutation { segmentCreate(input: { dimension: "", value: "" }) { userErrors { code } } }"#;
        let (outcome, answer) = self.asks(query);
        let codes = answer["data"]["segmentCreate"]["userErrors"].as_array();
        assert!(
            outcome != Outcome::Done || codes.is_some_and(|codes| !codes.is_empty()),
            "{answer}"
        );
    }

    /// Gets in beside the server, ends that at once, and looks at what is there.
    fn holds(mut self, case: &str) {
        let options = Options {
            url: sqlite(self.directory.path()),
            connections: 1,
            schema: None,
        };
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let other = Store::open(&options).await.expect("it opens");
            let tx = other.begin().await.expect("nobody is locked out");
            tx.rollback().await.expect("it ends");
        });
        self.server = None;
        let there: Vec<String> = runtime.block_on(async {
            let store = Store::open(&options).await.expect("it opens");
            let reader = store.reader();
            let keys =
                Statement::from_string(reader.get_database_backend(), "SELECT key FROM segment");
            let rows = reader.query_all_raw(keys).await.expect("they are read");
            let keys = rows.iter().map(|row| row.try_get_by_index(0));
            keys.collect::<Result<_, _>>().expect("keys")
        });
        let is_there = |key: &&String| there.contains(key);
        let lost: Vec<&String> = self.done.iter().filter(|key| !is_there(key)).collect();
        assert!(lost.is_empty(), "{case}: {lost:?} were acknowledged");
        let kept: Vec<&String> = self.not_done.iter().filter(is_there).collect();
        assert!(kept.is_empty(), "{case}: {kept:?} were refused");
    }
}

/// The library that lets calls fail, built into this directory.
fn library(directory: &Path) -> PathBuf {
    let built = directory.join("faults.so");
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]);
    command
        .arg(&built)
        .arg("tests/it/disk/faults.c")
        .arg("-ldl");
    assert!(command.status().expect("a C compiler").success());
    built
}

/// `DISK_CALLS` says up to which call of an act each is failed, one after the other.
fn calls() -> i32 {
    said("DISK_CALLS").unwrap_or(3)
}

#[test]
fn nothing_acknowledged_is_lost_whichever_call_to_the_disk_fails() {
    let directory = tempfile::tempdir().expect("a directory");
    let library = library(directory.path());
    for fault in FAULTS {
        let mut failed = 0;
        for after in 0..calls() {
            for (times, refused) in [(1, false), (1, true), (3, true)] {
                let case = format!(
                    "{}, call {after}, {times} times, refused behind it: {refused}",
                    fault.0
                );
                let mut disk = Disk::new(&library);
                assert_eq!(disk.writes(), Outcome::Done, "{case}");
                disk.fails(*fault, after, times);
                for _ in 0..3 {
                    disk.writes();
                    if refused {
                        disk.is_refused();
                    }
                    disk.reads();
                }
                disk.stops();
                failed += disk.failed();
                // After a sync that failed nobody knows what is on the disk: the server writes no more.
                let ends = fault.1 & SYNCS != 0 && disk.failed() > 0;
                if ends {
                    disk.start();
                }
                for _ in 0..3 {
                    assert_eq!(disk.writes(), Outcome::Done, "{case}");
                    assert_eq!(disk.reads(), Outcome::Done, "{case}");
                }
                disk.holds(&case);
            }
        }
        assert!(failed > 0, "{}: nothing has failed", fault.0);
    }
}
