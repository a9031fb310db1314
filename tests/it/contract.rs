//! What the three kinds of clients send, word for word, and its one right answer on the demo organisation.

use std::collections::BTreeMap;

use cx_blueprint::access::Caller;
use serde_json::{Value, json};

use crate::{
    generated::{generate::generate, size::OrganisationSize},
    world::{Actor, World, password_hash},
};

const OPERATIONS: &str = include_str!("../../checks/operations.graphql");

impl Actor<'_> {
    /// Sends one of the contract's operations, and gives its data.
    async fn runs(&self, operation: &str, variables: Value) -> Value {
        let body =
            json!({ "query": OPERATIONS, "operationName": operation, "variables": variables });
        let (status, mut answer) = self.world.post("/graphql", Some(&self.token), &body).await;
        assert!(
            status.is_success() && answer.get("errors").is_none(),
            "{operation}: {answer}"
        );
        answer["data"].take()
    }

    /// Reads a list of a contract's operation to its end; `list` is where it lies in the data.
    async fn reads_all(&self, operation: &str, variables: Value, list: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut after = Value::Null;
        loop {
            let mut variables = variables.clone();
            variables["after"] = after;
            let mut data = self.runs(operation, variables).await;
            let page = data.pointer_mut(list).expect("the list").take();
            all.extend(page["nodes"].as_array().expect("nodes").iter().cloned());
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

fn keys(nodes: &Value) -> Vec<&str> {
    nodes
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| node["key"].as_str().expect("a key"))
        .collect()
}

#[tokio::test]
async fn me_says_who_one_is() {
    let world = World::demo().await;
    let jon = world.sign_in("jon-lead-aftersales").await;
    let me = jon.runs("Me", json!({})).await;
    assert_eq!(me["viewer"]["account"]["role"], "MEMBER");
    assert_eq!(me["viewer"]["memberships"][0]["role"], "LEAD");
    assert_eq!(
        me["viewer"]["memberships"][0]["department"]["key"],
        "b-aftersales"
    );
}

#[tokio::test]
async fn a_canvas_is_drawn_in_one_request() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    for (key, phases, transitions, held, links) in [
        ("bp-member", &[5, 4, 3, 3, 8, 2][..], 34, 77, 18),
        ("bp-rental", &[1, 1, 2, 1, 1, 2], 13, 19, 7),
        ("bp-flight", &[1, 2, 2, 3, 2], 12, 22, 7),
        ("bp-aftermarket", &[1, 2, 2, 5, 3, 1], 25, 34, 10),
        ("bp-employee", &[1, 1, 1, 1, 1, 1], 8, 10, 1),
    ] {
        let canvas = ann.runs("Canvas", json!({ "key": key })).await["blueprint"].take();
        let drawn = canvas["phases"].as_array().expect("phases");
        let touchpoints: Vec<&Value> = drawn
            .iter()
            .flat_map(|phase| phase["touchpoints"].as_array().expect("touchpoints"))
            .collect();
        let count = |part: &str| -> usize {
            touchpoints
                .iter()
                .map(|touchpoint| touchpoint[part].as_array().expect("a list").len())
                .sum()
        };
        let sizes: Vec<usize> = drawn
            .iter()
            .map(|phase| phase["touchpoints"].as_array().expect("touchpoints").len())
            .collect();
        assert_eq!(sizes, phases, "{key}");
        assert_eq!(
            canvas["transitions"].as_array().expect("transitions").len(),
            transitions,
            "{key}"
        );
        assert_eq!(
            (count("responsibilities"), count("kpis")),
            (held, links),
            "{key}"
        );
        assert_eq!(
            (&canvas["status"], &canvas["publishedNumber"]),
            (&json!("PUBLISHED"), &json!(1))
        );
        assert_eq!(
            canvas["viewerPermissions"],
            json!([
                "DESCRIBE_TOUCHPOINT",
                "DESCRIBE_BLUEPRINT",
                "SHAPE_BLUEPRINT",
                "GOVERN_BLUEPRINT",
                "IMPORT_DOCUMENT",
                "IMPORT_ACCEPTED",
                "DISMISS_FINDING",
                "DISMISS_ERROR",
                "READ_HISTORY",
            ])
        );
    }
    let member = ann.runs("Canvas", json!({ "key": "bp-member" })).await["blueprint"].take();
    let first = &member["phases"][0]["touchpoints"][0];
    assert_eq!(
        (
            &first["key"],
            &first["position"],
            &first["channels"][0]["key"]
        ),
        (&json!("U01"), &json!(1), &json!("PHONE"))
    );
    assert_eq!(
        member["persona"]["needs"].as_array().expect("needs").len(),
        3
    );
}

/// How many statements a picture takes, sign-in included, and how many touchpoints are in it.
async fn statements(world: &World, login: &str, blueprint: &str) -> (u64, usize) {
    let actor = world.sign_in(login).await;
    let before = world.store.statement_count();
    let picture = actor.runs("Canvas", json!({ "key": blueprint })).await;
    let ran = world.store.statement_count() - before;
    let phases = picture["blueprint"]["phases"].as_array().expect("phases");
    let touchpoints = phases
        .iter()
        .flat_map(|phase| phase["touchpoints"].as_array());
    (ran, touchpoints.map(Vec::len).sum())
}

#[tokio::test]
async fn a_canvas_takes_at_most_12_statements_whatever_its_size() {
    let demo = World::demo().await;
    let (few, touchpoints) = statements(&demo, "ann-cx", "bp-member").await;
    assert_eq!(touchpoints, 25);
    let world = World::new().await;
    let size = OrganisationSize {
        blueprints: 1,
        touchpoints: 240,
        departments: 12,
        responsibilities: 3,
        kpis: 20,
        links: 2,
        days: 2,
        until: world.clock.day_of_moment(world.clock.now()),
        seed: 7,
    };
    let operator = Caller::operator(world.store.clone(), world.clock.clone(), "generate");
    let made = generate(&operator, &size, &password_hash().await).await;
    made.expect("an organisation");
    let (many, touchpoints) = statements(&world, "cx-manager", "blueprint-0001").await;
    assert_eq!(touchpoints, 240);
    assert!(few == many && many <= 12, "{few} and {many} statements");
}

#[tokio::test]
async fn blueprints_are_listed_with_a_total() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let list = ann.runs("Blueprints", json!({ "after": null })).await["blueprints"].take();
    assert_eq!(list["totalCount"], 4, "of customers; one is of employees");
    let edges = list["edges"].as_array().expect("edges");
    let listed: Vec<&str> = edges
        .iter()
        .map(|edge| edge["node"]["key"].as_str().expect("a key"))
        .collect();
    assert_eq!(
        listed,
        ["bp-member", "bp-rental", "bp-flight", "bp-aftermarket"]
    );
}

#[tokio::test]
async fn holes_in_accountability_are_found() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let found = ann.runs("Unaccountable", json!({})).await;
    assert_eq!(
        keys(&found["touchpoints"]["nodes"]),
        ["U08", "U17", "R07", "F03", "B10"]
    );
}

#[tokio::test]
async fn departments_know_what_they_hold_what_waits_and_what_is_missed() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    for (key, below, held, proposals, missed) in [
        ("b-aftersales", false, 9, 0, &["KB1", "KB2", "KE1"][..]),
        ("u-marketing", false, 11, 1, &["KU1", "KU2", "KU4", "KU9"]),
        ("u-comms", false, 3, 1, &["KU7"]),
        ("u-finance", false, 0, 0, &[]),
        ("f-partner", false, 1, 1, &["KF2"]),
        ("b-mgmt", false, 2, 0, &["KB2", "KE1"]),
        ("union", false, 0, 0, &[]),
        (
            "union",
            true,
            56,
            4,
            &["KU1", "KU2", "KU4", "KU7", "KU8", "KU9"],
        ),
        ("rental", true, 15, 0, &["KR2", "KR3"]),
        ("travel", true, 18, 1, &["KF2"]),
        (
            "industrial",
            true,
            37,
            0,
            &["KB1", "KB2", "KB5", "KB6", "KE1"],
        ),
    ] {
        let department = ann
            .runs("MyDepartment", json!({ "key": key, "below": below }))
            .await["department"]
            .take();
        assert_eq!(
            department["responsibilities"]["nodes"]
                .as_array()
                .expect("held")
                .len(),
            held,
            "{key} {below}"
        );
        assert_eq!(
            department["proposals"]["nodes"]
                .as_array()
                .expect("proposals")
                .len(),
            proposals,
            "{key} {below}"
        );
        assert_eq!(keys(&department["kpis"]["nodes"]), missed, "{key} {below}");
    }
}

#[tokio::test]
async fn facts_are_read_to_the_end_and_weigh_as_many_as_there_are_measurements() {
    let world = World::demo().await;
    let bea = world.sign_in("bea-analyst").await;
    let facts = bea
        .reads_all("Facts", json!({ "filter": null }), "/kpiFacts")
        .await;
    assert_eq!(facts.len(), 360);
    let weight: f64 = facts
        .iter()
        .map(|fact| fact["rowWeight"].as_f64().expect("a weight"))
        .sum();
    assert!((weight - 66.0).abs() < 1e-9, "{weight}");
    let mut by: BTreeMap<String, usize> = BTreeMap::new();
    for fact in &facts {
        for field in ["state", "role", "direction"] {
            *by.entry(fact[field].as_str().unwrap_or("-").to_owned())
                .or_default() += 1;
        }
    }
    let wanted = [
        ("ACCOUNTABLE", 114),
        ("CONSULTED", 60),
        ("HIGHER", 222),
        ("INFORMED", 27),
        ("LOWER", 138),
        ("MET", 115),
        ("MISSED", 245),
        ("RESPONSIBLE", 159),
    ];
    assert_eq!(
        by,
        wanted.map(|(word, count)| (word.to_owned(), count)).into()
    );
    assert_eq!(
        facts
            .iter()
            .filter(|fact| fact["isDelivering"] == json!(true))
            .count(),
        273
    );
    let ids: std::collections::BTreeSet<&str> = facts
        .iter()
        .map(|fact| fact["rowId"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), 360, "every row has an id of its own");
}

#[tokio::test]
async fn a_lead_pulls_the_rows_of_the_own_departments() {
    let world = World::demo().await;
    for (login, rows, weight) in [
        ("bo-lead-fund", 15, 12.0),
        ("cia-lead-marketing", 33, 15.0),
        ("jon-lead-aftersales", 24, 15.0),
        ("kim-lead-finance", 15, 12.0),
        ("hal-cx", 51, 9.0),
        ("lea-cx", 93, 21.0),
    ] {
        let facts = world
            .sign_in(login)
            .await
            .reads_all("Facts", json!({ "filter": null }), "/kpiFacts")
            .await;
        let sum: f64 = facts
            .iter()
            .map(|fact| fact["rowWeight"].as_f64().expect("a weight"))
            .sum();
        assert_eq!(facts.len(), rows, "{login}");
        assert!((sum - weight).abs() < 1e-9, "{login}: {sum}");
    }
    for login in ["eva-viewer", "dan-contrib-campus", "ida-agent", "gus-admin"] {
        let body = json!({ "query": OPERATIONS, "operationName": "Facts", "variables": {} });
        let actor = world.sign_in(login).await;
        let (_, answer) = world.post("/graphql", Some(&actor.token), &body).await;
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "FORBIDDEN",
            "{login}: {answer}"
        );
    }
}

#[tokio::test]
async fn recording_is_idempotent_and_a_second_value_is_a_correction() {
    let world = World::demo().await;
    let cia = world.sign_in("cia-lead-marketing").await;
    let kpi = cia
        .ask("{ kpi(by: { key: \"KU1\" }) { id } }", json!({}))
        .await["kpi"]["id"]
        .take();
    let batch = |value: f64| {
        json!({ "input": { "measurements": [
            { "kpiId": kpi, "measuredOn": "2025-03-31", "value": value }, { "kpiId": kpi, "measuredOn": "2025-04-30", "value": 8.5 },
        ] } })
    };
    let counts = |data: Value| {
        let counts = &data["kpiMeasurementsRecord"];
        assert_eq!(counts["userErrors"], json!([]));
        (
            counts["recorded"].as_i64(),
            counts["corrected"].as_i64(),
            counts["unchanged"].as_i64(),
        )
    };
    assert_eq!(
        counts(cia.runs("Record", batch(6.2)).await),
        (Some(1), Some(1), Some(0))
    );
    assert_eq!(
        counts(cia.runs("Record", batch(6.2)).await),
        (Some(0), Some(0), Some(2))
    );
}

#[tokio::test]
async fn rivals_for_one_touchpoint_end_with_one_accountable() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let waiting = async |key: &str| {
        let department = ann
            .runs("MyDepartment", json!({ "key": key, "below": false }))
            .await["department"]
            .take();
        department["proposals"]["nodes"][0].clone()
    };
    let (comms, membership) = (waiting("u-comms").await, waiting("u-membership").await);
    assert_eq!(
        (&comms["touchpoint"]["key"], &comms["proposedBy"]["key"]),
        (&json!("U17"), &json!("u-fund"))
    );
    let accept = async |proposal: &Value| {
        let input =
            json!({ "input": { "id": proposal["id"], "expectedVersion": proposal["version"] } });
        ann.runs("Accept", input).await["responsibilityAccept"].take()
    };
    let won = accept(&comms).await;
    assert_eq!(
        (
            &won["userErrors"],
            &won["ended"],
            &won["responsibility"]["status"]
        ),
        (&json!([]), &Value::Null, &json!("ACCEPTED"))
    );
    let lost = accept(&membership).await;
    assert_eq!(
        (
            &lost["userErrors"][0]["code"],
            &lost["userErrors"][0]["reason"]
        ),
        (&json!("CONFLICT"), &json!("ACCOUNTABLE_TAKEN"))
    );
    let found = ann.runs("Unaccountable", json!({})).await;
    assert_eq!(
        keys(&found["touchpoints"]["nodes"]),
        ["U08", "R07", "F03", "B10"]
    );
}

#[tokio::test]
async fn a_partner_sees_only_what_it_participates_in() {
    let world = World::demo().await;
    let ida = world.sign_in("ida-agent").await;
    let list = ida.runs("Blueprints", json!({})).await["blueprints"].take();
    assert_eq!(
        (&list["totalCount"], &list["edges"][0]["node"]["key"]),
        (&json!(1), &json!("bp-flight"))
    );
    assert_eq!(
        ida.runs("Canvas", json!({ "key": "bp-member" })).await["blueprint"],
        Value::Null
    );
    let found = ida.runs("Unaccountable", json!({})).await;
    assert_eq!(keys(&found["touchpoints"]["nodes"]), ["F03"]);
}
