//! What the graph says against what trying everything says, on small random journeys.

use std::collections::BTreeSet;

use entity::{
    id::DepartmentId,
    words::{End, Lane, Role, Stage, TransitionKind},
};
use proptest::{collection::vec, prelude::*, sample::select};
use uuid::Uuid;

use super::*;
use crate::canvas::{
    sample::{self, Side},
    view::{ComputedViewParts, ReducedCanvas},
};

const STAGES: [Stage; 3] = [Stage::Before, Stage::Goal, Stage::After];
const TOUCHPOINTS: usize = 7;

type Edges = Vec<(Side, Side, TransitionKind)>;

fn journeys() -> impl Strategy<Value = (Vec<usize>, Edges)> {
    let inside = (
        0..TOUCHPOINTS,
        0..TOUCHPOINTS,
        select(vec![TransitionKind::Advance, TransitionKind::Enables]),
    )
        .prop_filter_map("no step to itself", |(from, to, kind)| {
            (from != to).then_some((Side::At(from), Side::At(to), kind))
        });
    let out = (0..TOUCHPOINTS, select(vec![End::Exit, End::Competitor]))
        .prop_map(|(from, end)| (Side::At(from), Side::End(end), TransitionKind::Exit));
    let into = (0..TOUCHPOINTS, select(vec![End::Start, End::Competitor]))
        .prop_map(|(to, end)| (Side::End(end), Side::At(to), TransitionKind::Advance));
    let edges = vec(prop_oneof![6 => inside, 1 => out, 2 => into], 0..14);
    let phases = vec(0..STAGES.len(), TOUCHPOINTS).prop_map(|mut phases| {
        phases.sort_unstable();
        phases
    });
    (phases, edges)
}

/// Where one gets to from these sides in any number of steps along these edges, themselves included, never passing
/// through what is not to be passed.
fn reached(
    edges: &[(Side, Side)],
    from: &[Side],
    passing: impl Fn(Side) -> bool,
) -> BTreeSet<Side> {
    let mut reached: BTreeSet<Side> = from.iter().copied().collect();
    loop {
        let next: Vec<Side> = edges
            .iter()
            .filter(|(here, _)| reached.contains(here) && (from.contains(here) || passing(*here)))
            .map(|(_, there)| *there)
            .filter(|there| !reached.contains(there))
            .collect();
        if next.is_empty() {
            return reached;
        }
        reached.extend(next);
    }
}

fn movements(edges: &Edges) -> Vec<(Side, Side)> {
    let moves = edges
        .iter()
        .filter(|edge| edge.2 != TransitionKind::Enables);
    moves.map(|(from, to, _)| (*from, *to)).collect()
}

fn at_touchpoint(side: Side) -> bool {
    matches!(side, Side::At(_))
}

fn numbers(touchpoints: &[&touchpoint::Model]) -> BTreeSet<usize> {
    let numbers = touchpoints.iter().map(|row| row.key[1..].parse());
    numbers.collect::<Result<_, _>>().expect("numbers")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn without_a_step_the_graph_is_that_of_a_journey_without_its_edges(
        (phases, edges) in journeys(),
        gone in 0..TOUCHPOINTS,
    ) {
        let touches = |side: Side| side == Side::At(gone);
        let mut rest = edges.clone();
        rest.retain(|(from, to, _)| !touches(*from) && !touches(*to));
        let (whole, rest) = (
            sample::canvas(&STAGES, &phases, &edges),
            sample::canvas(&STAGES, &phases, &rest),
        );
        let (whole, rest) = (FlowAnalysis::new(&whole), FlowAnalysis::new(&rest));
        let without = whole.without_touchpoint(gone);
        prop_assert_eq!(numbers(&without.dead_ends()), numbers(&rest.dead_ends()));
        prop_assert_eq!(without.loops().len(), rest.loops().len());
        let unreachable = match (whole.graph.entered, rest.graph.entered) {
            (true, false) => (0..TOUCHPOINTS).collect(),
            _ => numbers(&rest.unreachable()),
        };
        prop_assert_eq!(numbers(&without.unreachable()), unreachable);
    }

    #[test]
    fn loops_are_what_can_be_reached_both_ways((phases, edges) in journeys()) {
        let canvas = sample::canvas(&STAGES, &phases, &edges);
        let moves = movements(&edges);
        let from = |at: usize| reached(&moves, &[Side::At(at)], at_touchpoint);
        let both = |one: usize, other: usize| {
            from(one).contains(&Side::At(other)) && from(other).contains(&Side::At(one))
        };
        let mut expected: BTreeSet<BTreeSet<usize>> = (0..TOUCHPOINTS)
            .map(|at| (0..TOUCHPOINTS).filter(|other| both(at, *other)).collect())
            .collect();
        expected.retain(|found: &BTreeSet<usize>| found.len() > 1);
        let found = FlowAnalysis::new(&canvas).loops();
        prop_assert_eq!(found.iter().map(|rows| numbers(rows)).collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn hand_offs_are_the_next_departments_behind_steps_of_the_customer_alone(
        (phases, edges) in journeys(),
        held in vec((0..4_usize, any::<bool>()), TOUCHPOINTS),
    ) {
        let mut canvas = sample::canvas(&STAGES, &phases, &edges);
        let department = |number: usize| DepartmentId::from(Uuid::from_u128(number as u128));
        for (at, (holder, alone)) in held.iter().enumerate() {
            let lane = if *alone { Lane::Customer } else { Lane::Frontstage };
            canvas.touchpoints[at].lane = lane;
            // Of four numbers, one stands for nobody.
            if *holder > 0 {
                let (step, by) = (canvas.touchpoints[at].id, department(*holder));
                let row = sample::accepted_responsibility(at, step, by, Role::Accountable);
                canvas.responsibilities.push(row);
            }
        }
        let canvas = canvas.sort_and_index();
        let passed = |side: Side| {
            matches!(side, Side::At(at) if held[at] == (0, true))
        };
        let back = movements(&edges).into_iter().map(|(from, to)| (to, from));
        let back: Vec<(Side, Side)> = back.collect();
        let mut expected: BTreeSet<(DepartmentId, DepartmentId, usize)> = BTreeSet::new();
        for (row, (from, to, kind)) in edges.iter().enumerate() {
            let (Side::At(giving), Side::At(receiving)) = (*from, *to) else { continue };
            if held[receiving].0 == 0 { continue }
            let moves = *kind != TransitionKind::Enables && passed(*from);
            let behind = if moves { reached(&back, &[*from], passed) } else { BTreeSet::new() };
            for side in behind.into_iter().chain([Side::At(giving)]) {
                let Side::At(giving) = side else { continue };
                let pair = (held[giving].0, held[receiving].0);
                if pair.0 > 0 && pair.0 != pair.1 {
                    expected.insert((department(pair.0), department(pair.1), row));
                }
            }
        }
        let found = FlowAnalysis::new(&canvas).hand_offs();
        let place = |row: &transition::Model| {
            canvas.transitions.iter().position(|other| other.id == row.id).expect("its place")
        };
        let told = found.iter().flat_map(|found| {
            found.transitions.iter().map(|row| (found.from, found.to, place(row)))
        });
        prop_assert_eq!(told.clone().count(), expected.len());
        prop_assert_eq!(told.collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn unreachable_is_what_no_way_and_no_enabled_step_leads_to((phases, edges) in journeys()) {
        let canvas = sample::canvas(&STAGES, &phases, &edges);
        let entries: Vec<Side> = movements(&edges)
            .into_iter()
            .filter(|(from, _)| !at_touchpoint(*from))
            .map(|(_, to)| to)
            .collect();
        // A step that is enabled lends its reach to the work that enables it.
        let lent = edges.iter().map(|(from, to, kind)| match kind {
            TransitionKind::Enables => (*to, *from),
            _ => (*from, *to),
        });
        let known = reached(&lent.collect::<Vec<_>>(), &entries, at_touchpoint);
        let missing = (0..TOUCHPOINTS).filter(|at| !known.contains(&Side::At(*at)));
        let expected = if entries.is_empty() { BTreeSet::new() } else { missing.collect() };
        prop_assert_eq!(numbers(&FlowAnalysis::new(&canvas).unreachable()), expected);
    }

    #[test]
    fn what_must_be_passed_is_what_cannot_be_done_without((phases, edges) in journeys()) {
        let canvas = sample::canvas(&STAGES, &phases, &edges);
        let moves = movements(&edges);
        let goal_without = |left_out: Option<usize>| {
            let kept: Vec<(Side, Side)> = moves
                .iter()
                .filter(|(from, to)| {
                    let out = left_out.map(Side::At);
                    Some(*from) != out && Some(*to) != out
                })
                .copied()
                .collect();
            let known = reached(&kept, &[Side::End(End::Start)], |side| side != Side::End(End::Exit));
            (0..TOUCHPOINTS).any(|at| phases[at] == 1 && known.contains(&Side::At(at)))
        };
        let needed = (0..TOUCHPOINTS).filter(|at| !goal_without(Some(*at)));
        let expected = if goal_without(None) { needed.collect() } else { BTreeSet::new() };
        prop_assert_eq!(numbers(&FlowAnalysis::new(&canvas).unavoidable_touchpoints()), expected);
    }

    #[test]
    fn ways_are_all_there_are_and_none_twice(
        (phases, edges) in journeys(), from in 0..TOUCHPOINTS, to in 0..TOUCHPOINTS, longest in 0..9_usize,
    ) {
        let canvas = sample::canvas(&STAGES, &phases, &edges);
        let flow = FlowAnalysis::new(&canvas);
        let found = flow.find_ways_between(from, to, longest, &WorkBudget::unlimited()).unwrap();
        prop_assert!(found.ways.windows(2).all(|pair| pair[0].len() <= pair[1].len()));
        prop_assert!(found.ways.iter().all(|way| way.len() <= longest));
        let ids: BTreeSet<Vec<_>> = found.ways.iter().cloned().collect();
        prop_assert_eq!(ids.len(), found.ways.len());
        let mut passed = vec![Side::At(from)];
        let expected = count(&movements(&edges), Side::At(to), longest, &mut passed);
        prop_assert_eq!((found.ways.len(), found.more), (expected.min(MOST_WAYS), expected > MOST_WAYS));
    }

    #[test]
    fn a_smaller_picture_leads_wherever_the_whole_does(
        (phases, edges) in journeys(), kept in vec(any::<bool>(), TOUCHPOINTS),
    ) {
        let canvas = sample::canvas(&STAGES, &phases, &edges);
        let kept: BTreeSet<usize> = (0..TOUCHPOINTS).filter(|at| kept[*at]).collect();
        let flow = FlowAnalysis::new(&canvas);
        let seen = ReducedCanvas::new(&flow, &kept, ComputedViewParts::LeftOut, &WorkBudget::unlimited()).unwrap();
        prop_assert_eq!(seen.touchpoints.iter().copied().collect::<BTreeSet<_>>(), kept.clone());
        let moves = movements(&edges);
        let side = |at: Option<usize>, end: Option<End>| at.map(Side::At).or(end.map(Side::End));
        let joints: Vec<(Side, Side)> = seen
            .joints
            .iter()
            .filter(|joint| joint.transition.is_none_or(|at| canvas.transitions[at].kind != TransitionKind::Enables))
            .filter_map(|joint| Some((side(joint.from, joint.end)?, side(joint.to, joint.end)?)))
            .collect();
        let ends = [End::Start, End::Exit, End::Competitor].map(Side::End);
        for from in kept.iter().map(|at| Side::At(*at)).chain(ends) {
            let shown = |to: &Side| match to {
                Side::At(at) => kept.contains(at),
                // From one end to another there is nothing to show.
                Side::End(_) => at_touchpoint(from),
            };
            let whole: BTreeSet<Side> = reached(&moves, &[from], at_touchpoint).into_iter().filter(shown).collect();
            let small: BTreeSet<Side> = reached(&joints, &[from], at_touchpoint).into_iter().filter(shown).collect();
            prop_assert_eq!(small, whole, "from {:?}", from);
        }
    }
}

/// How many ways lead on to a side in so many steps at most, passing nothing twice and no end but the competitor.
fn count(edges: &[(Side, Side)], to: Side, left: usize, passed: &mut Vec<Side>) -> usize {
    let here = passed[passed.len() - 1];
    if here == to {
        return 1;
    }
    if left == 0 || matches!(here, Side::End(End::Start | End::Exit)) {
        return 0;
    }
    let mut ways = 0;
    for (_, there) in edges.iter().filter(|(from, _)| *from == here) {
        if !passed.contains(there) {
            passed.push(*there);
            ways += count(edges, to, left - 1, passed);
            passed.pop();
        }
    }
    ways
}
