//! The document guard: measures every request in time linear in its document, and refuses, before anything runs, what is malformed, too large or too costly.

mod fragments;
mod limits;
mod rejection;
mod scan;
mod size;
#[cfg(test)]
mod tests;
mod variables;
mod weight;

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, Request, Variables,
    parser::{
        Error as ParseError, parse_query,
        types::{
            DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
            SelectionSet,
        },
    },
};

use self::fragments::Fragments;
pub use self::{limits::Limits, rejection::Rejection};
use crate::error::Code;

/// What a client sent.
#[derive(Clone, Debug, Default)]
pub struct GraphqlParams {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Variables,
}

/// A request that may run: parsed, and cut down to the one operation that was asked for.
#[derive(Debug)]
pub struct Admitted {
    pub request: Request,
    pub operation: OperationType,
}

/// Lets a request through, or says why not.
///
/// # Errors
///
/// The first fault that was found, cheapest check first.
pub fn admit(asked: GraphqlParams, limits: &Limits) -> Result<Admitted, Rejection> {
    if asked.query.len() > limits.bytes {
        return Err(Rejection::new(
            Code::QueryTooLarge,
            format!("The document is longer than {} bytes.", limits.bytes),
        ));
    }
    scan::scan(&asked.query, limits.brackets)?;
    let document = parse_query(&asked.query).map_err(|error| unparsed(&error))?;
    let (name, mut operation, mut fragments) = select(document, asked.operation_name.as_deref())?;
    let variables = variables::settle(&mut operation.node, &mut fragments, asked.variables)?;
    weight::weigh(&operation.node, &fragments, &variables, limits)?;

    let kind = operation.node.ty;
    let mut request = Request::new(asked.query).variables(variables);
    request.operation_name = name.as_ref().map(Name::to_string);
    request.set_parsed_query(ExecutableDocument {
        operations: match name {
            Some(name) => DocumentOperations::Multiple(HashMap::from([(name, operation)])),
            None => DocumentOperations::Single(operation),
        },
        fragments,
    });
    Ok(Admitted {
        request,
        operation: kind,
    })
}

/// The parser's own message quotes the document, so only its positions are kept.
fn unparsed(error: &ParseError) -> Rejection {
    let (code, message) = match error {
        ParseError::MultipleOperations { .. } => (
            Code::GraphqlValidationFailed,
            "An operation without a name must be the only one in its document.",
        ),
        ParseError::OperationDuplicated { .. } => (
            Code::GraphqlValidationFailed,
            "Two operations have the same name.",
        ),
        ParseError::FragmentDuplicated { .. } => (
            Code::GraphqlValidationFailed,
            "Two fragments have the same name.",
        ),
        ParseError::MissingOperation => (
            Code::OperationResolutionFailure,
            "The document has no operation.",
        ),
        ParseError::RecursionLimitExceeded => {
            (Code::QueryTooComplex, "The document is nested too deep.")
        }
        _ => (
            Code::GraphqlParseFailed,
            "The document is not valid GraphQL.",
        ),
    };
    Rejection {
        code,
        message: message.into(),
        locations: error.positions().collect(),
    }
}

type Selected = (Option<Name>, Positioned<OperationDefinition>, Fragments);

/// Takes the operation that was asked for and the fragments it uses, and drops the rest.
fn select(document: ExecutableDocument, wanted: Option<&str>) -> Result<Selected, Rejection> {
    let ExecutableDocument {
        operations,
        mut fragments,
    } = document;
    refuse_unused(&operations, &fragments)?;
    let (name, operation) = match (operations, wanted) {
        (DocumentOperations::Single(operation), None) => (None, operation),
        (DocumentOperations::Multiple(operations), None) => {
            let mut operations = operations.into_iter();
            match (operations.next(), operations.next()) {
                (Some((name, operation)), None) => (Some(name), operation),
                _ => {
                    return Err(Rejection::new(
                        Code::OperationResolutionFailure,
                        "The document has several operations; `operationName` must say which one to run.",
                    ));
                }
            }
        }
        (DocumentOperations::Multiple(mut operations), Some(wanted)) => {
            let (name, operation) = operations.remove_entry(wanted).ok_or_else(unknown)?;
            (Some(name), operation)
        }
        (DocumentOperations::Single(_), Some(_)) => return Err(unknown()),
    };
    let used = reached([&operation], &fragments);
    fragments.retain(|name, _| used.contains(name));
    Ok((name, operation, fragments))
}

fn unknown() -> Rejection {
    Rejection::new(
        Code::OperationResolutionFailure,
        "The document has no operation of the name that `operationName` asks for.",
    )
}

/// async-graphql reports these too, but only after it has walked them unmeasured.
fn refuse_unused(operations: &DocumentOperations, fragments: &Fragments) -> Result<(), Rejection> {
    let used = reached(operations.iter().map(|(_, operation)| operation), fragments);
    let unused = fragments.iter().find(|(name, _)| !used.contains(*name));
    unused.map_or(Ok(()), |(_, fragment)| {
        Err(
            Rejection::new(Code::GraphqlValidationFailed, "A fragment is never used.")
                .at(fragment.pos),
        )
    })
}

fn reached<'a>(
    from: impl IntoIterator<Item = &'a Positioned<OperationDefinition>>,
    fragments: &'a Fragments,
) -> HashSet<Name> {
    let mut seen = HashSet::new();
    let mut waiting: Vec<&SelectionSet> = from
        .into_iter()
        .map(|operation| &operation.node.selection_set.node)
        .collect();
    while let Some(set) = waiting.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => waiting.push(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => waiting.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = fragments.get(name)
                        && seen.insert(name.clone())
                    {
                        waiting.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    seen
}
