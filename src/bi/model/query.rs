//! What one pull asks of a dataset: which columns of which rows, in which order. Plain data: the catalogue runs it.

use std::sync::Arc;

pub use super::{
    cursor::RowKey,
    days::{DayRange, MOST_DAYS, list_days_between},
};
use super::{
    dataset::{Column, Dataset, KeyType},
    filter::Filter,
    value::Value,
};
use crate::{
    access::Caller,
    bi::{
        cache::BiCache, names::select_ids_by_keys, scope::ReaderScope,
        series::request::SeriesRequest,
    },
    error::Result,
    finding::rules::Thresholds,
};
use chrono::NaiveDate;
use entity::{id::MeasurementId, kpi, measurement};
use sea_orm::{ColumnTrait, Condition, DbBackend};

/// Measurements of which a row may have changed, by day and then by id, as rows come.
pub type ChangedMeasurements = Arc<[(NaiveDate, MeasurementId)]>;

/// What one pull asks of a dataset.
#[derive(Clone)]
pub struct DatasetQuery {
    pub dataset: &'static Dataset,
    pub columns: Vec<&'static Column>,
    pub filter: Filter,
    /// Columns to order by before the dataset's own order.
    pub order: Vec<(&'static Column, SortDirection)>,
    /// The key of the row after which the rows begin.
    pub after: Option<RowKey>,
    /// The values of that row in the columns of `order`; none where a cell is empty.
    pub after_values: Vec<Option<Value>>,
    pub limit: Option<u64>,
    pub offset: Option<u64>,
    /// The range of days that is asked for, where the dataset reads one.
    pub range: DayRange,
    /// Of a series: whether that is where its days begin and end, and not where its periods begin.
    pub is_range_of_days: bool,
    /// The days of that range; `default_days` closes an open end before rows are read.
    pub days: Vec<NaiveDate>,
    /// Whether rows of drafts, of blueprints in review and of FUTURE ones are included.
    pub include_drafts: bool,
    /// The thresholds of findings.
    pub thresholds: Thresholds,
    /// The groups, periods and filters of a series; none for other datasets.
    pub series: Option<SeriesRequest>,
    /// Measured values and what they judge, in memory; rows of facts and series are computed from it.
    pub cache: Option<BiCache>,
    /// The measurements whose rows may have changed, where only these are pulled.
    pub changed: Option<ChangedMeasurements>,
    /// Whether there are few enough rows to be fetched by one statement, without a cursor.
    pub(in crate::bi) at_once: bool,
    /// A condition on measurements that follows from the filter: it changes no row, but spares the database others.
    pub(in crate::bi) measurement_filter: Condition,
}

/// The columns that a pull selects, and the types of the parts of its rows' keys.
#[derive(Clone)]
pub struct Projection {
    pub columns: Arc<[&'static Column]>,
    pub key_types: Arc<[KeyType]>,
}

/// Which way rows are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortDirection {
    Ascending,
    Descending,
}

impl DatasetQuery {
    /// Every row and every column of a dataset.
    #[must_use]
    pub fn new(dataset: &'static Dataset) -> Self {
        Self {
            dataset,
            columns: dataset.columns.iter().collect(),
            filter: Filter::default(),
            order: Vec::new(),
            after: None,
            after_values: Vec::new(),
            limit: None,
            offset: None,
            range: DayRange::default(),
            is_range_of_days: false,
            days: Vec::new(),
            include_drafts: false,
            thresholds: Thresholds::default(),
            series: None,
            cache: None,
            changed: None,
            at_once: false,
            measurement_filter: Condition::all(),
        }
    }

    /// Lets the database look at measurements of KPIs with these keys alone; the filter says the same of the rows.
    pub fn narrow_measurements_to_kpis(&mut self, keys: &[String]) {
        // A subquery rather than a join: sources name the columns of `measurement` as they please.
        use measurement::Column::KpiId;
        let these = KpiId.in_subquery(select_ids_by_keys::<kpi::Entity>(keys));
        self.measurement_filter = self.measurement_filter.clone().add(these);
    }

    /// Lets the database look at measurements of these days alone; the filter says the same of the rows.
    pub fn narrow_measurements_to_days(&mut self, from: Option<NaiveDate>, to: Option<NaiveDate>) {
        use measurement::Column::MeasuredOn;
        let from = from.map(|from| MeasuredOn.gte(from));
        let to = to.map(|to| MeasuredOn.lt(to));
        self.measurement_filter = self
            .measurement_filter
            .clone()
            .add_option(from)
            .add_option(to);
    }

    /// The query narrowed to a few of the changed measurements, and to the rows that are still missing.
    pub(in crate::bi) fn narrowed_to_measurements(
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
            at_once: true,
            measurement_filter: Condition::all().add(measurement::Column::Id.is_in(ids)),
            ..self.clone()
        }
    }

    /// The days that rows may be of: those from the resume point's on.
    pub(in crate::bi) fn days_from_resume_point(&self) -> Vec<NaiveDate> {
        // In another order than the dataset's own, rows of earlier days lie after the place too.
        let own = self.after.as_ref().filter(|_| self.order.is_empty());
        let from = own.and_then(RowKey::day);
        let days = self.days.iter().copied();
        days.filter(|day| from.is_none_or(|from| *day >= from))
            .collect()
    }

    /// The most rows that it gives.
    pub(in crate::bi) fn row_limit(&self) -> usize {
        usize::try_from(self.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX)
    }

    /// The number of rows that it leaves out before the first.
    pub(in crate::bi) fn row_offset(&self) -> usize {
        usize::try_from(self.offset.unwrap_or_default()).unwrap_or(usize::MAX)
    }

    /// The columns of its rows, with the key parts after them.
    pub(in crate::bi) fn projection(&self) -> Projection {
        Projection {
            columns: self.columns.clone().into(),
            key_types: self.dataset.order.iter().map(|key| key.of).collect(),
        }
    }

    /// What the caller may see of what the query asks for.
    pub(in crate::bi) fn scope<'c>(
        &self,
        caller: &'c Caller,
        backend: DbBackend,
        days: &'c [NaiveDate],
    ) -> Result<ReaderScope<'c>> {
        caller.require_reach(self.dataset.permission)?;
        Ok(ReaderScope::for_caller(caller, backend)
            .on_days(days)
            .including_drafts(self.include_drafts)
            .with_measurement_filter(self.measurement_filter.clone()))
    }
}
