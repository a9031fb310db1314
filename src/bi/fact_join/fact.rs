//! One row of the join: a few indices into what many rows share, from which each cell is lent.

use std::{cell::OnceCell, sync::Arc};

use entity::id::{Id, ResponsibilityId};

use super::{
    columns::{FactKey, FactView},
    context::JoinContext,
    measurements::MeasurementRow,
};
use crate::bi::{
    datasets::facts::KPI_FACTS,
    model::{
        cursor::{RowKey, RowKeyPart},
        dataset::Column,
        filter::Filter,
        value::ValueRef,
    },
    store::topology::LinkTarget,
};

/// What rows share.
pub(super) struct MeasurementBatch {
    pub given: Arc<JoinContext>,
    pub measured: Vec<MeasurementRow>,
}

/// One row.
pub struct JoinedFact {
    lot: Arc<MeasurementBatch>,
    /// Which of the measurements.
    measured: usize,
    seat: FactKey,
    /// How many rows the measurement has.
    siblings: usize,
}

impl JoinedFact {
    pub(super) fn new(
        lot: &Arc<MeasurementBatch>,
        measured: usize,
        seat: FactKey,
        siblings: usize,
    ) -> Self {
        Self {
            lot: Arc::clone(lot),
            measured,
            seat,
            siblings,
        }
    }

    /// Gives each of its cells to `taker`, in the order of the columns that are asked for.
    pub fn each(
        &self,
        columns: &[&'static Column],
        mut taker: impl FnMut(&'static Column, ValueRef<'_>),
    ) {
        let told = self.told();
        for (read, column) in self.lot.given.columns.iter().zip(columns) {
            taker(column, read(&told));
        }
    }

    /// Whether a filter lets it through.
    pub fn passes(&self, filter: &Filter) -> bool {
        let told = self.told();
        let reads = &self.lot.given.all_columns;
        filter.passes(&|column: &Column| {
            let read = KPI_FACTS.position(column).and_then(|at| reads.get(at));
            read.map_or(ValueRef::Empty, |read| read(&told))
        })
    }

    /// Its place in the order of the dataset.
    pub fn place(&self) -> RowKey {
        let measured = &self.lot.measured[self.measured];
        let link = self.seat.link.map(Id::uuid);
        let responsibility = self.responsibility().map(Id::uuid);
        RowKey(vec![
            RowKeyPart::Day(measured.day),
            RowKeyPart::Id(measured.id.uuid()),
            RowKeyPart::Id(link.unwrap_or_default()),
            RowKeyPart::Id(responsibility.unwrap_or_default()),
        ])
    }

    /// What the department of the row holds.
    fn responsibility(&self) -> Option<ResponsibilityId> {
        let (Some((journey, LinkTarget::Touchpoint(at))), Some((holder, _))) =
            (self.seat.place, self.seat.holder)
        else {
            return None;
        };
        let places = &self.lot.given.journeys[journey].places;
        Some(places.responsibilities(at)[holder])
    }

    /// What it is made of.
    fn told(&self) -> FactView<'_> {
        let MeasurementBatch { given, measured } = &*self.lot;
        let mut told = FactView {
            measured: &measured[self.measured],
            journey: None,
            phase: None,
            touchpoint: None,
            holder: None,
            department: None,
            siblings: self.siblings,
            row_id: OnceCell::new(),
        };
        let Some((journey, site)) = self.seat.place else {
            return told;
        };
        let journey = &given.journeys[journey];
        let places = &*journey.places;
        told.journey = Some(journey);
        match site {
            LinkTarget::Blueprint => {}
            LinkTarget::Phase(at) => told.phase = Some(&places.phases[at]),
            LinkTarget::Touchpoint(at) => {
                told.touchpoint = Some(&places.touchpoints[at]);
                told.phase = Some(&places.phases[places.phase_of(at)]);
                if let Some((holder, department)) = self.seat.holder {
                    told.holder = Some(&places.holders(at)[holder]);
                    told.department = given.departments.at(department);
                }
            }
        }
        told
    }
}
