//! Requests, and whether the guard lets them through.

use std::{fmt::Write as _, time::Instant};

use std::sync::LazyLock;

use async_graphql::{Variables, parser::types::OperationType};
use graphql_guard::{Admitted, GraphqlParams, Limits, Rejection, RejectionKind, SchemaTypes};

/// The schema of `variables.rs`, and what the documents of the other tests ask for.
static TYPES: LazyLock<SchemaTypes> = LazyLock::new(|| {
    let sdl = "
        schema { query: Query mutation: Mutation }
        scalar J
        type Query { a: Int b: Int r: Query x(v: J): Int top(first: Int! = 50): Int! maybe(name: String): String!
            on: Boolean! takes(v: [Change]): Int one(by: By!): Int }
        input By @oneOf { id: ID key: String }
        type Mutation { b: Int x(v: J): Int change(input: Change!): String! }
        input Change { name: String tags: [String] inner: Change }
        directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
        directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
    ";
    SchemaTypes::parse(sdl, &[("J", |_| Ok(()))]).unwrap()
});

pub(crate) fn admit(asked: GraphqlParams, limits: &Limits) -> Result<Admitted, Rejection> {
    graphql_guard::admit(asked, limits, &TYPES)
}

pub(crate) fn asked(query: impl Into<String>) -> GraphqlParams {
    GraphqlParams {
        query: query.into(),
        ..GraphqlParams::default()
    }
}

pub(crate) fn with(query: &str, variables: async_graphql::Value) -> GraphqlParams {
    GraphqlParams {
        variables: Variables::from_value(variables),
        ..asked(query)
    }
}

pub(crate) fn named(query: &str, name: &str) -> GraphqlParams {
    GraphqlParams {
        operation_name: Some(name.into()),
        ..asked(query)
    }
}

pub(crate) fn verdict(asked: GraphqlParams) -> Result<OperationType, RejectionKind> {
    admit(asked, &Limits::default())
        .map(|admitted| admitted.operation)
        .map_err(|rejection| rejection.kind)
}

/// Whether it is no heavier than allowed; its fields may be unknown.
pub(crate) fn is_light(asked: GraphqlParams, limits: &Limits) -> bool {
    match admit(asked, limits) {
        Ok(_) => true,
        Err(rejection) => rejection.kind == RejectionKind::Invalid,
    }
}

#[track_caller]
pub(crate) fn passes(query: impl Into<String>) {
    let query = query.into();
    let refused = admit(asked(query.clone()), &Limits::default()).err();
    assert!(is_light(asked(query), &Limits::default()), "{refused:?}");
}

#[track_caller]
pub(crate) fn fails(query: impl Into<String>, kind: RejectionKind) {
    let query = query.into();
    // Read once, and not by the documents that are timed.
    LazyLock::force(&TYPES);
    let began = Instant::now();
    assert_eq!(verdict(asked(query)), Err(kind));
    let took = began.elapsed();
    assert!(took.as_millis() < 100, "took {took:?}");
}

/// Each fragment spreads the next one `width` times.
pub(crate) fn bomb(depth: usize, width: usize, leaf: &str) -> String {
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

pub(crate) fn nested(levels: usize) -> String {
    format!("{}{}", "{a".repeat(levels), "}".repeat(levels))
}

pub(crate) fn each(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().join(" ")
}
