//! The variables of one operation: refuses missing ones, fills in defaults, and makes "not sent" mean absent, never null.

use std::collections::HashSet;

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{Directive, OperationDefinition, Selection, SelectionSet, VariableDefinition},
};
use async_graphql_value::Value as InputValue;

use crate::{
    fragments::Fragments,
    rejection::{Rejection, RejectionKind},
};

/// Names are shown to people, and a name may be as long as a document.
const SHOWN: usize = 60;

/// Returns the values of the defined variables, and takes the omitted ones out of the document.
///
/// Defaults are filled in here because async-graphql evaluates `@skip` and `@include` without them.
pub(crate) fn settle(
    operation: &mut OperationDefinition,
    fragments: &mut Fragments,
    mut sent: Variables,
) -> Result<Variables, Rejection> {
    let mut values = Variables::default();
    let mut omitted = Omitted::default();
    for definition in &operation.variable_definitions {
        let VariableDefinition {
            name,
            var_type,
            default_value,
            ..
        } = &definition.node;
        let default = || default_value.as_ref().map(|value| value.node.clone());
        match sent.remove(&name.node).or_else(default) {
            Some(Value::Null) if !var_type.node.nullable => {
                return Err(refused(definition, "must not be null"));
            }
            Some(value) => {
                values.insert(name.node.clone(), value);
            }
            None if var_type.node.nullable => {
                omitted.names.insert(name.node.clone());
            }
            None => return Err(refused(definition, "is required")),
        }
    }
    if !omitted.names.is_empty() {
        omitted.strip(operation, fragments);
    }
    Ok(values)
}

fn refused(definition: &Positioned<VariableDefinition>, why: &str) -> Rejection {
    let name: String = definition.node.name.node.chars().take(SHOWN).collect();
    Rejection::new(
        RejectionKind::BadVariable,
        format!("The variable `${name}` {why}."),
    )
    .at(definition.pos)
}

#[derive(Default)]
struct Omitted {
    names: HashSet<Name>,
    /// Those that were used somewhere. The others keep their definition, so that validation still says they are unused.
    used: HashSet<Name>,
}

impl Omitted {
    fn strip(&mut self, operation: &mut OperationDefinition, fragments: &mut Fragments) {
        self.directives(&mut operation.directives);
        self.set(&mut operation.selection_set.node);
        for fragment in fragments.values_mut() {
            self.directives(&mut fragment.node.directives);
            self.set(&mut fragment.node.selection_set.node);
        }
        operation
            .variable_definitions
            .retain(|definition| !self.used.contains(&definition.node.name.node));
    }

    fn set(&mut self, set: &mut SelectionSet) {
        for selection in &mut set.items {
            self.directives(selection.node.directives_mut());
            match &mut selection.node {
                Selection::Field(field) => {
                    self.arguments(&mut field.node.arguments);
                    self.set(&mut field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => self.set(&mut inline.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn directives(&mut self, directives: &mut [Positioned<Directive>]) {
        for directive in directives {
            self.arguments(&mut directive.node.arguments);
        }
    }

    fn arguments(&mut self, arguments: &mut Vec<(Positioned<Name>, Positioned<InputValue>)>) {
        arguments.retain_mut(|(_, value)| self.stays(&mut value.node));
    }

    /// An omitted variable leaves an argument or a field of an object absent; a list keeps its place, as null.
    fn stays(&mut self, value: &mut InputValue) -> bool {
        match value {
            InputValue::Variable(name) if self.names.contains(name) => {
                self.used.insert(name.clone());
                return false;
            }
            InputValue::List(items) => {
                for item in items {
                    if !self.stays(item) {
                        *item = InputValue::Null;
                    }
                }
            }
            InputValue::Object(fields) => fields.retain(|_, field| self.stays(field)),
            _ => {}
        }
        true
    }
}
