//! How people move through a blueprint: what its transitions say as a graph. Pure functions over the canvas. Work
//! that ENABLES a step is no movement; it counts only where reaching is asked about. No durations: over a graph with
//! cycles they would have no sum.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use entity::{
    id::DepartmentId,
    phase, touchpoint, transition,
    words::{End, Stage, TransitionKind},
};
use petgraph::{
    algo::{dominators, tarjan_scc},
    graph::{DiGraph, NodeIndex},
};

use super::{Canvas, accountable};

/// Ways that are listed at most.
const MOST_WAYS: usize = 100;

/// Steps that are tried at most before a list of ways is given up as it is.
const MOST_STEPS: usize = 100_000;

/// A place in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A touchpoint, by its place on the canvas.
    At(usize),
    /// An end of the graph.
    End(End),
}

/// The graph of a blueprint's transitions.
#[derive(Debug)]
pub struct Flow<'c> {
    canvas: &'c Canvas,
    edges: Vec<Edge<'c>>,
    /// By touchpoint: the edges that lead on from it, those that enable left out.
    onward: Vec<Vec<usize>>,
    /// By touchpoint: its phase's place in the order of display.
    phase: Vec<usize>,
    /// Whether the blueprint says where people come in.
    entered: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Edge<'c> {
    pub row: &'c transition::Model,
    pub from: Place,
    pub to: Place,
}

impl Edge<'_> {
    pub fn enables(&self) -> bool {
        self.row.kind == TransitionKind::Enables
    }

    /// Both touchpoints, where it joins two.
    pub fn between(&self) -> Option<(usize, usize)> {
        match (self.from, self.to) {
            (Place::At(from), Place::At(to)) => Some((from, to)),
            _ => None,
        }
    }
}

/// How often people are handed from one accountable department to another.
#[derive(Clone, Debug)]
pub struct HandOff<'c> {
    pub from: DepartmentId,
    pub to: DepartmentId,
    /// Where it happens, in the order of creation.
    pub transitions: Vec<&'c transition::Model>,
}

/// Ways from one touchpoint to another.
#[derive(Debug, Default)]
pub struct Ways<'c> {
    /// Each as the transitions in order; shorter ones first.
    pub ways: Vec<Vec<&'c transition::Model>>,
    /// Whether there are, or may be, more.
    pub more: bool,
}

impl<'c> Flow<'c> {
    /// The graph of a canvas.
    #[must_use]
    pub fn of(canvas: &'c Canvas) -> Self {
        let place = |touchpoint: Option<_>, end: Option<End>| match touchpoint {
            Some(id) => canvas.place(id).map(Place::At),
            None => end.map(Place::End),
        };
        let edges: Vec<Edge<'c>> = canvas
            .transitions
            .iter()
            .filter_map(|row| {
                let from = place(row.from_touchpoint_id, row.end)?;
                let to = place(row.to_touchpoint_id, row.end)?;
                Some(Edge { row, from, to })
            })
            .collect();
        let order: BTreeMap<_, usize> = canvas
            .phases
            .iter()
            .enumerate()
            .map(|(at, phase)| (phase.id, at))
            .collect();
        let phase = canvas.touchpoints.iter();
        let phase = phase.map(|touchpoint| order.get(&touchpoint.phase_id).copied());
        Self {
            canvas,
            onward: onward(&edges, canvas.touchpoints.len()),
            phase: phase.map(Option::unwrap_or_default).collect(),
            entered: edges.iter().any(|edge| entered_at(edge).is_some()),
            edges,
        }
    }

    /// The graph as if nothing led to a touchpoint or on from it; where people come in is known as before.
    #[must_use]
    pub fn without(&self, touchpoint: usize) -> Self {
        let gone = Place::At(touchpoint);
        let edges = self.edges.iter().copied();
        let edges: Vec<Edge<'c>> = edges
            .filter(|edge| edge.from != gone && edge.to != gone)
            .collect();
        Self {
            canvas: self.canvas,
            onward: onward(&edges, self.onward.len()),
            phase: self.phase.clone(),
            entered: self.entered,
            edges,
        }
    }

    pub(super) fn edges(&self) -> &[Edge<'c>] {
        &self.edges
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
        self.canvas.phases.get(*self.phase.get(at)?)
    }

    fn movements(&self) -> impl Iterator<Item = &Edge<'c>> {
        self.edges.iter().filter(|edge| !edge.enables())
    }

    fn which(&self, wanted: impl Fn(&Edge<'c>) -> bool) -> Vec<&'c transition::Model> {
        let found = self.movements().filter(|edge| wanted(edge));
        found.map(|edge| edge.row).collect()
    }

    /// The loops: touchpoints from each of which every other of the same loop can be reached again. Ends of the
    /// graph are no part of any. In order of display.
    #[must_use]
    pub fn loops(&self) -> Vec<Vec<&'c touchpoint::Model>> {
        let mut graph = DiGraph::<(), (), usize>::default();
        let nodes: Vec<_> = self.onward.iter().map(|_| graph.add_node(())).collect();
        for (from, to) in self.movements().filter_map(Edge::between) {
            graph.add_edge(nodes[from], nodes[to], ());
        }
        let mut loops: Vec<Vec<usize>> = tarjan_scc(&graph)
            .into_iter()
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

    /// Transitions that lead back to an earlier phase.
    #[must_use]
    pub fn backtracks(&self) -> Vec<&'c transition::Model> {
        self.which(|edge| {
            edge.between()
                .is_some_and(|(from, to)| self.phase[to] < self.phase[from])
        })
    }

    /// Transitions that pass over something: of kind SKIP, or with a whole phase in between.
    #[must_use]
    pub fn skips(&self) -> Vec<&'c transition::Model> {
        self.which(|edge| {
            let far = |(from, to): (usize, usize)| self.phase[to] > self.phase[from] + 1;
            edge.row.kind == TransitionKind::Skip || edge.between().is_some_and(far)
        })
    }

    /// Transitions by which people leave the journey.
    #[must_use]
    pub fn exits(&self) -> Vec<&'c transition::Model> {
        self.which(|edge| matches!(edge.to, Place::End(_)))
    }

    /// Transitions by which people come back into it.
    #[must_use]
    pub fn re_entries(&self) -> Vec<&'c transition::Model> {
        self.which(is_re_entry)
    }

    /// Touchpoints that people get to and that nothing leads on from, not even out of the journey.
    #[must_use]
    pub fn dead_ends(&self) -> Vec<&'c touchpoint::Model> {
        let reached: BTreeSet<Place> = self.movements().map(|edge| edge.to).collect();
        self.touchpoints(
            (0..self.onward.len())
                .filter(|at| self.onward[*at].is_empty() && reached.contains(&Place::At(*at))),
        )
    }

    /// Touchpoints that nobody gets to: no way leads there from the start or from a re-entry, and it does not
    /// enable, through other such work or itself, a step that people do get to. None where the blueprint says
    /// nothing of where people come in.
    #[must_use]
    pub fn unreachable(&self) -> Vec<&'c touchpoint::Model> {
        if !self.entered {
            return Vec::new();
        }
        let entries = self.edges.iter().filter_map(entered_at);
        let mut enabling: Vec<Vec<usize>> = vec![Vec::new(); self.onward.len()];
        for edge in self.edges.iter().filter(|edge| edge.enables()) {
            if let Some((from, to)) = edge.between() {
                enabling[to].push(from);
            }
        }
        let mut reached = vec![false; self.onward.len()];
        let mut next: VecDeque<usize> = entries.collect();
        while let Some(at) = next.pop_front() {
            if std::mem::replace(&mut reached[at], true) {
                continue;
            }
            let onward = self.onward[at]
                .iter()
                .filter_map(|edge| match self.edges[*edge].to {
                    Place::At(to) => Some(to),
                    Place::End(_) => None,
                });
            next.extend(onward.chain(enabling[at].iter().copied()));
        }
        self.touchpoints((0..reached.len()).filter(|at| !reached[*at]))
    }

    /// Hand-offs: transitions whose two ends have known and different accountable departments, by both departments,
    /// in the order of the first of each.
    #[must_use]
    pub fn hand_offs(&self) -> Vec<HandOff<'c>> {
        let accountable: Vec<Option<DepartmentId>> = self
            .canvas
            .touchpoints
            .iter()
            .map(|touchpoint| accountable(self.canvas.responsibilities_of(touchpoint.id)))
            .map(|held| held.map(|held| held.department_id))
            .collect();
        let mut found: Vec<HandOff<'c>> = Vec::new();
        let mut at: BTreeMap<(DepartmentId, DepartmentId), usize> = BTreeMap::new();
        for edge in self.movements() {
            let Some((from, to)) = edge.between() else {
                continue;
            };
            let (Some(from), Some(to)) = (accountable[from], accountable[to]) else {
                continue;
            };
            if from == to {
                continue;
            }
            let place = *at.entry((from, to)).or_insert_with(|| {
                let transitions = Vec::new();
                found.push(HandOff {
                    from,
                    to,
                    transitions,
                });
                found.len() - 1
            });
            found[place].transitions.push(edge.row);
        }
        found
    }

    /// The touchpoints that every way from START to a phase of stage GOAL passes, in the order of passing; the one
    /// by which all of them reach the goal is the last. Who leaves to a competitor and comes back is still on the
    /// way. None where no way leads there.
    #[must_use]
    pub fn must_pass(&self) -> Vec<&'c touchpoint::Model> {
        let touchpoints = self.onward.len();
        let (start, competitor, goal) = (touchpoints, touchpoints + 1, touchpoints + 2);
        let node = |place: Place| match place {
            Place::At(at) => Some(at),
            Place::End(End::Start) => Some(start),
            Place::End(End::Competitor) => Some(competitor),
            Place::End(End::Exit) => None,
        };
        let mut graph = DiGraph::<(), (), usize>::default();
        let nodes: Vec<_> = (0..=goal).map(|_| graph.add_node(())).collect();
        for edge in self.movements() {
            if let (Some(from), Some(to)) = (node(edge.from), node(edge.to)) {
                graph.add_edge(nodes[from], nodes[to], ());
            }
        }
        for at in 0..touchpoints {
            if self
                .phase_of(at)
                .is_some_and(|phase| phase.stage == Stage::Goal)
            {
                graph.add_edge(nodes[at], nodes[goal], ());
            }
        }
        let dominators = dominators::simple_fast(&graph, nodes[start]);
        let passed = dominators.strict_dominators(nodes[goal]);
        let mut passed: Vec<usize> = passed.into_iter().flatten().map(NodeIndex::index).collect();
        passed.reverse();
        self.touchpoints(passed)
    }

    /// Ways from one touchpoint to another that pass no place twice, of so many transitions at most. A way may lead
    /// to a competitor and back.
    #[must_use]
    pub fn ways(
        &self,
        from: &touchpoint::Model,
        to: &touchpoint::Model,
        longest: usize,
    ) -> Ways<'c> {
        let mut found = Ways::default();
        let (Some(from), Some(to)) = (self.canvas.place(from.id), self.canvas.place(to.id)) else {
            return found;
        };
        let left = self.distances_to(to);
        let Some(shortest) = left.get(&Place::At(from)) else {
            return found;
        };
        let mut search = Search {
            flow: self,
            to: Place::At(to),
            left: &left,
            passed: BTreeSet::from([Place::At(from)]),
            way: Vec::new(),
            steps: 0,
            found: &mut found,
        };
        // Length after length, so that shorter ways come first.
        for length in *shortest..=longest.min(self.onward.len() + 1) {
            search.go(Place::At(from), length);
            if search.found.more {
                break;
            }
        }
        found
    }

    /// The movements that lead on from a place; from the ends only the competitor's.
    pub(super) fn on_from(&self, place: Place) -> Vec<&Edge<'c>> {
        match place {
            Place::At(at) => self.onward[at]
                .iter()
                .map(|edge| &self.edges[*edge])
                .collect(),
            Place::End(End::Competitor) => {
                self.movements().filter(|edge| edge.from == place).collect()
            }
            Place::End(_) => Vec::new(),
        }
    }

    /// How many transitions at least lie between each place and this touchpoint.
    fn distances_to(&self, to: usize) -> BTreeMap<Place, usize> {
        let mut into: BTreeMap<Place, Vec<Place>> = BTreeMap::new();
        for edge in self.movements() {
            if !matches!(edge.to, Place::End(End::Start | End::Exit)) {
                into.entry(edge.to).or_default().push(edge.from);
            }
        }
        let mut distances = BTreeMap::from([(Place::At(to), 0)]);
        let mut next = VecDeque::from([(Place::At(to), 0)]);
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

/// By touchpoint: the edges that lead on from it, those that enable left out.
fn onward(edges: &[Edge<'_>], touchpoints: usize) -> Vec<Vec<usize>> {
    let mut onward = vec![Vec::new(); touchpoints];
    for (at, edge) in edges.iter().enumerate() {
        if let (Place::At(from), false) = (edge.from, edge.enables()) {
            onward[from].push(at);
        }
    }
    onward
}

/// The touchpoint at which an edge leads people into the journey.
fn entered_at(edge: &Edge<'_>) -> Option<usize> {
    let enters = edge.from == Place::End(End::Start) || is_re_entry(edge);
    match edge.to {
        Place::At(at) if enters && !edge.enables() => Some(at),
        _ => None,
    }
}

fn is_re_entry(edge: &Edge<'_>) -> bool {
    matches!(edge.from, Place::End(End::Exit | End::Competitor))
        || edge.row.kind == TransitionKind::Reentry
}

/// Looks for ways of one length.
struct Search<'f, 'c> {
    flow: &'f Flow<'c>,
    to: Place,
    left: &'f BTreeMap<Place, usize>,
    passed: BTreeSet<Place>,
    way: Vec<&'c transition::Model>,
    steps: usize,
    found: &'f mut Ways<'c>,
}

impl Search<'_, '_> {
    /// Goes on from a place by exactly so many transitions.
    fn go(&mut self, place: Place, length: usize) {
        if place == self.to {
            if length == 0 {
                match self.found.ways.len() < MOST_WAYS {
                    true => self.found.ways.push(self.way.clone()),
                    false => self.found.more = true,
                }
            }
            return;
        }
        self.steps += 1;
        self.found.more |= self.steps > MOST_STEPS;
        for edge in self.flow.on_from(place) {
            let hopeless = self.left.get(&edge.to).is_none_or(|left| *left >= length);
            if self.found.more {
                return;
            }
            if hopeless || !self.passed.insert(edge.to) {
                continue;
            }
            self.way.push(edge.row);
            self.go(edge.to, length - 1);
            self.way.pop();
            self.passed.remove(&edge.to);
        }
    }
}

#[cfg(test)]
mod tests;
