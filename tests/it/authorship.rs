//! Who made an object, who changed it last, and what was done in a journey before.

use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World},
};

const WHO: &str = "createdBy { key } createdAt updatedBy { key } updatedAt version";

async fn step(actor: &Actor<'_>, key: &str) -> Value {
    let document = format!("query($by: ByInside!) {{ touchpoint(by: $by) {{ id {WHO} }} }}");
    let by = json!({ "key": { "blueprint": "open", "key": key } });
    actor.ask(&document, json!({ "by": by })).await["touchpoint"].take()
}

const UPDATE: &str = "mutation($input: TouchpointUpdateInput!) { touchpointUpdate(input: $input) {
    touchpoint { version updatedBy { key } } userErrors { code reason message } } }";

fn noted(ids: &Ids, version: i32, note: &str) -> Value {
    json!({ "id": ids["T2"], "expectedVersion": version, "note": note })
}

#[tokio::test]
async fn an_object_says_who_made_it_and_who_changed_it_last() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let (manager, lead) = (
        world.sign_in("cx-manager").await,
        world.sign_in("lead").await,
    );
    // What the command line loaded was made by nobody who is named.
    let before = step(&lead, "T2").await;
    assert_eq!(
        (&before["createdBy"], &before["updatedBy"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(before["createdAt"], before["updatedAt"]);
    world.clock.advance(chrono::Duration::seconds(5));
    lead.does(UPDATE, noted(&ids, 1, "by the lead")).await;
    let after = step(&lead, "T2").await;
    assert_eq!(
        (&after["createdBy"], &after["updatedBy"]["key"]),
        (&Value::Null, &json!("lead"))
    );
    assert!(after["updatedAt"].as_str() > after["createdAt"].as_str());
    // What changes nothing is no change, whoever does it.
    manager.does(UPDATE, noted(&ids, 2, "by the lead")).await;
    assert_eq!(step(&lead, "T2").await["updatedBy"]["key"], "lead");
    // A list of it is its own.
    let channels = json!({ "id": ids["T2"], "expectedVersion": 2, "channelIds": [ids["WEB"]] });
    manager.does(UPDATE, channels).await;
    assert_eq!(step(&lead, "T2").await["updatedBy"]["key"], "cx-manager");
    // Of a new one both are its maker.
    let create = format!(
        "mutation($input: PhaseCreateInput!) {{ phaseCreate(input: $input) {{ phase {{ {WHO} }} userErrors {{ code }} }} }}"
    );
    let phase = json!({ "blueprintId": ids["open"], "name": "Later", "stage": "AFTER",
        "segmentIds": [ids["young"]] });
    let made = lead.does(&create, phase).await["phase"].take();
    assert_eq!(
        (
            &made["createdBy"]["key"],
            &made["updatedBy"]["key"],
            &made["version"]
        ),
        (&json!("lead"), &json!("lead"), &json!(1))
    );
    assert_eq!(made["createdAt"], made["updatedAt"]);
}

#[tokio::test]
async fn an_import_changes_what_it_changes_and_nothing_else() {
    let world = World::small().await;
    let (manager, lead) = (
        world.sign_in("cx-manager").await,
        world.sign_in("lead").await,
    );
    let import = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) { userErrors { message } } }";
    let document = json!({ "format": "cx-blueprint/blueprint@1", "key": "open",
        "touchpoints": [
            { "key": "T1", "note": "Seen" },
            { "key": "T9", "phase": "after", "name": "Comes back", "lane": "CUSTOMER" },
        ] });
    manager.does(import, json!({ "document": document })).await;
    let who = async |key: &str| {
        let mut step = step(&lead, key).await;
        (
            step["createdBy"]["key"].take(),
            step["updatedBy"]["key"].take(),
        )
    };
    assert_eq!(who("T1").await, (Value::Null, json!("cx-manager")));
    assert_eq!(who("T9").await, (json!("cx-manager"), json!("cx-manager")));
    assert_eq!(who("T3").await, (Value::Null, Value::Null));
}

#[tokio::test]
async fn a_conflict_says_who_was_faster() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let (manager, lead) = (
        world.sign_in("cx-manager").await,
        world.sign_in("lead").await,
    );
    manager.does(UPDATE, noted(&ids, 1, "first")).await;
    let refused = lead.tries(UPDATE, noted(&ids, 1, "second")).await;
    assert_eq!(
        refused["userErrors"],
        json!([{ "code": "CONFLICT", "reason": "VERSION_STALE",
            "message": "CX manager has changed it since you read it: it is at version 2, you expected 1." }])
    );
    assert_eq!(
        refused["touchpoint"],
        json!({ "version": 2, "updatedBy": { "key": "cx-manager" } })
    );
    let own = manager.tries(UPDATE, noted(&ids, 1, "third")).await;
    let message = own["userErrors"][0]["message"]
        .as_str()
        .expect("a sentence");
    assert!(
        message.starts_with("You have changed it since you read it: "),
        "{message}"
    );
}

#[tokio::test]
async fn the_history_of_a_journey_is_for_those_who_take_part_in_it() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    let (manager, lead) = (
        world.sign_in("cx-manager").await,
        world.sign_in("lead").await,
    );
    lead.does(UPDATE, noted(&ids, 1, "by the lead")).await;
    let target = "mutation($input: KpiTargetSetInput!) { kpiTargetSet(input: $input) { userErrors { message } } }";
    let target = async |kpi: &str, value: f64| {
        let input = json!({ "kpiId": ids[kpi], "validFrom": "2026-01-01", "value": value });
        manager.does(target, input).await;
    };
    target("PRICE", 1.25).await;
    target("SECRET", 33.0).await;
    let stranger = world.sign_in("stranger").await;
    stranger.tries(UPDATE, noted(&ids, 2, "not mine")).await;
    let asked =
        "{ blueprint(by: { key: \"open\" }) { history { nodes { action actor { key } after } } }
        price: kpi(by: { key: \"PRICE\" }) { history { nodes { action after } } }
        secret: kpi(by: { key: \"SECRET\" }) { history { nodes { action after } } } }";
    for (login, reads) in [
        ("cx-manager", true),
        ("auditor", true),
        ("lead", true),
        ("viewer", true),
        ("partner", true),
        ("stranger", false),
        ("analyst", false),
        ("admin", false),
    ] {
        let told = world.sign_in(login).await.ask(asked, json!({})).await;
        let history = &told["blueprint"]["history"];
        if !reads {
            assert_eq!(history, &Value::Null, "{login}");
            assert_eq!(told["price"]["history"], Value::Null, "{login}");
            continue;
        }
        let set = &told["price"]["history"]["nodes"][0];
        assert_eq!(set["after"]["value"], 1.25, "{login}");
        let newest = &history["nodes"][0];
        assert_eq!(
            newest["action"], "touchpointUpdate",
            "{login}: and nobody's refusal"
        );
        assert_eq!(newest["actor"]["key"], "lead", "{login}");
        assert_eq!(newest["after"]["note"], "by the lead", "{login}");
    }
    // That a confidential target changed is told, what it was is not.
    let told = manager.ask(asked, json!({})).await;
    let newest = &told["secret"]["history"]["nodes"][0];
    assert_eq!(
        (&newest["action"], &newest["after"]["value"]),
        (&json!("kpiTargetSet"), &json!("withheld"))
    );
    // Sales takes part in the journey that SECRET judges, and may not know its target.
    let told = lead.ask(asked, json!({})).await;
    assert_eq!(told["price"]["history"]["nodes"][0]["after"]["value"], 1.25);
    assert_eq!(
        told["secret"]["history"]["nodes"][0]["after"]["value"],
        "withheld"
    );
    // What was measured is no part of it.
    let record = "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) { userErrors { message } } }";
    let value = json!({ "kpiId": ids["PRICE"], "measuredOn": "2026-01-01", "value": 2 });
    manager
        .does(record, json!({ "measurements": [value] }))
        .await;
    let again = lead.ask(asked, json!({})).await;
    assert_eq!(again["price"], told["price"]);
}
