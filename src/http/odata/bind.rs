//! Binds a `$filter` to the columns of a dataset: from OData's expression to the filter model that every face has.
//! Literals are read by the column's type. An empty cell is OData's null: it equals null, and nothing else compares
//! with it.

use chrono::{Datelike, NaiveDate, NaiveTime};
use entity::id;

use odata_filter::{
    ComparisonOperator, Expression, Fault, Literal, Operand, PropertyFunction, TextFunction,
};

use crate::bi::{
    model::dataset::{Column, ColumnType, Dataset},
    model::filter::{CellFunction, Comparison, Filter, TextPosition},
    model::letter_case::{LetterCase, MOST_REPLACED},
    model::value::Value,
};

/// The filter of an expression. Its faults are added to `faults`; with any of them the filter means nothing.
pub fn translate_filter_expression(
    dataset: &Dataset,
    expression: &Expression,
    faults: &mut Vec<Fault>,
) -> Filter {
    let mut translator = FilterTranslator {
        dataset,
        faults,
        replaced: 0,
    };
    translator.translate_condition(expression)
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
        (ColumnType::Day, Literal::Date(_) | Literal::DateTime(_)) => {
            Value::Day(day_of_literal(literal)?)
        }
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

/// What is compared is a column with a value.
const NO_COLUMN: &str =
    "`$filter` compares one column with values, and not columns or values with each other.";

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
    /// Letters that are put in the place of others so far.
    replaced: usize,
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
            Expression::Is(inner, true) => Filter::Known(Box::new(self.translate_condition(inner))),
            Expression::Is(inner, false) => {
                Filter::Known(Box::new(negate(self.translate_condition(inner))))
            }
            Expression::Text(function, within, text) => {
                self.translate_text_function(within, *function, text)
            }
            Expression::In(Operand::Property(name), literals) => {
                self.translate_in_list(name, literals, Self::compare_column)
            }
            Expression::In(Operand::Function(function, name), literals) => {
                let compare = |this: &mut Self, column, how, literal: &Literal| {
                    this.compare_function(*function, column, how, literal)
                };
                self.translate_in_list(name, literals, compare)
            }
            Expression::Compare(Operand::Property(name), how, Operand::Literal(literal)) => {
                self.translate_comparison(name, comparison_from_operator(*how), literal)
            }
            Expression::Compare(Operand::Literal(literal), how, Operand::Property(name)) => {
                self.translate_comparison(name, swap_sides(comparison_from_operator(*how)), literal)
            }
            Expression::Compare(
                Operand::Function(function, name),
                how,
                Operand::Literal(literal),
            ) => self.translate_function_comparison(
                *function,
                name,
                comparison_from_operator(*how),
                literal,
            ),
            Expression::Compare(
                Operand::Literal(literal),
                how,
                Operand::Function(function, name),
            ) => {
                let how = swap_sides(comparison_from_operator(*how));
                self.translate_function_comparison(*function, name, how, literal)
            }
            Expression::In(..) | Expression::Compare(..) => self.add_unsupported_fault(NO_COLUMN),
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
        within: &Operand,
        function: TextFunction,
        text: &str,
    ) -> Filter {
        let (name, case) = match within {
            Operand::Property(name) => (name, None),
            Operand::Function(function, name) => (name, case_of_function(*function)),
            Operand::Literal(_) => return self.add_unsupported_fault(NO_COLUMN),
        };
        let Some(column) = self.find_column(name) else {
            return no_rows_filter();
        };
        let name = column.name;
        match column.of {
            ColumnType::Text | ColumnType::Word(_) => match case {
                // A text in one case has none in it that is not; of an empty cell it is unknown.
                Some(case) if case.of_text(text) != text => negate(Filter::Has(
                    column,
                    None,
                    TextPosition::Anywhere,
                    String::new(),
                )),
                Some(case) if !self.is_foldable(case, text) => no_rows_filter(),
                _ => Filter::Has(
                    column,
                    case,
                    position_searched_by(function),
                    text.to_owned(),
                ),
            },
            ColumnType::Id(_) => self.add_unsupported_fault(format!(
                "`{name}` is an id: contains, startswith and endswith are offered for texts alone."
            )),
            _ => self.add_bad_request_fault(format!(
                "`{name}` is no text: contains, startswith and endswith look into texts alone."
            )),
        }
    }

    fn translate_in_list(
        &mut self,
        name: &str,
        literals: &[Literal],
        compare: impl Fn(&mut Self, &'static Column, Comparison, &Literal) -> Filter,
    ) -> Filter {
        let Some(column) = self.find_column(name) else {
            return no_rows_filter();
        };
        let before = self.faults.len();
        let mut each = Vec::new();
        for literal in literals {
            each.push(compare(self, column, Comparison::Equal, literal));
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

    fn translate_function_comparison(
        &mut self,
        function: PropertyFunction,
        name: &str,
        how: Comparison,
        literal: &Literal,
    ) -> Filter {
        match self.find_column(name) {
            Some(column) => self.compare_function(function, column, how, literal),
            None => no_rows_filter(),
        }
    }

    fn compare_function(
        &mut self,
        function: PropertyFunction,
        column: &'static Column,
        how: Comparison,
        literal: &Literal,
    ) -> Filter {
        let (takes, fits) = match function {
            PropertyFunction::Length | PropertyFunction::ToLower | PropertyFunction::ToUpper => (
                "a text",
                matches!(column.of, ColumnType::Text | ColumnType::Word(_)),
            ),
            PropertyFunction::Year
            | PropertyFunction::Month
            | PropertyFunction::Day
            | PropertyFunction::Date => (
                "a day or a moment",
                matches!(column.of, ColumnType::Day | ColumnType::Instant),
            ),
        };
        if !fits {
            let (function, name) = (function.as_str(), column.name);
            return self.add_bad_request_fault(format!("`{function}({name})` takes {takes}."));
        }
        match function {
            _ if *literal == Literal::Null => compare_with_null(column, how),
            PropertyFunction::Year => self.compare_year(column, how, literal),
            PropertyFunction::Date => self.compare_date(column, how, literal),
            PropertyFunction::Month => {
                self.compare_number(function, CellFunction::Month, column, how, literal)
            }
            PropertyFunction::Day => {
                self.compare_number(function, CellFunction::DayOfMonth, column, how, literal)
            }
            PropertyFunction::Length => {
                self.compare_number(function, CellFunction::Length, column, how, literal)
            }
            PropertyFunction::ToLower => self.compare_case(LetterCase::Small, column, how, literal),
            PropertyFunction::ToUpper => {
                self.compare_case(LetterCase::Capital, column, how, literal)
            }
        }
    }

    /// A part of a day or a moment, or the length of a text, with a number.
    fn compare_number(
        &mut self,
        function: PropertyFunction,
        of_cell: CellFunction,
        column: &'static Column,
        how: Comparison,
        literal: &Literal,
    ) -> Filter {
        match literal {
            Literal::Number(number) if number.is_nan() => compare_with_nonexistent_value(how),
            Literal::Number(number) => {
                Filter::Derived(column, of_cell, how, integer_or_number(*number))
            }
            _ => {
                let (function, name) = (function.as_str(), column.name);
                self.add_bad_request_fault(format!(
                    "`{function}({name})` is compared with a number such as 5, or with null."
                ))
            }
        }
    }

    /// Whether the filter still has few enough letters that others become in one case; else a fault is added.
    fn is_foldable(&mut self, case: LetterCase, text: &str) -> bool {
        self.replaced += case.replacements(text).len();
        let foldable = self.replaced <= MOST_REPLACED;
        if !foldable {
            self.add_unsupported_fault(format!(
                "With tolower and toupper `$filter` tells at most {MOST_REPLACED} letters apart, ASCII ones aside."
            ));
        }
        foldable
    }

    /// A text in one case equals one that is in that case already.
    fn compare_case(
        &mut self,
        case: LetterCase,
        column: &'static Column,
        how: Comparison,
        literal: &Literal,
    ) -> Filter {
        let name = column.name;
        let Literal::String(text) = literal else {
            return self.add_bad_request_fault(format!(
                "`{name}` in one case is compared with a text in quotes, or with null."
            ));
        };
        if !matches!(how, Comparison::Equal | Comparison::NotEqual) {
            return self.add_unsupported_fault(
                "What tolower and toupper give is compared with eq, ne and in alone.",
            );
        }
        if case.of_text(text) != *text {
            return compare_with_nonexistent_value(how);
        }
        if !self.is_foldable(case, text) {
            return no_rows_filter();
        }
        let value = Value::Text(text.clone());
        Filter::Derived(column, CellFunction::Case(case), how, value)
    }

    /// The day of a moment (UTC) is the moments from its beginning to that of the next one.
    fn compare_date(
        &mut self,
        column: &'static Column,
        how: Comparison,
        literal: &Literal,
    ) -> Filter {
        let begins = |day: NaiveDate| Value::Instant(day.and_time(NaiveTime::MIN).and_utc());
        match (column.of, day_of_literal(literal)) {
            (ColumnType::Day, _) => self.compare_column(column, how, literal),
            (_, Some(day)) => {
                // The last day that four digits spell, with which clients say that there is no end, has no next one.
                let next = day.succ_opt().filter(|next| next.year() <= 9_999);
                compare_with_span(column, how, (begins(day), next.map(begins)))
            }
            (_, None) => {
                let name = column.name;
                self.add_bad_request_fault(format!(
                    "`date({name})` is compared with a day such as 2025-03-01, without quotes."
                ))
            }
        }
    }

    /// A year is the days, or the moments, from its beginning to that of the next one.
    fn compare_year(
        &mut self,
        column: &'static Column,
        how: Comparison,
        literal: &Literal,
    ) -> Filter {
        let begins = |year: i32| {
            let day = NaiveDate::from_ymd_opt(year, 1, 1)?;
            match column.of {
                ColumnType::Day => Some(Value::Day(day)),
                ColumnType::Instant => Some(Value::Instant(day.and_time(NaiveTime::MIN).and_utc())),
                _ => None,
            }
        };
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
        let Some(bounds) = bounds else {
            let name = column.name;
            return self.add_bad_request_fault(format!(
                "`year({name})` takes a day or a moment and is compared with a year such as 2025."
            ));
        };
        let (this, next) = bounds;
        compare_with_span(column, how, (this, Some(next)))
    }
}

/// The comparison of what a cell lies in, which reaches from `this` to `next`, or to the end of time. By bounds and not
/// by a function of the cell: an index on the column can answer these.
fn compare_with_span(
    column: &'static Column,
    how: Comparison,
    (this, next): (Value, Option<Value>),
) -> Filter {
    let bound = |how, at| Filter::Compare(column, how, at);
    let before_next = match next.clone() {
        Some(next) => bound(Comparison::Below, next),
        None => negate(Filter::Empty(column)),
    };
    let within = |this| Filter::All(vec![bound(Comparison::AtLeast, this), before_next.clone()]);
    match how {
        Comparison::Equal => within(this),
        Comparison::NotEqual => negate(within(this)),
        Comparison::Below => bound(Comparison::Below, this),
        Comparison::AtMost => before_next,
        Comparison::Above => match next {
            Some(next) => bound(Comparison::AtLeast, next),
            None => no_rows_filter(),
        },
        Comparison::AtLeast => bound(Comparison::AtLeast, this),
    }
}

const fn case_of_function(function: PropertyFunction) -> Option<LetterCase> {
    match function {
        PropertyFunction::ToLower => Some(LetterCase::Small),
        PropertyFunction::ToUpper => Some(LetterCase::Capital),
        _ => None,
    }
}

/// A day, also as its first moment: JavaScript has days in no other form.
fn day_of_literal(literal: &Literal) -> Option<NaiveDate> {
    match literal {
        Literal::Date(day) => Some(*day),
        Literal::DateTime(at) => (at.time() == NaiveTime::MIN).then(|| at.date_naive()),
        _ => None,
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
