//! KPIs fed by feedback: their measurements are what the answers give, whenever they come in.

use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

const CREATE: &str = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) {
    kpi { id } userErrors { field code message } } }";
const FEED: &str = "mutation($input: KpiUpdateInput!) { kpiUpdate(input: $input) {
    kpi { version fedFrom viewerPermissions } userErrors { field code reason } } }";
const LINK: &str = "mutation($input: KpiLinkCreateInput!) { kpiLinkCreate(input: $input) {
    link { id } userErrors { code } } }";
const RECORD: &str = "mutation($input: FeedbackRecordInput!) { feedbackRecord(input: $input) {
    recorded userErrors { code field } } }";
const MEASURED: &str = "query($id: ID!, $all: Boolean!) { node(id: $id) { ... on Kpi {
    measurements(first: 100, includeSuperseded: $all) { nodes {
        measuredOn value numerator denominator sampleSize source superseded touchpoint { key } } } } } }";

/// A KPI of sales; the id of it.
async fn kpi(manager: &Actor<'_>, ids: &Ids, of: Value) -> String {
    let mut input = json!({ "name": of["type"], "direction": "HIGHER", "cadence": "DAILY" });
    if of["ownerDepartmentId"].is_null() {
        input["ownerDepartmentId"] = json!(ids["sales"]);
    }
    for (key, value) in of.as_object().expect("an object") {
        input[key] = value.clone();
    }
    let made = manager.does(CREATE, input).await;
    made["kpi"]["id"].as_str().expect("an id").to_owned()
}

async fn feed(manager: &Actor<'_>, id: &str, version: i32) {
    let marked = json!({ "id": id, "expectedVersion": version, "fedFrom": "2020-01-01" });
    manager.does(FEED, marked).await;
}

async fn link(manager: &Actor<'_>, id: &str, place: Value) -> Value {
    let mut input = json!({ "kpiId": id });
    for (key, value) in place.as_object().expect("an object") {
        input[key] = value.clone();
    }
    manager.does(LINK, input).await["link"]["id"].take()
}

fn at(scale: &str, touchpoint: &str, day: &str, score: i32) -> Value {
    json!({ "scale": scale, "score": score, "touchpointId": touchpoint, "answeredOn": day })
}

async fn record(actor: &Actor<'_>, answers: Vec<Value>) {
    actor.does(RECORD, json!({ "feedback": answers })).await;
}

/// What is measured: touchpoint, day, value, numerator, denominator and sample size, by day.
async fn measured(actor: &Actor<'_>, id: &str) -> Vec<Value> {
    let answer = actor.ask(MEASURED, json!({ "id": id, "all": false })).await;
    let nodes = answer["node"]["measurements"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter();
    let mut rows: Vec<Value> = nodes
        .map(|node| {
            assert_eq!(node["source"], json!("feedback"));
            json!([
                node["touchpoint"]["key"],
                node["measuredOn"],
                node["value"],
                node["numerator"],
                node["denominator"],
                node["sampleSize"]
            ])
        })
        .collect();
    rows.sort_by_key(ToString::to_string);
    rows
}

#[tokio::test]
async fn a_net_score_is_measured_at_each_touchpoint_that_the_kpi_judges() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let nps = json!({ "type": "NPS", "unit": "SCORE", "aggregation": "RATIO" });
    let id = kpi(&manager, &ids, nps).await;
    link(&manager, &id, json!({ "touchpointId": ids["T2"] })).await;
    link(
        &manager,
        &id,
        json!({ "phaseId": ids["open/goal"], "validTo": "2025-03-05" }),
    )
    .await;
    feed(&manager, &id, 1).await;
    record(
        &manager,
        vec![
            at("NPS", &ids["T2"], "2025-03-04", 10),
            at("NPS", &ids["T2"], "2025-03-04", 9),
            at("NPS", &ids["T2"], "2025-03-04", 7),
            at("NPS", &ids["T2"], "2025-03-04", 6),
            at("CSAT", &ids["T2"], "2025-03-04", 1),
            at("NPS", &ids["T3"], "2025-03-04", 0),
            at("NPS", &ids["T3"], "2025-03-05", 0),
            at("NPS", &ids["T5"], "2025-03-04", 0),
            json!({ "scale": "NPS", "score": 0, "answeredOn": "2025-03-04" }),
        ],
    )
    .await;
    // At T2 (2 − 1) of 4. T3 is in the phase, which is judged until the fourth. T5 is judged by nothing.
    assert_eq!(
        measured(&manager, &id).await,
        [
            json!(["T2", "2025-03-04", 25.0, 1.0, 4.0, 4]),
            json!(["T3", "2025-03-04", -100.0, -1.0, 1.0, 1]),
        ]
    );
    record(&manager, vec![at("NPS", &ids["T2"], "2025-03-04", 3)]).await;
    assert_eq!(
        measured(&manager, &id).await[0],
        json!(["T2", "2025-03-04", 0.0, 0.0, 5.0, 5])
    );
    let all = manager
        .ask(MEASURED, json!({ "id": id, "all": true }))
        .await;
    let nodes = all["node"]["measurements"]["nodes"]
        .as_array()
        .expect("nodes");
    assert_eq!(nodes.len(), 3, "the correction keeps what it corrects");
}

#[tokio::test]
async fn satisfaction_is_a_mean_or_a_share_as_the_kpi_says_and_effort_a_mean() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let mut made = Vec::new();
    for of in [
        json!({ "type": "CSAT", "unit": "SCALE_1_5", "aggregation": "AVERAGE", "name": "mean" }),
        json!({ "type": "CSAT", "unit": "PERCENT", "aggregation": "RATIO", "name": "share" }),
        json!({ "type": "CES", "unit": "SCALE_1_7", "aggregation": "AVERAGE" }),
    ] {
        let id = kpi(&manager, &ids, of).await;
        link(&manager, &id, json!({ "blueprintId": ids["open"] })).await;
        made.push(id);
    }
    // What is recorded before the KPI is marked counts too.
    let answers = [
        ("CSAT", 5),
        ("CSAT", 4),
        ("CSAT", 4),
        ("CSAT", 1),
        ("CES", 7),
        ("CES", 2),
    ];
    let answers = answers.map(|(scale, score)| at(scale, &ids["T3"], "2025-03-04", score));
    record(&manager, answers.to_vec()).await;
    for id in &made {
        feed(&manager, id, 1).await;
    }
    let day = "2025-03-04";
    let (mean, share) = (&made[0], &made[1]);
    assert_eq!(
        measured(&manager, mean).await,
        [json!(["T3", day, 3.5, null, null, 4])]
    );
    assert_eq!(
        measured(&manager, share).await,
        [json!(["T3", day, 75.0, 3.0, 4.0, 4])]
    );
    assert_eq!(
        measured(&manager, &made[2]).await,
        [json!(["T3", day, 4.5, null, null, 2])]
    );
}

#[tokio::test]
async fn answers_on_the_relationship_and_at_touchpoints_never_meet() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let of = |name: &str| json!({ "type": "NPS", "unit": "SCORE", "aggregation": "RATIO", "scope": "RELATIONSHIP", "name": name });
    let everything = kpi(&manager, &ids, of("all")).await;
    let journey = kpi(&manager, &ids, of("open")).await;
    link(&manager, &journey, json!({ "touchpointId": ids["T2"] })).await;
    for id in [&everything, &journey] {
        feed(&manager, id, 1).await;
    }
    let whole = |score: i32, more: Value| {
        let mut answer = json!({ "scale": "NPS", "score": score, "answeredOn": "2025-03-04" });
        for (key, value) in more.as_object().expect("an object") {
            answer[key] = value.clone();
        }
        answer
    };
    record(
        &manager,
        vec![
            whole(10, json!({})),
            whole(9, json!({ "blueprintId": ids["open"] })),
            whole(
                2,
                json!({ "blueprintId": ids["closed"], "personaId": ids["buyer"] }),
            ),
            at("NPS", &ids["T2"], "2025-03-04", 0),
        ],
    )
    .await;
    assert_eq!(
        measured(&manager, &journey).await,
        [json!([null, "2025-03-04", 100.0, 1.0, 1.0, 1])],
        "the one about the journey in which it judges something"
    );
    assert_eq!(
        measured(&manager, &everything).await,
        [json!([null, "2025-03-04", 100.0, 1.0, 1.0, 1])],
        "those about a journey count where it is judged, and nowhere else"
    );
}

#[tokio::test]
async fn of_employees_a_closed_month_is_measured_from_five_answers_on() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let mut made = Vec::new();
    for cadence in ["MONTHLY", "DAILY"] {
        let input = json!({ "name": cadence, "type": "ENPS", "unit": "SCORE", "aggregation": "RATIO", "direction": "HIGHER",
            "scope": "RELATIONSHIP", "ownerDepartmentId": ids["b-hr"], "cadence": cadence });
        let kpi = ann.does(CREATE, input).await;
        let id = kpi["kpi"]["id"].as_str().expect("an id").to_owned();
        feed(&ann, &id, 1).await;
        made.push(id);
    }
    let answer =
        |score: i32| json!({ "scale": "ENPS", "score": score, "answeredOn": "2025-03-04" });
    record(&ann, vec![answer(10), answer(9), answer(8), answer(2)]).await;
    record(&ann, vec![answer(9)]).await;
    assert!(measured(&ann, &made[0]).await.is_empty(), "not yet closed");
    let month = world.clock.now().format("%Y-%m").to_string();
    world.clock.advance(chrono::Duration::days(32));
    let ann = world.sign_in_anew("ann-cx").await;
    world.close_months().await;
    let told = measured(&ann, &made[0]).await;
    assert_eq!(told.len(), 1, "{told:?}");
    let day = told[0][1].as_str().expect("a day");
    assert!(
        day.starts_with(&month),
        "the last day of the month of receipt: {day}"
    );
    assert_eq!(
        told,
        [json!([null, day, 40.0, 2.0, 5.0, 5])],
        "3 less 1, of 5"
    );
    assert!(
        measured(&ann, &made[1]).await.is_empty(),
        "never at a finer cadence than a month"
    );
}

#[tokio::test]
async fn a_relationship_kpi_of_customers_counts_no_employees() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let input = json!({ "name": "both", "type": "CSAT", "unit": "SCALE_1_5", "aggregation": "AVERAGE", "direction": "HIGHER",
        "scope": "RELATIONSHIP", "ownerDepartmentId": ids["b-hr"], "cadence": "MONTHLY" });
    let kpi = ann.does(CREATE, input).await["kpi"]["id"].take();
    let kpi = kpi.as_str().expect("an id");
    let journeys = "{ e: blueprint(by: { key: \"bp-employee\" }) { id } blueprints(first: 10) { nodes { id key subject } } }";
    let journeys = ann.ask(journeys, json!({})).await;
    let employees = journeys["e"]["id"].clone();
    let nodes = journeys["blueprints"]["nodes"].as_array().expect("nodes");
    let of_customers = nodes.iter().find(|one| one["subject"] == "CUSTOMER");
    let customers = of_customers.expect("a journey of customers")["id"].clone();
    for journey in [&employees, &customers] {
        link(&ann, kpi, json!({ "blueprintId": journey })).await;
    }
    feed(&ann, kpi, 1).await;
    let today = world.clock.now().date_naive();
    let last = today + chrono::Months::new(1);
    let last = chrono::Datelike::with_day(&last, 1).expect("a day") - chrono::Duration::days(1);
    let answer = |journey: &Value, score: i32, on: chrono::NaiveDate| json!({ "scale": "CSAT", "score": score, "blueprintId": journey, "answeredOn": on.to_string() });
    record(
        &ann,
        [1, 2, 1, 5, 2]
            .map(|score| answer(&employees, score, today))
            .to_vec(),
    )
    .await;
    world.clock.advance(chrono::Duration::days(32));
    let ann = world.sign_in_anew("ann-cx").await;
    record(&ann, vec![answer(&customers, 5, last)]).await;
    let of_customers = [json!([null, last.to_string(), 5.0, null, null, 1])];
    assert_eq!(measured(&ann, kpi).await, of_customers);
    world.close_months().await;
    assert_eq!(
        measured(&ann, kpi).await,
        of_customers,
        "the two are never added up"
    );
}

#[tokio::test]
async fn a_kpi_with_values_of_the_one_does_not_come_to_count_the_other() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let kpi = kpi(
        &ann,
        &ids,
        json!({ "type": "CSAT", "unit": "SCALE_1_5", "aggregation": "AVERAGE", "scope": "RELATIONSHIP",
            "ownerDepartmentId": ids["b-hr"], "cadence": "MONTHLY" }),
    )
    .await;
    let journey = "{ blueprint(by: { key: \"bp-employee\" }) { id } }";
    let journey = ann.ask(journey, json!({})).await["blueprint"]["id"].take();
    feed(&ann, &kpi, 1).await;
    let answer = json!({ "scale": "CSAT", "score": 4, "answeredOn": "2025-03-04" });
    record(&ann, vec![answer]).await;
    let of_customers = [json!([null, "2025-03-04", 4.0, null, null, 1])];
    assert_eq!(measured(&ann, &kpi).await, of_customers);
    let input = json!({ "kpiId": kpi, "blueprintId": journey });
    assert_eq!(ann.refused(LINK, input).await, ["CONFLICT"]);
    assert_eq!(measured(&ann, &kpi).await, of_customers);
}

#[tokio::test]
async fn links_that_follow_one_another_count_a_cell_as_one_link_would() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let journey =
        "{ blueprint(by: { key: \"bp-employee\" }) { id phases { touchpoints { id } } } }";
    let journey = ann.ask(journey, json!({})).await["blueprint"].take();
    let (today, mut made) = (world.clock.now().date_naive(), Vec::new());
    let of = json!({ "type": "CSAT", "unit": "SCALE_1_5", "aggregation": "AVERAGE",
        "ownerDepartmentId": ids["b-hr"], "cadence": "MONTHLY" });
    for gap in [0, 1] {
        let mut of = of.clone();
        of["name"] = json!(format!("after {gap}"));
        let kpi = kpi(&ann, &ids, of).await;
        let until = json!({ "blueprintId": journey["id"], "validTo": today.to_string() });
        link(&ann, &kpi, until).await;
        let from = (today + chrono::Duration::days(gap)).to_string();
        link(
            &ann,
            &kpi,
            json!({ "blueprintId": journey["id"], "validFrom": from }),
        )
        .await;
        feed(&ann, &kpi, 1).await;
        made.push(kpi);
    }
    let place = journey["phases"][0]["touchpoints"][0]["id"].as_str();
    let place = place.expect("a touchpoint");
    let answers = [5, 4, 4, 2, 1].map(|score| at("CSAT", place, "2025-03-04", score));
    record(&ann, answers.to_vec()).await;
    world.clock.advance(chrono::Duration::days(32));
    world.close_months().await;
    let ann = world.sign_in_anew("ann-cx").await;
    let told = measured(&ann, &made[0]).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0][2], &told[0][5]), (&json!(3.2), &json!(5)));
    assert!(
        measured(&ann, &made[1]).await.is_empty(),
        "a day is missing"
    );
}

#[tokio::test]
async fn a_document_links_a_fed_kpi_as_a_mutation_does() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let nps = json!({ "key": "fed-nps", "type": "NPS", "unit": "SCORE", "aggregation": "RATIO", "scope": "TRANSACTIONAL" });
    let fed = kpi(&manager, &ids, nps).await;
    feed(&manager, &fed, 1).await;
    record(&manager, vec![at("NPS", &ids["T2"], "2025-03-04", 9)]).await;
    assert!(
        measured(&manager, &fed).await.is_empty(),
        "it judges nothing"
    );
    let export = "query($key: String!) { blueprint(by: { key: $key }) { revision document } }";
    let import = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) { userErrors { code field } } }";
    let linked = async |key: &str| {
        let blueprint = manager.ask(export, json!({ "key": key })).await["blueprint"].take();
        let mut document = blueprint["document"].clone();
        let links = document["kpiLinks"].as_array_mut().expect("links");
        links.push(json!({ "kpi": "fed-nps", "validFrom": null, "validTo": null, "weight": null }));
        json!({ "document": document, "expectedRevision": blueprint["revision"] })
    };
    manager.does(import, linked("open").await).await;
    assert_eq!(
        measured(&manager, &fed).await.len(),
        1,
        "what was answered before counts"
    );
}

#[tokio::test]
async fn only_a_cx_manager_lets_a_kpi_be_fed_by_what_not_everybody_may_read() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let lead = world.sign_in("lead").await;
    let marked = |id: &str| json!({ "id": id, "expectedVersion": 1, "fedFrom": "2020-01-01" });
    let nps = |name: &str, scope: &str| json!({ "type": "NPS", "unit": "SCORE", "aggregation": "RATIO", "name": name, "scope": scope });
    let relationship = kpi(&manager, &ids, nps("whole", "RELATIONSHIP")).await;
    assert_eq!(
        lead.refused(FEED, marked(&relationship)).await,
        ["FORBIDDEN"]
    );
    let closed = kpi(&manager, &ids, nps("closed", "TRANSACTIONAL")).await;
    link(&manager, &closed, json!({ "touchpointId": ids["C1"] })).await;
    assert_eq!(lead.refused(FEED, marked(&closed)).await, ["FORBIDDEN"]);
    let open = kpi(&manager, &ids, nps("open", "TRANSACTIONAL")).await;
    link(&manager, &open, json!({ "touchpointId": ids["T2"] })).await;
    lead.does(FEED, marked(&open)).await;
    let whole = json!({ "id": open, "expectedVersion": 2, "scope": "RELATIONSHIP" });
    assert_eq!(lead.refused(FEED, whole).await, ["FORBIDDEN"]);
    feed(&manager, &relationship, 1).await;
    feed(&manager, &closed, 1).await;
}

#[tokio::test]
async fn what_is_fed_nobody_records_and_only_what_answers_give_is_fed() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let price = json!({ "id": ids["PRICE"], "expectedVersion": 1, "fedFrom": "2025-03-04" });
    let errors = manager.tries(FEED, price).await["userErrors"].take();
    assert_eq!(
        errors,
        json!([{ "field": ["fedFrom"], "code": "INVALID", "reason": null }])
    );
    let id = kpi(&manager, &ids, json!({ "type": "NPS", "unit": "SCORE" })).await;
    let marked = json!({ "id": id, "expectedVersion": 1, "fedFrom": "2025-03-04" });
    assert_eq!(
        manager.refused(FEED, marked).await,
        ["INVALID"],
        "LAST is no RATIO"
    );
    let by_hand =
        "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) {
        recorded userErrors { code reason field } } }";
    let value =
        json!({ "measurements": [{ "kpiId": id, "measuredOn": "2025-03-04", "value": 12.0 }] });
    manager.does(by_hand, value.clone()).await;
    let marked = |from: &str| json!({ "id": id, "expectedVersion": 1, "fedFrom": from, "aggregation": "RATIO", "scope": "RELATIONSHIP" });
    let errors = manager.tries(FEED, marked("2025-03-04")).await["userErrors"].take();
    assert_eq!(
        errors,
        json!([{ "field": ["fedFrom"], "code": "CONFLICT", "reason": "FIXED_BY_MEASUREMENTS" }]),
        "what was measured stays"
    );
    let marked = marked("2025-03-05");
    let kpi = manager.does(FEED, marked).await["kpi"].take();
    assert_eq!(
        kpi,
        json!({ "version": 2, "fedFrom": "2025-03-05", "viewerPermissions": ["DEFINE_KPI", "GOVERN_KPI", "READ_HISTORY"] })
    );
    let errors = manager.tries(by_hand, value).await["userErrors"].take();
    assert_eq!(
        errors,
        json!([{ "code": "CONFLICT", "reason": "FED_BY_FEEDBACK", "field": ["measurements", "0", "kpiId"] }])
    );
    let old = manager
        .ask("query($id: ID!) { node(id: $id) { ... on Kpi { measurements { nodes { id value } } } } }", json!({ "id": id }))
        .await["node"]["measurements"]["nodes"][0]
        .take();
    let correct = "mutation($input: KpiMeasurementCorrectInput!) { kpiMeasurementCorrect(input: $input) { userErrors { code } } }";
    let correction = json!({ "measurementId": old["id"], "value": 13.0 });
    assert_eq!(manager.refused(correct, correction).await, ["CONFLICT"]);
    let answer = |day: &str| json!({ "scale": "NPS", "score": 9, "answeredOn": day });
    record(&manager, vec![answer("2025-03-04"), answer("2025-03-05")]).await;
    let told = manager
        .ask(MEASURED, json!({ "id": id, "all": true }))
        .await;
    let told = told["node"]["measurements"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter();
    let told: Vec<Value> = told
        .map(|one| json!([one["measuredOn"], one["value"], one["source"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["2025-03-04", 12.0, null]),
            json!(["2025-03-05", 100.0, "feedback"])
        ],
        "an answer about the day before replaces nothing"
    );
    let money = self::kpi(
        &manager,
        &ids,
        json!({ "type": "COST", "unit": "CURRENCY", "currency": "DKK", "name": "money" }),
    )
    .await;
    let value =
        json!({ "measurements": [{ "kpiId": money, "measuredOn": "2025-03-04", "value": 12.0 }] });
    manager.does(by_hand, value).await;
    let both =
        json!({ "id": money, "expectedVersion": 1, "scope": "RELATIONSHIP", "currency": "EUR" });
    assert_eq!(manager.refused(FEED, both).await, ["CONFLICT"]);
    let moved = json!({ "id": id, "expectedVersion": 2, "scope": "TRANSACTIONAL" });
    let errors = manager.tries(FEED, moved).await["userErrors"].take();
    assert_eq!(
        errors,
        json!([{ "field": ["scope"], "code": "CONFLICT", "reason": "FIXED_BY_MEASUREMENTS" }])
    );
}

#[tokio::test]
async fn a_place_that_comes_to_be_judged_brings_its_answers() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let nps = json!({ "type": "NPS", "unit": "SCORE", "aggregation": "RATIO" });
    let id = kpi(&manager, &ids, nps).await;
    feed(&manager, &id, 1).await;
    record(&manager, vec![at("NPS", &ids["T3"], "2025-03-04", 9)]).await;
    assert!(
        measured(&manager, &id).await.is_empty(),
        "it judges nothing"
    );
    link(
        &manager,
        &id,
        json!({ "touchpointId": ids["T3"], "validFrom": "2025-03-05" }),
    )
    .await;
    assert!(measured(&manager, &id).await.is_empty(), "not on that day");
    link(
        &manager,
        &id,
        json!({ "touchpointId": ids["T3"], "validTo": "2025-03-05" }),
    )
    .await;
    let there = [json!(["T3", "2025-03-04", 100.0, 1.0, 1.0, 1])];
    assert_eq!(measured(&manager, &id).await, there);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_come_in_at_once_are_all_counted() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let nps = json!({ "type": "NPS", "unit": "SCORE", "aggregation": "RATIO" });
    let id = kpi(&manager, &ids, nps).await;
    link(&manager, &id, json!({ "touchpointId": ids["T2"] })).await;
    feed(&manager, &id, 1).await;
    let one = || record(&manager, vec![at("NPS", &ids["T2"], "2025-03-04", 9)]);
    futures_util::future::join_all((0..20).map(|_| one())).await;
    assert_eq!(
        measured(&manager, &id).await,
        [json!(["T2", "2025-03-04", 100.0, 20.0, 20.0, 20])]
    );
}

#[tokio::test]
async fn what_was_measured_before_a_kpi_is_fed_stays() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let nps =
        json!({ "type": "NPS", "unit": "SCORE", "aggregation": "RATIO", "scope": "RELATIONSHIP" });
    let id = kpi(&manager, &ids, nps).await;
    let answer =
        |day: &str, score: i32| json!({ "scale": "NPS", "score": score, "answeredOn": day });
    record(
        &manager,
        vec![answer("2025-03-04", 9), answer("2025-03-06", 9)],
    )
    .await;
    let fed = |version: i32, from: Value| json!({ "id": id, "expectedVersion": version, "fedFrom": from });
    manager.does(FEED, fed(1, json!("2025-03-05"))).await;
    let sixth = json!([null, "2025-03-06", 100.0, 1.0, 1.0, 1]);
    assert_eq!(measured(&manager, &id).await, std::slice::from_ref(&sixth));
    // An earlier day on which nothing was measured brings its answers, a later one leaves what is there.
    manager.does(FEED, fed(2, json!("2025-03-04"))).await;
    let fourth = json!([null, "2025-03-04", 100.0, 1.0, 1.0, 1]);
    assert_eq!(
        measured(&manager, &id).await,
        [fourth.clone(), sixth.clone()]
    );
    manager.does(FEED, fed(3, json!("2025-03-06"))).await;
    record(
        &manager,
        vec![answer("2025-03-04", 0), answer("2025-03-06", 0)],
    )
    .await;
    let sixth = json!([null, "2025-03-06", 0.0, 0.0, 2.0, 2]);
    assert_eq!(measured(&manager, &id).await, [fourth, sixth.clone()]);
    // Fed from the fourth again, all answers of that day are here.
    manager.does(FEED, fed(4, json!("2025-03-04"))).await;
    let fourth = json!([null, "2025-03-04", 0.0, 0.0, 2.0, 2]);
    assert_eq!(
        measured(&manager, &id).await,
        [fourth.clone(), sixth.clone()]
    );
    // Stopped and begun anew it keeps both.
    manager.does(FEED, fed(5, Value::Null)).await;
    assert_eq!(
        measured(&manager, &id).await,
        [fourth.clone(), sixth.clone()]
    );
    manager.does(FEED, fed(6, json!("2025-03-01"))).await;
    assert_eq!(measured(&manager, &id).await, [fourth, sixth]);
}
