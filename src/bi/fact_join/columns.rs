//! How each column of `kpi_facts` is read from a row of the join.

use std::cell::OnceCell;

use entity::{
    id::{DepartmentId, Id, KpiLinkId},
    words::KpiState,
};

use super::measurements::MeasurementRow;
use crate::{
    bi::{
        journeys::Journey,
        model::value::ValueRef,
        names::NamedEntity,
        store::topology::{Holder, LinkTarget, TopologyPhase, TopologyTouchpoint},
    },
    judgement,
    responsibility::in_force::delivers,
};

/// Where a measurement counts, and who answered there.
#[derive(Clone, Copy, Default)]
pub(super) struct FactKey {
    /// Which journey, and what in it.
    pub place: Option<(usize, LinkTarget)>,
    pub link: Option<KpiLinkId>,
    /// Which of those who hold a role at the touchpoint, and which department that is.
    pub holder: Option<(usize, usize)>,
}

/// A row as its cells are read from it.
pub(super) struct FactView<'f> {
    pub(super) measured: &'f MeasurementRow,
    pub(super) journey: Option<&'f Journey>,
    pub(super) phase: Option<&'f TopologyPhase>,
    pub(super) touchpoint: Option<&'f TopologyTouchpoint>,
    pub(super) holder: Option<&'f Holder>,
    pub(super) department: Option<NamedEntity<'f, DepartmentId>>,
    pub(super) siblings: usize,
    pub(super) row_id: OnceCell<String>,
}

impl FactView<'_> {
    /// The ids of measurement, place and department, and the role, as far as the row has them.
    fn row_id(&self) -> &str {
        self.row_id.get_or_init(|| {
            let mut text = String::with_capacity(ROW_ID);
            push(&mut text, self.measured.id);
            match (self.touchpoint, self.phase, self.journey) {
                (Some(touchpoint), ..) => push(&mut text, touchpoint.id),
                (None, Some(phase), _) => push(&mut text, phase.id),
                (None, None, Some(journey)) => push(&mut text, journey.id),
                (None, None, None) => {}
            }
            if let Some(department) = self.department {
                push(&mut text, department.id);
            }
            if let Some(holder) = self.holder {
                text.push('.');
                text.push_str(holder.role.as_str());
            }
            text
        })
    }

    fn state(&self) -> KpiState {
        let measured = self.measured;
        judgement::state(measured.direction, Some(measured.value), measured.target)
    }
}

/// How long the id of a row is at the most: three ids, a role, and the points between them.
const ROW_ID: usize = 3 * 36 + 11 + 3;

fn push<I: Id>(text: &mut String, id: I) {
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(I::PREFIX);
    text.push('_');
    text.push_str(id.uuid().simple().encode_lower(&mut [0; 32]));
}

/// How the cells of a column are read.
pub(super) type CellReader = for<'f> fn(&'f FactView<'f>) -> ValueRef<'f>;

/// How the cells of the column of this name are read; nothing where the dataset has no such column.
pub(super) fn read(column: &str) -> Option<CellReader> {
    let read: CellReader = match column {
        "row_id" => |row| ValueRef::Text(row.row_id()),
        "measurement_id" => |row| id(Some(row.measured.id)),
        "kpi_id" => |row| id(Some(row.measured.kpi)),
        "kpi_key" => |row| ValueRef::Text(&row.measured.kpi_key),
        "kpi_name" => |row| ValueRef::Text(&row.measured.kpi_name),
        "unit" => |row| ValueRef::Text(row.measured.unit.as_str()),
        "currency" => |row| text(row.measured.currency.as_deref()),
        "direction" => |row| ValueRef::Text(row.measured.direction.as_str()),
        "measured_on" => |row| ValueRef::Day(row.measured.day),
        "value" => |row| ValueRef::Number(row.measured.value),
        "numerator" => |row| number(row.measured.numerator),
        "denominator" => |row| number(row.measured.denominator),
        "sample_size" => |row| {
            row.measured
                .sample_size
                .map_or(ValueRef::Empty, ValueRef::Integer)
        },
        "channel_id" => |row| id(row.measured.channel),
        "segment_id" => |row| id(row.measured.segment),
        "target" => |row| number(row.measured.target.map(|target| target.0)),
        "warning" => |row| number(row.measured.target.and_then(|target| target.1)),
        "state" => |row| ValueRef::Text(row.state().as_str()),
        "blueprint_id" => |row| id(row.journey.map(|journey| journey.id)),
        "blueprint_key" => |row| text(row.journey.map(|journey| &*journey.key)),
        "phase_id" => |row| id(row.phase.map(|phase| phase.id)),
        "phase_name" => |row| text(row.phase.map(|phase| &*phase.name)),
        "stage" => |row| text(row.phase.map(|phase| phase.stage.as_str())),
        "touchpoint_id" => |row| id(row.touchpoint.map(|touchpoint| touchpoint.id)),
        "touchpoint_key" => |row| text(row.touchpoint.map(|touchpoint| &*touchpoint.key)),
        "touchpoint_name" => |row| text(row.touchpoint.map(|touchpoint| &*touchpoint.name)),
        "department_id" => |row| id(row.department.map(|department| department.id)),
        "department_key" => |row| text(row.department.map(|department| department.key)),
        "department_name" => |row| text(row.department.map(|department| department.name)),
        "role" => |row| text(row.holder.map(|holder| holder.role.as_str())),
        "is_delivering" => {
            |row| ValueRef::Boolean(row.holder.is_some_and(|holder| delivers(holder.role)))
        }
        // Far fewer rows than 2⁵³: exact.
        "row_weight" => |row| ValueRef::Number(1.0 / row.siblings as f64),
        _ => return None,
    };
    Some(read)
}

fn id<I: Id>(id: Option<I>) -> ValueRef<'static> {
    id.map_or(ValueRef::Empty, |id| ValueRef::Id(I::PREFIX, id.uuid()))
}

fn text(text: Option<&str>) -> ValueRef<'_> {
    text.map_or(ValueRef::Empty, ValueRef::Text)
}

fn number(number: Option<f64>) -> ValueRef<'static> {
    number.map_or(ValueRef::Empty, ValueRef::Number)
}
