//! The way of a request through the guard: each check in turn, cheapest first, and the choice of the operation.

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

use crate::{
    fragments::Fragments,
    limits::Limits,
    rejection::{Rejection, RejectionKind},
    scan, variables, weight,
};

/// A request as a client sends it.
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

/// Parses a request and cuts it down to the operation that is to run.
///
/// # Errors
/// The first fault, cheapest check first.
pub fn admit(params: GraphqlParams, limits: &Limits) -> Result<Admitted, Rejection> {
    if params.query.len() > limits.bytes {
        return Err(Rejection::new(
            RejectionKind::TooLarge,
            format!("The document is longer than {} bytes.", limits.bytes),
        ));
    }
    scan::check_bracket_depth(&params.query, limits.brackets)?;
    let document =
        parse_query(&params.query).map_err(|error| rejection_from_parse_error(&error))?;
    let (name, mut operation, mut fragments) =
        select_operation(document, params.operation_name.as_deref())?;
    let variables =
        variables::resolve_variables(&mut operation.node, &mut fragments, params.variables)?;
    weight::check_weight(&operation.node, &fragments, &variables, limits)?;

    let kind = operation.node.ty;
    let mut request = Request::new(params.query).variables(variables);
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
fn rejection_from_parse_error(error: &ParseError) -> Rejection {
    let (kind, message) = match error {
        ParseError::MultipleOperations { .. } => (
            RejectionKind::Invalid,
            "An operation without a name must be the only one in its document.",
        ),
        ParseError::OperationDuplicated { .. } => {
            (RejectionKind::Invalid, "Two operations have the same name.")
        }
        ParseError::FragmentDuplicated { .. } => {
            (RejectionKind::Invalid, "Two fragments have the same name.")
        }
        ParseError::MissingOperation => (
            RejectionKind::NoSuchOperation,
            "The document has no operation.",
        ),
        ParseError::RecursionLimitExceeded => (
            RejectionKind::TooComplex,
            "The document is nested too deep.",
        ),
        _ => (
            RejectionKind::ParseFailed,
            "The document is not valid GraphQL.",
        ),
    };
    Rejection {
        kind,
        message: message.into(),
        locations: error.positions().collect(),
    }
}

type SelectedOperation = (Option<Name>, Positioned<OperationDefinition>, Fragments);

/// Takes the operation that was asked for and the fragments it uses, and drops the rest.
fn select_operation(
    document: ExecutableDocument,
    wanted: Option<&str>,
) -> Result<SelectedOperation, Rejection> {
    let ExecutableDocument {
        operations,
        mut fragments,
    } = document;
    refuse_unused_fragments(&operations, &fragments)?;
    let (name, operation) = match (operations, wanted) {
        (DocumentOperations::Single(operation), None) => (None, operation),
        (DocumentOperations::Multiple(operations), None) => {
            let mut operations = operations.into_iter();
            match (operations.next(), operations.next()) {
                (Some((name, operation)), None) => (Some(name), operation),
                _ => {
                    return Err(Rejection::new(
                        RejectionKind::NoSuchOperation,
                        "The document has several operations; `operationName` must say which one to run.",
                    ));
                }
            }
        }
        (DocumentOperations::Multiple(mut operations), Some(wanted)) => {
            let (name, operation) = operations
                .remove_entry(wanted)
                .ok_or_else(unknown_operation_rejection)?;
            (Some(name), operation)
        }
        (DocumentOperations::Single(_), Some(_)) => return Err(unknown_operation_rejection()),
    };
    let used = reachable_fragments([&operation], &fragments);
    fragments.retain(|name, _| used.contains(name));
    Ok((name, operation, fragments))
}

fn unknown_operation_rejection() -> Rejection {
    Rejection::new(
        RejectionKind::NoSuchOperation,
        "The document has no operation of the name that `operationName` asks for.",
    )
}

/// async-graphql reports these too, but only after it has walked them unmeasured.
fn refuse_unused_fragments(
    operations: &DocumentOperations,
    fragments: &Fragments,
) -> Result<(), Rejection> {
    let used = reachable_fragments(operations.iter().map(|(_, operation)| operation), fragments);
    let unused = fragments.iter().find(|(name, _)| !used.contains(*name));
    unused.map_or(Ok(()), |(_, fragment)| {
        Err(
            Rejection::new(RejectionKind::Invalid, "A fragment is never used.")
                .at_location(fragment.pos),
        )
    })
}

fn reachable_fragments<'a>(
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
