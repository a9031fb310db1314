//! The inside of a blueprint is drawn where it can be and resolved where not: nobody can tell which.

use std::collections::BTreeMap;

use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    strategy::{Union, ValueTree},
    test_runner::TestRunner,
};
use serde_json::json;

use crate::world::{Actor, World};

/// By type: what it can be asked, with the type of what an object leads to.
type Types = BTreeMap<String, Vec<(String, Option<String>)>>;

const TYPES: &str = "{ __schema { types { name kind fields {
    name args { name } type { name kind ofType { name kind ofType { name kind ofType { name kind } } } }
} } } }";

/// Everything that the schema offers without arguments.
async fn types(actor: &Actor<'_>) -> Types {
    let schema = actor.ask(TYPES, json!({})).await;
    let types = schema["__schema"]["types"]
        .as_array()
        .expect("types")
        .iter();
    let objects = types.filter(|known| known["kind"] == "OBJECT");
    objects
        .map(|object| {
            let fields = object["fields"].as_array().expect("fields").iter();
            let fields = fields
                .filter(|field| field["args"] == json!([]))
                .map(|field| {
                    let mut leads_to = &field["type"];
                    while leads_to["name"].is_null() {
                        leads_to = &leads_to["ofType"];
                    }
                    let name = leads_to["name"].as_str().expect("a name").to_owned();
                    let object = (leads_to["kind"] == "OBJECT").then_some(name);
                    (field["name"].as_str().expect("a name").to_owned(), object)
                });
            (
                object["name"].as_str().expect("a name").to_owned(),
                fields.collect(),
            )
        })
        .collect()
}

/// Selections on a type, with what GraphQL allows around them.
fn selections(types: &Types, of: &str, depth: usize) -> BoxedStrategy<String> {
    let mut leaves: Vec<String> = vec!["__typename".to_owned()];
    let mut fields: Vec<(u32, BoxedStrategy<String>)> = Vec::new();
    for (name, object) in &types[of] {
        match object {
            None => leaves.push(name.clone()),
            // Off the canvas anything goes on without end.
            Some(object) if depth > 0 && object != "Blueprint" && object != "Account" => {
                let name = name.clone();
                let inner = selections(types, object, depth - 1);
                fields.push((
                    1,
                    inner
                        .prop_map(move |inner| format!("{name} {inner}"))
                        .boxed(),
                ));
            }
            Some(_) => {}
        }
    }
    let leaf = select(leaves.clone()).prop_map(|leaf| leaf.to_string());
    let aliased = (select(leaves), select(vec!["a", "b"]))
        .prop_map(|(leaf, alias)| format!("{alias}{leaf}: {leaf}"));
    let condition = prop_oneof![
        Just(String::new()),
        Just(format!("on {of} ")),
        Just("on Node ".to_owned())
    ];
    let fragment = (
        condition,
        select(vec!["", "@include(if: true) ", "@skip(if: true) "]),
    )
        .prop_map(|(condition, directive)| format!("... {condition}{directive}{{ id }}"));
    let several = u32::try_from(fields.len()).expect("a few");
    fields.push((4 + several, leaf.boxed()));
    fields.push((1, aliased.boxed()));
    fields.push((1, fragment.boxed()));
    vec(Union::new_weighted(fields), 1..7)
        .prop_map(|fields| format!("{{ {} }}", fields.join(" ")))
        .boxed()
}

impl Actor<'_> {
    /// The answer as it was written.
    async fn text(&self, document: &str) -> String {
        let request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Body::from(json!({ "query": document }).to_string()))
            .expect("a request");
        let response = self.world.send(request).await;
        let body = to_bytes(response.into_body(), 64 << 20)
            .await
            .expect("a body");
        String::from_utf8(body.to_vec()).expect("text")
    }
}

#[tokio::test]
async fn what_is_drawn_is_what_would_be_resolved() {
    let world = World::demo().await;
    let manager = world.sign_in("ann-cx").await;
    let lead = world.sign_in("jon-lead-aftersales").await;
    let types = types(&manager).await;
    let inside = prop_oneof![
        selections(&types, "Phase", 4).prop_map(|asked| format!("phases {asked}")),
        selections(&types, "Transition", 3).prop_map(|asked| format!("transitions {asked}")),
    ];
    let mut runner = TestRunner::deterministic();
    let mut answered = 0;
    for round in 0..200 {
        let asked = inside.new_tree(&mut runner).expect("a selection").current();
        let actor = if round % 2 == 0 { &manager } else { &lead };
        let once = format!("blueprint(by: {{ key: \"bp-aftermarket\" }}) {{ {asked} }}");
        let first = actor.text(&format!("{{ {once} }}")).await;
        // What is asked twice is merged, which only resolvers can.
        let second = actor.text(&format!("{{ {once} {once} }}")).await;
        if !second.contains("\"errors\":[") {
            answered += 1;
            assert_eq!(first, second, "{} asked {asked}", actor.login);
        }
    }
    assert!(
        answered > 180,
        "only {answered} selections were not too complex"
    );
}
