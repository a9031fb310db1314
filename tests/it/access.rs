//! What one may not see looks like what does not exist: the same answer for a hidden id or key as for one that
//! was never given, over every field and every mutation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    refusals,
    world::{Actor, World},
};

/// A hidden thing, and one of the same kind that never was.
struct Pair {
    what: String,
    hidden: String,
    random: String,
}

fn random_like(id: &str) -> String {
    let (prefix, _) = id.split_once('_').expect("a prefix");
    format!("{prefix}_{}", cx_blueprint::id::new_hex())
}

/// The ids that somebody cannot read as a node, of everything there is.
async fn hidden(actor: &Actor<'_>, ids: &BTreeMap<String, String>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (what, id) in ids {
        let found = actor
            .ask(
                "query($id: ID!) { node(id: $id) { id } }",
                json!({ "id": id }),
            )
            .await;
        if found["node"].is_null()
            && !what.starts_with("@grant")
            && !what.starts_with("@finding")
            && *what != format!("@session {}", actor.login)
        {
            pairs.push(Pair {
                what: what.clone(),
                hidden: id.clone(),
                random: random_like(id),
            });
        }
    }
    pairs
}

/// The answer without what differs from request to request, and with the one id in the place of the other.
fn told(answer: &Value, given: &str) -> String {
    let mut answer = answer.clone();
    if let Some(errors) = answer["errors"].as_array_mut() {
        errors
            .iter_mut()
            .for_each(|error| error["extensions"]["requestId"] = Value::Null);
    }
    answer.to_string().replace(given, "(given)")
}

fn replaced(input: &Value, name: &str, id: &str) -> Value {
    match input {
        Value::String(text) if text == name => json!(id),
        Value::Array(values) => values
            .iter()
            .map(|value| replaced(value, name, id))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), replaced(value, name, id)))
            .collect(),
        other => other.clone(),
    }
}

/// The places in an input where an id stands.
fn names(input: &Value, found: &mut BTreeSet<String>) {
    match input {
        Value::String(text) if text.starts_with('@') => {
            found.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| names(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| names(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn a_hidden_id_is_told_like_a_random_one_by_every_mutation() {
    let world = World::small().await;
    let ids = refusals::ids(&world).await;
    let mutations = refusals::mutations();
    let mut tried = BTreeSet::new();
    for login in ["stranger", "lead", "partner"] {
        let actor = world.sign_in(login).await;
        let hidden = hidden(&actor, &ids).await;
        assert!(hidden.len() >= 5, "{login} has something not to see");
        for case in refusals::cases() {
            let mut slots = BTreeSet::new();
            names(&case.input, &mut slots);
            for slot in slots {
                let kind = slot.split_whitespace().next().expect("a kind");
                for pair in hidden.iter().filter(|pair| same_kind(&pair.what, kind)) {
                    let answer = async |id: &str| {
                        let input = refusals::filled(&replaced(&case.input, &slot, id), &ids);
                        let document = format!(
                            "mutation($input: {}) {{ {}(input: $input) {{ __typename userErrors {{ field message code reason }} }} }}",
                            mutations[case.mutation], case.mutation
                        );
                        told(&actor.send(&document, json!({ "input": input })).await, id)
                    };
                    let (hidden, random) = (answer(&pair.hidden).await, answer(&pair.random).await);
                    assert_eq!(
                        hidden, random,
                        "{login}: {} {} with {}",
                        case.mutation, slot, pair.what
                    );
                    tried.insert((case.mutation, kind.to_owned()));
                }
            }
        }
    }
    assert!(
        tried.len() >= 40,
        "only {} of the mutations' ids were tried",
        tried.len()
    );
}

fn same_kind(what: &str, kind: &str) -> bool {
    let responsibility = |name: &str| name.starts_with("@held") || name.starts_with("@proposal");
    what.split_whitespace().next() == Some(kind) || (responsibility(what) && responsibility(kind))
}

/// Every argument of every root of the queries that takes an id, and every field of a filter that does.
async fn slots_for_ids(actor: &Actor<'_>) -> Vec<(String, String)> {
    let schema = actor
        .ask(
            "{ __schema {
                queryType { fields { name args { name type { ...Of } } } }
                types { kind name inputFields { name type { ...Of } } }
            } } fragment Of on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }",
            json!({}),
        )
        .await["__schema"]
        .take();
    fn named(of: &Value) -> String {
        of["name"]
            .as_str()
            .map_or_else(|| named(&of["ofType"]), str::to_owned)
    }
    fn is_list(of: &Value) -> bool {
        of["kind"] == "LIST" || (of["ofType"].is_object() && is_list(&of["ofType"]))
    }
    let inputs: BTreeMap<String, Vec<(String, Value)>> = schema["types"]
        .as_array()
        .expect("types")
        .iter()
        .filter(|one| one["kind"] == "INPUT_OBJECT")
        .map(|one| {
            let fields = one["inputFields"].as_array().expect("fields").iter();
            let fields = fields.map(|field| {
                (
                    field["name"].as_str().expect("a name").to_owned(),
                    field["type"].clone(),
                )
            });
            (
                one["name"].as_str().expect("a name").to_owned(),
                fields.collect(),
            )
        })
        .collect();
    let mut slots = Vec::new();
    for root in schema["queryType"]["fields"].as_array().expect("roots") {
        let name = root["name"].as_str().expect("a name");
        let texts = root["args"].as_array().expect("arguments").iter();
        let texts = texts
            .filter(|one| one["type"]["kind"] == "NON_NULL" && named(&one["type"]) == "String");
        // A text that has to be there is the first letter of most things.
        let texts: String = texts
            .map(|one| format!("{}: \"a\", ", one["name"].as_str().expect("a name")))
            .collect();
        for argument in root["args"].as_array().expect("arguments") {
            let (argument, of) = (
                argument["name"].as_str().expect("a name"),
                &argument["type"],
            );
            let value = |of: &Value| if is_list(of) { "[$given]" } else { "$given" };
            match named(of).as_str() {
                "ID" => slots.push((name.to_owned(), format!("{texts}{argument}: {}", value(of)))),
                input => {
                    for (field, of) in inputs.get(input).into_iter().flatten() {
                        if named(of) == "ID" {
                            slots.push((
                                name.to_owned(),
                                format!("{argument}: {{ {field}: {} }}", value(of)),
                            ));
                        }
                    }
                }
            }
        }
    }
    slots
}

#[tokio::test]
async fn a_hidden_id_is_told_like_a_random_one_by_every_root() {
    let world = World::small().await;
    let ids = refusals::ids(&world).await;
    let mut tried = 0;
    for login in ["stranger", "lead", "partner", "analyst"] {
        let actor = world.sign_in(login).await;
        let slots = slots_for_ids(&actor).await;
        assert!(slots.len() >= 20, "the roots that take ids: {slots:?}");
        for pair in hidden(&actor, &ids).await {
            for (root, argument) in &slots {
                let document =
                    format!("query($given: ID!) {{ {root}({argument}) {{ __typename }} }}");
                let answer =
                    async |id: &str| told(&actor.send(&document, json!({ "given": id })).await, id);
                let (hidden, random) = (answer(&pair.hidden).await, answer(&pair.random).await);
                assert_eq!(
                    hidden, random,
                    "{login}: {root}({argument}) with {}",
                    pair.what
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "{tried} comparisons");
}

#[tokio::test]
async fn a_hidden_key_is_told_like_one_that_never_was() {
    let world = World::small().await;
    for (login, hidden_keys) in [
        ("lead", ["closed", "future"]),
        ("stranger", ["closed", "draft"]),
    ] {
        let actor = world.sign_in(login).await;
        for hidden in hidden_keys {
            for document in [
                "query($given: String!) { blueprint(by: { key: $given }) { id } }",
                "query($given: String!) { phase(by: { key: { blueprint: $given, key: \"only\" } }) { id } }",
                "query($given: String!) { touchpoint(by: { key: { blueprint: $given, key: \"C1\" } }) { id } }",
                "query($given: String!) { touchpoint(by: { key: { blueprint: $given, key: \"D1\" } }) { id } }",
            ] {
                let answer = async |key: &str| {
                    told(&actor.send(document, json!({ "given": key })).await, key)
                };
                assert_eq!(
                    answer(hidden).await,
                    answer("never-was").await,
                    "{login}: {document} with {hidden}"
                );
            }
        }
    }
    let lead = world.sign_in("lead").await;
    for document in [
        "query($given: [String!]) { kpiFacts(filter: { kpiKeys: $given }) { nodes { rowId } } }",
        "query($given: [String!]) { kpiFacts(filter: { blueprintKeys: $given }) { nodes { rowId } } }",
        "query($given: [String!]) { kpiFacts(filter: { departmentKeys: $given }) { nodes { rowId } } }",
    ] {
        let answer =
            async |key: &str| told(&lead.send(document, json!({ "given": [key] })).await, key);
        for hidden in ["SECRET", "closed", "service"] {
            assert_eq!(
                answer(hidden).await,
                answer("never-was").await,
                "{document} with {hidden}"
            );
        }
    }
}

#[tokio::test]
async fn a_confidential_kpi_acts_as_if_it_were_not_linked_for_whom_it_is_hidden() {
    let world = World::small().await;
    let document = "{ touchpoint(by: { key: { blueprint: \"open\", key: \"T3\" } }) {
        kpis { kpi { key } latest { value } target { value } state } } }";
    for (login, sees) in [
        ("lead", false),
        ("stranger", false),
        ("analyst", false),
        ("admin", false),
        ("neighbour", true),
        ("auditor", true),
        ("cx-manager", true),
    ] {
        let found = world.sign_in(login).await.ask(document, json!({})).await["touchpoint"]["kpis"]
            [0]
        .take();
        assert_eq!(
            found["kpi"]["key"], "SECRET",
            "{login} may read the definition"
        );
        for part in ["latest", "target", "state"] {
            assert_eq!(!found[part].is_null(), sees, "{login}: {part}");
        }
    }
    let missed = "query($key: String!) { department(by: { key: $key }) { kpis(states: [MISSED]) { totalCount nodes { key } } } }";
    for (login, count) in [("lead", 0), ("neighbour", 1)] {
        let found = world
            .sign_in(login)
            .await
            .ask(missed, json!({ "key": "service" }))
            .await;
        assert_eq!(found["department"]["kpis"]["totalCount"], count, "{login}");
    }
}
