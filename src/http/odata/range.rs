//! Bounds that follow from a filter for every row that it accepts: its days and its KPIs. A dataset that knows them
//! does not read what the filter would reject.

use chrono::NaiveDate;

use crate::bi::{
    model::dataset::Column,
    model::days::DayRange,
    model::filter::{Comparison, Filter},
    model::value::Value,
};

/// The range that contains every row which the filter accepts.
#[must_use]
pub fn day_range_implied_by_filter(filter: &Filter, of: &Column) -> DayRange {
    // The last day that there is has no next one.
    let next = |day: NaiveDate| Some(day.succ_opt().unwrap_or(NaiveDate::MAX));
    match filter {
        Filter::All(all) => all
            .iter()
            .map(|one| day_range_implied_by_filter(one, of))
            .fold(DayRange::default(), DayRange::intersect),
        Filter::Compare(column, how, Value::Day(day)) if column.name == of.name => match how {
            Comparison::Equal => DayRange::new(Some(*day), next(*day)),
            Comparison::AtLeast => DayRange::new(Some(*day), None),
            Comparison::Above => DayRange::new(next(*day), None),
            Comparison::Below => DayRange::new(None, Some(*day)),
            Comparison::AtMost => DayRange::new(None, next(*day)),
            Comparison::NotEqual => DayRange::default(),
        },
        Filter::In(column, values) if column.name == of.name => {
            let days = values.iter().filter_map(|value| match value {
                Value::Day(day) => Some(*day),
                _ => None,
            });
            let (first, last) = (days.clone().min(), days.max());
            DayRange::new(first, last.and_then(next))
        }
        // `or` and `not` bound nothing here: too wide a range is only slower, one that is too narrow would lose rows.
        _ => DayRange::default(),
    }
}

/// The lists that contain the column's text in every row which the filter accepts: all of them apply.
#[must_use]
pub fn text_lists_implied_by_filter(filter: &Filter, of: &Column) -> Vec<Vec<String>> {
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    match filter {
        Filter::All(all) => all
            .iter()
            .flat_map(|one| text_lists_implied_by_filter(one, of))
            .collect(),
        Filter::Compare(column, Comparison::Equal, value) if column.name == of.name => {
            text(value).map(|text| vec![text]).into_iter().collect()
        }
        Filter::In(column, values) if column.name == of.name => {
            vec![values.iter().filter_map(text).collect()]
        }
        _ => Vec::new(),
    }
}
