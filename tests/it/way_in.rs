//! The way in, over real sockets: clients that send or take nothing, servers that are full or stop, and what others
//! get meanwhile.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, HttpBody},
    http::{Request, StatusCode, header},
};
use chrono::{Days, NaiveDate};
use cx_blueprint::http::server::{ServerLimits, files};
use futures_util::future::join_all;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::world::{ARRIVAL, DRAIN, Listening, PASSWORD, World, said};

/// A prefix of HTTP/2 with empty settings.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
const HALF_A_HEAD: &[u8] = b"POST /auth/login HTTP/1.1\r\nhost: localhost\r\nx-a: ";
const HALF_A_BODY: &[u8] =
    b"POST /auth/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n{";

fn brisk() -> ServerLimits {
    ServerLimits {
        head: Duration::from_millis(400),
        idle: Duration::from_millis(1_200),
        least: 64 * 1024,
        ..ServerLimits::default()
    }
}

async fn connect_from(last: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    socket.bind(from).expect("an address of our own");
    socket.connect(to).await.expect("it listens")
}

async fn sends(to: &Listening, bytes: &[u8]) -> TcpStream {
    let mut stream = connect_from(1, to.address).await;
    stream.write_all(bytes).await.expect("it listens");
    stream
}

/// Streams of HTTP/2 on which a body is announced, whose first byte never comes.
fn http2_streams(count: u32) -> Vec<u8> {
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    let literal = |name: &str, value: &str| {
        let length = |text: &str| u8::try_from(text.len()).expect("short");
        [
            &[0, length(name)],
            name.as_bytes(),
            &[length(value)],
            value.as_bytes(),
        ]
        .concat()
    };
    let head = [
        b"\x83\x86".to_vec(),
        literal(":path", "/auth/login"),
        literal(":authority", "x"),
        literal("content-type", "application/json"),
    ]
    .concat();
    let mut all = [HTTP2, &frame(4, 1, 0, &[])].concat();
    for number in 0..count {
        all.extend(frame(1, 4, 1 + 2 * number, &head));
    }
    all
}

/// Some megabytes of measurements, more than lies between a server and a client that takes nothing.
async fn with_plenty() -> World {
    let world = World::small().await;
    let days =
        (0..10_000).map(|day| NaiveDate::from_ymd_opt(1990, 1, 1).expect("a day") + Days::new(day));
    let rows: String = days.map(|day| format!("PRICE,{day},1\n")).collect();
    let contributor = world.sign_in("contributor").await;
    contributor
        .brings("", format!("kpi,measured_on,value\n{rows}"))
        .await;
    world
}

const PLENTY: &str = "/bi/v1/kpi_measurements.ndjson";

fn feed(token: &str) -> String {
    format!("GET {PLENTY} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n")
}

/// How long until the other side ends the connection.
async fn ended_after(stream: &mut TcpStream, most: Duration) -> Option<Duration> {
    let begun = Instant::now();
    let ended = async {
        let mut bytes = [0; 4096];
        while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    };
    timeout(most, ended).await.ok().map(|()| begun.elapsed())
}

/// One request on a connection of its own: the head of its answer, and how long it took.
async fn asks(from: u8, to: SocketAddr, request: &str) -> (String, Duration) {
    let begun = Instant::now();
    let mut stream = connect_from(from, to).await;
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it listens");
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "{request} is never answered");
    (
        String::from_utf8_lossy(&answer).into_owned(),
        begun.elapsed(),
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}

fn post(path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn query(token: &str) -> String {
    post("/graphql", token, r#"{"query":"{viewer{account{key}}}"}"#)
}

#[tokio::test]
async fn whoever_does_not_finish_a_head_is_let_go() {
    let world = World::new().await;
    let server = world.listens(brisk()).await;
    for bytes in [HALF_A_HEAD, b"", b"PRI * HT", HTTP2] {
        let mut stream = sends(&server, bytes).await;
        let ended = ended_after(&mut stream, Duration::from_secs(5)).await;
        assert!(ended.is_some(), "{} stays", String::from_utf8_lossy(bytes));
    }
    // A head that goes on coming has no longer.
    let mut stream = sends(&server, HALF_A_HEAD).await;
    let (mut reader, mut writer) = stream.split();
    let dripping = async {
        while writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let mut byte = [0; 1];
    let ended = async { while reader.read(&mut byte).await.is_ok_and(|read| read > 0) {} };
    let done = async {
        tokio::select! { () = dripping => {}, () = ended => {} }
    };
    assert!(timeout(Duration::from_secs(5), done).await.is_ok());
}

#[tokio::test]
async fn a_connection_waits_for_its_next_request_longer_than_for_the_rest_of_one() {
    let world = World::new().await;
    let server = world.listens(brisk()).await;
    let mut stream = sends(&server, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    sleep(Duration::from_millis(800)).await;
    let again = stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    again.expect("it is kept");
    sleep(Duration::from_millis(100)).await;
    let mut bytes = [0; 4096];
    let read = stream.read(&mut bytes).await.expect("answers");
    let answers = String::from_utf8_lossy(&bytes[..read])
        .matches("200 OK")
        .count();
    assert_eq!(answers, 2);
    let ended = ended_after(&mut stream, Duration::from_secs(6)).await;
    let ended = ended.expect("and then ended");
    assert!(ended > Duration::from_millis(700), "{ended:?}");
    // The second head begins on a connection that has been kept, and is held to its time.
    let mut stream = sends(&server, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    sleep(Duration::from_millis(100)).await;
    stream.write_all(HALF_A_HEAD).await.expect("it is kept");
    let ended = ended_after(&mut stream, Duration::from_secs(6)).await;
    assert!(
        ended.is_some_and(|after| after < Duration::from_millis(1_000)),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_body_that_does_not_come_takes_nobodys_place_and_is_not_waited_for() {
    let small = World::small().await;
    let world = small.beside_with(1, 512).await;
    let token = small.sign_in("lead").await.token;
    let server = world.listens(ServerLimits::default()).await;
    let half = |path: &str, kind: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: {kind}\r\ncontent-length: 60\r\n\r\n{{"
        )
    };
    let mut held = Vec::new();
    for path in ["/auth/login", "/auth/refresh", "/auth/logout", "/graphql"] {
        for _ in 0..20 {
            held.push((
                path,
                sends(&server, half(path, "application/json").as_bytes()).await,
            ));
        }
    }
    for _ in 0..8 {
        held.push(("http/2", sends(&server, &http2_streams(32)).await));
    }
    sleep(Duration::from_millis(200)).await;
    let login = json!({ "login": "lead", "password": PASSWORD }).to_string();
    for request in [
        query(&token),
        post("/auth/login", "", &login),
        get("/readyz"),
    ] {
        let (answer, _) = asks(1, server.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{request}: {answer}");
    }
    for (path, stream) in &mut held {
        let mut bytes = vec![0; 4096];
        let read = timeout(ARRIVAL + Duration::from_secs(5), stream.read(&mut bytes)).await;
        let read = read
            .unwrap_or_else(|_| panic!("{path} is waited for"))
            .unwrap_or(0);
        let answer = String::from_utf8_lossy(&bytes[..read]);
        assert!(
            *path == "http/2" || answer.starts_with("HTTP/1.1 408"),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_client_that_takes_too_little_is_let_go_and_one_that_takes_its_time_is_not() {
    let world = with_plenty().await;
    let token = world.sign_in("analyst").await.token;
    let server = world.listens(brisk()).await;
    let feed = feed(&token);
    let reader = async || {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let mut stream = socket.connect(server.address).await.expect("it listens");
        stream.write_all(feed.as_bytes()).await.expect("it listens");
        stream
    };
    let mut silent = reader().await;
    let mut steady = reader().await;
    let mut piece = vec![0; 8 * 1024];
    // Some hundred kilobytes a second, of which some fifty are asked for.
    for turn in 0..100 {
        let read = timeout(Duration::from_secs(5), steady.read(&mut piece)).await;
        assert!(
            read.is_ok_and(|read| read.is_ok_and(|read| read > 0)),
            "turn {turn}"
        );
        sleep(Duration::from_millis(30)).await;
    }
    let mut rest = Vec::new();
    let read = timeout(Duration::from_secs(5), silent.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "whoever took nothing was let go");
    assert!(rest.len() < 3_000_000, "{}", rest.len());
    assert!(steady.write_all(b"x").await.is_ok());
}

#[tokio::test]
async fn where_there_is_no_room_the_silent_make_it() {
    let world = World::small().await;
    let token = world.sign_in("lead").await.token;
    let limits = ServerLimits {
        connections: 30,
        of_one_peer: 10,
        ..ServerLimits::default()
    };
    let server = world.listens(limits).await;
    let mut silent = Vec::new();
    for number in 0..60 {
        let mut stream = connect_from(10 + number % 20, server.address).await;
        let bytes = [HALF_A_HEAD, b"", HALF_A_BODY, HTTP2][usize::from(number % 4)];
        stream.write_all(bytes).await.ok();
        silent.push(stream);
    }
    for _ in 0..20 {
        let (answer, took) = asks(1, server.address, &query(&token)).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
    // From one address alone as well.
    let own: Vec<TcpStream> = join_all((0..30).map(|_| connect_from(1, server.address))).await;
    let (answer, _) = asks(1, server.address, &query(&token)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop((own, silent));
}

#[tokio::test]
async fn whoever_finds_no_room_is_told_so_whatever_they_send() {
    let world = World::small().await;
    let token = world.sign_in("cx-manager").await.token;
    let limits = ServerLimits {
        of_one_peer: 1,
        ..ServerLimits::default()
    };
    let server = world.listens(limits).await;
    let mut writers = Vec::new();
    while let Ok(tx) = timeout(Duration::from_millis(300), world.store.begin()).await {
        writers.push(tx.expect("it begins"));
    }
    let make = r#"{"query":"mutation{segmentCreate(input:{dimension:\"MARKET\",value:\"Sweden\"}){userErrors{code}}}"}"#;
    let make = post("/graphql", &token, make);
    let others = async {
        sleep(Duration::from_millis(300)).await;
        let metrics = world.metrics().await;
        let taken = r#"cx_blueprint_queue_taken{queue="mutations"} 1"#;
        assert!(metrics.contains(taken), "{metrics}");
        let long = post("/graphql", &token, &" ".repeat(60_000));
        for _ in 0..20 {
            let mut stream = connect_from(1, server.address).await;
            stream.write_all(long.as_bytes()).await.expect("it listens");
            let mut answer = String::new();
            let ended = stream.read_to_string(&mut answer).await;
            ended.expect("the connection ends, and is not reset");
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        }
        drop(writers);
    };
    let ((answer, _), ()) = tokio::join!(asks(1, server.address, &make), others);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn one_client_has_no_more_than_its_share_of_the_requests() {
    let small = World::small().await;
    let world = small.beside_with(512, 4).await;
    let request = || {
        let never = futures_util::stream::pending::<std::io::Result<Vec<u8>>>();
        let request = Request::post("/auth/login").header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from_stream(never)).expect("a request")
    };
    let mut held: Vec<_> = (0..4).map(|_| Box::pin(world.send(request()))).collect();
    for one in &mut held {
        assert!(timeout(Duration::from_millis(50), one).await.is_err());
    }
    let ask = || {
        Request::get("/blueprints/open.svg")
            .body(Body::empty())
            .expect("a request")
    };
    let refused = world.send(ask()).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let other = world.send_from([127, 0, 0, 9], ask()).await;
    assert_eq!(
        other.status(),
        StatusCode::UNAUTHORIZED,
        "others ask as before"
    );
    let probe = Request::get("/readyz")
        .body(Body::empty())
        .expect("a request");
    assert_eq!(world.send(probe).await.status(), StatusCode::OK);
    drop(held);
    assert_eq!(world.send(ask()).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn one_account_never_takes_all_feeds() {
    let world = with_plenty().await;
    let feed = async |login: &str| {
        let token = world.sign_in(login).await.token;
        let request = Request::get(PLENTY).header(header::AUTHORIZATION, format!("Bearer {token}"));
        world
            .send(request.body(Body::empty()).expect("a request"))
            .await
    };
    let held = [feed("analyst").await, feed("analyst").await];
    assert!(held.iter().all(|answer| answer.status() == StatusCode::OK));
    assert!(held.iter().all(|answer| !answer.body().is_end_stream()));
    let third = feed("analyst").await;
    assert_eq!(third.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(third.headers().contains_key(header::RETRY_AFTER));
    for other in ["auditor", "cx-manager"] {
        assert_eq!(feed(other).await.status(), StatusCode::OK, "{other}");
    }
    drop(held);
    let begun = Instant::now();
    while feed("analyst").await.status() != StatusCode::OK {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "a feed that ended is none"
        );
    }
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_it_can_and_cuts_the_rest() {
    let world = with_plenty().await;
    let token = world.sign_in("analyst").await.token;
    let server = world.listens(ServerLimits::default()).await;
    let _idle = sends(&server, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let _silent = [sends(&server, b"").await, sends(&server, HALF_A_HEAD).await];
    sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    assert_eq!(
        server.stops().await,
        0,
        "nothing that was asked for is lost"
    );
    assert!(
        begun.elapsed() < DRAIN + Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );

    let server = world.listens(ServerLimits::default()).await;
    let _reader = sends(&server, feed(&token).as_bytes()).await;
    let _sender = sends(&server, HALF_A_BODY).await;
    sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    assert_eq!(server.stops().await, 2);
    assert!(
        begun.elapsed() < DRAIN + Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
    let again = timeout(Duration::from_secs(5), async {
        while world.store.clone().begin_snapshot().await.is_err() {}
    });
    assert!(
        again.await.is_ok(),
        "the connections of the database are free"
    );
}

#[tokio::test]
async fn being_busy_is_no_reason_to_be_unready_and_being_broken_is() {
    let world = World::new().await;
    let ready = async || {
        let request = Request::get("/readyz")
            .body(Body::empty())
            .expect("a request");
        let begun = Instant::now();
        (world.send(request).await.status(), begun.elapsed())
    };
    assert_eq!(ready().await.0, StatusCode::OK);
    let mut taken = Vec::new();
    for _ in 0..8 {
        taken.push(world.store.begin_snapshot().await.expect("a connection"));
    }
    sleep(Duration::from_millis(1_100)).await;
    for _ in 0..3 {
        let (status, took) = ready().await;
        assert_eq!(status, StatusCode::OK);
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    let before = world.store.statement_count();
    join_all((0..200).map(|_| ready())).await;
    assert!(
        world.store.statement_count() - before < 5,
        "asking costs next to nothing"
    );
    drop(taken);
    world.store.clone().close().await.expect("it closes");
    let begun = Instant::now();
    while ready().await.0 == StatusCode::OK {
        assert!(begun.elapsed() < Duration::from_secs(5), "it is told");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn every_answer_says_that_it_is_what_it_says() {
    let world = World::small().await;
    let token = world.sign_in("lead").await.token;
    for (method, path) in [
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/nothing"),
        ("GET", "/auth/login"),
        ("POST", "/auth/login"),
        ("GET", "/graphql?query=%7B__typename%7D"),
        ("POST", "/graphql"),
        ("GET", "/bi/v1"),
        ("GET", "/bi/odata/v4/"),
        ("GET", "/blueprints/open.svg"),
        ("OPTIONS", "/graphql"),
    ] {
        for token in ["", &token] {
            let request = Request::builder().method(method).uri(path);
            let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            let answer = world
                .send(request.body(Body::empty()).expect("a request"))
                .await;
            let said = answer
                .headers()
                .get_all(header::X_CONTENT_TYPE_OPTIONS)
                .iter();
            assert_eq!(said.collect::<Vec<_>>(), ["nosniff"], "{method} {path}");
        }
    }
}

/// How long requests take, worst last.
async fn times(to: SocketAddr, request: &str, count: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..count {
        let (answer, took) = asks(1, to, request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        times.push(took);
    }
    times.sort();
    times
}

/// `CX_SILENT=2000 cargo test --release --test it two_thousand -- --nocapture` prints the figures of as many.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_who_are_silent_slow_nobody_down() {
    let silent: usize = said("CX_SILENT").unwrap_or(400);
    let files = files::raise_open_files_limit(10_000);
    assert!(files > 2 * silent as u64 + 400, "{files} files");
    let world = World::small().await;
    let token = world.sign_in("lead").await.token;
    let server = world.listens(ServerLimits::default()).await;
    let (request, count) = (query(&token), 300);
    times(server.address, &request, count).await;
    let quiet = times(server.address, &request, count).await;
    let mut held = Vec::new();
    for number in 0..silent {
        let address = u8::try_from(10 + number % 16).expect("an address");
        let mut stream = connect_from(address, server.address).await;
        let bytes = match number % 4 {
            0 => HALF_A_HEAD.to_vec(),
            1 => HALF_A_BODY.to_vec(),
            2 => http2_streams(32),
            _ => Vec::new(),
        };
        stream.write_all(&bytes).await.expect("it listens");
        held.push(stream);
    }
    let held_out = times(server.address, &request, count).await;
    let p99 = |times: &[Duration]| times[count * 99 / 100];
    println!(
        "{silent} silent: p99 {:?}, quiet {:?}; p50 {:?}, quiet {:?}",
        p99(&held_out),
        p99(&quiet),
        held_out[count / 2],
        quiet[count / 2]
    );
    // Beside other tests the figures are theirs as well.
    assert!(p99(&held_out) < Duration::from_secs(1) + 4 * p99(&quiet));
    drop(held);
}
