//! The root fields of a mutation, each once: async-graphql runs a field as often as it is written, also where fields of
//! one name are one field, as in fragments that several parts of a page bring along.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, Variables,
    parser::types::{Directive, Selection},
};
use async_graphql_value::{ConstValue, Value};

use crate::convert::{ConvertedOperation, Fragments};

/// Puts root fields of one name together, with their fragments written out and without those that are skipped.
pub(crate) fn merge_root_fields(converted: &mut ConvertedOperation, variables: &Variables) {
    let root = &mut converted.operation.node.selection_set.node;
    let mut merging = RootFields {
        fragments: &converted.fragments,
        variables,
        fields: Vec::new(),
        places: HashMap::new(),
        spread: HashSet::new(),
    };
    merging.add(std::mem::take(&mut root.items));
    root.items = merging.fields;
}

struct RootFields<'c> {
    fragments: &'c Fragments,
    variables: &'c Variables,
    fields: Vec<Positioned<Selection>>,
    /// Where the field of a name stands.
    places: HashMap<Name, usize>,
    spread: HashSet<Name>,
}

impl RootFields<'_> {
    /// The recursion is bounded by the levels that an operation may have.
    fn add(&mut self, items: Vec<Positioned<Selection>>) {
        for item in items {
            if self.is_skipped(item.node.directives()) {
                continue;
            }
            match item.node {
                Selection::Field(mut field) => {
                    let name = field.node.response_key().node.clone();
                    let known = self
                        .places
                        .get(&name)
                        .and_then(|at| self.fields.get_mut(*at));
                    if let Some(Selection::Field(known)) = known.map(|known| &mut known.node) {
                        let more = std::mem::take(&mut field.node.selection_set.node.items);
                        known.node.selection_set.node.items.extend(more);
                        continue;
                    }
                    self.places.insert(name, self.fields.len());
                    let selection = Positioned::new(Selection::Field(field), item.pos);
                    self.fields.push(selection);
                }
                Selection::InlineFragment(inline) => {
                    self.add(inline.node.selection_set.node.items);
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node;
                    let fragment = self.fragments.get(&name);
                    let items = fragment.map(|one| one.node.selection_set.node.items.clone());
                    if self.spread.insert(name) {
                        self.add(items.unwrap_or_default());
                    }
                }
            }
        }
    }

    fn is_skipped(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let argument = directive.node.get_argument("if");
            let condition = argument.and_then(|argument| match &argument.node {
                Value::Boolean(value) => Some(*value),
                Value::Variable(name) => match self.variables.get(name) {
                    Some(ConstValue::Boolean(value)) => Some(*value),
                    _ => None,
                },
                _ => None,
            });
            match directive.node.name.node.as_str() {
                "skip" => condition == Some(true),
                "include" => condition == Some(false),
                _ => false,
            }
        })
    }
}
