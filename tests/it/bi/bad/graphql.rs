//! What no client of ours would send to GraphQL: questions and figures that are none.

use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::{
    facts::RECORD,
    ids::Ids,
    intake::kept,
    world::{World, read},
};

const FACTS: &str = "query($first: Int, $after: String, $filter: KpiFactFilter) {
    kpiFacts(first: $first, after: $after, filter: $filter) { nodes { rowId } } }";

#[tokio::test]
async fn no_question_in_graphql_is_too_strange_for_a_sentence() {
    let world = World::small().await;
    let analyst = world.sign_in("analyst").await;
    let bad = "BAD_USER_INPUT";
    let (cursor, no_day) = ("is not a cursor", "not a day such as");
    let complex = "QUERY_TOO_COMPLEX";
    let on = |field: &str, value: Value| json!({ "filter": { field: value } });
    let keys = |list: &str, times| on(list, json!(vec!["a"; times]));
    let backwards = json!({ "filter": { "from": "2025-04-01", "to": "2025-01-01" } });
    for (variables, code, words) in [
        (json!({ "first": -1 }), bad, "from 1 to 200"),
        (json!({ "first": 201 }), bad, "from 1 to 200"),
        (json!({ "first": 1_u64 << 31 }), bad, "number of 32 bits"),
        (json!({ "first": 1e9 }), bad, "from 1 to 200"),
        (json!({ "after": "\u{0}" }), bad, cursor),
        (json!({ "after": "A".repeat(60_000) }), bad, cursor),
        (on("from", json!("2025-02-30")), bad, no_day),
        (on("to", json!("99999-01-01")), bad, no_day),
        (on("from", json!("NaN")), bad, no_day),
        (on("colour", json!("red")), bad, "no such field"),
        (on("states", json!(["GOOD"])), bad, "One of these"),
        (on("kpiKeys", json!(["\u{feff}PRICE"])), "", ""),
        (backwards, bad, "`from` lies after `to`."),
        (keys("kpiKeys", 9_900), "", ""),
        (keys("kpiKeys", 20_000), complex, "10000 values"),
        (keys("departmentKeys", 200_000), complex, "10000 values"),
    ] {
        let asked: String = variables.to_string().chars().take(80).collect();
        let answer = analyst.send(FACTS, variables).await;
        let error = &answer["errors"][0];
        let found = error["extensions"]["code"].as_str().unwrap_or_default();
        assert_eq!(found, code, "{asked}: {answer}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{asked}: {message}");
    }
}

/// Where the same can be said of a figure in a sheet, it is among what is no figure there.
#[tokio::test]
async fn what_is_no_measurement_in_graphql_leaves_everything_as_it_was() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let contributor = world.sign_in("contributor").await;
    let before = kept(&world).await;
    let body = |field: &str, value: &str| {
        let mut fields = json!({ "kpiId": ids["PRICE"], "measuredOn": "2025-05-31", "value": 1 });
        fields[field] = json!("HERE");
        let variables = json!({ "input": { "measurements": [fields] } });
        let body = json!({ "query": RECORD, "variables": variables }).to_string();
        body.replace("\"HERE\"", value)
    };
    let price = format!("\"{}\"", ids["PRICE"]);
    let (no_json, no_float) = ("not valid JSON", "A number is expected");
    for (field, value, words) in [
        ("value", "NaN", no_json),
        ("value", "-Infinity", no_json),
        ("value", "1e999", no_json),
        ("value", "0x1", no_json),
        ("value", "\"\\ud800\"", no_json),
        ("value", "\"NaN\"", no_float),
        ("value", "null", "Give the value."),
        ("sampleSize", "1e10", "number of 32 bits"),
        ("sampleSize", "-1", "at least 1"),
        (
            "measuredOn",
            "\"0000-01-01\"",
            "between the years 1900 and 2999",
        ),
        ("measuredOn", "\"3000-01-01\"", "is in the future"),
        ("measuredOn", "\"2025-02-30\"", "not a day such as"),
        ("kpiId", "\"PRICE\"", "not an id of the form kpi_"),
        ("touchpointId", &price, "not an id of the form tch_"),
        ("source", "\"a\\u0000b\"", "control character"),
        ("colour", "1", "no such field"),
    ] {
        let body = body(field, value);
        let answer = posted(&world, &contributor.token, body.into_bytes()).await;
        assert!(
            answer.to_string().replace('\\', "").contains(words),
            "{field} {value}: {answer}"
        );
    }
    let plain = body("value", "1");
    let utf_16 = plain.encode_utf16().flat_map(u16::to_le_bytes);
    let latin_1 = body("source", "\"R?d\"").into_bytes();
    let latin_1 = latin_1
        .into_iter()
        .map(|byte| if byte == b'?' { 0xF8 } else { byte });
    for body in [
        utf_16.collect(),
        latin_1.collect(),
        ["\u{feff}", &plain].concat().into_bytes(),
        plain.replace("kpiId", "kpi\u{0}Id").into_bytes(),
        plain.as_bytes()[..plain.len() - 1].to_vec(),
    ] {
        let answer = posted(&world, &contributor.token, body).await;
        assert_eq!(
            answer["errors"][0]["message"],
            "The body is not valid JSON."
        );
    }
    assert_eq!(kept(&world).await, before);
}

/// Posts bytes to GraphQL as if they were JSON.
async fn posted(world: &World, token: &str, body: Vec<u8>) -> Value {
    let request = Request::post("/graphql")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .expect("a request");
    read(world.send(request).await).await.1
}
