//! `viewerPermissions` and the mutations: what is shown as permitted is done, and what is refused is not shown. Walks the
//! table of `refusals.txt`.

use std::collections::{BTreeMap, BTreeSet};

use cx_blueprint::{graph, policy::Action};
use serde_json::{Value, json};

use crate::{
    refusals::{ACTORS, Case, cases, filled, follow_ups, ids, mutations, prepared},
    world::{Actor, World},
};

/// The permissions on an object, and on what it lies in where it has none of its own.
const ON: &str = "query($id: ID!) { node(id: $id) {
    ... on Account { viewerPermissions } ... on Department { viewerPermissions } ... on Persona { viewerPermissions }
    ... on Segment { viewerPermissions } ... on Channel { viewerPermissions } ... on Template { viewerPermissions }
    ... on Blueprint { viewerPermissions } ... on Touchpoint { viewerPermissions } ... on Improvement { viewerPermissions }
    ... on Responsibility { viewerPermissions } ... on Kpi { viewerPermissions } ... on FollowUp { viewerPermissions }
    ... on Phase { blueprint { viewerPermissions } } ... on Scenario { blueprint { viewerPermissions } }
    ... on Transition { from { blueprint { viewerPermissions } } to { blueprint { viewerPermissions } } }
    ... on Insight { touchpoint { viewerPermissions } }
    ... on Source { blueprint { viewerPermissions } } ... on Publication { blueprint { viewerPermissions } }
    ... on CustomerPromise { madeAt { viewerPermissions } } ... on Evaluation { touchpoint { viewerPermissions } }
    ... on KpiGrant { kpi { viewerPermissions } } ... on KpiTarget { kpi { viewerPermissions } } ... on KpiLink { kpi { viewerPermissions } }
    ... on Measurement { kpi { viewerPermissions } } ... on Membership { department { viewerPermissions } }
} }";

/// Acts of which another permission than the first that the schema names decides.
const BY_ANOTHER: [(&str, &str); 7] = [
    ("membershipGrant a lead of sales", "KEEP_ORGANISATION"),
    ("sourceUpdate in open", "DESCRIBE_BLUEPRINT"),
    ("sourceDelete in open", "DESCRIBE_BLUEPRINT"),
    ("insightCreate of open", "DESCRIBE_BLUEPRINT"),
    ("findingDismiss an error at T5, of sales", "DISMISS_ERROR"),
    ("touchpointsUpdate text and lane of T2", "SHAPE_BLUEPRINT"),
    ("touchpointsUpdate text of T2 and T3", "DESCRIBE_TOUCHPOINT"),
];

/// Acts that are decided by two objects.
const BY_TWO: [&str; 1] = ["improvementUpdate of sales to service by lead: forbidden, shown true"];

/// Acts that name a department to which something goes, and that are not done to it.
const TO_A_DEPARTMENT: [&str; 2] = ["followUpsHandOver", "routingRuleSet"];

/// The permissions that each mutation requires, as the schema says.
fn required() -> BTreeMap<String, BTreeSet<&'static str>> {
    let sdl = graph::schema_sdl();
    let body = sdl.split("\ntype Mutation {").nth(1).expect("mutations");
    let body = body.split("\n}").next().expect("an end");
    let (mut said, mut required) = (String::new(), BTreeMap::new());
    for line in body.lines().map(str::trim) {
        match line.strip_suffix('(') {
            Some(mutation) if !mutation.contains(' ') => {
                let after = said.split("Requires:").nth(1).unwrap_or_default();
                let words: BTreeSet<&str> = after
                    .split(|c: char| !(c.is_ascii_uppercase() || c == '_'))
                    .collect();
                let named = Action::ALL.iter().map(|action| action.as_str());
                required.insert(
                    mutation.to_owned(),
                    named.filter(|name| words.contains(name)).collect(),
                );
                said.clear();
            }
            _ => {
                said.push_str(line);
                said.push(' ');
            }
        }
    }
    required
}

/// Every `viewerPermissions` in an answer.
fn gather(answer: &Value, into: &mut Vec<Vec<String>>) {
    match answer {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_array().filter(|_| name == "viewerPermissions") {
                    Some(list) => into.push(
                        list.iter()
                            .filter_map(Value::as_str)
                            .map(str::to_owned)
                            .collect(),
                    ),
                    None => gather(value, into),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, into)),
        _ => {}
    }
}

/// The ids of the objects that an act is decided by: of what it is done to, or else of what it is made for.
fn decisive(input: &Value, ids: &BTreeMap<String, String>) -> Vec<String> {
    const FIELDS: [&str; 12] = [
        "id",
        "measurementId",
        "kpiId",
        "ownerDepartmentId",
        "touchpointId",
        "phaseId",
        "fromId",
        "blueprintId",
        "departmentId",
        "parentId",
        "blueprint",
        "accountId",
    ];
    let by_key = |kind: &str, key: &Value| ids.get(&format!("@{kind} {}", key.as_str()?)).cloned();
    // Documents name things by their keys.
    if let Some(document) = input.get("document") {
        let blueprint = by_key("blueprint", &document["key"]);
        return blueprint
            .or_else(|| by_key("department", &document["ownerDepartment"]))
            .into_iter()
            .collect();
    }
    let found = FIELDS.iter().find_map(|field| input.get(*field));
    match found {
        Some(Value::String(id)) => vec![id.clone()],
        Some(by) => by_key("blueprint", &by["key"]).into_iter().collect(),
        // A list: each is decided by itself.
        None => {
            let lists = input
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(_, list)| list.as_array());
            lists
                .flatten()
                .filter(|item| item.is_object())
                .flat_map(|item| decisive(item, ids))
                .collect()
        }
    }
}

/// What an actor is shown as permitted on each of the objects that decide an act, or everywhere where none tells.
async fn shown(actor: &Actor<'_>, deciding: Vec<String>) -> Vec<BTreeSet<String>> {
    let mut shown = Vec::new();
    for id in deciding {
        let mut told = Vec::new();
        gather(&actor.ask(ON, json!({ "id": id })).await, &mut told);
        shown.extend((!told.is_empty()).then(|| told.into_iter().flatten().collect()));
    }
    if shown.is_empty() {
        let mut told = Vec::new();
        gather(
            &actor
                .ask("{ viewer { viewerPermissions } }", json!({}))
                .await,
            &mut told,
        );
        shown.push(told.into_iter().flatten().collect());
    }
    shown
}

/// The outcomes of the table of refusals, by the words that a line begins with.
fn outcomes(case: &Case) -> Vec<&'static str> {
    let table = include_str!("refusals.txt");
    let begins = format!("{:<64}", case.name());
    let mut lines = table
        .lines()
        .filter_map(|line| line.strip_prefix(begins.as_str()));
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("{begins} is in the table"));
    line.split_whitespace().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_as_permitted_is_done_and_what_is_refused_is_not_shown() {
    let (mutations, required) = (mutations(), required());
    let kept = ids(&World::small().await).await;
    let mut differ = Vec::new();
    let mut untouched = None;
    for case in cases() {
        let another = BY_ANOTHER.iter().find(|(name, _)| *name == case.name());
        let another = another.map(|(_, action)| BTreeSet::from([*action]));
        let requires = another.as_ref().unwrap_or(&required[case.mutation]);
        let world = prepared(&case, &mutations, &kept, &mut untouched).await;
        let mut ids = kept.clone();
        ids.extend(follow_ups(&world).await);
        let input = filled(&case.input, &ids);
        for (actor, outcome) in ACTORS.iter().zip(outcomes(&case)) {
            if !["done", "forbidden"].contains(&outcome) || requires.is_empty() {
                continue;
            }
            let mut acted_on = input.clone();
            if TO_A_DEPARTMENT.contains(&case.mutation)
                && let Some(fields) = acted_on.as_object_mut()
            {
                fields.remove("departmentId");
            }
            let shown = shown(&world.sign_in(actor).await, decisive(&acted_on, &ids)).await;
            let is_shown = shown
                .iter()
                .all(|on| requires.iter().any(|action| on.contains(*action)));
            if is_shown != (outcome == "done") {
                differ.push(format!(
                    "{} by {actor}: {outcome}, shown {is_shown}",
                    case.name()
                ));
            }
        }
        // Nothing was done but asked.
        untouched = Some(world).filter(|_| case.before.is_empty());
    }
    let differ: Vec<&str> = differ.iter().map(String::as_str).collect();
    assert_eq!(differ, BY_TWO);
}

#[tokio::test]
async fn a_history_is_read_by_whom_it_is_shown_to() {
    let world = World::small().await;
    let (mut read, mut withheld) = (0, 0);
    for login in ACTORS {
        let actor = world.sign_in(login).await;
        for list in ["blueprints", "kpis"] {
            let query = format!(
                "{{ {list} {{ nodes {{ key viewerPermissions history {{ nodes {{ id }} }} }} }} }}"
            );
            let answer = actor.ask(&query, json!({})).await;
            for one in answer[list]["nodes"].as_array().expect("nodes") {
                let shown = one["viewerPermissions"].as_array().expect("permissions");
                let is_shown = shown.contains(&json!("READ_HISTORY"));
                let is_read = !one["history"].is_null();
                assert_eq!(is_shown, is_read, "{login}: {one}");
                let counted = if is_read { &mut read } else { &mut withheld };
                *counted += 1;
                if list == "blueprints" {
                    // With its canvas the same is worked out from the rows at hand.
                    let with_canvas = "query($key: String!) { blueprint(by: { key: $key }) { viewerPermissions phases { touchpoints { key } } } }";
                    let canvas = actor.ask(with_canvas, json!({ "key": one["key"] })).await;
                    assert_eq!(
                        canvas["blueprint"]["viewerPermissions"],
                        one["viewerPermissions"]
                    );
                }
            }
        }
    }
    assert!(
        read > 20 && withheld > 10,
        "{read} read, {withheld} withheld"
    );
}
