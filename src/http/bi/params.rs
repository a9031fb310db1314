//! What the parameters of a feed ask for, read with all their faults: a name or a value that is not known is never
//! passed over.

use chrono::NaiveDate;
use entity::words::{Role, Stage};

use super::encode::{CURSOR, ExtraColumns, FeedEncoding};
use crate::{
    bi::{
        changes::SyncToken,
        model::dataset::{Column, ColumnType, Dataset, SeriesPeriods},
        model::filter::{Comparison, Filter},
        model::query::{self, DatasetQuery, DayRange, MOST_DAYS, RowKey},
        model::value::Value,
        series::{Dimension, SeriesRequest},
    },
    error::{Error, Result},
    input::{REVERSED_RANGE, is_reversed_range},
    judgement::period::Grain,
    scalar::{DAY_OUT_OF_RANGE, Date, is_day_in_range},
    sheet::Dialect,
};

/// Most rows of a page.
pub const LARGEST_PAGE: u64 = 10_000;
/// Most values in all parameters of a request: each becomes a parameter of a statement.
const MOST_VALUES: usize = 1_000;
/// The parameters as they were sent, decoded and in their order: names and values.
pub type QueryPairs = Vec<(String, String)>;

/// What the parameters of a feed ask for.
pub struct FeedParams {
    pub query: DatasetQuery,
    pub encoding: FeedEncoding,
    pub extra: ExtraColumns,
    /// Where an earlier pull stood, of which only what changed since is asked for.
    pub since: Option<SyncToken>,
}

/// The parameters so far, and what is wrong with them.
struct ParamsParser<'p> {
    dataset: &'static Dataset,
    parameters: &'p [(String, String)],
    faults: Vec<String>,
}

/// Reads the parameters after the question mark.
pub fn parse_params(
    dataset: &'static Dataset,
    encoding: FeedEncoding,
    parameters: &[(String, String)],
) -> Result<FeedParams> {
    let mut parser = ParamsParser {
        dataset,
        parameters,
        faults: Vec::new(),
    };
    parser.add_unknown_parameter_fault(encoding);
    parser.add_too_many_values_fault();
    let (columns, cursor) = parser.parse_columns();
    let (from, to) = (parser.parse_day("from"), parser.parse_day("to"));
    let mut query = DatasetQuery::new(dataset);
    query.columns = columns;
    query.range = DayRange::new(from, to);
    query.is_range_of_days = true;
    match dataset.series_periods() {
        Some(periods) => query.series = parser.parse_series_request(periods, query.range),
        None => {
            if is_reversed_range(from, to) {
                parser.faults.push(REVERSED_RANGE.to_owned());
            }
            query.filter = parser.parse_filter(from, to);
            query.days = parser.list_requested_days(query.range);
        }
    }
    query.include_drafts = parser.parse_include_drafts();
    if let Some(question) = &mut query.series {
        question.include_drafts = query.include_drafts;
    }
    query.after = parser.parse_after();
    query.limit = parser.parse_limit();
    if let Some(keys) = parser.read_values("kpi") {
        // The filter lets the same rows through by itself; this spares the database measurements of other KPIs.
        query.narrow_measurements_to_kpis(&keys);
    }
    let (follows, since) = parser.parse_since(&query.columns);
    if since.is_some() {
        query.narrow_measurements_to_days(from, to);
    }
    let encoding = parser.parse_dialect(encoding);
    match parser.faults.is_empty() {
        true => Ok(FeedParams {
            query,
            encoding,
            extra: ExtraColumns {
                is_deleted: follows,
                cursor,
            },
            since,
        }),
        false => Err(Error::BadInput(parser.faults.join(" "))),
    }
}

impl ParamsParser<'_> {
    fn known_parameter_names(&self, encoding: FeedEncoding) -> Vec<&'static str> {
        let dataset = self.dataset;
        let mut names = vec!["columns", "limit", "after"];
        if dataset.day.is_some() || dataset.needs_days {
            names.extend(["from", "to"]);
        }
        if dataset.series_periods() == Some(SeriesPeriods::Asked) {
            names.push("grain");
        }
        if dataset.is_series() {
            names.extend(["by", "role"]);
        }
        if dataset.published_only {
            names.push("uncounted");
        }
        if dataset.is_of_measurements() {
            names.push("updated_since");
        }
        if matches!(encoding, FeedEncoding::Csv { .. }) {
            names.extend(["dialect", "formula_guard"]);
        }
        names.extend(dataset.filters.iter().map(|filter| filter.name));
        names
    }

    fn add_unknown_parameter_fault(&mut self, encoding: FeedEncoding) {
        let names = self.known_parameter_names(encoding);
        for (name, _) in self.parameters {
            if !names.contains(&name.as_str()) {
                let name = self.dataset.name;
                let known = names.join(", ");
                self.faults.push(format!(
                    "{name} does not take every parameter that was sent; it takes {known}."
                ));
                // One sentence lists all that are known: more of them would repeat it.
                return;
            }
        }
    }

    fn add_too_many_values_fault(&mut self) {
        let values = self.parameters.iter();
        let values = values.map(|(_, value)| value.split(',').count());
        if values.sum::<usize>() > MOST_VALUES {
            self.faults.push(format!(
                "A request has at most {MOST_VALUES} values, those with commas between them counted each."
            ));
        }
    }

    /// A parameter that stands there once at the most.
    fn read_single(&mut self, name: &str) -> Option<String> {
        let mut all = self.parameters.iter().filter(|(other, _)| other == name);
        let one = all.next().map(|(_, value)| value.clone());
        if all.next().is_some() {
            self.faults.push(format!("`{name}` is sent once."));
        }
        one
    }

    /// The values of a parameter, sent several times or with commas between them.
    fn read_values(&self, name: &str) -> Option<Vec<String>> {
        let sent = self.parameters.iter().filter(|(other, _)| other == name);
        // Absent and empty differ: an absent list lets all through, an empty one nothing.
        let mut sent = sent.map(|(_, value)| value).peekable();
        sent.peek()?;
        let values = sent.flat_map(|value| value.split(','));
        Some(values.map(|value| value.trim().to_owned()).collect())
    }

    fn parse_day(&mut self, name: &str) -> Option<NaiveDate> {
        let text = self.read_single(name)?;
        let day = Date::from_iso(&text).map(NaiveDate::from);
        match day {
            None => self
                .faults
                .push(format!("`{name}` is a day such as 2026-11-22.")),
            Some(day) if !is_day_in_range(day) => self.faults.push(DAY_OUT_OF_RANGE.to_owned()),
            Some(_) => {}
        }
        day
    }

    /// What a series is asked: its filters look at the rows that values belong to, not at what they come to.
    fn parse_series_request(
        &mut self,
        periods: SeriesPeriods,
        range: DayRange,
    ) -> Option<SeriesRequest> {
        let grain = self.parse_grain();
        let by = self.parse_list_of_allowed_words("by", &Dimension::ALL, Dimension::as_str);
        let roles = self.parse_list_of_allowed_words("role", Role::ALL, Role::as_str);
        let stages = self.parse_list_of_allowed_words("stage", Stage::ALL, Stage::as_str);
        let mut asked = SeriesRequest::for_pull(periods, grain, by);
        if let Some(days) = range.ends() {
            (asked.from, asked.to) = days;
        }
        Some(SeriesRequest {
            kpis: self.read_values("kpi"),
            departments: self.read_values("department"),
            blueprints: self.read_values("blueprint"),
            touchpoints: self.read_values("touchpoint"),
            personas: self.read_values("persona"),
            channels: self.read_values("channel"),
            segments: self.read_values("segment"),
            roles,
            stages,
            ..asked
        })
    }

    fn parse_grain(&mut self) -> Option<Grain> {
        let sent = self.read_single("grain");
        let grain = sent.as_deref().and_then(Grain::from_name);
        if sent.is_some() && grain.is_none() {
            self.faults.push(Grain::invalid_grain_message());
        }
        grain
    }

    fn parse_list_of_allowed_words<W: Copy>(
        &mut self,
        name: &str,
        words: &[W],
        text: fn(W) -> &'static str,
    ) -> Option<Vec<W>> {
        let sent = self.read_values(name)?;
        let named = |value: &String| words.iter().copied().find(|word| text(*word) == value);
        let all: Option<Vec<W>> = sent.iter().map(named).collect();
        if all.is_none() {
            let words: Vec<&str> = words.iter().map(|word| text(*word)).collect();
            self.faults
                .push(format!("`{name}` is one or some of {}.", words.join(", ")));
        }
        all
    }

    /// The days of a range with both ends; none yet where one is open.
    fn list_requested_days(&mut self, range: DayRange) -> Vec<NaiveDate> {
        let Some((from, to)) = range.ends().filter(|_| self.dataset.needs_days) else {
            return Vec::new();
        };
        query::list_days_between(from, to).unwrap_or_else(|| {
            self.faults.push(format!(
                "The range from `from` to `to` has at most {MOST_DAYS} days."
            ));
            Vec::new()
        })
    }

    fn parse_columns(&mut self) -> (Vec<&'static Column>, bool) {
        let Some(text) = self.read_single("columns") else {
            return (self.dataset.columns.iter().collect(), false);
        };
        let (mut columns, mut cursor): (Vec<&Column>, _) = (Vec::new(), false);
        for name in text.split(',').map(str::trim) {
            match self.dataset.column(name) {
                Some(column) if columns.iter().any(|one| one.name == name) => {
                    let name = column.name;
                    self.faults
                        .push(format!("`columns` names {name} more than once."));
                }
                Some(column) => columns.push(column),
                None if name == CURSOR => cursor = true,
                None => {
                    let names: Vec<&str> =
                        self.dataset.columns.iter().map(|one| one.name).collect();
                    self.faults.push(format!(
                        "`columns` are some of {} and {CURSOR}, with commas between them.",
                        names.join(", ")
                    ));
                    break;
                }
            }
        }
        (columns, cursor)
    }

    fn parse_filter(&mut self, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Filter {
        let mut all = Vec::new();
        if let Some(day) = self.dataset.day.and_then(|day| self.dataset.column(day)) {
            let bounds = [(Comparison::AtLeast, from), (Comparison::Below, to)];
            all.extend(
                bounds
                    .into_iter()
                    .filter_map(|(how, at)| Some(Filter::Compare(day, how, Value::Day(at?)))),
            );
        }
        for named in self.dataset.filters {
            let column = self.dataset.filter_column(named.name);
            if let Some((values, column)) = self.read_values(named.name).zip(column) {
                all.extend(self.parse_values_filter(named.name, column, values));
            }
        }
        Filter::All(all)
    }

    fn parse_values_filter(
        &mut self,
        name: &str,
        column: &'static Column,
        values: Vec<String>,
    ) -> Option<Filter> {
        let ColumnType::Word(words) = column.of else {
            return Some(Filter::Keys(column, values));
        };
        let words = words();
        if values.iter().all(|value| words.contains(&value.as_str())) {
            let values = values.into_iter().map(Value::Text).collect();
            return Some(Filter::In(column, values));
        }
        self.faults
            .push(format!("`{name}` is one or some of {}.", words.join(", ")));
        None
    }

    fn parse_include_drafts(&mut self) -> bool {
        self.parse_truth("uncounted", false)
    }

    fn parse_truth(&mut self, name: &str, absent: bool) -> bool {
        match self.read_single(name).as_deref() {
            None => absent,
            Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.faults.push(format!("`{name}` is true or false."));
                absent
            }
        }
    }

    fn parse_after(&mut self) -> Option<RowKey> {
        let cursor = self.read_single("after")?;
        match RowKey::decode(self.dataset, &cursor) {
            Ok(place) => Some(place),
            Err(error) => {
                self.faults.push(error.to_string());
                None
            }
        }
    }

    /// Whether changes are followed, and from where on: an empty mark stands before everything.
    fn parse_since(&mut self, columns: &[&'static Column]) -> (bool, Option<SyncToken>) {
        let Some(text) = self.read_single("updated_since") else {
            return (false, None);
        };
        // Without the id a client could not tell which of its rows to replace.
        if !columns.iter().any(|column| column.name == "measurement_id") {
            self.faults
                .push("With `updated_since`, `columns` have measurement_id among them.".to_owned());
        }
        if text.is_empty() {
            return (true, None);
        }
        let mark = SyncToken::decode(&text);
        if mark.is_none() {
            self.faults.push(
                "`updated_since` has to be the value of the header Updated-Until of an earlier answer, or empty."
                    .to_owned(),
            );
        }
        (true, mark)
    }

    fn parse_limit(&mut self) -> Option<u64> {
        let text = self.read_single("limit")?;
        let limit = text
            .parse()
            .ok()
            .filter(|limit| (1..=LARGEST_PAGE).contains(limit));
        if limit.is_none() {
            self.faults.push(format!(
                "`limit` has to be a number from 1 to {LARGEST_PAGE}; without it all rows are sent."
            ));
        }
        limit
    }

    fn parse_dialect(&mut self, encoding: FeedEncoding) -> FeedEncoding {
        if encoding == FeedEncoding::Ndjson {
            return encoding;
        }
        let dialect = match self.read_single("dialect").as_deref() {
            Some("excel-da") => Dialect::ExcelDa,
            Some("comma") | None => Dialect::Comma,
            Some(_) => {
                self.faults
                    .push("`dialect` is comma or excel-da.".to_owned());
                Dialect::Comma
            }
        };
        let guarded = self.parse_truth("formula_guard", true);
        FeedEncoding::Csv { dialect, guarded }
    }
}
