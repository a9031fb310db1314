//! Transitions as lines with arrowheads, and the ends of the journey as small signs beside cards.

use std::collections::BTreeSet;

use entity::{
    transition,
    words::{Basis, End, TransitionKind},
};

use super::{
    card::Card,
    drawing::Drawing,
    grid::Grid,
    plan::Plan,
    route::{Route, find_route},
    text::clean_line,
};
use crate::canvas::Canvas;

/// A transition between two cards.
pub(super) struct Edge<'c> {
    row: &'c transition::Model,
    from: usize,
    to: usize,
}

impl<'c> Edge<'c> {
    /// Every transition that joins two touchpoints, with its way.
    pub(super) fn route_all(canvas: &'c Canvas, grid: &Grid) -> (Vec<Self>, Vec<Route>) {
        let place = |id: Option<_>| id.and_then(|id| canvas.index_of_touchpoint(id));
        let edges = canvas.transitions.iter().filter_map(|row| {
            let from = place(row.from_touchpoint_id)?;
            let to = place(row.to_touchpoint_id)?;
            (from != to).then_some(Edge { row, from, to })
        });
        let edges: Vec<Self> = edges.collect();
        let routes = edges.iter().map(|edge| {
            let enables = edge.row.kind == TransitionKind::Enables;
            find_route(grid, grid.cells[edge.from], grid.cells[edge.to], enables)
        });
        let routes = routes.collect();
        (edges, routes)
    }

    pub(super) fn draw(
        &self,
        drawing: &mut Drawing,
        plan: &Plan,
        route: &Route,
        cards: &[Card<'_>],
    ) {
        let (Some(from), Some(to)) = (cards.get(self.from), cards.get(self.to)) else {
            return;
        };
        let mut corners = plan.route_corners(route, (from.height, to.height));
        let guess = self.row.basis == Basis::Assumed;
        let class = match (self.row.kind, guess) {
            (TransitionKind::Loop | TransitionKind::Backtrack, false) => "edge back",
            (TransitionKind::Loop | TransitionKind::Backtrack, true) => "edge back guess",
            (TransitionKind::Enables, _) => "edge enables",
            (_, false) => "edge",
            (_, true) => "edge guess",
        };
        drawing.add_group(class, self.describe(from, to), |drawing| {
            let head = shorten_for_arrow_head(&mut corners);
            drawing.add_path("way", rounded_path(&corners));
            drawing.add_path("head", head);
        });
    }

    fn describe(&self, from: &Card<'_>, to: &Card<'_>) -> String {
        let name = |card: &Card<'_>| clean_line(&card.touchpoint.name);
        let mut told = format!("{}: {} → {}", self.row.kind.as_str(), name(from), name(to));
        append_transition_details(self.row, &mut told);
        told
    }
}

/// What else a transition says.
fn append_transition_details(row: &transition::Model, told: &mut String) {
    if let Some(condition) = &row.condition {
        told.push_str("\nIf: ");
        told.push_str(&clean_line(condition));
    }
    if let Some(minutes) = row.max_wait_minutes {
        told.push_str(&format!("\nWaits {minutes} minutes at most"));
    }
    if row.basis == Basis::Assumed {
        told.push_str("\nAssumed, not observed");
    }
}

/// The head at the end of a way, which is shortened for it.
fn shorten_for_arrow_head(corners: &mut [(f64, f64)]) -> String {
    let [.., before, end] = corners else {
        return String::new();
    };
    let (x, y) = *end;
    let (right, down) = (sign_of(x - before.0), sign_of(y - before.1));
    *end = (x - right * 5.0, y - down * 5.0);
    let (dx, dy) = (right * 7.0, down * 7.0);
    let (wx, wy) = (down * 3.4, right * 3.4);
    format!(
        "M{} {}L{} {}L{} {}z",
        x,
        y,
        x - dx + wx,
        y - dy + wy,
        x - dx - wx,
        y - dy - wy
    )
}

fn sign_of(by: f64) -> f64 {
    if by.abs() < 0.01 { 0.0 } else { by.signum() }
}

/// A line along corners, each rounded.
fn rounded_path(corners: &[(f64, f64)]) -> String {
    let Some((first, rest)) = corners.split_first() else {
        return String::new();
    };
    let mut path = format!("M{} {}", first.0, first.1);
    let mut here = *first;
    for (at, corner) in rest.iter().enumerate() {
        let near = |other: (f64, f64), by: f64| {
            let length = (other.0 - corner.0).abs() + (other.1 - corner.1).abs();
            let by = if length > 0.0 { by / length } else { 0.0 };
            (
                corner.0 + (other.0 - corner.0) * by,
                corner.1 + (other.1 - corner.1) * by,
            )
        };
        match rest.get(at + 1) {
            Some(next) => {
                let reach =
                    |other: (f64, f64)| (other.0 - corner.0).abs() + (other.1 - corner.1).abs();
                let radius = (reach(here) / 2.0).min(reach(*next) / 2.0).min(12.0);
                let ((ax, ay), (bx, by)) = (near(here, radius), near(*next, radius));
                let (x, y) = *corner;
                path.push_str(&format!("L{ax} {ay}Q{x} {y} {bx} {by}"));
            }
            None => path.push_str(&format!("L{} {}", corner.0, corner.1)),
        }
        here = *corner;
    }
    path
}

/// Draws where the journey begins, ends and is taken up again, beside the cards where it does.
pub(super) fn draw_journey_ends(drawing: &mut Drawing, canvas: &Canvas, grid: &Grid, plan: &Plan) {
    let mut drawn: BTreeSet<(usize, bool, End)> = BTreeSet::new();
    for row in &canvas.transitions {
        let (Some(end), Some(touchpoint)) =
            (row.end, row.from_touchpoint_id.or(row.to_touchpoint_id))
        else {
            continue;
        };
        let Some(at) = canvas.index_of_touchpoint(touchpoint) else {
            continue;
        };
        let leaving = row.from_touchpoint_id.is_some();
        if !drawn.insert((at, leaving, end)) {
            continue;
        }
        // From the first to the last word of End, in its order.
        let there = (at, leaving, End::Start)..=(at, leaving, End::Competitor);
        let nth = drawn.range(there).count() - 1;
        let (x, y) = plan.card_corner(grid.cells[at]);
        // Below one another beside the card: the middle, the lower part, then the upper edge.
        let y = y + [53.5, 92.0, 4.0][nth.min(2)];
        let mut told = describe_end(end, leaving).to_owned();
        append_transition_details(row, &mut told);
        drawing.add_group("end", told, |drawing| match leaving {
            true => {
                let x = x + super::card::WIDTH;
                drawing.add_path("stub", format!("M{x} {y}h6"));
                draw_end_mark(drawing, end, leaving, (x + 11.0, y));
            }
            false => {
                draw_end_mark(drawing, end, leaving, (x - 13.0, y));
                drawing.add_path("stub", format!("M{} {y}h4", x - 8.0));
                let path = format!("M{x} {y}l-5 -2.8v5.6z");
                drawing.add_path("tip", path);
            }
        });
    }
}

const fn describe_end(end: End, leaving: bool) -> &'static str {
    match (end, leaving) {
        (End::Start, _) => "The journey begins here",
        (End::Exit, true) => "The journey ends here",
        (End::Exit, false) => "Comes back after an exit",
        (End::Competitor, true) => "Leaves for a competitor",
        (End::Competitor, false) => "Comes back from a competitor",
    }
}

/// The sign of an end around a point.
pub(super) fn draw_end_mark(drawing: &mut Drawing, end: End, leaving: bool, (x, y): (f64, f64)) {
    let circle = |radius: f64| super::drawing::Area {
        x: x - radius,
        y: y - radius,
        width: 2.0 * radius,
        height: 2.0 * radius,
    };
    match (end, leaving) {
        (End::Start, _) => drawing.add_rectangle("solid", circle(4.0), 4.0),
        (End::Exit, true) => {
            drawing.add_rectangle("open", circle(4.5), 4.5);
            drawing.add_rectangle("solid", circle(2.0), 2.0);
        }
        (End::Exit, false) => drawing.add_rectangle("open", circle(4.0), 4.0),
        (End::Competitor, _) => {
            let path = format!("M{x} {}l5 5l-5 5l-5 -5z", y - 5.0);
            drawing.add_path("rival", path);
        }
    }
}
