//! Holds a document against a schema by the rules of the specification, as graphql-js 16 reads them, and finds all
//! faults at once.

mod fragments;
mod overlap;
mod values;
mod variables;
mod walk;

use std::collections::HashMap;

use async_graphql::Pos;

pub(crate) use self::fragments::FragmentGraph;
use self::walk::Scope;
pub(crate) use self::{values::one_of_these, walk::and_those_it_has};
use crate::{
    ast::{Fragment, ParsedDocument, Word},
    rejection::{Rejection, RejectionKind, RequestFault},
    schema::SchemaTypes,
};

/// Most faults that are told; a document with so many is not looked into further.
const MOST_FAULTS: usize = 100;

/// Finds what is wrong with a document.
///
/// # Errors
/// Its faults, or that finding them takes too long.
pub(crate) fn validate(
    document: &ParsedDocument<'_>,
    graph: &FragmentGraph<'_>,
    schema: &SchemaTypes,
) -> Result<(), Rejection> {
    let mut validator = Validator {
        schema,
        document,
        fragments: graph.by_name(),
        faults: graph.faults.clone(),
    };
    validator.check_operation_names();
    let fragments = document.fragments.iter();
    let fragments: Vec<Scope<'_>> = fragments
        .map(|fragment| validator.check_fragment(fragment))
        .collect();
    let operations = document.operations.iter();
    let operations: Vec<Scope<'_>> = operations
        .map(|operation| validator.check_operation(operation))
        .collect();
    for (operation, scope) in document.operations.iter().zip(&operations) {
        let reached = graph.reach_from(scope.spreads.iter().map(|spread| spread.text));
        let reached = document
            .fragments
            .iter()
            .zip(&fragments)
            .filter(|(fragment, _)| reached.contains(fragment.name.text));
        let scopes = reached.map(|(_, scope)| scope);
        let usages = std::iter::once(scope)
            .chain(scopes)
            .flat_map(|scope| &scope.usages);
        validator.check_variable_usages(operation, &usages.collect::<Vec<_>>());
    }
    if graph.is_sound() {
        overlap::check_overlapping_fields(&mut validator)?;
    }
    let mut faults = validator.faults;
    if faults.is_empty() {
        return Ok(());
    }
    faults.truncate(MOST_FAULTS);
    Err(Rejection {
        kind: RejectionKind::Invalid,
        faults,
    })
}

/// A document and what has been found in it.
struct Validator<'d> {
    schema: &'d SchemaTypes,
    document: &'d ParsedDocument<'d>,
    fragments: HashMap<&'d str, &'d Fragment<'d>>,
    faults: Vec<RequestFault>,
}

impl Validator<'_> {
    fn add(&mut self, pos: Pos, message: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(RequestFault::at(message, pos));
        }
    }

    fn check_operation_names(&mut self) {
        let operations = &self.document.operations;
        let names = operations.iter().filter_map(|operation| operation.name);
        let twice = find_repeated(names);
        twice.into_iter().for_each(|name| {
            self.add(
                name.pos,
                format!("Two operations have the name `{}`.", name.text),
            );
        });
        if operations.len() > 1 {
            for operation in operations
                .iter()
                .filter(|operation| operation.name.is_none())
            {
                let message = "An operation without a name must be the only one in its document.";
                self.add(operation.pos, message.to_owned());
            }
        }
    }
}

/// The names that were given before, wherever they are given again.
fn find_repeated<'a>(names: impl IntoIterator<Item = Word<'a>>) -> Vec<Word<'a>> {
    let mut seen = std::collections::HashSet::new();
    let names = names.into_iter();
    names.filter(|name| !seen.insert(name.text)).collect()
}
