//! Publications: what a blueprint was, going back to it, and thinking about what it should become.

use serde_json::{Value, json};

use crate::{
    document::document,
    ids::Ids,
    world::{Actor, World},
};

pub const PUBLISH: &str = "mutation($input: BlueprintPublishInput!) { blueprintPublish(input: $input) {
    blueprint { version revision publishedNumber changedSincePublished } userErrors { code field message }
} }";
const RESTORE: &str = "mutation($input: BlueprintRestoreInput!) { blueprintRestore(input: $input) {
    blueprint { version revision } userErrors { code field message }
} }";
const COPY: &str = "mutation($input: BlueprintCopyInput!) { blueprintCopy(input: $input) {
    blueprint { id key state status copiedFrom { key } } userErrors { code field message }
} }";
const IMPORT: &str = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) {
    blueprint { version revision } userErrors { code field message }
} }";

/// The publications of a blueprint, oldest first: number and label of each.
async fn publications(actor: &Actor<'_>, id: &str) -> Vec<Value> {
    let ask = "query($id: ID!) { publications(blueprintId: $id, first: 10) { nodes { id number label revision document } } }";
    let mut answer = actor.ask(ask, json!({ "id": id })).await;
    match answer["publications"]["nodes"].take() {
        Value::Array(nodes) => nodes,
        other => panic!("{other}"),
    }
}

async fn diff(actor: &Actor<'_>, from: Value, to: Value) -> Vec<String> {
    let ask = "query($from: BlueprintVersion!, $to: BlueprintVersion!) {
        blueprintDiff(from: $from, to: $to) { kind part identity field } }";
    let answer = actor.ask(ask, json!({ "from": from, "to": to })).await;
    let changes = answer["blueprintDiff"].as_array().expect("changes").iter();
    changes
        .map(|change| {
            let word = |field: &str| change[field].as_str().unwrap_or_default();
            format!(
                "{} {} {} {}",
                word("kind"),
                word("part"),
                word("identity"),
                word("field")
            )
            .trim_end()
            .to_owned()
        })
        .collect()
}

async fn version(actor: &Actor<'_>, id: &str) -> Value {
    let ask = "query($id: ID!) { blueprint(by: { id: $id }) { version } }";
    actor.ask(ask, json!({ "id": id })).await["blueprint"]["version"].take()
}

/// Brings the rental to what is said.
async fn change(actor: &Actor<'_>, more: Value, prune: bool) {
    let mut document = json!({ "format": "cx-blueprint/blueprint@1", "key": "bp-rental" });
    for (field, value) in more.as_object().expect("an object") {
        document[field] = value.clone();
    }
    actor
        .does(IMPORT, json!({ "document": document, "prune": prune }))
        .await;
}

#[tokio::test]
async fn what_was_published_stays_what_it_was() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let id = &ids["bp-rental"];
    let before = document(&ann, "bp-rental").await;
    let refused = json!({ "id": id, "expectedVersion": version(&ann, id).await });
    assert_eq!(
        ann.refused(PUBLISH, refused).await,
        ["CONFLICT"],
        "nobody answers for R07"
    );
    let answers = json!({ "touchpoint": "R07", "department": "r-station", "role": "ACCOUNTABLE", "status": "ACCEPTED" });
    change(
        &ann,
        json!({ "title": "I rent a van", "responsibilities": [answers] }),
        false,
    )
    .await;
    let input = json!({ "id": id, "expectedVersion": version(&ann, id).await, "label": "Autumn" });
    let done = ann.does(PUBLISH, input).await;
    assert_eq!(done["blueprint"]["publishedNumber"], json!(2));
    assert_eq!(done["blueprint"]["changedSincePublished"], json!(false));
    let kept = publications(&ann, id).await;
    assert_eq!(kept.len(), 2);
    assert_eq!(
        (&kept[0]["number"], &kept[0]["document"]),
        (&json!(1), &before)
    );
    assert_eq!(
        (&kept[1]["number"], &kept[1]["label"]),
        (&json!(2), &json!("Autumn"))
    );
    assert_eq!(kept[1]["document"], document(&ann, "bp-rental").await);
    let (first, second) = (
        json!({ "publicationId": kept[0]["id"] }),
        json!({ "publicationId": kept[1]["id"] }),
    );
    assert_eq!(
        diff(&ann, first.clone(), second).await,
        [
            "RENAMED blueprint bp-rental title",
            "ADDED responsibility R07 r-station ACCOUNTABLE",
        ]
    );
    assert_eq!(diff(&ann, first.clone(), first).await, [] as [String; 0]);
}

#[tokio::test]
async fn going_back_brings_back_the_same_steps_and_who_answered_for_them() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let id = &ids["bp-rental"];
    let before = document(&ann, "bp-rental").await;
    let touchpoints = before["touchpoints"]
        .as_array()
        .expect("touchpoints")
        .iter();
    let kept: Vec<Value> = touchpoints
        .filter(|part| part["key"] != "R07")
        .map(|part| json!({ "key": part["key"] }))
        .collect();
    change(&ann, json!({ "touchpoints": kept }), true).await;
    change(
        &ann,
        json!({ "touchpoints": [{ "key": "R02", "name": "Look around" }] }),
        false,
    )
    .await;
    let replaced = document(&ann, "bp-rental").await;
    let first = publications(&ann, id).await.remove(0);
    let back = json!({ "id": id, "expectedVersion": version(&ann, id).await, "publicationId": first["id"] });
    ann.does(RESTORE, back.clone()).await;

    assert_eq!(document(&ann, "bp-rental").await, before);
    assert_eq!(
        Ids::of(&world).await["R07"],
        ids["R07"],
        "the same step, not another one"
    );
    let all = publications(&ann, id).await;
    assert_eq!(all.len(), 2, "what was replaced is kept");
    assert_eq!(
        (&all[1]["number"], &all[1]["document"]),
        (&Value::Null, &replaced)
    );

    let again = json!({ "id": id, "expectedVersion": version(&ann, id).await, "publicationId": first["id"] });
    ann.does(RESTORE, again).await;
    assert_eq!(
        publications(&ann, id).await.len(),
        2,
        "going back to where one is does nothing"
    );
    let other =
        json!({ "id": ids["bp-flight"], "expectedVersion": 1, "publicationId": first["id"] });
    assert_eq!(ann.refused(RESTORE, other).await, ["NOT_FOUND"]);
}

#[tokio::test]
async fn an_old_publication_can_be_restored_though_what_it_names_has_gone() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let id = &ids["bp-rental"];
    let before = document(&ann, "bp-rental").await;
    let kpi = before["kpiLinks"][0]["kpi"].as_str().expect("a KPI");
    let archive =
        "mutation($input: AtVersionInput!) { kpiArchive(input: $input) { userErrors { code } } }";
    ann.does(archive, json!({ "id": ids[kpi], "expectedVersion": 1 }))
        .await;
    change(&ann, json!({ "title": "Another" }), false).await;
    let first = publications(&ann, id).await.remove(0);
    let back = json!({ "id": id, "expectedVersion": version(&ann, id).await, "publicationId": first["id"] });
    ann.does(RESTORE, back).await;
    let after = document(&ann, "bp-rental").await;
    assert_eq!(after["title"], before["title"]);
    assert!(
        !after["kpiLinks"]
            .to_string()
            .contains(&format!("\"{kpi}\""))
    );
}

#[tokio::test]
async fn what_is_archived_is_named_still_where_it_was_named_before() {
    let world = World::demo().await;
    let (ann, gus) = (
        world.sign_in("ann-cx").await,
        world.sign_in("gus-admin").await,
    );
    let makes = async |by: &Actor<'_>, name: &str, field: &str, input: Value| {
        let of = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        let make = format!(
            "mutation($input: {of}Input!) {{ {name}(input: $input) {{ {field} {{ id key version }} userErrors {{ field message code }} }} }}"
        );
        by.does(&make, input).await[field].take()
    };
    let goes = async |by: &Actor<'_>, name: &str, of: &Value, more: Value| {
        let mut input = json!({ "id": of["id"], "expectedVersion": of["version"] });
        for (field, value) in more.as_object().expect("an object") {
            input[field] = value.clone();
        }
        let kind = match name {
            "departmentArchive" => "DepartmentArchiveInput",
            _ => "AtVersionInput",
        };
        let go = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ userErrors {{ field message code }} }} }}"
        );
        by.does(&go, input).await;
    };
    let persona = makes(&ann, "personaCreate", "persona", json!({ "name": "Gone" })).await;
    let department = makes(
        &gus,
        "departmentCreate",
        "department",
        json!({ "name": "Gone" }),
    )
    .await;
    let account = json!({ "name": "Gone", "password": "a long enough one" });
    let account = makes(&gus, "accountCreate", "account", account).await;
    let named = json!({
        "secondaryPersonas": [persona["key"]],
        "responsibilities": [{ "touchpoint": "R07", "department": "r-station", "role": "ACCOUNTABLE", "status": "ACCEPTED" }],
        "insights": [{ "key": "Q9", "kind": "GAIN", "text": "of somebody", "touchpoint": "R02", "persona": persona["key"] }],
        "evaluations": [{ "touchpoint": "R02", "heldOn": "2025-01-01", "byAccount": account["key"] }],
        "improvements": [{ "key": "N9", "title": "of nobody", "ownerDepartment": department["key"] }],
    });
    change(&ann, named.clone(), false).await;
    let ids = Ids::of(&world).await;
    let id = &ids["bp-rental"];
    let publish = json!({ "id": id, "expectedVersion": version(&ann, id).await });
    ann.does(PUBLISH, publish).await;
    let before = document(&ann, "bp-rental").await;
    let published = publications(&ann, id).await.pop().expect("a publication");

    goes(&ann, "personaArchive", &persona, json!({})).await;
    goes(&gus, "accountDeactivate", &account, json!({})).await;
    goes(&gus, "departmentArchive", &department, json!({})).await;
    assert_eq!(document(&ann, "bp-rental").await, before);

    // A part of the document, all of it, and a sheet.
    change(&ann, json!({ "title": "I rent a van" }), false).await;
    change(&ann, before.clone(), true).await;
    assert_eq!(document(&ann, "bp-rental").await, before);
    let sheet = ann
        .ask(
            "{ blueprint(by: { key: \"bp-rental\" }) { sheet } }",
            json!({}),
        )
        .await;
    let take =
        "mutation($input: BlueprintSheetImportInput!) { blueprintSheetImport(input: $input) {
        changes { identity } userErrors { field message code } } }";
    let sheet = json!({ "blueprint": { "key": "bp-rental" }, "csv": sheet["blueprint"]["sheet"] });
    assert_eq!(ann.does(take, sheet).await["changes"], json!([]));
    // A copy names what its origin names.
    let copy = ann
        .does(COPY, json!({ "blueprintId": id, "title": "A copy" }))
        .await;
    let copy = document(&ann, copy["blueprint"]["key"].as_str().expect("a key")).await;
    for list in [
        "secondaryPersonas",
        "insights",
        "evaluations",
        "improvements",
    ] {
        assert_eq!(copy[list], before[list]);
    }
    // What was taken away comes back with the publication.
    let without =
        json!({ "secondaryPersonas": [], "insights": [], "evaluations": [], "improvements": [] });
    change(&ann, without, true).await;
    let back = json!({ "id": id, "expectedVersion": version(&ann, id).await, "publicationId": published["id"] });
    ann.does(RESTORE, back).await;
    assert_eq!(document(&ann, "bp-rental").await, before);
    // Elsewhere, and for another part, it is not there to be named.
    let elsewhere = json!({ "document": { "format": "cx-blueprint/blueprint@1", "key": "bp-flight",
        "secondaryPersonas": [persona["key"]], "improvements": named["improvements"] } });
    assert_eq!(
        ann.refused(IMPORT, elsewhere).await,
        ["NOT_FOUND", "NOT_FOUND"]
    );
    let addressed = json!({ "document": { "format": "cx-blueprint/blueprint@1", "key": "bp-rental", "responsibilities": [
        { "touchpoint": "R02", "department": department["key"], "role": "INFORMED" }] } });
    assert!(!ann.refused(IMPORT, addressed).await.is_empty());
}

#[tokio::test]
async fn a_copy_for_the_future_compares_with_its_origin_whatever_is_renamed() {
    let world = World::demo().await;
    let (ann, ids) = (world.sign_in("ann-cx").await, Ids::of(&world).await);
    let id = &ids["bp-rental"];
    let made = ann
        .does(COPY, json!({ "id": "blu_019ab0000000700080000000000000aa", "blueprintId": id, "key": "future", "title": "Some day" }))
        .await;
    let copy = &made["blueprint"];
    assert_eq!(copy["state"], json!("FUTURE"));
    assert_eq!(copy["status"], json!("DRAFT"));
    assert_eq!(copy["copiedFrom"]["key"], json!("bp-rental"));
    assert_eq!(copy["id"], json!("blu_019ab0000000700080000000000000aa"));
    let (now, then) = (
        json!({ "blueprintId": id }),
        json!({ "blueprintId": copy["id"] }),
    );
    let same = [
        "RENAMED blueprint bp-rental title",
        "CHANGED blueprint bp-rental state",
    ];
    assert_eq!(diff(&ann, now.clone(), then.clone()).await, same);

    let renamed = json!({ "document": {
        "format": "cx-blueprint/blueprint@1", "key": "future",
        "touchpoints": [
            { "key": "R02", "name": "Look around" },
            { "key": "R99", "phase": "d1", "name": "Ask a friend", "lane": "CUSTOMER" },
        ],
    } });
    let phase = document(&ann, "future").await["phases"][0]["key"].clone();
    let mut renamed = renamed;
    renamed["document"]["touchpoints"][1]["phase"] = phase.clone();
    ann.does(IMPORT, renamed).await;
    change(
        &ann,
        json!({ "touchpoints": [{ "key": "R99", "phase": phase, "name": "Something else", "lane": "CUSTOMER" }] }),
        false,
    )
    .await;
    let expected = [
        "RENAMED blueprint bp-rental title",
        "CHANGED blueprint bp-rental state",
        "ADDED touchpoint future:R99",
        "RENAMED touchpoint R02 name",
        "REMOVED touchpoint R99",
    ];
    assert_eq!(diff(&ann, now.clone(), then.clone()).await, expected);
    let other = json!({ "from": now, "to": { "blueprintId": ids["bp-flight"] } });
    let ask = "query($from: BlueprintVersion!, $to: BlueprintVersion!) { blueprintDiff(from: $from, to: $to) { kind } }";
    let answer = ann.send(ask, other).await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        json!("BAD_USER_INPUT")
    );
}

#[tokio::test]
async fn handing_over_is_one_change() {
    let world = World::small().await;
    let (boss, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let said = json!({ "document": {
        "format": "cx-blueprint/blueprint@1", "key": "open",
        "responsibilities": [{ "touchpoint": "T2", "department": "service", "role": "ACCOUNTABLE", "status": "ACCEPTED" }],
    } });
    boss.does(IMPORT, said).await;
    let first = publications(&boss, &ids["open"]).await.remove(0);
    let now = json!({ "blueprintId": ids["open"] });
    let told = diff(&boss, json!({ "publicationId": first["id"] }), now).await;
    assert!(
        told.contains(&"HANDED_OVER touchpoint T2 accountable".to_owned()),
        "{told:?}"
    );
    assert!(
        !told.iter().any(|line| line.contains("ACCOUNTABLE")),
        "{told:?}"
    );
}
