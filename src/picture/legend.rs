//! What the signs mean, below the lanes.

use entity::words::{End, KpiState, Role};

use super::{
    card,
    drawing::{Area, Drawing},
    edges, gauge,
    plan::MARGIN,
    text::Font,
};

const FONT: Font = Font::plain(10.5);
const HEAD: Font = Font::label(8.5);
const ROW: f64 = 24.0;
const SIGN: f64 = 30.0;
const GAP: f64 = 24.0;

/// A sign around the middle of its place, and what it means.
type LegendItem = (fn(&mut Drawing, (f64, f64)), &'static str);

const ROLES: &[LegendItem] = &[
    (
        |drawing, at| draw_role(drawing, Role::Accountable, at),
        "answers for it",
    ),
    (
        |drawing, at| draw_role(drawing, Role::Responsible, at),
        "does it",
    ),
    (
        |drawing, at| draw_role(drawing, Role::Consulted, at),
        "is asked before",
    ),
    (
        |drawing, at| draw_role(drawing, Role::Informed, at),
        "is told after",
    ),
    (
        |drawing, (x, y)| card::draw_role(drawing, "offered", "R", (x - 6.5, y - 7.5)),
        "offered, not accepted",
    ),
];
const KPIS: &[LegendItem] = &[
    (
        |drawing, at| gauge::draw_state(drawing, Some(KpiState::Met), at),
        "met",
    ),
    (
        |drawing, at| gauge::draw_state(drawing, Some(KpiState::AtRisk), at),
        "at risk",
    ),
    (
        |drawing, at| gauge::draw_state(drawing, Some(KpiState::Missed), at),
        "missed",
    ),
    (
        |drawing, at| gauge::draw_state(drawing, Some(KpiState::NoTarget), at),
        "no target",
    ),
    (
        |drawing, at| gauge::draw_state(drawing, Some(KpiState::NoData), at),
        "no data",
    ),
    (
        |drawing, at| gauge::draw_state(drawing, Some(KpiState::TooFew), at),
        "too few yet",
    ),
    (
        |drawing, at| gauge::draw_state(drawing, Some(KpiState::ByPartOnly), at),
        "by part only",
    ),
    (
        |drawing, at| gauge::draw_state(drawing, None, at),
        "not told",
    ),
];
const STEPS: &[LegendItem] = &[
    (
        |drawing, at| card::draw_star(drawing, at),
        "moment of truth",
    ),
    (
        |drawing, at| draw_card_face(drawing, "card", true, at),
        "essential",
    ),
    (
        |drawing, at| draw_card_face(drawing, "card guess", false, at),
        "assumed",
    ),
];
const WAYS: &[LegendItem] = &[
    (|drawing, at| draw_transition(drawing, "edge", at), "on"),
    (
        |drawing, at| draw_transition(drawing, "edge back", at),
        "round again, back",
    ),
    (
        |drawing, at| draw_transition(drawing, "edge guess", at),
        "assumed",
    ),
    (
        |drawing, at| draw_transition(drawing, "edge enables", at),
        "makes it possible",
    ),
    (
        |drawing, at| edges::draw_end_mark(drawing, End::Start, false, at),
        "begins",
    ),
    (
        |drawing, at| edges::draw_end_mark(drawing, End::Exit, true, at),
        "ends",
    ),
    (
        |drawing, at| edges::draw_end_mark(drawing, End::Competitor, true, at),
        "to or from a competitor",
    ),
    (
        |drawing, at| edges::draw_end_mark(drawing, End::Exit, false, at),
        "comes back",
    ),
];

/// Draws the legend below a height; gives where it ends.
pub(super) fn draw_legend(drawing: &mut Drawing, top: f64) -> f64 {
    let right = drawing.width - MARGIN;
    let (mut x, mut y) = (MARGIN, top + 14.0);
    for (head, items) in [
        ("DEPARTMENTS", ROLES),
        ("KPIS", KPIS),
        ("STEPS", STEPS),
        ("TRANSITIONS", WAYS),
    ] {
        let first = items.first().map_or(0.0, item_width);
        if x > MARGIN && x + HEAD.width(head) + GAP + first > right {
            (x, y) = (MARGIN, y + ROW);
        }
        drawing.add_text("quiet", HEAD, (x, y + 3.2), head);
        x += HEAD.width(head) + 10.0;
        for item in items {
            if x + item_width(item) > right {
                (x, y) = (MARGIN, y + ROW);
            }
            item.0(drawing, (x + SIGN / 2.0, y));
            drawing.add_text("quiet", FONT, (x + SIGN, y + 3.7), item.1);
            x += item_width(item) + 12.0;
        }
        x += GAP;
    }
    y + 12.0
}

fn item_width(item: &LegendItem) -> f64 {
    SIGN + FONT.width(item.1)
}

fn draw_role(drawing: &mut Drawing, role: Role, (x, y): (f64, f64)) {
    let class = card::role_box_class(role, false);
    card::draw_role(drawing, class, card::role_letter(role), (x - 6.5, y - 7.5));
}

fn draw_card_face(drawing: &mut Drawing, class: &'static str, essential: bool, (x, y): (f64, f64)) {
    drawing.add_group(class, String::new(), |drawing| {
        let area = Area {
            x: x - 10.0,
            y: y - 7.0,
            width: 20.0,
            height: 14.0,
        };
        drawing.add_rectangle("face", area, 3.0);
        if essential {
            drawing.add_path("essential", format!("M{} {}h14", x - 7.0, y - 5.75));
        }
    });
}

fn draw_transition(drawing: &mut Drawing, class: &'static str, (x, y): (f64, f64)) {
    drawing.add_group(class, String::new(), |drawing| {
        drawing.add_path("way", format!("M{} {y}H{}", x - 12.0, x + 5.0));
        drawing.add_path("head", format!("M{} {y}l-7 -3.4v6.8z", x + 10.0));
    });
}
