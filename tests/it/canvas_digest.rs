//! `canvasDigest` changes with what a canvas shows its reader, and with no value that they may not see.

use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

async fn digest(actor: &Actor<'_>) -> String {
    let document = "{ blueprint(by: { key: \"open\" }) { canvasDigest } }";
    let told = actor.ask(document, json!({})).await;
    let digest = told["blueprint"]["canvasDigest"].as_str();
    digest.expect("a digest").to_owned()
}

#[tokio::test]
async fn it_changes_with_what_a_canvas_shows_and_with_no_hidden_value() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let (manager, lead) = (
        world.sign_in("cx-manager").await,
        world.sign_in("lead").await,
    );
    let admin = world.sign_in("admin").await;
    let at = |id: &str, more: Value| {
        let mut input = json!({ "id": ids[id], "expectedVersion": 1 });
        for (key, value) in more.as_object().expect("an object") {
            input[key] = value.clone();
        }
        input
    };
    let value = |kpi: &str| json!({ "measurements": [{ "kpiId": ids[kpi], "measuredOn": "2025-03-04", "value": 3 }] });
    let target = |kpi: &str| json!({ "kpiId": ids[kpi], "validFrom": "2025-03-04", "value": 3 });
    // What is done, by whom, and whether the lead of sales, who may not see the values of SECRET, is shown it.
    let acts = [
        (
            "touchpointUpdate",
            &manager,
            at("T2", json!({ "note": "new" })),
            true,
        ),
        ("kpiMeasurementsRecord", &manager, value("PRICE"), true),
        ("kpiTargetSet", &manager, target("PRICE"), true),
        (
            "kpiUpdate",
            &manager,
            at("PRICE", json!({ "name": "Cost" })),
            true,
        ),
        ("kpiMeasurementsRecord", &manager, value("SECRET"), false),
        ("kpiTargetSet", &manager, target("SECRET"), false),
        (
            "departmentUpdate",
            &admin,
            at("service", json!({ "name": "Help" })),
            true,
        ),
        (
            "channelUpdate",
            &manager,
            at("WEB", json!({ "name": "Site" })),
            true,
        ),
        (
            "segmentUpdate",
            &manager,
            at("young", json!({ "value": "under 30" })),
            true,
        ),
        (
            "personaUpdate",
            &manager,
            at("buyer", json!({ "name": "Someone" })),
            true,
        ),
        (
            "touchpointUpdate",
            &manager,
            at("C1", json!({ "note": "elsewhere" })),
            false,
        ),
    ];
    for (act, actor, input, shown) in acts {
        let before = (digest(&lead).await, digest(&manager).await);
        let name = format!("{}{}", act[..1].to_uppercase(), &act[1..]);
        let document = format!(
            "mutation($input: {name}Input!) {{ {act}(input: $input) {{ userErrors {{ message }} }} }}"
        );
        actor.does(&document, input.clone()).await;
        let after = (digest(&lead).await, digest(&manager).await);
        assert_eq!(before.0 != after.0, shown, "{act} {input}");
        let elsewhere = input["id"] == ids["C1"];
        assert_eq!(before.1 != after.1, !elsewhere, "{act} {input}");
    }
    let (before, today) = (digest(&lead).await, world.clock.now());
    assert_eq!(before, digest(&lead).await);
    world.clock.advance(chrono::Duration::days(1));
    assert!(world.clock.now() > today);
    let lead = world.sign_in_anew("lead").await;
    assert_ne!(before, digest(&lead).await, "figures are of a day");
}

#[tokio::test]
async fn findings_have_an_id_and_a_request_is_told_its_cost_where_it_asks() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let document = "{ blueprint(by: { key: \"open\" }) {
        all: findings { id } again: findings { id } errors: findings(filter: { severities: [ERROR] }) { id }
        then: findings(asOf: \"2025-03-04\") { id } } }";
    let told = manager.ask(document, json!({})).await["blueprint"].take();
    assert_eq!(told["all"], told["again"]);
    assert_ne!(told["all"], told["errors"]);
    assert_ne!(told["all"], told["then"]);
    let body =
        json!({ "query": "{ viewer { account { name } } }", "extensions": { "cost": true } });
    let (_, told) = world.post("/graphql", Some(&manager.token), &body).await;
    assert_eq!(
        told["extensions"]["cost"],
        json!({ "requested": 3, "most": 25_000 })
    );
    let body = json!({ "query": "{ viewer { account { name } } }" });
    let (_, told) = world.post("/graphql", Some(&manager.token), &body).await;
    assert!(told.get("extensions").is_none(), "{told}");
}
