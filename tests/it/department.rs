//! Departments: their tree, and what becomes of what they hold.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Actor, World};

pub const MOVE: &str = "mutation($input: DepartmentMoveInput!) { departmentMove(input: $input) {
    department { id version parent { key } } userErrors { field message code reason } } }";
const ARCHIVE: &str =
    "mutation($input: DepartmentArchiveInput!) { departmentArchive(input: $input) {
    department { key archivedAt successor { key } } userErrors { field message code reason } } }";

async fn all(actor: &Actor<'_>) -> BTreeMap<String, Value> {
    let found = actor
        .ask(
            "{ departments(first: 200) { nodes { id key version } } }",
            json!({}),
        )
        .await;
    let nodes = found["departments"]["nodes"]
        .as_array()
        .expect("departments")
        .clone();
    nodes
        .into_iter()
        .map(|node| (node["key"].as_str().expect("a key").to_owned(), node))
        .collect()
}

fn under(department: &Value, parent: &Value) -> Value {
    json!({ "id": department["id"], "expectedVersion": department["version"], "parentId": parent["id"] })
}

#[tokio::test]
async fn the_tree_has_no_circle() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    let departments = all(&admin).await;
    for (moved, parent) in [
        ("sales", "sales"),
        ("sales", "sales-north"),
        ("board", "sales-north"),
    ] {
        let answer = admin
            .tries(MOVE, under(&departments[moved], &departments[parent]))
            .await;
        assert_eq!(
            answer["userErrors"][0]["reason"], "CYCLE",
            "{moved} under {parent}: {answer}"
        );
    }
    admin
        .does(
            MOVE,
            under(&departments["sales-north"], &departments["service"]),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_moves_at_once_make_no_circle_together() {
    let world = World::small().await;
    let admin = world.sign_in("admin").await;
    for _ in 0..8 {
        let departments = all(&admin).await;
        let (sales, service) = (&departments["sales"], &departments["service"]);
        let (one, other) = futures_util::future::join(
            admin.tries(MOVE, under(sales, service)),
            admin.tries(MOVE, under(service, sales)),
        )
        .await;
        let done = [&one, &other]
            .into_iter()
            .filter(|answer| answer["userErrors"] == json!([]))
            .count();
        assert_eq!(done, 1, "{one} {other}");
        let lost = [&one, &other]
            .into_iter()
            .find(|answer| answer["userErrors"] != json!([]))
            .expect("one lost");
        assert_eq!(lost["userErrors"][0]["reason"], "CYCLE");
        for (key, department) in all(&admin).await {
            if ["sales", "service"].contains(&key.as_str()) {
                admin
                    .does(MOVE, under(&department, &departments["board"]))
                    .await;
            }
        }
    }
}

#[tokio::test]
async fn what_an_archived_department_held_goes_to_its_successor() {
    let world = World::small().await;
    let (admin, cx_manager) = (
        world.sign_in("admin").await,
        world.sign_in("cx-manager").await,
    );
    let departments = all(&admin).await;
    let service = &departments["service"];
    let input = json!({ "id": service["id"], "expectedVersion": service["version"] });
    let refused = admin.tries(ARCHIVE, input.clone()).await;
    assert_eq!(refused["userErrors"][0]["reason"], "SUCCESSOR_NEEDED");
    let mut with_successor = input;
    with_successor["successorId"] = departments["sales"]["id"].clone();
    let archived = admin.does(ARCHIVE, with_successor).await["department"].take();
    assert_eq!(archived["successor"]["key"], "sales");
    let after = cx_manager
        .ask(
            "{ touchpoint(by: { key: { blueprint: \"open\", key: \"T3\" } }) { responsibilities { role status department { key } } }
               blueprint(by: { key: \"closed\" }) { ownerDepartment { key } }
               kpi(by: { key: \"SECRET\" }) { ownerDepartment { key } } }",
            json!({}),
        )
        .await;
    let held = after["touchpoint"]["responsibilities"]
        .as_array()
        .expect("responsibilities")
        .iter();
    let accountable: Vec<&Value> = held.filter(|held| held["role"] == "ACCOUNTABLE").collect();
    assert_eq!(
        (accountable.len(), &accountable[0]["department"]["key"]),
        (1, &json!("sales"))
    );
    assert_eq!(after["blueprint"]["ownerDepartment"]["key"], "sales");
    assert_eq!(after["kpi"]["ownerDepartment"]["key"], "sales");
}

#[tokio::test]
async fn a_lead_leads_all_below_and_nothing_beside() {
    let world = World::small().await;
    let (lead, chair) = (world.sign_in("lead").await, world.sign_in("chair").await);
    let may = "query($key: String!) { department(by: { key: $key }) { viewerPermissions } }";
    for (actor, key, leads) in [
        (&lead, "sales", true),
        (&lead, "sales-north", true),
        (&lead, "board", false),
        (&lead, "service", false),
        (&chair, "sales-north", true),
        (&chair, "courier", false),
    ] {
        let found = actor.ask(may, json!({ "key": key })).await;
        let permissions = found["department"]["viewerPermissions"]
            .as_array()
            .expect("permissions");
        assert_eq!(
            permissions.contains(&json!("KEEP_MEMBERS")),
            leads,
            "{} in {key}",
            actor.login
        );
    }
}

#[tokio::test]
async fn keys_are_told_apart_alike_whatever_the_locale() {
    let worlds = [Some(World::small().await), World::in_turkish().await];
    for world in worlds.into_iter().flatten() {
        let admin = world.sign_in("admin").await;
        let create = "mutation($input: DepartmentCreateInput!) { departmentCreate(input: $input) {
            department { key } userErrors { code field } } }";
        admin
            .does(create, json!({ "key": "IT-INFO", "name": "IT" }))
            .await;
        let by = "query($key: String!) { department(by: { key: $key }) { key } }";
        for key in ["IT-INFO", "it-info", "It-Info"] {
            let found = admin.ask(by, json!({ "key": key })).await;
            assert_eq!(found["department"]["key"], "IT-INFO", "{key}");
        }
        let again = admin
            .tries(create, json!({ "key": "it-info", "name": "it" }))
            .await;
        assert_eq!(
            again["userErrors"],
            json!([{ "code": "DUPLICATE", "field": ["key"] }])
        );
        let manager = world.sign_in("cx-manager").await;
        let ids = crate::ids::Ids::of(&world).await;
        let scenario = "mutation($input: ScenarioCreateInput!) { scenarioCreate(input: $input) { userErrors { code field } } }";
        let named = |name: &str| json!({ "blueprintId": ids["open"], "name": name, "kind": "HAPPY", "touchpointIds": [ids["T1"]] });
        manager.does(scenario, named("Ærlig Kunde INFO")).await;
        let alike = manager.tries(scenario, named("ærlig kunde info")).await;
        assert_eq!(
            alike["userErrors"],
            json!([{ "code": "DUPLICATE", "field": ["name"] }])
        );
        let source = "mutation($input: SourceCreateInput!) { sourceCreate(input: $input) { userErrors { code field } } }";
        let titled =
            |title: &str| json!({ "blueprintId": ids["open"], "title": title, "kind": "OTHER" });
        manager.does(source, titled("ØRE INFO")).await;
        let alike = manager.tries(source, titled("øre info")).await;
        assert_eq!(
            alike["userErrors"],
            json!([{ "code": "DUPLICATE", "field": ["title"] }])
        );
        let document = "{ blueprint(by: { key: \"open\" }) { document } }";
        let document = manager.ask(document, json!({})).await["blueprint"]["document"].take();
        let import = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) { changes { kind } userErrors { message } } }";
        let done = manager.does(import, json!({ "document": document })).await;
        assert_eq!(done["changes"], json!([]), "what goes out comes in");
    }
}

#[tokio::test]
async fn what_looks_the_same_is_the_same_however_its_letters_are_composed() {
    let world = World::small().await;
    let manager = world.sign_in("cx-manager").await;
    let import = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) {
        changes { kind identity } userErrors { message } } }";
    let document = |e: &str| {
        json!({ "format": "cx-blueprint/blueprint@1", "key": "open",
            "sources": [{ "title": format!("Caf{e}"), "kind": "INTERVIEW" }],
            "scenarios": [{ "name": format!("Soir{e}e"), "kind": "HAPPY", "touchpoints": ["T1"] }],
            "evaluations": [{ "touchpoint": "T2", "heldOn": "2025-01-01", "byName": format!("Zo{e}") }] })
    };
    let (apart, composed) = (document("e\u{301}"), document("é"));
    let made = manager.does(import, json!({ "document": apart })).await;
    assert_eq!(made["changes"].as_array().map(Vec::len), Some(3), "{made}");
    for again in [&apart, &composed] {
        let done = manager.does(import, json!({ "document": again })).await;
        assert_eq!(done["changes"], json!([]));
    }
    let seen = "{ blueprint(by: { key: \"open\" }) { sources { title } scenarios { name } evaluations { byName } } }";
    let seen = manager.ask(seen, json!({})).await["blueprint"].take();
    assert_eq!(
        seen,
        json!({ "sources": [{ "title": "Café" }], "scenarios": [{ "name": "Soirée" }],
            "evaluations": [{ "byName": "Zoé" }] })
    );
}
