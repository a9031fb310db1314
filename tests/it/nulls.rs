//! Null in a change of a thing: it clears what can be cleared, and is refused at the field where there is always a
//! value. The inputs of all mutations are walked, field by field.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    account, blueprint, channel, department, evaluation, follow_up, improvement, insight, kpi,
    kpi_link, persona, phase, promise, responsibility, scenario, segment, source, template,
    touchpoint, transition,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::{
    golden,
    ids::Ids,
    world::{Actor, World},
};

/// Acts on a thing that are no update of its fields, and have fields that may be left out: each field says what null
/// means in it.
const OTHERS: [&str; 11] = [
    "blueprintPublish",
    "blueprintSendBack",
    "departmentArchive",
    "departmentMove",
    "kpiTargetSet",
    "phaseMove",
    "playbookSet",
    "responsibilityDecline",
    "responsibilityEnd",
    "routingRuleSet",
    "touchpointMove",
];

macro_rules! some_id {
    ($db:expr, $($mutation:literal: $table:ident $(where $column:ident = $value:expr)?;)*) => {
        BTreeMap::from([$({
            let select = $table::Entity::find()$(.filter($table::Column::$column.eq($value)))?;
            let first = select.order_by_asc($table::Column::Id);
            let row = first.one($db).await.expect("the database answers").expect($mutation);
            ($mutation, row.id.to_string())
        },)*])
    };
}

/// A thing for each update.
async fn things(world: &World) -> BTreeMap<&'static str, String> {
    let db = world.db();
    some_id!(&db,
        "accountUpdate": account where Key = "eva-viewer";
        "blueprintUpdate": blueprint where Key = "bp-member";
        "channelUpdate": channel;
        "departmentUpdate": department;
        "evaluationUpdate": evaluation;
        "followUpAssign": follow_up;
        "followUpUpdate": follow_up;
        "improvementUpdate": improvement;
        "insightUpdate": insight;
        "kpiLinkUpdate": kpi_link;
        "kpiUpdate": kpi where Key = "KU1";
        "personaUpdate": persona where Key = "p-student";
        "phaseUpdate": phase where Key = "m1";
        "promiseUpdate": promise;
        "responsibilityUpdate": responsibility where Status = "ACCEPTED";
        "scenarioUpdate": scenario;
        "segmentUpdate": segment;
        "sourceUpdate": source;
        "templateUpdate": template;
        "touchpointUpdate": touchpoint where Key = "U01";
        "transitionUpdate": transition;
    )
}

/// The input of a mutation.
struct UpdateInput {
    name: String,
    /// The fields that may be left out.
    optional: Vec<String>,
    /// Whether it names the version of a thing.
    is_at_version: bool,
}

/// The inputs of all mutations.
async fn inputs(actor: &Actor<'_>) -> BTreeMap<String, UpdateInput> {
    let query = "{ __schema {
        mutationType { fields { name args { type { ofType { name } } } } }
        types { kind name inputFields { name type { kind } } }
    } }";
    let schema = actor.ask(query, json!({})).await["__schema"].take();
    let types = schema["types"].as_array().expect("types");
    let mutations = schema["mutationType"]["fields"]
        .as_array()
        .expect("mutations");
    let inputs = mutations.iter().filter_map(|mutation| {
        let name = mutation["args"][0]["type"]["ofType"]["name"].as_str()?;
        let input = types
            .iter()
            .find(|one| one["name"] == name)
            .expect("an input");
        let fields = input["inputFields"].as_array().expect("fields");
        let optional = fields
            .iter()
            .filter(|field| field["type"]["kind"] != "NON_NULL");
        let input = UpdateInput {
            name: name.to_owned(),
            optional: optional.map(|field| text(&field["name"])).collect(),
            is_at_version: fields
                .iter()
                .any(|field| field["name"] == "expectedVersion"),
        };
        Some((text(&mutation["name"]), input))
    });
    inputs.collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The field of the object that shows a field of the input, with a selection.
async fn shown(actor: &Actor<'_>, ty: &str, field: &str) -> String {
    const OTHERWISE: [(&str, &str); 2] = [
        ("audienceSegmentIds", "audience"),
        ("deliveredAtIds", "deliveredAt"),
    ];
    let query = "query($name: String!) { __type(name: $name) { fields { name type { kind ofType { kind ofType { kind ofType {
        kind } } } } } } }";
    let told = actor.ask(query, json!({ "name": ty })).await;
    let fields = told["__type"]["fields"].as_array().expect("fields");
    let one = field.strip_suffix("Id").unwrap_or(field).to_owned();
    let many = field.strip_suffix("Ids").map(|field| format!("{field}s"));
    let otherwise = OTHERWISE.iter().find(|(input, _)| *input == field);
    let otherwise = otherwise.map(|(_, object)| (*object).to_owned());
    let names = [Some(field.to_owned()), Some(one), many, otherwise];
    let found = names.into_iter().flatten().find_map(|name| {
        let found = fields.iter().find(|field| field["name"] == name.as_str())?;
        let is_object = found["type"].to_string().contains("OBJECT");
        let selection = if is_object { " { __typename }" } else { "" };
        Some(format!("{name}{selection}"))
    });
    found.unwrap_or_else(|| panic!("{ty} shows nothing of {field}"))
}

#[tokio::test]
async fn null_clears_or_is_refused_in_every_update() {
    let world = World::demo().await;
    let (cx, admin) = (
        world.sign_in("ann-cx").await,
        world.sign_in("gus-admin").await,
    );
    let ids = Ids::of(&world).await;
    make_missing(&cx, &ids).await;
    let things = things(&world).await;
    let inputs = inputs(&cx).await;
    for (name, values) in values(&ids) {
        let input = &inputs[name].name;
        let document = format!(
            "mutation($input: {input}!) {{ {name}(input: $input) {{ userErrors {{ field message }} }} }}"
        );
        let mut change = values;
        change["id"] = json!(things[name]);
        change["expectedVersion"] = version(&cx, &things[name]).await;
        cx.does(&document, change).await;
    }
    let (mut told, mut others) = (BTreeSet::new(), BTreeSet::new());
    for (
        name,
        UpdateInput {
            name: input,
            optional: fields,
            is_at_version,
        },
    ) in inputs
    {
        let Some(id) = things.get(name.as_str()) else {
            others.extend((is_at_version && !fields.is_empty()).then_some(name));
            continue;
        };
        let actor = match name.as_str() {
            "accountUpdate" | "departmentUpdate" => &admin,
            _ => &cx,
        };
        let node = "query($id: ID!) { node(id: $id) { __typename } }";
        let ty = text(&actor.ask(node, json!({ "id": id })).await["node"]["__typename"]);
        for field in &fields {
            let shown = shown(actor, &ty, field).await;
            let read = format!(
                "query($id: ID!) {{ node(id: $id) {{ ... on {ty} {{ version shown: {shown} }} }} }}"
            );
            let before = actor.ask(&read, json!({ "id": id })).await["node"].take();
            let document = format!(
                "mutation($input: {input}!) {{ {name}(input: $input) {{ userErrors {{ field code }} }} }}"
            );
            let mut change = json!({ "id": id, "expectedVersion": before["version"] });
            change[field] = Value::Null;
            let answer = actor.ask(&document, json!({ "input": change })).await[&name].take();
            let after = actor.ask(&read, json!({ "id": id })).await["node"].take();
            let outcome = match answer["userErrors"].as_array().expect("errors").as_slice() {
                [] if is_empty(&before["shown"]) => {
                    assert_eq!(before, after, "{name} {field}: nothing to clear");
                    "was empty".to_owned()
                }
                [] if is_empty(&after["shown"]) => "cleared".to_owned(),
                [] => format!("{} becomes {}", before["shown"], after["shown"]),
                errors => {
                    assert_eq!(before, after, "{name} {field}");
                    let told = errors.iter().map(|error| {
                        let at = error["field"].as_array().expect("a path");
                        let at: Vec<&str> = at.iter().filter_map(Value::as_str).collect();
                        format!("{} at {}", text(&error["code"]), at.join("."))
                    });
                    told.collect::<Vec<_>>().join(", ")
                }
            };
            told.insert(format!("{name} {field}: {outcome}\n"));
        }
    }
    assert_eq!(others.into_iter().collect::<Vec<_>>(), OTHERS);
    golden::compare("tests/it/nulls.txt", &told.into_iter().collect::<String>());
}

/// What the demo has none of.
async fn make_missing(cx: &Actor<'_>, ids: &Ids) {
    let evaluation = "mutation($input: EvaluationCreateInput!) { evaluationCreate(input: $input) { userErrors { message } } }";
    let input = json!({ "touchpointId": ids["U01"], "heldOn": "2025-03-01", "byName": "A guest", "verdicts": [] });
    cx.does(evaluation, input).await;
    let scenario = "mutation($input: ScenarioCreateInput!) { scenarioCreate(input: $input) { userErrors { message } } }";
    let input = json!({ "blueprintId": ids["bp-member"], "name": "Straight", "kind": "HAPPY",
        "touchpointIds": [ids["U01"], ids["U02"]] });
    cx.does(scenario, input).await;
}

/// A value for each field that can be empty, so that there is something to clear.
fn values(ids: &Ids) -> Vec<(&'static str, Value)> {
    vec![
        (
            "blueprintUpdate",
            json!({ "nextReviewOn": "2027-01-01", "secondaryPersonaIds": [ids["p-renter"]] }),
        ),
        (
            "evaluationUpdate",
            json!({ "messages": "CONFLICTING", "conflictsWithId": ids["U02"], "conflict": "other", "note": "a note" }),
        ),
        ("followUpAssign", json!({ "dueOn": "2027-01-01" })),
        (
            "followUpUpdate",
            json!({ "cause": "PRICE", "note": "a note" }),
        ),
        (
            "improvementUpdate",
            json!({ "description": "text", "effort": 1, "impact": 2, "result": "text", "targetOn": "2027-01-01",
                "kpiIds": [ids["KU1"]], "touchpointIds": [ids["U01"]] }),
        ),
        (
            "kpiLinkUpdate",
            json!({ "validFrom": "2025-01-01", "validTo": "2027-01-01", "weight": 1.0 }),
        ),
        (
            "kpiUpdate",
            json!({ "description": "text", "minimumSample": 3 }),
        ),
        (
            "phaseUpdate",
            json!({ "customerGoal": "text", "prompt": "text", "timing": "text" }),
        ),
        ("responsibilityUpdate", json!({ "tasks": ["a task"] })),
        ("scenarioUpdate", json!({ "note": "text" })),
        (
            "sourceUpdate",
            json!({ "heldOn": "2025-01-01", "link": "https://example.org", "note": "text", "sampleSize": 4 }),
        ),
        ("templateUpdate", json!({ "description": "text" })),
        (
            "touchpointUpdate",
            json!({ "channelIds": [ids["WEB"]], "contactsPerMonth": 1.5, "customerAction": "text", "emotion": 1,
                "employeeEmotion": 1, "evidence": [{ "label": "a card" }], "expectedMinutes": 2, "importanceCustomer": 1,
                "importanceOrganisation": 1, "initiator": "CUSTOMER", "note": "text", "systems": ["CRM"],
                "usageReason": "text" }),
        ),
        (
            "transitionUpdate",
            json!({ "condition": "text", "maxWaitMinutes": 2 }),
        ),
    ]
}

async fn version(actor: &Actor<'_>, id: &str) -> Value {
    let ty = "query($id: ID!) { node(id: $id) { __typename } }";
    let ty = text(&actor.ask(ty, json!({ "id": id })).await["node"]["__typename"]);
    let read = format!("query($id: ID!) {{ node(id: $id) {{ ... on {ty} {{ version }} }} }}");
    actor.ask(&read, json!({ "id": id })).await["node"]["version"].take()
}

fn is_empty(shown: &Value) -> bool {
    shown.is_null() || *shown == json!([])
}
