//! Views of a blueprint: which touchpoints stay in a smaller picture, and what joins them where steps in between were
//! left out. Pure functions over the canvas; nothing is changed by looking.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use entity::{
    touchpoint, transition,
    words::{Basis, End, Lane, Stage},
};

use super::{
    Canvas,
    flow::{Flow, Place},
};

/// A smaller picture.
#[derive(Debug)]
pub struct View<'c> {
    /// What stays, in order of display.
    pub touchpoints: Vec<&'c touchpoint::Model>,
    /// What joins them: transitions that stay in their order, then bridges.
    pub joints: Vec<Joint<'c>>,
}

/// What joins two places in a smaller picture.
#[derive(Debug)]
pub struct Joint<'c> {
    pub from: Option<&'c touchpoint::Model>,
    pub to: Option<&'c touchpoint::Model>,
    /// The transition; none for a bridge.
    pub transition: Option<&'c transition::Model>,
    /// The end of the graph that takes the place of `from` or `to`.
    pub end: Option<End>,
    /// The touchpoints left out in between, on the shortest way.
    pub left_out: Vec<&'c touchpoint::Model>,
}

fn which(canvas: &Canvas, wanted: impl Fn(&touchpoint::Model) -> bool) -> BTreeSet<usize> {
    let touchpoints = canvas.touchpoints.iter().enumerate();
    let kept = touchpoints.filter(|(_, touchpoint)| wanted(touchpoint));
    kept.map(|(at, _)| at).collect()
}

/// Only what belongs to the smallest useful map.
#[must_use]
pub fn essential(canvas: &Canvas) -> BTreeSet<usize> {
    which(canvas, |touchpoint| touchpoint.essential)
}

/// What customers take part in.
#[must_use]
pub fn seen_by_customers(canvas: &Canvas) -> BTreeSet<usize> {
    which(canvas, |touchpoint| {
        matches!(touchpoint.lane, Lane::Customer | Lane::Frontstage)
    })
}

/// The touchpoints that matter most: essential ones first, then by the sum of both importances, where an unknown one
/// counts nothing, then by key.
#[must_use]
pub fn simplified(canvas: &Canvas, to: usize) -> BTreeSet<usize> {
    let rank = |touchpoint: &touchpoint::Model| {
        let importance = touchpoint.importance_customer.unwrap_or_default()
            + touchpoint.importance_organisation.unwrap_or_default();
        (!touchpoint.essential, Reverse(importance))
    };
    let mut ranked: Vec<(usize, &touchpoint::Model)> =
        canvas.touchpoints.iter().enumerate().collect();
    ranked.sort_by(|(_, one), (_, other)| {
        rank(one)
            .cmp(&rank(other))
            .then_with(|| one.key.cmp(&other.key))
    });
    ranked.into_iter().take(to).map(|(at, _)| at).collect()
}

impl<'c> View<'c> {
    /// The picture of these touchpoints. Steps left out are bridged, so that whatever led from one place to another
    /// still does; work that enables is shown where both sides stay.
    #[must_use]
    pub fn of(flow: &Flow<'c>, kept: &BTreeSet<usize>) -> Self {
        let stays = |place: Place| match place {
            Place::At(at) => kept.contains(&at),
            Place::End(_) => true,
        };
        let mut joints = Vec::new();
        let mut joined: BTreeSet<(Place, Place)> = BTreeSet::new();
        let mut leaving: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for edge in flow.edges().iter().filter(|edge| stays(edge.from)) {
            match edge.to {
                to if stays(to) => {
                    if !edge.enables() {
                        joined.insert((edge.from, to));
                    }
                    joints.push(Joint {
                        transition: Some(flow.transition(edge)),
                        ..Joint::of(flow, edge.from, to, &[])
                    });
                }
                Place::At(to) if !edge.enables() => {
                    leaving.entry(edge.from).or_default().push(to);
                }
                _ => {}
            }
        }
        for (from, into) in leaving {
            for (to, passed) in beyond(flow, into, stays) {
                let ends = matches!((from, to), (Place::End(_), Place::End(_)));
                if to != from && !ends && joined.insert((from, to)) {
                    joints.push(Joint::of(flow, from, to, &passed));
                }
            }
        }
        let touchpoints = flow.touchpoints(kept.iter().copied());
        Self {
            touchpoints,
            joints,
        }
    }
}

impl<'c> Joint<'c> {
    fn of(flow: &Flow<'c>, from: Place, to: Place, left_out: &[usize]) -> Self {
        let there = |place: Place| match place {
            Place::At(at) => flow.touchpoint(at),
            Place::End(_) => None,
        };
        let end = match (from, to) {
            (Place::End(end), _) | (_, Place::End(end)) => Some(end),
            _ => None,
        };
        Self {
            from: there(from),
            to: there(to),
            transition: None,
            end,
            left_out: flow.touchpoints(left_out.iter().copied()),
        }
    }
}

/// The first places that stay on every way on from places that do not, with what lies in between.
fn beyond(
    flow: &Flow<'_>,
    into: Vec<usize>,
    stays: impl Fn(Place) -> bool,
) -> Vec<(Place, Vec<usize>)> {
    let mut came_from: BTreeMap<usize, Option<usize>> = BTreeMap::new();
    let mut next = VecDeque::new();
    for at in into {
        if came_from.insert(at, None).is_none() {
            next.push_back(at);
        }
    }
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    while let Some(at) = next.pop_front() {
        for edge in flow.on_from(Place::At(at)) {
            if stays(edge.to) {
                if known.insert(edge.to) {
                    found.push((edge.to, way_to(at, &came_from)));
                }
            } else if let Place::At(beyond) = edge.to
                && !came_from.contains_key(&beyond)
            {
                came_from.insert(beyond, Some(at));
                next.push_back(beyond);
            }
        }
    }
    found
}

fn way_to(at: usize, came_from: &BTreeMap<usize, Option<usize>>) -> Vec<usize> {
    let mut way = vec![at];
    let mut here = at;
    while let Some(Some(before)) = came_from.get(&here) {
        way.push(*before);
        here = *before;
    }
    way.reverse();
    way
}

/// How much attention a stage gets: how many touchpoints lie in its phases.
#[must_use]
pub fn in_stage(canvas: &Canvas, stage: Stage) -> usize {
    let phases = canvas.phases.iter().filter(|phase| phase.stage == stage);
    phases
        .map(|phase| canvas.touchpoints_of(phase.id).len())
        .sum()
}

/// How many touchpoints are somebody's guess.
#[must_use]
pub fn assumed(canvas: &Canvas) -> usize {
    let touchpoints = canvas.touchpoints.iter();
    touchpoints
        .filter(|touchpoint| touchpoint.basis == Basis::Assumed)
        .count()
}
