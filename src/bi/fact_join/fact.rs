//! One row of the join: a few indices into the batch that it belongs to, from which each cell is borrowed. No cell is
//! copied before it is written to the answer.

use std::{cell::OnceCell, sync::Arc};

use entity::id::{Id, ResponsibilityId};

use super::{
    columns::{FactKey, FactView, find_cell_reader},
    context::JoinContext,
    measurements::MeasurementRow,
};
use crate::bi::{
    cache::topology::KpiLinkTarget,
    model::{
        cursor::{RowKey, RowKeyPart},
        dataset::Column,
        filter::Filter,
        value::ValueRef,
    },
};

/// A batch of measurements and the context shared by their rows.
pub(super) struct MeasurementBatch {
    pub context: Arc<JoinContext>,
    pub measured: Vec<MeasurementRow>,
}

/// One row of `kpi_facts`.
pub struct JoinedFact {
    batch: Arc<MeasurementBatch>,
    /// The index of its measurement in the batch.
    measured: usize,
    key: FactKey,
    /// How many rows of the measurement the caller may see, itself among them.
    siblings: usize,
}

impl JoinedFact {
    pub(super) fn new(
        batch: &Arc<MeasurementBatch>,
        measured: usize,
        key: FactKey,
        siblings: usize,
    ) -> Self {
        Self {
            // A batch lives as long as one of its rows: the channel may still hold some when the next batch is
            // joined.
            batch: Arc::clone(batch),
            measured,
            key,
            siblings,
        }
    }

    /// Passes each of its cells to `taker`, in the order of the columns that the query selects.
    pub fn for_each_cell(
        &self,
        columns: &[&'static Column],
        mut taker: impl FnMut(&'static Column, ValueRef<'_>),
    ) {
        let view = self.view();
        for (read, column) in self.batch.context.selected.iter().zip(columns) {
            taker(column, read(&view));
        }
    }

    /// Whether a filter lets it through.
    pub fn passes(&self, filter: &Filter) -> bool {
        let view = self.view();
        filter.passes(&|column: &Column| {
            find_cell_reader(column).map_or(ValueRef::Empty, |read| read(&view))
        })
    }

    /// Its key: day, measurement, link and responsibility; nil ids where it has none, which come first.
    pub fn row_key(&self) -> RowKey {
        let measured = &self.batch.measured[self.measured];
        let link = self.key.link.map(Id::uuid);
        let responsibility = self.responsibility().map(Id::uuid);
        RowKey(vec![
            RowKeyPart::Day(measured.day),
            RowKeyPart::Id(measured.id.uuid()),
            RowKeyPart::Id(link.unwrap_or_default()),
            RowKeyPart::Id(responsibility.unwrap_or_default()),
        ])
    }

    /// The responsibility of the row's department.
    fn responsibility(&self) -> Option<ResponsibilityId> {
        let (Some((journey, KpiLinkTarget::Touchpoint(at))), Some((holder, _))) =
            (self.key.place, self.key.holder)
        else {
            return None;
        };
        let topology = &self.batch.context.journeys[journey].topology;
        Some(topology.responsibilities(at)[holder])
    }

    /// What its cells are read from.
    fn view(&self) -> FactView<'_> {
        let MeasurementBatch { context, measured } = &*self.batch;
        let mut view = FactView {
            measured: &measured[self.measured],
            journey: None,
            phase: None,
            touchpoint: None,
            holder: None,
            department: None,
            siblings: self.siblings,
            row_id: OnceCell::new(),
        };
        let Some((journey, target)) = self.key.place else {
            return view;
        };
        let journey = &context.journeys[journey];
        let topology = &*journey.topology;
        view.journey = Some(journey);
        match target {
            KpiLinkTarget::Blueprint => {}
            KpiLinkTarget::Phase(at) => view.phase = Some(&topology.phases[at]),
            KpiLinkTarget::Touchpoint(at) => {
                view.touchpoint = Some(&topology.touchpoints[at]);
                view.phase = Some(&topology.phases[topology.phase_index_of_touchpoint(at)]);
                if let Some((holder, department)) = self.key.holder {
                    view.holder = Some(&topology.role_holders_at(at)[holder]);
                    view.department = context.departments.by_rank(department);
                }
            }
        }
        view
    }
}
