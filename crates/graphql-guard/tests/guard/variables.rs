//! Variables as resolvers see them.

use async_graphql::{
    EmptySubscription, InputObject, MaybeUndefined, Object, Schema, ValidationMode, value,
};
use graphql_guard::{Limits, RejectionKind};

use super::requests::{admit, is_light, verdict, with};

#[derive(InputObject)]
struct Change {
    name: MaybeUndefined<String>,
    tags: MaybeUndefined<Vec<Option<String>>>,
    inner: Option<Box<Change>>,
}

fn told(change: &Change) -> String {
    let inner = change.inner.as_ref().map(|inner| told(inner));
    format!(
        "{}/{}/{}",
        spoken(&change.name),
        spoken(&change.tags),
        inner.unwrap_or_default()
    )
}

fn spoken<T: std::fmt::Debug>(value: &MaybeUndefined<T>) -> String {
    match value {
        MaybeUndefined::Undefined => "-".into(),
        MaybeUndefined::Null => "null".into(),
        MaybeUndefined::Value(value) => format!("{value:?}"),
    }
}

struct EchoQuery;

#[Object(name = "Query")]
impl EchoQuery {
    async fn top(&self, #[graphql(default = 50)] first: i32) -> i32 {
        first
    }

    async fn maybe(&self, name: MaybeUndefined<String>) -> String {
        spoken(&name)
    }

    async fn on(&self) -> bool {
        true
    }
}

struct EchoMutation;

#[Object(name = "Mutation")]
impl EchoMutation {
    async fn change(&self, input: Change) -> String {
        told(&input)
    }
}

/// What a client would see: the data, the guard's code, or the words of validation.
fn run(query: &str, variables: async_graphql::Value) -> Result<serde_json::Value, String> {
    let admitted = admit(with(query, variables), &Limits::default())
        .map_err(|rejection| rejection.faults[0].message.clone())?;
    let schema = Schema::build(EchoQuery, EchoMutation, EmptySubscription)
        .validation_mode(ValidationMode::Fast)
        .finish();
    let response = futures_util::FutureExt::now_or_never(schema.execute(admitted.request)).unwrap();
    match response.errors.first() {
        None => Ok(response.data.into_json().unwrap()),
        Some(error) => Err(error.message.clone()),
    }
}

#[track_caller]
fn answers(query: &str, variables: async_graphql::Value, wanted: serde_json::Value) {
    assert_eq!(run(query, variables), Ok(wanted));
}

const CHANGE: &str = "mutation($n:String,$t:[String]){change(input:{name:$n,tags:$t,inner:{name:$n,tags:[$n,\"b\"]}})}";

#[test]
fn not_sent_is_absent_and_null_is_null() {
    use serde_json::json;
    let maybe = "query($n:String){maybe(name:$n)}";
    answers(maybe, value!({}), json!({"maybe": "-"}));
    answers(maybe, value!({"n": null}), json!({"maybe": "null"}));
    answers(maybe, value!({"n": "a"}), json!({"maybe": "\"a\""}));
    answers(
        CHANGE,
        value!({}),
        json!({"change": r#"-/-/-/[None, Some("b")]/"#}),
    );
    answers(
        CHANGE,
        value!({"n": null, "t": null}),
        json!({"change": r#"null/null/null/[None, Some("b")]/"#}),
    );
    answers(
        CHANGE,
        value!({"n": "a", "t": ["c"]}),
        json!({"change": r#""a"/[Some("c")]/"a"/[Some("a"), Some("b")]/"#}),
    );
    answers(
        "mutation($i:Change!){change(input:$i)}",
        value!({"i": {"tags": null}}),
        json!({"change": "-/null/"}),
    );
}

#[test]
fn not_sent_is_absent_inside_fragments_too() {
    let query = "query($n:String){...F ...on Query{b:maybe(name:$n)}} fragment F on Query{a:maybe(name:$n)}";
    answers(query, value!({}), serde_json::json!({"a": "-", "b": "-"}));
}

#[test]
fn an_omitted_argument_takes_its_own_default() {
    let query = "query($f:Int){top(first:$f)}";
    answers(query, value!({}), serde_json::json!({"top": 50}));
}

#[test]
fn an_omitted_variable_takes_its_default() {
    use serde_json::json;
    let top = "query($f:Int=7){top(first:$f)}";
    answers(top, value!({}), json!({"top": 7}));
    answers(top, value!({"f": 8}), json!({"top": 8}));
    let on =
        "query($s:Boolean=true,$i:Boolean!=false){a:on @skip(if:$s) b:on @include(if:$i) c:on}";
    answers(on, value!({}), json!({"c": true}));
    answers(
        on,
        value!({"s": false, "i": true}),
        json!({"a": true, "b": true, "c": true}),
    );
}

#[test]
fn required_variables_must_be_sent_and_not_null() {
    for (query, variables) in [
        ("query($f:Int!){top(first:$f)}", value!({})),
        ("query($f:Int!){top(first:$f)}", value!({"f": null})),
        ("query($f:Int!=1){top(first:$f)}", value!({"f": null})),
        ("query($n:String!){maybe(name:$n)}", value!({"n": null})),
        ("query($x:Boolean!){on @skip(if:$x)}", value!({})),
    ] {
        assert_eq!(
            verdict(with(query, variables)),
            Err(RejectionKind::BadVariable),
            "{query}"
        );
    }
}

#[test]
fn a_directive_does_not_lose_its_condition() {
    let said = run("query($x:Boolean){on @skip(if:$x)}", value!({})).unwrap_err();
    assert!(said.contains("`Boolean!` is expected"), "{said}");
    let said = run("query($x:Boolean=null){on @skip(if:$x)}", value!({})).unwrap_err();
    assert!(said.contains("`Boolean!` is expected"), "{said}");
}

#[test]
fn unknown_variables_are_ignored_and_unused_or_undefined_ones_reported() {
    let mut admitted = admit(
        with("query($a:Int){top(first:$a)}", value!({"a": 1, "z": 2})),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(admitted.request.variables.len(), 1);
    assert!(admitted.request.parsed_query().is_ok());
    assert!(
        run("query($a:Int){on}", value!({}))
            .unwrap_err()
            .contains("never used")
    );
    assert!(
        run("{top(first:$a)}", value!({"a": 1}))
            .unwrap_err()
            .contains("does not define")
    );
}

#[test]
fn a_variable_of_the_wrong_type_does_not_run() {
    for variables in [
        value!({"f": "a"}),
        value!({"f": 1.5}),
        value!({"f": [1, 2]}),
    ] {
        assert!(run("query($f:Int!){top(first:$f)}", variables).is_err());
    }
}

#[test]
fn a_large_variable_may_be_used_but_not_copied_again_and_again() {
    let many = async_graphql::Value::List(vec![value!(1); 100_000]);
    let long = async_graphql::Value::String("x".repeat(1_000_000));
    let fails = |query: &str, value: &async_graphql::Value| {
        assert_eq!(
            verdict(with(query, value!({"v": (value.clone())}))),
            Err(RejectionKind::TooComplex),
            "{query}"
        );
    };
    for value in [&many, &long] {
        for query in [
            format!("query($v:J){{x(v:[{}])}}", "$v ".repeat(100)),
            format!("query($v:J){{a{{{}}}}}", "x(v:$v) ".repeat(100)),
            format!(
                "query($v:J){{a{{b{{{}}}}}}} fragment F on B{{x(v:{{k:$v}})}}",
                "...F ".repeat(100)
            ),
            format!("query($v:J){{a {}}}", "@d(v:$v) ".repeat(50)),
            "query($v:J){a{x(v:$v)}}".into(),
        ] {
            fails(&query, value);
        }
        // A document is brought to be changed by it; what is looked for in a query is shorter.
        let twice = "mutation($v:J){a:x(v:$v) b:x(v:$v)}";
        let asked = with(twice, value!({"v": (value.clone())}));
        assert!(is_light(asked, &Limits::default()));
        fails("query($v:J){x(v:$v)}", value);
    }
    let ids = async_graphql::Value::List(vec![value!("01J"); 1_000]);
    assert!(verdict(with("query($v:J){r{x(v:$v)}}", value!({"v": ids}))).is_ok());
}
