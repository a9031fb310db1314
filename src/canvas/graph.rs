//! The transitions of a blueprint as a directed graph over its touchpoints, by their indices. It knows no canvas, so
//! that the canvas can hold it.

use std::collections::BTreeMap;

use entity::{
    id::TouchpointId,
    phase, touchpoint, transition,
    words::{End, TransitionKind},
};

/// A node of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FlowNode {
    /// A touchpoint, by its index among the touchpoints.
    At(usize),
    /// An end of the graph.
    End(End),
}

/// A blueprint's transitions as a graph.
#[derive(Debug)]
pub(super) struct FlowGraph {
    pub edges: Vec<FlowEdge>,
    /// By touchpoint: the edges that lead on from it, those that enable left out.
    pub onward: Vec<Vec<usize>>,
    /// By touchpoint: its phase's place in the order of display.
    pub phase: Vec<usize>,
    /// Whether the blueprint says where people come in.
    pub entered: bool,
}

/// A transition between two nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct FlowEdge {
    /// The index of the transition among the transitions.
    pub row: usize,
    pub kind: TransitionKind,
    pub from: FlowNode,
    pub to: FlowNode,
}

impl FlowEdge {
    pub(super) fn is_enabling(&self) -> bool {
        self.kind == TransitionKind::Enables
    }

    /// Both touchpoints, where it joins two.
    pub(super) fn joined_touchpoints(&self) -> Option<(usize, usize)> {
        match (self.from, self.to) {
            (FlowNode::At(from), FlowNode::At(to)) => Some((from, to)),
            _ => None,
        }
    }
}

impl FlowGraph {
    /// The graph of these transitions; `index` gives the place of a touchpoint among all touchpoints. A transition
    /// whose side is not there is left out.
    pub(super) fn new(
        phases: &[phase::Model],
        touchpoints: &[touchpoint::Model],
        transitions: &[transition::Model],
        index: impl Fn(TouchpointId) -> Option<usize>,
    ) -> Self {
        let node = |touchpoint: Option<_>, end: Option<End>| match touchpoint {
            Some(id) => index(id).map(FlowNode::At),
            None => end.map(FlowNode::End),
        };
        let edges: Vec<FlowEdge> = transitions
            .iter()
            .enumerate()
            .filter_map(|(at, row)| {
                Some(FlowEdge {
                    row: at,
                    kind: row.kind,
                    from: node(row.from_touchpoint_id, row.end)?,
                    to: node(row.to_touchpoint_id, row.end)?,
                })
            })
            .collect();
        let order: BTreeMap<_, usize> = phases
            .iter()
            .enumerate()
            .map(|(at, phase)| (phase.id, at))
            .collect();
        let phase = touchpoints.iter();
        let phase = phase.map(|touchpoint| order.get(&touchpoint.phase_id).copied());
        Self {
            onward: edges_by_start(&edges, touchpoints.len()),
            // Touchpoints of archived phases have been left out before.
            phase: phase.map(Option::unwrap_or_default).collect(),
            entered: edges.iter().any(|edge| entry_touchpoint(edge).is_some()),
            edges,
        }
    }

    /// The graph as if nothing led to a touchpoint or on from it.
    pub(super) fn without_touchpoint(&self, touchpoint: usize) -> Self {
        let gone = FlowNode::At(touchpoint);
        let edges = self.edges.iter().copied();
        let edges: Vec<FlowEdge> = edges
            .filter(|edge| edge.from != gone && edge.to != gone)
            .collect();
        Self {
            onward: edges_by_start(&edges, self.onward.len()),
            phase: self.phase.clone(),
            // As before: "nobody says where people come in" must not become true because one touchpoint is left out.
            entered: self.entered,
            edges,
        }
    }
}

/// By touchpoint: the edges that lead on from it, those that enable left out.
fn edges_by_start(edges: &[FlowEdge], touchpoints: usize) -> Vec<Vec<usize>> {
    let mut onward = vec![Vec::new(); touchpoints];
    for (at, edge) in edges.iter().enumerate() {
        if let (FlowNode::At(from), false) = (edge.from, edge.is_enabling()) {
            onward[from].push(at);
        }
    }
    onward
}

/// The touchpoint at which an edge leads people into the journey.
pub(super) fn entry_touchpoint(edge: &FlowEdge) -> Option<usize> {
    let enters = edge.from == FlowNode::End(End::Start) || is_re_entry(edge);
    match edge.to {
        FlowNode::At(at) if enters && !edge.is_enabling() => Some(at),
        _ => None,
    }
}

pub(super) fn is_re_entry(edge: &FlowEdge) -> bool {
    matches!(edge.from, FlowNode::End(End::Exit | End::Competitor))
        || edge.kind == TransitionKind::Reentry
}
