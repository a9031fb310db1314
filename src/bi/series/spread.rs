//! Where the values of a KPI belong and on which days: the rows that they have in `kpi_facts`, as groups. Pure.

use entity::words::{Role, Stage};

use super::{
    Question,
    given::Given,
    key::{Key, Keys, Place},
};
use crate::bi::cube::{
    places::{Days, Holder, Link, Site, both},
    values::Point,
};

/// Some days on which values belong to a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Key,
    pub days: Days,
    /// Which of the points with own values comes first.
    pub own: Option<usize>,
    /// Whether the values of the KPI as a whole do, where there are no own ones.
    pub whole: bool,
}

/// Who judges what, to be asked KPI by KPI.
pub struct Spread<'g> {
    given: &'g Given,
    keys: &'g Keys,
    question: Selected<'g>,
    /// The links of each of the KPIs: which journey, which of its links.
    links: Vec<Vec<(usize, usize)>>,
}

/// The part of the question that looks at rows.
struct Selected<'g> {
    touchpoints: Option<Vec<String>>,
    roles: Option<&'g [Role]>,
    stages: Option<&'g [Stage]>,
    /// Whether rows without a role are asked for, and may be seen.
    unheld: bool,
    /// Whether rows without a place are.
    unplaced: bool,
}

const EVER: Days = i32::MIN..i32::MAX;

impl<'g> Spread<'g> {
    pub fn new(given: &'g Given, keys: &'g Keys, question: &'g Question) -> Self {
        let links = links(given);
        let unheld = given.departments.is_none() && !question.asks_for_roles();
        let touchpoints = question.touchpoints.as_ref();
        let selected = Selected {
            touchpoints: touchpoints
                .map(|keys| keys.iter().map(|key| key.to_ascii_lowercase()).collect()),
            roles: question.roles.as_deref(),
            stages: question.stages.as_deref(),
            unheld,
            unplaced: unheld
                && question.blueprints.is_none()
                && question.touchpoints.is_none()
                && question.stages.is_none()
                && question.personas.is_none(),
        };
        Self {
            given,
            keys,
            question: selected,
            links,
        }
    }

    /// Gives `taker` where values of this KPI belong, which has own values at these points, by touchpoint.
    pub fn each(&self, kpi: usize, own: &[&Point], mut taker: impl FnMut(Entry)) {
        let mut linked: Vec<Days> = Vec::new();
        let mut linked_at: Vec<Vec<Days>> = vec![Vec::new(); own.len()];
        for (at, link) in &self.links[kpi] {
            let places = &self.given.journeys[*at].places;
            let link = &places.links[*link];
            if self.question.unplaced {
                linked.push(link.days.clone());
            }
            let own = match link.site {
                Site::Touchpoint(touchpoint) => {
                    let id = Some(places.touchpoints[touchpoint].id);
                    own.binary_search_by_key(&id, |point| point.touchpoint).ok()
                }
                _ => None,
            };
            if let Some(own) = own {
                linked_at[own].push(link.days.clone());
            }
            self.linked((kpi, *at), link, own, &mut taker);
        }
        if self.question.unheld {
            for (at, linked) in linked_at.into_iter().enumerate() {
                self.without_link(kpi, (at, own[at]), linked, &mut taker);
            }
        }
        if self.question.unplaced {
            let key = self.keys.at(self.given, kpi, Place::default());
            let entry = |days| Entry {
                key,
                days,
                own: None,
                whole: true,
            };
            without(&EVER, linked)
                .into_iter()
                .map(entry)
                .for_each(taker);
        }
    }

    /// What a link gives: a row for each who holds a role, or one without.
    fn linked(
        &self,
        (kpi, at): (usize, usize),
        link: &Link,
        own: Option<usize>,
        taker: &mut impl FnMut(Entry),
    ) {
        let Some(place) = self.place(at, link.site) else {
            return;
        };
        let key = self.keys.at(self.given, kpi, place);
        let mut give = |key: Key, days: Days| {
            if days.start < days.end {
                taker(Entry {
                    key,
                    days,
                    own,
                    whole: true,
                });
            }
        };
        let Some(touchpoint) = place.touchpoint else {
            if self.question.unheld {
                give(key, link.days.clone());
            }
            return;
        };
        let holders = self.given.journeys[at].places.holders(touchpoint);
        for holder in holders.iter().filter(|holder| self.holds(holder)) {
            let key = self.keys.of_department(self.given, key, holder.department);
            give(key, both(&link.days, &holder.days));
        }
        let held_throughout = || {
            let mut held = holders.iter().map(|holder| both(&link.days, &holder.days));
            held.any(|days| days == link.days)
        };
        if self.question.unheld && !held_throughout() {
            let held = holders.iter().map(|holder| holder.days.clone()).collect();
            for days in without(&link.days, held) {
                give(key, days);
            }
        }
    }

    fn holds(&self, holder: &Holder) -> bool {
        let departments = self.given.departments.as_ref();
        departments.is_none_or(|departments| departments.contains(&holder.department))
            && self
                .question
                .roles
                .is_none_or(|roles| roles.contains(&holder.role))
    }

    /// The place in a journey, if it is asked for.
    fn place(&self, at: usize, site: Site) -> Option<Place> {
        let journey = &self.given.journeys[at];
        if !self.given.asked[at] {
            return None;
        }
        let (phase, touchpoint) = match site {
            Site::Blueprint => (None, None),
            Site::Phase(phase) => (Some(phase), None),
            Site::Touchpoint(at) => (Some(journey.places.touchpoints[at].phase), Some(at)),
        };
        let of_stage = self.question.stages.is_none_or(|stages| {
            phase.is_some_and(|at| stages.contains(&journey.places.phases[at].stage))
        });
        let named = self.question.touchpoints.as_ref().is_none_or(|keys| {
            touchpoint.is_some_and(|at| {
                let key = journey.places.touchpoints[at].key.to_ascii_lowercase();
                keys.contains(&key)
            })
        });
        (of_stage && named).then_some(Place {
            journey: Some(at),
            phase,
            touchpoint,
        })
    }

    /// Own values of a touchpoint on days on which the KPI does not judge it: they keep their place, and nobody's role.
    fn without_link(
        &self,
        kpi: usize,
        (own, point): (usize, &Point),
        linked: Vec<Days>,
        taker: &mut impl FnMut(Entry),
    ) {
        let place = match self.given.at(point) {
            Some((at, touchpoint)) => self.place(at, Site::Touchpoint(touchpoint)),
            None => self.question.unplaced.then(Place::default),
        };
        let Some(place) = place else { return };
        let key = self.keys.at(self.given, kpi, place);
        let entry = |days| Entry {
            key,
            days,
            own: Some(own),
            whole: false,
        };
        without(&EVER, linked)
            .into_iter()
            .map(entry)
            .for_each(taker);
    }
}

/// The links of each of the KPIs: which journey, which of its links. Both KPIs and links are in the order of their ids.
fn links(given: &Given) -> Vec<Vec<(usize, usize)>> {
    let mut links = vec![Vec::new(); given.kpis.len()];
    for (journey, one) in given.journeys.iter().enumerate() {
        let mut kpis = given.kpis.iter().zip(&mut links).peekable();
        for (at, link) in one.places.links.iter().enumerate() {
            while kpis.next_if(|(kpi, _)| kpi.id < link.kpi).is_some() {}
            match kpis.peek_mut() {
                Some((kpi, links)) if kpi.id == link.kpi => links.push((journey, at)),
                _ => {}
            }
        }
    }
    links
}

/// The days that are in none of these.
fn without(days: &Days, mut taken: Vec<Days>) -> Vec<Days> {
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
