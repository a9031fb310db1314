//! Each limit, and that weighing a document says what writing it out would.

use std::{fmt::Write as _, time::Instant};

use graphql_guard::{Limits, RejectionKind};
use proptest::prelude::*;

use super::requests::{admit, asked, each, fails, is_light, nested, passes};

#[test]
fn each_limit_holds_to_the_unit() {
    passes(nested(15));
    fails(nested(16), RejectionKind::TooComplex);
    passes(format!("{{{}}}", each(20, |i| format!("f{i}"))));
    fails(
        format!("{{{}}}", each(21, |i| format!("f{i}"))),
        RejectionKind::TooComplex,
    );
    passes(format!("{{a{{{}}}}}", each(999, |_| "b".into())));
    fails(
        format!("{{a{{{}}}}}", each(1_000, |_| "b".into())),
        RejectionKind::TooComplex,
    );
    passes(format!("{{a{{{}}}}}", each(30, |i| format!("a{i}:b"))));
    fails(
        format!("{{a{{{}}}}}", each(31, |i| format!("a{i}:b"))),
        RejectionKind::TooComplex,
    );
    passes(format!("{{a {}}}", each(50, |_| "@d".into())));
    fails(
        format!("{{a {}}}", each(51, |_| "@d".into())),
        RejectionKind::TooComplex,
    );
    passes(format!("{{a({})}}", each(50, |i| format!("a{i}:1"))));
    fails(
        format!("{{a({})}}", each(51, |i| format!("a{i}:1"))),
        RejectionKind::TooComplex,
    );
}

#[test]
fn variables_are_counted() {
    let defined = |count| format!("query({}){{a}}", each(count, |i| format!("$a{i}:Int=1")));
    passes(defined(100));
    fails(defined(101), RejectionKind::TooComplex);
}

#[test]
fn fragments_hide_nothing_from_the_limits() {
    let spread = |inner: &str, times: usize| {
        format!(
            "{{a{{{}}}}} fragment F on A{{{inner}}}",
            each(times, |_| "...F".into())
        )
    };
    fails(spread("x:b y:b", 16), RejectionKind::TooComplex);
    fails(spread("b @d @e", 26), RejectionKind::TooComplex);
    fails(
        format!("{{...F}} fragment F on Q{}", nested(16)),
        RejectionKind::TooComplex,
    );
    fails(
        format!(
            "{{...F}} fragment F on Q{{...on Q{{{}}}}}",
            each(21, |_| "a".into())
        ),
        RejectionKind::TooComplex,
    );
    fails(
        format!(
            "query {}{{...F @d}} fragment F on Q @d {{a}}",
            each(49, |_| "@d".into())
        ),
        RejectionKind::TooComplex,
    );
    fails(
        format!("query({}){{a}}", each(51, |i| format!("$a{i}:Int @d"))),
        RejectionKind::TooComplex,
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
        RejectionKind::TooComplex,
    );
    fails(
        "{__schema{types{possibleTypes{interfaces{name}}}}}",
        RejectionKind::TooComplex,
    );
    fails(
        "{x:__type(name:\"A\"){...T}} fragment T on __Type{fields{...F}} fragment F on __Field{type{inputFields{name}}}",
        RejectionKind::TooComplex,
    );
    passes("{form{fields{fields{name}}}}");
}

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
        prop_assert!(is_light(asked(document.clone()), &limits(fields)));
        prop_assert!(!is_light(asked(document), &limits(fields - 1)));
    }
}
