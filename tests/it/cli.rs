//! The command line: what it does, and the sentences with which it refuses.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

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
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
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
    assert!(said.contains("holds something already"), "{said}");
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
            .says("GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
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

/// Makes a small organisation with one blueprint.
pub fn generate_one(url: &str) {
    let small = "--blueprints 1 --touchpoints 6 --kpis 2 --days 3";
    let small: Vec<&str> = small.split(' ').collect();
    let made = run(&[&["generate", "--database-url", url][..], &small].concat());
    assert!(made.status.success(), "{made:?}");
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

#[cfg(unix)]
#[test]
fn on_sigterm_it_finishes_and_ends_well() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = Server::start(&[
        "serve",
        "--database-url",
        &sqlite(dir.path()),
        "--listen",
        "127.0.0.1:0",
        "--signing-key",
        KEY,
    ]);
    let asked = Command::new("kill")
        .args(["-TERM", &server.child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(asked.success());
    assert!(server.child.wait().expect("it ends").success());
}

#[test]
fn a_blueprint_goes_from_one_database_into_another_as_a_document() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    generate_one(&url);
    let export = || {
        let output = run(&[
            "export",
            "--database-url",
            &url,
            "--blueprint",
            "Blueprint-0001",
            "--format",
            "json",
        ]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let document = export();
    let file = dir.path().join("document.json");
    let import = |text: &str, rest: &[&str]| {
        std::fs::write(&file, text).expect("a file");
        let file = file.display().to_string();
        run(&[&["import", "--database-url", &url, &file], rest].concat())
    };
    let said = String::from_utf8(import(&document, &["--prune"]).stderr).expect("text");
    assert_eq!(said, "0 changed.\n");
    let renamed = document.replace("\"title\": \"", "\"title\": \"Really: ");
    let told = |output: Output| String::from_utf8(output.stdout).expect("text");
    assert!(told(import(&renamed, &["--dry-run"])).starts_with("Renamed blueprint"));
    assert_eq!(export(), document, "a dry run keeps nothing");
    assert!(told(import(&renamed, &[])).starts_with("Renamed blueprint"));
    assert_ne!(export(), document);
    let said = complaint(&import(&document.replace("FRONTSTAGE", "ROOF"), &[]));
    assert!(
        said.contains("nothing was written") && said.contains(".lane: unknown variant"),
        "{said}"
    );
    let said = complaint(&import(&format!("{document}{document}"), &[]));
    assert!(said.contains("Something follows the document"), "{said}");
    let said = complaint(&import(&"[".repeat(100_000), &[]));
    assert!(said.contains("nothing was written"), "{said}");
}

#[test]
fn touchpoints_go_out_to_a_spreadsheet_and_come_in_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = sqlite(dir.path());
    generate_one(&url);
    let file = dir.path().join("touchpoints.csv");
    let name = file.display().to_string();
    let key = ["--blueprint", "Blueprint-0001"];
    let export = |dialect: &str| {
        let verb = [
            "export",
            "--database-url",
            &url,
            "--format",
            "csv",
            "--dialect",
            dialect,
            "--output",
            &name,
        ];
        let output = run(&[&verb[..], &key].concat());
        assert!(output.status.success(), "{output:?}");
        std::fs::read(&file).expect("a sheet")
    };
    let import = |bytes: &[u8], rest: &[&str]| {
        std::fs::write(&file, bytes).expect("a file");
        run(&[&["import", "--database-url", &url, &name], rest].concat())
    };
    for dialect in ["comma", "excel-da"] {
        let sheet = export(dialect);
        assert_eq!(sheet.starts_with(b"\xef\xbb\xbf"), dialect == "excel-da");
        let output = import(&sheet, &key);
        assert_eq!(
            String::from_utf8(output.stderr).expect("text"),
            "0 changed.\n",
            "{dialect}"
        );
    }
    let said = complaint(&import(b"key,name\nT-001,R\xf8d\n", &key));
    assert!(
        said.contains("nothing was written.\nLine 2, column B (name): The byte F8 is no UTF-8. Save the sheet as \"CSV UTF-8\"."),
        "{said}"
    );
    let utf16: Vec<u8> = "\u{feff}key;name\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let said = complaint(&import(&utf16, &key));
    assert!(said.contains("Line 1: This is UTF-16"), "{said}");
    let said = complaint(&import(
        &b"key,name\nx,"
            .iter()
            .copied()
            .chain(vec![b'x'; 80 << 20])
            .collect::<Vec<u8>>(),
        &key,
    ));
    assert!(
        said.contains("Line 2, column B (name): This cell is longer than 1 MiB."),
        "{said}"
    );
    let said = complaint(&import(b"key,name\n", &[]));
    assert!(
        said.contains("Say with --blueprint whose touchpoints it holds."),
        "{said}"
    );
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
            "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
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
fn an_organisation_goes_from_one_database_into_another_as_a_document() {
    let dir = tempfile::tempdir().expect("a directory");
    let others = [(), ()].map(|()| tempfile::tempdir().expect("a directory"));
    let full = sqlite(dir.path());
    let [first, empty] = [0, 1].map(|at: usize| sqlite(others[at].path()));
    generate_one(&full);
    let export = |url: &str| {
        let output = run(&["export", "--database-url", url, "--format", "json"]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let file = dir.path().join("organisation.json").display().to_string();
    let into =
        |url: &str, rest: &[&str]| run(&[&["import", "--database-url", url, &file], rest].concat());
    // What is generated is published and was never kept as a publication: loading mends that.
    std::fs::write(&file, export(&full)).expect("a file");
    assert!(into(&first, &[]).status.success());
    let document = export(&first);
    std::fs::write(&file, &document).expect("a file");
    let import = |rest: &[&str]| into(&empty, rest);
    let said = |output: Output| String::from_utf8(output.stderr).expect("text");
    let would = said(import(&["--dry-run"]));
    assert!(would.ends_with("blueprints would be loaded.\n"), "{would}");
    let refused = complaint(&import(&["--prune"]));
    assert!(refused.contains("nothing to prune"), "{refused}");
    make_admin(&empty);
    let done = said(import(&[]));
    assert!(done.ends_with("1 blueprints loaded.\n"), "{done}");
    assert_eq!(export(&empty), document);
    let refused = complaint(&import(&[]));
    assert!(refused.contains("holds something already"), "{refused}");
    let picture = run(&["export", "--database-url", &full, "--format", "svg"]);
    assert!(complaint(&picture).contains("--blueprint"));
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

/// A server over a small generated organisation with some megabytes of measurements, and a token of its CX manager.
fn serving(dir: &Path, arguments: &[&str], stderr: Stdio) -> (Server, String) {
    let url = sqlite(dir);
    let small = "--blueprints 1 --touchpoints 2 --departments 2 --responsibilities 2 --kpis 20 --links 1 --days 1000";
    let mut generate = vec!["generate", "--database-url", &url];
    generate.extend(small.split(' '));
    assert!(run(&generate).status.success());
    let mut all = vec!["serve", "--database-url", &url, "--listen", "127.0.0.1:0"];
    all.extend(arguments);
    let server = Server::spawn_with(program().args(&all), stderr);
    let answer = server.post(
        "/auth/login",
        r#"{"login":"cx-manager","password":"blueprint"}"#,
    );
    let body = body(&answer);
    let token = body["accessToken"].as_str().expect("a token").to_owned();
    (server, token)
}

fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

/// What it has written to standard error by its end.
fn complaints(server: &mut Server) -> String {
    let mut told = String::new();
    let mut stderr = server.child.stderr.take().expect("its standard error");
    std::io::Read::read_to_string(&mut stderr, &mut told).expect("text");
    told
}

#[cfg(unix)]
fn asked_to_stop(server: &mut Server) -> (std::time::Duration, Option<i32>) {
    let begun = std::time::Instant::now();
    let asked = Command::new("kill")
        .arg(server.child.id().to_string())
        .status();
    assert!(asked.expect("it is asked").success());
    while begun.elapsed().as_secs() < 60 {
        if let Some(status) = server.child.try_wait().expect("it is watched") {
            return (begun.elapsed(), status.code());
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("it goes on");
}

#[cfg(unix)]
#[test]
fn a_server_that_is_asked_to_stop_ends_in_time_and_says_what_it_cut_off() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut server, _) = serving(dir.path(), &["--drain-seconds", "20"], Stdio::null());
    let _idle = std::net::TcpStream::connect(&server.address).expect("it listens");
    let (took, code) = asked_to_stop(&mut server);
    assert_eq!(code, Some(0), "nothing was under way");
    assert!(took.as_secs() < 5, "{took:?}");

    for under_way in [
        "GET /bi/v1/kpi_measurements.ndjson HTTP/1.1\r\nhost: x\r\nauthorization: Bearer TOKEN\r\n\r\n",
        "POST /bi/v1/measurements.csv HTTP/1.1\r\nhost: x\r\nauthorization: Bearer TOKEN\r\ncontent-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n5\r\nkpi,m\r\n",
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let (mut server, token) = serving(dir.path(), &["--drain-seconds", "1"], Stdio::piped());
        let mut stream = std::net::TcpStream::connect(&server.address).expect("it listens");
        let request = under_way.replace("TOKEN", &token);
        stream.write_all(request.as_bytes()).expect("it listens");
        std::thread::sleep(std::time::Duration::from_millis(700));
        let (took, code) = asked_to_stop(&mut server);
        assert_eq!(code, Some(1), "{request}");
        assert!(took.as_secs() < 6, "{took:?}");
        let told = complaints(&mut server);
        assert!(told.contains("1 were cut off after 1 seconds"), "{told}");
    }
}

#[test]
fn a_fault_is_logged_with_the_id_that_its_client_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut server, token) = serving(dir.path(), &[], Stdio::piped());
    let file = dir.path().join("own.db");
    let broken = tokio::runtime::Runtime::new().expect("a runtime");
    broken.block_on(async {
        #[expect(
            clippy::disallowed_methods,
            reason = "the database is broken past the program"
        )]
        let db = sea_orm::Database::connect(format!("sqlite://{}", file.display())).await;
        let db = db.expect("it opens");
        let sql = "ALTER TABLE persona RENAME TO persona_elsewhere";
        sea_orm::ConnectionTrait::execute_unprepared(&db, sql)
            .await
            .expect("it is renamed");
    });
    let body = r#"{"query":"{ personas { nodes { name } } }"}"#;
    let answer = server.says(&format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    let body = self::body(&answer);
    let id = body["errors"][0]["extensions"]["requestId"]
        .as_str()
        .expect("an id");
    server.child.kill().expect("it ends");
    let told = complaints(&mut server);
    let line = told
        .lines()
        .find(|line| line.contains("a request failed on our side"));
    let line = line.unwrap_or_else(|| panic!("it is logged: {told}"));
    assert!(line.contains(id) && line.contains("persona"), "{line}");
}

#[test]
fn who_comes_by_a_proxy_that_nobody_spoke_of_is_warned_of_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut server, _) = serving(dir.path(), &[], Stdio::piped());
    for _ in 0..3 {
        server.says("GET /bi/v1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 192.0.2.1\r\n\r\n");
    }
    server.child.kill().expect("it ends");
    let told = complaints(&mut server);
    assert_eq!(told.matches("--forwarded-hops").count(), 1, "{told}");
}
