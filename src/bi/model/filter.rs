//! The one model of a filter over a dataset's columns: written as SQL for rows that come from the database, evaluated
//! for each row that is computed. It knows nothing of who asks: what they may see is decided before it.

use std::cmp::Ordering;

use chrono::Datelike;
use sea_orm::DbBackend;

use super::{
    dataset::{Column, ColumnType},
    letter_case::LetterCase,
    value::{Value, ValueRef},
};
use crate::statement::SqlBuilder;

/// Compute steps of evaluating one term for one row.
const TERM: usize = 4;

/// Which rows to give. Every comparison is true or false, also with an empty cell: an empty cell equals nothing,
/// differs from every value and is neither above nor below it. Whether an empty cell has a text in it is unknown, and
/// so is whether it has not; what is unknown gives no row.
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
    /// What a function makes of the cell, compared.
    Derived(&'static Column, CellFunction, Comparison, Value),
    /// The cell is a text with this one in it, to the letter; the cell in one case where that is said.
    Has(&'static Column, Option<LetterCase>, TextPosition, String),
    /// It is known to hold.
    Known(Box<Self>),
    Empty(&'static Column),
}

/// What is compared of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellFunction {
    /// The month of a day or a moment (UTC), from 1 to 12.
    Month,
    /// The day of its month, from 1.
    DayOfMonth,
    /// The letters of a text, counted.
    Length,
    /// The text in one case; for equality alone.
    Case(LetterCase),
}

impl CellFunction {
    fn append_to_sql(self, text: SqlBuilder, column: &Column, value: &Value) -> SqlBuilder {
        let name = column.name;
        let postgres = text.backend() == DbBackend::Postgres;
        let part = |part: &str, at: usize| match (postgres, column.of) {
            (true, ColumnType::Instant) => {
                format!("CAST(extract({part} FROM {name} AT TIME ZONE 'UTC') AS integer)")
            }
            (true, _) => format!("CAST(extract({part} FROM {name}) AS integer)"),
            // Both are texts that begin with a day.
            (false, _) => format!("CAST(substr({name}, {at}, 2) AS integer)"),
        };
        match (self, value) {
            (Self::Month, _) => text.then(&part("month", 6)),
            (Self::DayOfMonth, _) => text.then(&part("day", 9)),
            (Self::Length, _) => text.then(&format!("length({name})")),
            (Self::Case(case), Value::Text(wanted)) => case.append_to_sql(text, name, wanted),
            (Self::Case(_), _) => text.then(name),
        }
    }

    fn of_cell(self, cell: ValueRef<'_>) -> Option<Value> {
        let number = |number: u32| i32::try_from(number).ok().map(Value::Integer);
        match (self, cell) {
            (Self::Month, ValueRef::Day(day)) => number(day.month()),
            (Self::Month, ValueRef::Instant(at)) => number(at.month()),
            (Self::DayOfMonth, ValueRef::Day(day)) => number(day.day()),
            (Self::DayOfMonth, ValueRef::Instant(at)) => number(at.day()),
            (Self::Length, ValueRef::Text(text)) => {
                i32::try_from(text.chars().count()).ok().map(Value::Integer)
            }
            (Self::Case(case), ValueRef::Text(text)) => Some(Value::Text(case.of_text(text))),
            _ => None,
        }
    }
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

impl Comparison {
    const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether it holds of a cell in this order to the value; none where the cell is empty.
    fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Below => order == Some(Ordering::Less),
            Self::AtMost => order.is_some_and(Ordering::is_le),
            Self::Above => order == Some(Ordering::Greater),
            Self::AtLeast => order.is_some_and(Ordering::is_ge),
        }
    }
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
    /// to false. What is unknown here is NULL there.
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
            Self::Derived(column, function, Comparison::NotEqual, value) => {
                let text = function.append_to_sql(text.then("("), column, value);
                append_value(text.then(" IS DISTINCT FROM "), value).then(")")
            }
            Self::Known(inner) => inner
                .append_null_safe_to_sql(text.then("COALESCE("), inside_not)
                .then(", FALSE)"),
            Self::Has(..) => self.append_single_condition(text.then("(")).then(")"),
            _ if inside_not => self
                .append_single_condition(text.then("COALESCE("))
                .then(", FALSE)"),
            _ => self.append_single_condition(text.then("(")).then(")"),
        }
    }

    fn append_single_condition(&self, text: SqlBuilder) -> SqlBuilder {
        match self {
            Self::Compare(column, how, value) => append_value(
                text.then(&format!("{} {} ", column.name, how.sign())),
                value,
            ),
            Self::Derived(column, function, how, value) => {
                let text = function.append_to_sql(text, column, value);
                append_value(text.then(&format!(" {} ", how.sign())), value)
            }
            Self::In(column, values) => text
                .then(&format!("{} IN ", column.name))
                .list(values.iter().map(sea_orm::Value::from)),
            Self::Keys(column, keys) => text
                .then(&format!("lower({}) IN ", column.name))
                .list(keys.iter().map(|key| key.to_ascii_lowercase())),
            Self::Has(column, case, position, wanted) => {
                append_text_match(text, (column.name, *case), *position, wanted)
            }
            other => other.append_null_safe_to_sql(text, false),
        }
    }

    /// Compute steps of evaluating it for one computed row.
    #[must_use]
    pub fn step_cost(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::step_cost).sum(),
            Self::Not(inner) | Self::Known(inner) => inner.step_cost(),
            Self::In(_, values) => TERM * values.len(),
            Self::Keys(_, keys) => TERM * keys.len(),
            // Each letter is looked at.
            Self::Derived(_, CellFunction::Case(_), ..) | Self::Has(_, Some(_), ..) => 50 * TERM,
            Self::Compare(..) | Self::Derived(..) | Self::Has(..) | Self::Empty(_) => TERM,
        }
    }

    /// Whether a row that is computed passes; `cell` gives its cell of a column.
    pub fn passes<'r>(&self, cell: &impl Fn(&Column) -> ValueRef<'r>) -> bool {
        self.truth(cell) == Some(true)
    }

    /// Whether it holds of a row; none where that is unknown.
    fn truth<'r>(&self, cell: &impl Fn(&Column) -> ValueRef<'r>) -> Option<bool> {
        Some(match self {
            Self::All(all) => return join_truths(all, false, cell),
            Self::Any(any) => return join_truths(any, true, cell),
            Self::Not(inner) => !inner.truth(cell)?,
            Self::Known(inner) => inner.truth(cell) == Some(true),
            Self::Empty(column) => cell(column) == ValueRef::Empty,
            Self::In(column, values) => values
                .iter()
                .any(|value| compare_cell_with_value(cell(column), value) == Some(Ordering::Equal)),
            Self::Keys(column, keys) => match cell(column) {
                ValueRef::Text(text) => keys.iter().any(|key| key.eq_ignore_ascii_case(text)),
                _ => false,
            },
            Self::Has(column, case, position, wanted) => match (cell(column), case) {
                (ValueRef::Text(text), None) => position.matches_text(text, wanted),
                (ValueRef::Text(text), Some(case)) => {
                    position.matches_text(&case.of_text(text), wanted)
                }
                _ => return None,
            },
            Self::Compare(column, how, value) => {
                how.holds(compare_cell_with_value(cell(column), value))
            }
            Self::Derived(column, function, how, value) => {
                let derived = function.of_cell(cell(column));
                let order = derived
                    .as_ref()
                    .and_then(|derived| compare_cell_with_value(derived.as_ref(), value));
                how.holds(order)
            }
        })
    }
}

/// What parts come to of which the first that `decides` says all; unknown where none does and one is unknown.
fn join_truths<'r>(
    parts: &[Filter],
    decides: bool,
    cell: &impl Fn(&Column) -> ValueRef<'r>,
) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part.truth(cell) {
            Some(truth) if truth == decides => return Some(decides),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!decides)
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
    (column, case): (&str, Option<LetterCase>),
    position: TextPosition,
    wanted: &str,
) -> SqlBuilder {
    let length = wanted.chars().count();
    let append_cell = |text: SqlBuilder| match case {
        None => text.then(column),
        Some(case) => case.append_to_sql(text, column, wanted),
    };
    let text = match position {
        TextPosition::Anywhere => {
            let found = match text.backend() {
                DbBackend::Postgres => "strpos(",
                _ => "instr(",
            };
            return append_cell(text.then(found))
                .then(", ")
                .value(wanted)
                .then(") > 0");
        }
        TextPosition::Beginning => {
            append_cell(text.then("substr(")).then(&format!(", 1, {length}) = "))
        }
        // The case of a text has as many letters as the text.
        TextPosition::End => {
            append_cell(text.then(&format!("length({column}) >= {length} AND substr(")))
                .then(&format!(", length({column}) - {length} + 1) = "))
        }
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
