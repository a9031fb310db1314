//! Blueprints: made, shaped, led through their life, and read as of one moment.

use serde_json::{Value, json};

use crate::world::{Actor, World};

const STEP: &str = "title status version revision publishedNumber changedSincePublished";

fn step(name: &str) -> String {
    let input = match name {
        "blueprintPublish" => "BlueprintPublishInput",
        "blueprintSendBack" => "BlueprintSendBackInput",
        _ => "AtVersionInput",
    };
    format!(
        "mutation($input: {input}!) {{ {name}(input: $input) {{ blueprint {{ id {STEP} }} userErrors {{ field message code reason }} }} }}"
    )
}

async fn find(actor: &Actor<'_>, key: &str) -> Value {
    let document =
        format!("query($key: String!) {{ blueprint(by: {{ key: $key }}) {{ id {STEP} }} }}");
    actor.ask(&document, json!({ "key": key })).await["blueprint"].take()
}

fn at(row: &Value) -> Value {
    json!({ "id": row["id"], "expectedVersion": row["version"] })
}

#[tokio::test]
async fn the_life_of_a_blueprint_has_steps_that_can_be_taken_and_others() {
    let world = World::small().await;
    let (lead, cx_manager) = (
        world.sign_in("lead").await,
        world.sign_in("cx-manager").await,
    );
    let draft = find(&lead, "draft").await;
    assert_eq!(
        (&draft["status"], &draft["publishedNumber"]),
        (&json!("DRAFT"), &Value::Null)
    );
    let submitted = lead.does(&step("blueprintSubmit"), at(&draft)).await["blueprint"].take();
    assert_eq!(submitted["status"], "IN_REVIEW");
    assert_eq!(
        lead.refused(&step("blueprintPublish"), at(&submitted))
            .await,
        ["FORBIDDEN"]
    );
    assert_eq!(
        cx_manager
            .refused(&step("blueprintSubmit"), at(&submitted))
            .await,
        ["CONFLICT"]
    );
    let back = cx_manager
        .does(&step("blueprintSendBack"), at(&submitted))
        .await["blueprint"]
        .take();
    assert_eq!(back["status"], "DRAFT");
    let refused = cx_manager.tries(&step("blueprintPublish"), at(&back)).await["userErrors"].take();
    assert_eq!(
        refused[0]["reason"], "FINDING_OPEN",
        "nobody does it: {refused}"
    );
    let import = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) { userErrors { code } } }";
    let responsible = json!({ "touchpoint": "D1", "department": "sales", "role": "RESPONSIBLE", "status": "ACCEPTED" });
    let document = json!({ "format": "cx-blueprint/blueprint@1", "key": "draft", "responsibilities": [responsible] });
    cx_manager
        .does(import, json!({ "document": document }))
        .await;
    let published = cx_manager.does(&step("blueprintPublish"), at(&back)).await["blueprint"].take();
    assert_eq!(
        (
            &published["status"],
            &published["publishedNumber"],
            &published["changedSincePublished"]
        ),
        (&json!("PUBLISHED"), &json!(1), &json!(false))
    );
    let rename = "mutation($input: BlueprintUpdateInput!) { blueprintUpdate(input: $input) {
        blueprint { id title version changedSincePublished } userErrors { code } } }";
    let mut input = at(&published);
    input["title"] = json!("I come back for more");
    let renamed = lead.does(rename, input).await["blueprint"].take();
    assert_eq!(renamed["changedSincePublished"], json!(true));
    let again = cx_manager
        .does(&step("blueprintPublish"), at(&renamed))
        .await["blueprint"]
        .take();
    assert_eq!(
        (&again["publishedNumber"], &again["changedSincePublished"]),
        (&json!(2), &json!(false))
    );
    let archived = cx_manager.does(&step("blueprintArchive"), at(&again)).await["blueprint"].take();
    assert_eq!(archived["status"], "ARCHIVED");
    let unarchived = cx_manager
        .does(&step("blueprintUnarchive"), at(&archived))
        .await["blueprint"]
        .take();
    assert_eq!(unarchived["status"], "PUBLISHED");
    assert_eq!(
        cx_manager
            .refused(&step("blueprintDelete"), at(&unarchived))
            .await,
        ["CONFLICT"]
    );
}

#[tokio::test]
async fn an_archived_draft_stays_as_private_as_it_was() {
    let world = World::small().await;
    let (cx_manager, stranger) = (
        world.sign_in("cx-manager").await,
        world.sign_in("stranger").await,
    );
    let draft = find(&cx_manager, "draft").await;
    assert_eq!(find(&stranger, "draft").await, Value::Null);
    cx_manager.does(&step("blueprintArchive"), at(&draft)).await;
    assert_eq!(find(&stranger, "draft").await, Value::Null);
    assert_eq!(find(&stranger, "open").await["title"], "I buy");
}

#[tokio::test]
async fn a_draft_is_deleted_with_everything_in_it() {
    let world = World::small().await;
    let (lead, neighbour) = (
        world.sign_in("lead").await,
        world.sign_in("neighbour").await,
    );
    let draft = find(&lead, "draft").await;
    assert_eq!(
        neighbour
            .refused(&step("blueprintDelete"), at(&draft))
            .await,
        ["NOT_FOUND"]
    );
    let touchpoint = lead
        .ask(
            "{ touchpoint(by: { key: { blueprint: \"draft\", key: \"D1\" } }) { id } }",
            json!({}),
        )
        .await["touchpoint"]["id"]
        .take();
    lead.does(&step("blueprintDelete"), at(&draft)).await;
    assert_eq!(find(&lead, "draft").await, Value::Null);
    let gone = lead
        .ask(
            "query($id: ID!) { node(id: $id) { id } }",
            json!({ "id": touchpoint }),
        )
        .await;
    assert_eq!(gone["node"], Value::Null);
}

#[tokio::test]
async fn a_lead_drafts_for_the_own_department_only() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let create = "mutation($input: BlueprintCreateInput!) { blueprintCreate(input: $input) {
        blueprint { id key status ownerDepartment { key } persona { key } } userErrors { field code } } }";
    let found = lead
        .ask("{ sales: department(by: { key: \"sales\" }) { id } north: department(by: { key: \"SALES-NORTH\" }) { id }
               service: department(by: { key: \"service\" }) { id } buyer: persona(by: { key: \"buyer\" }) { id }
               colleague: persona(by: { key: \"colleague\" }) { id } }", json!({}))
        .await;
    let draft = |owner: &str, persona: &str| json!({ "title": "Jeg går på nettet", "ownerDepartmentId": found[owner]["id"], "personaId": found[persona]["id"] });
    let made = lead.does(create, draft("sales", "buyer")).await["blueprint"].take();
    assert_eq!(
        (&made["key"], &made["status"]),
        (&json!("jeg-gaar-paa-nettet"), &json!("DRAFT"))
    );
    let below = lead.does(create, draft("north", "buyer")).await["blueprint"].take();
    assert!(
        below["key"]
            .as_str()
            .expect("a key")
            .starts_with("jeg-gaar-paa-nettet-")
    );
    assert_eq!(
        lead.refused(create, draft("service", "buyer")).await,
        ["FORBIDDEN"]
    );
    assert_eq!(
        lead.refused(create, draft("sales", "colleague")).await,
        ["INVALID"],
        "a customer's journey of an employee"
    );
}

#[tokio::test]
async fn phases_keep_their_order_and_their_versions() {
    let world = World::small().await;
    let lead = world.sign_in("lead").await;
    let blueprint = lead
        .ask("{ blueprint(by: { key: \"open\" }) { id phases { id key version position touchpoints { id } } } }", json!({}))
        .await["blueprint"].take();
    let phase = |key: &str| {
        let mut phases = blueprint["phases"].as_array().expect("phases").iter();
        phases
            .find(|phase| phase["key"] == key)
            .expect("a phase")
            .clone()
    };
    let order = async || -> Vec<String> {
        let now = lead
            .ask(
                "{ blueprint(by: { key: \"open\" }) { phases { key position version } } }",
                json!({}),
            )
            .await;
        let phases = now["blueprint"]["phases"]
            .as_array()
            .expect("phases")
            .clone();
        phases
            .iter()
            .map(|phase| {
                format!(
                    "{} {} v{}",
                    phase["key"].as_str().expect("a key"),
                    phase["position"],
                    phase["version"]
                )
            })
            .collect()
    };
    let relocate = "mutation($input: PhaseMoveInput!) { phaseMove(input: $input) { phase { position version } userErrors { code field } } }";
    let mut to = at(&phase("after"));
    to["afterId"] = Value::Null;
    lead.does(relocate, to).await;
    assert_eq!(order().await, ["after 1 v2", "before 2 v1", "goal 3 v1"]);
    let create = "mutation($input: PhaseCreateInput!) { phaseCreate(input: $input) { phase { id key version } userErrors { code field } } }";
    let input = json!({ "blueprintId": blueprint["id"], "name": "In between", "stage": "GOAL", "afterId": phase("before")["id"] });
    let made = lead.does(create, input).await["phase"].take();
    assert_eq!(
        order().await,
        ["after 1 v2", "before 2 v1", "in-between 3 v1", "goal 4 v1"]
    );
    let archive = "mutation($input: AtVersionInput!) { phaseArchive(input: $input) { phase { id archivedAt } userErrors { code reason } } }";
    assert_eq!(
        lead.refused(archive, at(&phase("goal"))).await,
        ["CONFLICT"],
        "there are touchpoints in it"
    );
    lead.does(archive, at(&made)).await;
    assert_eq!(order().await.len(), 3);
}
