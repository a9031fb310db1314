//! What every row of a filter has: the days that it lies between, and the KPIs that it is of. Both keep a dataset from
//! going through what the filter would take away again.

use chrono::NaiveDate;

use crate::bi::{
    model::dataset::Column,
    model::filter::{Comparison, Filter},
    model::value::Value,
};

/// The first day, and the first day that is too late, as far as the filter says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

impl Range {
    fn at(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Self {
        Self { from, to }
    }

    fn and(self, other: Self) -> Self {
        let later = |one: Option<NaiveDate>, other| one.max(other);
        let earlier = |one: Option<NaiveDate>, other: Option<NaiveDate>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self::at(later(self.from, other.from), earlier(self.to, other.to))
    }
}

/// The days that every row of the filter lies between.
#[must_use]
pub fn days(filter: &Filter, of: &Column) -> Range {
    // The last day of all has no next one, and every row lies before that.
    let next = |day: NaiveDate| Some(day.succ_opt().unwrap_or(NaiveDate::MAX));
    match filter {
        Filter::All(all) => all
            .iter()
            .map(|one| days(one, of))
            .fold(Range::default(), Range::and),
        Filter::Compare(column, how, Value::Day(day)) if column.name == of.name => match how {
            Comparison::Equal => Range::at(Some(*day), next(*day)),
            Comparison::AtLeast => Range::at(Some(*day), None),
            Comparison::Above => Range::at(next(*day), None),
            Comparison::Below => Range::at(None, Some(*day)),
            Comparison::AtMost => Range::at(None, next(*day)),
            Comparison::NotEqual => Range::default(),
        },
        Filter::In(column, values) if column.name == of.name => {
            let days = values.iter().filter_map(|value| match value {
                Value::Day(day) => Some(*day),
                _ => None,
            });
            let (first, last) = (days.clone().min(), days.max());
            Range::at(first, last.and_then(next))
        }
        _ => Range::default(),
    }
}

/// The lists of texts that a column of every row is among.
#[must_use]
pub fn among(filter: &Filter, of: &Column) -> Vec<Vec<String>> {
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    match filter {
        Filter::All(all) => all.iter().flat_map(|one| among(one, of)).collect(),
        Filter::Compare(column, Comparison::Equal, value) if column.name == of.name => {
            text(value).map(|text| vec![text]).into_iter().collect()
        }
        Filter::In(column, values) if column.name == of.name => {
            vec![values.iter().filter_map(text).collect()]
        }
        _ => Vec::new(),
    }
}
