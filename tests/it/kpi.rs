//! KPIs: defined, aimed, linked, granted and measured; and what they come to for whom.

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
async fn values_of_a_confidential_kpi_are_seen_by_its_owner_and_by_whom_it_was_granted() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let set = json!({ "kpiId": ids["SECRET"], "validFrom": "2025-06-01", "value": 31.25, "warning": 20.5 });
    cx.does(TARGET, set).await;
    let analyst = world.sign_in("analyst").await;
    let sees = async |actor: &Actor<'_>| {
        let kpi = actor.kpi("SECRET", json!("2025-04-01")).await;
        let empty = kpi["latest"].is_null() && kpi["target"].is_null() && kpi["state"].is_null();
        let lists = (
            kpi["targets"]["totalCount"].clone(),
            kpi["measurements"]["totalCount"].clone(),
        );
        let told = kpi["valuesVisible"] == json!(true);
        assert_eq!(
            lists,
            if told {
                (json!(2), json!(1))
            } else {
                (json!(0), json!(0))
            },
            "{}",
            actor.login
        );
        assert_eq!(told, !empty, "{}", actor.login);
        let open = &kpi["links"]["nodes"][0];
        assert_eq!(
            (open["state"].is_null(), open["latest"].is_null()),
            (empty, empty),
            "{}",
            actor.login
        );
        told
    };
    for (login, expected) in [
        ("stranger", false),
        ("viewer", false),
        ("contributor", false),
        ("lead", false),
        ("neighbour", true),
        ("chair", true),
        ("partner", false),
        ("auditor", true),
        ("cx-manager", true),
        ("admin", false),
    ] {
        assert_eq!(sees(&world.sign_in(login).await).await, expected, "{login}");
    }
    assert!(!sees(&analyst).await);
    let neighbour = world.sign_in("neighbour").await;
    let grant = json!({ "kpiId": ids["SECRET"], "accountId": ids["analyst"] });
    assert_eq!(
        world
            .sign_in("lead")
            .await
            .refused(GRANT, grant.clone())
            .await,
        ["FORBIDDEN"]
    );
    let given = neighbour.does(GRANT, grant.clone()).await["grant"].take();
    assert_eq!(
        faults(&neighbour.tries(GRANT, grant).await),
        ["accountId DUPLICATE -"]
    );
    let member = json!({ "kpiId": ids["SECRET"], "accountId": ids["viewer"] });
    assert_eq!(
        faults(&neighbour.tries(GRANT, member).await),
        ["accountId INVALID -"]
    );
    assert!(sees(&analyst).await);
    assert_eq!(
        analyst.kpi("SECRET", Value::Null).await["grants"],
        Value::Null
    );
    assert_eq!(
        neighbour.kpi("SECRET", Value::Null).await["grants"]["nodes"][0]["id"],
        given["id"]
    );
    neighbour
        .does(GRANT_DELETE, json!({ "id": given["id"] }))
        .await;
    assert!(!sees(&analyst).await);
    let events = audit_event::Entity::find()
        .all(&world.db())
        .await
        .expect("events");
    let bodies = serde_json::to_string(
        &events
            .iter()
            .map(|event| (&event.before, &event.after))
            .collect::<Vec<_>>(),
    );
    let bodies = bodies.expect("text");
    assert!(bodies.contains("withheld"), "{bodies}");
    // Moments have seconds of 20.5 now and then.
    for field in ["value", "warning"] {
        for value in ["31.25", "20.5"] {
            assert!(
                !bodies.contains(&format!("\"{field}\":{value}")),
                "{bodies}"
            );
        }
    }
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

#[tokio::test]
async fn a_batch_is_recorded_once_however_often_it_is_sent() {
    let world = World::small().await;
    let (ids, contributor) = (Ids::of(&world).await, world.sign_in("contributor").await);
    let price = &ids["PRICE"];
    let batch = json!([
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 1.5, "source": "diary", "sampleSize": 12 },
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 2, "touchpointId": ids["T2"] },
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 2, "channelId": ids["PHONE"] },
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 2, "channelId": ids["PHONE"], "segmentId": ids["young"] },
        { "kpiId": price, "measuredOn": "2025-04-30", "value": 2, "touchpointId": ids["T2"], "channelId": ids["WEB"], "segmentId": ids["young"] },
        { "kpiId": price, "measuredOn": "2025-03-31", "value": 1.5 },
        { "kpiId": price, "measuredOn": "2025-02-28", "value": 2.25 },
    ]);
    assert_eq!(counts(&contributor.records(batch.clone()).await), [5, 1, 1]);
    let kept = measured(&world).await;
    assert_eq!(counts(&contributor.records(batch.clone()).await), [0, 0, 7]);
    assert_eq!(measured(&world).await, kept);
    let mut other = batch.clone();
    other[0]["source"] = json!("logbook");
    other[4]["value"] = json!(3);
    assert_eq!(counts(&contributor.records(other).await), [0, 2, 5]);
    let kpi = contributor.kpi("PRICE", json!("2025-02-28")).await;
    assert_eq!(
        (&kpi["latest"]["value"], &kpi["state"]),
        (&json!(2.25), &json!("AT_RISK"))
    );
    assert_eq!(
        (
            &kpi["measurements"]["totalCount"],
            &kpi["all"]["totalCount"]
        ),
        (&json!(8), &json!(11))
    );
    let days: Vec<&Value> = kpi["measurements"]["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .map(|node| &node["measuredOn"])
        .collect();
    assert!(days.is_sorted_by_key(|day| day.to_string()), "{days:?}");
    let now = contributor.kpi("PRICE", Value::Null).await;
    assert_eq!(
        now["latest"]["value"], 1.5,
        "a part is not the value of the whole"
    );
    assert_eq!(
        now["links"]["nodes"][0]["latest"]["value"], 2.0,
        "at a touchpoint the value there counts"
    );
}

#[tokio::test]
async fn every_fault_of_a_batch_is_told_at_once() {
    let world = World::small().await;
    let (ids, contributor) = (Ids::of(&world).await, world.sign_in("contributor").await);
    let price = &ids["PRICE"];
    let before = measured(&world).await;
    let wrong = contributor
        .faults(json!([
            { "kpiId": price, "measuredOn": "2025-05-31", "value": 1 },
            { "kpiId": "kpi_01980000000070008000000000000009", "measuredOn": "2025-05-31", "value": 1 },
            { "kpiId": price, "measuredOn": "2999-01-01", "value": -1, "sampleSize": 0 },
            { "kpiId": price, "measuredOn": "1899-12-31", "value": 1, "numerator": 1, "denominator": 0 },
            { "kpiId": price, "measuredOn": "2025-05-31", "value": 2 },
            { "kpiId": "tch_1", "measuredOn": "2025-05-31", "value": 1 },
            { "kpiId": price, "touchpointId": ids["C1"], "measuredOn": "2025-05-31", "value": 1 },
            { "kpiId": price, "channelId": "chn_01980000000070008000000000000009", "segmentId": "x", "measuredOn": "2025-05-31", "value": 1 },
        ]))
        .await;
    let mut expected = vec![
        "measurements.1.kpiId NOT_FOUND -",
        "measurements.2.measuredOn INVALID IN_FUTURE",
        "measurements.2.sampleSize INVALID OUT_OF_RANGE",
        "measurements.2.value INVALID OUT_OF_RANGE",
        "measurements.3.denominator INVALID OUT_OF_RANGE",
        "measurements.3.measuredOn INVALID OUT_OF_RANGE",
        "measurements.4 DUPLICATE -",
        "measurements.5.kpiId INVALID -",
        "measurements.6.touchpointId NOT_FOUND -",
        "measurements.7.channelId NOT_FOUND -",
        "measurements.7.segmentId INVALID -",
    ];
    let mut wrong = wrong;
    wrong.sort();
    expected.sort_unstable();
    assert_eq!(wrong, expected);
    assert_eq!(measured(&world).await, before);
}

#[tokio::test]
async fn one_kpi_that_is_not_ones_own_refuses_the_whole_batch() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let batch = json!([
        { "kpiId": ids["PRICE"], "measuredOn": "2025-05-31", "value": 1 },
        { "kpiId": ids["SECRET"], "measuredOn": "2025-05-31", "value": 1 },
    ]);
    let before = measured(&world).await;
    for login in [
        "stranger",
        "viewer",
        "contributor",
        "lead",
        "neighbour",
        "analyst",
        "auditor",
        "admin",
    ] {
        let actor = world.sign_in(login).await;
        assert_eq!(
            actor.faults(batch.clone()).await,
            [" FORBIDDEN -"],
            "{login}"
        );
    }
    assert_eq!(measured(&world).await, before);
    assert_eq!(
        counts(&world.sign_in("chair").await.records(batch).await),
        [2, 0, 0]
    );
    let events = audit_event::Entity::find()
        .filter(audit_event::Column::Action.eq("kpiMeasurementsRecord"))
        .all(&world.db())
        .await
        .expect("events");
    let done: Vec<_> = events
        .iter()
        .filter(|event| {
            event
                .after
                .as_ref()
                .is_some_and(|body| body.get("recorded").is_some())
        })
        .collect();
    assert_eq!(done.len(), 1, "one event for the batch");
}

#[tokio::test]
async fn a_thousand_measurements_take_as_many_statements_as_one() {
    let world = World::small().await;
    let (ids, cx) = (Ids::of(&world).await, world.sign_in("cx-manager").await);
    let first = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day");
    let days = |count: u64, value: f64| -> Value {
        (0..count).map(|day| json!({ "kpiId": ids["PRICE"], "measuredOn": first + chrono::Days::new(day), "value": value })).collect()
    };
    let statements = async |batch: Value, expected: [i64; 3]| {
        let before = world.store.statements();
        assert_eq!(counts(&cx.records(batch).await), expected);
        world.store.statements() - before
    };
    let one = statements(days(1, 1.0), [1, 0, 0]).await;
    assert_eq!(statements(days(1_000, 1.0), [999, 0, 1]).await, one);
    let corrected = statements(days(1_000, 2.0), [0, 1_000, 0]).await;
    assert_eq!(corrected, one + 1, "and one that makes room");
    let many = days(1_001, 1.0);
    assert_eq!(cx.faults(many).await, ["measurements LIMIT_EXCEEDED -"]);
}

#[tokio::test]
async fn two_batches_at_once_leave_one_value_in_force() {
    let world = World::small().await;
    let (ids, cx) = (Ids::of(&world).await, world.sign_in("cx-manager").await);
    let batch = |value: f64| {
        json!([
            { "kpiId": ids["PRICE"], "measuredOn": "2025-06-30", "value": value },
            { "kpiId": ids["SECRET"], "measuredOn": "2025-06-30", "value": value },
        ])
    };
    let turned = |value: f64| {
        let batch = batch(value);
        json!([batch[1], batch[0]])
    };
    let answers = futures_util::future::join_all([
        cx.records(batch(1.0)),
        cx.records(turned(2.0)),
        cx.records(batch(3.0)),
        cx.records(turned(4.0)),
    ])
    .await;
    let sums = answers.iter().map(counts).fold([0, 0, 0], |sum, next| {
        [sum[0] + next[0], sum[1] + next[1], sum[2] + next[2]]
    });
    assert_eq!(sums, [2, 6, 0]);
    let in_force = measurement::Entity::find()
        .filter(measurement::Column::SupersededById.is_null())
        .filter(measurement::Column::MeasuredOn.eq(chrono::NaiveDate::from_ymd_opt(2025, 6, 30)))
        .count(&world.db())
        .await
        .expect("a count");
    assert_eq!(in_force, 2);
}

#[tokio::test]
async fn a_correction_keeps_what_it_corrects() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let kpi = lead.kpi("PRICE", json!("2025-03-31")).await;
    let wrong = &kpi["latest"]["id"];
    let correct = json!({ "measurementId": wrong, "value": 0.5, "id": "msr_01980000000070008000000000000001" });
    for login in ["viewer", "neighbour", "auditor"] {
        assert_eq!(
            world
                .sign_in(login)
                .await
                .refused(CORRECT, correct.clone())
                .await,
            ["FORBIDDEN"],
            "{login}"
        );
    }
    let corrected = lead.does(CORRECT, correct.clone()).await;
    assert_eq!(
        lead.does(CORRECT, correct).await,
        corrected,
        "a retry changes nothing"
    );
    assert_eq!(lead.kpi("PRICE", json!("2025-03-31")).await["state"], "MET");
    let again = lead
        .tries(CORRECT, json!({ "measurementId": wrong, "value": 3 }))
        .await;
    assert_eq!(faults(&again), ["measurementId CONFLICT NOT_IN_FORCE"]);
    assert_eq!(again["measurement"]["id"], corrected["measurement"]["id"]);
    let less = json!({ "measurementId": corrected["measurement"]["id"], "value": -1 });
    assert_eq!(
        faults(&lead.tries(CORRECT, less).await),
        ["value INVALID OUT_OF_RANGE"]
    );
    let old = lead
        .ask(
            "query($id: ID!) { measurement(id: $id) { value superseded supersededBy { id } } }",
            json!({ "id": wrong }),
        )
        .await;
    assert_eq!(
        old["measurement"]["supersededBy"],
        json!({ "id": corrected["measurement"]["id"] })
    );
    let secret = world
        .sign_in("cx-manager")
        .await
        .kpi("SECRET", Value::Null)
        .await["latest"]["id"]
        .take();
    let unseen = json!({ "measurementId": secret, "value": 1 });
    assert_eq!(
        faults(&lead.tries(CORRECT, unseen).await),
        ["measurementId NOT_FOUND -"]
    );
    assert_eq!(
        kpi::Entity::find()
            .count(&world.db())
            .await
            .expect("a count"),
        2
    );
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

#[tokio::test]
async fn targets_set_before_a_kpi_became_confidential_are_read_in_the_log_by_those_who_may_now() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let cx = world.sign_in("cx-manager").await;
    let set = |day: &str, value: f64| json!({ "kpiId": ids["PRICE"], "validFrom": day, "value": value, "warning": 71.25 });
    for (day, value) in [("2031-01-01", 61.25), ("2032-01-01", 62.25)] {
        cx.does(TARGET, set(day, value)).await;
    }
    let log = "{ auditEvents(first: 200) { nodes { action before after } } }";
    let told = async |login: &str| {
        let events = world.sign_in(login).await.ask(log, Value::Null).await;
        let nodes = events["auditEvents"]["nodes"]
            .as_array()
            .expect("events")
            .clone();
        let of_targets = nodes
            .into_iter()
            .filter(|event| event["action"] == "kpiTargetSet");
        of_targets
            .map(|event| event.to_string())
            .collect::<String>()
    };
    for login in ["admin", "auditor"] {
        let told = told(login).await;
        assert!(
            told.contains("61.25") && told.contains("71.25"),
            "{login}: {told}"
        );
    }
    let kpi = cx
        .ask("{ kpi(by: { key: \"PRICE\" }) { version } }", Value::Null)
        .await;
    let version = &kpi["kpi"]["version"];
    cx.does(
        UPDATE,
        json!({ "id": ids["PRICE"], "expectedVersion": version, "sensitivity": "CONFIDENTIAL" }),
    )
    .await;
    let told_admin = told("admin").await;
    for value in ["61.25", "62.25", "71.25"] {
        assert!(!told_admin.contains(value), "{told_admin}");
    }
    assert!(told_admin.contains("withheld"), "{told_admin}");
    assert!(told("auditor").await.contains("61.25"));
}
