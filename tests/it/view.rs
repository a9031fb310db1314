//! Smaller pictures of a blueprint, and what customers may see of it, worked out by hand from the demo's file.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{Actor, World};

const VIEW: &str = "query($key: String!, $essentialOnly: Boolean! = false, $simplifiedTo: Int) {
    blueprint(by: { key: $key }) { view(essentialOnly: $essentialOnly, simplifiedTo: $simplifiedTo) {
        phases { phase { key } touchpoints { key } }
        joints { from { key } to { key } end transition { kind } leftOut { key } }
        leftOut
    } }
}";

/// A view as text: the touchpoints by phase, then what joins them, bridges with what they pass over.
async fn seen(actor: &Actor<'_>, mut variables: Value, blueprint: &str) -> Vec<String> {
    variables["key"] = json!(blueprint);
    let mut answer = actor.ask(VIEW, variables).await;
    let view = answer["blueprint"]["view"].take();
    let keys = |touchpoints: &Value| {
        let touchpoints = touchpoints.as_array().expect("touchpoints").iter();
        let keys = touchpoints.map(|touchpoint| touchpoint["key"].as_str().expect("a key"));
        keys.collect::<Vec<_>>().join(" ")
    };
    let mut lines = Vec::new();
    for phase in view["phases"].as_array().expect("phases") {
        let key = phase["phase"]["key"].as_str().expect("a key");
        lines.push(format!("{key} {}", keys(&phase["touchpoints"])));
    }
    for joint in view["joints"].as_array().expect("joints") {
        let side = |side: &str| {
            let there = joint[side]["key"].as_str().or(joint["end"].as_str());
            there.expect("a touchpoint or an end").to_owned()
        };
        let over = keys(&joint["leftOut"]);
        assert_eq!(joint["transition"].is_null(), !over.is_empty());
        lines.push(
            format!("{}>{} {over}", side("from"), side("to"))
                .trim_end()
                .to_owned(),
        );
    }
    lines.push(format!("without {}", view["leftOut"]));
    lines
}

#[tokio::test]
async fn the_essential_rental_is_four_steps_with_the_rest_bridged() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let expected = [
        "r2 R02",
        "r3 R03",
        "r4 R04",
        "r5 R05",
        "R02>R03",
        "R03>R04",
        "R03>R05",
        "R04>R05",
        "R04>R03",
        "R05>R04 R06",
        "R05>R02 R06 R07",
        "R05>EXIT R06 R07",
        "START>R02 R01",
        "without 4",
    ];
    assert_eq!(
        seen(&ann, json!({ "essentialOnly": true }), "bp-rental").await,
        expected
    );
}

#[tokio::test]
async fn the_most_important_steps_stay_and_the_whole_is_the_whole() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let three = seen(&ann, json!({ "simplifiedTo": 3 }), "bp-rental").await;
    assert_eq!(three[..3], ["r2 R02", "r3 R03", "r4 R04"]);
    let both = json!({ "essentialOnly": true, "simplifiedTo": 20 });
    assert_eq!(
        seen(&ann, both, "bp-rental").await.last().expect("a line"),
        "without 4"
    );
    let nothing = seen(&ann, json!({ "simplifiedTo": -1 }), "bp-rental").await;
    assert_eq!(nothing, ["without 8"]);
    let all = seen(&ann, json!({}), "bp-member").await;
    let joints = all.iter().filter(|line| line.contains('>')).count();
    assert_eq!(
        (joints, all.last().expect("a line").as_str()),
        (34, "without 0")
    );
}

#[tokio::test]
async fn attention_and_assumptions_are_counted_by_journey() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let document = "query($key: String!) { blueprint(by: { key: $key }) {
        attention { stage touchpoints share } assumptions { touchpoints share }
    } }";
    for (journey, before, goal, after, assumed) in [
        ("bp-member", 12, 3, 10, 2),
        ("bp-rental", 1, 1, 6, 2),
        ("bp-flight", 5, 3, 2, 2),
        ("bp-aftermarket", 1, 2, 11, 5),
        ("bp-employee", 3, 1, 2, 0),
    ] {
        let mut answer = ann.ask(document, json!({ "key": journey })).await;
        let found = answer["blueprint"].take();
        let all = f64::from(before + goal + after);
        // In 15 significant digits, as everything that is computed.
        let share = |part: i32| -> f64 {
            let share = format!("{:.14e}", f64::from(part) / all);
            share.parse().expect("a number")
        };
        let stage = |stage: &str, touchpoints: i32| json!({ "stage": stage, "touchpoints": touchpoints, "share": share(touchpoints) });
        let stages = [
            stage("BEFORE", before),
            stage("GOAL", goal),
            stage("AFTER", after),
        ];
        assert_eq!(found["attention"], json!(stages), "{journey}");
        let assumed = json!({ "touchpoints": assumed, "share": share(assumed) });
        assert_eq!(found["assumptions"], assumed, "{journey}");
    }
}

#[tokio::test]
async fn customers_see_their_side_and_nothing_behind_it() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let document = "query($key: String!) { blueprint(by: { key: $key }) { customerView {
        title persona phases { name steps { key alone channels { name medium } } } ways { from to end }
    } } }";
    let mut answer = ann.ask(document, json!({ "key": "bp-flight" })).await;
    let view = answer["blueprint"]["customerView"].take();
    let phases = view["phases"].as_array().expect("phases").iter();
    let steps = phases.flat_map(|phase| phase["steps"].as_array().expect("steps").clone());
    let steps: Vec<(String, bool)> = steps
        .map(|step| {
            let key = step["key"].as_str().expect("a key").to_owned();
            (key, step["alone"].as_bool().expect("said"))
        })
        .collect();
    let keys: Vec<&str> = steps.iter().map(|(key, _)| key.as_str()).collect();
    // F06 is backstage; F04 is the customer's alone.
    assert_eq!(
        keys,
        [
            "F01", "F02", "F03", "F04", "F05", "F07", "F08", "F09", "F10"
        ]
    );
    assert!(steps.iter().all(|(key, alone)| *alone == (key == "F04")));
    let over = json!({ "from": "F05", "to": "F07", "end": null });
    let ways = view["ways"].as_array().expect("ways");
    assert!(
        ways.contains(&over),
        "what is behind is passed over: {ways:?}"
    );
    assert!(
        ways.iter()
            .all(|way| way["from"] != "F06" && way["to"] != "F06")
    );
}

/// The names of every field that can be asked below a type.
async fn below(actor: &Actor<'_>, of_type: &str) -> BTreeSet<String> {
    let document = "query($name: String!) { __type(name: $name) { fields {
        name type { name kind ofType { name kind ofType { name kind ofType { name kind } } } }
    } } }";
    let mut found = BTreeSet::new();
    let mut open = vec![of_type.to_owned()];
    while let Some(name) = open.pop() {
        let answer = actor.ask(document, json!({ "name": name })).await;
        for field in answer["__type"]["fields"].as_array().into_iter().flatten() {
            let mut leads_to = &field["type"];
            while leads_to["name"].is_null() {
                leads_to = &leads_to["ofType"];
            }
            let leads_to = leads_to["name"].as_str().expect("a name").to_owned();
            let field = format!(
                "{name}.{}: {leads_to}",
                field["name"].as_str().expect("a name")
            );
            if found.insert(field) && leads_to.starts_with("Customer") {
                open.push(leads_to);
            }
        }
    }
    found
}

#[tokio::test]
async fn nothing_internal_can_be_asked_of_what_customers_see() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let expected = "\
CustomerChannel.medium: Medium
CustomerChannel.name: String
CustomerPhase.customerGoal: String
CustomerPhase.name: String
CustomerPhase.stage: Stage
CustomerPhase.steps: CustomerStep
CustomerStep.alone: Boolean
CustomerStep.channels: CustomerChannel
CustomerStep.customerAction: String
CustomerStep.emotion: Int
CustomerStep.evidence: String
CustomerStep.expectedMinutes: Int
CustomerStep.key: String
CustomerStep.name: String
CustomerView.persona: String
CustomerView.phases: CustomerPhase
CustomerView.title: String
CustomerView.ways: CustomerWay
CustomerWay.end: End
CustomerWay.from: String
CustomerWay.to: String";
    let found = below(&ann, "CustomerView").await;
    assert_eq!(found.into_iter().collect::<Vec<_>>().join("\n"), expected);
}

#[tokio::test]
async fn contact_pressure_says_who_sends_how_much() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let set = async |key: &str, per_month: f64, initiator: &str| {
        let by = json!({ "key": { "blueprint": "bp-rental", "key": key } });
        let found = ann
            .ask(
                "query($by: ByInside!) { touchpoint(by: $by) { id version } }",
                json!({ "by": by }),
            )
            .await;
        let update = "mutation($input: TouchpointUpdateInput!) {
            touchpointUpdate(input: $input) { userErrors { code } }
        }";
        let change = json!({
            "id": found["touchpoint"]["id"], "expectedVersion": found["touchpoint"]["version"],
            "contactsPerMonth": per_month, "initiator": initiator,
        });
        ann.does(update, change).await;
    };
    // One phase has R03 and R08, the last one R06 and R07; R02 and R05 are alone in theirs.
    set("R02", 2.5, "ORGANISATION").await;
    set("R03", 2.0, "ORGANISATION").await;
    set("R08", 1.0, "ORGANISATION").await;
    set("R05", 1.0, "ORGANISATION").await;
    set("R06", 9.0, "CUSTOMER").await;
    set("R07", 0.5, "ORGANISATION").await;
    let document = "{ blueprint(by: { key: \"bp-rental\" }) { persona {
        id version contactPressure { perMonth most tooMuch senders { department { key } perMonth } }
    } } }";
    let sender =
        |key: Value, per_month: f64| json!({ "department": { "key": key }, "perMonth": per_month });
    let told = |most: Value, too_much: bool| {
        let senders = [
            sender(json!("r-station"), 2.0),
            sender(json!("r-fleet"), 1.0),
        ];
        json!({ "perMonth": 3.0, "most": most, "tooMuch": too_much, "senders": senders })
    };
    let mut persona = ann.ask(document, json!({})).await["blueprint"]["persona"].take();
    assert_eq!(persona["contactPressure"], told(Value::Null, false));
    for (most, too_much) in [(2, true), (3, false)] {
        let update = "mutation($input: PersonaUpdateInput!) {
            personaUpdate(input: $input) { userErrors { code } }
        }";
        let change = json!({
            "id": persona["id"], "expectedVersion": persona["version"], "maxContactsPerMonth": most,
        });
        ann.does(update, change).await;
        persona = ann.ask(document, json!({})).await["blueprint"]["persona"].take();
        assert_eq!(persona["contactPressure"], told(json!(most), too_much));
    }
}

#[tokio::test]
async fn sums_are_told_without_the_noise_of_binary_fractions() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let pressure = async |blueprint: &str| {
        let document = "query($key: String!) { blueprint(by: { key: $key }) { persona {
            contactPressure { perMonth }
        } phases { touchpoints { id key version } } } }";
        let mut told = ann.ask(document, json!({ "key": blueprint })).await;
        told["blueprint"].take()
    };
    let before = pressure("bp-rental").await;
    let none = &before["persona"]["contactPressure"]["perMonth"];
    assert!(
        none.as_f64()
            .is_some_and(|none| none == 0.0 && none.is_sign_positive()),
        "{none}"
    );
    let update = "mutation($input: TouchpointUpdateInput!) { touchpointUpdate(input: $input) { userErrors { code } } }";
    for (key, per_month) in [("R03", 1.1), ("R08", 2.2)] {
        let phases = before["phases"].as_array().expect("phases").iter();
        let mut steps = phases.flat_map(|phase| phase["touchpoints"].as_array().expect("steps"));
        let step = steps.find(|step| step["key"] == key).expect("a step");
        let change = json!({ "id": step["id"], "expectedVersion": step["version"],
            "contactsPerMonth": per_month, "initiator": "ORGANISATION" });
        ann.does(update, change).await;
    }
    // As doubles add up: 3.3000000000000003.
    let after = pressure("bp-rental").await;
    assert_eq!(
        after["persona"]["contactPressure"]["perMonth"].to_string(),
        "3.3"
    );
}
