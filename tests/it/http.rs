//! The way in: what is answered besides GraphQL's own answers.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};

use crate::world::{World, read};

async fn send(world: &World, request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, Value) {
    let response = world.send(request).await;
    let headers = response.headers().clone();
    let (status, body) = read(response).await;
    (status, headers, body)
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn it_says_when_it_lives_and_when_it_is_ready() {
    let world = World::new().await;
    for path in ["/healthz", "/readyz"] {
        let (status, headers, _) = send(&world, get(path)).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(
            headers["x-request-id"]
                .to_str()
                .expect("text")
                .starts_with("req_")
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_as_json_with_a_request_id() {
    let world = World::new().await;
    let (status, headers, body) = send(&world, get("/nothing")).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::NOT_FOUND, &json!("NOT_FOUND"))
    );
    assert_eq!(
        body["error"]["requestId"].as_str(),
        headers["x-request-id"].to_str().ok()
    );
    let (status, _, body) = send(&world, get("/auth/login")).await;
    assert_eq!(
        (status, body["error"]["code"].is_string()),
        (StatusCode::METHOD_NOT_ALLOWED, true)
    );
}

#[tokio::test]
async fn only_the_origins_named_may_call() {
    let world = World::new().await;
    let preflight = |origin: &str| {
        Request::options("/graphql")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(
                header::ACCESS_CONTROL_REQUEST_HEADERS,
                "authorization,content-type,traceparent,apollographql-client-name",
            )
            .body(Body::empty())
            .expect("a request")
    };
    let (_, allowed, _) = send(&world, preflight("https://blueprints.example.org")).await;
    assert_eq!(
        allowed["access-control-allow-origin"],
        "https://blueprints.example.org"
    );
    assert_eq!(
        allowed["access-control-allow-headers"],
        "authorization,content-type,traceparent,apollographql-client-name"
    );
    assert!(
        !allowed.contains_key("access-control-allow-credentials"),
        "no cookie is asked for"
    );
    let asked = Request::get("/bi/v1/dates.csv")
        .header(header::ORIGIN, "https://blueprints.example.org")
        .body(Body::empty())
        .expect("a request");
    let (_, exposed, _) = send(&world, asked).await;
    let exposed = &exposed["access-control-expose-headers"];
    let exposed = exposed.to_str().expect("a text").to_lowercase();
    for name in [
        "x-request-id",
        "retry-after",
        "etag",
        "link",
        "updated-until",
        "preference-applied",
    ] {
        assert!(exposed.contains(name), "{name}: {exposed}");
    }
    let (_, denied, _) = send(&world, preflight("https://elsewhere.example.org")).await;
    assert!(!denied.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn long_answers_are_compressed_for_whoever_takes_it() {
    let world = World::demo().await;
    let token = world.sign_in("ann-cx").await.token;
    let ask = |query: &str, accept: &str| {
        Request::post("/graphql")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT_ENCODING, accept)
            .body(json!({ "query": query }).to_string().into())
            .expect("a request")
    };
    let canvas = "{ blueprint(by: { key: \"bp-flight\" }) { phases { touchpoints { name responsibilities { role department { name } } } } } }";
    let svg = |accept: &str| {
        Request::get("/blueprints/bp-flight.svg")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::ACCEPT_ENCODING, accept)
            .body(Body::empty())
            .expect("a request")
    };
    for (plain, packed) in [
        (ask(canvas, "identity"), ask(canvas, "gzip, br")),
        (svg("identity"), svg("gzip")),
    ] {
        let plain = world.send(plain).await;
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        let plain = axum::body::to_bytes(plain.into_body(), 1 << 20)
            .await
            .expect("a body");
        let packed = world.send(packed).await;
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let vary = packed.headers().get_all(header::VARY).iter();
        let vary: Vec<_> = vary.map(|value| value.to_str().expect("a text")).collect();
        let vary = vary.join(", ").to_lowercase();
        assert!(vary.contains("accept-encoding"), "{vary}");
        let packed = axum::body::to_bytes(packed.into_body(), 1 << 20)
            .await
            .expect("a body");
        assert!(
            packed.len() * 3 < plain.len(),
            "{} of {}",
            packed.len(),
            plain.len()
        );
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(
            &mut flate2::read::GzDecoder::new(&packed[..]),
            &mut unpacked,
        )
        .expect("gzip");
        assert_eq!(unpacked, plain);
    }
    let short = world.send(ask("{ viewer { id } }", "gzip")).await;
    assert!(!short.headers().contains_key(header::CONTENT_ENCODING));
    // Nobody is refused for what they do not take, after it was done.
    for accept in ["*;q=0", "identity;q=0", "br, *;q=0", "*", "gzip;q=0"] {
        let answer = world.send(ask(canvas, accept)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{accept}");
        assert!(
            !answer.headers().contains_key(header::CONTENT_ENCODING),
            "{accept}"
        );
    }
}

#[tokio::test]
async fn a_client_that_sent_a_hash_is_told_to_send_the_query() {
    let world = World::small().await;
    let token = world.sign_in("lead").await.token;
    let hash = json!({ "persistedQuery": { "version": 1, "sha256Hash": "0".repeat(64) } });
    let not_supported = |answer: &serde_json::Value| {
        assert_eq!(answer["errors"][0]["message"], "PersistedQueryNotSupported");
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code, "PERSISTED_QUERY_NOT_SUPPORTED");
        assert!(answer.get("data").is_none(), "{answer}");
    };
    let (status, answer) = world
        .post("/graphql", Some(&token), &json!({ "extensions": hash }))
        .await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    not_supported(&answer);
    let address = format!(
        "/graphql?extensions={}",
        hash.to_string().replace('"', "%22")
    );
    let address = address.replace('{', "%7B").replace('}', "%7D");
    let asked = Request::get(address)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::empty())
        .expect("a request");
    let (_, _, answer) = send(&world, asked).await;
    not_supported(&answer);
    let both = json!({ "query": "{ __typename }", "extensions": hash });
    let (_, answer) = world.post("/graphql", Some(&token), &both).await;
    assert_eq!(answer["data"]["__typename"], "Query");
}

#[tokio::test]
async fn a_body_too_long_is_refused_before_it_is_read() {
    let world = World::small().await;
    let token = world.sign_in("lead").await.token;
    let long = json!({ "query": "{ __typename }", "variables": { "x": "a".repeat(2 << 20) } });
    let (status, answer) = world.post("/graphql", Some(&token), &long).await;
    assert_eq!(
        (status, &answer["errors"][0]["extensions"]["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("QUERY_TOO_LARGE"))
    );
    let (status, _) = world
        .post(
            "/auth/login",
            None,
            &json!({ "login": "x".repeat(1 << 20), "password": "x" }),
        )
        .await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_nul_is_never_a_fault_of_ours() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    for document in [
        "query($text: String!) { blueprint(by: { key: $text }) { id } }",
        "query($text: String!) { touchpoint(by: { key: { blueprint: \"open\", key: $text } }) { id } }",
        "query($text: String!) { segments(filter: { dimension: $text }) { nodes { id } } }",
        "query($text: String!) { kpiFacts(filter: { kpiKeys: [$text] }) { nodes { rowId } } }",
        "query($text: ID!) { node(id: $text) { id } }",
        "query($text: String!) { touchpoints(after: $text) { nodes { id } } }",
    ] {
        let answer = lead.send(document, json!({ "text": "a\u{0}b" })).await;
        let code = answer["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or("-");
        assert!(
            ["-", "BAD_USER_INPUT"].contains(&code),
            "{document}: {answer}"
        );
    }
}

#[tokio::test]
async fn pages_are_of_a_sensible_size_and_cursors_are_ours() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    for arguments in [
        "first: 0",
        "first: -1",
        "first: 201",
        "after: \"\"",
        "after: \"garbage\"",
        "after: \"AAAA\"",
    ] {
        let answer = lead
            .send(
                &format!("{{ touchpoints({arguments}) {{ nodes {{ id }} }} }}"),
                json!({}),
            )
            .await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT",
            "{arguments}: {answer}"
        );
    }
}
