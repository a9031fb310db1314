//! How people move through one blueprint.

use std::collections::HashSet;

use entity::{
    id::{BlueprintId, TransitionId},
    touchpoint, transition,
    words::{Basis, End, Lane, TransitionKind},
};

use super::{generator::Generator, random::Random, texts};

/// The kind, the end of the graph that it touches, and the indices of the touchpoints that it leaves and reaches.
type Edge = (TransitionKind, Option<End>, Option<usize>, Option<usize>);

impl Generator<'_> {
    /// A way in at the first touchpoint, through all of them and out after the last; the rest are random. No edge
    /// twice.
    pub(super) fn make_transitions(
        &mut self,
        random: &mut Random,
        blueprint: BlueprintId,
        touchpoints: &[touchpoint::Model],
    ) -> Vec<transition::Model> {
        let count = self.size.transitions();
        let last = touchpoints.len() - 1;
        let mut edges: Vec<Edge> = vec![(TransitionKind::Advance, Some(End::Start), None, Some(0))];
        edges.extend((0..last).map(|at| (TransitionKind::Advance, None, Some(at), Some(at + 1))));
        edges.push((TransitionKind::Exit, Some(End::Exit), Some(last), None));
        let mut known: HashSet<Edge> = edges.iter().copied().collect();
        // A small blueprint may not have room for that many different edges, so the number of tries is bounded.
        for _ in 0..count * 4 {
            if edges.len() >= count {
                break;
            }
            let edge = random_edge(random, touchpoints);
            if edge.2 != edge.3 && known.insert(edge) {
                edges.push(edge);
            }
        }
        let id_of = |at: Option<usize>| at.map(|at| touchpoints[at].id);
        edges
            .into_iter()
            .map(|(kind, end, from, to)| transition::Model {
                id: self.ids.next::<TransitionId>(),
                blueprint_id: blueprint,
                kind,
                end,
                from_touchpoint_id: id_of(from),
                to_touchpoint_id: id_of(to),
                condition: random
                    .chance(25)
                    .then(|| texts::random_sentences(random, 1)),
                max_wait_minutes: random.chance(20).then(|| random.between(5, 2_880)),
                basis: if random.chance(60) {
                    Basis::Observed
                } else {
                    Basis::Assumed
                },
                created_at: self.made_at,
                version: 1,
            })
            .collect()
    }
}

fn random_edge(random: &mut Random, touchpoints: &[touchpoint::Model]) -> Edge {
    let steps = touchpoints.len();
    let from = random.below(steps);
    let ahead = (from + 1 + random.below(8)).min(steps - 1);
    let back = from.saturating_sub(1 + random.below(12));
    match random.below(20) {
        0..7 => (TransitionKind::Branch, None, Some(from), Some(ahead)),
        7..10 => (
            TransitionKind::Skip,
            None,
            Some(from),
            Some((ahead + 1).min(steps - 1)),
        ),
        10..13 => (TransitionKind::Loop, None, Some(from), Some(back)),
        13..15 => (TransitionKind::Backtrack, None, Some(from), Some(back)),
        15 => (TransitionKind::Exit, Some(End::Exit), Some(from), None),
        16 => (
            TransitionKind::Exit,
            Some(End::Competitor),
            Some(from),
            None,
        ),
        17 => (
            TransitionKind::Reentry,
            Some(End::Competitor),
            None,
            Some(from),
        ),
        _ if matches!(touchpoints[from].lane, Lane::Backstage | Lane::Support) => (
            TransitionKind::Enables,
            None,
            Some(from),
            Some(random.below(steps)),
        ),
        _ => (TransitionKind::Advance, None, Some(from), Some(ahead)),
    }
}
