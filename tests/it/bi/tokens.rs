//! Every face of the flat rows × everything that may be the matter with a token: who is let in, how far, and that
//! whoever is not learns and changes nothing.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use chrono::{Duration, NaiveDate};
use cx_blueprint::token::service::ServiceTokenSecret;
use futures_util::StreamExt;
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};

use super::YEAR;
use crate::{
    facts::RECORD,
    ids::Ids,
    intake::kept,
    odata::{IN_YEAR, encoded},
    service_token::REVOKE,
    world::World,
};

/// What is the matter with a token of a CX manager; on each face the status, and how many rows came or were recorded,
/// or why none; and what is said, on every face the same.
#[rustfmt::skip]
const TABLE: [(&str, [&str; 5], &str); 16] = [
    //                         feed      OData     GraphQL   sheet in GraphQL in
    ("all is well",           ["200 11", "200 11", "200 11", "200 1", "200 1"], ""),
    ("it is of a session",    ["200 11", "200 11", "200 11", "200 1", "200 1"], ""),
    ("READ alone",            ["200 11", "200 11", "200 11", NO, OUT], "needs the scope MEASUREMENTS for it"),
    ("BI alone",              ["200 11", "200 11", "200 11", NO, OUT], "needs the scope MEASUREMENTS for it"),
    ("MEASUREMENTS alone",    [NO, NO, OUT, "200 1", "200 1"], "needs the scope READ or BI for it"),
    ("FEEDBACK alone",        [NO, NO, OUT, NO, OUT], "A service token needs the scope "),
    ("sales alone",           ["200 6", "200 6", "200 6", "200 1", "200 1"], ""),
    ("finance alone",         ["200 3", "200 3", "200 3", NO, OUT], "needs the scope MEASUREMENTS for it"),
    ("it is not there",       [GONE; 5], "Sign in first."),
    ("it is no token",        [GONE; 5], "The access token is not accepted. Sign in again."),
    ("it is mistyped",        [GONE; 5], "The service token was cut off or mistyped."),
    ("nobody made it",        [GONE; 5], "The service token is not accepted. Ask an administrator for one."),
    ("it has expired",        [GONE; 5], "The service token has expired. Ask an administrator for a new one."),
    ("it was revoked",        [GONE; 5], "The service token was revoked. Ask an administrator for a new one."),
    ("its account is closed", [GONE; 5], "The account of this service token is deactivated."),
    ("its session is over",   [GONE; 5], "The access token has expired. Refresh it."),
];

const NO: &str = "403 FORBIDDEN";
/// GraphQL runs and says so of the field.
const OUT: &str = "200 FORBIDDEN";
const GONE: &str = "401 UNAUTHENTICATED";

const CLOSE: &str = "mutation($input: AtVersionInput!) { accountDeactivate(input: $input) { userErrors { code message } } }";

/// The token of a CX manager with which that is the matter.
async fn token(world: &World, matter: &str) -> String {
    let made = async |scopes: &[&str], departments: &[&str]| {
        let actor = world.with_token("cx-manager", scopes, departments);
        actor.await.token
    };
    let both = ["BI", "MEASUREMENTS"];
    let well = async || made(&both, &[]).await;
    match matter {
        "all is well" => well().await,
        "it is of a session" => world.sign_in("cx-manager").await.token,
        "READ alone" => made(&["READ"], &[]).await,
        "BI alone" => made(&["BI"], &[]).await,
        "MEASUREMENTS alone" => made(&["MEASUREMENTS"], &[]).await,
        "FEEDBACK alone" => made(&["FEEDBACK"], &[]).await,
        "sales alone" => made(&both, &["sales"]).await,
        "finance alone" => made(&both, &["finance"]).await,
        "it is not there" => String::new(),
        "it is no token" => "nonsense".to_owned(),
        "it is mistyped" => well().await + "x",
        "nobody made it" => ServiceTokenSecret::new().expect("a token").into_text(),
        "it has expired" => {
            let token = well().await;
            world.clock.advance(Duration::days(90));
            token
        }
        "it was revoked" => {
            let token = well().await;
            let admin = world.sign_in("admin").await;
            let list = admin.ask("{ serviceTokens { nodes { id } } }", json!({}));
            let id = list.await["serviceTokens"]["nodes"][0]["id"].take();
            admin.does(REVOKE, json!({ "id": id })).await;
            token
        }
        "its account is closed" => {
            let token = well().await;
            let id = &Ids::of(world).await["cx-manager"];
            let at = json!({ "id": id, "expectedVersion": 1 });
            world.sign_in("admin").await.does(CLOSE, at).await;
            token
        }
        "its session is over" => {
            let token = world.sign_in_anew("cx-manager").await.token;
            world.clock.advance(Duration::minutes(11));
            token
        }
        other => panic!("nothing is known of {other}"),
    }
}

fn get(path: String) -> Request<Body> {
    let request = Request::get(path).body(Body::empty());
    request.expect("a request")
}

fn post(path: &str, form: &str, body: String) -> Request<Body> {
    let request = Request::post(path).header(header::CONTENT_TYPE, form);
    request.body(Body::from(body)).expect("a request")
}

/// The five faces, each asked with a token: the status with what came, and everything that was said.
async fn asked(world: &World, token: &str, price: &str) -> Vec<(String, String)> {
    let facts = json!({ "query": "{ kpiFacts(first: 100) { nodes { rowId } } }" });
    let value = json!({ "kpiId": price, "measuredOn": "2025-06-30", "value": 1 });
    let input = json!({ "input": { "measurements": [value] } });
    let record = RECORD.replace("{ message }", "{ code message }");
    let record = json!({ "query": record, "variables": input });
    let sheet = "kpi,measured_on,value\nPRICE,2025-05-31,1\n".to_owned();
    let json = "application/json";
    let mut told = Vec::new();
    for mut request in [
        get(format!("/bi/v1/kpi_facts.ndjson?{YEAR}")),
        get(format!(
            "/bi/odata/v4/kpi_facts?$filter={}",
            encoded(IN_YEAR)
        )),
        post("/graphql", json, facts.to_string()),
        post("/bi/v1/measurements.csv", "text/csv", sheet),
        post("/graphql", json, record.to_string()),
    ] {
        if !token.is_empty() {
            let bearer = format!("Bearer {token}").parse().expect("a value");
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        let response = world.send(request).await;
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1 << 20).await;
        let text = String::from_utf8(bytes.expect("a body").to_vec()).expect("text");
        told.push((format!("{status} {}", came(&text)), text));
    }
    told
}

/// How many rows came, or were recorded, or why none.
fn came(text: &str) -> String {
    // Lines of JSON are no JSON.
    let Ok(answer) = serde_json::from_str::<Value>(text) else {
        return text.lines().count().to_string();
    };
    let data = &answer["data"];
    let codes = [
        &answer["error"]["code"],
        &answer["errors"][0]["extensions"]["code"],
        &data["kpiMeasurementsRecord"]["userErrors"][0]["code"],
    ];
    if let Some(code) = codes.iter().find_map(|code| code.as_str()) {
        return code.to_owned();
    }
    let rows = [&answer["value"], &data["kpiFacts"]["nodes"]];
    let rows = rows.iter().find_map(|rows| rows.as_array());
    let recorded = [&answer, &data["kpiMeasurementsRecord"]].map(|it| it["recorded"].as_u64());
    let recorded = recorded.into_iter().flatten().next();
    let came = rows.map(|rows| rows.len().to_string());
    came.or(recorded.map(|count| count.to_string()))
        .unwrap_or_else(|| panic!("{text}"))
}

#[tokio::test]
async fn every_face_lets_in_the_same_tokens() {
    for (matter, faces, sentence) in TABLE {
        let world = World::small().await;
        let price = &Ids::of(&world).await["PRICE"];
        let token = token(&world, matter).await;
        let before = kept(&world).await;
        let told = asked(&world, &token, price).await;
        let came: Vec<&str> = told.iter().map(|(came, _)| came.as_str()).collect();
        assert_eq!(came, faces, "{matter}");
        let refused = |came: &str| [NO, OUT, GONE].contains(&came);
        for (_, text) in told.iter().filter(|(came, _)| refused(came)) {
            assert!(text.contains(sentence), "{matter}: {text}");
            let tells = text.contains("msr_") || text.contains(price);
            assert!(!tells, "{matter}: {text}");
        }
        let said = |(_, text): &(String, String)| !token.is_empty() && text.contains(&token);
        assert!(!told.iter().any(said), "{matter}: it is said back");
        let recorded = faces[3..].iter().filter(|came| !refused(came)).count();
        let after = kept(&world).await;
        assert_eq!(after.len(), before.len() + recorded, "{matter}");
        assert_eq!(after[..before.len()], before, "{matter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_ends_when_the_rights_end_with_which_it_began() {
    let world = World::small().await;
    let many = "INSERT INTO measurement (id, kpi_id, measured_on, value, recorded_at, source, series_revision) VALUES ";
    let kpi = Ids::of(&world).await["PRICE"].clone();
    let hex = kpi.trim_start_matches("kpi_");
    let literal = match world.db().get_database_backend() {
        DbBackend::Sqlite => "X",
        _ => "",
    };
    let first = NaiveDate::from_ymd_opt(2000, 1, 1).expect("a day");
    let rows: Vec<String> = (0..6_000)
        .map(|at| {
            let (id, day) = (uuid::Uuid::from_u128(1_000 + at).simple().to_string(), first + Duration::days(at as i64));
            format!("({literal}'{id}', {literal}'{hex}', '{day}', {at}, '2025-10-31T12:00:00+00:00', 'a rather long source of many values', 1)")
        })
        .collect();
    for rows in rows.chunks(500) {
        let sql = format!("{many}{}", rows.join(", "));
        world
            .db()
            .execute_unprepared(&sql)
            .await
            .expect("it is said");
    }
    let rest = async |ends: &str| {
        let token = token(&world, "all is well").await;
        let mut request = get("/bi/v1/kpi_measurements.ndjson".to_owned());
        let value = format!("Bearer {token}").parse().expect("a header");
        request.headers_mut().insert(header::AUTHORIZATION, value);
        let answer = world.send(request).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let mut pieces = answer.into_body().into_data_stream();
        pieces.next().await.expect("a piece").expect("bytes");
        match ends {
            "revoked" => {
                let admin = world.sign_in("admin").await;
                let list = admin.ask("{ serviceTokens { nodes { id } } }", json!({}));
                let list = list.await["serviceTokens"]["nodes"].take();
                let last = list.as_array().and_then(|all| all.last());
                let id = last.expect("a token")["id"].clone();
                admin.does(REVOKE, json!({ "id": id })).await;
            }
            "demoted" => {
                let demoted = "UPDATE account SET role = 'ANALYST' WHERE key = 'cx-manager'";
                world
                    .db()
                    .execute_unprepared(demoted)
                    .await
                    .expect("it is said");
            }
            _ => {}
        }
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let mut broken = false;
        while let Some(piece) = pieces.next().await {
            broken |= piece.is_err();
        }
        broken
    };
    assert!(
        !rest("untouched").await,
        "whoever keeps their rights gets every row"
    );
    assert!(rest("revoked").await);
    assert!(rest("demoted").await);
}
