//! Scenarios: named ways through a journey, kept by those who shape it.

use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

const CREATE: &str = "mutation($input: ScenarioCreateInput!) { scenarioCreate(input: $input) {
    scenario { id name kind version touchpoints { key } }
    userErrors { code field }
} }";

const UPDATE: &str = "mutation($input: ScenarioUpdateInput!) { scenarioUpdate(input: $input) {
    scenario { id name kind version touchpoints { key } }
    userErrors { code field }
} }";

fn keys(scenario: &Value) -> String {
    let steps = scenario["touchpoints"]
        .as_array()
        .expect("touchpoints")
        .iter();
    let keys = steps.map(|step| step["key"].as_str().expect("a key"));
    keys.collect::<Vec<_>>().join(" ")
}

fn way(ids: &Ids, name: &str, steps: &[&str]) -> Value {
    let steps: Vec<&String> = steps.iter().map(|key| &ids[key]).collect();
    json!({ "blueprintId": ids["bp-rental"], "name": name, "kind": "HAPPY", "touchpointIds": steps })
}

/// The scenarios of the rental, each with its steps.
async fn listed(actor: &Actor<'_>) -> Vec<String> {
    let document =
        "{ blueprint(by: { key: \"bp-rental\" }) { scenarios { name touchpoints { key } } } }";
    let answer = actor.ask(document, json!({})).await;
    let scenarios = answer["blueprint"]["scenarios"]
        .as_array()
        .expect("scenarios")
        .iter();
    scenarios
        .map(|row| format!("{}: {}", row["name"].as_str().expect("a name"), keys(row)))
        .collect()
}

#[tokio::test]
async fn a_way_is_kept_step_by_step_and_may_go_round() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let made = ann
        .does(
            CREATE,
            way(&ids, "Twice", &["R02", "R03", "R04", "R03", "R05"]),
        )
        .await;
    assert_eq!(keys(&made["scenario"]), "R02 R03 R04 R03 R05");
    ann.does(CREATE, way(&ids, "Straight", &["R01", "R02"]))
        .await;
    assert_eq!(
        listed(&ann).await,
        ["Twice: R02 R03 R04 R03 R05", "Straight: R01 R02"]
    );

    let (id, version) = (&made["scenario"]["id"], &made["scenario"]["version"]);
    let change =
        json!({ "id": id, "expectedVersion": version, "touchpointIds": [ids["R05"], ids["R02"]] });
    let changed = ann.does(UPDATE, change.clone()).await;
    assert_eq!(keys(&changed["scenario"]), "R05 R02");
    assert_eq!(changed["scenario"]["version"], json!(2));
    assert_eq!(ann.refused(UPDATE, change).await, ["CONFLICT"]);
    let same = json!({ "id": id, "expectedVersion": 2, "touchpointIds": [ids["R05"], ids["R02"]] });
    let kept = ann.does(UPDATE, same).await;
    assert_eq!(kept["scenario"]["version"], json!(2), "nothing changed");
    let delete = "mutation($input: AtVersionInput!) { scenarioDelete(input: $input) { userErrors { code } } }";
    ann.does(delete, json!({ "id": id, "expectedVersion": 2 }))
        .await;
    assert_eq!(listed(&ann).await, ["Straight: R01 R02"]);
}

#[tokio::test]
async fn a_name_stands_for_one_way_and_steps_lie_in_the_blueprint() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    ann.does(CREATE, way(&ids, "As usual", &["R02"])).await;
    assert_eq!(
        ann.refused(CREATE, way(&ids, "AS USUAL", &["R03"])).await,
        ["DUPLICATE"]
    );
    let elsewhere = ann
        .tries(CREATE, way(&ids, "Elsewhere", &["R02", "F01", "U05"]))
        .await;
    let expected = json!([
        { "code": "NOT_FOUND", "field": ["touchpointIds", "1"] },
        { "code": "NOT_FOUND", "field": ["touchpointIds", "2"] },
    ]);
    assert_eq!(elsewhere["userErrors"], expected);
    assert_eq!(
        ann.refused(CREATE, way(&ids, "Long", &["R02"; 201])).await,
        ["LIMIT_EXCEEDED"]
    );
    assert_eq!(
        listed(&ann).await,
        ["As usual: R02"],
        "nothing half-written"
    );
}

#[tokio::test]
async fn a_retry_makes_nothing_twice_and_every_change_raises_the_revision() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let revision = async || {
        let document = "{ blueprint(by: { key: \"bp-rental\" }) { revision } }";
        ann.ask(document, json!({})).await["blueprint"]["revision"]
            .as_i64()
            .expect("a number")
    };
    let before = revision().await;
    let mut input = way(&ids, "As usual", &["R02"]);
    input["id"] = json!("scn_019ab0000000700080000000000000aa");
    ann.does(CREATE, input.clone()).await;
    ann.does(CREATE, input).await;
    assert_eq!(listed(&ann).await, ["As usual: R02"]);
    assert_eq!(revision().await, before + 1);
}
