//! What a document becomes by what is said: list by list, part by part. It judges nothing but whether parts can be
//! told apart and are complete.

use std::collections::{HashMap, HashSet};

use super::{
    blueprint::Document,
    part::{Identity, Part, Said, camel},
};
use crate::{error::UserErrorCode, input::Faults};
use entity::words::ResponsibilityStatus;

/// Where in what was read each part stands.
#[derive(Debug, Default)]
pub struct Places(HashMap<(String, Identity), usize>);

impl Places {
    /// Whether a part was said.
    pub(super) fn said<P: Part>(&self, list: &str, part: &P) -> bool {
        self.0.contains_key(&(list.to_owned(), part.identity()))
    }

    /// The path of a part: its place in what was read, or its identity where it was not said.
    #[must_use]
    pub fn of<P: Part>(&self, list: &str, part: &P) -> String {
        let identity = part.identity();
        match self.0.get(&(list.to_owned(), identity.clone())) {
            Some(at) => format!("{list}.{at}"),
            None => format!("{list}.{identity}"),
        }
    }
}

impl Document {
    /// Lets go, as archiving does, of what hangs on touchpoints and phases that pruning removed. What is said stays,
    /// so that its faults are told.
    pub(super) fn let_go(&mut self, places: &Places) {
        let lower = |key: &String| key.trim().to_lowercase();
        let touchpoints: HashSet<String> = self
            .touchpoints
            .iter()
            .map(|part| lower(&part.key))
            .collect();
        let phases: HashSet<String> = self.phases.iter().map(|part| lower(&part.key)).collect();
        let at = |key: Option<&String>| key.is_none_or(|key| touchpoints.contains(&lower(key)));
        let within = |key: Option<&String>| key.is_none_or(|key| phases.contains(&lower(key)));
        self.transitions.retain(|part| {
            places.said("transitions", part) || (at(part.from.as_ref()) && at(part.to.as_ref()))
        });
        self.responsibilities
            .retain(|part| places.said("responsibilities", part) || at(Some(&part.touchpoint)));
        self.kpi_links.retain(|part| {
            let there = at(part.touchpoint.as_ref()) && within(part.phase.as_ref());
            places.said("kpiLinks", part) || there
        });
        self.insights.retain(|part| {
            let there = at(part.touchpoint.as_ref()) && within(part.phase.as_ref());
            places.said("insights", part) || there
        });
        let insights: HashSet<String> = self.insights.iter().map(|part| lower(&part.key)).collect();
        for insight in &mut self.insights {
            if !places.said("insights", &*insight) {
                insight.answered_by = insight
                    .answered_by
                    .take()
                    .filter(|key| insights.contains(&lower(key)));
            }
        }
        self.promises
            .retain(|part| places.said("promises", part) || at(Some(&part.touchpoint)));
        self.evaluations
            .retain(|part| places.said("evaluations", part) || at(Some(&part.touchpoint)));
        for promise in &mut self.promises {
            if !places.said("promises", &*promise) {
                promise.delivered_at.retain(|key| at(Some(key)));
            }
        }
        for improvement in &mut self.improvements {
            if !places.said("improvements", &*improvement) {
                improvement.touchpoints.retain(|key| at(Some(key)));
            }
        }
        for scenario in &mut self.scenarios {
            if !places.said("scenarios", &*scenario) {
                scenario.touchpoints.retain(|key| at(Some(key)));
            }
        }
    }
}

impl Document {
    /// What is agreed: without open proposals.
    #[must_use]
    pub fn agreed(mut self) -> Self {
        self.responsibilities
            .retain(|part| part.status == ResponsibilityStatus::Accepted);
        self
    }

    /// With other keys for phases and touchpoints, by the old ones in small letters.
    #[must_use]
    pub fn rekeyed(
        mut self,
        phases: &HashMap<String, String>,
        touchpoints: &HashMap<String, String>,
    ) -> Self {
        let renamed = |keys: &HashMap<String, String>, key: &mut String| {
            if let Some(told) = keys.get(&key.to_lowercase()) {
                key.clone_from(told);
            }
        };
        let phase = |key: &mut String| renamed(phases, key);
        let at = |key: &mut String| renamed(touchpoints, key);
        self.phases.iter_mut().for_each(|part| phase(&mut part.key));
        for part in &mut self.touchpoints {
            at(&mut part.key);
            phase(&mut part.phase);
        }
        for part in &mut self.transitions {
            part.from.iter_mut().chain(&mut part.to).for_each(at);
        }
        self.responsibilities
            .iter_mut()
            .for_each(|part| at(&mut part.touchpoint));
        for part in &mut self.kpi_links {
            part.touchpoint.iter_mut().for_each(at);
            part.phase.iter_mut().for_each(phase);
        }
        self.scenarios
            .iter_mut()
            .flat_map(|part| &mut part.touchpoints)
            .for_each(at);
        for part in &mut self.insights {
            part.touchpoint.iter_mut().for_each(at);
            part.phase.iter_mut().for_each(phase);
        }
        for part in &mut self.promises {
            at(&mut part.touchpoint);
            part.delivered_at.iter_mut().for_each(at);
        }
        for part in &mut self.evaluations {
            at(&mut part.touchpoint);
            part.conflicts_with.iter_mut().for_each(at);
        }
        let improved = self.improvements.iter_mut();
        improved.flat_map(|part| &mut part.touchpoints).for_each(at);
        self.sorted()
    }
}

/// Notes the fields that something new lacks.
pub fn lacks(path: &str, noun: &str, lacking: &[&str], faults: &mut Faults) {
    for field in lacking {
        let path = match path {
            "" => camel(field),
            path => format!("{path}.{}", camel(field)),
        };
        let message = format!("A new {noun} needs this.");
        faults.add(&path, UserErrorCode::Required, None, message);
    }
}

/// Tells apart even what has the same identity: the first of it, the second, …
fn numbered(identities: impl Iterator<Item = Identity>) -> Vec<(Identity, usize)> {
    let mut met: HashMap<Identity, usize> = HashMap::new();
    identities
        .map(|identity| {
            let number = met.entry(identity.clone()).or_default();
            *number += 1;
            (identity, *number)
        })
        .collect()
}

/// A list that is not longer than it may be; what is said in one that is longer is not looked at.
pub fn few_enough<S>(
    name: &str,
    said: Option<Vec<S>>,
    most: u64,
    faults: &mut Faults,
) -> Option<Vec<S>> {
    let said = said?;
    if said.len() as u64 <= most {
        return Some(said);
    }
    too_many(name, most, faults);
    None
}

/// Notes that there is more in a list than there may be.
pub fn too_many(list: &str, most: u64, faults: &mut Faults) {
    let message = format!("A blueprint has at most {most} {list}.");
    faults.add(list, UserErrorCode::LimitExceeded, None, message);
}

/// A list as it becomes. What is said comes in its own order; what is not said stays behind what it stood behind,
/// or goes, where pruning. Nothing where a part lacks something.
pub fn list<P: Part>(
    name: &str,
    now: &[P],
    said: Option<Vec<P::Said>>,
    prune: bool,
    (places, faults): (&mut Places, &mut Faults),
) -> Option<Vec<P>> {
    let Some(said) = said else {
        return Some(now.to_vec());
    };
    let told = numbered(said.iter().map(Said::identity));
    for (at, (identity, number)) in told.iter().enumerate() {
        let first = places
            .0
            .entry((name.to_owned(), identity.clone()))
            .or_insert(at);
        if *number > 1 && !P::REPEATS {
            let message = format!("This {} is at {name}.{first} already.", P::NOUN);
            faults.add(
                &format!("{name}.{at}"),
                UserErrorCode::Duplicate,
                None,
                message,
            );
        }
    }
    let current = numbered(now.iter().map(Part::identity));
    let of: HashMap<&(Identity, usize), usize> = current.iter().zip(0..).collect();
    let named: HashSet<&(Identity, usize)> = told.iter().collect();
    // What is not said, by what it stands behind.
    let mut behind: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    let mut last = None;
    for (at, identity) in current.iter().enumerate() {
        if named.contains(identity) {
            last = Some(at);
        } else if !prune {
            behind.entry(last).or_default().push(at);
        }
    }
    let mut merged = Vec::with_capacity(now.len().max(said.len()));
    let mut complete = true;
    let mut follow = |merged: &mut Vec<P>, at: Option<usize>| {
        let unsaid = behind.remove(&at).unwrap_or_default();
        merged.extend(unsaid.into_iter().filter_map(|at| now.get(at).cloned()));
    };
    follow(&mut merged, None);
    for (at, (said, identity)) in said.into_iter().zip(&told).enumerate() {
        if identity.1 > 1 && !P::REPEATS {
            continue;
        }
        let was = of.get(identity).copied();
        match said.onto(was.and_then(|was| now.get(was))) {
            Ok(part) => merged.push(part),
            Err(lacking) => {
                lacks(&format!("{name}.{at}"), P::NOUN, &lacking, faults);
                complete = false;
            }
        }
        if was.is_some() {
            follow(&mut merged, was);
        }
    }
    complete.then_some(merged)
}
