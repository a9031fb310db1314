//! What people ask of the demo, each with its one right answer, worked out by hand from its file. What other tests
//! ask of it already (ways, hand-offs, views, findings, orphans) is not asked again.

mod measured;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::World;

const JOURNEYS: [&str; 5] = [
    "bp-member",
    "bp-rental",
    "bp-flight",
    "bp-aftermarket",
    "bp-employee",
];

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

#[tokio::test]
async fn of_three_steps_that_are_not_used_one_has_no_known_reason() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let document =
        "{ touchpoints(filter: { usages: [NOT_USED, ABANDONED] }) { nodes { key usage usageReason
        insights { kind text answeredBy { key } } } } }";
    let answer = ann.ask(document, json!({})).await;
    let said = answer["touchpoints"]["nodes"].as_array().expect("nodes");
    let said = said.iter().map(|step| {
        let known = step["insights"].as_array().expect("insights");
        let asked = known.iter().find(|known| known["kind"] == "QUESTION");
        let asked = asked.unwrap_or(&Value::Null);
        [
            text(&step["key"]),
            text(&step["usage"]),
            text(&step["usageReason"]),
            text(&asked["text"]),
            text(&asked["answeredBy"]),
        ]
    });
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            ["U03", "NOT_USED", "good workplace, no need", "-", "-"],
            [
                "F03",
                "ABANDONED",
                "not made for getting through quickly",
                "-",
                "-"
            ],
            [
                "B07",
                "NOT_USED",
                "-",
                "why customers do not use the tool is not known",
                "-"
            ],
        ]
    );
}

#[tokio::test]
async fn of_four_promises_two_are_not_kept() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let mut said = Vec::new();
    for key in JOURNEYS {
        let document = "query($key: String!) { blueprint(by: { key: $key }) { promises { key state madeAt { key } } } }";
        let answer = ann.ask(document, json!({ "key": key })).await;
        for promise in answer["blueprint"]["promises"]
            .as_array()
            .expect("promises")
        {
            said.push(format!(
                "{} {} at {}",
                text(&promise["key"]),
                text(&promise["state"]),
                text(&promise["madeAt"]["key"])
            ));
        }
    }
    assert_eq!(
        said,
        [
            "PR1 KEPT at U06",
            "PR2 KEPT at U13",
            "PR3 AT_RISK at R01",
            "PR4 BROKEN at F02"
        ]
    );
}

#[tokio::test]
async fn five_proposals_wait_for_the_department_that_they_address_and_two_are_rivals() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let all = ann.ask("{ departments(first: 100) { nodes { key } } }", json!({}));
    let all = all.await["departments"]["nodes"].take();
    let document =
        "query($key: String!) { department(by: { key: $key }) { awaitingAnswer(first: 50) { nodes {
        role touchpoint { key } proposedBy { key } } } } }";
    let mut waits = BTreeMap::new();
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for department in all.as_array().expect("departments") {
        let key = text(&department["key"]);
        let answer = ann.ask(document, json!({ "key": key })).await;
        let offers = &answer["department"]["awaitingAnswer"]["nodes"];
        for offer in offers.as_array().expect("proposals") {
            let step = text(&offer["touchpoint"]["key"]);
            let what = format!("{step} {}", text(&offer["role"]));
            let by = text(&offer["proposedBy"]["key"]);
            waits.insert(format!("{what} by {by}"), key.clone());
            wanted.entry(what).or_default().push(key.clone());
        }
    }
    let expected = [
        ("F03 ACCOUNTABLE by f-search", "f-partner"),
        ("U08 ACCOUNTABLE by u-campus", "u-marketing"),
        ("U17 ACCOUNTABLE by u-comms", "u-membership"),
        ("U17 ACCOUNTABLE by u-fund", "u-comms"),
        ("U23 RESPONSIBLE by u-marketing", "u-service"),
    ];
    let expected = expected.map(|(offer, department)| (offer.to_owned(), department.to_owned()));
    assert_eq!(waits, BTreeMap::from(expected));
    wanted.retain(|_, departments| departments.len() > 1);
    let rivals = vec!["u-membership".to_owned(), "u-comms".to_owned()];
    let found: Vec<_> = wanted.into_iter().collect();
    assert_eq!(found, [("U17 ACCOUNTABLE".to_owned(), rivals)]);
}

#[tokio::test]
async fn what_is_known_rests_on_three_kinds_of_sources() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let document =
        "{ insights(first: 100) { nodes { key kind basis sources { kind } touchpoint { key } } } }";
    let answer = ann.ask(document, json!({})).await;
    let mut known: Vec<String> = answer["insights"]["nodes"]
        .as_array()
        .expect("insights")
        .iter()
        .map(|insight| {
            let from = text(&insight["sources"][0]["kind"]);
            let (at, kind) = (text(&insight["touchpoint"]["key"]), text(&insight["kind"]));
            format!("{} {at} {kind} {from}", text(&insight["key"]))
        })
        .collect();
    known.sort();
    assert_eq!(
        known,
        [
            "I1 U02 PAIN SELF_REPORT",
            "I10 F06 GAIN INTERVIEW",
            "I11 B07 QUESTION -",
            "I12 U22 QUESTION -",
            "I2 U05 PAIN SELF_REPORT",
            "I3 U25 PAIN OBSERVATION",
            "I4 U08 OPPORTUNITY OBSERVATION",
            "I5 U15 GAIN SELF_REPORT",
            "I6 U17 PAIN SELF_REPORT",
            "I7 U20 PAIN SELF_REPORT",
            "I8 U18 GAIN SELF_REPORT",
            "I9 F03 PAIN INTERVIEW",
        ]
    );
}

#[tokio::test]
async fn one_improvement_is_live_and_three_are_proposed() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let document = "query($key: String!) { blueprint(by: { key: $key }) { improvements {
        key state ownerDepartment { key } touchpoints { key } kpis { key } } } }";
    let mut rows = Vec::new();
    for key in JOURNEYS {
        let mut answer = ann.ask(document, json!({ "key": key })).await;
        let list = answer["blueprint"]["improvements"].take();
        rows.extend(list.as_array().expect("improvements").clone());
    }
    let said: Vec<String> = rows
        .iter()
        .map(|row| {
            let keys = |list: &str| {
                let list = row[list].as_array().expect("a list").iter();
                list.map(|one| text(&one["key"]))
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            let (key, state) = (text(&row["key"]), text(&row["state"]));
            let owner = text(&row["ownerDepartment"]["key"]);
            format!(
                "{key} {state} {owner}: {} by {}",
                keys("touchpoints"),
                keys("kpis")
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "N1 LIVE u-mgmt: U22 by KU2",
            "N2 PROPOSED u-marketing: U08 by KU4",
            "N3 PROPOSED u-events: U20 U25 by KU9",
            "N4 PROPOSED f-partner: F02 F03 by KF2",
        ]
    );
}

/// The department that the file makes accountable at a step.
fn accountable(step: &str) -> Value {
    let demo: Value =
        serde_json::from_str(include_str!("../../demo/demonstration.json")).expect("JSON");
    let blueprints = &demo["organisation"]["blueprints"];
    let blueprints = blueprints.as_array().expect("blueprints").iter();
    let held = blueprints.flat_map(|one| one["responsibilities"].as_array().expect("roles"));
    let mut held = held.filter(|one| one["touchpoint"] == step && one["status"] == "ACCEPTED");
    let accountable = held.find(|one| one["role"] == "ACCOUNTABLE");
    accountable.map_or(Value::Null, |one| one["department"].clone())
}

#[tokio::test]
async fn of_six_answers_four_went_to_who_was_accountable_one_to_nobody_and_one_is_unnamed() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let document = "{ feedback(first: 10) { nodes { touchpoint { key } respondent group
        followUp { state dueOn department { key } } } } }";
    let answer = ann.ask(document, json!({})).await;
    let nodes = answer["feedback"]["nodes"].as_array().expect("nodes");
    let told = nodes.iter().map(|row| {
        let follow_up = &row["followUp"];
        let step = text(&row["touchpoint"]["key"]);
        if !follow_up.is_null() {
            assert_eq!(follow_up["department"]["key"], accountable(&step), "{step}");
        }
        format!(
            "{step} {} {} {} {}",
            text(&row["respondent"]),
            text(&row["group"]),
            text(&follow_up["state"]),
            text(&follow_up["dueOn"])
        )
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "U20 resp-17 DISSATISFIED OPEN 2025-03-06",
            "U18 resp-17 SATISFIED RESOLVED 2025-03-20",
            "U21 resp-22 SATISFIED OPEN 2025-03-24",
            "F03 resp-40 DISSATISFIED OPEN 2025-03-13",
            "B08 resp-51 DISSATISFIED CONTACTED 2025-03-14",
            "R03 - INDIFFERENT - -",
        ]
    );
    let document =
        "{ followUps(filter: { unroutable: true }) { nodes { feedback { touchpoint { key } } } } }";
    let unroutable = ann.ask(document, json!({})).await;
    assert_eq!(
        unroutable["followUps"]["nodes"],
        json!([{ "feedback": { "touchpoint": { "key": "F03" } } }])
    );
}
