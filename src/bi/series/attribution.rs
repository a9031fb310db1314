//! Attribution: on which days the values of a KPI belong to which group, by the rows that they have in `kpi_facts`.
//! Pure.

use entity::{
    id::DepartmentId,
    words::{Role, Stage},
};

use super::{
    context::{SeriesContext, SeriesPlaceForCaller},
    group_key::{GroupKey, KeyLayout, PlaceInJourney},
    request::SeriesRequest,
};
use crate::bi::cache::topology::{DayNumberRange, KpiLinkTarget, intersect_days, subtract_days};

/// Days on which values belong to a group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GroupDays {
    pub key: GroupKey,
    pub days: DayNumberRange,
    pub values: KpiValueScope,
}

/// The values that belong to a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum KpiValueScope {
    /// Those of the KPI as a whole.
    Whole,
    /// Those of one of the touchpoints with own values where there are any, else those of the KPI as a whole.
    At(usize),
    /// Those of one of the touchpoints with own values, alone.
    Own(usize),
}

/// The links of all KPIs in a request, and the key bits of the departments; `for_each_assignment` attributes one KPI.
pub(super) struct Attribution<'g> {
    context: &'g SeriesContext,
    keys: &'g KeyLayout,
    selection: RowSelection<'g>,
    /// All days of the request.
    asked: DayNumberRange,
    /// Per KPI: its links, cut to the days of the request.
    links: Vec<Vec<LinkedTarget>>,
    /// Per journey, in the order of its topology's departments: their key bits; none where their rows do not pass.
    departments: Vec<Vec<Option<GroupKey>>>,
}

/// A link: the index of its journey, its target, and its days within the request. Copies, one after another: going
/// through the topologies of all blueprints for each KPI would miss the processor's cache at every step.
struct LinkedTarget {
    journey: usize,
    target: KpiLinkTarget,
    days: DayNumberRange,
}

/// The part of the filter that rows pass or not, besides their journey and department.
struct RowSelection<'g> {
    touchpoints: Option<Vec<String>>,
    roles: Option<&'g [Role]>,
    stages: Option<&'g [Stage]>,
    /// Whether rows without a role pass, and the caller pulls them.
    unheld: bool,
    /// Whether rows without a place do.
    unplaced: bool,
}

impl<'g> Attribution<'g> {
    pub(super) fn new(
        context: &'g SeriesContext,
        keys: &'g KeyLayout,
        request: &'g SeriesRequest,
        asked: DayNumberRange,
    ) -> Self {
        // A filter by departments or roles leaves rows without a role out; so does a caller who pulls those of own
        // departments alone.
        let unheld = context.departments.is_none() && !request.asks_for_roles();
        let touchpoints = request.touchpoints.as_ref();
        let selection = RowSelection {
            touchpoints: touchpoints
                .map(|keys| keys.iter().map(|key| key.to_ascii_lowercase()).collect()),
            roles: request.roles.as_deref(),
            stages: request.stages.as_deref(),
            unheld,
            unplaced: unheld
                && request.blueprints.is_none()
                && request.touchpoints.is_none()
                && request.stages.is_none()
                && request.personas.is_none(),
        };
        let pulled = |department: &DepartmentId| {
            let pulled = context.departments.as_ref();
            let pulled = pulled.is_none_or(|pulled| pulled.contains(department));
            pulled.then(|| keys.department_bits(context, *department))
        };
        let journeys = context.journeys.iter();
        let departments = journeys.map(|one| one.topology.departments.iter().map(pulled).collect());
        Self {
            context,
            keys,
            selection,
            links: links_by_kpi(context, &asked),
            asked,
            departments: departments.collect(),
        }
    }

    /// Passes the assignments of a KPI to `taker`; `own` are the origins of its values at touchpoints.
    pub(super) fn for_each_assignment(
        &self,
        kpi: usize,
        own: &[SeriesPlaceForCaller],
        mut taker: impl FnMut(GroupDays),
    ) {
        let mut linked: Vec<DayNumberRange> = Vec::new();
        let mut linked_at: Vec<Vec<DayNumberRange>> = vec![Vec::new(); own.len()];
        let places = own
            .iter()
            .enumerate()
            .filter_map(|(own, origin)| match origin {
                SeriesPlaceForCaller::At(journey, touchpoint) => {
                    Some(((*journey, *touchpoint), own))
                }
                _ => None,
            });
        let mut places: Vec<_> = places.collect();
        // Sorted once for each KPI and then searched: a hash map would cost more than the few places that most KPIs
        // have.
        places.sort_unstable();
        let own_at = |journey, touchpoint| {
            let at = places.binary_search_by_key(&(journey, touchpoint), |(place, _)| *place);
            Some(places[at.ok()?].1)
        };
        for link in &self.links[kpi] {
            // Collected only where rows without a place pass: the days without any link are given at the end.
            if self.selection.unplaced {
                linked.push(link.days.clone());
            }
            let own = match link.target {
                KpiLinkTarget::Touchpoint(touchpoint) => own_at(link.journey, touchpoint),
                KpiLinkTarget::Blueprint | KpiLinkTarget::Phase(_) => None,
            };
            if let Some(own) = own {
                linked_at[own].push(link.days.clone());
            }
            let values = own.map_or(KpiValueScope::Whole, KpiValueScope::At);
            self.assign_by_link(kpi, link, values, &mut taker);
        }
        if self.selection.unheld {
            for (at, linked) in linked_at.into_iter().enumerate() {
                self.assign_without_link(kpi, (at, own[at]), linked, &mut taker);
            }
        }
        if self.selection.unplaced {
            let key = self
                .keys
                .location_key(self.context, kpi, PlaceInJourney::default());
            let entry = |days| GroupDays {
                key,
                days,
                values: KpiValueScope::Whole,
            };
            let left = subtract_days(&self.asked, linked).into_iter();
            left.map(entry).for_each(taker);
        }
    }

    /// The assignments of a link: one for each holder of a role on the days held, and one without a role for the rest.
    fn assign_by_link(
        &self,
        kpi: usize,
        link: &LinkedTarget,
        values: KpiValueScope,
        taker: &mut impl FnMut(GroupDays),
    ) {
        let Some(place) = self.link_location(link.journey, link.target) else {
            return;
        };
        let key = self.keys.location_key(self.context, kpi, place);
        let mut give = |key: GroupKey, days: DayNumberRange| {
            if days.start < days.end {
                taker(GroupDays { key, days, values });
            }
        };
        let Some(touchpoint) = place.touchpoint else {
            if self.selection.unheld {
                give(key, link.days.clone());
            }
            return;
        };
        let places = &self.context.journeys[link.journey].topology;
        let holders = places.role_holders_at(touchpoint);
        let departments = &self.departments[link.journey];
        let mut held_throughout = false;
        for holder in holders {
            let days = intersect_days(&link.days, &holder.days);
            // Where one department held a role for all of it, as mostly, no days without one need to be looked for.
            held_throughout |= days == link.days;
            let department = departments[holder.department_index()];
            let of_role = |roles: &[Role]| roles.contains(&holder.role);
            if let Some(department) =
                department.filter(|_| self.selection.roles.is_none_or(of_role))
            {
                give(key | department, days);
            }
        }
        if self.selection.unheld && !held_throughout {
            let held = holders.iter().map(|holder| holder.days.clone()).collect();
            for days in subtract_days(&link.days, held) {
                give(key, days);
            }
        }
    }

    /// The location of a link's target; none where the filter does not accept it.
    fn link_location(&self, at: usize, target: KpiLinkTarget) -> Option<PlaceInJourney> {
        let journey = &self.context.journeys[at];
        if !self.context.accepted[at] {
            return None;
        }
        let (phase, touchpoint) = match target {
            KpiLinkTarget::Blueprint => (None, None),
            KpiLinkTarget::Phase(phase) => (Some(phase), None),
            KpiLinkTarget::Touchpoint(at) => (
                Some(journey.topology.phase_index_of_touchpoint(at)),
                Some(at),
            ),
        };
        let of_stage = self.selection.stages.is_none_or(|stages| {
            phase.is_some_and(|at| stages.contains(&journey.topology.phases[at].stage))
        });
        let named = self.selection.touchpoints.as_ref().is_none_or(|keys| {
            touchpoint.is_some_and(|at| {
                let key = journey.topology.touchpoints[at].key.to_ascii_lowercase();
                keys.contains(&key)
            })
        });
        (of_stage && named).then_some(PlaceInJourney {
            journey: Some(at),
            phase,
            touchpoint,
        })
    }

    /// Own values of a touchpoint on days without a link: they keep their place, and have no role.
    fn assign_without_link(
        &self,
        kpi: usize,
        (own, origin): (usize, SeriesPlaceForCaller),
        linked: Vec<DayNumberRange>,
        taker: &mut impl FnMut(GroupDays),
    ) {
        let left = subtract_days(&self.asked, linked);
        if left.is_empty() {
            return;
        }
        let place = match origin {
            SeriesPlaceForCaller::At(journey, touchpoint) => {
                self.link_location(journey, KpiLinkTarget::Touchpoint(touchpoint))
            }
            _ => self.selection.unplaced.then(PlaceInJourney::default),
        };
        let Some(place) = place else { return };
        let key = self.keys.location_key(self.context, kpi, place);
        let values = KpiValueScope::Own(own);
        let entry = |days| GroupDays { key, days, values };
        left.into_iter().map(entry).for_each(taker);
    }
}

/// Per KPI: its links on these days. KPIs and links are both sorted by KPI id, so one pass merges them.
fn links_by_kpi(context: &SeriesContext, asked: &DayNumberRange) -> Vec<Vec<LinkedTarget>> {
    let mut links: Vec<Vec<LinkedTarget>> = Vec::new();
    links.resize_with(context.kpis.len(), Vec::new);
    for (journey, one) in context.journeys.iter().enumerate() {
        let mut kpis = context.kpis.iter().zip(&mut links).peekable();
        for link in &one.topology.links {
            // Links of KPIs that are not asked for, or whose values are hidden, are passed over.
            while kpis.next_if(|(kpi, _)| kpi.id < link.kpi).is_some() {}
            let Some((_, links)) = kpis.peek_mut().filter(|(kpi, _)| kpi.id == link.kpi) else {
                continue;
            };
            let days = intersect_days(&link.days, asked);
            if !days.is_empty() {
                let target = link.target;
                links.push(LinkedTarget {
                    journey,
                    target,
                    days,
                });
            }
        }
    }
    links
}
