//! A server that is asked to stop, and what it logs.

use super::*;

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

/// A server over a small generated organisation with some megabytes of measurements, and a token of its CX manager.
fn serving(dir: &Path, arguments: &[&str], stderr: Stdio) -> (Server, String) {
    let url = sqlite(dir);
    generate(
        &url,
        "--blueprints 1 --touchpoints 2 --departments 2 --responsibilities 2 --kpis 20 --links 1 --days 1000",
    );
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
        "GET /bi/v1/kpi_measurements.ndjson HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer TOKEN\r\n\r\n",
        "POST /bi/v1/measurements.csv HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer TOKEN\r\ncontent-type: text/csv\r\ntransfer-encoding: chunked\r\n\r\n5\r\nkpi,m\r\n",
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
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
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
        server.says("GET /bi/v1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-forwarded-for: 192.0.2.1\r\n\r\n");
    }
    server.child.kill().expect("it ends");
    let told = complaints(&mut server);
    assert_eq!(told.matches("--forwarded-hops").count(), 1, "{told}");
}
