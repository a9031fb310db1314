//! How much an argument carries: a variable is copied at each of its uses, so uses are what is counted here.

use std::collections::HashMap;

use async_graphql::{Name, Positioned, Value, Variables};
use async_graphql_value::Value as InputValue;

/// Text that weighs as much as one number.
const TEXT: usize = 64;

pub(crate) struct Sizes<'a>(HashMap<&'a str, usize>);

impl<'a> Sizes<'a> {
    pub(crate) fn new(variables: &'a Variables) -> Self {
        let sized = variables
            .iter()
            .map(|(name, value)| (name.as_str(), constant(value)));
        Self(sized.collect())
    }

    pub(crate) fn arguments(
        &self,
        arguments: &[(Positioned<Name>, Positioned<InputValue>)],
    ) -> usize {
        sum(arguments.iter().map(|(_, value)| self.written(&value.node)))
    }

    fn written(&self, value: &InputValue) -> usize {
        match value {
            InputValue::Variable(name) => self.0.get(name.as_str()).copied().unwrap_or(1),
            InputValue::String(text) => of_text(text.len()),
            InputValue::Enum(name) => of_text(name.len()),
            InputValue::Binary(bytes) => of_text(bytes.len()),
            InputValue::List(items) => {
                1_usize.saturating_add(sum(items.iter().map(|item| self.written(item))))
            }
            InputValue::Object(fields) => {
                let field = |(name, value): (&Name, _)| {
                    of_text(name.len()).saturating_add(self.written(value))
                };
                1_usize.saturating_add(sum(fields.iter().map(field)))
            }
            InputValue::Null | InputValue::Number(_) | InputValue::Boolean(_) => 1,
        }
    }
}

fn constant(value: &Value) -> usize {
    match value {
        Value::String(text) => of_text(text.len()),
        Value::Enum(name) => of_text(name.len()),
        Value::Binary(bytes) => of_text(bytes.len()),
        Value::List(items) => 1_usize.saturating_add(sum(items.iter().map(constant))),
        Value::Object(fields) => {
            let field =
                |(name, value): (&Name, _)| of_text(name.len()).saturating_add(constant(value));
            1_usize.saturating_add(sum(fields.iter().map(field)))
        }
        Value::Null | Value::Number(_) | Value::Boolean(_) => 1,
    }
}

fn of_text(bytes: usize) -> usize {
    1 + bytes / TEXT
}

fn sum(sizes: impl Iterator<Item = usize>) -> usize {
    sizes.fold(0, usize::saturating_add)
}
