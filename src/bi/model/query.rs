//! What one pull asks of a dataset: which columns of which rows, in which order. Plain data: the catalogue runs it.

use std::sync::Arc;

pub use super::{
    cursor::RowKey,
    days::{MOST_DAYS, days},
};
use super::{
    dataset::{Column, Dataset, KeyType},
    filter::Filter,
    value::Value,
};
use crate::{
    access::Caller,
    bi::{names::with_keys, scope::Scope, series::request::SeriesRequest, store::BiStore},
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
    /// The place behind which the rows begin.
    pub after: Option<RowKey>,
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
    pub series: Option<SeriesRequest>,
    /// What is kept in memory, for rows that are computed from it.
    pub cube: Option<BiStore>,
    /// The measurements that are told anew, where only what changed is asked for.
    pub changed: Option<ChangedMeasurements>,
    /// What the filter means for measurements, where that keeps the database from going through others.
    pub(in crate::bi) narrowed: Condition,
}

/// The columns of rows that were asked for, and the parts of their order behind them.
#[derive(Clone)]
pub struct Projection {
    pub columns: Arc<[&'static Column]>,
    pub order: Arc<[KeyType]>,
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
    pub(in crate::bi) fn of_these(
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
    pub(in crate::bi) fn days_left(&self) -> Vec<NaiveDate> {
        // In another order than the dataset's own, rows of earlier days lie behind the place too.
        let own = self.after.as_ref().filter(|_| self.order.is_empty());
        let from = own.and_then(RowKey::day);
        let days = self.days.iter().copied();
        days.filter(|day| from.is_none_or(|from| *day >= from))
            .collect()
    }

    pub(in crate::bi) fn shape(&self) -> Projection {
        Projection {
            columns: self.columns.clone().into(),
            order: self.dataset.order.iter().map(|key| key.of).collect(),
        }
    }

    /// Whoever reads, and what is asked about.
    pub(in crate::bi) fn scope<'c>(
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
}
