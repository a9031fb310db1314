//! One blueprint in memory as far as facts need it: phases, touchpoints, KPI links, and who holds a role, both as
//! intervals of days. A responsibility holds on a day if it is in force when the day ends.

use std::ops::Range;

use chrono::NaiveDate;
use entity::{
    id::{DepartmentId, KpiId, KpiLinkId, PhaseId, ResponsibilityId, TouchpointId},
    words::{Role, Stage},
};

use crate::{database::RevisionCacheValue, judgement::period::day_number};

/// Day numbers, half open.
pub type DayNumberRange = Range<i32>;

/// Days from `from` on and before `to`; without an end, all days on that side.
#[must_use]
pub fn day_number_range(from: Option<NaiveDate>, to: Option<NaiveDate>) -> DayNumberRange {
    from.map_or(i32::MIN, day_number)..to.map_or(i32::MAX, day_number)
}

/// The intersection of two intervals.
#[must_use]
pub fn intersect_days(one: &DayNumberRange, other: &DayNumberRange) -> DayNumberRange {
    let from = one.start.max(other.start);
    // An empty interval stays one that begins where it ends: a reversed range would give a negative length.
    from..one.end.min(other.end).max(from)
}

/// The intervals that are left of some days when others are taken away.
#[must_use]
pub fn subtract_days(days: &DayNumberRange, mut taken: Vec<DayNumberRange>) -> Vec<DayNumberRange> {
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

/// A blueprint's phases, touchpoints, links and holders.
#[derive(Debug, Default)]
pub struct Topology {
    /// The `blueprint.revision` that it was read at.
    pub revision: i32,
    /// By id.
    pub phases: Vec<TopologyPhase>,
    /// By id.
    pub touchpoints: Vec<TopologyTouchpoint>,
    /// By KPI, and then by id.
    pub links: Vec<TopologyLink>,
    /// The departments that hold roles, each once.
    pub departments: Vec<DepartmentId>,
    /// Per touchpoint, in their order.
    entries: Vec<PhaseAndHolders>,
    /// Who holds roles, touchpoint by touchpoint and then by id.
    holders: Vec<RoleHolder>,
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

/// The index of a touchpoint's phase, and the index range of its holders. Apart from keys and names, and in 32 bits
/// each, since a series walks all of them: small entries stay in the processor's cache.
#[derive(Debug)]
struct PhaseAndHolders {
    phase: u32,
    holders: Range<u32>,
}

/// A department that holds a role for some days. Small for the same reason.
#[derive(Clone, Debug)]
pub struct RoleHolder {
    department: u32,
    pub role: Role,
    pub days: DayNumberRange,
}

impl RoleHolder {
    /// Which of the departments that hold roles in the blueprint.
    #[must_use]
    pub fn department_index(&self) -> usize {
        self.department as usize
    }
}

/// A link: a KPI judges a target on some days.
#[derive(Debug)]
pub struct TopologyLink {
    pub id: KpiLinkId,
    pub kpi: KpiId,
    pub target: KpiLinkTarget,
    pub days: DayNumberRange,
}

/// What a link judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KpiLinkTarget {
    Blueprint,
    /// One of the phases.
    Phase(usize),
    /// One of the touchpoints.
    Touchpoint(usize),
}

impl Topology {
    /// Who holds a role at one of the touchpoints, and when.
    #[must_use]
    pub fn role_holders_at(&self, touchpoint: usize) -> &[RoleHolder] {
        &self.holders[self.role_holder_range(touchpoint)]
    }

    /// What each of those holds.
    #[must_use]
    pub fn responsibilities(&self, touchpoint: usize) -> &[ResponsibilityId] {
        &self.responsibilities[self.role_holder_range(touchpoint)]
    }

    fn role_holder_range(&self, touchpoint: usize) -> Range<usize> {
        let entry = self.entries.get(touchpoint);
        entry.map_or(0..0, |entry| {
            entry.holders.start as usize..entry.holders.end as usize
        })
    }

    /// Which of the phases one of the touchpoints lies in.
    #[must_use]
    pub fn phase_index_of_touchpoint(&self, touchpoint: usize) -> usize {
        self.entries[touchpoint].phase as usize
    }

    /// What a KPI judges, and when.
    #[must_use]
    pub fn links_of_kpi(&self, kpi: KpiId) -> &[TopologyLink] {
        let from = self.links.partition_point(|link| link.kpi < kpi);
        let to = self.links.partition_point(|link| link.kpi <= kpi);
        &self.links[from..to]
    }

    /// The index of a touchpoint; none where it is not in this blueprint.
    #[must_use]
    pub fn touchpoint_index(&self, id: TouchpointId) -> Option<usize> {
        self.touchpoints
            .binary_search_by_key(&id, |one| one.id)
            .ok()
    }

    /// Adds a touchpoint of one of the phases; they come by id.
    pub(super) fn add_touchpoint(&mut self, touchpoint: TopologyTouchpoint, phase: usize) {
        self.touchpoints.push(touchpoint);
        self.entries.push(PhaseAndHolders {
            phase: to_u32(phase),
            holders: 0..0,
        });
    }

    /// Adds what a department holds at one of the touchpoints; those of one come one after another.
    pub(super) fn add_role_holder(
        &mut self,
        touchpoint: usize,
        id: ResponsibilityId,
        department: DepartmentId,
        role: Role,
        days: DayNumberRange,
    ) {
        // A search from the first on: few departments hold roles in one blueprint, and it is done once a revision.
        let known = self.departments.iter().position(|one| *one == department);
        let at = known.unwrap_or_else(|| {
            self.departments.push(department);
            self.departments.len() - 1
        });
        let next = to_u32(self.holders.len());
        self.responsibilities.push(id);
        self.holders.push(RoleHolder {
            department: to_u32(at),
            role,
            days,
        });
        if let Some(entry) = self.entries.get_mut(touchpoint) {
            let first = match entry.holders.is_empty() {
                true => next,
                false => entry.holders.start,
            };
            entry.holders = first..next + 1;
        }
    }
}

/// Things of one blueprint are fewer than 2³²: they would not fit into memory.
fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl RevisionCacheValue for Topology {
    fn revision(&self) -> i32 {
        self.revision
    }

    fn estimated_bytes(&self) -> usize {
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
            + self.links.capacity() * size_of::<TopologyLink>()
            + self.entries.capacity() * size_of::<PhaseAndHolders>()
            + self.holders.capacity() * size_of::<RoleHolder>()
            + self.responsibilities.capacity() * size_of::<ResponsibilityId>()
            + self.departments.capacity() * size_of::<DepartmentId>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inside(days: &[DayNumberRange]) -> Vec<bool> {
        let has = |day: i32| days.iter().any(|days| days.contains(&day));
        (0..40).map(has).collect()
    }

    fn some_days() -> impl Strategy<Value = Vec<DayNumberRange>> {
        let days = (0i32..40, 0i32..9).prop_map(|(from, many)| from..from + many);
        proptest::collection::vec(days, 0..8)
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_nobody_takes(taken in some_days(), from in 0i32..20, to in 20i32..40) {
            let left = subtract_days(&(from..to), taken.clone());
            let taken = inside(&taken);
            for (day, left) in (0i32..).zip(inside(&left)) {
                let is_taken = taken[usize::try_from(day).expect("small")];
                prop_assert_eq!(left, (from..to).contains(&day) && !is_taken, "{}", day);
            }
        }
    }
}
