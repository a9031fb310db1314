//! One question to one dataset: which columns of which rows, in which order. It becomes one statement over the
//! dataset's source, filtered by the database, or is answered from what is kept in memory; what the reader may see is in
//! the source already.

use chrono::{Datelike, NaiveDate};
use entity::{id::MeasurementId, kpi, measurement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use super::{
    cube::Cube,
    datasets::{findings, series},
    facts::with_keys,
    filter::{Comparison, Filter, Value},
    registry::{Column, Dataset, Part, Source},
    row::Shape,
    rows::Rows,
    scope::Scope,
    series::Question,
    since::Changed,
};
use crate::{
    access::Caller, database::Transaction, error::Result, finding::rules::Thresholds, page,
    statement::Text,
};

/// Most days of a range.
pub const MOST_DAYS: usize = 3_660;

/// The days from one up to the one that is too late; nothing where there are more than a range may have.
#[must_use]
pub fn days(from: NaiveDate, to: NaiveDate) -> Option<Vec<NaiveDate>> {
    let days = from.iter_days().take_while(|day| *day < to);
    let days: Vec<NaiveDate> = days.take(MOST_DAYS + 1).collect();
    (days.len() <= MOST_DAYS).then_some(days)
}

/// A question to a dataset.
#[derive(Clone)]
pub struct Query {
    pub dataset: &'static Dataset,
    pub columns: Vec<&'static Column>,
    pub filter: Filter,
    /// Columns to order by before the dataset's own order.
    pub order: Vec<(&'static Column, Direction)>,
    /// The place behind which the rows begin.
    pub after: Option<Place>,
    /// What the row at that place has in the columns of `order`, in each of them.
    pub held: Vec<Option<Value>>,
    pub limit: Option<u64>,
    pub offset: Option<u64>,
    /// The days that are asked about, where the dataset needs that.
    pub days: Vec<NaiveDate>,
    /// Whether drafts, what is in review and FUTURE blueprints are asked for.
    pub uncounted: bool,
    /// From what on something is a finding.
    pub thresholds: Thresholds,
    /// What a series is asked, where it is one.
    pub series: Option<Question>,
    /// What is kept in memory, for rows that are computed from it.
    pub cube: Option<Cube>,
    /// The measurements that are told anew, where only what changed is asked for.
    pub changed: Option<Changed>,
    /// What the filter means for measurements, where that keeps the database from going through others.
    pub(super) narrowed: Condition,
}

/// Which way rows are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// A place in the order of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub(super) Vec<At>);

/// One part of a place. What is empty in a row is the first of all ids in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    Day(NaiveDate),
    Id(Uuid),
}

impl Place {
    /// The place as a cursor: opaque, and without any authority.
    #[must_use]
    pub fn cursor(&self) -> String {
        let parts: Vec<Vec<u8>> = self
            .0
            .iter()
            .map(|part| match part {
                At::Day(day) => day.num_days_from_ce().to_be_bytes().to_vec(),
                At::Id(id) => id.as_bytes().to_vec(),
            })
            .collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        page::encode(&parts)
    }

    /// The place of a cursor that some earlier answer gave.
    pub fn read(dataset: &Dataset, cursor: &str) -> Result<Self> {
        let bytes = page::decode(cursor)?;
        let mut rest = &bytes[..];
        let mut parts = Vec::new();
        for key in dataset.order {
            let part;
            (part, rest) = part_of(key.of, rest).ok_or_else(page::not_a_cursor)?;
            parts.push(part);
        }
        match rest {
            [] => Ok(Self(parts)),
            _ => Err(page::not_a_cursor()),
        }
    }

    /// Its ids, where it is made of ids alone.
    pub(super) fn ids(&self) -> Vec<Uuid> {
        let ids = self.0.iter().filter_map(|part| match part {
            At::Id(id) => Some(*id),
            At::Day(_) => None,
        });
        ids.collect()
    }

    /// Its day, where it begins with one.
    pub(super) fn day(&self) -> Option<NaiveDate> {
        match self.0.first() {
            Some(At::Day(day)) => Some(*day),
            _ => None,
        }
    }
}

fn part_of(of: Part, bytes: &[u8]) -> Option<(At, &[u8])> {
    Some(match of {
        Part::Day => {
            let (day, rest) = bytes.split_first_chunk()?;
            let day = NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(*day))?;
            (At::Day(day), rest)
        }
        Part::Id => {
            let (id, rest) = bytes.split_first_chunk()?;
            (At::Id(Uuid::from_bytes(*id)), rest)
        }
    })
}

impl From<At> for sea_orm::Value {
    fn from(at: At) -> Self {
        match at {
            At::Day(day) => day.into(),
            At::Id(id) => id.into(),
        }
    }
}

impl Query {
    /// Every row and every column of a dataset.
    #[must_use]
    pub fn of(dataset: &'static Dataset) -> Self {
        Self {
            dataset,
            columns: dataset.columns.iter().collect(),
            filter: Filter::default(),
            order: Vec::new(),
            after: None,
            held: Vec::new(),
            limit: None,
            offset: None,
            days: Vec::new(),
            uncounted: false,
            thresholds: Thresholds::default(),
            series: None,
            cube: None,
            changed: None,
            narrowed: Condition::all(),
        }
    }

    /// The rows, one after another, from one moment of the truth that the transaction keeps.
    pub fn rows(self, caller: &Caller, tx: Transaction) -> Result<Rows> {
        let shape = self.shape();
        if let Some(changed) = self.changed.clone() {
            caller.require_somewhere(self.dataset.permission)?;
            return Ok(Rows::changed(caller.clone(), self, changed, tx, shape));
        }
        if self.is_computed() {
            caller.require_somewhere(self.dataset.permission)?;
            return Ok(Rows::computed(caller.clone(), self, tx, shape));
        }
        Ok(match self.statement(caller, tx.get_database_backend())? {
            Some(statement) => Rows::stored(statement, tx, shape),
            None => Rows::none(shape),
        })
    }

    /// Whether the rows are put together here, and not selected.
    fn is_computed(&self) -> bool {
        match self.dataset.source {
            Source::Findings | Source::Series => true,
            Source::Joined { .. } => self.order.is_empty() && self.offset.unwrap_or_default() == 0,
            Source::Sql { .. } => false,
        }
    }

    /// How many rows there are, whatever the limit and the place.
    pub async fn count(&self, caller: &Caller, tx: &Transaction) -> Result<u64> {
        caller.require_somewhere(self.dataset.permission)?;
        let whole = Self {
            after: None,
            limit: None,
            offset: None,
            ..self.clone()
        };
        match self.dataset.source {
            Source::Findings => return Ok(findings::all(caller, tx, &whole).await?.len() as u64),
            Source::Series => return series::number(caller, tx, &whole).await,
            Source::Sql { .. } | Source::Joined { .. } => {}
        }
        let Some(text) = whole.begin(caller, tx.get_database_backend(), "COUNT(*) AS rows")? else {
            return Ok(0);
        };
        let row = tx
            .query_one_raw(self.filter.write(text.then(" WHERE ")).statement())
            .await?;
        let rows: i64 = row.map_or(Ok(0), |row| row.try_get("", "rows"))?;
        Ok(u64::try_from(rows).unwrap_or_default())
    }

    /// Lets the database look at measurements of KPIs with these keys alone; the filter says the same of the rows.
    pub fn narrow_to_kpis(&mut self, keys: &[String]) {
        use measurement::Column::KpiId;
        let these = KpiId.in_subquery(with_keys::<kpi::Entity>(keys));
        self.narrowed = self.narrowed.clone().add(these);
    }

    /// Lets the database look at measurements of these days alone; the filter says the same of the rows.
    pub fn narrow_to_days(&mut self, from: Option<NaiveDate>, to: Option<NaiveDate>) {
        use measurement::Column::MeasuredOn;
        let from = from.map(|from| MeasuredOn.gte(from));
        let to = to.map(|to| MeasuredOn.lt(to));
        self.narrowed = self.narrowed.clone().add_option(from).add_option(to);
    }

    /// The same question about some of the measurements that are told anew, and about no more rows than are missing.
    pub(super) fn of_these(
        &self,
        these: &[(NaiveDate, MeasurementId)],
        missing: Option<u64>,
    ) -> Self {
        let mut days: Vec<NaiveDate> = these.iter().map(|(day, _)| *day).collect();
        days.dedup();
        let ids = these.iter().map(|(_, id)| *id);
        Self {
            days,
            limit: missing,
            changed: None,
            narrowed: Condition::all().add(measurement::Column::Id.is_in(ids)),
            ..self.clone()
        }
    }

    /// The days that rows may be of.
    pub(super) fn days_left(&self) -> Vec<NaiveDate> {
        // In another order than the dataset's own, rows of earlier days lie behind the place too.
        let own = self.after.as_ref().filter(|_| self.order.is_empty());
        let from = own.and_then(Place::day);
        let days = self.days.iter().copied();
        days.filter(|day| from.is_none_or(|from| *day >= from))
            .collect()
    }

    fn shape(&self) -> Shape {
        Shape {
            columns: self.columns.clone().into(),
            order: self.dataset.order.iter().map(|key| key.of).collect(),
        }
    }

    /// The statement; nothing where there is no day to ask about.
    pub(super) fn statement(
        &self,
        caller: &Caller,
        backend: DbBackend,
    ) -> Result<Option<Statement>> {
        let columns = self.columns.iter().map(|column| column.name);
        let keys = self.dataset.order.iter();
        // The parts of the order come behind the columns, some of them a second time.
        let keys = keys
            .enumerate()
            .map(|(at, key)| format!("{} AS at_{at}", key.column));
        let told: Vec<String> = columns.map(str::to_owned).chain(keys).collect();
        let Some(text) = self.begin(caller, backend, &told.join(", "))? else {
            return Ok(None);
        };
        let text = self.filter.write(text.then(" WHERE "));
        let text = self.behind(text);
        let text = self.ordered(text);
        let text = match (self.limit, self.offset, backend) {
            // SQLite takes an offset only behind a limit.
            (None, Some(_), DbBackend::Sqlite) => text.then(" LIMIT -1"),
            (None, ..) => text,
            (Some(limit), ..) => text.then(" LIMIT ").value(signed(limit)),
        };
        let text = match self.offset {
            Some(offset) => text.then(" OFFSET ").value(signed(offset)),
            None => text,
        };
        Ok(Some(text.statement()))
    }

    /// Whoever reads, and what is asked about.
    pub(super) fn scope<'c>(
        &self,
        caller: &'c Caller,
        backend: DbBackend,
        days: &'c [NaiveDate],
    ) -> Result<Scope<'c>> {
        caller.require_somewhere(self.dataset.permission)?;
        Ok(Scope::of(caller, backend)
            .on(days)
            .with_uncounted(self.uncounted)
            .narrowed(self.narrowed.clone()))
    }

    /// The beginning of a statement, up to the source.
    fn begin(&self, caller: &Caller, backend: DbBackend, told: &str) -> Result<Option<Text>> {
        caller.require_somewhere(self.dataset.permission)?;
        let Some((with, rows)) = self.dataset.source.sql() else {
            return Ok(None);
        };
        let days = self.days_left();
        let scope = self.scope(caller, backend, &days)?;
        if self.dataset.needs_days && days.is_empty() {
            return Ok(None);
        }
        let text = match with {
            Some(with) => with(Text::new(backend, "WITH "), &scope).then(" "),
            None => Text::new(backend, ""),
        };
        let text = text.then("SELECT ").then(told).then(" FROM (");
        Ok(Some(rows(text, &scope).then(") AS flat")))
    }

    /// Only rows behind the place.
    fn behind(&self, text: Text) -> Text {
        let Some(Place(parts)) = &self.after else {
            return text;
        };
        let ordered = self.order.iter().zip(&self.held);
        let text = ordered.fold(text.then(" AND "), |text, ((column, way), held)| {
            let beyond = beyond(column, *way, held.as_ref());
            let text = beyond.write(text.then("(")).then(" OR ");
            same(column, held.as_ref()).write(text).then(" AND ")
        });
        let text = self.keys(text.then("(")).then(") > (");
        let parts = parts.iter().enumerate();
        parts
            .fold(text, |text, (at, part)| {
                text.then(if at == 0 { "" } else { ", " }).value(*part)
            })
            .then(")")
            .then(&")".repeat(self.order.len().min(self.held.len())))
    }

    fn ordered(&self, text: Text) -> Text {
        let text = self
            .order
            .iter()
            .fold(text.then(" ORDER BY "), |text, (column, way)| {
                // What is empty comes first going up and last going down, on both databases.
                let way = match way {
                    Direction::Ascending => "ASC NULLS FIRST",
                    Direction::Descending => "DESC NULLS LAST",
                };
                text.then(&format!("{} {way}, ", column.name))
            });
        self.keys(text)
    }

    fn keys(&self, text: Text) -> Text {
        let keys = self.dataset.order.iter().enumerate();
        keys.fold(text, |text, (at, key)| {
            let text = text.then(if at == 0 { "" } else { ", " });
            match key.nullable {
                true => text
                    .then(&format!("COALESCE({}, ", key.column))
                    .value(Uuid::nil())
                    .then(")"),
                false => text.then(key.column),
            }
        })
    }
}

/// Rows that come later than one that has this in a column. What is empty comes first going up and last going down.
fn beyond(column: &'static Column, way: Direction, held: Option<&Value>) -> Filter {
    let compared = |how, value: &Value| Filter::Compare(column, how, value.clone());
    match (way, held) {
        (Direction::Ascending, None) => Filter::Not(Box::new(Filter::Empty(column))),
        (Direction::Ascending, Some(held)) => compared(Comparison::Above, held),
        (Direction::Descending, None) => Filter::Any(Vec::new()),
        (Direction::Descending, Some(held)) => Filter::Any(vec![
            compared(Comparison::Below, held),
            Filter::Empty(column),
        ]),
    }
}

/// Rows that have the same in a column.
fn same(column: &'static Column, held: Option<&Value>) -> Filter {
    match held {
        None => Filter::Empty(column),
        Some(held) => Filter::Compare(column, Comparison::Equal, held.clone()),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
