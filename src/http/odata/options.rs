//! Parses the query options of a request, with all their faults: an unknown option is a fault, and one that OData has
//! and this face does not is told apart from it. No database is asked.

use odata_filter::{Fault, Literal, parse_filter};

use super::{bind, range, token};
use crate::{
    bi::{
        default_days::cover_whole_periods,
        model::dataset::{Column, Dataset, SeriesPeriods},
        model::filter::{Comparison, Filter},
        model::query::{self, DatasetQuery, MOST_DAYS, SortDirection},
        model::value::Value,
        series::{Dimension, SeriesRequest},
    },
    http::bi::params::QueryPairs,
    judgement::period::Grain,
    scalar::{DAY_OUT_OF_RANGE, is_day_in_range},
};

/// What a request wants of a dataset.
#[derive(Clone, Copy, Debug)]
pub enum ResourceKind<'k> {
    /// A page of its rows.
    Rows,
    /// How many there are.
    Count,
    /// The row with this key.
    Row(&'k Literal),
}

/// The options of a request, as a query of the dataset and what its answer shows.
pub struct ParsedODataOptions {
    pub query: DatasetQuery,
    /// The first columns of the query, which are shown; those after them are read for the link to the next page.
    pub shown: usize,
    /// Whether `$select` chose the columns.
    pub chosen: bool,
    /// `$count`: whether the answer has the number of rows over all pages.
    pub count: bool,
    /// `$top`: most rows over all pages.
    pub top: Option<u64>,
}

/// Most options of a request.
const MOST: usize = 50;

/// Options of lists of rows and their numbers.
const ROWS: &[&str] = &[
    "$select",
    "$filter",
    "$orderby",
    "$top",
    "$skip",
    "$count",
    "$skiptoken",
    "$format",
];
/// Options of one row.
const ROW: &[&str] = &["$select", "$format"];

/// The options after the question mark; a plus is a space, as forms have it and most clients send it.
#[must_use]
pub fn parse_query_pairs(query: &str) -> QueryPairs {
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// The value of an option that was sent exactly once.
#[must_use]
pub fn single_option_value<'s>(sent: &'s QueryPairs, name: &str) -> Option<&'s str> {
    let mut all = sent.iter().filter(|(other, _)| other == name);
    let one = all.next().map(|(_, value)| value.as_str());
    // An option that is sent twice has no value here: `add_unknown_option_faults` finds fault with it, and neither of
    // the two is taken.
    one.filter(|_| all.next().is_none())
}

/// Parses the options of a request to a dataset.
///
/// # Errors
/// Every fault, not only the first.
pub fn parse_options(
    dataset: &'static Dataset,
    subject: ResourceKind<'_>,
    sent: &QueryPairs,
) -> Result<ParsedODataOptions, Vec<Fault>> {
    if sent.len() > MOST {
        let message = format!("A request has at most {MOST} options.");
        return Err(vec![Fault::bad_request(message)]);
    }
    let mut parser = OptionsParser {
        dataset,
        sent,
        faults: Vec::new(),
    };
    parser.add_unknown_option_faults(subject);
    let params = parser.parse(subject);
    match parser.faults.is_empty() {
        true => Ok(params),
        false => Err(parser.faults),
    }
}

/// The faults of the options of the service document and of `$metadata`, which take `$format` alone.
#[must_use]
pub fn faults_of_options_except_format(sent: &QueryPairs) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, _) in sent.iter().take(MOST) {
        if name != "$format" {
            faults.push(unknown_option_fault(
                name,
                "This address takes no options but $format.",
            ));
        }
    }
    faults
}

/// The fault of an option that is not taken; `otherwise` where it is none of OData's.
fn unknown_option_fault(name: &str, otherwise: &str) -> Fault {
    if name.starts_with('@') {
        return Fault::unsupported("Parameter aliases (@…) are not offered.");
    }
    match name {
        "$expand" => {
            Fault::unsupported("Rows lead nowhere: $expand is not offered. Keys join the datasets.")
        }
        "$apply" => Fault::unsupported(
            "$apply is not offered: rows are given as they are, and grouped by whoever reads them.",
        ),
        "$search" => Fault::unsupported("$search is not offered; $filter has contains."),
        "$compute" => Fault::unsupported("$compute is not offered."),
        "$deltatoken" => Fault::unsupported("$deltatoken is not offered."),
        _ if ROWS.contains(&name) => Fault::bad_request(otherwise),
        _ if name.starts_with('$') => Fault::unsupported(format!(
            "Of OData's query options a dataset offers {}, and no others.",
            ROWS.join(", ")
        )),
        _ => Fault::bad_request(otherwise),
    }
}

/// The options that a dataset takes besides those of OData, each with what makes the sentence that says what it is for.
pub fn custom_options(
    dataset: &Dataset,
) -> impl Iterator<Item = (&'static str, fn() -> String)> + use<> {
    let options: [(_, fn() -> String, _); 3] = [
        (
            "uncounted",
            || "true for rows of drafts, blueprints in review and FUTURE ones as well.".to_owned(),
            dataset.published_only,
        ),
        (
            "grain",
            || {
                format!(
                    "The length of a period: {}.",
                    Grain::ALL.map(Grain::as_str).join(", ")
                )
            },
            dataset.series_periods() == Some(SeriesPeriods::Asked),
        ),
        (
            "by",
            || {
                let dimensions = Dimension::ALL.map(Dimension::as_str).join(", ");
                format!("What rows are told apart by, with commas between them: {dimensions}.")
            },
            dataset.is_series(),
        ),
    ];
    options
        .into_iter()
        .filter_map(|(name, meaning, is_taken)| is_taken.then_some((name, meaning)))
}

/// The options so far, and what is wrong with them.
struct OptionsParser<'s> {
    dataset: &'static Dataset,
    sent: &'s QueryPairs,
    faults: Vec<Fault>,
}

impl OptionsParser<'_> {
    fn add_bad_request_fault(&mut self, sentence: impl Into<String>) {
        self.faults.push(Fault::bad_request(sentence));
    }

    fn add_unknown_option_faults(&mut self, subject: ResourceKind<'_>) {
        let mut names = match subject {
            ResourceKind::Row(_) => ROW.to_vec(),
            ResourceKind::Rows | ResourceKind::Count => ROWS.to_vec(),
        };
        names.extend(custom_options(self.dataset).map(|(name, _)| name));
        let otherwise = format!(
            "{} does not take every option that was sent; it takes {}.",
            self.dataset.name,
            names.join(", ")
        );
        for (at, (name, _)) in self.sent.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                self.faults.push(unknown_option_fault(name, &otherwise));
            } else if self.sent.iter().take(at).any(|(other, _)| other == name) {
                self.add_bad_request_fault(format!("`{name}` is sent once."));
            }
        }
    }

    fn parse(&mut self, subject: ResourceKind<'_>) -> ParsedODataOptions {
        let mut query = DatasetQuery::new(self.dataset);
        query.include_drafts = self.parse_flag("uncounted");
        let mut params = ParsedODataOptions {
            shown: query.columns.len(),
            query,
            chosen: false,
            count: false,
            top: None,
        };
        match subject {
            ResourceKind::Row(key) => {
                params.query.filter = self.build_key_filter(key);
                self.parse_select(&mut params);
            }
            // Options without a meaning for a number of rows ($select, $orderby, $top, …) are passed over, as the
            // standard wants.
            ResourceKind::Count => params.query.filter = self.parse_filter(),
            ResourceKind::Rows => {
                params.query.filter = self.parse_filter();
                self.parse_select(&mut params);
                self.parse_order(&mut params.query);
                params.top = self.parse_number("$top");
                params.query.offset = self.parse_number("$skip");
                params.count = self.parse_flag("$count");
                self.parse_skiptoken(&mut params);
            }
        }
        self.set_days_from_filter(&mut params.query);
        if let Some(periods) = self.dataset.series_periods() {
            params.query.series = self.parse_series_request(periods, &params.query);
            return params;
        }
        if let Some(kpi) = self.dataset.filter_column("kpi") {
            for keys in range::text_lists_implied_by_filter(&params.query.filter, kpi) {
                params.query.narrow_measurements_to_kpis(&keys);
            }
        }
        params
    }

    /// The query of a series: its days and KPIs follow from the filter, its grain and dimensions from options of its
    /// own.
    fn parse_series_request(
        &mut self,
        periods: SeriesPeriods,
        query: &DatasetQuery,
    ) -> Option<SeriesRequest> {
        let sent = single_option_value(self.sent, "grain");
        let grain = sent.and_then(Grain::from_name);
        if sent.is_some() && grain.is_none() {
            self.add_bad_request_fault(Grain::invalid_grain_message());
        }
        let named = |name: &str| {
            Dimension::ALL
                .into_iter()
                .find(|dimension| dimension.as_str() == name.trim())
        };
        let sent = single_option_value(self.sent, "by");
        let by = sent.map(|by| by.split(',').filter(|name| !name.is_empty()).map(named));
        let by: Option<Option<Vec<Dimension>>> = by.map(Iterator::collect);
        if by == Some(None) {
            let names = Dimension::ALL.map(Dimension::as_str).join(", ");
            self.add_bad_request_fault(format!("`by` is one or some of {names}."));
        }
        let mut question = SeriesRequest::for_pull(periods, grain, by.flatten());
        if let Err(error) = cover_whole_periods(&mut question, query.range) {
            self.add_bad_request_fault(error.to_string());
        }
        question.include_drafts = query.include_drafts;
        let kpi = self.dataset.filter_column("kpi")?;
        // Of several KPIs together no row names one: the filter would change what they come to.
        if question.groups_by(Dimension::Kpi) {
            question.kpis = range::text_lists_implied_by_filter(&query.filter, kpi)
                .into_iter()
                .next();
        }
        Some(question)
    }

    fn parse_flag(&mut self, name: &str) -> bool {
        match single_option_value(self.sent, name) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.add_bad_request_fault(format!("`{name}` is true or false."));
                false
            }
        }
    }

    fn parse_number(&mut self, name: &str) -> Option<u64> {
        let text = single_option_value(self.sent, name)?;
        // Rust would also take a plus sign, which in a query string may be a space.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        if number.is_none() {
            self.add_bad_request_fault(format!("`{name}` is a whole number from 0 on."));
        }
        number
    }

    fn parse_filter(&mut self) -> Filter {
        let Some(text) = single_option_value(self.sent, "$filter") else {
            return Filter::default();
        };
        match parse_filter(text) {
            Ok(expression) => {
                bind::translate_filter_expression(self.dataset, &expression, &mut self.faults)
            }
            Err(fault) => {
                self.faults.push(fault);
                Filter::default()
            }
        }
    }

    fn build_key_filter(&mut self, key: &Literal) -> Filter {
        let column = self.dataset.column(self.dataset.key);
        let value =
            column.and_then(|column| Some((column, bind::literal_to_column_value(column, key)??)));
        if matches!(value, Some((_, Value::Day(day))) if !is_day_in_range(day)) {
            self.add_bad_request_fault(DAY_OUT_OF_RANGE);
        }
        match value {
            Some((column, value)) => Filter::Compare(column, Comparison::Equal, value),
            // A key that cannot be one is nobody's.
            None => Filter::Any(Vec::new()),
        }
    }

    fn find_column(&mut self, option: &str, name: &str) -> Option<&'static Column> {
        let column = self.dataset.column(name);
        if column.is_none() {
            let names: Vec<&str> = self.dataset.columns.iter().map(|one| one.name).collect();
            let fault = match name.contains(['/', '(']) {
                true => Fault::unsupported(format!(
                    "`{option}` takes columns alone: paths and functions are not offered in it."
                )),
                false => Fault::bad_request(format!("`{option}` takes {}.", names.join(", "))),
            };
            self.faults.push(fault);
        }
        column
    }

    fn parse_select(&mut self, params: &mut ParsedODataOptions) {
        let Some(text) = single_option_value(self.sent, "$select") else {
            return;
        };
        let mut columns: Vec<&'static Column> = Vec::new();
        for name in text.split(',').map(str::trim) {
            if name == "*" {
                return;
            }
            match self.find_column("$select", name) {
                Some(column) if columns.iter().any(|one| one.name == column.name) => {}
                Some(column) => columns.push(column),
                None => return,
            }
        }
        params.shown = columns.len();
        params.chosen = true;
        params.query.columns = columns;
    }

    fn parse_order(&mut self, query: &mut DatasetQuery) {
        let Some(text) = single_option_value(self.sent, "$orderby") else {
            return;
        };
        for item in text.split(',') {
            let mut words = item.split_whitespace();
            let Some(column) = self.find_column("$orderby", words.next().unwrap_or_default())
            else {
                return;
            };
            let way = match (words.next(), words.next()) {
                (None | Some("asc"), None) => SortDirection::Ascending,
                (Some("desc"), None) => SortDirection::Descending,
                _ => {
                    self.add_bad_request_fault("`$orderby` takes columns, each with asc or desc after it or neither, with commas between them.");
                    return;
                }
            };
            if query
                .order
                .iter()
                .all(|(other, _)| other.name != column.name)
            {
                query.order.push((column, way));
            }
            // Read after those that are shown: the link to the next page holds the last row's values in them.
            if query.columns.iter().all(|other| other.name != column.name) {
                query.columns.push(column);
            }
        }
    }

    fn parse_skiptoken(&mut self, params: &mut ParsedODataOptions) {
        let Some(text) = single_option_value(self.sent, "$skiptoken") else {
            return;
        };
        match token::decode_skiptoken(self.dataset, &params.query.order, text) {
            Some((place, held)) => {
                params.query.after = Some(place);
                params.query.after_values = held;
            }
            None => {
                self.add_bad_request_fault("`$skiptoken` is none that a page of this list gave.")
            }
        }
    }

    /// The days of a query, where the dataset reads a range of them: as far as its ends follow from the filter. Those of
    /// series are the days on which periods begin.
    fn set_days_from_filter(&mut self, query: &mut DatasetQuery) {
        let day = self.dataset.day.and_then(|day| self.dataset.column(day));
        let Some(day) = day.filter(|_| self.dataset.needs_days) else {
            return;
        };
        query.range = range::day_range_implied_by_filter(&query.filter, day);
        let Some((from, to)) = query.range.ends() else {
            return;
        };
        match query::list_days_between(from, to) {
            Some(days) => query.days = days,
            None => self.add_bad_request_fault(format!(
                "`$filter` on {} spans at most {MOST_DAYS} days.",
                day.name
            )),
        }
    }
}

/// Whether a row is found by its key alone: its dataset needs no days, or the key is the day.
#[must_use]
pub fn is_readable_by_key_alone(dataset: &Dataset) -> bool {
    !dataset.needs_days || dataset.day == Some(dataset.key)
}
