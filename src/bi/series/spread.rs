//! Where the values of a KPI belong and on which days: the rows that they have in `kpi_facts`, as groups. Pure.

use entity::words::{Role, Stage};

use super::{
    Question,
    given::Given,
    key::{Key, Keys, Place},
};
use crate::bi::cube::{
    places::{Days, EVER, Holder, Link, Site, both, without},
    values::Point,
};

/// Some days on which values belong to a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Key,
    pub days: Days,
    pub values: Values,
}

/// Which values belong to a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// Those of the KPI as a whole.
    Whole,
    /// Those of one of the touchpoints with own values where there are any, else those of the KPI as a whole.
    At(usize),
    /// Those of one of the touchpoints with own values, alone.
    Own(usize),
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
                values: Values::Whole,
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
                    values: own.map_or(Values::Whole, Values::At),
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
            values: Values::Own(own),
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
