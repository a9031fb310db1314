//! How deep a document goes from types to types: graphql-js refuses three lists inside one another.

use std::collections::HashSet;

use super::{FragmentGraph, Validator};
use crate::ast::{Selection, SelectionList};

/// The lists of introspection that lead from types to types again.
const LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

/// Most of them inside one another.
const DEEPEST: usize = 2;

pub(super) fn check_introspection_depth(validator: &mut Validator<'_>, graph: &FragmentGraph<'_>) {
    if !graph.is_sound() {
        return;
    }
    let document = validator.document;
    let operations = document.operations.iter().map(|one| &one.selections);
    let fragments = document.fragments.iter().map(|one| &one.selections);
    let mut waiting: Vec<&SelectionList<'_>> = operations.chain(fragments).collect();
    let mut walk = IntrospectionWalk {
        validator,
        seen: HashSet::new(),
    };
    while let Some(selections) = waiting.pop() {
        for selection in &selections.items {
            match selection {
                Selection::Field(field) => {
                    let Some(inside) = &field.selections else {
                        continue;
                    };
                    if matches!(field.name.text, "__schema" | "__type") && walk.is_too_deep(inside)
                    {
                        let message =
                            "Introspection may go from types to types once, not again and again.";
                        walk.validator.add(field.name.pos, message.to_owned());
                    }
                    waiting.push(inside);
                }
                Selection::Inline { selections, .. } => waiting.push(selections),
                Selection::Spread { .. } => {}
            }
        }
    }
}

struct IntrospectionWalk<'v, 'd> {
    validator: &'v mut Validator<'d>,
    /// Fragments, each with the number of lists around it, that are not too deep.
    seen: HashSet<(&'d str, usize)>,
}

impl<'d> IntrospectionWalk<'_, 'd> {
    /// Walks with a list of its own instead of recursing: a document may be one long chain of fragments.
    fn is_too_deep(&mut self, selections: &'d SelectionList<'d>) -> bool {
        let mut waiting = vec![(selections, 0)];
        while let Some((selections, depth)) = waiting.pop() {
            for selection in &selections.items {
                match selection {
                    Selection::Field(field) => {
                        let depth = depth + usize::from(LISTS.contains(&field.name.text));
                        if depth > DEEPEST {
                            return true;
                        }
                        waiting.extend(field.selections.as_ref().map(|inside| (inside, depth)));
                    }
                    Selection::Inline { selections, .. } => waiting.push((selections, depth)),
                    Selection::Spread { name, .. } => {
                        let fragment = self.validator.fragments.get(name.text);
                        if let Some(fragment) = fragment
                            && self.seen.insert((name.text, depth))
                        {
                            waiting.push((&fragment.selections, depth));
                        }
                    }
                }
            }
        }
        false
    }
}
