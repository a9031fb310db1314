//! Documents: a blueprint as one text, out and in again.

use serde_json::{Value, json};

use crate::{
    ids::Ids,
    world::{Actor, World, faults},
};

pub const IMPORT: &str =
    "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) {
    blueprint { id key title status revision }
    changes { kind part identity field before after }
    userErrors { code field message }
} }";

/// The document of a blueprint.
pub async fn document(actor: &Actor<'_>, key: &str) -> Value {
    let ask = "query($key: String!) { blueprint(by: { key: $key }) { document } }";
    actor.ask(ask, json!({ "key": key })).await["blueprint"]["document"].take()
}

/// The beginning of a document that changes the rental.
pub fn rental(more: Value) -> Value {
    let mut document = json!({ "format": "cx-blueprint/blueprint@1", "key": "bp-rental" });
    for (field, value) in more.as_object().expect("an object") {
        document[field] = value.clone();
    }
    json!({ "document": document })
}

pub fn with(mut input: Value, field: &str, value: Value) -> Value {
    input[field] = value;
    input
}

/// The changes of an import, each on a line.
fn told(answer: &Value) -> Vec<String> {
    let changes = answer["changes"].as_array().expect("changes").iter();
    changes
        .map(|change| {
            let word = |field: &str| change[field].as_str().unwrap_or_default();
            let field = match word("field") {
                "" => String::new(),
                field => format!(" {field}: {} → {}", change["before"], change["after"]),
            };
            format!(
                "{} {} {}{field}",
                word("kind"),
                word("part"),
                word("identity")
            )
        })
        .collect()
}

#[tokio::test]
async fn what_goes_out_comes_in_again_and_changes_nothing() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let rental = document(&ann, "bp-rental").await;
    assert_eq!(
        rental["touchpoints"].as_array().expect("touchpoints").len(),
        8
    );
    let input = json!({ "document": rental, "prune": true });
    let again = ann.does(IMPORT, input).await;
    assert_eq!(again["changes"], json!([]));
    assert_eq!(
        again["blueprint"]["revision"],
        json!(1),
        "nothing was touched"
    );
    assert_eq!(document(&ann, "bp-rental").await, rental);
}

#[tokio::test]
async fn a_document_under_a_new_key_is_the_same_blueprint_again() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    for key in [
        "bp-member",
        "bp-rental",
        "bp-flight",
        "bp-aftermarket",
        "bp-employee",
    ] {
        let twin = with(
            document(&ann, key).await,
            "key",
            json!(format!("{key}-twin")),
        );
        let made = ann.does(IMPORT, json!({ "document": twin })).await;
        assert_eq!(made["blueprint"]["status"], json!("DRAFT"));
        assert_eq!(document(&ann, &format!("{key}-twin")).await, twin);
    }
}

/// What is known of the rental: something in every list of a document.
pub fn known() -> Value {
    rental(json!({
        "nextReviewOn": "2026-05-01",
        "touchpoints": [{
            "key": "R02", "channels": ["WEB"], "evidence": [{ "label": "A leaflet", "link": "https://example.org" }],
            "systems": ["Booking"], "contactsPerMonth": 0.5,
        }],
        "scenarios": [{ "name": "As usual", "kind": "HAPPY", "touchpoints": ["R02", "R03", "R02"] }],
        "sources": [{ "title": "Calls", "kind": "CALL_LISTENING", "heldOn": "2025-03-01", "sampleSize": 12 }],
        "insights": [
            { "key": "Q1", "touchpoint": "R02", "kind": "QUESTION", "text": "Why?", "whys": ["because"], "answeredBy": "A1" },
            { "key": "A1", "kind": "PAIN", "text": "It takes long", "basis": "OBSERVED", "sources": ["calls"] },
        ],
        "promises": [{ "key": "P1", "touchpoint": "R02", "text": "a car", "state": "KEPT", "deliveredAt": ["R04", "R03"] }],
        "evaluations": [
            { "touchpoint": "R02", "heldOn": "2025-02-01", "byName": "A guest", "messages": "CONFLICTING",
              "conflictsWith": "R03", "conflict": "two prices" },
            { "touchpoint": "R02", "heldOn": "2025-02-01", "byName": "A guest", "note": "again" },
        ],
        "improvements": [{
            "key": "N1", "title": "One price", "ownerDepartment": "b-aftersales", "impact": 4, "state": "DONE",
            "result": "fewer calls", "touchpoints": ["R02"], "kpis": ["KB3"],
        }],
    }))
}

#[tokio::test]
async fn everything_that_is_known_goes_out_and_comes_in() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let done = ann.does(IMPORT, known()).await;
    assert!(done["changes"].as_array().expect("changes").len() > 10);
    assert_eq!(
        ann.does(IMPORT, known()).await["changes"],
        json!([]),
        "twice is once"
    );
    let rental = document(&ann, "bp-rental").await;
    assert_eq!(rental["insights"][1]["answeredBy"], json!("A1"));
    assert_eq!(
        rental["evaluations"].as_array().expect("evaluations").len(),
        2
    );
    assert_eq!(rental["promises"][0]["deliveredAt"], json!(["R04", "R03"]));
    let twin = with(rental.clone(), "key", json!("twin"));
    ann.does(IMPORT, json!({ "document": twin })).await;
    assert_eq!(document(&ann, "twin").await, twin);

    let mut less = rental.clone();
    for list in [
        "scenarios",
        "sources",
        "insights",
        "promises",
        "evaluations",
        "improvements",
    ] {
        less[list] = json!([]);
    }
    ann.does(IMPORT, json!({ "document": less, "prune": true }))
        .await;
    assert_eq!(document(&ann, "bp-rental").await, less);
    ann.does(IMPORT, json!({ "document": rental, "prune": true }))
        .await;
    assert_eq!(document(&ann, "bp-rental").await, rental);
}

#[tokio::test]
async fn what_is_absent_stays_and_what_is_said_is_told_in_the_words_of_the_domain() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let before = document(&ann, "bp-rental").await;
    let input = rental(json!({
        "touchpoints": [
            { "key": "r02", "name": "Look around", "note": "on a phone" },
            { "key": "R99", "phase": before["touchpoints"][1]["phase"], "name": "Ask a friend", "lane": "CUSTOMER" },
        ],
        "transitions": [{ "from": "R02", "to": "R99", "kind": "BRANCH" }],
    }));
    let dry = ann
        .does(IMPORT, with(input.clone(), "dryRun", json!(true)))
        .await;
    assert_eq!(
        document(&ann, "bp-rental").await,
        before,
        "a dry run keeps nothing"
    );
    let done = ann.does(IMPORT, input).await;
    assert_eq!(told(&dry), told(&done));
    let was = before["touchpoints"][1]["name"].clone();
    assert_eq!(
        told(&done),
        [
            format!("RENAMED touchpoint R02 name: {was} → \"Look around\""),
            "CHANGED touchpoint R02 note: null → \"on a phone\"".to_owned(),
            "ADDED touchpoint R99".to_owned(),
            "ADDED transition R02 R99 BRANCH".to_owned(),
        ]
    );
    let after = document(&ann, "bp-rental").await;
    let keys = |document: &Value| -> Vec<String> {
        let touchpoints = document["touchpoints"]
            .as_array()
            .expect("touchpoints")
            .iter();
        touchpoints
            .map(|part| part["key"].as_str().expect("a key").to_owned())
            .collect()
    };
    let mut expected = keys(&before);
    expected.insert(2, "R99".to_owned());
    assert_eq!(
        keys(&after),
        expected,
        "the new one stands behind what it was said behind"
    );
    assert_eq!(after["responsibilities"], before["responsibilities"]);
}

#[tokio::test]
async fn one_step_moved_is_one_change_and_no_neighbours_version_rises() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let mut moved = document(&ann, "bp-member").await;
    let touchpoints = moved["touchpoints"].as_array_mut().expect("touchpoints");
    // Its first phase has five.
    let first = touchpoints.remove(0);
    let key = first["key"].as_str().expect("a key").to_owned();
    touchpoints.insert(2, first);
    let done = ann
        .does(IMPORT, json!({ "document": moved, "prune": true }))
        .await;
    assert_eq!(told(&done), [format!("MOVED touchpoint {key}")]);
    assert_eq!(document(&ann, "bp-member").await, moved);
    let versions = "{ touchpoints(first: 200) { nodes { version } } }";
    let versions = ann.ask(versions, json!({})).await;
    let nodes = versions["touchpoints"]["nodes"].as_array().expect("nodes");
    assert!(nodes.iter().all(|node| node["version"] == json!(1)));
}

#[tokio::test]
async fn pruning_archives_what_is_not_named_with_all_that_hangs_on_it() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let before = document(&ann, "bp-rental").await;
    let mut touchpoints = before["touchpoints"]
        .as_array()
        .expect("touchpoints")
        .clone();
    touchpoints.retain(|part| part["key"] != "R07");
    let kept: Vec<Value> = touchpoints
        .iter()
        .map(|part| json!({ "key": part["key"] }))
        .collect();
    let pruned = with(rental(json!({ "touchpoints": kept })), "prune", json!(true));
    let done = ann.does(IMPORT, pruned).await;
    assert!(told(&done).contains(&"REMOVED touchpoint R07".to_owned()));
    let after = document(&ann, "bp-rental").await;
    assert!(
        !after.to_string().contains("\"R07\""),
        "nothing names it any more"
    );
    assert_eq!(
        after["touchpoints"].as_array().expect("touchpoints").len(),
        7
    );

    let back = ann
        .does(IMPORT, json!({ "document": before, "prune": true }))
        .await;
    assert!(told(&back).contains(&"ADDED touchpoint R07".to_owned()));
    assert_eq!(document(&ann, "bp-rental").await, before);
    let ids = Ids::of(&world).await;
    let history = "query($id: ID!) { touchpoint(by: { id: $id }) { archivedAt version } }";
    let touchpoint = ann.ask(history, json!({ "id": ids["R07"] })).await;
    assert_eq!(
        touchpoint["touchpoint"],
        json!({ "archivedAt": null, "version": 3 }),
        "the same one again"
    );
}

#[tokio::test]
async fn faults_are_told_all_at_once_with_their_places_and_nothing_is_written() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let before = document(&ann, "bp-rental").await;
    let wrong = rental(json!({
        "title": "",
        "persona": "nobody",
        "touchpoints": [
            { "key": "R02", "emotion": 3, "channels": ["PIGEON"] },
            { "key": "R02" },
            { "key": "R98" },
            { "key": "R97", "phase": "nowhere", "name": "x", "lane": "CUSTOMER" },
        ],
        "transitions": [{ "from": "R02", "to": "R02", "kind": "LOOP" }, { "to": "R96", "end": "START", "kind": "ADVANCE" }],
        "responsibilities": [
            { "touchpoint": "R02", "department": "nobody", "role": "INFORMED" },
            { "touchpoint": "R02", "department": "b-aftersales", "role": "INFORMED", "status": "ENDED" },
        ],
        "insights": [{ "key": "x", "touchpoint": "R02", "kind": "PAIN", "text": " ", "basis": "OBSERVED" }],
    }));
    let answer = ann.tries(IMPORT, wrong).await;
    let mut told = faults(&answer);
    told.sort();
    // What lacks something is told first, as nothing can be looked up in half a document.
    assert_eq!(
        told,
        [
            "touchpoints.1 DUPLICATE",
            "touchpoints.2.lane REQUIRED",
            "touchpoints.2.name REQUIRED",
            "touchpoints.2.phase REQUIRED",
        ]
    );
    let wrong = rental(json!({
        "title": "",
        "persona": "nobody",
        "touchpoints": [
            { "key": "R02", "emotion": 3, "channels": ["PIGEON"] },
            { "key": "R97", "phase": "nowhere", "name": "x", "lane": "CUSTOMER" },
        ],
        "transitions": [{ "from": "R02", "to": "R02", "kind": "LOOP" }, { "to": "R96", "end": "START", "kind": "ADVANCE" }],
        "responsibilities": [
            { "touchpoint": "R02", "department": "nobody", "role": "INFORMED" },
            { "touchpoint": "R02", "department": "b-aftersales", "role": "INFORMED", "status": "ENDED" },
        ],
        "insights": [{ "key": "x", "touchpoint": "R02", "kind": "PAIN", "text": " ", "basis": "OBSERVED" }],
    }));
    let answer = ann.tries(IMPORT, wrong).await;
    let mut told = faults(&answer);
    told.sort();
    assert_eq!(
        told,
        [
            "insights.0.basis INVALID",
            "insights.0.text REQUIRED",
            "persona NOT_FOUND",
            "responsibilities.0.department NOT_FOUND",
            "responsibilities.1.status INVALID",
            "title REQUIRED",
            "touchpoints.0.channels.0 NOT_FOUND",
            "touchpoints.0.emotion INVALID",
            "touchpoints.1.phase NOT_FOUND",
            "transitions.0.to INVALID",
            "transitions.1.to NOT_FOUND",
        ]
    );
    assert_eq!(document(&ann, "bp-rental").await, before);
}

#[tokio::test]
async fn what_is_no_document_is_told_with_the_place_where_it_ceases_to_be_one() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    for (document, place) in [
        (json!([]), ""),
        (json!({ "format": "cx-blueprint/blueprint@1" }), "key"),
        (
            json!({ "format": "cx-blueprint/blueprint@9", "key": "x" }),
            "format",
        ),
        (rental(json!({ "titel": "x" }))["document"].clone(), "titel"),
        (rental(json!({ "title": 7 }))["document"].clone(), "title"),
        (
            rental(json!({ "title": null }))["document"].clone(),
            "title",
        ),
        (
            rental(json!({ "phases": {} }))["document"].clone(),
            "phases",
        ),
        (
            rental(json!({ "touchpoints": [{ "key": "R02" }, { "key": "R03", "lane": "ROOF" }] }))
                ["document"]
                .clone(),
            "touchpoints.1.lane",
        ),
    ] {
        let answer = ann.tries(IMPORT, json!({ "document": document })).await;
        let path = answer["userErrors"][0]["field"]
            .as_array()
            .expect("a path")
            .iter();
        let path: Vec<&str> = path.map(|part| part.as_str().expect("a part")).collect();
        assert_eq!(path.join("."), place, "{document}: {answer}");
        assert_eq!(answer["userErrors"][0]["code"], json!("INVALID"));
    }
}

#[tokio::test]
async fn a_lead_imports_proposals_and_no_link_of_anothers_kpi() {
    let world = World::small().await;
    let (lead, boss) = (
        world.sign_in("lead").await,
        world.sign_in("cx-manager").await,
    );
    let said = json!({ "document": {
        "format": "cx-blueprint/blueprint@1", "key": "open",
        "responsibilities": [{ "touchpoint": "T1", "department": "service", "role": "CONSULTED", "status": "ACCEPTED", "tasks": ["answers"] }],
    } });
    let done = lead.does(IMPORT, said.clone()).await;
    assert_eq!(done["changes"][0]["after"]["status"], json!("PROPOSED"));
    let again = lead.does(IMPORT, said.clone()).await;
    assert_eq!(again["changes"], json!([]), "it is proposed already");
    let done = boss.does(IMPORT, said.clone()).await;
    assert_eq!(
        told(&done),
        ["CHANGED responsibility T1 service CONSULTED status: \"PROPOSED\" → \"ACCEPTED\""]
    );

    let link = json!({ "document": {
        "format": "cx-blueprint/blueprint@1", "key": "open",
        "kpiLinks": [{ "touchpoint": "T1", "kpi": "SECRET" }],
    } });
    assert_eq!(lead.refused(IMPORT, link.clone()).await, ["FORBIDDEN"]);
    boss.does(IMPORT, link).await;
    let gone = json!({ "document": {
        "format": "cx-blueprint/blueprint@1", "key": "open", "responsibilities": [],
    }, "prune": true });
    assert_eq!(
        lead.refused(IMPORT, gone).await,
        ["FORBIDDEN"],
        "ending what others hold is not a lead's"
    );
}

#[tokio::test]
async fn one_event_tells_an_import_and_a_stale_revision_is_a_conflict() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let change = rental(
        json!({ "touchpoints": [{ "key": "R02", "note": "a" }, { "key": "R03", "note": "b" }] }),
    );
    let stale = with(change.clone(), "expectedRevision", json!(7));
    assert_eq!(ann.refused(IMPORT, stale).await, ["CONFLICT"]);
    let done = ann
        .does(IMPORT, with(change, "expectedRevision", json!(1)))
        .await;
    assert_eq!(done["blueprint"]["revision"], json!(2));
    let events = entity_events(&world, &ids["bp-rental"]).await;
    assert_eq!(events, ["blueprintImport"]);
}

/// The acts that were noted in a blueprint since it was loaded.
pub async fn entity_events(world: &World, blueprint: &str) -> Vec<String> {
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let id: entity::id::BlueprintId = blueprint.parse().expect("an id");
    let events = entity::audit_event::Entity::find()
        .filter(entity::audit_event::Column::BlueprintId.eq(id))
        .filter(entity::audit_event::Column::Outcome.eq(entity::words::AuditOutcome::Done))
        .all(&world.db())
        .await
        .expect("events");
    events.into_iter().map(|event| event.action).collect()
}

#[test]
fn the_schemas_of_documents_are_published() {
    crate::golden::compare(
        "tests/it/document.schema.json",
        &cx_blueprint::document::blueprint_schema(),
    );
    crate::golden::compare(
        "tests/it/organisation.schema.json",
        &cx_blueprint::document::organisation_schema(),
    );
}

/// Tasks of many hands on one blueprint, each until it has done its part or was told to read again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn importing_publishing_and_restoring_among_other_writers_never_mixes_states() {
    let world = std::sync::Arc::new(World::demo().await);
    let ids = Ids::of(&world).await;
    let ann = world.sign_in("ann-cx").await;
    let before = document(&ann, "bp-rental").await;
    let first = "query($id: ID!) { publications(blueprintId: $id, first: 1) { nodes { id } } }";
    let first = ann.ask(first, json!({ "id": ids["bp-rental"] })).await;
    let first = first["publications"]["nodes"][0]["id"].clone();
    // Two states, each whole: every touchpoint's note is the same word in each.
    let state = |word: &str| {
        let keys = ["R01", "R02", "R03", "R04", "R05", "R06", "R07", "R08"];
        let notes: Vec<Value> = keys
            .iter()
            .map(|key| json!({ "key": key, "note": word }))
            .collect();
        // Somebody has to answer for everything before it can be published.
        let answers =
            json!({ "touchpoint": "R07", "department": "r-station", "role": "ACCOUNTABLE" });
        rental(json!({ "title": word, "touchpoints": notes, "responsibilities": [answers] }))
    };
    let mut hands = tokio::task::JoinSet::new();
    for hand in 0..4 {
        let (world, input) = (world.clone(), state(["odd", "even"][hand % 2]));
        hands.spawn(async move {
            let ann = world.sign_in("ann-cx").await;
            for _ in 0..4 {
                ann.does(IMPORT, input.clone()).await;
            }
        });
    }
    for hand in 0..2 {
        let (world, id, first) = (world.clone(), ids["bp-rental"].clone(), first.clone());
        hands.spawn(async move {
            let ann = world.sign_in("ann-cx").await;
            let version = "query($id: ID!) { blueprint(by: { id: $id }) { version } }";
            let (publish, restore) = (
                "mutation($input: BlueprintPublishInput!) { blueprintPublish(input: $input) { userErrors { code } } }",
                "mutation($input: BlueprintRestoreInput!) { blueprintRestore(input: $input) { userErrors { code } } }",
            );
            let number = "query($id: ID!) { blueprint(by: { id: $id }) { publishedNumber } }";
            // However slow the machine is, one try finds nobody in between in the end.
            let mut done = 0;
            for tried in 0..500 {
                // Publishing what is published already makes nothing: the importers may not have begun yet.
                if tried >= 6 && done > 0 {
                    let now = ann.ask(number, json!({ "id": id })).await;
                    if hand == 1 || now["blueprint"]["publishedNumber"].as_i64() > Some(1) {
                        break;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
                let now = ann.ask(version, json!({ "id": id })).await["blueprint"]["version"].take();
                let mut input = json!({ "id": id, "expectedVersion": now });
                let refused = if hand == 0 {
                    ann.refused(publish, input).await
                } else {
                    input["publicationId"] = first.clone();
                    ann.refused(restore, input).await
                };
                assert!(refused.is_empty() || refused == ["CONFLICT"], "{refused:?}");
                done += usize::from(refused.is_empty());
            }
        });
    }
    while let Some(done) = hands.join_next().await {
        done.expect("every hand ends well");
    }
    let notes = |document: &Value| -> Vec<Value> {
        let touchpoints = document["touchpoints"].as_array().expect("touchpoints");
        touchpoints
            .iter()
            .map(|part| part["note"].clone())
            .collect()
    };
    let whole = |document: &Value| {
        let first = document["title"] == before["title"] && notes(document) == notes(&before);
        first
            || notes(document)
                .iter()
                .all(|note| *note == document["title"])
    };
    let now = document(&ann, "bp-rental").await;
    assert!(whole(&now), "{now}");
    let all =
        "query($id: ID!) { publications(blueprintId: $id, first: 30) { nodes { document } } }";
    let all = ann.ask(all, json!({ "id": ids["bp-rental"] })).await;
    let kept = all["publications"]["nodes"]
        .as_array()
        .expect("publications");
    assert!(kept.len() > 1, "something was published or kept");
    for publication in kept {
        assert!(whole(&publication["document"]), "{publication}");
    }
}
