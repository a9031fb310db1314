//! Documents of older versions, and where the answers that gave the values of a KPI stayed behind.

use cx_blueprint::document::organisation;
use serde_json::{Value, json};

use super::{exported, faults, loads, operator};
use crate::world::World;

#[tokio::test]
async fn what_an_older_document_does_not_say_is_as_it_was() {
    let world = World::new().await;
    let fed = json!({ "key": "fed", "name": "Fed", "type": "NPS", "unit": "SCORE", "decimals": 0, "direction": "HIGHER",
        "aggregation": "RATIO", "cadence": "MONTHLY", "ownerDepartment": "d", "sensitivity": "OPEN", "scope": "RELATIONSHIP",
        "fedByFeedback": true, "measurements": [{ "measuredOn": "2025-03-04", "value": 42, "sampleSize": 50, "source": "feedback",
            "numerator": 21, "denominator": 50 }] });
    let document = json!({ "format": "cx-blueprint/blueprint@1", "key": "b", "title": "B", "ownerDepartment": "d", "persona": "p",
        "phases": [], "touchpoints": [] });
    let mut said = json!({ "format": organisation::FORMAT,
        "departments": [{ "key": "d", "name": "D", "kind": "INTERNAL" }],
        "personas": [{ "key": "p", "name": "P", "subject": "CUSTOMER" }], "kpis": [fed],
        "blueprints": [{ "status": "DRAFT", "template": "six-phases", "document": document }] });
    loads(&world, &said.to_string(), false)
        .await
        .expect("it is loaded");
    let text = exported(&world).await;
    let written: Value = serde_json::from_str(&text).expect("JSON");
    let tomorrow = world.clock.now().date_naive().succ_opt().expect("a day");
    assert_eq!(written["kpis"][0]["fedFrom"], json!(tomorrow.to_string()));
    assert_eq!(written["blueprints"][0]["template"], "six-phases");
    assert_eq!(written["templates"][0]["key"], "six-phases");
    // The answers stayed where it came from: no day is fed from which it has values.
    said["kpis"][0]["fedFrom"] = json!("2025-03-04");
    said["templates"] = json!([]);
    let refused = loads(&World::new().await, &said.to_string(), false).await;
    assert_eq!(
        faults(refused.expect_err("a fault")),
        [
            "kpis.0.fedFrom: It has values of that day or later, whose answers are not in a document: feed it from the day after its latest value on."
        ]
    );
    let manager = {
        use cx_blueprint::account::{self, AccountCreateInput};
        let input = AccountCreateInput {
            id: None,
            key: Some("cx".to_owned()),
            name: "CX".to_owned(),
            role: entity::words::OrganisationRole::CxManager,
            service: false,
            password: Some(crate::world::PASSWORD.to_owned()),
        };
        account::create(&operator(&world), input)
            .await
            .expect("an account");
        world.sign_in_anew("cx").await
    };
    let kpi = manager
        .ask("{ kpi(by: { key: \"fed\" }) { id version } }", json!({}))
        .await["kpi"]
        .take();
    let back =
        json!({ "id": kpi["id"], "expectedVersion": kpi["version"], "fedFrom": "2025-03-04" });
    let update = "mutation($input: KpiUpdateInput!) { kpiUpdate(input: $input) { userErrors { code message } } }";
    let told = manager.tries(update, back).await;
    assert_eq!(
        told["userErrors"],
        json!([{ "code": "CONFLICT", "message": "It has values from that day on that were not given by answers, the latest of 2025-03-04. They stay as they are, so it can be fed from 2025-03-05 on." }])
    );
    let answer = json!({ "scale": "NPS", "score": 0, "answeredOn": "2025-03-04" });
    let record =
        "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) { recorded } }";
    manager
        .ask(record, json!({ "input": { "feedback": [answer] } }))
        .await;
    let value = "{ kpi(by: { key: \"fed\" }) { latest { value sampleSize } } }";
    let value = manager.ask(value, json!({})).await["kpi"]["latest"].take();
    assert_eq!(value, json!({ "value": 42.0, "sampleSize": 50 }));
}
