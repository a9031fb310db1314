//! Documents that the guard has to let through, and documents that it must refuse.

use std::{fmt::Write as _, time::Instant};

use async_graphql::{EmptySubscription, InputObject, MaybeUndefined, Object, Schema, value};
use proptest::prelude::*;

use super::*;

fn asked(query: impl Into<String>) -> GraphqlParams {
    GraphqlParams {
        query: query.into(),
        ..GraphqlParams::default()
    }
}

fn with(query: &str, variables: async_graphql::Value) -> GraphqlParams {
    GraphqlParams {
        variables: Variables::from_value(variables),
        ..asked(query)
    }
}

fn named(query: &str, name: &str) -> GraphqlParams {
    GraphqlParams {
        operation_name: Some(name.into()),
        ..asked(query)
    }
}

fn verdict(asked: GraphqlParams) -> Result<OperationType, Code> {
    admit(asked, &Limits::default())
        .map(|admitted| admitted.operation)
        .map_err(|rejection| rejection.code)
}

#[track_caller]
fn passes(query: impl Into<String>) {
    let admitted = admit(asked(query), &Limits::default());
    assert!(admitted.is_ok(), "{:?}", admitted.err());
}

#[track_caller]
fn fails(query: impl Into<String>, code: Code) {
    let query = query.into();
    let began = Instant::now();
    assert_eq!(verdict(asked(query)), Err(code));
    let took = began.elapsed();
    assert!(took.as_millis() < 100, "took {took:?}");
}

/// Each fragment spreads the next one `width` times.
fn bomb(depth: usize, width: usize, leaf: &str) -> String {
    let mut document = String::from("{...F0}");
    for i in 0..depth {
        let inner = if i + 1 < depth {
            format!("...F{} ", i + 1)
        } else {
            format!("{leaf} ")
        };
        write!(
            document,
            " fragment F{i} on Query{{{}}}",
            inner.repeat(width)
        )
        .unwrap();
    }
    document
}

fn nested(levels: usize) -> String {
    format!("{}{}", "{a".repeat(levels), "}".repeat(levels))
}

fn each(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().join(" ")
}

// ---- size and syntax

#[test]
fn a_long_document_is_refused_unread() {
    fails(format!("{{a}}#{}", "{".repeat(40_000)), Code::QueryTooLarge);
    passes(format!("{{a}}#{}", "{".repeat(30_000)));
}

#[test]
fn brackets_are_counted_before_the_parser_sees_them() {
    let limits = Limits {
        bytes: usize::MAX,
        ..Limits::default()
    };
    for document in [
        "{a".repeat(50_000),
        format!("{{x(v:{}{})}}", "[".repeat(50_000), "]".repeat(50_000)),
        format!("{{x(v:{}1{})}}", "{a:".repeat(50_000), "}".repeat(50_000)),
        format!(
            "query($v:{}Int{}){{a}}",
            "[".repeat(50_000),
            "]".repeat(50_000)
        ),
    ] {
        let rejection = admit(asked(document), &limits).unwrap_err();
        assert_eq!(rejection.code, Code::QueryTooComplex);
        assert!(rejection.message.len() < 100);
    }
}

#[test]
fn brackets_in_strings_and_comments_do_not_count() {
    let many = "[{(".repeat(500);
    passes(format!("{{x(v:\"{many}\")}}"));
    passes(format!("{{x(v:\"\\\"{many}\")}}"));
    passes(format!("{{x(v:\"\"\"{many}\n\\\"\"\"{many}\"\"\")}}"));
    passes(format!("{{a #{many}\n}}"));
    passes("{a #\"\r b}");
}

#[test]
fn brackets_cannot_hide_behind_a_string_that_never_ends() {
    let many = "[".repeat(500);
    fails(format!("{{x(v:[\"\"\"a\" {many}"), Code::GraphqlParseFailed);
    fails(format!("{{x(v:\"a\n{many}"), Code::GraphqlParseFailed);
    passes(format!("{{x(v:\"\"\"\"{many}\"\"\")}}"));
    fails(format!("{{x(v:\"\" {many}"), Code::QueryTooComplex);
    fails(format!("{{a #\n{many}"), Code::QueryTooComplex);
    fails(format!("{{a #\r{many}"), Code::QueryTooComplex);
}

#[test]
fn long_numbers_are_no_work() {
    let digits = "9".repeat(30_000);
    passes(
        format!("{{x(v:{digits}.5)}}")
            .replace('9', "1")
            .replacen(&"1".repeat(29_900), "", 1),
    );
    fails(format!("{{x(v:{digits})}}"), Code::GraphqlParseFailed);
    fails("{x(v:1e999999)}", Code::GraphqlParseFailed);
}

#[test]
fn a_syntax_error_tells_the_place_and_not_the_text() {
    let rejection = admit(asked("{\n  secretWord(\n}"), &Limits::default()).unwrap_err();
    assert_eq!(rejection.code, Code::GraphqlParseFailed);
    assert!(!rejection.message.contains("secret"));
    assert_eq!(rejection.locations[0].line, 3);

    let rejection = admit(asked("{\n é: \"open\n}"), &Limits::default()).unwrap_err();
    assert_eq!(
        (rejection.locations[0].line, rejection.locations[0].column),
        (2, 5)
    );
}

#[test]
fn nothing_is_not_a_document() {
    fails("", Code::GraphqlParseFailed);
    fails("{}", Code::GraphqlParseFailed);
    fails("fragment F on Query{a}", Code::OperationResolutionFailure);
}

// ---- choosing the operation

#[test]
fn the_operation_is_chosen_by_name() {
    let two = "query A{a} mutation B{b}";
    assert_eq!(verdict(named(two, "A")), Ok(OperationType::Query));
    assert_eq!(verdict(named(two, "B")), Ok(OperationType::Mutation));
    assert_eq!(
        verdict(named(two, "C")),
        Err(Code::OperationResolutionFailure)
    );
    assert_eq!(
        verdict(named("{a}", "A")),
        Err(Code::OperationResolutionFailure)
    );
    fails(two, Code::OperationResolutionFailure);
    passes("query A{a}");
}

#[test]
fn names_are_unique_and_anonymity_is_lonely() {
    fails("query A{a} query A{b}", Code::GraphqlValidationFailed);
    fails("{a} query A{b}", Code::GraphqlValidationFailed);
    fails(
        "{...F} fragment F on Q{a} fragment F on Q{b}",
        Code::GraphqlValidationFailed,
    );
}

#[test]
fn what_the_chosen_operation_does_not_use_is_dropped() {
    let document = "query A{...F} query B{...G} fragment F on Query{a} fragment G on Query{b}";
    let mut admitted = admit(named(document, "B"), &Limits::default()).unwrap();
    let parsed = admitted.request.parsed_query().unwrap();
    assert_eq!(parsed.operations.iter().count(), 1);
    assert_eq!(parsed.fragments.keys().collect::<Vec<_>>(), ["G"]);
}

#[test]
fn heavy_neighbours_of_the_chosen_operation_do_not_weigh() {
    let heavy = each(100, |i| format!("a{i}:a"));
    assert!(verdict(named(&format!("query A{{a}} query B{{{heavy}}}"), "A")).is_ok());
}

// ---- fragments

#[test]
fn fragments_must_exist_be_used_and_lead_somewhere() {
    fails("{...F}", Code::GraphqlValidationFailed);
    fails("{a} fragment F on Query{a}", Code::GraphqlValidationFailed);
    fails(
        "{...F} fragment F on Query{a ...F}",
        Code::GraphqlValidationFailed,
    );
    fails(
        "{...A} fragment A on Query{b{...B}} fragment B on Query{...on Q{...A}}",
        Code::GraphqlValidationFailed,
    );
}

#[test]
fn fragment_bombs_are_weighed_without_being_written_out() {
    for (depth, width) in [(12, 2), (15, 3), (30, 2), (30, 40)] {
        fails(bomb(depth, width, "__typename"), Code::QueryTooComplex);
    }
    fails(bomb(30, 40, "...Missing"), Code::GraphqlValidationFailed);
    fails(bomb(700, 1, "a"), Code::QueryTooComplex);
    passes(bomb(30, 1, "a"));
    passes(bomb(4, 2, "a"));
}

#[test]
fn a_known_fragment_still_counts_the_levels_around_it() {
    let chain = bomb(20, 1, "a").replacen("{...F0}", "", 1);
    let around = |levels: usize| format!("{}F0{}", "{...".repeat(levels), "}".repeat(levels));
    passes(format!("{{...F0 ...{}}} {chain}", around(5)));
    fails(
        format!("{{...F0 ...{}}} {chain}", around(20)),
        Code::QueryTooComplex,
    );
}

// ---- limits

#[test]
fn each_limit_holds_to_the_unit() {
    passes(nested(15));
    fails(nested(16), Code::QueryTooComplex);
    passes(format!("{{{}}}", each(20, |i| format!("f{i}"))));
    fails(
        format!("{{{}}}", each(21, |i| format!("f{i}"))),
        Code::QueryTooComplex,
    );
    passes(format!("{{a{{{}}}}}", each(999, |_| "b".into())));
    fails(
        format!("{{a{{{}}}}}", each(1_000, |_| "b".into())),
        Code::QueryTooComplex,
    );
    passes(format!("{{a{{{}}}}}", each(30, |i| format!("a{i}:b"))));
    fails(
        format!("{{a{{{}}}}}", each(31, |i| format!("a{i}:b"))),
        Code::QueryTooComplex,
    );
    passes(format!("{{a {}}}", each(50, |_| "@d".into())));
    fails(
        format!("{{a {}}}", each(51, |_| "@d".into())),
        Code::QueryTooComplex,
    );
    passes(format!("{{a({})}}", each(50, |i| format!("a{i}:1"))));
    fails(
        format!("{{a({})}}", each(51, |i| format!("a{i}:1"))),
        Code::QueryTooComplex,
    );
}

#[test]
fn variables_are_counted() {
    let defined = |count| format!("query({}){{a}}", each(count, |i| format!("$a{i}:Int=1")));
    passes(defined(100));
    fails(defined(101), Code::QueryTooComplex);
}

#[test]
fn fragments_hide_nothing_from_the_limits() {
    let spread = |inner: &str, times: usize| {
        format!(
            "{{a{{{}}}}} fragment F on A{{{inner}}}",
            each(times, |_| "...F".into())
        )
    };
    fails(spread("x:b y:b", 16), Code::QueryTooComplex);
    fails(spread("b @d @e", 26), Code::QueryTooComplex);
    fails(
        format!("{{...F}} fragment F on Q{}", nested(16)),
        Code::QueryTooComplex,
    );
    fails(
        format!(
            "{{...F}} fragment F on Q{{...on Q{{{}}}}}",
            each(21, |_| "a".into())
        ),
        Code::QueryTooComplex,
    );
    fails(
        format!(
            "query {}{{...F @d}} fragment F on Q @d {{a}}",
            each(49, |_| "@d".into())
        ),
        Code::QueryTooComplex,
    );
    fails(
        format!("query({}){{a}}", each(51, |i| format!("$a{i}:Int @d"))),
        Code::QueryTooComplex,
    );
}

#[test]
fn introspection_goes_from_types_to_types_once() {
    passes(
        "{__schema{types{fields{type{name} args{name}} possibleTypes{name} inputFields{name}}}}",
    );
    passes("{__type(name:\"A\"){interfaces{name} fields{name}}}");
    fails(
        "{__schema{types{fields{type{fields{name}}}}}}",
        Code::QueryTooComplex,
    );
    fails(
        "{__schema{types{possibleTypes{interfaces{name}}}}}",
        Code::QueryTooComplex,
    );
    fails(
        "{x:__type(name:\"A\"){...T}} fragment T on __Type{fields{...F}} fragment F on __Field{type{inputFields{name}}}",
        Code::QueryTooComplex,
    );
    passes("{form{fields{fields{name}}}}");
}

// ---- variables

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

struct Query;

#[Object]
impl Query {
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

struct Mutation;

#[Object]
impl Mutation {
    async fn change(&self, input: Change) -> String {
        told(&input)
    }
}

/// What a client would see: the data, the guard's code, or the words of validation.
fn run(query: &str, variables: async_graphql::Value) -> Result<serde_json::Value, String> {
    let admitted = admit(with(query, variables), &Limits::default())
        .map_err(|rejection| rejection.code.as_str().to_owned())?;
    let schema = Schema::new(Query, Mutation, EmptySubscription);
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
        ("query($id:ID!){on}", value!({"id": null})),
        ("query($x:Boolean!){on @skip(if:$x)}", value!({})),
    ] {
        assert_eq!(
            verdict(with(query, variables)),
            Err(Code::BadUserInput),
            "{query}"
        );
    }
}

#[test]
fn a_directive_does_not_lose_its_condition() {
    let said = run("query($x:Boolean){on @skip(if:$x)}", value!({})).unwrap_err();
    assert!(said.contains("required but not provided"), "{said}");
    let said = run("query($x:Boolean){on @skip(if:$x)}", value!({"x": null})).unwrap_err();
    assert!(
        said.contains("Variable") || said.contains("Invalid value"),
        "{said}"
    );
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
            .contains("not used")
    );
    assert!(
        run("{top(first:$a)}", value!({"a": 1}))
            .unwrap_err()
            .contains("not defined")
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
            Err(Code::QueryTooComplex),
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
        assert!(verdict(with(twice, value!({"v": (value.clone())}))).is_ok());
        fails("query($v:J){x(v:$v)}", value);
    }
    let ids = async_graphql::Value::List(vec![value!("01J"); 1_000]);
    assert!(verdict(with("query($v:J){a{x(v:$v)}}", value!({"v": ids}))).is_ok());
}

#[test]
fn messages_are_short_whatever_the_document_says() {
    let long = "x".repeat(30_000);
    let rejection = admit(
        asked(format!("query(${long}:Int!){{a}}")),
        &Limits::default(),
    );
    assert!(rejection.unwrap_err().message.len() < 100);
}

#[test]
fn every_code_is_found_by_its_name() {
    for code in Code::ALL {
        assert_eq!(Code::named(code.as_str()), Some(*code));
    }
    assert_eq!(Code::named("DATABASE_ON_FIRE"), None);
}

// ---- whatever is sent

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces of real syntax in any order: an answer, quickly, and never a panic.
    #[test]
    fn any_text_gets_an_answer(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "{", "}", "[", "]", "(", ")", "\"", "\"\"\"", "\\", "\\\"\"\"", "\\u12", "#", "\n", "\r", "...",
            " on ", "$", "@", ":", "=", "!", "a", "query ", "fragment ", "F", "1", "-", ".", "e9", "null", "é",
        ]), 0..400,
    )) {
        let began = Instant::now();
        let _ = admit(asked(pieces.concat()), &Limits::default());
        prop_assert!(began.elapsed().as_millis() < 100);
    }

    /// Measuring with each fragment weighed once says what writing everything out would say.
    #[test]
    fn weighing_agrees_with_writing_out(spreads in prop::collection::vec(prop::collection::vec(0_usize..6, 0..4), 6)) {
        let mut document = String::from("{r{...F0}}");
        for (i, targets) in spreads.iter().enumerate() {
            let inner: String = targets.iter().map(|step| format!(" ...F{}", i + 1 + step)).collect();
            write!(document, " fragment F{i} on R{{a{inner}}}").unwrap();
        }
        // Forward only, so no cycle; past the end stand leaves, and every fragment is used by one more field.
        for i in 6..12 {
            write!(document, " fragment F{i} on R{{a}}").unwrap();
        }
        let used = each(11, |i| format!("...F{}", i + 1));
        let document = document.replacen("{r{...F0}}", &format!("{{r{{...F0 {used}}}}}"), 1);
        let mut sizes = [1_usize; 12];
        for i in (0..6).rev() {
            sizes[i] = 1 + spreads[i].iter().map(|step| sizes[i + 1 + step]).sum::<usize>();
        }
        let fields = 1 + sizes.iter().sum::<usize>();
        let limits = |fields| Limits { fields, ..Limits::default() };
        prop_assert!(admit(asked(document.clone()), &limits(fields)).is_ok());
        prop_assert!(admit(asked(document), &limits(fields - 1)).is_err());
    }
}
