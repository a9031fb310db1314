//! Requests and the answers they get: status, headers and body, over a schema that fails in every way.

use async_graphql::{
    Context, EmptySubscription, Enum, Error, ErrorExtensions, InputValueError, InputValueResult,
    Object, Scalar, ScalarType, Schema, ValidationMode,
};
use graphql_guard::{ScalarParser, SchemaTypes};
use serde_json::{Value as Json, json};

use axum::body::Body;

use super::*;
use axum::http::{StatusCode, header};

use super::respond::{LONGEST_MESSAGE, MOST_ERRORS, clip, strip_input_from_message};

const RESPONSE: &str = "application/graphql-response+json";

struct Caller(&'static str);

struct Day;

#[Scalar]
impl ScalarType for Day {
    fn parse(_: Value) -> InputValueResult<Self> {
        Err(InputValueError::custom("no such day"))
    }

    fn to_value(&self) -> Value {
        Value::Null
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum Colour {
    Red,
}

fn unavailable() -> Error {
    let error = Error::new("Come again.");
    error.extend_with(|_, with| with.set("code", "SERVICE_UNAVAILABLE"))
}

struct Done;

#[Object]
impl Done {
    async fn unavailable(&self) -> Result<i32, Error> {
        Err(unavailable())
    }
}

struct Query;

#[Object]
impl Query {
    async fn who(&self, ctx: &Context<'_>) -> String {
        ctx.data_unchecked::<Caller>().0.into()
    }

    async fn zeta(&self) -> i32 {
        1
    }

    async fn alpha(&self) -> i32 {
        2
    }

    async fn forbidden(&self) -> Option<Result<i32, Error>> {
        let error = Error::new("Not yours.");
        Some(Err(
            error.extend_with(|_, with| with.set("code", "FORBIDDEN"))
        ))
    }

    async fn leak(&self) -> Option<Result<i32, Error>> {
        Some(Err(Error::new("SELECT secret FROM accounts")))
    }

    async fn leak_all(&self) -> Result<i32, Error> {
        let error = Error::new("SELECT secret FROM accounts");
        Err(error.extend_with(|_, with| with.set("code", "SQL")))
    }

    async fn unavailable(&self) -> Option<Result<i32, Error>> {
        Some(Err(unavailable()))
    }

    async fn whole(&self, number: Option<i32>) -> Option<i32> {
        number
    }

    async fn colour(&self, #[graphql(name = "as")] colour: Option<Colour>) -> Option<Colour> {
        colour
    }

    async fn leaks(&self) -> Vec<Option<Result<i32, Error>>> {
        (0..50)
            .map(|_| Some(Err(Error::new("/etc/passwd"))))
            .collect()
    }

    async fn panics(&self) -> i32 {
        "SELECT secret".parse().expect("SELECT secret")
    }

    async fn sleeps(&self) -> i32 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        1
    }

    async fn on(&self, day: Option<Day>) -> bool {
        day.is_some()
    }

    #[graphql(complexity = "5000")]
    async fn heavy(&self) -> i32 {
        1
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn done(&self) -> Option<Done> {
        Some(Done)
    }

    async fn zeta(&self) -> i32 {
        1
    }
}

struct Answer {
    status: u16,
    headers: axum::http::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The code of the first error, once it is sure that this is an error as all are.
    fn code(&self) -> String {
        let error = self.json()["errors"][0].clone();
        assert_eq!(error["extensions"]["requestId"], "r-7");
        assert!(error["message"].as_str().unwrap().len() > 5);
        let code = error["extensions"]["code"].as_str().unwrap().to_owned();
        assert!(Code::from_name(&code).is_some());
        code
    }

    fn ran(&self) -> bool {
        self.json().get("data").is_some()
    }
}

async fn send(http: Request) -> Answer {
    let schema = Schema::build(Query, Mutation, EmptySubscription)
        .limit_complexity(2_000)
        .validation_mode(ValidationMode::Fast)
        .finish();
    let refuse: ScalarParser = |_| Err("no such day".to_owned());
    let types = SchemaTypes::parse(&schema.sdl(), &[("Day", refuse)]).unwrap();
    let settings = GraphqlSettings {
        types: Box::leak(Box::new(types)),
        arrival: Duration::from_millis(200),
        deadline: Duration::from_millis(200),
        ..GraphqlSettings::default()
    };
    let attach = |request: async_graphql::Request| request.data(Caller("Ada"));
    let response = match receive_request(http, "r-7".into(), &settings).await {
        Ok(received) => received.run(&schema, &settings, None, attach).await,
        Err(response) => response,
    };
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    assert_eq!(parts.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(parts.headers[header::VARY], "Authorization, Accept");
    let content_type = parts.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert!(content_type.ends_with("json; charset=utf-8"));
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(bytes.into()).unwrap(),
    }
}

fn posted(body: impl Into<Body>, accept: &str) -> Request {
    Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, accept)
        .body(body.into())
        .unwrap()
}

async fn body(body: impl Into<Body>) -> Answer {
    send(posted(body, RESPONSE)).await
}

async fn ask(query: &str) -> Answer {
    body(json!({ "query": query }).to_string()).await
}

async fn ask_json(query: &str) -> Answer {
    let body = json!({ "query": query }).to_string();
    send(posted(body, "application/json")).await
}

async fn get(uri: &str) -> Answer {
    let request = Request::get(uri).header(header::ACCEPT, RESPONSE);
    send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_answer_keeps_the_order_of_the_question() {
    let answer = ask("{zeta who alpha}").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text, r#"{"data":{"zeta":1,"who":"Ada","alpha":2}}"#);
}

#[tokio::test]
async fn what_never_ran_has_no_data_and_a_status_by_media_type() {
    for (query, code) in [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{nope}", "GRAPHQL_VALIDATION_FAILED"),
        (
            "{...F} fragment F on Query{...F}",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "query A{zeta} query B{zeta}",
            "OPERATION_RESOLUTION_FAILURE",
        ),
        ("query($a:Int!){whole(number:$a)}", "BAD_USER_INPUT"),
        ("subscription{zeta}", "BAD_USER_INPUT"),
        ("{heavy}", "QUERY_TOO_COMPLEX"),
    ] {
        let answer = ask(query).await;
        assert_eq!(
            (answer.status, answer.code().as_str(), answer.ran()),
            (400, code, false)
        );
        let answer = ask_json(query).await;
        assert_eq!(
            (answer.status, answer.code().as_str(), answer.ran()),
            (200, code, false)
        );
    }
    let message = ask("subscription{zeta}").await.json()["errors"][0]["message"].to_string();
    assert!(
        message.contains("poll `blueprint.revision` or `canvasDigest`"),
        "{message}"
    );
}

#[tokio::test]
async fn an_error_of_ours_keeps_its_words() {
    let answer = ask("{zeta forbidden}").await;
    assert_eq!((answer.status, answer.code().as_str()), (200, "FORBIDDEN"));
    assert_eq!(answer.json()["errors"][0]["message"], "Not yours.");
    assert_eq!(answer.json()["data"], json!({"zeta": 1, "forbidden": null}));
}

#[tokio::test]
async fn any_other_error_is_masked_and_keeps_its_path() {
    for (query, path) in [("{zeta leak}", "leak"), ("{zeta leakAll}", "leakAll")] {
        let answer = ask(query).await;
        assert_eq!(answer.code(), "INTERNAL_SERVER_ERROR");
        assert!(!answer.text.contains("SELECT") && !answer.text.contains("SQL"));
        assert_eq!(answer.json()["errors"][0]["path"], json!([path]));
    }
}

#[tokio::test]
async fn a_fault_of_ours_without_data_is_no_success() {
    let partly = ask("{zeta leak}").await;
    assert_eq!((partly.status, partly.ran()), (200, true));
    assert_eq!(partly.json()["data"], json!({"zeta": 1, "leak": null}));
    for query in ["{zeta leakAll}", "{leak}", "{leak again: leak}"] {
        for answer in [ask(query).await, ask_json(query).await] {
            assert_eq!((answer.status, answer.ran()), (500, false), "{query}");
        }
    }
    for answer in [ask("{unavailable}").await, ask_json("{unavailable}").await] {
        assert_eq!((answer.status, answer.ran()), (503, false));
        assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    }
    let answer = ask("mutation{done{unavailable}}").await;
    assert_eq!(
        (answer.status, answer.ran()),
        (500, false),
        "what was done may not be done again"
    );
    let answer = ask("{forbidden}").await;
    assert_eq!(
        (answer.status, answer.ran()),
        (200, true),
        "a fault of nobody"
    );
}

#[tokio::test]
async fn nothing_that_was_sent_is_sent_back() {
    let sent = "sent-by-somebody";
    for query in [
        format!("{{on(day:\"{sent}\")}}"),
        format!("{{whole(number:\"{sent}\")}}"),
        format!("{{whole(number:[[[\"{sent}\"]]])}}"),
        "{colour(as:sent_by_somebody)}".to_owned(),
    ] {
        let answer = ask(&query).await;
        assert!(
            !answer.text.replace('_', "-").contains(sent),
            "{}",
            answer.text
        );
    }
    for (query, value) in [
        ("query($v:Int){whole(number:$v)}", json!(sent)),
        ("query($v:Int){whole(number:$v)}", json!([[[sent]]])),
        ("query($v:Colour){colour(as:$v)}", json!(sent)),
        ("query($v:Day){on(day:$v)}", json!(sent)),
    ] {
        let asked = json!({ "query": query, "variables": { "v": value } }).to_string();
        let answer = body(asked).await;
        assert!(!answer.text.contains(sent), "{}", answer.text);
    }
    assert_eq!(
        strip_input_from_message("Expected input type \"Int\", found [[[1]]]."),
        "Expected input type \"Int\"."
    );
}

#[tokio::test]
async fn a_flood_of_errors_is_capped() {
    let answer = ask("{leaks}").await;
    assert_eq!(
        answer.json()["errors"].as_array().unwrap().len(),
        MOST_ERRORS
    );
    assert!(!answer.text.contains("passwd"));
    let query = format!("{{__type(name:\"A\"){{{}}}}}", "nope ".repeat(500));
    assert_eq!(
        ask(&query).await.json()["errors"].as_array().unwrap().len(),
        100
    );
}

#[tokio::test]
async fn an_input_that_its_type_refuses_is_told_before_anything_runs() {
    let answer = ask("{zeta on(day:\"someday\") whole(number: true)}").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "GRAPHQL_VALIDATION_FAILED")
    );
    assert!(!answer.ran());
    let faults = answer.json()["errors"].take();
    assert_eq!(faults[0]["extensions"]["inputPath"], json!(["day"]));
    assert_eq!(faults[0]["message"], "`day`: no such day");
    assert_eq!(faults[1]["extensions"]["inputPath"], json!(["number"]));
    let answer = ask("query($d:Day){on(day:$d)}").await;
    assert_eq!(answer.json(), json!({"data": {"on": false}}));
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    for answer in [ask("{panics}").await, ask_json("{panics}").await] {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (500, "INTERNAL_SERVER_ERROR")
        );
        assert!(!answer.text.contains("SELECT") && !answer.ran());
    }
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let answer = ask("{sleeps}").await;
    assert_eq!((answer.status, answer.code().as_str()), (504, "TIMEOUT"));
    let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let answer = body(Body::from_stream(never)).await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "TIMEOUT"));
}

#[tokio::test]
async fn only_queries_may_be_asked_by_get() {
    assert_eq!(
        get("/graphql?query=%7Bzeta%7D").await.text,
        r#"{"data":{"zeta":1}}"#
    );
    let two = "/graphql?query=query%20A%7Bzeta%7Dquery%20B(%24i:Boolean!)%7Balpha@include(if:%24i)%7D&operationName=B";
    let answer = get(&format!("{two}&variables=%7B%22i%22:true%7D")).await;
    assert_eq!(answer.text, r#"{"data":{"alpha":2}}"#);

    let answer = get("/graphql?query=mutation%7Bzeta%7D").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (405, "BAD_USER_INPUT")
    );
    assert_eq!(answer.headers[header::ALLOW], "POST");
    for uri in [
        "/graphql",
        "/graphql?query=%7Bzeta%7D&variables=1",
        "/graphql?query=a&query=b",
    ] {
        assert_eq!(get(uri).await.status, 400, "{uri}");
    }
}

#[tokio::test]
async fn other_methods_and_media_types_are_refused() {
    for method in [Method::PUT, Method::DELETE, Method::HEAD, Method::PATCH] {
        let request = Request::builder().method(method).uri("/graphql");
        let answer = send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (405, "BAD_USER_INPUT")
        );
        assert_eq!(answer.headers[header::ALLOW], "GET, POST");
    }
    for content_type in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/graphql",
    ] {
        let request = Request::post("/graphql").header(header::CONTENT_TYPE, content_type);
        let body = r#"{"query":"mutation{zeta}"}"#;
        let answer = send(request.body(body.into()).unwrap()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (415, "BAD_USER_INPUT")
        );
    }
    let answer = send(posted(r#"{"query":"{zeta}"}"#, "text/html")).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (406, "BAD_USER_INPUT")
    );
}

#[tokio::test]
async fn what_is_not_one_request_is_malformed() {
    for text in [
        "",
        "nonsense",
        "null",
        "[]",
        r#"[{"query":"{zeta}"}]"#,
        r#" ["{zeta}",null,null,null]"#,
        "{}",
        r#"{"query":1}"#,
        r#"{"query":"{zeta}","variables":[]}"#,
        r#"{"query":"{zeta}","operationName":1}"#,
        r#"{"query":"{zeta}","extensions":"a"}"#,
        "{\"query\":\"{zeta}\",\"variables\":{\"a\":\"\\ud800\"}}",
    ] {
        let answer = body(text).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "BAD_USER_INPUT"),
            "{text}"
        );
    }
    let nulls = r#"{"query":"{zeta}","variables":null,"operationName":null,"extensions":null}"#;
    assert_eq!(body(nulls).await.status, 200);
}

#[tokio::test]
async fn a_body_may_be_long_but_not_longer() {
    let padded = |length: usize| format!("{{\"query\":\"{{zeta}}\"{}}}", " ".repeat(length - 18));
    assert_eq!(body(padded(1024 * 1024)).await.status, 200);
    for length in [1024 * 1024 + 1, 5 * 1024 * 1024, 32 * 1024 * 1024] {
        let answer = body(padded(length)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "QUERY_TOO_LARGE")
        );
    }
    let pieces = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
    assert_eq!(body(Body::from_stream(pieces)).await.status, 413);
}

#[tokio::test]
async fn sign_in_can_refuse_in_the_same_words() {
    let answer = refusal_response(
        MediaType::Response,
        StatusCode::UNAUTHORIZED,
        Code::Unauthenticated,
        "Sign in.",
        "r",
    );
    assert_eq!(answer.status(), 401);
    let bytes = axum::body::to_bytes(answer.into_body(), 1_000)
        .await
        .unwrap();
    assert_eq!(
        bytes,
        r#"{"errors":[{"message":"Sign in.","extensions":{"code":"UNAUTHENTICATED","requestId":"r"}}]}"#
    );
}

#[test]
fn a_message_is_clipped_between_characters() {
    assert_eq!(clip("é"), "é");
    let long = clip(&"é".repeat(1_000));
    assert_eq!(long.chars().count(), LONGEST_MESSAGE + 1);
}
