//! The command line: what it does, and the sentences with which it refuses.

mod documents;
mod stopping;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use clap::Parser;
use cx_blueprint::config::DatabaseArgs;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::generated::{fill::fill_database, size::OrganisationSize};

const DEMO: &str = include_str!("../../demo/demonstration.json");
const KEY: &str = "q8fJ2vLx0RkTz5WmYbN7cHs4PdEgUa1o";

pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cx-blueprint"));
    command.env_clear().stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .output()
        .expect("the program runs")
}

pub fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "it had to refuse: {output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn sqlite(dir: &Path) -> String {
    format!("sqlite://{}", dir.join("own.db").display())
}

/// A server that is ended with the test, and where it listens.
pub struct Server {
    pub child: Child,
    pub address: String,
}

impl Server {
    pub fn start(arguments: &[&str]) -> Self {
        Self::spawn(program().args(arguments))
    }

    /// Starts it by another command.
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, Stdio::null())
    }

    fn spawn_with(command: &mut Command, stderr: Stdio) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned))
            .expect("it says where it listens");
        Self { child, address }
    }

    /// Sends one request as bytes, and gives the whole answer as text.
    pub fn says(&self, request: &str) -> String {
        let mut stream = std::net::TcpStream::connect(&self.address).expect("it answers");
        stream.write_all(request.as_bytes()).expect("it listens");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).expect("it answers to the end");
        answer
    }

    pub fn post(&self, path: &str, body: &str) -> String {
        self.says(&format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_schema_is_printed() {
    let output = run(&["schema"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("type Mutation {"));
}

#[test]
fn a_demo_file_with_a_dangling_reference_is_refused_with_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("demonstration.json");
    let mut organisation: Value = serde_json::from_str(DEMO).expect("the demo reads");
    let blueprints = &mut organisation["organisation"]["blueprints"];
    blueprints[1]["document"]["touchpoints"][2]["phase"] = "nowhere".into();
    blueprints[0]["document"]["kpiLinks"][0]["touchpoint"] = "nobody".into();
    std::fs::write(&file, organisation.to_string()).expect("it is written");
    let path = file.display().to_string();
    let said = complaint(&run(&["demo", "--port", "0", "--file", &path]));
    assert!(
        said.contains(
            "organisation.blueprints.1.document.touchpoints.2.phase: There is no phase in this blueprint \"nowhere\""
        ),
        "{said}"
    );
    assert!(
        said.contains("organisation.blueprints.0.document.kpiLinks.0.touchpoint: There is no touchpoint in this blueprint \"nobody\""),
        "{said}"
    );
    std::fs::write(&file, "{ \"format\": ").expect("it is written");
    let said = complaint(&run(&["demo", "--port", "0", "--file", &path]));
    assert!(said.contains("line 1"), "{said}");
}

#[test]
fn the_demo_stays_on_this_machine_and_out_of_databases_in_use() {
    let said = complaint(&run(&["demo", "--host", "0.0.0.0"]));
    assert!(said.contains("on this machine only"), "{said}");
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    make_admin(&url);
    let said = complaint(&run(&["demo", "--port", "0", "--database-url", &url]));
    assert!(said.contains("is not empty"), "{said}");
}

pub fn make_admin(url: &str) {
    make_account(url, "ADMIN");
}

/// Makes the account `me` with this role.
pub fn make_account(url: &str, role: &str) {
    let mut command = program();
    let arguments = [
        "account",
        "create",
        "--database-url",
        url,
        "--key",
        "me",
        "--name",
        "Me",
        "--role",
        role,
    ];
    let mut child = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(b"a long password of mine\n")
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_first_account_is_made_and_signs_in() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    make_admin(&url);
    let server = Server::start(&["serve", "--database-url", &url, "--listen", "127.0.0.1:0"]);
    let answer = server.post(
        "/auth/login",
        r#"{"login":"me","password":"a long password of mine"}"#,
    );
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        dir.path().join("own.db.key").exists(),
        "the signing key is kept beside the file"
    );
    assert!(
        server
            .says("GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .contains("ready")
    );
}

#[test]
fn a_missing_or_weak_signing_key_is_refused_with_what_to_do() {
    let postgres = "postgres://nobody@127.0.0.1:1/nothing";
    let said = complaint(&run(&["serve", "--database-url", postgres]));
    assert!(
        said.contains("CX_SIGNING_KEY") && said.contains("openssl rand"),
        "{said}"
    );
    let dir = tempfile::tempdir().expect("a directory");
    for weak in [
        "short",
        "secretsecretsecretsecretsecretsecret",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let said = complaint(&run(&[
            "serve",
            "--database-url",
            &sqlite(dir.path()),
            "--signing-key",
            weak,
        ]));
        assert!(
            said.contains("signing key") && said.contains("openssl rand"),
            "{weak}: {said}"
        );
    }
}

#[test]
fn what_is_pending_is_told_and_done() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    let said = complaint(&run(&["migrate", "status", "--database-url", &url]));
    assert!(said.contains("not up to date"), "{said}");
    assert!(
        run(&["migrate", "up", "--database-url", &url])
            .status
            .success()
    );
    assert!(
        run(&["migrate", "status", "--database-url", &url])
            .status
            .success()
    );
}

/// Fills an empty database, as the command `generate` does with these options.
fn generate(url: &str, size: &str) {
    let arguments = ["--database-url", url].into_iter().chain(size.split(' '));
    let options = GenerateOptions::parse_from(["generate"].into_iter().chain(arguments));
    let filled = Runtime::new()
        .expect("a runtime")
        .block_on(fill_database(&options.database, &options.size));
    filled.expect("it is generated");
}

/// The options of the command `generate`.
#[derive(clap::Parser)]
struct GenerateOptions {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    size: OrganisationSize,
}

/// Makes a small organisation with one blueprint.
pub fn generate_one(url: &str) {
    generate(url, "--blueprints 1 --touchpoints 6 --kpis 2 --days 3");
}

#[test]
fn what_has_the_published_password_is_served_on_this_machine_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    generate_one(&url);
    let serve = |listen| ["serve", "--database-url", &url, "--listen", listen];
    let said = complaint(&run(&serve("0.0.0.0:0")));
    assert!(said.contains("the password of the demo"), "{said}");
    let server = Server::start(&serve("127.0.0.1:0"));
    assert!(server.address.starts_with("127.0.0.1"));
}

#[cfg(unix)]
#[test]
fn files_of_a_database_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    make_admin(&url);
    let arguments = ["serve", "--database-url", &url, "--listen", "127.0.0.1:0"];
    let server = Server::start(&arguments);
    for name in ["own.db", "own.db-wal", "own.db-shm", "own.db.key"] {
        let mode = std::fs::metadata(dir.path().join(name))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
    drop(server);
    let key = dir.path().join("own.db.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644))
        .expect("it is opened up");
    let said = complaint(&run(&arguments));
    assert!(said.contains("chmod 600"), "{said}");
}

#[test]
fn a_blueprint_is_exported_as_a_picture_and_as_a_page() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    generate_one(&url);
    let export = |rest: &[&str]| {
        let verb = ["export", "--database-url", &url, "--as-of", "2026-06-30"];
        run(&[&verb[..], rest].concat())
    };
    let svg = export(&["--blueprint", "Blueprint-0001", "--format", "svg"]);
    assert!(svg.status.success(), "{svg:?}");
    let svg = String::from_utf8(svg.stdout).expect("text");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    let file = dir.path().join("page.html").display().to_string();
    let page = export(&[
        "--blueprint",
        "blueprint-0001",
        "--format",
        "html",
        "--output",
        &file,
    ]);
    assert!(page.status.success() && page.stdout.is_empty(), "{page:?}");
    let page = std::fs::read_to_string(&file).expect("the page");
    assert!(page.starts_with("<!doctype html>") && page.contains(&svg));
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("url("));
    assert_eq!(
        page.matches("http").count(),
        page.matches("http-equiv").count() + 1
    );

    let said = complaint(&export(&["--blueprint", "nothing", "--format", "svg"]));
    assert!(
        said.contains("There is no blueprint \"nothing\"."),
        "{said}"
    );
    let nowhere = dir.path().join("no/such/place.svg").display().to_string();
    let to = [
        "--blueprint",
        "blueprint-0001",
        "--format",
        "svg",
        "--output",
        &nowhere,
    ];
    assert!(complaint(&export(&to)).contains("cannot be written"));
    let said = complaint(&export(&[
        "--blueprint",
        "blueprint-0001",
        "--format",
        "png",
    ]));
    assert!(said.contains("svg") && said.contains("html"), "{said}");
}

impl Server {
    /// Signs in and asks, and gives the whole answer as text.
    pub fn asks(&self, login: &str, password: &str, query: &str) -> String {
        let body = serde_json::json!({ "login": login, "password": password }).to_string();
        let tokens = self.post("/auth/login", &body);
        let (_, tokens) = tokens.split_once("\r\n\r\n").expect("a body");
        let tokens: Value = serde_json::from_str(tokens).expect("tokens");
        self.graphql(tokens["accessToken"].as_str().expect("a token"), query)
    }

    /// Asks with this token, and gives the whole answer as text.
    pub fn graphql(&self, token: &str, query: &str) -> String {
        let body = serde_json::json!({ "query": query }).to_string();
        self.says(&format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }
}

#[test]
fn thresholds_of_findings_are_set_where_the_server_starts_and_unknown_ones_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    make_admin(&url);
    let serve = |threshold: &'static str| {
        [
            "serve",
            "--database-url",
            &url,
            "--listen",
            "127.0.0.1:0",
            "--finding-threshold",
            threshold,
        ]
        .map(str::to_owned)
    };
    for unknown in ["TOO_SIMPLE=1", "UNREACHABLE=1", "TOO_COMPLEX=many"] {
        let arguments = serve(unknown);
        let said = complaint(&run(&arguments.each_ref().map(String::as_str)));
        assert!(said.contains("finding-threshold"), "{unknown}: {said}");
    }
    let arguments = serve("TOO_COMPLEX=5");
    let server = Server::start(&arguments.each_ref().map(String::as_str));
    let rules = server.asks(
        "me",
        "a long password of mine",
        "{ findingRules { code threshold } }",
    );
    assert!(
        rules.contains(r#"{"code":"TOO_COMPLEX","threshold":5.0}"#),
        "{rules}"
    );
}

#[test]
fn the_demo_answers_to_this_machine_and_to_pages_that_are_named() {
    let server = Server::start(&[
        "demo",
        "--port",
        "0",
        "--cors-origins",
        "http://localhost:5173",
    ]);
    let preflight = |host: &str, origin: &str| {
        server.says(&format!(
            "OPTIONS /graphql HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\norigin: {origin}\r\n\
             access-control-request-method: POST\r\naccess-control-request-headers: authorization\r\n\r\n"
        ))
    };
    let allowed = "access-control-allow-origin: http://localhost:5173";
    for host in ["localhost:8080", "127.0.0.1", "[::1]:8080"] {
        let answer = preflight(host, "http://localhost:5173");
        assert!(answer.contains(allowed), "{host}: {answer}");
    }
    let other = preflight("localhost", "http://localhost:9999");
    assert!(!other.contains("access-control-allow-origin"), "{other}");
    // A name that somebody else lets lead to this machine.
    let rebound = preflight("evil.example", "http://localhost:5173");
    assert!(rebound.starts_with("HTTP/1.1 421 "), "{rebound}");
    assert!(
        rebound.contains("This server answers to localhost and 127.0.0.1 only"),
        "{rebound}"
    );
    let with_slash = complaint(&run(&[
        "demo",
        "--port",
        "0",
        "--cors-origins",
        "http://localhost:5173/",
    ]));
    assert!(
        with_slash.contains("without a slash at the end"),
        "{with_slash}"
    );
}

#[test]
fn a_server_notes_by_itself_since_when_findings_are_open() {
    let server = Server::start(&["demo", "--port", "0"]);
    let query =
        r#"{ blueprint(by: { key: "bp-rental" }) { findings { findings { openSince } } } }"#;
    let noted = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        !server.asks("ann-cx", "blueprint", query).contains("null")
    });
    assert!(noted, "within ten seconds");
}

#[test]
fn a_token_is_made_listed_and_revoked_on_the_command_line() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    make_admin(&url);
    let token = |arguments: &[&str]| {
        let (verb, rest) = arguments.split_first().expect("a verb");
        run(&[&["token", verb, "--database-url", &url], rest].concat())
    };
    let made = token(&[
        "create",
        "--account",
        "ME",
        "--name",
        "Backup",
        "--scope",
        "read",
    ]);
    assert!(made.status.success(), "{made:?}");
    let secret = String::from_utf8(made.stdout).expect("text");
    assert!(secret.starts_with("cxb_") && secret.trim_end().len() == 53);
    let told = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(told.contains("for ME, good until"), "{told}");
    let server = Server::start(&["serve", "--database-url", &url, "--listen", "127.0.0.1:0"]);
    let ask = || server.graphql(secret.trim_end(), "{ viewer { account { key } } }");
    assert!(ask().contains(r#""key":"me""#));
    let listed = String::from_utf8(token(&["list", "--account", "me"]).stdout).expect("text");
    let parts: Vec<&str> = listed.trim_end().split('\t').collect();
    let [id, "me", "READ", until, _, "Backup"] = parts[..] else {
        panic!("{listed}")
    };
    assert!(until.starts_with("until "), "{listed}");
    assert!(token(&["revoke", id]).status.success());
    assert!(ask().contains("was revoked"), "from the next request on");
    assert_eq!(token(&["list"]).stdout, b"");
    let all = String::from_utf8(token(&["list", "--all"]).stdout).expect("text");
    assert!(all.contains("revoked "), "{all}");
    for (wrong, sentence) in [
        (
            &[
                "create",
                "--account",
                "no",
                "--name",
                "x",
                "--scope",
                "READ",
            ][..],
            "There is no account with the key no.",
        ),
        (
            &[
                "create",
                "--account",
                "me",
                "--name",
                "x",
                "--scope",
                "WRITE",
            ],
            "one of READ, BI, MEASUREMENTS, FEEDBACK",
        ),
        (&["create", "--account", "me", "--name", "x"], "--scope"),
        (
            &[
                "create",
                "--account",
                "me",
                "--name",
                "x",
                "--scope",
                "BI",
                "--days",
                "1000",
            ],
            "from 1 to 365",
        ),
        (
            &[
                "create",
                "--account",
                "me",
                "--name",
                "x",
                "--scope",
                "BI",
                "--department",
                "no",
            ],
            "There is no department with the key no.",
        ),
        (&["revoke", "tok_1"], "not an id of the form tok_"),
    ] {
        let said = complaint(&token(wrong));
        assert!(said.contains(sentence), "{said}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_nothing_with_a_panic() {
    let dir = tempfile::tempdir().expect("a directory");
    let database = sqlite(dir.path());
    for arguments in [
        &["schema"][..],
        &["schema", "organisation"],
        &["migrate", "up", "--database-url", &database],
        &["migrate", "status", "--database-url", &database],
        &["export", "--format", "json", "--database-url", &database],
        &["token", "list", "--database-url", &database],
    ] {
        let mut child = program()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        // The pipe is closed before the program writes, as by `head -0`.
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        assert!(!told.contains("panicked"), "{arguments:?}: {told}");
    }
}
