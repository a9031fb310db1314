//! What is admitted is executed as graphql-js would: root fields of a mutation once, and fragments on unions.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{
    EmptySubscription, Object, Schema, SimpleObject, Union, ValidationMode, Variables, value,
};
use graphql_guard::{GraphqlParams, Limits, SchemaTypes, admit};
use serde_json::json;

#[derive(SimpleObject)]
struct Apple {
    name: String,
}

#[derive(SimpleObject)]
struct Pear {
    size: i32,
}

#[derive(Union)]
enum Fruit {
    Apple(Apple),
    Pear(Pear),
}

struct FruitQuery;

#[Object(name = "Query")]
impl FruitQuery {
    async fn apple(&self) -> Apple {
        let name = "a".to_owned();
        Apple { name }
    }

    async fn fruits(&self) -> Vec<Fruit> {
        let name = "a".to_owned();
        vec![Fruit::Apple(Apple { name }), Fruit::Pear(Pear { size: 3 })]
    }
}

#[derive(SimpleObject)]
struct Picked {
    many: usize,
    again: usize,
}

#[derive(Default)]
struct FruitMutation {
    picked: AtomicUsize,
}

#[Object(name = "Mutation")]
impl FruitMutation {
    async fn pick(&self) -> Picked {
        let many = self.picked.fetch_add(1, Ordering::SeqCst) + 1;
        Picked { many, again: many }
    }
}

fn run(query: &str, variables: async_graphql::Value) -> serde_json::Value {
    let schema = Schema::build(FruitQuery, FruitMutation::default(), EmptySubscription)
        .validation_mode(ValidationMode::Fast)
        .finish();
    let types = SchemaTypes::parse(&schema.sdl(), &[]).unwrap();
    let params = GraphqlParams {
        query: query.to_owned(),
        variables: Variables::from_value(variables),
        ..GraphqlParams::default()
    };
    let admitted = admit(params, &Limits::default(), &types).unwrap();
    let response = futures_util::FutureExt::now_or_never(schema.execute(admitted.request)).unwrap();
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()
}

#[test]
fn a_root_field_of_a_mutation_runs_once() {
    let once = json!({ "pick": { "many": 1, "again": 1 } });
    for query in [
        "mutation{pick{many} pick{again}}",
        "mutation{pick{many} ...F ...F} fragment F on Mutation{pick{again}}",
        "mutation{... on Mutation{pick{many}} ...{pick{again}}}",
    ] {
        assert_eq!(run(query, value!({})), once, "{query}");
    }
    let twice = json!({ "a": { "many": 1 }, "b": { "many": 2 } });
    assert_eq!(
        run("mutation{a:pick{many} b:pick{many}}", value!({})),
        twice
    );
    let query = "mutation($s:Boolean!){pick @skip(if:$s){many} b:pick{many} ... @include(if:$s){b:pick{again}}}";
    assert_eq!(
        run(query, value!({ "s": true })),
        json!({ "b": { "many": 1, "again": 1 } })
    );
    assert_eq!(
        run(query, value!({ "s": false })),
        json!({ "pick": { "many": 1 }, "b": { "many": 2 } })
    );
}

#[test]
fn fragments_on_unions_match_their_members() {
    let both = json!({ "fruits": [{ "name": "a" }, { "size": 3 }] });
    for query in [
        "{fruits{... on Fruit{... on Apple{name} ... on Pear{size}}}}",
        "{fruits{...F}} fragment F on Fruit{...on Apple{name} ...G} fragment G on Fruit{...on Pear{size}}",
        "{fruits{... on Apple{... on Fruit{...on Apple{name}}} ...on Pear{size}}}",
    ] {
        assert_eq!(run(query, value!({})), both, "{query}");
    }
    let apple = json!({ "apple": { "__typename": "Apple", "name": "a" } });
    let query = "{apple{...F}} fragment F on Fruit{__typename ... on Apple{name}}";
    assert_eq!(run(query, value!({})), apple);
}
