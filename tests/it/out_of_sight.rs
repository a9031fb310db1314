//! Out of sight: what is archived is shown by no document and no list. Whatever is imported, saved or restored meanwhile,
//! it comes back with all that hung on it.

use serde_json::{Value, json};

use crate::{
    document::{IMPORT, document, known, rental, with},
    ids::Ids,
    world::{Actor, World},
};

const SHEET: &str =
    "mutation($input: BlueprintSheetImportInput!) { blueprintSheetImport(input: $input) {
    changes { kind part identity } userErrors { code field message } } }";
const COPY: &str = "mutation($input: BlueprintCopyInput!) { blueprintCopy(input: $input) {
    blueprint { key } userErrors { code field message } } }";
const RESTORE: &str = "mutation($input: BlueprintRestoreInput!) { blueprintRestore(input: $input) {
    blueprint { version } userErrors { code field message } } }";

/// Archives a touchpoint or a KPI, or brings it back.
async fn set_archived(actor: &Actor<'_>, kind: &str, id: &str, archived: bool) {
    let ask = "query($id: ID!) { node(id: $id) { ... on Touchpoint { version } ... on Kpi { version } } }";
    let version = actor.ask(ask, json!({ "id": id })).await["node"]["version"].take();
    let act = if archived { "Archive" } else { "Unarchive" };
    let act = format!(
        "mutation($input: AtVersionInput!) {{ {kind}{act}(input: $input) {{ userErrors {{ code message }} }} }}"
    );
    actor
        .does(&act, json!({ "id": id, "expectedVersion": version }))
        .await;
}

/// The rental with something in every list of its document, and the document.
async fn told(world: &World) -> (Actor<'_>, Ids, Value) {
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(world).await);
    ann.does(IMPORT, known()).await;
    let verdict = document(&ann, "bp-rental").await["evaluations"][0].clone();
    let need = "{ blueprint(by: { key: \"bp-rental\" }) { persona { needs { text } } } }";
    let need = ann.ask(need, json!({})).await["blueprint"]["persona"]["needs"][0]["text"].take();
    let judged = with(
        verdict,
        "verdicts",
        json!([{ "need": need, "verdict": "FAILS" }]),
    );
    ann.does(IMPORT, rental(json!({ "evaluations": [judged] })))
        .await;
    let rental = document(&ann, "bp-rental").await;
    (ann, ids, rental)
}

/// What is said of the rental while something is out of sight, and then as it was before.
async fn say_otherwise_and_back(ann: &Actor<'_>, before: &Value) {
    for note in ["Seen", ""] {
        let csv = format!("key,note\nR05,{note}\n");
        let sheet = json!({ "blueprint": { "key": "bp-rental" }, "csv": csv });
        ann.does(SHEET, sheet).await;
    }
    for title in [json!("Another title"), before["title"].clone()] {
        ann.does(IMPORT, rental(json!({ "title": title }))).await;
    }
    let evaluation = &before["evaluations"][0];
    let evaluation = |note: Value| {
        json!({ "touchpoint": evaluation["touchpoint"], "heldOn": evaluation["heldOn"],
            "byName": evaluation["byName"], "note": note })
    };
    let said = |word: &str, note: Value, effort: Value| {
        rental(json!({
            "scenarios": [{ "name": "As usual", "note": note }],
            "insights": [{ "key": "Q1", "text": format!("Why{word}?") }],
            "promises": [{ "key": "P1", "text": format!("a car{word}") }],
            "evaluations": [evaluation(note)],
            "improvements": [{ "key": "N1", "effort": effort }],
        }))
    };
    ann.does(IMPORT, said(" not", json!("otherwise"), json!(2)))
        .await;
    ann.does(IMPORT, said("", Value::Null, Value::Null)).await;
    let copy = json!({ "blueprintId": id_of_rental(ann).await, "title": "What could be" });
    ann.does(COPY, copy).await;
}

async fn id_of_rental(ann: &Actor<'_>) -> Value {
    let ask = "{ blueprint(by: { key: \"bp-rental\" }) { id } }";
    ann.ask(ask, json!({})).await["blueprint"]["id"].take()
}

#[tokio::test]
async fn what_is_archived_comes_back_as_it_was_whatever_is_imported_meanwhile() {
    let world = World::demo().await;
    let (ann, ids, before) = told(&world).await;
    for (kind, key) in [("touchpoint", "R03"), ("touchpoint", "R04"), ("kpi", "KB3")] {
        set_archived(&ann, kind, &ids[key], true).await;
        assert_ne!(document(&ann, "bp-rental").await, before, "{key}");
        say_otherwise_and_back(&ann, &before).await;
        set_archived(&ann, kind, &ids[key], false).await;
        assert_eq!(document(&ann, "bp-rental").await, before, "{key}");
    }
}

#[tokio::test]
async fn an_answer_at_an_archived_step_stays_the_answer() {
    let world = World::demo().await;
    let (ann, ids, _) = told(&world).await;
    let answered = rental(json!({ "insights": [
        { "key": "A2", "touchpoint": "R04", "kind": "PAIN", "text": "The queue" },
        { "key": "Q1", "answeredBy": "A2" },
    ] }));
    ann.does(IMPORT, answered).await;
    let before = document(&ann, "bp-rental").await;
    set_archived(&ann, "touchpoint", &ids["R04"], true).await;
    say_otherwise_and_back(&ann, &before).await;
    set_archived(&ann, "touchpoint", &ids["R04"], false).await;
    assert_eq!(document(&ann, "bp-rental").await, before);
}

#[tokio::test]
async fn a_source_of_an_archived_insight_stays_and_a_question_there_opens_again() {
    let world = World::demo().await;
    let (ann, ids, _) = told(&world).await;
    let at_r04 = |key: &str, more: Value| {
        let mut insight = json!({ "key": key, "touchpoint": "R04", "text": "The queue" });
        for (field, value) in more.as_object().expect("fields") {
            insight[field] = value.clone();
        }
        insight
    };
    let insights = rental(json!({ "insights": [
        at_r04("A2", json!({ "kind": "PAIN", "basis": "OBSERVED", "sources": ["Calls"] })),
        at_r04("Q2", json!({ "kind": "QUESTION", "answeredBy": "A1" })),
    ] }));
    ann.does(IMPORT, insights).await;
    set_archived(&ann, "touchpoint", &ids["R04"], true).await;
    let none = rental(json!({ "sources": [], "insights": [] }));
    let none = with(none, "prune", json!(true));
    ann.does(IMPORT, none.clone()).await;
    assert_eq!(ann.does(IMPORT, none).await["changes"], json!([]));
    let planned =
        rental(json!({ "sources": [{ "title": "Calls", "heldOn": null, "planned": true }] }));
    let refused = ann.tries(IMPORT, planned).await["userErrors"].take();
    assert_eq!(refused[0]["field"], json!(["sources"]), "{refused}");
    set_archived(&ann, "touchpoint", &ids["R04"], false).await;
    let after = document(&ann, "bp-rental").await;
    let insights = after["insights"].as_array().expect("insights").iter();
    let told: Vec<Value> = insights
        .map(|one| json!([one["key"], one["sources"], one["answeredBy"]]))
        .collect();
    let expected = [json!(["A2", ["Calls"], null]), json!(["Q2", [], null])];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn verdicts_on_the_needs_of_an_earlier_persona_stay() {
    let world = World::demo().await;
    let (ann, _, before) = told(&world).await;
    let other = "{ blueprint(by: { key: \"bp-member\" }) { persona { key } } }";
    let other = ann.ask(other, json!({})).await["blueprint"]["persona"]["key"].take();
    for persona in [&other, &before["persona"]] {
        ann.does(IMPORT, rental(json!({ "persona": persona })))
            .await;
        say_otherwise_and_back(&ann, &before).await;
    }
    assert_eq!(document(&ann, "bp-rental").await, before);
}

#[tokio::test]
async fn a_list_that_is_saved_keeps_what_is_archived_in_its_place() {
    let world = World::demo().await;
    let (ann, ids, before) = told(&world).await;
    let list = "query($id: ID!) { blueprint(by: { id: $id }) {
        scenarios { id version touchpoints { id } }
        promises { id version deliveredAt { id } }
        improvements { id version touchpoints { id } kpis { id } } } }";
    for (kind, key) in [("touchpoint", "R03"), ("touchpoint", "R04"), ("kpi", "KB3")] {
        set_archived(&ann, kind, &ids[key], true).await;
        let id = id_of_rental(&ann).await;
        let shown = ann.ask(list, json!({ "id": id })).await["blueprint"].take();
        for (act, thing, fields) in [
            (
                "scenarioUpdate",
                &shown["scenarios"][0],
                &[("touchpoints", "touchpointIds")][..],
            ),
            (
                "promiseUpdate",
                &shown["promises"][0],
                &[("deliveredAt", "deliveredAtIds")][..],
            ),
            (
                "improvementUpdate",
                &shown["improvements"][0],
                &[("touchpoints", "touchpointIds"), ("kpis", "kpiIds")][..],
            ),
        ] {
            let mut input = json!({ "id": thing["id"], "expectedVersion": thing["version"] });
            for (list, field) in fields {
                let shown = thing[*list].as_array().expect("a list").iter();
                let ids: Vec<&Value> = shown.map(|one| &one["id"]).collect();
                input[*field] = json!(ids);
            }
            let input_type = format!("{}{}Input", act[..1].to_uppercase(), &act[1..]);
            let act = format!(
                "mutation($input: {input_type}!) {{ {act}(input: $input) {{ userErrors {{ code message }} }} }}"
            );
            ann.does(&act, input).await;
        }
        set_archived(&ann, kind, &ids[key], false).await;
        assert_eq!(document(&ann, "bp-rental").await, before, "{key}");
    }
}

#[tokio::test]
async fn a_document_brings_archived_steps_back_with_all_that_they_were() {
    let world = World::demo().await;
    let (ann, ids, before) = told(&world).await;
    for key in ["R02", "R03", "R04", "R08"] {
        let whole = json!({ "document": before, "prune": true });
        let place = json!({ "key": key, "phase": step(&before, key)["phase"] });
        let named = rental(json!({ "touchpoints": [place] }));
        let row = format!("key\n{key}\n");
        let sheet = json!({ "blueprint": { "key": "bp-rental" }, "csv": row });
        for (act, input) in [(IMPORT, whole), (IMPORT, named), (SHEET, sheet)] {
            set_archived(&ann, "touchpoint", &ids[key], true).await;
            assert!(step(&document(&ann, "bp-rental").await, key).is_null());
            let back = ann.does(act, input.clone()).await["changes"].take();
            let added = json!({ "kind": "ADDED", "part": "touchpoint", "identity": key });
            let told = back.as_array().expect("changes").iter();
            let told = told.filter(|change| {
                ["kind", "part", "identity"]
                    .iter()
                    .all(|field| change[*field] == added[*field])
            });
            assert_eq!(told.count(), 1, "{back}");
            let again = ann.does(act, input).await["changes"].take();
            assert_eq!(again, json!([]), "{key}: twice is once");
            let after = document(&ann, "bp-rental").await;
            assert_eq!(step(&after, key), step(&before, key));
            for list in [
                "transitions",
                "scenarios",
                "insights",
                "promises",
                "evaluations",
                "improvements",
            ] {
                assert_eq!(after[list], before[list], "{key} {list}");
            }
            let whole = json!({ "document": before, "prune": true });
            ann.does(IMPORT, whole).await;
        }
    }
}

fn step(document: &Value, key: &str) -> Value {
    let steps = document["touchpoints"].as_array().expect("touchpoints");
    let step = steps.iter().find(|step| step["key"] == key);
    step.cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_restored_publication_brings_archived_steps_back() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let before = document(&ann, "bp-rental").await;
    let ask = "{ blueprint(by: { key: \"bp-rental\" }) { id version } }";
    let blueprint = ann.ask(ask, json!({})).await["blueprint"].take();
    let list = "query($id: ID!) { publications(blueprintId: $id, first: 50) { nodes { id } } }";
    let list =
        ann.ask(list, json!({ "id": blueprint["id"] })).await["publications"]["nodes"].take();
    let newest = list.as_array().expect("publications").last().expect("one");
    for key in ["R03", "R04"] {
        set_archived(&ann, "touchpoint", &ids[key], true).await;
        let blueprint = ann.ask(ask, json!({})).await["blueprint"].take();
        let restore = json!({ "id": blueprint["id"], "expectedVersion": blueprint["version"],
            "publicationId": newest["id"] });
        ann.does(RESTORE, restore).await;
        let after = document(&ann, "bp-rental").await;
        for list in ["phases", "touchpoints", "transitions", "kpiLinks"] {
            assert_eq!(after[list], before[list], "{key} {list}");
        }
    }
}

#[tokio::test]
async fn a_stale_revision_names_nobody_who_has_not_changed_it() {
    let world = World::demo().await;
    let ann = world.sign_in("ann-cx").await;
    let ask = "{ blueprint(by: { key: \"bp-rental\" }) { revision } }";
    ann.does(IMPORT, rental(json!({ "title": "One" }))).await;
    let read = ann.ask(ask, json!({})).await["blueprint"]["revision"].take();
    ann.does(
        IMPORT,
        rental(json!({ "touchpoints": [{ "key": "R05", "note": "Two" }] })),
    )
    .await;
    let stale = with(
        rental(json!({ "title": "Three" })),
        "expectedRevision",
        read,
    );
    let refused = ann.tries(IMPORT, stale).await["userErrors"][0].take();
    let message = refused["message"].as_str().expect("a sentence");
    assert!(
        message.starts_with("Something in it has changed since you read it: it is at revision "),
        "{message}"
    );
}

/// A sheet that names these steps and no others.
fn only(keys: &[&str]) -> Value {
    let csv = format!("key\n{}\n", keys.join("\n"));
    json!({ "blueprint": { "key": "bp-rental" }, "csv": csv, "prune": true })
}

#[tokio::test]
async fn what_a_pruning_import_leaves_out_is_archived_with_all_that_hangs_on_it() {
    let world = World::demo().await;
    let (ann, _, before) = told(&world).await;
    let steps = before["touchpoints"]
        .as_array()
        .expect("touchpoints")
        .iter();
    let keys: Vec<&str> = steps
        .map(|step| step["key"].as_str().expect("a key"))
        .collect();
    for gone in ["R02", "R03", "R04", "R08"] {
        let others: Vec<&str> = keys.iter().copied().filter(|key| *key != gone).collect();
        let mut less = before.clone();
        let steps = before["touchpoints"]
            .as_array()
            .expect("touchpoints")
            .iter();
        less["touchpoints"] = steps.filter(|step| step["key"] != gone).cloned().collect();
        let less = json!({ "format": less["format"], "key": less["key"], "touchpoints": less["touchpoints"] });
        let document = json!({ "document": less, "prune": true });
        for (act, input) in [(SHEET, only(&others)), (IMPORT, document)] {
            ann.does(act, input.clone()).await;
            assert!(step(&document_of(&ann).await, gone).is_null(), "{gone}");
            assert_eq!(ann.does(act, input).await["changes"], json!([]));
            ann.does(IMPORT, rental(json!({ "touchpoints": [{ "key": gone }] })))
                .await;
            assert_eq!(document_of(&ann).await, before, "{gone}");
        }
    }
}

async fn document_of(ann: &Actor<'_>) -> Value {
    document(ann, "bp-rental").await
}

#[tokio::test]
async fn a_question_and_its_answer_go_together() {
    let world = World::demo().await;
    let (ann, _, before) = told(&world).await;
    let none = with(rental(json!({ "insights": [] })), "prune", json!(true));
    ann.does(IMPORT, none).await;
    assert_eq!(document_of(&ann).await["insights"], json!([]));
    ann.does(IMPORT, rental(json!({ "insights": before["insights"] })))
        .await;
    assert_eq!(document_of(&ann).await, before);
}

#[tokio::test]
async fn of_two_evaluations_that_are_named_alike_none_takes_what_is_the_others() {
    let world = World::demo().await;
    let (ann, ids, before) = told(&world).await;
    let conflicting = &before["evaluations"][0];
    assert_eq!(
        conflicting["conflictsWith"],
        json!("R03"),
        "the first of two"
    );
    set_archived(&ann, "touchpoint", &ids["R03"], true).await;
    let shown = document_of(&ann).await["evaluations"].take();
    let shown = shown.as_array().expect("evaluations");
    let turned: Vec<&Value> = shown.iter().rev().collect();
    let turned = with(
        rental(json!({ "evaluations": turned })),
        "prune",
        json!(true),
    );
    ann.does(IMPORT, turned).await;
    let one = with(
        rental(json!({ "evaluations": [shown[0]] })),
        "prune",
        json!(true),
    );
    ann.does(IMPORT, one).await;
    set_archived(&ann, "touchpoint", &ids["R03"], false).await;
    assert_eq!(document_of(&ann).await["evaluations"], json!([conflicting]));
}

#[tokio::test]
async fn what_is_held_comes_back_with_its_tasks_and_its_person() {
    let world = World::demo().await;
    let (ann, ids, before) = told(&world).await;
    let held = before["responsibilities"]
        .as_array()
        .expect("responsibilities")
        .iter();
    let mut held = held
        .clone()
        .find(|held| held["touchpoint"] == "R03" && held["role"] == "ACCOUNTABLE")
        .expect("somebody")
        .clone();
    held["tasks"] = json!(["one", "two"]);
    ann.does(IMPORT, rental(json!({ "responsibilities": [held] })))
        .await;
    let named =
        json!({ "touchpoint": "R03", "department": held["department"], "role": "ACCOUNTABLE" });
    for more in [
        json!({}),
        json!({ "tasks": ["one", "two"] }),
        json!({ "person": held["person"] }),
    ] {
        set_archived(&ann, "touchpoint", &ids["R03"], true).await;
        let mut named = named.clone();
        for (field, value) in more.as_object().expect("fields") {
            named[field] = value.clone();
        }
        let back =
            rental(json!({ "touchpoints": [{ "key": "R03" }], "responsibilities": [named] }));
        ann.does(IMPORT, back.clone()).await;
        assert_eq!(ann.does(IMPORT, back).await["changes"], json!([]), "{more}");
        let now = document_of(&ann).await["responsibilities"].take();
        let now = now.as_array().expect("responsibilities");
        assert!(now.contains(&held), "{more}: {now:?}");
    }
}

#[tokio::test]
async fn a_step_comes_back_to_the_place_where_unarchiving_puts_it() {
    let world = World::demo().await;
    let (ann, ids, before) = told(&world).await;
    for key in ["R02", "R03", "R04", "R08"] {
        set_archived(&ann, "touchpoint", &ids[key], true).await;
        let named = rental(
            json!({ "touchpoints": [{ "key": key, "phase": step(&before, key)["phase"] }] }),
        );
        ann.does(IMPORT, named).await;
        assert_eq!(
            document_of(&ann).await["touchpoints"],
            before["touchpoints"],
            "{key}"
        );
    }
}

#[tokio::test]
async fn steps_of_phases_that_all_go_stand_in_the_new_ones() {
    let world = World::demo().await;
    let (ann, ids, before) = told(&world).await;
    set_archived(&ann, "touchpoint", &ids["R03"], true).await;
    let steps = before["touchpoints"]
        .as_array()
        .expect("touchpoints")
        .iter();
    let steps: Vec<Value> = steps
        .map(|step| json!({ "key": step["key"], "phase": "new" }))
        .collect();
    let all = rental(json!({
        "phases": [{ "key": "new", "name": "New", "stage": "GOAL" }],
        "touchpoints": steps,
    }));
    let all = with(all, "prune", json!(true));
    ann.does(IMPORT, all.clone()).await;
    let after = document_of(&ann).await;
    assert_eq!(after["phases"].as_array().expect("phases").len(), 1);
    let there = after["touchpoints"].as_array().expect("touchpoints");
    assert_eq!(there.len(), steps.len());
    assert!(there.iter().all(|step| step["phase"] == "new"), "{there:?}");
    assert_eq!(ann.does(IMPORT, all).await["changes"], json!([]));
}

#[tokio::test]
async fn an_evaluation_is_edited_while_what_it_conflicts_with_is_archived() {
    let world = World::demo().await;
    let (ann, ids, before) = told(&world).await;
    set_archived(&ann, "touchpoint", &ids["R03"], true).await;
    let ask = "{ touchpoint(by: { key: { blueprint: \"bp-rental\", key: \"R02\" } }) {
        evaluations { id version note } } }";
    let all = ann.ask(ask, json!({})).await["touchpoint"]["evaluations"].take();
    let update = "mutation($input: EvaluationUpdateInput!) { evaluationUpdate(input: $input) { userErrors { code message } } }";
    for one in all.as_array().expect("evaluations") {
        let note = json!({ "id": one["id"], "expectedVersion": one["version"], "note": "Looked at again" });
        ann.does(update, note).await;
    }
    set_archived(&ann, "touchpoint", &ids["R03"], false).await;
    let after = document_of(&ann).await["evaluations"].take();
    assert_eq!(
        after[0]["conflictsWith"],
        before["evaluations"][0]["conflictsWith"]
    );
}
