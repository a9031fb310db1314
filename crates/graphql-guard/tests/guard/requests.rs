//! Requests, and whether the guard lets them through.

use std::{fmt::Write as _, time::Instant};

use async_graphql::{Variables, parser::types::OperationType};
use graphql_guard::{GraphqlParams, Limits, RejectionKind, admit};

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

#[track_caller]
pub(crate) fn passes(query: impl Into<String>) {
    let admitted = admit(asked(query), &Limits::default());
    assert!(admitted.is_ok(), "{:?}", admitted.err());
}

#[track_caller]
pub(crate) fn fails(query: impl Into<String>, kind: RejectionKind) {
    let query = query.into();
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
