//! Templates: kept as data, and blueprints that begin with them.

use serde_json::{Value, json};

use crate::{
    document::document,
    ids::Ids,
    world::{Actor, World, faults},
};

const CREATE: &str = "mutation($input: TemplateCreateInput!) { templateCreate(input: $input) {
    template { id key name description subjects lenses version phases { name stage prompt customerGoal } }
    userErrors { field code reason }
} }";

const UPDATE: &str = "mutation($input: TemplateUpdateInput!) { templateUpdate(input: $input) {
    template { id version name description subjects lenses phases { name } } userErrors { field code reason }
} }";

const DELETE: &str = "mutation($input: AtVersionInput!) { templateDelete(input: $input) {
    template { key } userErrors { field code reason }
} }";

const BEGIN: &str =
    "mutation($input: BlueprintFromTemplateInput!) { blueprintFromTemplate(input: $input) {
    blueprint {
        id key title status state subject visibility revision template { key lenses }
        phases { key name stage position prompt customerGoal touchpoints { id } }
    }
    userErrors { field code reason message }
} }";

/// A journey of sales in the small organisation, from the six phases; `more` is said besides.
fn journey(ids: &Ids, more: Value) -> Value {
    let mut input = json!({
        "template": { "key": "six-phases" }, "title": "I come back",
        "personaId": ids["buyer"], "ownerDepartmentId": ids["sales"],
    });
    for (field, value) in more.as_object().expect("an object") {
        input[field] = value.clone();
    }
    input
}

/// Two phases for employees.
fn first_day() -> Value {
    json!({
        "name": "First day", "subjects": ["EMPLOYEE", "EMPLOYEE"], "lenses": ["PAIN", "GAIN", "PAIN"],
        "phases": [
            { "name": "Arrive", "stage": "GOAL", "prompt": " Who meets them? ", "customerGoal": "To be expected" },
            { "name": "Arrive", "stage": "AFTER", "prompt": "What is missing?" },
        ],
    })
}

async fn keys(actor: &Actor<'_>, filter: Value) -> Value {
    let list = "query($filter: TemplateFilter) { templates(filter: $filter) { totalCount nodes { key } } }";
    actor.ask(list, json!({ "filter": filter })).await["templates"].take()
}

#[tokio::test]
async fn the_six_phases_come_with_the_database_and_everybody_sees_them() {
    let world = World::small().await;
    for login in ["stranger", "partner", "cx-manager"] {
        let actor = world.sign_in(login).await;
        let ask = "{ template(by: { key: \"SIX-PHASES\" }) {
            id subjects lenses version viewerPermissions phases { name stage prompt customerGoal }
        } }";
        let found = actor.ask(ask, json!({})).await["template"].take();
        assert_eq!(found["subjects"], json!(["CUSTOMER", "EMPLOYEE"]));
        assert_eq!(
            found["lenses"],
            json!(["THINKS", "DOES", "EXPERIENCES", "FEELS"])
        );
        let phases = found["phases"].as_array().expect("phases").iter();
        let told: Vec<String> = phases
            .map(|phase| {
                assert_eq!(phase["customerGoal"], Value::Null);
                let text = |field: &str| phase[field].as_str().expect("a text").to_owned();
                format!("{} {}: {}", text("stage"), text("name"), text("prompt"))
            })
            .collect();
        assert_eq!(
            told,
            [
                "BEFORE Prior experience: Earlier experiences, as quotes",
                "BEFORE Awareness: How the persona becomes aware",
                "BEFORE Choose: Reasons for choosing",
                "GOAL Act: How the persona acts or buys",
                "AFTER Experience: How the persona will experience you",
                "AFTER Share: How the persona shares the experience",
            ]
        );
        let keeps = match login {
            "cx-manager" => json!(["KEEP_CATALOGUE"]),
            _ => json!([]),
        };
        assert_eq!(found["viewerPermissions"], keeps, "{login}");
        let by_id = "query($id: ID!) { template(by: { id: $id }) { key } node(id: $id) { ... on Template { key } } }";
        assert_eq!(
            actor.ask(by_id, json!({ "id": found["id"] })).await,
            json!({ "template": { "key": "six-phases" }, "node": { "key": "six-phases" } })
        );
        assert_eq!(
            keys(&actor, Value::Null).await,
            json!({ "totalCount": 1, "nodes": [{ "key": "six-phases" }] })
        );
    }
}

#[tokio::test]
async fn templates_are_kept_as_data_and_listed_by_subject() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let made = cx_manager.does(CREATE, first_day()).await["template"].take();
    assert_eq!(
        (&made["key"], &made["version"]),
        (&json!("first-day"), &json!(1))
    );
    assert_eq!(made["subjects"], json!(["EMPLOYEE"]), "each once");
    assert_eq!(made["lenses"], json!(["PAIN", "GAIN"]));
    assert_eq!(
        made["phases"],
        json!([
            { "name": "Arrive", "stage": "GOAL", "prompt": "Who meets them?", "customerGoal": "To be expected" },
            { "name": "Arrive", "stage": "AFTER", "prompt": "What is missing?", "customerGoal": null },
        ])
    );
    for (subject, expected) in [
        ("CUSTOMER", json!([{ "key": "six-phases" }])),
        (
            "EMPLOYEE",
            json!([{ "key": "six-phases" }, { "key": "first-day" }]),
        ),
    ] {
        let found = keys(&cx_manager, json!({ "subject": subject })).await;
        assert_eq!(found["nodes"], expected, "{subject}");
    }

    let input = json!({ "id": made["id"], "expectedVersion": 1, "description": "For newcomers", "lenses": [] });
    let changed = cx_manager.does(UPDATE, input.clone()).await["template"].take();
    assert_eq!(changed["version"], json!(2));
    assert_eq!(changed["description"], json!("For newcomers"));
    assert_eq!(changed["lenses"], json!([]));
    assert_eq!(
        (
            &changed["name"],
            &changed["subjects"],
            &changed["phases"][1]
        ),
        (
            &json!("First day"),
            &json!(["EMPLOYEE"]),
            &json!({ "name": "Arrive" })
        ),
        "what is absent stays"
    );
    let late = cx_manager.tries(UPDATE, input).await;
    assert_eq!(late["userErrors"][0]["reason"], json!("VERSION_STALE"));
    assert_eq!(late["template"]["version"], json!(2), "as it is now");
    let cleared = json!({ "id": made["id"], "expectedVersion": 2, "description": null });
    let cleared = cx_manager.does(UPDATE, cleared).await;
    assert_eq!(cleared["template"]["description"], Value::Null);

    let gone = json!({ "id": made["id"], "expectedVersion": 3 });
    cx_manager.does(DELETE, gone).await;
    assert_eq!(keys(&cx_manager, Value::Null).await["totalCount"], json!(1));
}

#[tokio::test]
async fn faults_of_a_template_are_told_all_at_once() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let phase =
        json!({ "name": "", "stage": "GOAL", "prompt": " ", "customerGoal": "x".repeat(4_001) });
    let wrong = json!({ "key": "six phases", "name": "", "subjects": [], "phases": [phase] });
    assert_eq!(
        faults(&cx_manager.tries(CREATE, wrong).await),
        [
            "key INVALID",
            "name REQUIRED",
            "subjects REQUIRED",
            "phases.0.name REQUIRED",
            "phases.0.prompt REQUIRED",
            "phases.0.customerGoal TOO_LONG",
        ]
    );
    let phase = |at| json!({ "name": format!("Phase {at}"), "stage": "GOAL", "prompt": "What?" });
    let of = |count: u32| -> Value {
        let phases: Vec<Value> = (0..count).map(phase).collect();
        json!({ "name": "Long", "subjects": ["CUSTOMER"], "phases": phases })
    };
    for (count, told) in [(0, "phases REQUIRED"), (31, "phases LIMIT_EXCEEDED")] {
        assert_eq!(faults(&cx_manager.tries(CREATE, of(count)).await), [told]);
    }
    cx_manager.does(CREATE, of(30)).await;
    let mut taken = of(1);
    taken["key"] = json!("Six-Phases");
    assert_eq!(
        cx_manager.tries(CREATE, taken).await["userErrors"],
        json!([{ "field": ["key"], "code": "DUPLICATE", "reason": "KEY_TAKEN" }])
    );
    assert_eq!(keys(&cx_manager, Value::Null).await["totalCount"], json!(2));
}

#[tokio::test]
async fn a_retry_with_the_same_id_makes_nothing_twice() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    let mut template = first_day();
    template["id"] = json!("tpl_019ab0000000700080000000000000c1");
    for _ in 0..2 {
        cx_manager.does(CREATE, template.clone()).await;
    }
    let id = json!({ "id": "blu_019ab0000000700080000000000000c2" });
    let first = cx_manager.does(BEGIN, journey(&ids, id.clone())).await;
    let second = cx_manager.does(BEGIN, journey(&ids, id.clone())).await;
    assert_eq!(first, second);
    assert_eq!(
        second["blueprint"]["phases"]
            .as_array()
            .expect("phases")
            .len(),
        6
    );
    let mut without = journey(&ids, id);
    without
        .as_object_mut()
        .expect("an object")
        .remove("template");
    let create = "mutation($input: BlueprintCreateInput!) { blueprintCreate(input: $input) { userErrors { code reason } } }";
    assert_eq!(
        cx_manager.tries(create, without).await["userErrors"],
        json!([{ "code": "DUPLICATE", "reason": "ID_TAKEN" }]),
        "one without a template is another thing"
    );
}

#[tokio::test]
async fn a_lead_begins_a_draft_with_the_phases_and_what_to_ask_in_each() {
    let world = World::small().await;
    let (lead, stranger) = (world.sign_in("lead").await, world.sign_in("stranger").await);
    let ids = Ids::of(&world).await;
    let more = json!({ "key": "again", "state": "FUTURE", "visibility": "PARTICIPANTS" });
    let made = lead.does(BEGIN, journey(&ids, more)).await["blueprint"].take();
    for (field, value) in [
        ("key", json!("again")),
        ("title", json!("I come back")),
        ("status", json!("DRAFT")),
        ("state", json!("FUTURE")),
        ("subject", json!("CUSTOMER")),
        ("visibility", json!("PARTICIPANTS")),
        (
            "template",
            json!({ "key": "six-phases", "lenses": ["THINKS", "DOES", "EXPERIENCES", "FEELS"] }),
        ),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    assert_eq!(made["phases"].as_array().expect("phases").len(), 6);
    assert_eq!(
        made["phases"][3],
        json!({
            "key": "act", "name": "Act", "stage": "GOAL", "position": 4, "customerGoal": null,
            "prompt": "How the persona acts or buys", "touchpoints": [],
        })
    );
    let hidden = "query($id: ID!) { blueprint(by: { id: $id }) { id } }";
    let hidden = stranger.ask(hidden, json!({ "id": made["id"] })).await;
    assert_eq!(hidden["blueprint"], Value::Null, "a draft like any other");

    let without = lead
        .ask(
            "{ blueprint(by: { key: \"open\" }) { template { key } phases { prompt } } }",
            json!({}),
        )
        .await;
    assert_eq!(without["blueprint"]["template"], Value::Null);
    assert_eq!(without["blueprint"]["phases"][0], json!({ "prompt": null }));
}

#[tokio::test]
async fn the_subject_is_among_the_templates_and_the_personas() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    cx_manager.does(CREATE, first_day()).await;
    let first_day = json!({ "template": { "key": "First-Day" } });
    let wrong = cx_manager.tries(BEGIN, journey(&ids, first_day)).await;
    assert_eq!(faults(&wrong), ["subject INVALID"], "{wrong}");
    let employees = json!({
        "template": { "key": "first-day" }, "subject": "EMPLOYEE", "personaId": ids["colleague"],
    });
    let made = cx_manager.does(BEGIN, journey(&ids, employees)).await["blueprint"].take();
    let keys = [&made["phases"][0]["key"], &made["phases"][1]["key"]];
    assert_eq!(keys[0], "arrive");
    let second = keys[1].as_str().expect("a key");
    assert!(second.starts_with("arrive-"), "of the same name: {second}");
    let another = json!({ "subject": "EMPLOYEE" });
    let another = cx_manager.tries(BEGIN, journey(&ids, another)).await;
    assert_eq!(faults(&another), ["personaId INVALID"]);
    let nothing = json!({ "template": { "key": "no-such" } });
    assert_eq!(
        faults(&cx_manager.tries(BEGIN, journey(&ids, nothing)).await),
        ["template NOT_FOUND"]
    );
    let malformed = json!({ "template": { "id": "blu_1" }, "title": "" });
    assert_eq!(
        faults(&cx_manager.tries(BEGIN, journey(&ids, malformed)).await),
        ["template.id INVALID", "title REQUIRED"],
        "all at once"
    );
    let count = "{ blueprints(filter: { statuses: [DRAFT] }) { nodes { key } } }";
    let drafts = cx_manager.ask(count, json!({})).await["blueprints"]["nodes"].take();
    assert_eq!(
        drafts,
        json!([{ "key": "draft" }, { "key": "future" }, { "key": "i-come-back" }]),
        "nothing half-made"
    );
}

#[tokio::test]
async fn a_template_that_blueprints_began_with_stays_and_may_change_without_them() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    let made = cx_manager.does(BEGIN, journey(&ids, json!({}))).await["blueprint"].take();
    let find = "{ template(by: { key: \"six-phases\" }) { id } }";
    let id = cx_manager.ask(find, json!({})).await["template"]["id"].take();
    let delete = json!({ "id": id, "expectedVersion": 1 });
    let kept = cx_manager.tries(DELETE, delete).await;
    assert_eq!(kept["userErrors"][0]["reason"], json!("IN_USE"));
    assert_eq!(kept["template"], json!({ "key": "six-phases" }));
    let phase = json!({ "name": "Only", "stage": "GOAL", "prompt": "What?" });
    let other = json!({ "id": id, "expectedVersion": 1, "lenses": ["PAIN"], "phases": [phase] });
    cx_manager.does(UPDATE, other).await;
    let now = "query($id: ID!) { blueprint(by: { id: $id }) { revision template { lenses } phases { prompt } } }";
    let now = cx_manager.ask(now, json!({ "id": made["id"] })).await["blueprint"].take();
    assert_eq!(now["template"]["lenses"], json!(["PAIN"]));
    assert_eq!(now["phases"].as_array().expect("phases").len(), 6);
    assert_eq!(now["revision"], made["revision"]);
}

#[tokio::test]
async fn what_to_ask_in_a_phase_is_changed_cleared_and_goes_with_the_document() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    let made = cx_manager
        .does(BEGIN, journey(&ids, json!({ "key": "again" })))
        .await["blueprint"]
        .take();
    let phase =
        "{ phase(by: { key: { blueprint: \"again\", key: \"act\" } }) { id version prompt } }";
    let act = cx_manager.ask(phase, json!({})).await["phase"].take();
    let update = "mutation($input: PhaseUpdateInput!) { phaseUpdate(input: $input) { phase { prompt version } userErrors { code } } }";
    let mut version = 1;
    for prompt in [json!("Where do they stand in line?"), Value::Null] {
        let input = json!({ "id": act["id"], "expectedVersion": version, "prompt": prompt });
        let changed = cx_manager.does(update, input).await["phase"].take();
        version += 1;
        assert_eq!(changed, json!({ "prompt": prompt, "version": version }));
    }
    let create = "mutation($input: PhaseCreateInput!) { phaseCreate(input: $input) { phase { prompt } userErrors { code } } }";
    let input =
        json!({ "blueprintId": made["id"], "name": "Leave", "stage": "AFTER", "prompt": "Why?" });
    assert_eq!(
        cx_manager.does(create, input).await["phase"],
        json!({ "prompt": "Why?" })
    );

    let mut twin = document(&cx_manager, "again").await;
    let prompts: Vec<&Value> = twin["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .map(|phase| &phase["prompt"])
        .collect();
    assert_eq!(prompts[0], "Earlier experiences, as quotes");
    assert_eq!((prompts[3], prompts[6]), (&Value::Null, &json!("Why?")));
    twin["key"] = json!("twin");
    let import = "mutation($input: BlueprintImportInput!) { blueprintImport(input: $input) { changes { field before after } userErrors { code } } }";
    cx_manager.does(import, json!({ "document": twin })).await;
    assert_eq!(document(&cx_manager, "twin").await, twin);
    let asks = json!({
        "format": "cx-blueprint/blueprint@1", "key": "twin", "phases": [{ "key": "act", "prompt": "And then?" }],
    });
    assert_eq!(
        cx_manager.does(import, json!({ "document": asks })).await["changes"],
        json!([{ "field": "prompt", "before": null, "after": "And then?" }])
    );
}

#[tokio::test]
async fn a_copy_keeps_the_template_of_what_it_was_copied_from() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let ids = Ids::of(&world).await;
    let made = cx_manager.does(BEGIN, journey(&ids, json!({}))).await["blueprint"].take();
    let copy = "mutation($input: BlueprintCopyInput!) { blueprintCopy(input: $input) {
        blueprint { template { key } phases { prompt } } userErrors { code } } }";
    let input = json!({ "blueprintId": made["id"], "title": "Some day" });
    let copied = cx_manager.does(copy, input).await["blueprint"].take();
    assert_eq!(copied["template"], json!({ "key": "six-phases" }));
    assert_eq!(
        copied["phases"][0],
        json!({ "prompt": "Earlier experiences, as quotes" })
    );
}

#[tokio::test]
async fn every_change_of_templates_and_what_begins_with_them_is_in_the_audit_log() {
    let world = World::small().await;
    let cx_manager = world.sign_in("cx-manager").await;
    let auditor = world.sign_in("auditor").await;
    let ids = Ids::of(&world).await;
    let template = cx_manager.does(CREATE, first_day()).await["template"].take();
    let made = cx_manager.does(BEGIN, journey(&ids, json!({}))).await["blueprint"].take();
    world
        .sign_in("lead")
        .await
        .refused(
            DELETE,
            json!({ "id": template["id"], "expectedVersion": 1 }),
        )
        .await;
    cx_manager
        .does(
            DELETE,
            json!({ "id": template["id"], "expectedVersion": 1 }),
        )
        .await;
    let log = "query($subject: ID, $action: String) { auditEvents(filter: { subjectId: $subject, action: $action }) {
        nodes { action outcome subjectType before after } } }";
    let events =
        auditor.ask(log, json!({ "subject": template["id"] })).await["auditEvents"]["nodes"].take();
    let mut told: Vec<String> = events
        .as_array()
        .expect("events")
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                event["action"].as_str().expect("an act"),
                event["outcome"].as_str().expect("an outcome")
            )
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "templateCreate DONE",
            "templateDelete DONE",
            "templateDelete REFUSED"
        ]
    );
    let begun = auditor
        .ask(log, json!({ "action": "blueprintFromTemplate" }))
        .await["auditEvents"]["nodes"]
        .take();
    let begun = begun.as_array().expect("events");
    let of = |kind: &str| {
        begun
            .iter()
            .filter(|event| event["subjectType"] == kind)
            .count()
    };
    assert_eq!((of("Blueprint"), of("Phase")), (1, 6));
    let blueprint = begun
        .iter()
        .find(|event| event["subjectType"] == "Blueprint")
        .expect("the blueprint's");
    assert_eq!(blueprint["after"]["title"], made["title"]);
    assert!(
        blueprint["after"]["templateId"]
            .as_str()
            .expect("an id")
            .starts_with("tpl_")
    );
}
