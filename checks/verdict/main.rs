//! Reads requests of GraphQL from its input, one as JSON in each line, and writes for each whether the server would run
//! it: `ok`, or why not. `verdict.mjs` holds these answers against graphql-js.

use std::io::{BufRead, Write, stdin, stdout};

use async_graphql::Variables;
use cx_blueprint::graph::types::SCHEMA_TYPES;
use graphql_guard::{GraphqlParams, Limits, admit};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    query: String,
    #[serde(default)]
    variables: Variables,
    operation: Option<String>,
}

fn main() -> std::io::Result<()> {
    let (mut out, limits) = (stdout().lock(), Limits::default());
    for line in stdin().lock().lines() {
        let line: Line = serde_json::from_str(&line?)?;
        let params = GraphqlParams {
            query: line.query,
            operation_name: line.operation,
            variables: line.variables,
        };
        match admit(params, &limits, &SCHEMA_TYPES) {
            Ok(_) => writeln!(out, "ok")?,
            Err(rejection) => {
                let told: Vec<&str> = rejection
                    .faults
                    .iter()
                    .map(|fault| fault.message.as_str())
                    .collect();
                writeln!(out, "{:?} {}", rejection.kind, told.join(" | "))?;
            }
        }
        out.flush()?;
    }
    Ok(())
}
