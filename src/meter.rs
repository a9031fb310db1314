//! Meters the objects of lists while they are resolved: each spends from the request's budget what its fields cost, and
//! counts the bytes of its texts. Every list of the API is made of these, so that nested lists, which multiply, cannot
//! exceed the budget unnoticed.

use std::{borrow::Cow, collections::HashMap};

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
    parser::types::{Field, FragmentDefinition, Selection, SelectionSet},
    registry::Registry,
};

use crate::{access::Caller, compute::FIELD, error::Result};

/// An object of a list that charges the budget when it is resolved.
#[derive(Clone, Debug)]
pub struct BudgetCharged<T>(pub T);

/// A list of metered objects.
pub type BudgetChargedList<T> = Vec<BudgetCharged<T>>;

/// Makes a list of metered objects from rows.
pub fn metered_list<R, T: From<R>>(rows: impl IntoIterator<Item = R>) -> BudgetChargedList<T> {
    rows.into_iter()
        .map(|row| BudgetCharged(row.into()))
        .collect()
}

/// Turns a refusal of the budget into an error at the field that was charged.
pub fn locate_error_at_field(field: &Positioned<Field>, charged: Result<()>) -> ServerResult<()> {
    charged.map_err(|error| async_graphql::Error::from(error).into_server_error(field.pos))
}

impl<T: OutputType> OutputType for BudgetCharged<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        // Without a caller there is nobody whose budget it would be: the executors of unit tests.
        let Some(caller) = ctx.data_opt::<Caller>() else {
            return self.0.resolve(ctx, field).await;
        };
        let fields = count_fields(&ctx.item.node, &ctx.query_env.fragments);
        locate_error_at_field(field, caller.budget.spend(FIELD.saturating_mul(fields)))?;
        let value = self.0.resolve(ctx, field).await?;
        locate_error_at_field(
            field,
            caller.budget.count_answer_bytes(estimate_bytes(&value)),
        )?;
        Ok(value)
    }
}

/// Number of fields of a selection, including those inside them. Recursive: the guard has bounded the depth.
fn count_fields(
    set: &SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
) -> u64 {
    let of = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => 1 + count_fields(&field.node.selection_set.node, fragments),
        Selection::InlineFragment(inline) => {
            count_fields(&inline.node.selection_set.node, fragments)
        }
        Selection::FragmentSpread(spread) => {
            let fragment = fragments.get(&spread.node.fragment_name.node);
            fragment.map_or(0, |one| {
                count_fields(&one.node.selection_set.node, fragments)
            })
        }
    };
    set.items.iter().map(of).sum()
}

/// About the bytes of an object's JSON, without the objects of its lists, which count themselves.
fn estimate_bytes(value: &Value) -> u64 {
    /// Bytes of a number, a word, or the punctuation around anything.
    const LEAF: u64 = 8;
    match value {
        Value::String(text) => LEAF + text.len() as u64,
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(key, value)| key.len() as u64 + estimate_bytes(value))
                .sum()
        }
        Value::List(items) => {
            let plain = |item: &&Value| !matches!(item, Value::Object(_));
            items.iter().filter(plain).map(estimate_bytes).sum()
        }
        // JSON that was written directly has charged the budget already.
        Value::Binary(_) => 0,
        _ => LEAF,
    }
}
