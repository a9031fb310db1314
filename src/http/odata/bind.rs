//! Binds a `$filter` to the columns of a dataset: from OData's expression to the filter model that every face has.
//! Literals are read by the column's type. An empty cell is OData's null: it equals null, and nothing else compares
//! with it.

use chrono::{NaiveDate, NaiveTime};
use entity::id;

use odata_filter::{ComparisonOperator, Expression, Fault, Literal, Operand, TextFunction};

use crate::bi::{
    model::dataset::{Column, ColumnType, Dataset},
    model::filter::{Comparison, Filter, TextPosition},
    model::value::Value,
};

/// The filter of an expression. Its faults are added to `faults`; with any of them the filter means nothing.
pub fn translate_filter_expression(
    dataset: &Dataset,
    expression: &Expression,
    faults: &mut Vec<Fault>,
) -> Filter {
    FilterTranslator { dataset, faults }.translate_condition(expression)
}

/// A literal as a value of a column: `Some(None)` for null, `None` where it is of another type.
#[must_use]
pub fn literal_to_column_value(column: &Column, literal: &Literal) -> Option<Option<Value>> {
    Some(Some(match (column.of, literal) {
        (_, Literal::Null) => return Some(None),
        (ColumnType::Id(prefix), Literal::String(text)) => {
            Value::Id(prefix, id::parse_with_prefix(text, prefix).ok()?)
        }
        (ColumnType::Text | ColumnType::Word(_), Literal::String(text)) => {
            Value::Text(text.clone())
        }
        (ColumnType::Day, Literal::Date(day)) => Value::Day(*day),
        (ColumnType::Instant, Literal::DateTime(at)) => Value::Instant(*at),
        (ColumnType::Integer, Literal::Number(number)) => integer_or_number(*number),
        (ColumnType::Number, Literal::Number(number)) => Value::Number(*number),
        (ColumnType::Boolean, Literal::Boolean(truth)) => Value::Boolean(*truth),
        _ => return None,
    }))
}

/// A number to compare a column of whole numbers with: as one of them where it is one.
fn integer_or_number(number: f64) -> Value {
    let within =
        number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
    match within {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is a whole number within i32"
        )]
        true => Value::Integer(number as i32),
        false => Value::Number(number),
    }
}

fn no_rows_filter() -> Filter {
    Filter::Any(Vec::new())
}

fn all_rows_filter() -> Filter {
    Filter::All(Vec::new())
}

fn negate(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

struct FilterTranslator<'r> {
    dataset: &'r Dataset,
    faults: &'r mut Vec<Fault>,
}

impl FilterTranslator<'_> {
    fn translate_condition(&mut self, expression: &Expression) -> Filter {
        match expression {
            Expression::And(parts) => Filter::All(self.translate_conditions(parts)),
            Expression::Or(parts) => combine_filters_with_or(self.translate_conditions(parts)),
            Expression::Not(inner) => negate(self.translate_condition(inner)),
            Expression::Boolean(true) => all_rows_filter(),
            Expression::Boolean(false) => no_rows_filter(),
            Expression::Property(name) => self.translate_boolean_column(name),
            Expression::Text(function, name, text) => self.translate_text_function(name, *function, text),
            Expression::In(Operand::Property(name), literals) => self.translate_in_list(name, literals),
            Expression::Compare(Operand::Property(name), how, Operand::Literal(literal)) => {
                self.translate_comparison(name, comparison_from_operator(*how), literal)
            }
            Expression::Compare(Operand::Literal(literal), how, Operand::Property(name)) => {
                self.translate_comparison(name, swap_sides(comparison_from_operator(*how)), literal)
            }
            Expression::Compare(Operand::Year(name), how, Operand::Literal(literal)) => {
                self.translate_year_comparison(name, comparison_from_operator(*how), literal)
            }
            Expression::Compare(Operand::Literal(literal), how, Operand::Year(name)) => {
                self.translate_year_comparison(name, swap_sides(comparison_from_operator(*how)), literal)
            }
            Expression::In(..) | Expression::Compare(..) => {
                self.add_unsupported_fault("`$filter` compares one column with values, and not columns or values with each other.")
            }
        }
    }

    fn translate_conditions(&mut self, parts: &[Expression]) -> Vec<Filter> {
        parts
            .iter()
            .map(|part| self.translate_condition(part))
            .collect()
    }

    fn add_bad_request_fault(&mut self, sentence: impl Into<String>) -> Filter {
        // Goes on with a filter that lets nothing through, so that every fault of a request is found at once.
        self.faults.push(Fault::bad_request(sentence));
        no_rows_filter()
    }

    fn add_unsupported_fault(&mut self, sentence: impl Into<String>) -> Filter {
        self.faults.push(Fault::unsupported(sentence));
        no_rows_filter()
    }

    fn find_column(&mut self, name: &str) -> Option<&'static Column> {
        let column = self.dataset.column(name);
        if column.is_none() {
            let names: Vec<&str> = self.dataset.columns.iter().map(|one| one.name).collect();
            let (dataset, names) = (self.dataset.name, names.join(", "));
            self.add_bad_request_fault(format!(
                "`$filter` names something that is no column of {dataset}; there are {names}."
            ));
        }
        column
    }

    fn translate_boolean_column(&mut self, name: &str) -> Filter {
        match self.find_column(name) {
            None => no_rows_filter(),
            Some(column) if matches!(column.of, ColumnType::Boolean) => {
                Filter::Compare(column, Comparison::Equal, Value::Boolean(true))
            }
            Some(column) => self.add_bad_request_fault(format!(
                "`{}` is neither true nor false by itself: compare it with something.",
                column.name
            )),
        }
    }

    fn translate_text_function(
        &mut self,
        name: &str,
        function: TextFunction,
        text: &str,
    ) -> Filter {
        let Some(column) = self.find_column(name) else {
            return no_rows_filter();
        };
        let name = column.name;
        match column.of {
            ColumnType::Text | ColumnType::Word(_) => {
                Filter::Has(column, position_searched_by(function), text.to_owned())
            }
            ColumnType::Id(_) => self.add_unsupported_fault(format!(
                "`{name}` is an id: contains, startswith and endswith are offered for texts alone."
            )),
            _ => self.add_bad_request_fault(format!(
                "`{name}` is no text: contains, startswith and endswith look into texts alone."
            )),
        }
    }

    fn translate_in_list(&mut self, name: &str, literals: &[Literal]) -> Filter {
        let Some(column) = self.find_column(name) else {
            return no_rows_filter();
        };
        let before = self.faults.len();
        let mut each = Vec::new();
        for literal in literals {
            each.push(self.compare_column(column, Comparison::Equal, literal));
            // One fault for the list: a thousand literals of a wrong type are one mistake.
            if self.faults.len() > before {
                break;
            }
        }
        combine_filters_with_or(each)
    }

    fn translate_comparison(&mut self, name: &str, how: Comparison, literal: &Literal) -> Filter {
        match self.find_column(name) {
            Some(column) => self.compare_column(column, how, literal),
            None => no_rows_filter(),
        }
    }

    fn compare_column(
        &mut self,
        column: &'static Column,
        how: Comparison,
        literal: &Literal,
    ) -> Filter {
        match (literal_to_column_value(column, literal), column.of, literal) {
            (Some(None), ..) => compare_with_null(column, how),
            // NaN equals nothing in OData, while PostgreSQL has it equal to itself and above all others.
            (Some(Some(Value::Number(number))), ..) if number.is_nan() => {
                compare_with_nonexistent_value(how)
            }
            (Some(Some(value)), ..) => Filter::Compare(column, how, value),
            // A text that is no id equals none: tools send `id ne ''` to leave out empty cells.
            (None, ColumnType::Id(_), Literal::String(_))
                if matches!(how, Comparison::Equal | Comparison::NotEqual) =>
            {
                compare_with_nonexistent_value(how)
            }
            (None, ..) => self.add_bad_request_fault(format!(
                "`{}` is compared with {}, or with null.",
                column.name,
                example_literal(column.of)
            )),
        }
    }

    /// A year is the days, or the moments, from its beginning to that of the next one.
    fn translate_year_comparison(
        &mut self,
        name: &str,
        how: Comparison,
        literal: &Literal,
    ) -> Filter {
        let Some(column) = self.find_column(name) else {
            return no_rows_filter();
        };
        let begins = |year: i32| {
            let day = NaiveDate::from_ymd_opt(year, 1, 1)?;
            match column.of {
                ColumnType::Day => Some(Value::Day(day)),
                ColumnType::Instant => Some(Value::Instant(day.and_time(NaiveTime::MIN).and_utc())),
                _ => None,
            }
        };
        if *literal == Literal::Null {
            return compare_with_null(column, how);
        }
        let year = match literal {
            Literal::Number(number) => Some(integer_or_number(*number)),
            _ => None,
        };
        let bounds = match year {
            Some(Value::Integer(year)) if (0..9_999).contains(&year) => {
                begins(year).zip(begins(year + 1))
            }
            _ => None,
        };
        let Some((this, next)) = bounds else {
            let name = column.name;
            return self.add_bad_request_fault(format!(
                "`year({name})` takes a day or a moment and is compared with a year such as 2025."
            ));
        };
        let bound = |how, at| Filter::Compare(column, how, at);
        // By bounds and not by a function of the day: an index on the column can answer these.
        let within = |this, next| {
            Filter::All(vec![
                bound(Comparison::AtLeast, this),
                bound(Comparison::Below, next),
            ])
        };
        match how {
            Comparison::Equal => within(this, next),
            Comparison::NotEqual => negate(within(this, next)),
            Comparison::Below => bound(Comparison::Below, this),
            Comparison::AtMost => bound(Comparison::Below, next),
            Comparison::Above => bound(Comparison::AtLeast, next),
            Comparison::AtLeast => bound(Comparison::AtLeast, this),
        }
    }
}

/// An `or`. Equals of one column become one `IN`, which databases plan better.
fn combine_filters_with_or(parts: Vec<Filter>) -> Filter {
    let mut listed: Option<(&'static Column, Vec<Value>)> = None;
    let mut others = Vec::new();
    for part in parts {
        let (column, values) = match part {
            Filter::Compare(column, Comparison::Equal, value) => (column, vec![value]),
            Filter::In(column, values) => (column, values),
            other => {
                others.push(other);
                continue;
            }
        };
        match &mut listed {
            None => listed = Some((column, values)),
            Some((same, all)) if same.name == column.name => all.extend(values),
            Some(_) => others.push(Filter::In(column, values)),
        }
    }
    let listed = listed.map(|(column, values)| Filter::In(column, values));
    match (listed, others.is_empty()) {
        (Some(listed), true) => listed,
        (listed, _) => Filter::Any(listed.into_iter().chain(others).collect()),
    }
}

/// Null equals null alone, and is neither above nor below anything.
fn compare_with_null(column: &'static Column, how: Comparison) -> Filter {
    match how {
        // The standard has `le` and `ge` true where both sides are null.
        Comparison::Equal | Comparison::AtMost | Comparison::AtLeast => Filter::Empty(column),
        Comparison::NotEqual => negate(Filter::Empty(column)),
        Comparison::Below | Comparison::Above => no_rows_filter(),
    }
}

/// A comparison with a value that no cell has: every cell differs from it, and none is above or below.
fn compare_with_nonexistent_value(how: Comparison) -> Filter {
    match how {
        Comparison::NotEqual => all_rows_filter(),
        _ => no_rows_filter(),
    }
}

const fn comparison_from_operator(operator: ComparisonOperator) -> Comparison {
    match operator {
        ComparisonOperator::Eq => Comparison::Equal,
        ComparisonOperator::Ne => Comparison::NotEqual,
        ComparisonOperator::Lt => Comparison::Below,
        ComparisonOperator::Le => Comparison::AtMost,
        ComparisonOperator::Gt => Comparison::Above,
        ComparisonOperator::Ge => Comparison::AtLeast,
    }
}

const fn position_searched_by(function: TextFunction) -> TextPosition {
    match function {
        TextFunction::Contains => TextPosition::Anywhere,
        TextFunction::StartsWith => TextPosition::Beginning,
        TextFunction::EndsWith => TextPosition::End,
    }
}

/// The comparison with its sides exchanged.
fn swap_sides(how: Comparison) -> Comparison {
    match how {
        Comparison::Equal | Comparison::NotEqual => how,
        Comparison::Below => Comparison::Above,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::Above => Comparison::Below,
        Comparison::AtLeast => Comparison::AtMost,
    }
}

fn example_literal(of: ColumnType) -> &'static str {
    match of {
        ColumnType::Id(_) => "an id in quotes, as the rows show them",
        ColumnType::Text | ColumnType::Word(_) => "a text in quotes, such as 'text'",
        ColumnType::Day => "a day such as 2025-03-01, without quotes",
        ColumnType::Instant => "a moment such as 2025-03-01T12:00:00Z, without quotes",
        ColumnType::Integer | ColumnType::Number => "a number such as 5 or 6.1, without quotes",
        ColumnType::Boolean => "true or false, without quotes",
    }
}
