//! Analysis of how people move through a blueprint: loops, dead ends, hand-offs and ways in the graph of its
//! transitions. Pure functions over the canvas. Work that ENABLES a step is no movement; it counts only for
//! reachability and hand-offs. There are no durations: over a graph with cycles they would have no sum.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use entity::{
    phase, touchpoint, transition,
    words::{End, Stage, TransitionKind},
};
use petgraph::{
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
};

use super::{
    graph::{FlowEdge, FlowGraph, FlowNode, entry_touchpoint, is_re_entry},
    model::Canvas,
};
use crate::{compute::WorkBudget, error::Result};

/// Most ways that are listed.
const MOST_WAYS: usize = 100;

/// Most touchpoints that a search for ways visits; then the list is as long as it is, and says that there may be more.
const MOST_VISITED: usize = 100_000;

/// Transitions visited for one step of the budget.
const TRANSITIONS_PER_STEP: usize = 2;

/// Steps of the budget for each transition of a way that is found.
const STEPS_PER_FOUND_TRANSITION: usize = 20;

/// The graph of a canvas, ready for questions.
#[derive(Clone, Debug)]
pub struct FlowAnalysis<'c> {
    canvas: &'c Canvas,
    graph: Arc<FlowGraph>,
}

/// Ways from one touchpoint to another.
#[derive(Debug, Default)]
pub struct WaysBetweenTouchpoints {
    /// Each as the places of its transitions on the canvas, in order; shorter ones first.
    pub ways: Vec<Vec<usize>>,
    /// Whether there are, or may be, more.
    pub more: bool,
}

impl<'c> FlowAnalysis<'c> {
    /// The analysis of a canvas; its graph is made once per canvas.
    #[must_use]
    pub fn new(canvas: &'c Canvas) -> Self {
        Self {
            canvas,
            graph: canvas.graph(),
        }
    }

    /// The analysis as if nothing led to a touchpoint or on from it; the entries stay those of the whole graph.
    #[must_use]
    pub fn without_touchpoint(&self, touchpoint: usize) -> Self {
        Self {
            canvas: self.canvas,
            graph: Arc::new(self.graph.without_touchpoint(touchpoint)),
        }
    }

    pub(super) fn canvas(&self) -> &'c Canvas {
        self.canvas
    }

    pub(super) fn edges(&self) -> &[FlowEdge] {
        &self.graph.edges
    }

    /// The transition behind an edge.
    pub(super) fn transition(&self, edge: &FlowEdge) -> &'c transition::Model {
        &self.canvas.transitions[edge.row]
    }

    pub(super) fn touchpoint(&self, at: usize) -> Option<&'c touchpoint::Model> {
        self.canvas.touchpoints.get(at)
    }

    pub(super) fn touchpoints(
        &self,
        which: impl IntoIterator<Item = usize>,
    ) -> Vec<&'c touchpoint::Model> {
        let which = which.into_iter();
        which.filter_map(|at| self.touchpoint(at)).collect()
    }

    fn phase_of(&self, at: usize) -> Option<&'c phase::Model> {
        self.canvas.phases.get(*self.graph.phase.get(at)?)
    }

    fn movement_edges(&self) -> impl Iterator<Item = &FlowEdge> {
        self.graph.edges.iter().filter(|edge| !edge.is_enabling())
    }

    fn transitions_where(&self, wanted: impl Fn(&FlowEdge) -> bool) -> Vec<&'c transition::Model> {
        let found = self.movement_edges().filter(|edge| wanted(edge));
        found.map(|edge| self.transition(edge)).collect()
    }

    /// The loops: touchpoints from each of which every other of the same loop can be reached again. Ends of the
    /// graph are no part of any. In order of display.
    #[must_use]
    pub fn loops(&self) -> Vec<Vec<&'c touchpoint::Model>> {
        // Without weights, and only movements in it: the library is needed for this one algorithm.
        let mut graph = DiGraph::<(), (), usize>::default();
        let nodes: Vec<_> = self
            .graph
            .onward
            .iter()
            .map(|_| graph.add_node(()))
            .collect();
        for (from, to) in self
            .movement_edges()
            .filter_map(FlowEdge::joined_touchpoints)
        {
            graph.add_edge(nodes[from], nodes[to], ());
        }
        let mut loops: Vec<Vec<usize>> = kosaraju_scc(&graph)
            .into_iter()
            // A component of one is no loop: no transition leads from a touchpoint to itself.
            .filter(|component| component.len() > 1)
            .map(|component| {
                let mut places: Vec<usize> = component.into_iter().map(NodeIndex::index).collect();
                places.sort_unstable();
                places
            })
            .collect();
        loops.sort_unstable();
        loops
            .into_iter()
            .map(|places| self.touchpoints(places))
            .collect()
    }

    /// Transitions that lead back: of kind BACKTRACK, or to an earlier phase.
    #[must_use]
    pub fn backtracks(&self) -> Vec<&'c transition::Model> {
        self.transitions_where(|edge| {
            let back = |(from, to): (usize, usize)| self.graph.phase[to] < self.graph.phase[from];
            edge.kind == TransitionKind::Backtrack || edge.joined_touchpoints().is_some_and(back)
        })
    }

    /// Transitions that pass over something: of kind SKIP, or with a whole phase in between.
    #[must_use]
    pub fn skips(&self) -> Vec<&'c transition::Model> {
        self.transitions_where(|edge| {
            let far =
                |(from, to): (usize, usize)| self.graph.phase[to] > self.graph.phase[from] + 1;
            edge.kind == TransitionKind::Skip || edge.joined_touchpoints().is_some_and(far)
        })
    }

    /// Transitions by which people leave the journey.
    #[must_use]
    pub fn exits(&self) -> Vec<&'c transition::Model> {
        self.transitions_where(|edge| matches!(edge.to, FlowNode::End(_)))
    }

    /// Transitions by which people come back into it.
    #[must_use]
    pub fn re_entries(&self) -> Vec<&'c transition::Model> {
        self.transitions_where(is_re_entry)
    }

    /// Touchpoints that people get to and that nothing leads on from, not even out of the journey.
    #[must_use]
    pub fn dead_ends(&self) -> Vec<&'c touchpoint::Model> {
        let reached: BTreeSet<FlowNode> = self.movement_edges().map(|edge| edge.to).collect();
        self.touchpoints(
            (0..self.graph.onward.len()).filter(|at| {
                self.graph.onward[*at].is_empty() && reached.contains(&FlowNode::At(*at))
            }),
        )
    }

    /// Touchpoints that nobody gets to: no way leads there from the start or from a re-entry, and it does not
    /// enable, through other such work or itself, a step that people do get to. None where the blueprint says
    /// nothing of where people come in.
    #[must_use]
    pub fn unreachable(&self) -> Vec<&'c touchpoint::Model> {
        if !self.graph.entered {
            return Vec::new();
        }
        let entries = self.graph.edges.iter().filter_map(entry_touchpoint);
        let mut enabling: Vec<Vec<usize>> = vec![Vec::new(); self.graph.onward.len()];
        for edge in self.graph.edges.iter().filter(|edge| edge.is_enabling()) {
            if let Some((from, to)) = edge.joined_touchpoints() {
                enabling[to].push(from);
            }
        }
        let mut reached = vec![false; self.graph.onward.len()];
        let mut next: VecDeque<usize> = entries.collect();
        while let Some(at) = next.pop_front() {
            if std::mem::replace(&mut reached[at], true) {
                continue;
            }
            let onward =
                self.graph.onward[at]
                    .iter()
                    .filter_map(|edge| match self.graph.edges[*edge].to {
                        FlowNode::At(to) => Some(to),
                        FlowNode::End(_) => None,
                    });
            // Backwards over work that enables: who does it is not reached by people, but needed where they are.
            next.extend(onward.chain(enabling[at].iter().copied()));
        }
        self.touchpoints((0..reached.len()).filter(|at| !reached[*at]))
    }

    /// The touchpoints that every way from START to a phase of stage GOAL passes, in the order of passing; the one
    /// by which all of them reach the goal is the last. Who leaves to a competitor and comes back is still on the
    /// way. None where no way leads there.
    #[must_use]
    pub fn unavoidable_touchpoints(&self) -> Vec<&'c touchpoint::Model> {
        let touchpoints = self.graph.onward.len();
        // The ends are three more nodes after the touchpoints. EXIT is none: who leaves by it is not on the way any
        // more.
        let (start, competitor, goal) = (touchpoints, touchpoints + 1, touchpoints + 2);
        let node = |place: FlowNode| match place {
            FlowNode::At(at) => Some(at),
            FlowNode::End(End::Start) => Some(start),
            FlowNode::End(End::Competitor) => Some(competitor),
            FlowNode::End(End::Exit) => None,
        };
        let mut onward: Vec<Vec<usize>> = vec![Vec::new(); goal + 1];
        for edge in self.movement_edges() {
            if let (Some(from), Some(to)) = (node(edge.from), node(edge.to)) {
                onward[from].push(to);
            }
        }
        for (at, onward) in onward.iter_mut().enumerate().take(touchpoints) {
            if self
                .phase_of(at)
                .is_some_and(|phase| phase.stage == Stage::Goal)
            {
                onward.push(goal);
            }
        }
        self.touchpoints(unavoidable_nodes(&onward, start, goal))
    }

    /// Ways from one touchpoint to another that pass no place twice, of so many transitions at most. A way may lead
    /// to a competitor and back. How many there are can grow with the factorial of the places: each that is tried is
    /// taken from the budget.
    pub fn find_ways_between(
        &self,
        from: usize,
        to: usize,
        longest: usize,
        steps: &WorkBudget,
    ) -> Result<WaysBetweenTouchpoints> {
        let mut found = WaysBetweenTouchpoints::default();
        steps.spend(self.graph.edges.len())?;
        // Once for the whole search: each step then knows whether the target can still be reached.
        let distance_to_target = self.distances_to(to);
        let Some(shortest) = distance_to_target.get(&FlowNode::At(from)) else {
            return Ok(found);
        };
        // Iterative deepening, so that shorter ways come first: depth first alone would fill the list, which has an
        // end, with long ones.
        let mut search = WaySearch {
            flow: self,
            to: FlowNode::At(to),
            distance_to_target: &distance_to_target,
            passed: BTreeSet::from([FlowNode::At(from)]),
            way: Vec::new(),
            tried: 0,
            steps,
            found: &mut found,
        };
        for length in *shortest..=longest.min(self.graph.onward.len() + 1) {
            search.extend_way(FlowNode::At(from), length)?;
            if search.found.more {
                break;
            }
        }
        Ok(found)
    }

    /// The movements that lead on from a place; from the ends only the competitor's.
    pub(super) fn movement_edges_from(&self, place: FlowNode) -> Vec<&FlowEdge> {
        match place {
            FlowNode::At(at) => self.graph.onward[at]
                .iter()
                .map(|edge| &self.graph.edges[*edge])
                .collect(),
            FlowNode::End(End::Competitor) => self
                .movement_edges()
                .filter(|edge| edge.from == place)
                .collect(),
            FlowNode::End(_) => Vec::new(),
        }
    }

    /// How many transitions at least lie between each place and this touchpoint.
    fn distances_to(&self, to: usize) -> BTreeMap<FlowNode, usize> {
        let mut into: BTreeMap<FlowNode, Vec<FlowNode>> = BTreeMap::new();
        for edge in self.movement_edges() {
            if !matches!(edge.to, FlowNode::End(End::Start | End::Exit)) {
                into.entry(edge.to).or_default().push(edge.from);
            }
        }
        let mut distances = BTreeMap::from([(FlowNode::At(to), 0)]);
        let mut next = VecDeque::from([(FlowNode::At(to), 0)]);
        while let Some((place, distance)) = next.pop_front() {
            for from in into.get(&place).into_iter().flatten() {
                if !distances.contains_key(from) {
                    distances.insert(*from, distance + 1);
                    next.push_back((*from, distance + 1));
                }
            }
        }
        distances
    }
}

/// The nodes that every way from one node to another passes, both left out. A shortest way is walked from its
/// beginning, and what can be reached beside it is searched once. A node of it is on every way if nothing reached so
/// far leads past it.
fn unavoidable_nodes(onward: &[Vec<usize>], from: usize, to: usize) -> Vec<usize> {
    let way = shortest_way(onward, from, to);
    let mut place = vec![None; onward.len()];
    for (at, node) in way.iter().enumerate() {
        place[*node] = Some(at);
    }
    let mut seen = vec![false; onward.len()];
    let mut passed = Vec::new();
    let mut furthest = 0;
    for (at, node) in way.iter().enumerate() {
        if at == furthest {
            passed.push(*node);
        }
        let mut next = vec![*node];
        while let Some(here) = next.pop() {
            for there in &onward[here] {
                match place[*there] {
                    Some(at) => furthest = furthest.max(at),
                    None if !std::mem::replace(&mut seen[*there], true) => next.push(*there),
                    None => {}
                }
            }
        }
    }
    passed.retain(|node| *node != from && *node != to);
    passed
}

/// A shortest way from one node to another, both included; nothing where there is none.
fn shortest_way(onward: &[Vec<usize>], from: usize, to: usize) -> Vec<usize> {
    let mut came_from = vec![None; onward.len()];
    came_from[from] = Some(from);
    let mut next = VecDeque::from([from]);
    while let Some(here) = next.pop_front() {
        for there in &onward[here] {
            if came_from[*there].is_none() {
                came_from[*there] = Some(here);
                next.push_back(*there);
            }
        }
    }
    let mut way = Vec::new();
    let mut here = to;
    while let Some(before) = came_from[here] {
        way.push(here);
        if here == from {
            break;
        }
        here = before;
    }
    way.reverse();
    way
}

/// Looks for ways of one length.
struct WaySearch<'f, 'c> {
    flow: &'f FlowAnalysis<'c>,
    to: FlowNode,
    distance_to_target: &'f BTreeMap<FlowNode, usize>,
    passed: BTreeSet<FlowNode>,
    way: Vec<usize>,
    tried: usize,
    steps: &'f WorkBudget,
    found: &'f mut WaysBetweenTouchpoints,
}

impl WaySearch<'_, '_> {
    /// Goes on from a place by exactly so many transitions.
    fn extend_way(&mut self, place: FlowNode, length: usize) -> Result<()> {
        if place == self.to {
            if length == 0 {
                self.steps
                    .spend(STEPS_PER_FOUND_TRANSITION * self.way.len())?;
                match self.found.ways.len() < MOST_WAYS {
                    true => self.found.ways.push(self.way.clone()),
                    false => self.found.more = true,
                }
            }
            return Ok(());
        }
        self.tried += 1;
        self.found.more |= self.tried > MOST_VISITED;
        let onward = self.flow.movement_edges_from(place);
        self.steps.spend(1 + onward.len() / TRANSITIONS_PER_STEP)?;
        for edge in onward {
            // Too far from the target for the length that is left: without this cut the search would try nearly every
            // way.
            let hopeless = self
                .distance_to_target
                .get(&edge.to)
                .is_none_or(|distance| *distance >= length);
            if self.found.more {
                return Ok(());
            }
            if hopeless || !self.passed.insert(edge.to) {
                continue;
            }
            self.way.push(edge.row);
            self.extend_way(edge.to, length - 1)?;
            self.way.pop();
            // Left again, so that other ways may pass it.
            self.passed.remove(&edge.to);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
