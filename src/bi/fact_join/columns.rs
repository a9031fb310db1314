//! How each column of `kpi_facts` is read from a row of the join. The readers themselves stand in the dataset's table
//! of columns ([`crate::bi::datasets::fact_columns`]).

use std::cell::OnceCell;

use entity::{
    id::{DepartmentId, Id, KpiLinkId},
    words::KpiState,
};

use super::measurements::MeasurementRow;
use crate::{
    bi::{
        cache::topology::{KpiLinkTarget, RoleHolder, TopologyPhase, TopologyTouchpoint},
        datasets::{fact_columns::kpi_fact_columns, facts::KPI_FACTS},
        journeys::JourneyWithTopology,
        model::{dataset::Column, value::ValueRef},
        names::NamedEntity,
    },
    judgement,
    responsibility::in_force::is_delivering_role,
};

/// The place and the holder that a measurement is joined with, as indices.
#[derive(Clone, Copy, Default)]
pub(super) struct FactKey {
    /// The index of the journey, and what is judged in it.
    pub place: Option<(usize, KpiLinkTarget)>,
    pub link: Option<KpiLinkId>,
    /// The index among the holders at the touchpoint, and the rank of the holder's department.
    pub holder: Option<(usize, usize)>,
}

/// A row as its cells are read from it: references to everything that it is made of.
pub(super) struct FactView<'f> {
    pub(super) measured: &'f MeasurementRow,
    pub(super) journey: Option<&'f JourneyWithTopology>,
    pub(super) phase: Option<&'f TopologyPhase>,
    pub(super) touchpoint: Option<&'f TopologyTouchpoint>,
    pub(super) holder: Option<&'f RoleHolder>,
    pub(super) department: Option<NamedEntity<'f, DepartmentId>>,
    pub(super) siblings: usize,
    /// The only cell that has to be made: kept here, so that its reader can borrow it.
    pub(super) row_id: OnceCell<String>,
}

impl FactView<'_> {
    /// The ids of measurement, place and department, and the role, as far as the row has them.
    pub(super) fn row_id_text(&self) -> &str {
        self.row_id.get_or_init(|| {
            let mut text = String::with_capacity(ROW_ID);
            push_id(&mut text, self.measured.id);
            match (self.touchpoint, self.phase, self.journey) {
                (Some(touchpoint), ..) => push_id(&mut text, touchpoint.id),
                (None, Some(phase), _) => push_id(&mut text, phase.id),
                (None, None, Some(journey)) => push_id(&mut text, journey.id),
                (None, None, None) => {}
            }
            if let Some(department) = self.department {
                push_id(&mut text, department.id);
            }
            if let Some(holder) = self.holder {
                text.push('.');
                text.push_str(holder.role.as_str());
            }
            text
        })
    }

    pub(super) fn state(&self) -> KpiState {
        let measured = self.measured;
        judgement::judge_state(measured.direction, Some(measured.value), measured.target)
    }
}

/// The length of a row's id in bytes, at most: three ids of 36 (a prefix of three letters, an underscore, 32 digits),
/// the longest role (ACCOUNTABLE, RESPONSIBLE), three points.
const ROW_ID: usize = 3 * 36 + 11 + 3;

fn push_id<I: Id>(text: &mut String, id: I) {
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(I::PREFIX);
    text.push('_');
    text.push_str(id.uuid().simple().encode_lower(&mut [0; 32]));
}

/// Reads the cell of one column.
pub(super) type CellReader = for<'f> fn(&'f FactView<'f>) -> ValueRef<'f>;

/// The reader of a column of `kpi_facts`; none for a column of another dataset.
pub(super) fn find_cell_reader(column: &Column) -> Option<CellReader> {
    READERS.get(KPI_FACTS.column_index(column)?).copied()
}

/// Takes the readers out of the table of columns.
macro_rules! readers {
    ($($name:ident $($empty:ident)?: $api:ty, $of:expr => $sql:tt, $read:expr, $($doc:literal),*;)*) => {
        &[$($read),*]
    };
}

/// The readers of all columns, in their order.
static READERS: &[CellReader] = kpi_fact_columns!(readers);

fn integer_cell(number: Option<i32>) -> ValueRef<'static> {
    number.map_or(ValueRef::Empty, ValueRef::Integer)
}

fn id_cell<I: Id>(id: Option<I>) -> ValueRef<'static> {
    id.map_or(ValueRef::Empty, |id| ValueRef::Id(I::PREFIX, id.uuid()))
}

fn text_cell(text: Option<&str>) -> ValueRef<'_> {
    text.map_or(ValueRef::Empty, ValueRef::Text)
}

fn number_cell(number: Option<f64>) -> ValueRef<'static> {
    number.map_or(ValueRef::Empty, ValueRef::Number)
}
