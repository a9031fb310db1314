//! Small requests that would take long, or overflow the stack, if their work were not bounded.

use async_graphql::value;
use graphql_guard::{GraphqlParams, Limits, RejectionKind};

use super::requests::{admit, asked, each, named, verdict, with};

/// A chain of fragments, each with fields inside one another.
fn chain(fragments: usize, levels: usize) -> String {
    each(fragments, |at| {
        let next = if at + 1 < fragments {
            format!("...F{}", at + 1)
        } else {
            "a".to_owned()
        };
        format!(
            "fragment F{at} on Query{{{}{next}{}}}",
            "r{".repeat(levels),
            "}".repeat(levels)
        )
    })
}

#[test]
fn a_long_chain_beside_the_chosen_operation_does_not_overflow() {
    let document = format!("query Z{{a}} query Y{{...F0}} {}", chain(150, 60));
    // On a stack as small as that of a server's thread.
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let run = thread.spawn(move || verdict(named(&document, "Z")).is_ok());
    assert!(run.unwrap().join().unwrap());
    let nested = "[".repeat(60) + &"]".repeat(60);
    let introspecting = format!(
        "query Z{{a}} query Y{{__schema{{...F0}}}} {}",
        chain(150, 60).replace("on Query", "on __Schema")
    );
    for document in [introspecting, format!("{{x(v:{nested})}}")] {
        let _ = verdict(asked(document));
    }
}

#[test]
fn the_same_variable_is_not_coerced_again_and_again() {
    let defined = "$a:[Change]".repeat(2_500);
    let many = async_graphql::Value::List(vec![value!({}); 50_000]);
    let params = with(&format!("query({defined}){{a}}"), value!({ "a": many }));
    assert_eq!(verdict(params), Err(RejectionKind::TooComplex));
}

#[test]
fn large_arguments_are_compared_once() {
    let fields = each(2_000, |at| format!("f{at}:1"));
    let document = format!(
        "fragment F on Query{{x(v:{{{fields}}})x(v:{{{fields}}})}} {}",
        each(40, |at| format!("query Q{at}{{a{at}:a ...F}}"))
    );
    let allowed = Limits {
        bytes: 64 * 1024,
        ..Limits::default()
    };
    assert!(admit(named(&document, "Q0"), &allowed).is_ok());
}

#[test]
fn a_document_has_few_operations() {
    let many = |count| each(count, |at| format!("query Q{at}{{a}}"));
    assert!(verdict(named(&many(50), "Q0")).is_ok());
    let refused = verdict(named(&many(51), "Q0"));
    assert_eq!(refused, Err(RejectionKind::TooComplex));
}

#[test]
fn a_flood_of_faults_is_told_in_part_and_briefly() {
    let deep = each(60, |at| format!("{}{at}:{{", "n".repeat(100)));
    let document = format!(
        "{{x(v:{{{deep}{}{}}})}}",
        "a:[]".repeat(5_000),
        "}".repeat(60)
    );
    let floods = [
        document,
        format!("{{{}}}", "z ".repeat(15)),
        format!("query({}){{a}}", each(90, |at| format!("$v{at}:Int"))),
    ];
    for document in floods {
        let told = admit(asked(document), &Limits::default()).unwrap_err();
        assert!(told.faults.len() <= 100);
        let length: usize = told.faults.iter().map(|fault| fault.message.len()).sum();
        assert!(length < 20_000, "{length}");
    }
    let wrong = async_graphql::Value::List(vec![value!({ "x": 1 }); 100_000]);
    let params = with("query($v:[Change]){takes(v:$v)}", value!({ "v": wrong }));
    let limits = Limits {
        values_of_query: usize::MAX,
        ..Limits::default()
    };
    let told = admit(params, &limits).unwrap_err();
    assert_eq!(told.faults.len(), 100);
}

#[test]
fn what_was_asked_for_twice_is_told_of_in_order() {
    let told = |query: &str| {
        let rejection = admit(asked(query), &Limits::default()).unwrap_err();
        let faults = rejection.faults.into_iter();
        faults.map(|fault| fault.message).collect::<Vec<_>>()
    };
    assert_eq!(
        told("{...X z ...Y a{b}}"),
        [
            "The document does not define the fragment `X`.",
            "The type `Query` has no field `z`.",
            "The document does not define the fragment `Y`.",
            "The field `a` is `Int`, which has no fields.",
        ]
    );
}

/// A null that a default lets into a place where a value is required would fail beside what was done already.
#[test]
fn null_does_not_pass_where_a_value_is_required() {
    let query = "query($f:Int=3){top(first:$f)}";
    assert!(verdict(with(query, value!({}))).is_ok());
    let refused = verdict(with(query, value!({ "f": null })));
    assert_eq!(refused, Err(RejectionKind::BadVariable));
    let query = "query($n:String){one(by:{key:$n})}";
    assert!(verdict(with(query, value!({ "n": "a" }))).is_ok());
    for variables in [value!({}), value!({ "n": null })] {
        assert_eq!(
            verdict(with(query, variables)),
            Err(RejectionKind::BadVariable)
        );
    }
}

#[test]
fn numbers_are_ids_as_far_as_they_are_read() {
    for (id, is_right) in [("7", true), ("9223372036854775808", false), ("1.5", false)] {
        let passes = verdict(asked(format!("{{one(by:{{id:{id}}})}}"))).is_ok();
        assert_eq!(passes, is_right, "{id}");
    }
    let params = |value| GraphqlParams {
        operation_name: None,
        ..with("query($i:ID!){one(by:{id:$i})}", value)
    };
    assert!(verdict(params(value!({ "i": 3.0 }))).is_ok());
}
