//! Touchpoints and transitions: what they say, where they stand, and what is refused.

use serde_json::{Value, json};

use crate::world::{Actor, World};

const OPEN: &str = "{ blueprint(by: { key: \"open\" }) { id revision
    phases { id key version touchpoints { id key name position version lane channels { key } audience { key } } }
    transitions { id version from { key } to { key } } } }";
const UPDATE: &str = "mutation($input: TouchpointUpdateInput!) { touchpointUpdate(input: $input) {
    touchpoint { id version note emotion systems evidence { label link } channels { key } } userErrors { field message code reason } } }";
pub const RENAME: &str =
    "mutation($input: TouchpointRenameInput!) { touchpointRename(input: $input) {
    touchpoint { id key name version } userErrors { field message code reason } } }";
const MOVE: &str = "mutation($input: TouchpointMoveInput!) { touchpointMove(input: $input) {
    touchpoint { id position version } phases { key touchpoints { key position version } }
    userErrors { field message code reason } } }";
const CREATE: &str = "mutation($input: TouchpointCreateInput!) { touchpointCreate(input: $input) {
    touchpoint { id key name position usage basis } userErrors { field message code reason } } }";
const ARCHIVE: &str = "mutation($input: AtVersionInput!) { touchpointArchive(input: $input) {
    touchpoint { id version archivedAt responsibilities { id } } userErrors { field message code reason } } }";
const UNARCHIVE: &str = "mutation($input: AtVersionInput!) { touchpointUnarchive(input: $input) {
    touchpoint { id version archivedAt position } userErrors { field message code reason } } }";
const IMPORT: &str = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) {
    userErrors { field message code } } }";
const RECONNECT: &str =
    "mutation($input: TransitionUpdateInput!) { transitionUpdate(input: $input) {
    userErrors { field message code } } }";
const CONNECT: &str = "mutation($input: TransitionCreateInput!) { transitionCreate(input: $input) {
    transition { id version kind } userErrors { field message code reason } } }";

async fn open(actor: &Actor<'_>) -> Value {
    actor.ask(OPEN, json!({})).await["blueprint"].take()
}

fn touchpoint(blueprint: &Value, key: &str) -> Value {
    let phases = blueprint["phases"].as_array().expect("phases").iter();
    let mut all = phases.flat_map(|phase| phase["touchpoints"].as_array().expect("touchpoints"));
    all.find(|touchpoint| touchpoint["key"] == key)
        .unwrap_or_else(|| panic!("{key} is there"))
        .clone()
}

fn phase(blueprint: &Value, key: &str) -> Value {
    let mut phases = blueprint["phases"].as_array().expect("phases").iter();
    phases
        .find(|phase| phase["key"] == key)
        .expect("the phase is there")
        .clone()
}

fn change(touchpoint: &Value, more: &Value) -> Value {
    let mut input = json!({ "id": touchpoint["id"], "expectedVersion": touchpoint["version"] });
    for (key, value) in more.as_object().expect("an object") {
        input[key] = value.clone();
    }
    input
}

fn keys(phase: &Value) -> Vec<(String, i64)> {
    let touchpoints = phase["touchpoints"].as_array().expect("touchpoints").iter();
    touchpoints
        .map(|one| {
            (
                one["key"].as_str().expect("a key").to_owned(),
                one["position"].as_i64().expect("a position"),
            )
        })
        .collect()
}

#[tokio::test]
async fn absent_keeps_and_null_clears() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let there = touchpoint(&open(&lead).await, "T2");
    let said = json!({
        "note": "by phone only", "systems": ["CRM"],
        "evidence": [{ "label": "The offer", "link": "https://example.org/offer" }],
    });
    let written = lead.does(UPDATE, change(&there, &said)).await["touchpoint"].take();
    assert_eq!(
        (&written["note"], &written["version"], &written["emotion"]),
        (&json!("by phone only"), &json!(2), &json!(-1))
    );
    let cleared = lead
        .does(UPDATE, change(&written, &json!({ "note": null })))
        .await["touchpoint"]
        .take();
    assert_eq!(
        (&cleared["note"], &cleared["systems"], &cleared["version"]),
        (&Value::Null, &json!(["CRM"]), &json!(3))
    );
    let same = lead
        .does(UPDATE, change(&cleared, &json!({ "emotion": -1 })))
        .await["touchpoint"]
        .take();
    assert_eq!(
        same["version"],
        json!(3),
        "nothing changed, so no version rose"
    );
}

#[tokio::test]
async fn all_faults_are_told_at_once_with_their_places() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let there = touchpoint(&open(&lead).await, "T2");
    let wrong = json!({
        "emotion": 3, "importanceCustomer": 0, "contactsPerMonth": -1.5, "note": "x".repeat(10_000),
        "evidence": [{ "label": "", "link": "javascript:alert(1)" }], "channelIds": ["dep_1", "chn_zz"],
    });
    let answer = lead.tries(UPDATE, change(&there, &wrong)).await;
    let places: Vec<String> = answer["userErrors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| {
            let path: Vec<&str> = error["field"]
                .as_array()
                .expect("a path")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            format!(
                "{} {}",
                path.join("."),
                error["code"].as_str().expect("a code")
            )
        })
        .collect();
    for wanted in [
        "note TOO_LONG",
        "emotion INVALID",
        "importanceCustomer INVALID",
        "contactsPerMonth INVALID",
        "evidence.0.label REQUIRED",
        "evidence.0.link INVALID",
        "channelIds.0 INVALID",
        "channelIds.1 INVALID",
    ] {
        assert!(
            places.iter().any(|place| place == wanted),
            "{wanted} among {places:?}"
        );
    }
    assert_eq!(
        touchpoint(&open(&lead).await, "T2")["version"],
        json!(1),
        "nothing was written"
    );
}

#[tokio::test]
async fn a_stale_version_gets_the_touchpoint_as_it_is_now() {
    let world = World::small().await;
    let (lead, contributor) = (
        world.sign_in("lead").await,
        world.sign_in("contributor").await,
    );
    let there = touchpoint(&open(&lead).await, "T2");
    contributor
        .does(
            RENAME,
            change(&there, &json!({ "name": "Asks what it costs" })),
        )
        .await;
    let stale = lead
        .tries(RENAME, change(&there, &json!({ "name": "Wants a price" })))
        .await;
    assert_eq!(
        (
            &stale["userErrors"][0]["code"],
            &stale["userErrors"][0]["reason"]
        ),
        (&json!("CONFLICT"), &json!("VERSION_STALE"))
    );
    assert_eq!(
        (
            &stale["touchpoint"]["name"],
            &stale["touchpoint"]["version"]
        ),
        (&json!("Asks what it costs"), &json!(2))
    );
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let there = touchpoint(&open(&lead).await, "T2");
    for (name, code) in [
        ("", "REQUIRED"),
        ("   ", "REQUIRED"),
        ("\u{200b}\u{200b}", "REQUIRED"),
        ("\u{3164}", "REQUIRED"),
        ("\u{a0}\u{2003}\u{feff}", "REQUIRED"),
        (&*"ø".repeat(10_000), "TOO_LONG"),
        ("a\u{0}b", "INVALID"),
        ("a\nb", "INVALID"),
    ] {
        assert_eq!(
            lead.refused(RENAME, change(&there, &json!({ "name": name })))
                .await,
            [code],
            "{name:.20}"
        );
    }
}

#[tokio::test]
async fn moving_changes_no_siblings_version() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let blueprint = open(&lead).await;
    let there = touchpoint(&blueprint, "T4");
    let to = json!({ "phaseId": phase(&blueprint, "before")["id"], "afterId": null });
    let moved = lead.does(MOVE, change(&there, &to)).await;
    assert_eq!(
        (
            &moved["touchpoint"]["position"],
            &moved["touchpoint"]["version"]
        ),
        (&json!(1), &json!(2))
    );
    let phases = moved["phases"].as_array().expect("both phases");
    assert_eq!(
        keys(&phases[0]),
        [("T4".into(), 1), ("T1".into(), 2), ("T2".into(), 3)]
    );
    assert_eq!(keys(&phases[1]), [("T5".into(), 1)]);
    let versions: Vec<&Value> = phases
        .iter()
        .flat_map(|phase| phase["touchpoints"].as_array().expect("touchpoints"))
        .filter(|other| other["key"] != "T4")
        .map(|other| &other["version"])
        .collect();
    assert_eq!(versions, [&json!(1), &json!(1), &json!(1)]);
    let behind = json!({ "afterId": touchpoint(&blueprint, "T1")["id"] });
    let again = change(&moved["touchpoint"], &behind);
    assert_eq!(
        keys(&lead.does(MOVE, again).await["phases"][0]),
        [("T1".into(), 1), ("T4".into(), 2), ("T2".into(), 3)]
    );
}

#[tokio::test]
async fn a_touchpoint_moves_only_within_its_blueprint() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let blueprint = open(&cx_manager).await;
    let elsewhere = cx_manager
        .ask("{ phase(by: { key: { blueprint: \"closed\", key: \"only\" } }) { id touchpoints { id } } }", json!({}))
        .await["phase"].take();
    let there = touchpoint(&blueprint, "T2");
    let to = json!({ "phaseId": elsewhere["id"] });
    assert_eq!(
        cx_manager.refused(MOVE, change(&there, &to)).await,
        ["NOT_FOUND"]
    );
    let behind = json!({ "afterId": elsewhere["touchpoints"][0]["id"] });
    assert_eq!(
        cx_manager.refused(MOVE, change(&there, &behind)).await,
        ["NOT_FOUND"]
    );
}

#[tokio::test]
async fn a_retry_with_the_same_id_makes_nothing_twice() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let blueprint = open(&lead).await;
    let id = format!("tch_{}", cx_blueprint::id::new_hex());
    let new = json!({ "id": id, "phaseId": phase(&blueprint, "goal")["id"], "name": "Pays", "lane": "FRONTSTAGE" });
    let first = lead.does(CREATE, new.clone()).await;
    let again = lead.does(CREATE, new.clone()).await;
    assert_eq!(first["touchpoint"], again["touchpoint"]);
    assert_eq!(
        (
            &first["touchpoint"]["key"],
            &first["touchpoint"]["position"]
        ),
        (&json!("pays"), &json!(2))
    );
    let mut other = new;
    other["name"] = json!("Pays later");
    assert_eq!(lead.refused(CREATE, other).await, ["DUPLICATE"]);
    let taken = json!({ "phaseId": phase(&blueprint, "goal")["id"], "name": "x", "key": "t1", "lane": "SUPPORT" });
    assert_eq!(
        lead.refused(CREATE, taken).await,
        ["DUPLICATE"],
        "keys are the same however their letters are cased"
    );
}

#[tokio::test]
async fn archiving_ends_responsibilities_and_hides_from_lists() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let there = touchpoint(&open(&lead).await, "T2");
    let archived = lead.does(ARCHIVE, change(&there, &json!({}))).await["touchpoint"].take();
    assert_ne!(archived["archivedAt"], Value::Null);
    assert_eq!(archived["responsibilities"], json!([]));
    let after = open(&lead).await;
    assert_eq!(keys(&phase(&after, "before")), [("T1".into(), 1)]);
    assert!(
        after["transitions"]
            .as_array()
            .expect("transitions")
            .iter()
            .all(|edge| edge["from"]["key"] != "T2" && edge["to"]["key"] != "T2")
    );
    let by_id = lead
        .ask(
            "query($id: ID!) { touchpoint(by: { id: $id }) { key } }",
            json!({ "id": there["id"] }),
        )
        .await;
    assert_eq!(by_id["touchpoint"]["key"], "T2", "found by id");
    assert_eq!(
        lead.refused(RENAME, change(&archived, &json!({ "name": "x" })))
            .await,
        ["ARCHIVED"]
    );
    let back = lead.does(UNARCHIVE, change(&archived, &json!({}))).await["touchpoint"].take();
    assert_eq!(
        (&back["archivedAt"], &back["position"]),
        (&Value::Null, &json!(2))
    );
}

#[tokio::test]
async fn transitions_that_cannot_be_are_refused() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let blueprint = open(&cx_manager).await;
    let (t1, t5) = (
        touchpoint(&blueprint, "T1")["id"].clone(),
        touchpoint(&blueprint, "T5")["id"].clone(),
    );
    let other = cx_manager
        .ask(
            "{ touchpoint(by: { key: { blueprint: \"closed\", key: \"C1\" } }) { id } }",
            json!({}),
        )
        .await["touchpoint"]["id"]
        .take();
    let between = |more: Value| {
        let mut input = json!({ "blueprintId": blueprint["id"], "kind": "ADVANCE" });
        more.as_object()
            .expect("an object")
            .iter()
            .for_each(|(key, value)| input[key] = value.clone());
        input
    };
    for (wrong, code, reason) in [
        (
            json!({ "fromId": t1, "toId": t1 }),
            "INVALID",
            json!("SELF_TRANSITION"),
        ),
        (
            json!({ "fromId": t1, "toId": other }),
            "NOT_FOUND",
            Value::Null,
        ),
        (json!({ "fromId": t1 }), "INVALID", Value::Null),
        (json!({}), "INVALID", Value::Null),
        (
            json!({ "fromId": t1, "end": "START" }),
            "INVALID",
            Value::Null,
        ),
        (json!({ "toId": t1, "end": "EXIT" }), "INVALID", Value::Null),
        (
            json!({ "fromId": t1, "toId": t5, "end": "COMPETITOR" }),
            "INVALID",
            Value::Null,
        ),
        (
            json!({ "fromId": t1, "toId": t5, "maxWaitMinutes": -1 }),
            "INVALID",
            json!("OUT_OF_RANGE"),
        ),
        (
            json!({ "fromId": t1, "toId": touchpoint(&blueprint, "T2")["id"] }),
            "DUPLICATE",
            Value::Null,
        ),
    ] {
        let answer = cx_manager.tries(CONNECT, between(wrong.clone())).await;
        let error = &answer["userErrors"][0];
        assert_eq!(
            (&error["code"], &error["reason"]),
            (&json!(code), &reason),
            "{wrong}: {answer}"
        );
    }
    cx_manager
        .does(CONNECT, between(json!({ "fromId": t1, "toId": t5 })))
        .await;
}

#[tokio::test]
async fn a_transition_leads_where_its_kind_leads() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let blueprint = open(&cx_manager).await;
    let (one, other) = (
        touchpoint(&blueprint, "T1")["id"].clone(),
        touchpoint(&blueprint, "T5")["id"].clone(),
    );
    let ways = [
        json!({ "from": "T1", "to": "T5" }),
        json!({ "from": "T1", "end": "EXIT" }),
        json!({ "from": "T1", "end": "COMPETITOR" }),
        json!({ "to": "T5", "end": "START" }),
        json!({ "to": "T5", "end": "COMPETITOR" }),
    ];
    // For each kind whether it may lead these ways.
    let kinds = [
        ("ADVANCE", [true, true, true, true, true]),
        ("SKIP", [true, true, true, true, true]),
        ("BRANCH", [true, true, true, true, true]),
        ("LOOP", [true, false, false, false, false]),
        ("BACKTRACK", [true, false, false, false, false]),
        ("EXIT", [false, true, true, false, false]),
        ("REENTRY", [true, false, false, true, true]),
        ("ENABLES", [true, false, false, false, false]),
    ];
    let paths = |answer: &Value| {
        let errors = answer["userErrors"].as_array().expect("errors").iter();
        let paths: Vec<Value> = errors.map(|error| error["field"].clone()).collect();
        paths
    };
    for (at, way) in ways.iter().enumerate() {
        for (kind, leads) in kinds {
            let side = |side: &str, id: &Value| way.get(side).map_or(Value::Null, |_| id.clone());
            let input = json!({ "blueprintId": blueprint["id"], "kind": kind, "end": way["end"],
                "fromId": side("from", &one), "toId": side("to", &other) });
            let made = cx_manager.tries(CONNECT, input).await;
            let mut part = way.clone();
            part["kind"] = json!(kind);
            let document = json!({ "format": "cx-blueprint/blueprint@1", "key": "open", "transitions": [part] });
            let import = json!({ "document": document, "dryRun": true });
            let imported = cx_manager.tries(IMPORT, import).await;
            if !leads[at] {
                assert_eq!(paths(&made), [json!(["kind"])], "{kind} {way}");
                let path = json!(["transitions", "0", "kind"]);
                assert_eq!(paths(&imported), [path], "{kind} {way}");
                continue;
            }
            assert_eq!(paths(&made), Vec::<Value>::new(), "{kind} {way}");
            assert_eq!(paths(&imported), Vec::<Value>::new(), "{kind} {way}");
            for (other_kind, _) in kinds.iter().filter(|(_, leads)| !leads[at]) {
                let input = json!({ "id": made["transition"]["id"], "expectedVersion": 1, "kind": other_kind });
                let changed = cx_manager.tries(RECONNECT, input).await;
                assert_eq!(
                    paths(&changed),
                    [json!(["kind"])],
                    "{kind} to {other_kind} {way}"
                );
            }
        }
    }
}
