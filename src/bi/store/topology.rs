//! What KPIs judge in one blueprint and who holds a role there, in memory: links and responsibilities as the days on
//! which they hold. A responsibility holds on a day if it does when the day ends.

use std::ops::Range;

use chrono::NaiveDate;
use entity::{
    id::{DepartmentId, KpiId, KpiLinkId, PhaseId, ResponsibilityId, TouchpointId},
    words::{Role, Stage},
};

use super::{cache::Revisioned, kpi_columns::count};

/// Days, half open.
pub type Days = Range<i32>;

/// Days from `from` on and before `to`; what is empty reaches as far as time does.
#[must_use]
pub fn days(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Days {
    from.map_or(i32::MIN, count)..to.map_or(i32::MAX, count)
}

/// The days that both have.
#[must_use]
pub fn both(one: &Days, other: &Days) -> Days {
    let from = one.start.max(other.start);
    from..one.end.min(other.end).max(from)
}

/// The days that are in none of these.
#[must_use]
pub fn without(days: &Days, mut taken: Vec<Days>) -> Vec<Days> {
    taken.sort_by_key(|taken| taken.start);
    let mut left = Vec::new();
    let mut next = days.start;
    for taken in taken.into_iter().filter(|taken| taken.start < taken.end) {
        if taken.start > next {
            left.push(next..taken.start.min(days.end));
        }
        next = next.max(taken.end);
        if next >= days.end {
            break;
        }
    }
    if next < days.end {
        left.push(next..days.end);
    }
    left.retain(|days| days.start < days.end);
    left
}

/// One blueprint.
#[derive(Debug, Default)]
pub struct Topology {
    /// The revision of the blueprint that this is.
    pub revision: i32,
    /// By id.
    pub phases: Vec<TopologyPhase>,
    /// By id.
    pub touchpoints: Vec<TopologyTouchpoint>,
    /// By KPI, and then by id.
    pub links: Vec<Link>,
    /// The departments that hold roles, each once.
    pub departments: Vec<DepartmentId>,
    /// What is gone through for each touchpoint.
    spots: Vec<TouchpointEntry>,
    /// Who holds roles, touchpoint by touchpoint and then by id.
    holders: Vec<Holder>,
    /// What each of them holds.
    responsibilities: Vec<ResponsibilityId>,
}

#[derive(Debug)]
pub struct TopologyPhase {
    pub id: PhaseId,
    pub name: Box<str>,
    pub stage: Stage,
}

#[derive(Debug)]
pub struct TopologyTouchpoint {
    pub id: TouchpointId,
    pub key: Box<str>,
    pub name: Box<str>,
}

/// Which of the phases a touchpoint lies in, and who holds roles there. A series goes through all of them: they are kept
/// small, apart from what they are called.
#[derive(Debug)]
struct TouchpointEntry {
    phase: u32,
    holders: Range<u32>,
}

/// A department that holds a role for some days. Small for the same reason.
#[derive(Clone, Debug)]
pub struct Holder {
    department: u32,
    pub role: Role,
    pub days: Days,
}

impl Holder {
    /// Which of the departments that hold roles in the blueprint.
    #[must_use]
    pub fn department(&self) -> usize {
        self.department as usize
    }
}

/// A KPI that judges a place for some days.
#[derive(Debug)]
pub struct Link {
    pub id: KpiLinkId,
    pub kpi: KpiId,
    pub site: LinkTarget,
    pub days: Days,
}

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    Blueprint,
    /// One of the phases.
    Phase(usize),
    /// One of the touchpoints.
    Touchpoint(usize),
}

impl Topology {
    /// Who holds a role at one of the touchpoints, and when.
    #[must_use]
    pub fn holders(&self, touchpoint: usize) -> &[Holder] {
        &self.holders[self.held(touchpoint)]
    }

    /// What each of those holds.
    #[must_use]
    pub fn responsibilities(&self, touchpoint: usize) -> &[ResponsibilityId] {
        &self.responsibilities[self.held(touchpoint)]
    }

    fn held(&self, touchpoint: usize) -> Range<usize> {
        let spot = self.spots.get(touchpoint);
        spot.map_or(0..0, |spot| {
            spot.holders.start as usize..spot.holders.end as usize
        })
    }

    /// Which of the phases one of the touchpoints lies in.
    #[must_use]
    pub fn phase_of(&self, touchpoint: usize) -> usize {
        self.spots[touchpoint].phase as usize
    }

    /// What a KPI judges, and when.
    #[must_use]
    pub fn links_of(&self, kpi: KpiId) -> &[Link] {
        let from = self.links.partition_point(|link| link.kpi < kpi);
        let to = self.links.partition_point(|link| link.kpi <= kpi);
        &self.links[from..to]
    }

    /// Which of the touchpoints this is.
    #[must_use]
    pub fn touchpoint(&self, id: TouchpointId) -> Option<usize> {
        self.touchpoints
            .binary_search_by_key(&id, |one| one.id)
            .ok()
    }

    /// Adds a touchpoint of one of the phases; they come by id.
    pub(super) fn add(&mut self, touchpoint: TopologyTouchpoint, phase: usize) {
        self.touchpoints.push(touchpoint);
        self.spots.push(TouchpointEntry {
            phase: small(phase),
            holders: 0..0,
        });
    }

    /// Adds what a department holds at one of the touchpoints; those of one come one after another.
    pub(super) fn hold(
        &mut self,
        touchpoint: usize,
        id: ResponsibilityId,
        (department, role): (DepartmentId, Role),
        days: Days,
    ) {
        let known = self.departments.iter().position(|one| *one == department);
        let at = known.unwrap_or_else(|| {
            self.departments.push(department);
            self.departments.len() - 1
        });
        let next = small(self.holders.len());
        self.responsibilities.push(id);
        self.holders.push(Holder {
            department: small(at),
            role,
            days,
        });
        if let Some(spot) = self.spots.get_mut(touchpoint) {
            let first = match spot.holders.is_empty() {
                true => next,
                false => spot.holders.start,
            };
            spot.holders = first..next + 1;
        }
    }
}

/// Things of one blueprint are fewer than 2³²: they would not fit into memory.
fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Revisioned for Topology {
    fn revision(&self) -> i32 {
        self.revision
    }

    fn bytes(&self) -> usize {
        let phases = self.phases.iter();
        let phases: usize = phases
            .map(|phase| size_of::<TopologyPhase>() + phase.name.len())
            .sum();
        let touchpoints = self.touchpoints.iter();
        let touchpoints: usize = touchpoints
            .map(|one| size_of::<TopologyTouchpoint>() + one.key.len() + one.name.len())
            .sum();
        size_of::<Self>()
            + phases
            + touchpoints
            + self.links.capacity() * size_of::<Link>()
            + self.spots.capacity() * size_of::<TouchpointEntry>()
            + self.holders.capacity() * size_of::<Holder>()
            + self.responsibilities.capacity() * size_of::<ResponsibilityId>()
            + self.departments.capacity() * size_of::<DepartmentId>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inside(days: &[Days]) -> Vec<bool> {
        let has = |day: i32| days.iter().any(|days| days.contains(&day));
        (0..40).map(has).collect()
    }

    fn some_days() -> impl Strategy<Value = Vec<Days>> {
        let days = (0i32..40, 0i32..9).prop_map(|(from, many)| from..from + many);
        proptest::collection::vec(days, 0..8)
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_nobody_takes(taken in some_days(), from in 0i32..20, to in 20i32..40) {
            let left = without(&(from..to), taken.clone());
            let taken = inside(&taken);
            for (day, left) in (0i32..).zip(inside(&left)) {
                let is_taken = taken[usize::try_from(day).expect("small")];
                prop_assert_eq!(left, (from..to).contains(&day) && !is_taken, "{}", day);
            }
        }
    }
}
