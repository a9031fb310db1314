//! The way of a request through the guard: each check in turn, cheapest first, and the choice of the operation.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Request, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationType},
};

use crate::{
    ast::{Operation, ParsedDocument},
    coerce::coerce_variables,
    convert::convert_operation,
    limits::Limits,
    merge::merge_root_fields,
    parser::parse_document,
    rejection::{Rejection, RejectionKind},
    schema::SchemaTypes,
    validate::{FragmentGraph, validate},
    variables, weight,
};

/// A request as a client sends it.
#[derive(Clone, Debug, Default)]
pub struct GraphqlParams {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Variables,
}

/// A request that may run: valid, and cut down to the one operation that was asked for.
#[derive(Debug)]
pub struct Admitted {
    pub request: Request,
    pub operation: OperationType,
}

/// Parses a request, holds it against the schema and cuts it down to the operation that is to run.
///
/// # Errors
/// The faults of the first check that finds any: size, syntax, weight, validity, the choice of the operation, and the
/// values of its variables.
pub fn admit(
    params: GraphqlParams,
    limits: &Limits,
    schema: &SchemaTypes,
) -> Result<Admitted, Rejection> {
    if params.query.len() > limits.bytes {
        return Err(Rejection::new(
            RejectionKind::TooLarge,
            format!("The document is longer than {} bytes.", limits.bytes),
        ));
    }
    let document = parse_document(&params.query, (limits.brackets, limits.operations))?;
    let graph = FragmentGraph::new(&document);
    let chosen = choose_operation(&document, params.operation_name.as_deref());
    let (at, operation) = match chosen {
        // What goes in circles weighs nothing that could be told.
        Ok(chosen) if graph.is_sound() => chosen,
        chosen => {
            validate(&document, &graph, schema)?;
            chosen?
        }
    };
    let sent: HashSet<Name> = params.variables.keys().cloned().collect();
    let mut converted = convert_operation((at, operation), &document, &graph, schema)?;
    let mut variables = variables::resolve_variables(&mut converted, params.variables);
    weight::check_weight(&converted, &variables, limits)?;
    let in_need = validate(&document, &graph, schema)?;
    let in_need = in_need.get(at).cloned().unwrap_or_default();
    coerce_variables(schema, operation, (&mut variables, &sent), &in_need)?;
    if operation.kind == OperationType::Mutation {
        merge_root_fields(&mut converted, &variables);
    }
    let (name, kind) = (
        operation.name.map(|name| Name::new(name.text)),
        operation.kind,
    );
    drop(document);
    let mut request = Request::new(params.query).variables(variables);
    request.operation_name = name.as_ref().map(Name::to_string);
    request.set_parsed_query(ExecutableDocument {
        operations: match name {
            Some(name) => {
                DocumentOperations::Multiple(HashMap::from([(name, converted.operation)]))
            }
            None => DocumentOperations::Single(converted.operation),
        },
        fragments: converted.fragments,
    });
    Ok(Admitted {
        request,
        operation: kind,
    })
}

/// The operation that is to run, and its place among those of the document.
fn choose_operation<'d>(
    document: &'d ParsedDocument<'d>,
    wanted: Option<&str>,
) -> Result<(usize, &'d Operation<'d>), Rejection> {
    let Some(wanted) = wanted else {
        return match document.operations.as_slice() {
            [only] => Ok((0, only)),
            [] => Err(Rejection::new(
                RejectionKind::NoSuchOperation,
                "The document has no operation.",
            )),
            _ => Err(Rejection::new(
                RejectionKind::NoSuchOperation,
                "The document has several operations; `operationName` must say which one to run.",
            )),
        };
    };
    let mut operations = document.operations.iter().enumerate();
    let found =
        operations.find(|(_, operation)| operation.name.is_some_and(|name| name.text == wanted));
    found.ok_or_else(unknown_operation_rejection)
}

fn unknown_operation_rejection() -> Rejection {
    Rejection::new(
        RejectionKind::NoSuchOperation,
        "The document has no operation of the name that `operationName` asks for.",
    )
}
