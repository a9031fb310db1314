//! The one model of a filter over a dataset's columns: written as SQL for rows that come from the database, evaluated
//! for each row that is computed. It knows nothing of who asks: what they may see is decided before it.

use std::cmp::Ordering;

use sea_orm::DbBackend;

use super::{
    dataset::Column,
    value::{Value, ValueRef},
};
use crate::statement::SqlBuilder;

/// Compute steps of evaluating one term for one row.
const TERM: usize = 4;

/// Which rows to give. Every comparison is true or false, also with an empty cell: an empty cell equals nothing,
/// differs from every value and is neither above nor below it.
#[derive(Clone)]
pub enum Filter {
    /// All of them hold; with none, every row.
    All(Vec<Self>),
    /// One of them holds; with none, no row.
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(&'static Column, Comparison, Value),
    /// The cell is one of these.
    In(&'static Column, Vec<Value>),
    /// The cell is one of these keys, however their letters are cased.
    Keys(&'static Column, Vec<String>),
    /// The cell is a text with this one in it, to the letter.
    Has(&'static Column, TextPosition, String),
    Empty(&'static Column),
}

/// How a cell is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// Where in a text another one is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPosition {
    Anywhere,
    Beginning,
    End,
}

impl TextPosition {
    fn matches_text(self, text: &str, wanted: &str) -> bool {
        match self {
            Self::Anywhere => text.contains(wanted),
            Self::Beginning => text.starts_with(wanted),
            Self::End => text.ends_with(wanted),
        }
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl Filter {
    /// Writes the filter as a condition.
    #[must_use]
    pub fn append_to_sql(&self, text: SqlBuilder) -> SqlBuilder {
        self.append_null_safe_to_sql(text, false)
    }

    /// `NOT (x = 1)` is NULL in SQL where x is, so the row would be left out: inside a NOT each comparison is COALESCEd
    /// to false.
    fn append_null_safe_to_sql(&self, text: SqlBuilder, inside_not: bool) -> SqlBuilder {
        match self {
            Self::All(all) => append_joined_conditions(text, all, "1 = 1", " AND ", inside_not),
            Self::Any(any) => append_joined_conditions(text, any, "1 = 0", " OR ", inside_not),
            Self::Not(inner) => inner.append_null_safe_to_sql(text.then("NOT "), true),
            Self::Empty(column) => text.then(&format!("({} IS NULL)", column.name)),
            Self::Compare(column, Comparison::NotEqual, value) => append_value(
                text.then(&format!("({} IS DISTINCT FROM ", column.name)),
                value,
            )
            .then(")"),
            _ if inside_not => self
                .append_single_condition(text.then("COALESCE("))
                .then(", FALSE)"),
            _ => self.append_single_condition(text.then("(")).then(")"),
        }
    }

    fn append_single_condition(&self, text: SqlBuilder) -> SqlBuilder {
        match self {
            Self::Compare(column, how, value) => {
                let sign = match how {
                    Comparison::Equal => "=",
                    Comparison::NotEqual => "<>",
                    Comparison::Below => "<",
                    Comparison::AtMost => "<=",
                    Comparison::Above => ">",
                    Comparison::AtLeast => ">=",
                };
                append_value(text.then(&format!("{} {sign} ", column.name)), value)
            }
            Self::In(column, values) => text
                .then(&format!("{} IN ", column.name))
                .list(values.iter().map(sea_orm::Value::from)),
            Self::Keys(column, keys) => text
                .then(&format!("lower({}) IN ", column.name))
                .list(keys.iter().map(|key| key.to_ascii_lowercase())),
            Self::Has(column, position, wanted) => {
                append_text_match(text, column.name, *position, wanted)
            }
            other => other.append_null_safe_to_sql(text, false),
        }
    }

    /// Compute steps of evaluating it for one computed row.
    #[must_use]
    pub fn step_cost(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::step_cost).sum(),
            Self::Not(inner) => inner.step_cost(),
            Self::In(_, values) => TERM * values.len(),
            Self::Keys(_, keys) => TERM * keys.len(),
            Self::Compare(..) | Self::Has(..) | Self::Empty(_) => TERM,
        }
    }

    /// Whether a row that is computed passes; `cell` gives its cell of a column.
    pub fn passes<'r>(&self, cell: &impl Fn(&Column) -> ValueRef<'r>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.passes(cell)),
            Self::Any(any) => any.iter().any(|one| one.passes(cell)),
            Self::Not(inner) => !inner.passes(cell),
            Self::Empty(column) => cell(column) == ValueRef::Empty,
            Self::In(column, values) => values
                .iter()
                .any(|value| compare_cell_with_value(cell(column), value) == Some(Ordering::Equal)),
            Self::Keys(column, keys) => match cell(column) {
                ValueRef::Text(text) => keys.iter().any(|key| key.eq_ignore_ascii_case(text)),
                _ => false,
            },
            Self::Has(column, position, wanted) => match cell(column) {
                ValueRef::Text(text) => position.matches_text(text, wanted),
                _ => false,
            },
            Self::Compare(column, how, value) => {
                let order = compare_cell_with_value(cell(column), value);
                match how {
                    Comparison::Equal => order == Some(Ordering::Equal),
                    Comparison::NotEqual => order != Some(Ordering::Equal),
                    Comparison::Below => order == Some(Ordering::Less),
                    Comparison::AtMost => order.is_some_and(Ordering::is_le),
                    Comparison::Above => order == Some(Ordering::Greater),
                    Comparison::AtLeast => order.is_some_and(Ordering::is_ge),
                }
            }
        }
    }
}

fn append_joined_conditions(
    text: SqlBuilder,
    parts: &[Filter],
    none: &str,
    word: &str,
    inside_not: bool,
) -> SqlBuilder {
    if parts.is_empty() {
        return text.then(&format!("({none})"));
    }
    let all = parts.iter().enumerate();
    all.fold(text.then("("), |text, (at, part)| {
        part.append_null_safe_to_sql(text.then(if at == 0 { "" } else { word }), inside_not)
    })
    .then(")")
}

/// LIKE is not used: what counts as the same letter in it differs between the databases.
fn append_text_match(
    text: SqlBuilder,
    column: &str,
    position: TextPosition,
    wanted: &str,
) -> SqlBuilder {
    let length = wanted.chars().count();
    let text = match position {
        TextPosition::Anywhere => {
            let found = match text.backend() {
                DbBackend::Postgres => "strpos",
                _ => "instr",
            };
            return text
                .then(&format!("{found}({column}, "))
                .value(wanted)
                .then(") > 0");
        }
        TextPosition::Beginning => text.then(&format!("substr({column}, 1, {length}) = ")),
        TextPosition::End => text.then(&format!(
            "length({column}) >= {length} AND substr({column}, length({column}) - {length} + 1) = "
        )),
    };
    text.value(wanted)
}

fn append_value(text: SqlBuilder, value: &Value) -> SqlBuilder {
    text.value(sea_orm::Value::from(value))
}

/// The order of a cell relative to a value; none where the cell is empty. Unlike the order of rows this compares whole
/// numbers with numbers, and has no place for NaN: as in SQL, nothing compares with it.
fn compare_cell_with_value(cell: ValueRef<'_>, value: &Value) -> Option<Ordering> {
    match (cell, value) {
        (ValueRef::Id(_, cell), Value::Id(_, value)) => Some(cell.cmp(value)),
        (ValueRef::Text(cell), Value::Text(value)) => Some(cell.cmp(value.as_str())),
        (ValueRef::Day(cell), Value::Day(value)) => Some(cell.cmp(value)),
        (ValueRef::Instant(cell), Value::Instant(value)) => Some(cell.cmp(value)),
        (ValueRef::Integer(cell), Value::Integer(value)) => Some(cell.cmp(value)),
        (ValueRef::Integer(cell), Value::Number(value)) => f64::from(cell).partial_cmp(value),
        (ValueRef::Number(cell), Value::Number(value)) => cell.partial_cmp(value),
        (ValueRef::Boolean(cell), Value::Boolean(value)) => Some(cell.cmp(value)),
        _ => None,
    }
}
