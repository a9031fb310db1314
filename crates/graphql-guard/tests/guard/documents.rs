//! Size, syntax, the choice of the operation, and fragments.

use async_graphql::parser::types::OperationType;
use graphql_guard::{Limits, RejectionKind};

use super::requests::{admit, asked, bomb, each, fails, named, passes, verdict};

#[test]
fn a_long_document_is_refused_unread() {
    fails(
        format!("{{a}}#{}", "{".repeat(40_000)),
        RejectionKind::TooLarge,
    );
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
        assert_eq!(rejection.kind, RejectionKind::TooComplex);
        assert!(rejection.faults[0].message.len() < 100);
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
    fails(
        format!("{{x(v:[\"\"\"a\" {many}"),
        RejectionKind::ParseFailed,
    );
    fails(format!("{{x(v:\"a\n{many}"), RejectionKind::ParseFailed);
    passes(format!("{{x(v:\"\"\"\"{many}\"\"\")}}"));
    fails(format!("{{x(v:\"\" w:{many}"), RejectionKind::TooComplex);
    fails(format!("{{x(v: #\n{many}"), RejectionKind::TooComplex);
    fails(format!("{{x(v: #\r{many}"), RejectionKind::TooComplex);
}

#[test]
fn long_numbers_are_no_work() {
    let digits = "9".repeat(30_000);
    passes(
        format!("{{x(v:{digits}.5)}}")
            .replace('9', "1")
            .replacen(&"1".repeat(29_900), "", 1),
    );
    fails(format!("{{x(v:{digits})}}"), RejectionKind::TooComplex);
    fails("{x(v:1e999999)}", RejectionKind::TooComplex);
}

#[test]
fn a_syntax_error_tells_the_place_and_not_the_text() {
    let rejection = admit(asked("{\n  secretWord(\n}"), &Limits::default()).unwrap_err();
    assert_eq!(rejection.kind, RejectionKind::ParseFailed);
    assert!(!rejection.faults[0].message.contains("secret"));
    assert_eq!(rejection.faults[0].locations[0].line, 3);

    let rejection = admit(asked("{\n é: \"open\n}"), &Limits::default()).unwrap_err();
    assert_eq!(
        (
            rejection.faults[0].locations[0].line,
            rejection.faults[0].locations[0].column
        ),
        (2, 2)
    );
}

#[test]
fn nothing_is_not_a_document() {
    fails("", RejectionKind::NoSuchOperation);
    fails("{}", RejectionKind::ParseFailed);
    fails("fragment F on Query{a}", RejectionKind::Invalid);
}

#[test]
fn the_operation_is_chosen_by_name() {
    let two = "query A{a} mutation B{b}";
    assert_eq!(verdict(named(two, "A")), Ok(OperationType::Query));
    assert_eq!(verdict(named(two, "B")), Ok(OperationType::Mutation));
    assert_eq!(
        verdict(named(two, "C")),
        Err(RejectionKind::NoSuchOperation)
    );
    assert_eq!(
        verdict(named("{a}", "A")),
        Err(RejectionKind::NoSuchOperation)
    );
    fails(two, RejectionKind::NoSuchOperation);
    fails("query A{z} query B{b}", RejectionKind::Invalid);
    passes("query A{a}");
}

#[test]
fn names_are_unique_and_anonymity_is_lonely() {
    fails("query A{a} query A{b}", RejectionKind::Invalid);
    fails("{a} query A{b}", RejectionKind::Invalid);
    fails(
        "{...F} fragment F on Q{a} fragment F on Q{b}",
        RejectionKind::Invalid,
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

#[test]
fn fragments_must_exist_be_used_and_lead_somewhere() {
    fails("{...F}", RejectionKind::Invalid);
    fails("{a} fragment F on Query{a}", RejectionKind::Invalid);
    fails("{...F} fragment F on Query{a ...F}", RejectionKind::Invalid);
    fails(
        "{...A} fragment A on Query{b{...B}} fragment B on Query{...on Q{...A}}",
        RejectionKind::Invalid,
    );
}

#[test]
fn fragment_bombs_are_weighed_without_being_written_out() {
    for (depth, width) in [(12, 2), (15, 3), (30, 2), (30, 40)] {
        fails(bomb(depth, width, "__typename"), RejectionKind::TooComplex);
    }
    fails(bomb(30, 40, "...Missing"), RejectionKind::Invalid);
    fails(bomb(700, 1, "a"), RejectionKind::TooComplex);
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
        RejectionKind::TooComplex,
    );
}

#[test]
fn messages_are_short_whatever_the_document_says() {
    let long = "x".repeat(30_000);
    let rejection = admit(
        asked(format!("query(${long}:Int!){{a}}")),
        &Limits::default(),
    );
    assert!(rejection.unwrap_err().faults[0].message.len() < 100);
}
