//! Holds a document against a schema by the rules of the specification, as graphql-js 16 reads them, and finds all
//! faults at once.

mod fragments;
mod introspection;
mod overlap;
mod values;
mod variables;
mod walk;

use std::collections::{HashMap, HashSet};

use async_graphql::Pos;

pub(crate) use self::fragments::FragmentGraph;
pub(crate) use self::values::{no_such_field, one_of_fields, one_of_these};
use self::walk::Scope;
use crate::{
    ast::{Fragment, ParsedDocument, Word},
    rejection::{InputPathPart, Rejection, RejectionKind, RequestFault},
    schema::SchemaTypes,
};

/// Most faults that are told.
pub(crate) const MOST_FAULTS: usize = 100;

/// What validation learned of an operation that is valid: the variables that may not be null where they are used, though
/// their types allow it, each with whether it has to be given as well.
pub(crate) type VariablesInNeed<'d> = HashMap<&'d str, bool>;

/// Finds what is wrong with a document. Gives for each operation what its variables may not be.
///
/// # Errors
/// Its faults, or that finding them takes too long.
pub(crate) fn validate<'d>(
    document: &'d ParsedDocument<'d>,
    graph: &FragmentGraph<'d>,
    schema: &'d SchemaTypes,
) -> Result<Vec<VariablesInNeed<'d>>, Rejection> {
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
    let mut in_need = Vec::with_capacity(operations.len());
    for (at, scope) in operations.iter().enumerate() {
        let (operation, reached) = (&document.operations[at], graph.reach_of_operation(at));
        let reached = document
            .fragments
            .iter()
            .zip(&fragments)
            .filter(|(fragment, _)| reached.contains(fragment.name.text));
        let scopes = reached.map(|(_, scope)| scope);
        let usages = std::iter::once(scope)
            .chain(scopes)
            .flat_map(|scope| &scope.usages);
        in_need.push(validator.check_variable_usages(operation, usages));
    }
    introspection::check_introspection_depth(&mut validator, graph);
    if graph.is_sound() {
        overlap::check_overlapping_fields(&mut validator)?;
    }
    let mut faults = validator.faults;
    if faults.is_empty() {
        return Ok(in_need);
    }
    faults.truncate(MOST_FAULTS);
    faults.sort_by_key(|fault| fault.locations.first().map(|pos| (pos.line, pos.column)));
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
        self.push(|| RequestFault::at(message, pos));
    }

    fn add_in_input(
        &mut self,
        path: &[InputPathPart],
        pos: Pos,
        sentence: impl FnOnce() -> String,
    ) {
        self.push(|| RequestFault::in_input(path, &sentence(), pos));
    }

    /// Adds a fault, unless there are enough: then it is not even worded.
    fn push(&mut self, fault: impl FnOnce() -> RequestFault) {
        if !self.is_full() {
            self.faults.push(fault());
        }
    }

    fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
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
    let mut seen = HashSet::new();
    let names = names.into_iter();
    names.filter(|name| !seen.insert(name.text)).collect()
}
