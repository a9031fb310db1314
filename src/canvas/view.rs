//! Views of a blueprint: the touchpoints that stay in a smaller picture, and bridges where steps in between were left
//! out. Pure functions over the canvas.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use entity::{
    touchpoint,
    words::{Basis, End, Lane, Stage},
};

use super::{flow::FlowAnalysis, graph::FlowNode, model::Canvas};
use crate::{compute::WorkBudget, error::Result};

/// A smaller picture. Touchpoints and transitions are indices on the canvas.
#[derive(Debug)]
pub struct ReducedCanvas {
    /// The touchpoints that stay, in order of display.
    pub touchpoints: Vec<usize>,
    /// The joints between them: transitions that stay, in their order, then bridges.
    pub joints: Vec<Arc<ViewArrow>>,
}

/// A transition or a bridge between two touchpoints, or a touchpoint and an end, of a smaller picture.
#[derive(Debug)]
pub struct ViewArrow {
    pub from: Option<usize>,
    pub to: Option<usize>,
    /// The transition; none for a bridge.
    pub transition: Option<usize>,
    /// The end of the graph that takes the place of `from` or `to`.
    pub end: Option<End>,
    /// The touchpoints left out in between, on the shortest way, where they were asked for.
    pub left_out: Vec<usize>,
}

/// How much of a view is computed, as far as the document asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComputedViewParts {
    /// Only the touchpoints that stay.
    Touchpoints,
    /// The joints too.
    Joints,
    /// The joints, and what each bridge passes over.
    LeftOut,
}

fn touchpoint_indices_where(
    canvas: &Canvas,
    wanted: impl Fn(&touchpoint::Model) -> bool,
) -> BTreeSet<usize> {
    let touchpoints = canvas.touchpoints.iter().enumerate();
    let kept = touchpoints.filter(|(_, touchpoint)| wanted(touchpoint));
    kept.map(|(at, _)| at).collect()
}

/// The touchpoints of the smallest useful map.
#[must_use]
pub fn essential_touchpoints(canvas: &Canvas) -> BTreeSet<usize> {
    touchpoint_indices_where(canvas, |touchpoint| touchpoint.essential)
}

/// The touchpoints that customers take part in.
#[must_use]
pub fn touchpoints_seen_by_customers(canvas: &Canvas) -> BTreeSet<usize> {
    touchpoint_indices_where(canvas, |touchpoint| {
        matches!(touchpoint.lane, Lane::Customer | Lane::Frontstage)
    })
}

/// The touchpoints that matter most: essential ones first, then by the sum of both importances, where an unknown one
/// counts nothing, then by key.
#[must_use]
pub fn most_important_touchpoints(canvas: &Canvas, to: usize) -> BTreeSet<usize> {
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
            // By key, so that equal importance gives the same picture every time.
            .then_with(|| one.key.cmp(&other.key))
    });
    ranked.into_iter().take(to).map(|(at, _)| at).collect()
}

impl ReducedCanvas {
    /// The picture of these touchpoints. Steps left out are bridged, so that whatever led from one place to another
    /// still does; work that enables is shown where both sides stay.
    ///
    /// Its cost is that of the bridges, of which there may be as many as pairs of what stays, each as long as what was
    /// left out: no more of it is made than is wanted, and each step is taken from the budget.
    pub fn new(
        flow: &FlowAnalysis<'_>,
        kept: &BTreeSet<usize>,
        detail: ComputedViewParts,
        steps: &WorkBudget,
    ) -> Result<Self> {
        let mut view = Self {
            touchpoints: kept.iter().copied().collect(),
            joints: Vec::new(),
        };
        if detail == ComputedViewParts::Touchpoints {
            return Ok(view);
        }
        steps.spend(flow.edges().len())?;
        let stays = |place: FlowNode| match place {
            FlowNode::At(at) => kept.contains(&at),
            FlowNode::End(_) => true,
        };
        let mut joined: BTreeSet<(FlowNode, FlowNode)> = BTreeSet::new();
        let mut leaving: BTreeMap<FlowNode, Vec<usize>> = BTreeMap::new();
        for edge in flow.edges().iter().filter(|edge| stays(edge.from)) {
            match edge.to {
                to if stays(to) => {
                    // Work that enables takes the place of no bridge: it is no movement.
                    if !edge.is_enabling() {
                        joined.insert((edge.from, to));
                    }
                    view.joints.push(Arc::new(ViewArrow {
                        transition: Some(edge.row),
                        ..ViewArrow::new(edge.from, to, Vec::new())
                    }));
                }
                FlowNode::At(to) if !edge.is_enabling() => {
                    leaving.entry(edge.from).or_default().push(to);
                }
                _ => {}
            }
        }
        for (from, into) in leaving {
            // One search for each touchpoint that stays, not one for each pair: it finds all bridges that begin
            // there.
            let (reached, came_from) = find_nodes_beyond_left_out(flow, into, stays, steps)?;
            for (to, last) in reached {
                // From an end to an end nothing of the picture is passed.
                let ends = matches!((from, to), (FlowNode::End(_), FlowNode::End(_)));
                if to == from || ends || !joined.insert((from, to)) {
                    continue;
                }
                let passed = match detail {
                    ComputedViewParts::LeftOut => way_to(last, &came_from),
                    _ => Vec::new(),
                };
                steps.spend(BRIDGE + passed.len() * PASSED)?;
                view.joints.push(Arc::new(ViewArrow::new(from, to, passed)));
            }
        }
        Ok(view)
    }
}

/// Steps of the budget for a bridge.
const BRIDGE: usize = 10;

/// Steps of the budget for each touchpoint that a bridge passes over.
const PASSED: usize = 4;

impl ViewArrow {
    fn new(from: FlowNode, to: FlowNode, left_out: Vec<usize>) -> Self {
        let there = |place: FlowNode| match place {
            FlowNode::At(at) => Some(at),
            FlowNode::End(_) => None,
        };
        let end = match (from, to) {
            (FlowNode::End(end), _) | (_, FlowNode::End(end)) => Some(end),
            _ => None,
        };
        Self {
            from: there(from),
            to: there(to),
            transition: None,
            end,
            left_out,
        }
    }
}

/// By touchpoint that was reached, the one before it on a shortest way.
type PreviousTouchpoints = BTreeMap<usize, Option<usize>>;

/// Breadth-first search over touchpoints that are left out: the first nodes that stay, each with the last touchpoint
/// left out before it.
fn find_nodes_beyond_left_out(
    flow: &FlowAnalysis<'_>,
    into: Vec<usize>,
    stays: impl Fn(FlowNode) -> bool,
    steps: &WorkBudget,
) -> Result<(Vec<(FlowNode, usize)>, PreviousTouchpoints)> {
    let mut came_from = PreviousTouchpoints::new();
    let mut next = VecDeque::new();
    for at in into {
        if came_from.insert(at, None).is_none() {
            next.push_back(at);
        }
    }
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    while let Some(at) = next.pop_front() {
        let onward = flow.movement_edges_from(FlowNode::At(at));
        steps.spend(1 + onward.len())?;
        for edge in onward {
            if stays(edge.to) {
                if known.insert(edge.to) {
                    found.push((edge.to, at));
                }
            } else if let FlowNode::At(beyond) = edge.to
                && !came_from.contains_key(&beyond)
            {
                came_from.insert(beyond, Some(at));
                next.push_back(beyond);
            }
        }
    }
    Ok((found, came_from))
}

fn way_to(at: usize, came_from: &PreviousTouchpoints) -> Vec<usize> {
    let mut way = vec![at];
    let mut here = at;
    while let Some(Some(before)) = came_from.get(&here) {
        way.push(*before);
        here = *before;
    }
    way.reverse();
    way
}

/// Number of touchpoints in the phases of a stage.
#[must_use]
pub fn count_touchpoints_in_stage(canvas: &Canvas, stage: Stage) -> usize {
    let phases = canvas.phases.iter().filter(|phase| phase.stage == stage);
    phases
        .map(|phase| canvas.touchpoints_of_phase(phase.id).len())
        .sum()
}

/// Number of touchpoints that are assumed, not observed.
#[must_use]
pub fn count_assumed_touchpoints(canvas: &Canvas) -> usize {
    let touchpoints = canvas.touchpoints.iter();
    touchpoints
        .filter(|touchpoint| touchpoint.basis == Basis::Assumed)
        .count()
}
