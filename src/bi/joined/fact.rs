//! One row of the join: a few indices into what many rows share, from which each cell is lent.

use std::{cell::OnceCell, sync::Arc};

use entity::{
    id::{DepartmentId, Id, KpiLinkId, ResponsibilityId},
    words::KpiState,
};

use super::{given::Given, measured::Measured};
use crate::{
    bi::{
        cube::places::{Holder, Phase, Site, Touchpoint},
        datasets::facts::KPI_FACTS,
        filter::Filter,
        journeys::Journey,
        names::Named,
        query::{At, Place},
        registry::Column,
        row::Cell,
    },
    judgement,
    responsibility::in_force::delivers,
};

/// What rows share.
pub(super) struct Lot {
    pub given: Arc<Given>,
    pub measured: Vec<Measured>,
}

/// Where a measurement counts, and who answered there.
#[derive(Clone, Copy, Default)]
pub(super) struct Seat {
    /// Which journey, and what in it.
    pub place: Option<(usize, Site)>,
    pub link: Option<KpiLinkId>,
    /// Which of those who hold a role at the touchpoint, and which department that is.
    pub holder: Option<(usize, usize)>,
}

/// One row.
pub struct Fact {
    lot: Arc<Lot>,
    /// Which of the measurements.
    measured: usize,
    seat: Seat,
    /// How many rows the measurement has.
    siblings: usize,
}

impl Fact {
    pub(super) fn new(lot: &Arc<Lot>, measured: usize, seat: Seat, siblings: usize) -> Self {
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
        mut taker: impl FnMut(&'static Column, Cell<'_>),
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
            read.map_or(Cell::Empty, |read| read(&told))
        })
    }

    /// Its place in the order of the dataset.
    pub fn place(&self) -> Place {
        let measured = &self.lot.measured[self.measured];
        let link = self.seat.link.map(Id::uuid);
        let responsibility = self.responsibility().map(Id::uuid);
        Place(vec![
            At::Day(measured.day),
            At::Id(measured.id.uuid()),
            At::Id(link.unwrap_or_default()),
            At::Id(responsibility.unwrap_or_default()),
        ])
    }

    /// What the department of the row holds.
    fn responsibility(&self) -> Option<ResponsibilityId> {
        let (Some((journey, Site::Touchpoint(at))), Some((holder, _))) =
            (self.seat.place, self.seat.holder)
        else {
            return None;
        };
        let places = &self.lot.given.journeys[journey].places;
        Some(places.responsibilities(at)[holder])
    }

    /// What it is made of.
    fn told(&self) -> Told<'_> {
        let Lot { given, measured } = &*self.lot;
        let mut told = Told {
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
            Site::Blueprint => {}
            Site::Phase(at) => told.phase = Some(&places.phases[at]),
            Site::Touchpoint(at) => {
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

/// A row as its cells are read from it.
pub(super) struct Told<'f> {
    measured: &'f Measured,
    journey: Option<&'f Journey>,
    phase: Option<&'f Phase>,
    touchpoint: Option<&'f Touchpoint>,
    holder: Option<&'f Holder>,
    department: Option<Named<'f, DepartmentId>>,
    siblings: usize,
    row_id: OnceCell<String>,
}

impl Told<'_> {
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
pub(super) type Read = for<'f> fn(&'f Told<'f>) -> Cell<'f>;

/// How the cells of the column of this name are read; nothing where the dataset has no such column.
pub(super) fn read(column: &str) -> Option<Read> {
    let read: Read = match column {
        "row_id" => |row| Cell::Text(row.row_id()),
        "measurement_id" => |row| id(Some(row.measured.id)),
        "kpi_id" => |row| id(Some(row.measured.kpi)),
        "kpi_key" => |row| Cell::Text(&row.measured.kpi_key),
        "kpi_name" => |row| Cell::Text(&row.measured.kpi_name),
        "unit" => |row| Cell::Text(row.measured.unit.as_str()),
        "currency" => |row| text(row.measured.currency.as_deref()),
        "direction" => |row| Cell::Text(row.measured.direction.as_str()),
        "measured_on" => |row| Cell::Day(row.measured.day),
        "value" => |row| Cell::Number(row.measured.value),
        "numerator" => |row| number(row.measured.numerator),
        "denominator" => |row| number(row.measured.denominator),
        "sample_size" => |row| row.measured.sample_size.map_or(Cell::Empty, Cell::Integer),
        "channel_id" => |row| id(row.measured.channel),
        "segment_id" => |row| id(row.measured.segment),
        "target" => |row| number(row.measured.target.map(|target| target.0)),
        "warning" => |row| number(row.measured.target.and_then(|target| target.1)),
        "state" => |row| Cell::Text(row.state().as_str()),
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
            |row| Cell::Boolean(row.holder.is_some_and(|holder| delivers(holder.role)))
        }
        // Far fewer rows than 2⁵³: exact.
        "row_weight" => |row| Cell::Number(1.0 / row.siblings as f64),
        _ => return None,
    };
    Some(read)
}

fn id<I: Id>(id: Option<I>) -> Cell<'static> {
    id.map_or(Cell::Empty, |id| Cell::Id(I::PREFIX, id.uuid()))
}

fn text(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Empty, Cell::Text)
}

fn number(number: Option<f64>) -> Cell<'static> {
    number.map_or(Cell::Empty, Cell::Number)
}
