//! A document that is refused has done nothing: everything of it is read and held against its types before anything
//! runs, and what is wrong is told all at once, each with where it lies.

use entity::touchpoint;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{facts::RECORD, ids::Ids, world::World};

async fn name_of(world: &World, key: &str) -> (String, i32) {
    let select = touchpoint::Entity::find().filter(touchpoint::Column::Key.eq(key));
    let row = select.one(&world.db()).await.expect("a row").expect("it");
    (row.name, row.version)
}

fn paths(answer: &Value) -> Vec<Value> {
    let errors = answer["errors"].as_array().expect("errors").iter();
    errors
        .map(|error| error["extensions"]["inputPath"].clone())
        .collect()
}

#[tokio::test]
async fn what_is_refused_has_changed_nothing() {
    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let before = name_of(&world, "T2").await;
    let rename = format!(
        "a: touchpointRename(input: {{ id: \"{}\", expectedVersion: {}, name: \"Changed\" }}) {{ userErrors {{ code }} }}",
        ids["T2"], before.1
    );
    let update = |fields: &str| {
        let blueprint = &ids["open"];
        format!(
            "b: blueprintUpdate(input: {{ id: \"{blueprint}\", expectedVersion: 1, {fields} }}) {{ userErrors {{ code }} }}"
        )
    };
    let input = |fields: Value| json!({ "input": fields });
    let by_variable = "mutation($input: BlueprintUpdateInput!) { A b: blueprintUpdate(input: $input) { userErrors { code } } }";
    for (document, variables, wanted) in [
        (
            format!("mutation($d: Date) {{ A {} }}", update("nextReviewOn: $d")),
            json!({ "d": "31-12-2026" }),
            vec![json!(["d"])],
        ),
        (
            format!(
                "mutation {{ A {} }}",
                update("nextReviewOn: \"31-12-2026\"")
            ),
            Value::Null,
            vec![json!(["input", "nextReviewOn"])],
        ),
        (
            format!(
                "mutation {{ A {} }}",
                update("subject: \"CUSTOMER\", title: [1]")
            ),
            Value::Null,
            vec![json!(["input", "subject"]), json!(["input", "title"])],
        ),
        (
            by_variable.to_owned(),
            input(
                json!({ "id": ids["open"], "expectedVersion": 3_000_000_000_u64, "colour": "red" }),
            ),
            vec![
                json!(["input", "expectedVersion"]),
                json!(["input", "colour"]),
            ],
        ),
        (
            by_variable.to_owned(),
            input(json!({ "expectedVersion": true, "subject": "NOBODY" })),
            vec![
                json!(["input", "expectedVersion"]),
                json!(["input", "id"]),
                json!(["input", "subject"]),
            ],
        ),
        (by_variable.to_owned(), Value::Null, vec![json!(["input"])]),
        (
            format!("mutation {{ A {} c: nothing }}", update("title: \"x\"")),
            Value::Null,
            vec![Value::Null],
        ),
        (
            format!("mutation($u: Int) {{ A {} }}", update("title: \"x\"")),
            Value::Null,
            vec![Value::Null],
        ),
    ] {
        let document = document.replacen('A', &rename, 1);
        let answer = cx.send(&document, variables).await;
        assert!(answer.get("data").is_none(), "{document}: {answer}");
        let mut found = paths(&answer);
        found.sort_by_key(ToString::to_string);
        let mut wanted = wanted;
        wanted.sort_by_key(ToString::to_string);
        assert_eq!(found, wanted, "{document}: {answer}");
        assert_eq!(name_of(&world, "T2").await, before, "{document}");
    }
    // The same rename, alone, is done.
    cx.ask(&format!("mutation {{ {rename} }}"), json!({})).await;
    assert_eq!(name_of(&world, "T2").await.0, "Changed");
}

/// Of a grid of figures each wrong day is told with its row.
#[tokio::test]
async fn every_row_that_is_wrong_is_named() {
    let world = World::small().await;
    let (cx, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let at = |day: &str| json!({ "kpiId": ids["PRICE"], "measuredOn": day, "value": 1.0 });
    let rows = json!({ "input": { "measurements": [at("2025-01-31"), at("01.11.2026"), at("2025-03-31"), at("")] } });
    let answer = cx.send(RECORD, rows).await;
    let day = |row: usize| json!(["input", "measurements", row, "measuredOn"]);
    assert_eq!(paths(&answer), [day(1), day(3)], "{answer}");
    let message = answer["errors"][0]["message"].as_str().expect("a sentence");
    assert_eq!(
        message,
        "`input.measurements.1.measuredOn`: This is not a day such as 2026-11-22."
    );
}

/// What people write with the escapes of JSON is one character.
#[tokio::test]
async fn pairs_of_escapes_and_descriptions_are_read() {
    let world = World::small().await;
    let viewer = world.sign_in("viewer").await;
    let document = r#""What it is for." query("Of it." $n: Int = 1) {
        search(text: "\uD83D\uDE00 deliv", first: $n) { totalCount } }"#;
    viewer.ask(document, json!({})).await;
    let half = r#"{ search(text: "\uD83D deliv") { totalCount } }"#;
    let answer = viewer.send(half, Value::Null).await;
    let code = &answer["errors"][0]["extensions"]["code"];
    assert_eq!(code, "GRAPHQL_PARSE_FAILED");
}
