//! Since when a finding is open: noted after writes and on new days.

use super::*;

/// Since when each finding is open, by fingerprint; none is open since never.
fn since(findings: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let pairs = findings
        .iter()
        .map(|finding| (text(&finding["fingerprint"]), text(&finding["openSince"])));
    pairs.collect()
}

#[tokio::test]
async fn open_since_is_noted_after_a_write_and_survives_renaming_and_moving() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let first = today(&manager, "open").await;
    assert!(
        first.iter().all(|finding| finding["openSince"].is_null()),
        "reading notes nothing"
    );
    world.note_findings().await;
    let noted = since(&today(&manager, "open").await);
    world.clock.advance(chrono::Duration::seconds(60));
    for (mutation, of, more) in [
        (
            "touchpointRename",
            "TouchpointRenameInput",
            json!({ "name": "Renamed" }),
        ),
        (
            "touchpointMove",
            "TouchpointMoveInput",
            json!({ "phaseId": ids["open/before"] }),
        ),
        (
            "touchpointUpdate",
            "TouchpointUpdateInput",
            json!({ "note": "new" }),
        ),
    ] {
        let versions =
            "{ touchpoint(by: { key: { blueprint: \"open\", key: \"T4\" } }) { version } }";
        let version = manager.ask(versions, json!({})).await["touchpoint"]["version"].take();
        let mut input = json!({ "id": ids["T4"], "expectedVersion": version });
        for (key, value) in more.as_object().expect("an object") {
            input[key] = value.clone();
        }
        let document = format!(
            "mutation($input: {of}!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
        );
        manager.does(&document, input).await;
        world.note_findings().await;
        assert_eq!(
            since(&today(&manager, "open").await),
            noted,
            "{mutation} changes no finding"
        );
    }
    let fingerprint = one(&first, "IMPORTANT_AND_NEGATIVE")["fingerprint"]
        .as_str()
        .expect("a fingerprint");
    let feel = async |version: i32, emotion: i32| {
        let input = json!({ "id": ids["T2"], "expectedVersion": version, "emotion": emotion });
        manager.does(DESCRIBE, input).await;
        world.note_findings().await;
        since(&today(&manager, "open").await)
    };
    assert!(
        !feel(1, 1).await.contains_key(fingerprint),
        "they feel better"
    );
    let again = feel(2, -2).await;
    assert!(again[fingerprint] > noted[fingerprint], "open anew");
    assert_eq!(again.len(), noted.len());
    let lead = world.sign_in("lead").await;
    let seen_by_lead = since(&today(&lead, "open").await);
    assert_eq!(
        seen_by_lead.len(),
        noted.len(),
        "NO_KPI at T3, noted as well, in the place of SECRET's being stale"
    );
}

#[tokio::test]
async fn what_changes_outside_of_a_blueprint_is_noted_too() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    world.note_findings().await;
    let open = async |code: &str| {
        world.note_findings().await;
        let findings = today(&manager, "open").await;
        let found = findings
            .iter()
            .find(|finding| finding["code"] == code)
            .cloned();
        found.inspect(|found| assert!(found["openSince"].is_string(), "{code} is noted"))
    };
    assert!(open("KPI_STALE").await.is_some(), "measured in 2025");
    let record = "mutation($input: KpiMeasurementsRecordInput!) { kpiMeasurementsRecord(input: $input) { userErrors { code } } }";
    let day = world.clock.day_of_moment(world.clock.now()).to_string();
    for kpi in ["PRICE", "SECRET"] {
        manager
            .does(
                record,
                json!({ "measurements": [{ "kpiId": ids[kpi], "measuredOn": day, "value": 1.0 }] }),
            )
            .await;
    }
    assert!(open("KPI_STALE").await.is_none());
    let target = "mutation($input: KpiTargetSetInput!) { kpiTargetSet(input: $input) { userErrors { code message } } }";
    manager
        .does(
            target,
            json!({ "kpiId": ids["PRICE"], "validFrom": day, "value": null }),
        )
        .await;
    assert!(open("KPI_WITHOUT_TARGET").await.is_some());
    let persona = "mutation($input: PersonaUpdateInput!) { personaUpdate(input: $input) { userErrors { code } } }";
    manager
        .does(
            persona,
            json!({ "id": ids_of_persona(&manager).await, "expectedVersion": 1, "segmentIds": [] }),
        )
        .await;
    assert!(open("NO_SEGMENT").await.is_some());
    let kind = "mutation($input: DepartmentUpdateInput!) { departmentUpdate(input: $input) { userErrors { code } } }";
    let admin = world.sign_in("admin").await;
    admin
        .does(
            kind,
            json!({ "id": ids["service"], "expectedVersion": 1, "kind": "PARTNER" }),
        )
        .await;
    assert!(open("ACCOUNTABLE_IS_PARTNER").await.is_some());
}

async fn ids_of_persona(actor: &Actor<'_>) -> Value {
    let document = "{ blueprint(by: { key: \"open\" }) { persona { id } } }";
    actor.ask(document, json!({})).await["blueprint"]["persona"]["id"].take()
}

#[tokio::test]
async fn what_hangs_on_the_day_is_noted_on_the_next() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let tomorrow = world
        .clock
        .day_of_moment(world.clock.now())
        .succ_opt()
        .expect("a day");
    let review = "mutation($input: BlueprintUpdateInput!) { blueprintUpdate(input: $input) { userErrors { code } } }";
    manager.does(review, json!({ "id": ids["open"], "expectedVersion": 1, "nextReviewOn": tomorrow.to_string() })).await;
    world.note_findings().await;
    world.clock.advance(chrono::Duration::days(2));
    let manager = world.sign_in_anew("cx-manager").await;
    let overdue = |findings: &[Value]| one(findings, "REVIEW_OVERDUE")["openSince"].clone();
    assert_eq!(
        overdue(&today(&manager, "open").await),
        Value::Null,
        "a read notes nothing"
    );
    world.note_findings().await;
    assert!(overdue(&today(&manager, "open").await).is_string());
}

#[tokio::test]
async fn servers_that_note_at_once_note_each_finding_once() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    tokio::join!(
        world.note_findings(),
        world.note_findings(),
        world.note_findings()
    );
    let noted = since(&today(&manager, "open").await);
    let feel = json!({ "id": ids["T2"], "expectedVersion": 1, "emotion": 2 });
    tokio::join!(
        async { manager.does(DESCRIBE, feel).await },
        world.note_findings(),
        world.note_findings()
    );
    world.note_findings().await;
    let left = since(&today(&manager, "open").await);
    assert_eq!(left.len(), noted.len() - 1);
    assert!(
        left.iter()
            .all(|(fingerprint, open)| noted[fingerprint] == *open)
    );
}

#[tokio::test]
async fn a_write_runs_no_more_statements_for_it() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let rename = "mutation($input: TouchpointRenameInput!) { touchpointRename(input: $input) { userErrors { code } } }";
    let before = world.store.statement_count();
    manager
        .does(
            rename,
            json!({ "id": ids["T4"], "expectedVersion": 1, "name": "Renamed" }),
        )
        .await;
    let ran = world.store.statement_count() - before;
    // Of these one notes that the findings are due, one who wrote it, and one asks what is to be found by other words.
    assert!(ran <= 12, "{ran} statements");
}
