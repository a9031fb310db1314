//! The way of a request through the guard: each check in turn, cheapest first, and the choice of the operation.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, Request, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
};

use crate::{
    ast::{Operation, ParsedDocument},
    coerce::coerce_variables,
    convert::{convert_fragments, convert_operation},
    fragments::Fragments,
    limits::Limits,
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
    mut params: GraphqlParams,
    limits: &Limits,
    schema: &SchemaTypes,
) -> Result<Admitted, Rejection> {
    if params.query.len() > limits.bytes {
        return Err(Rejection::new(
            RejectionKind::TooLarge,
            format!("The document is longer than {} bytes.", limits.bytes),
        ));
    }
    let document = parse_document(&params.query, limits.brackets)?;
    let graph = FragmentGraph::new(&document);
    let operation = choose_operation(&document, params.operation_name.as_deref());
    let prepared = match &operation {
        // What goes in circles weighs nothing that could be told.
        Ok(operation) if graph.is_sound() => {
            let sent = std::mem::take(&mut params.variables);
            Some(Prepared::new(
                (operation, sent),
                (&document, &graph),
                limits,
                schema,
            )?)
        }
        _ => None,
    };
    validate(&document, &graph, schema)?;
    let operation = operation?;
    // A valid document goes in no circles.
    let Some(prepared) = prepared else {
        return Err(unknown_operation_rejection());
    };
    prepared.coerced?;
    let name = operation.name.map(|name| Name::new(name.text));
    let kind = operation.kind;
    let operations = match name.clone() {
        Some(name) => DocumentOperations::Multiple(HashMap::from([(name, prepared.operation)])),
        None => DocumentOperations::Single(prepared.operation),
    };
    drop(document);
    let mut request = Request::new(params.query).variables(prepared.variables);
    request.operation_name = name.map(|name| name.to_string());
    request.set_parsed_query(ExecutableDocument {
        operations,
        fragments: prepared.fragments,
    });
    Ok(Admitted {
        request,
        operation: kind,
    })
}

/// The operation as it is to run, no heavier than allowed.
struct Prepared {
    operation: Positioned<OperationDefinition>,
    fragments: Fragments,
    variables: Variables,
    /// Whether the values that were sent are of the types of the variables.
    coerced: Result<(), Rejection>,
}

impl Prepared {
    fn new(
        (operation, mut sent): (&Operation<'_>, Variables),
        (document, graph): (&ParsedDocument<'_>, &FragmentGraph<'_>),
        limits: &Limits,
        schema: &SchemaTypes,
    ) -> Result<Self, Rejection> {
        let coerced = coerce_variables(schema, operation, &mut sent);
        let used = graph.reach_from_selections(&operation.selections);
        let used = document
            .fragments
            .iter()
            .filter(|one| used.contains(one.name.text));
        let mut fragments = convert_fragments(used);
        let mut operation = convert_operation(operation);
        let variables = variables::resolve_variables(&mut operation.node, &mut fragments, sent);
        weight::check_weight(&operation.node, &fragments, &variables, limits)?;
        Ok(Self {
            operation,
            fragments,
            variables,
            coerced,
        })
    }
}

fn choose_operation<'d>(
    document: &'d ParsedDocument<'d>,
    wanted: Option<&str>,
) -> Result<&'d Operation<'d>, Rejection> {
    let Some(wanted) = wanted else {
        return match document.operations.as_slice() {
            [only] => Ok(only),
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
    let mut operations = document.operations.iter();
    let found = operations.find(|operation| operation.name.is_some_and(|name| name.text == wanted));
    found.ok_or_else(unknown_operation_rejection)
}

fn unknown_operation_rejection() -> Rejection {
    Rejection::new(
        RejectionKind::NoSuchOperation,
        "The document has no operation of the name that `operationName` asks for.",
    )
}
