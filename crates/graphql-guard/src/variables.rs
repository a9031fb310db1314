//! The variables of one operation: fills in defaults, and makes "not sent" mean absent, never null.

use std::collections::HashSet;

use async_graphql::{
    Name, Positioned, Variables,
    parser::types::{Directive, Selection, SelectionSet, VariableDefinition},
};
use async_graphql_value::Value as InputValue;

use crate::convert::ConvertedOperation;

/// Returns the values of the defined variables, and takes the omitted ones out of the document.
///
/// Defaults are filled in here because async-graphql evaluates `@skip` and `@include` without them.
pub(crate) fn resolve_variables(
    converted: &mut ConvertedOperation,
    mut sent: Variables,
) -> Variables {
    let mut values = Variables::default();
    let mut omitted = OmittedVariables::default();
    for definition in &converted.operation.node.variable_definitions {
        let VariableDefinition {
            name,
            default_value,
            ..
        } = &definition.node;
        let default = || default_value.as_ref().map(|value| value.node.clone());
        match sent.remove(&name.node).or_else(default) {
            Some(value) => {
                values.insert(name.node.clone(), value);
            }
            None => {
                omitted.names.insert(name.node.clone());
            }
        }
    }
    if !omitted.names.is_empty() {
        omitted.strip_from_operation(converted);
    }
    values
}

#[derive(Default)]
struct OmittedVariables {
    names: HashSet<Name>,
}

impl OmittedVariables {
    fn strip_from_operation(&self, converted: &mut ConvertedOperation) {
        let operation = &mut converted.operation.node;
        self.strip_from_directives(&mut operation.directives);
        self.strip_from_selection_set(&mut operation.selection_set.node);
        for fragment in converted.fragments.values_mut() {
            self.strip_from_directives(&mut fragment.node.directives);
            self.strip_from_selection_set(&mut fragment.node.selection_set.node);
        }
    }

    fn strip_from_selection_set(&self, set: &mut SelectionSet) {
        for selection in &mut set.items {
            self.strip_from_directives(selection.node.directives_mut());
            match &mut selection.node {
                Selection::Field(field) => {
                    self.strip_from_arguments(&mut field.node.arguments);
                    self.strip_from_selection_set(&mut field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => {
                    self.strip_from_selection_set(&mut inline.node.selection_set.node)
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn strip_from_directives(&self, directives: &mut [Positioned<Directive>]) {
        for directive in directives {
            self.strip_from_arguments(&mut directive.node.arguments);
        }
    }

    fn strip_from_arguments(
        &self,
        arguments: &mut Vec<(Positioned<Name>, Positioned<InputValue>)>,
    ) {
        arguments.retain_mut(|(_, value)| self.strip_from_value(&mut value.node));
    }

    /// Takes omitted variables out of a value, and says whether the value itself stays. An omitted variable leaves an
    /// argument or a field of an object absent; a list keeps its place, as null.
    fn strip_from_value(&self, value: &mut InputValue) -> bool {
        match value {
            InputValue::Variable(name) if self.names.contains(name) => {
                return false;
            }
            InputValue::List(items) => {
                for item in items {
                    if !self.strip_from_value(item) {
                        *item = InputValue::Null;
                    }
                }
            }
            InputValue::Object(fields) => fields.retain(|_, field| self.strip_from_value(field)),
            _ => {}
        }
        true
    }
}
