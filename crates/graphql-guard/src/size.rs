//! How much an argument carries: a variable is copied at each of its uses, so uses are what is counted here.

use std::collections::HashMap;

use async_graphql::{Name, Positioned, Value, Variables};
use async_graphql_value::Value as InputValue;

/// Text that weighs as much as one number.
const TEXT: usize = 64;

pub(crate) struct VariableSizes<'a>(HashMap<&'a str, usize>);

impl<'a> VariableSizes<'a> {
    pub(crate) fn new(variables: &'a Variables) -> Self {
        let sized = variables
            .iter()
            .map(|(name, value)| (name.as_str(), size_of_constant(value)));
        Self(sized.collect())
    }

    pub(crate) fn size_of_arguments(
        &self,
        arguments: &[(Positioned<Name>, Positioned<InputValue>)],
    ) -> usize {
        sum_sizes(
            arguments
                .iter()
                .map(|(_, value)| self.size_of_value(&value.node)),
        )
    }

    fn size_of_value(&self, value: &InputValue) -> usize {
        match value {
            InputValue::Variable(name) => self.0.get(name.as_str()).copied().unwrap_or(1),
            InputValue::String(text) => size_of_text(text.len()),
            InputValue::Enum(name) => size_of_text(name.len()),
            InputValue::Binary(bytes) => size_of_text(bytes.len()),
            InputValue::List(items) => {
                1_usize.saturating_add(sum_sizes(items.iter().map(|item| self.size_of_value(item))))
            }
            InputValue::Object(fields) => {
                let field = |(name, value): (&Name, _)| {
                    size_of_text(name.len()).saturating_add(self.size_of_value(value))
                };
                1_usize.saturating_add(sum_sizes(fields.iter().map(field)))
            }
            InputValue::Null | InputValue::Number(_) | InputValue::Boolean(_) => 1,
        }
    }
}

fn size_of_constant(value: &Value) -> usize {
    match value {
        Value::String(text) => size_of_text(text.len()),
        Value::Enum(name) => size_of_text(name.len()),
        Value::Binary(bytes) => size_of_text(bytes.len()),
        Value::List(items) => 1_usize.saturating_add(sum_sizes(items.iter().map(size_of_constant))),
        Value::Object(fields) => {
            let field = |(name, value): (&Name, _)| {
                size_of_text(name.len()).saturating_add(size_of_constant(value))
            };
            1_usize.saturating_add(sum_sizes(fields.iter().map(field)))
        }
        Value::Null | Value::Number(_) | Value::Boolean(_) => 1,
    }
}

fn size_of_text(bytes: usize) -> usize {
    1 + bytes / TEXT
}

fn sum_sizes(sizes: impl Iterator<Item = usize>) -> usize {
    sizes.fold(0, usize::saturating_add)
}
