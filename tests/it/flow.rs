//! How people move: what the transitions of the demo's journeys come to, worked out by hand from its file.

use serde_json::{Value, json};

use crate::world::{Actor, World};

const FLOW: &str = "query($key: String!) { blueprint(by: { key: $key }) { flow {
    loops { touchpoints { key } }
    backtracks { ...edge } skips { ...edge } exits { ...edge } reEntries { ...edge }
    deadEnds { key } unreachable { key } mustPass { key }
    handOffs { from { key } to { key } count transitions { ...edge } }
} } } fragment edge on Transition { end from { key } to { key } }";

const WAYS: &str = "query($key: String!, $from: ID!, $to: ID!, $longest: Int) {
    blueprint(by: { key: $key }) {
        flow { ways(from: $from, to: $to, longest: $longest) { hasMore ways { transitions { end from { key } to { key } } } } }
    }
}";

fn keys(touchpoints: &Value) -> Vec<&str> {
    let touchpoints = touchpoints.as_array().expect("touchpoints").iter();
    touchpoints
        .map(|touchpoint| touchpoint["key"].as_str().expect("a key"))
        .collect()
}

/// Transitions as text: where they come from and where they lead.
fn edges(transitions: &Value) -> Vec<String> {
    let transitions = transitions.as_array().expect("transitions").iter();
    transitions
        .map(|edge| {
            let side = |side: &str| {
                let there = edge[side]["key"].as_str().or(edge["end"].as_str());
                there.expect("a touchpoint or an end").to_owned()
            };
            format!("{}>{}", side("from"), side("to"))
        })
        .collect()
}

/// All that is said of a journey's flow, as text: one line a question that has an answer.
async fn told(actor: &Actor<'_>, blueprint: &str) -> String {
    let mut answer = actor.ask(FLOW, json!({ "key": blueprint })).await;
    let flow = answer["blueprint"]["flow"].take();
    let mut lines = Vec::new();
    for found in flow["loops"].as_array().expect("loops") {
        lines.push(format!("loop {}", keys(&found["touchpoints"]).join(" ")));
    }
    for question in ["backtracks", "skips", "exits", "reEntries"] {
        lines.push(format!("{question} {}", edges(&flow[question]).join(" ")));
    }
    for question in ["deadEnds", "unreachable", "mustPass"] {
        lines.push(format!("{question} {}", keys(&flow[question]).join(" ")));
    }
    for hand_off in flow["handOffs"].as_array().expect("hand-offs") {
        let transitions = edges(&hand_off["transitions"]);
        assert_eq!(hand_off["count"], json!(transitions.len()));
        let (from, to) = (&hand_off["from"]["key"], &hand_off["to"]["key"]);
        lines.push(format!("{from}>{to} {}", transitions.join(" ")).replace('"', ""));
    }
    lines.retain(|line| line.contains(' ') && !line.ends_with(' '));
    lines.join("\n")
}

#[tokio::test]
async fn the_members_journey_leads_to_a_competitor_and_back() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let expected = "\
loop U11 U12
loop U18 U21
loop U19 U20
backtracks U22>U05
skips U06>U13
exits U05>COMPETITOR U23>EXIT
reEntries COMPETITOR>U06
mustPass U01 U02 U03 U04 U05 U06 U13";
    let told = told(&ann, "bp-member").await;
    let (flow, hand_offs) = told.split_once("\nu-").expect("hand-offs");
    assert_eq!(flow, expected);
    assert_eq!(
        hand_offs.lines().count(),
        17,
        "one transition each: {hand_offs}"
    );
}

#[tokio::test]
async fn the_rental_goes_round_and_its_back_office_is_not_unreachable() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let expected = "\
loop R02 R03 R04 R05 R06 R07
backtracks R04>R03 R06>R04 R07>R02
skips R03>R05
exits R07>EXIT
mustPass R01 R02
r-marketing>r-web R01>R02
r-web>r-station R02>R03
r-fleet>r-station R08>R03
r-station>r-support R03>R04
r-support>r-station R04>R05 R04>R03
r-station>r-finance R05>R06
r-finance>r-support R06>R04";
    assert_eq!(told(&ann, "bp-rental").await, expected);
}

#[tokio::test]
async fn a_way_back_inside_one_phase_is_a_backtrack_too() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let told = told(&ann, "bp-aftermarket").await;
    let backtracks = told.lines().find(|line| line.starts_with("backtracks "));
    assert_eq!(
        backtracks,
        Some("backtracks B03>B01 B09>B08 B14>B08 B11>B03 B12>B06")
    );
}

#[tokio::test]
async fn the_flight_ends_in_a_dead_end() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let expected = "\
loop F01 F02 F03
backtracks F03>F01
exits F09>EXIT
deadEnds F10
mustPass F01 F02 F03 F04 F05 F06";
    let told = told(&ann, "bp-flight").await;
    let (flow, hand_offs) = told.split_once("\nf-").expect("hand-offs");
    assert_eq!(flow, expected);
    assert_eq!(
        hand_offs.lines().count(),
        5,
        "one transition each: {hand_offs}"
    );
}

#[tokio::test]
async fn ways_are_listed_shorter_ones_first_and_no_longer_than_asked() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let id = async |blueprint: &str, key: &str| {
        let by = json!({ "blueprint": blueprint, "key": key });
        let found = ann
            .ask(
                "query($by: KeyInside!) { touchpoint(by: { key: $by }) { id } }",
                json!({ "by": by }),
            )
            .await;
        found["touchpoint"]["id"].clone()
    };
    let ways = async |blueprint: &str, from: &Value, to: &Value, longest: Value| {
        let variables = json!({ "key": blueprint, "from": from, "to": to, "longest": longest });
        let mut answer = ann.ask(WAYS, variables).await;
        let found = answer["blueprint"]["flow"]["ways"].take();
        assert_eq!(found["hasMore"], json!(false));
        let ways = found["ways"].as_array().expect("ways").iter();
        ways.map(|way| edges(&way["transitions"]).join(" "))
            .collect::<Vec<_>>()
    };
    let (r03, r06) = (id("bp-rental", "R03").await, id("bp-rental", "R06").await);
    assert_eq!(
        ways("bp-rental", &r03, &r06, Value::Null).await,
        ["R03>R05 R05>R06", "R03>R04 R04>R05 R05>R06"]
    );
    assert_eq!(
        ways("bp-rental", &r03, &r06, json!(2)).await,
        ["R03>R05 R05>R06"]
    );
    assert!(ways("bp-rental", &r03, &r06, json!(-1)).await.is_empty());
    let (u05, u07) = (id("bp-member", "U05").await, id("bp-member", "U07").await);
    assert_eq!(
        ways("bp-member", &u05, &u07, Value::Null).await,
        ["U05>COMPETITOR COMPETITOR>U06 U06>U07"]
    );
    let stranger = json!({ "key": "bp-rental", "from": u05, "to": r06 });
    let answer = ann.send(WAYS, stranger).await;
    let code = &answer["errors"][0]["extensions"]["code"];
    assert_eq!(code, "BAD_USER_INPUT", "{answer}");
}
