//! KPIs: defined, aimed, linked, granted and measured; and what they come to for whom.

mod confidential;
mod figure;
mod kept;
mod numbers;
mod recording;
mod shares;

use entity::{audit_event, kpi, measurement};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

const CREATE: &str = "mutation($input: KpiCreateInput!) { kpiCreate(input: $input) {
    kpi { id key version type unit currency } userErrors { field message code reason } } }";
pub const UPDATE: &str = "mutation($input: KpiUpdateInput!) { kpiUpdate(input: $input) {
    kpi { id version name type unit currency direction } userErrors { field message code reason } } }";
const ARCHIVE: &str = "mutation($input: AtVersionInput!) { kpiArchive(input: $input) {
    kpi { id version archivedAt } userErrors { field message code reason } } }";
const OWNER: &str = "mutation($input: KpiOwnerChangeInput!) { kpiOwnerChange(input: $input) {
    kpi { id version } userErrors { field message code reason } } }";
pub const TARGET: &str = "mutation($input: KpiTargetSetInput!) { kpiTargetSet(input: $input) {
    target { id validFrom value warning version kpi { key } } userErrors { field message code reason } } }";
const TARGET_DELETE: &str = "mutation($input: AtVersionInput!) { kpiTargetDelete(input: $input) {
    target { id } userErrors { field message code reason } } }";
const LINK: &str = "mutation($input: KpiLinkCreateInput!) { kpiLinkCreate(input: $input) {
    link { id validFrom validTo weight version kpi { key } latest { value } target { value } state }
    userErrors { field message code reason } } }";
pub const LINK_UPDATE: &str = "mutation($input: KpiLinkUpdateInput!) { kpiLinkUpdate(input: $input) {
    link { id validFrom validTo weight version state } userErrors { field message code reason } } }";
const LINK_DELETE: &str = "mutation($input: AtVersionInput!) { kpiLinkDelete(input: $input) {
    link { id } userErrors { field message code reason } } }";
const GRANT: &str = "mutation($input: KpiGrantCreateInput!) { kpiGrantCreate(input: $input) {
    grant { id kpi { key } } userErrors { field message code reason } } }";
const GRANT_DELETE: &str =
    "mutation($input: KpiGrantDeleteInput!) { kpiGrantDelete(input: $input) {
    grant { id } userErrors { field message code reason } } }";
const RECORD: &str =
    "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) {
    recorded corrected unchanged userErrors { field message code reason } } }";
const CORRECT: &str = "mutation($input: KpiMeasurementCorrectInput!) { kpiMeasurementCorrect(input: $input) {
    measurement { id value superseded supersededBy { id } } userErrors { field message code reason } } }";
const KPI: &str = "query($key: String!) { kpi(by: { key: $key }) {
    id key version valuesVisible
    latest(asOf: DAY) { id value measuredOn } target(asOf: DAY) { value warning } state(asOf: DAY)
    targets(first: 10) { nodes { id validFrom value warning version } totalCount }
    measurements(first: 10) { nodes { id value measuredOn superseded } totalCount }
    all: measurements(first: 10, includeSuperseded: true) { totalCount }
    links(first: 10) { nodes { id version state latest { value } kpi { key } } }
    grants(first: 10) { nodes { id kpi { key } } } } }";

impl Actor<'_> {
    async fn kpi(&self, key: &str, as_of: Value) -> Value {
        let document = KPI.replace("DAY", &as_of.to_string());
        self.ask(&document, json!({ "key": key })).await["kpi"].take()
    }

    async fn records(&self, measurements: Value) -> Value {
        self.tries(RECORD, json!({ "measurements": measurements }))
            .await
    }

    /// What is wrong with a batch: path, code and reason of each fault.
    async fn faults(&self, measurements: Value) -> Vec<String> {
        faults(&self.records(measurements).await)
    }
}

fn faults(answer: &Value) -> Vec<String> {
    let errors = answer["userErrors"].as_array().expect("user errors").iter();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    errors
        .map(|error| {
            let path: Vec<String> = error["field"]
                .as_array()
                .expect("a path")
                .iter()
                .map(word)
                .collect();
            format!(
                "{} {} {}",
                path.join("."),
                word(&error["code"]),
                word(&error["reason"])
            )
        })
        .collect()
}

fn counts(answer: &Value) -> [i64; 3] {
    assert_eq!(answer["userErrors"], json!([]), "{answer}");
    ["recorded", "corrected", "unchanged"].map(|word| answer[word].as_i64().expect("a number"))
}

async fn measured(world: &World) -> u64 {
    measurement::Entity::find()
        .count(&world.db())
        .await
        .expect("a count")
}

fn definition(ids: &Ids, name: &str) -> Value {
    json!({ "name": name, "type": "OTHER", "unit": "PERCENT", "direction": "HIGHER", "ownerDepartmentId": ids["sales"] })
}

#[tokio::test]
async fn a_kpi_is_defined_by_the_lead_of_its_owner_or_a_cx_manager() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    for login in [
        "stranger",
        "viewer",
        "contributor",
        "neighbour",
        "analyst",
        "auditor",
        "admin",
    ] {
        let actor = world.sign_in(login).await;
        assert_eq!(
            actor.refused(CREATE, definition(&ids, "No")).await,
            ["FORBIDDEN"],
            "{login}"
        );
    }
    let made = world
        .sign_in("lead")
        .await
        .does(CREATE, definition(&ids, "Soft start"))
        .await;
    assert_eq!(made["kpi"]["key"], "soft-start");
    world
        .sign_in("chair")
        .await
        .does(CREATE, definition(&ids, "From above"))
        .await;
    world
        .sign_in("cx-manager")
        .await
        .does(CREATE, definition(&ids, "From aside"))
        .await;
}

#[tokio::test]
async fn a_currency_goes_with_money_and_a_retry_makes_nothing_twice() {
    let world = World::small().await;
    let (ids, lead) = (Ids::of(&world).await, world.sign_in("lead").await);
    let mut input = definition(&ids, "Cost");
    input["unit"] = json!("CURRENCY");
    assert_eq!(
        faults(&lead.tries(CREATE, input.clone()).await),
        ["currency REQUIRED -"]
    );
    input["currency"] = json!("euro");
    input["decimals"] = json!(7);
    let wrong = faults(&lead.tries(CREATE, input.clone()).await);
    assert_eq!(
        wrong,
        ["decimals INVALID OUT_OF_RANGE", "currency INVALID -"]
    );
    input["currency"] = json!("EUR");
    input["decimals"] = json!(2);
    input["id"] = json!("kpi_01980000000070008000000000000001");
    let first = lead.does(CREATE, input.clone()).await;
    assert_eq!(lead.does(CREATE, input.clone()).await, first);
    assert_eq!(first["kpi"]["currency"], "EUR");
    let change = json!({ "id": first["kpi"]["id"], "expectedVersion": 1, "unit": "COUNT" });
    let changed = lead.does(UPDATE, change).await;
    assert_eq!(
        (&changed["kpi"]["unit"], &changed["kpi"]["currency"]),
        (&json!("COUNT"), &Value::Null)
    );
}

#[tokio::test]
async fn how_a_kpi_is_read_is_fixed_once_it_has_measurements() {
    let world = World::small().await;
    let (ids, lead) = (Ids::of(&world).await, world.sign_in("lead").await);
    let price = &ids["PRICE"];
    for (field, value) in [("type", "OTHER"), ("unit", "HOURS")] {
        let change = json!({ "id": price, "expectedVersion": 1, field: value });
        let answer = lead.tries(UPDATE, change).await;
        assert_eq!(
            faults(&answer),
            [format!("{field} CONFLICT FIXED_BY_MEASUREMENTS")]
        );
        assert_eq!(answer["kpi"]["version"], 1, "the KPI as it is comes along");
    }
    let change = json!({ "id": price, "expectedVersion": 1, "unit": "DAYS", "name": "Days", "scope": "RELATIONSHIP" });
    assert_eq!(lead.does(UPDATE, change).await["kpi"]["version"], 2);
    let turn = json!({ "id": price, "expectedVersion": 2, "direction": "HIGHER" });
    assert_eq!(
        faults(&lead.tries(UPDATE, turn).await),
        ["direction CONFLICT IN_USE"]
    );
}

#[tokio::test]
async fn only_a_cx_manager_archives_a_kpi_or_changes_its_owner() {
    let world = World::small().await;
    let (ids, lead, cx) = (
        Ids::of(&world).await,
        world.sign_in("lead").await,
        world.sign_in("cx-manager").await,
    );
    let owner =
        json!({ "id": ids["PRICE"], "expectedVersion": 1, "ownerDepartmentId": ids["service"] });
    assert_eq!(lead.refused(OWNER, owner.clone()).await, ["FORBIDDEN"]);
    cx.does(OWNER, owner).await;
    let away = json!({ "id": ids["PRICE"], "expectedVersion": 2 });
    assert_eq!(lead.refused(ARCHIVE, away.clone()).await, ["FORBIDDEN"]);
    cx.does(ARCHIVE, away).await;
    let day = json!([{ "kpiId": ids["PRICE"], "measuredOn": "2025-04-30", "value": 1 }]);
    assert_eq!(cx.faults(day).await, ["measurements.0.kpiId ARCHIVED -"]);
    let data = cx.ask("{ kpis { nodes { key } } all: kpis(filter: { includeArchived: true }) { totalCount } }", json!({})).await;
    assert_eq!(
        data,
        json!({ "kpis": { "nodes": [{ "key": "SECRET" }] }, "all": { "totalCount": 2 } })
    );
}

#[tokio::test]
async fn a_target_counts_from_its_day_until_the_next() {
    let world = World::small().await;
    let (ids, lead) = (Ids::of(&world).await, world.sign_in("lead").await);
    let set = |day: &str, value: Value, warning: Value| json!({ "kpiId": ids["PRICE"], "validFrom": day, "value": value, "warning": warning });
    let states = async || {
        let mut states = Vec::new();
        for day in ["2025-01-30", "2025-01-31", "2025-02-28", "2025-03-31"] {
            states.push(lead.kpi("PRICE", json!(day)).await["state"].clone());
        }
        states
    };
    assert_eq!(states().await, ["NO_DATA", "MET", "AT_RISK", "MISSED"]);
    lead.does(TARGET, set("2025-02-15", Value::Null, Value::Null))
        .await;
    assert_eq!(states().await, ["NO_DATA", "MET", "NO_TARGET", "MISSED"]);
    let made = lead
        .does(TARGET, set("2025-03-15", json!(1.5), Value::Null))
        .await;
    assert_eq!(states().await, ["NO_DATA", "MET", "NO_TARGET", "MET"]);
    let at = json!({ "id": made["target"]["id"], "expectedVersion": 1 });
    lead.does(TARGET_DELETE, at).await;
    assert_eq!(states().await, ["NO_DATA", "MET", "NO_TARGET", "MISSED"]);
}

#[tokio::test]
async fn a_target_is_not_overwritten_unseen() {
    let world = World::small().await;
    let (ids, lead) = (Ids::of(&world).await, world.sign_in("lead").await);
    let mut set = json!({ "kpiId": ids["PRICE"], "validFrom": "2025-03-01", "value": 1.2 });
    let answer = lead.tries(TARGET, set.clone()).await;
    assert_eq!(faults(&answer), ["expectedVersion CONFLICT VERSION_STALE"]);
    assert_eq!(answer["target"]["value"], 1.0);
    set["expectedVersion"] = json!(1);
    let replaced = lead.does(TARGET, set.clone()).await["target"].take();
    assert_eq!(
        (&replaced["id"], &replaced["version"]),
        (&answer["target"]["id"], &json!(2))
    );
    set["expectedVersion"] = Value::Null;
    assert_eq!(
        lead.does(TARGET, set.clone()).await["target"],
        replaced,
        "a retry changes nothing"
    );
    set["warning"] = json!(1.0);
    assert_eq!(
        faults(&lead.tries(TARGET, set.clone()).await),
        ["warning INVALID OUT_OF_RANGE"]
    );
    assert_eq!(
        world
            .sign_in("contributor")
            .await
            .refused(TARGET, set)
            .await,
        ["FORBIDDEN"]
    );
}

#[tokio::test]
async fn a_kpi_judges_a_place_once_on_any_day() {
    let world = World::small().await;
    let (ids, lead) = (Ids::of(&world).await, world.sign_in("lead").await);
    let link = |place: &str, at: &str, from: Value, to: Value| json!({ "kpiId": ids["PRICE"], place: ids[at], "validFrom": from, "validTo": to, "weight": 2 });
    let first = link(
        "touchpointId",
        "T3",
        json!("2025-01-01"),
        json!("2025-02-01"),
    );
    let made = lead.does(LINK, first.clone()).await["link"].take();
    assert_eq!(made["state"], Value::Null, "it does not hold today");
    lead.does(
        LINK,
        link("touchpointId", "T3", json!("2025-02-01"), Value::Null),
    )
    .await;
    for (from, to) in [
        ("2025-01-31", "2025-03-01"),
        ("2024-01-01", "2025-01-02"),
        ("2025-06-01", "2025-06-02"),
    ] {
        let again = lead
            .tries(LINK, link("touchpointId", "T3", json!(from), json!(to)))
            .await;
        assert_eq!(faults(&again), ["kpiId DUPLICATE ALREADY_LINKED"], "{from}");
    }
    let longer = json!({ "id": made["id"], "expectedVersion": 1, "validTo": "2025-02-02" });
    assert_eq!(
        faults(&lead.tries(LINK_UPDATE, longer).await),
        ["kpiId DUPLICATE ALREADY_LINKED"]
    );
    let earlier =
        json!({ "id": made["id"], "expectedVersion": 1, "validFrom": null, "weight": null });
    let earlier = lead.does(LINK_UPDATE, earlier).await["link"].take();
    assert_eq!(
        (&earlier["validFrom"], &earlier["validTo"]),
        (&Value::Null, &json!("2025-02-01"))
    );
    let backwards = json!({ "id": made["id"], "expectedVersion": 2, "validFrom": "2025-02-01" });
    assert_eq!(
        faults(&lead.tries(LINK_UPDATE, backwards).await),
        ["validTo INVALID OUT_OF_RANGE"]
    );
    lead.does(
        LINK_DELETE,
        json!({ "id": made["id"], "expectedVersion": 2 }),
    )
    .await;
    lead.does(LINK, first).await;
    for (place, at) in [("phaseId", "open/after"), ("blueprintId", "open")] {
        let whole = lead
            .does(LINK, link(place, at, Value::Null, Value::Null))
            .await["link"]
            .take();
        assert_eq!(
            (&whole["latest"]["value"], &whole["state"]),
            (&json!(1.5), &json!("MISSED")),
            "{place}"
        );
        let again = lead
            .tries(LINK, link(place, at, Value::Null, Value::Null))
            .await;
        assert_eq!(faults(&again), ["kpiId DUPLICATE ALREADY_LINKED"]);
    }
}

#[tokio::test]
async fn a_link_leads_to_one_readable_place() {
    let world = World::small().await;
    let (ids, lead) = (Ids::of(&world).await, world.sign_in("lead").await);
    let none = json!({ "kpiId": ids["PRICE"] });
    assert_eq!(faults(&lead.tries(LINK, none).await), [" INVALID -"]);
    let two =
        json!({ "kpiId": ids["PRICE"], "touchpointId": ids["T3"], "blueprintId": ids["open"] });
    assert_eq!(faults(&lead.tries(LINK, two).await), [" INVALID -"]);
    let closed = json!({ "kpiId": ids["PRICE"], "touchpointId": ids["C1"] });
    assert_eq!(
        faults(&lead.tries(LINK, closed).await),
        ["touchpointId NOT_FOUND -"]
    );
    let theirs = json!({ "kpiId": ids["SECRET"], "touchpointId": ids["T2"] });
    assert_eq!(lead.refused(LINK, theirs).await, ["FORBIDDEN"]);
}

#[tokio::test]
async fn kpis_are_listed_by_the_state_that_one_may_see() {
    let world = World::small().await;
    let list = "query($filter: KpiFilter) { kpis(filter: $filter) { nodes { key } totalCount } }";
    let missed = json!({ "filter": { "states": ["MISSED"], "asOf": "2025-03-31" } });
    for (login, expected) in [
        ("lead", vec!["PRICE"]),
        ("auditor", vec!["PRICE", "SECRET"]),
    ] {
        let data = world.sign_in(login).await.ask(list, missed.clone()).await;
        let keys: Vec<&str> = data["kpis"]["nodes"]
            .as_array()
            .expect("nodes")
            .iter()
            .filter_map(|node| node["key"].as_str())
            .collect();
        assert_eq!(keys, expected, "{login}");
    }
}

const DELIVERED: &str =
    "query($key: String!, $states: [KpiState!], $below: Boolean) { department(by: { key: $key }) {
    kpis(states: $states, includeDescendants: $below) { nodes { key } } } }";

#[tokio::test]
async fn a_department_has_the_kpis_of_what_it_delivers() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let closed = json!({ "kpiId": ids["PRICE"], "touchpointId": ids["C1"] });
    cx.does(LINK, closed).await;
    let keys = async |login: &str, department: &str, states: Value, below: bool| {
        let variables = json!({ "key": department, "states": states, "below": below });
        let data = world.sign_in(login).await.ask(DELIVERED, variables).await;
        let nodes = data["department"]["kpis"]["nodes"]
            .as_array()
            .expect("nodes")
            .clone();
        nodes
            .iter()
            .filter_map(|node| node["key"].as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let missed = json!(["MISSED", "AT_RISK"]);
    // A draft does not count: SECRET judges a touchpoint there that Sales answers for.
    assert_eq!(
        keys("cx-manager", "sales", missed.clone(), false).await,
        "PRICE"
    );
    assert_eq!(
        keys("cx-manager", "service", Value::Null, false).await,
        "PRICE SECRET"
    );
    assert_eq!(
        keys("cx-manager", "courier", missed.clone(), false).await,
        "SECRET"
    );
    assert_eq!(
        keys("cx-manager", "finance", Value::Null, false).await,
        "",
        "asked is not delivering"
    );
    assert_eq!(keys("cx-manager", "board", missed.clone(), false).await, "");
    assert_eq!(
        keys("cx-manager", "board", missed.clone(), true).await,
        "PRICE SECRET"
    );
    // What one may not see acts as if it were not linked: the blueprint, or the KPI's values.
    for states in [Value::Null, missed.clone()] {
        assert_eq!(keys("lead", "service", states.clone(), false).await, "");
        assert_eq!(keys("lead", "board", states, true).await, "PRICE");
    }
    let here = json!([{ "kpiId": ids["PRICE"], "touchpointId": ids["T2"], "measuredOn": "2025-03-31", "value": 0.5 }]);
    assert_eq!(counts(&cx.records(here).await), [1, 0, 0]);
    assert_eq!(
        keys("cx-manager", "sales", missed.clone(), false).await,
        "",
        "the value there counts there"
    );
    assert_eq!(
        keys("cx-manager", "sales", json!(["MET"]), false).await,
        "PRICE"
    );
    assert_eq!(
        keys("cx-manager", "service", missed, false).await,
        "PRICE SECRET"
    );
}
