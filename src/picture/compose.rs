//! Puts a blueprint on a drawing: head, phases, curve, lanes, lines, cards and legend, one after the other from the
//! top.

use chrono::NaiveDate;
use entity::words::{Lane, Subject};

use super::{
    card::Card,
    curve,
    drawing::{Area, Drawing},
    edges::{self, Edge},
    grid::Grid,
    head, legend,
    plan::{LaneBand, MARGIN, NAMES, Plan},
    route,
    text::{Font, clean_line},
};
use crate::canvas::Canvas;

const LANE: Font = Font::bold(13.0);
const WHAT: Font = Font::plain(10.0);
const LINE: Font = Font::label(7.5);

/// The drawing of a blueprint as of a day.
pub(super) fn draw_blueprint(canvas: &Canvas, day: NaiveDate) -> Drawing {
    let cards = canvas.touchpoints.iter().zip(1..);
    let cards = cards.map(|(touchpoint, number)| Card::new(canvas, touchpoint, number));
    let cards: Vec<Card<'_>> = cards.collect();
    let grid = Grid::new(canvas);
    let (edges, mut routes) = Edge::route_all(canvas, &grid);
    let tracks = route::assign_tracks(&mut routes);
    let mut plan = Plan::new(&grid, &cards, &tracks);
    let mut drawing = Drawing {
        width: plan.width,
        title: clean_line(&canvas.blueprint.title),
        description: describe_blueprint(canvas),
        ..Drawing::default()
    };
    let y = head::draw_head(&mut drawing, canvas, &cards, day);
    let mut y = head::draw_phases(&mut drawing, canvas, &plan, y + 8.0) + 10.0;
    if curve::has_emotions(&cards) {
        draw_lane_name(
            &mut drawing,
            y + curve::HEIGHT / 2.0 - 4.0,
            "Emotion",
            "how people feel",
        );
        curve::draw_curve(&mut drawing, canvas, &plan, &cards, y);
        y += curve::HEIGHT + 12.0;
    }
    plan.move_down(y);
    draw_lanes(&mut drawing, canvas, &plan);
    for (edge, route) in edges.iter().zip(&routes) {
        edge.draw(&mut drawing, &plan, route, &cards);
    }
    for (card, cell) in cards.iter().zip(&grid.cells) {
        card.draw(&mut drawing, plan.card_corner(*cell));
    }
    edges::draw_journey_ends(&mut drawing, canvas, &grid, &plan);
    let bottom = legend::draw_legend(&mut drawing, plan.bottom() + 16.0);
    drawing.height = (bottom + MARGIN * 0.75).ceil();
    drawing
}

fn describe_blueprint(canvas: &Canvas) -> String {
    let phases = canvas.phases.iter().map(|phase| clean_line(&phase.name));
    format!(
        "Service blueprint of {} with {} touchpoints and {} transitions in the phases {}.",
        clean_line(&canvas.persona.name),
        canvas.touchpoints.len(),
        canvas.transitions.len(),
        phases.collect::<Vec<_>>().join(", "),
    )
}

fn draw_lanes(drawing: &mut Drawing, canvas: &Canvas, plan: &Plan) {
    for band in &plan.bands {
        let class = match band.lane {
            Lane::Customer => "lane customer",
            Lane::Frontstage => "lane frontstage",
            Lane::Backstage => "lane backstage",
            Lane::Support => "lane support",
        };
        let area = Area {
            x: MARGIN - 16.0,
            y: band.top,
            width: drawing.width - 2.0 * MARGIN + 32.0,
            height: band.bottom - band.top,
        };
        drawing.add_rectangle(class, area, 0.0);
    }
    for band in &plan.bands {
        let (called, what) = lane_title_and_note(band.lane, canvas.blueprint.subject);
        draw_lane_name(drawing, band.top + 30.0, called, what);
        draw_lane_border(drawing, band);
    }
}

const fn lane_title_and_note(lane: Lane, subject: Subject) -> (&'static str, &'static str) {
    match (lane, subject) {
        (Lane::Customer, Subject::Customer) => ("Customer", "alone"),
        (Lane::Customer, Subject::Employee) => ("Employee", "alone"),
        (Lane::Frontstage, _) => ("Frontstage", "where both meet"),
        (Lane::Backstage, _) => ("Backstage", "work out of sight"),
        (Lane::Support, _) => ("Support", "for those who work"),
    }
}

fn draw_lane_name(drawing: &mut Drawing, y: f64, called: &str, what: &str) {
    drawing.add_text("ink", LANE, (MARGIN, y), called);
    drawing.add_text("quiet", WHAT, (MARGIN, y + 13.5), what);
}

/// The line between a lane and the next, with its name at the left.
fn draw_lane_border(drawing: &mut Drawing, band: &LaneBand) {
    let (class, called): (_, &[&str]) = match band.lane {
        Lane::Customer => ("line interaction", &["LINE OF", "INTERACTION"]),
        Lane::Frontstage => ("line visibility", &["LINE OF", "VISIBILITY"]),
        Lane::Backstage => ("line internal", &["LINE OF INTERNAL", "INTERACTION"]),
        Lane::Support => return,
    };
    let y = band.bottom;
    let wide = called.iter().map(|text| LINE.width(text));
    let wide = wide.fold(0.0, f64::max);
    for (text, at) in called.iter().zip([-2.0, 8.0]) {
        drawing.add_text("quiet", LINE, (MARGIN, y + at), text);
    }
    let from = MARGIN + (wide + 8.0).min(NAMES);
    let to = drawing.width - MARGIN + 16.0;
    drawing.add_path(class, format!("M{from} {y}H{to}"));
}
