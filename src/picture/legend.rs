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
type Item = (fn(&mut Drawing, (f64, f64)), &'static str);

const ROLES: &[Item] = &[
    (
        |drawing, at| role(drawing, Role::Accountable, at),
        "answers for it",
    ),
    (
        |drawing, at| role(drawing, Role::Responsible, at),
        "does it",
    ),
    (
        |drawing, at| role(drawing, Role::Consulted, at),
        "is asked before",
    ),
    (
        |drawing, at| role(drawing, Role::Informed, at),
        "is told after",
    ),
    (
        |drawing, (x, y)| card::role(drawing, "offered", "R", (x - 6.5, y - 7.5)),
        "offered, not accepted",
    ),
];
const KPIS: &[Item] = &[
    (
        |drawing, at| gauge::shape(drawing, Some(KpiState::Met), at),
        "met",
    ),
    (
        |drawing, at| gauge::shape(drawing, Some(KpiState::AtRisk), at),
        "at risk",
    ),
    (
        |drawing, at| gauge::shape(drawing, Some(KpiState::Missed), at),
        "missed",
    ),
    (
        |drawing, at| gauge::shape(drawing, Some(KpiState::NoTarget), at),
        "no target",
    ),
    (
        |drawing, at| gauge::shape(drawing, Some(KpiState::NoData), at),
        "no data",
    ),
    (|drawing, at| gauge::shape(drawing, None, at), "not told"),
];
const STEPS: &[Item] = &[
    (|drawing, at| card::star(drawing, at), "moment of truth"),
    (|drawing, at| face(drawing, "card", true, at), "essential"),
    (
        |drawing, at| face(drawing, "card guess", false, at),
        "assumed",
    ),
];
const WAYS: &[Item] = &[
    (|drawing, at| way(drawing, "edge", at), "on"),
    (
        |drawing, at| way(drawing, "edge back", at),
        "round again, back",
    ),
    (|drawing, at| way(drawing, "edge guess", at), "assumed"),
    (
        |drawing, at| way(drawing, "edge enables", at),
        "makes it possible",
    ),
    (
        |drawing, at| edges::mark(drawing, End::Start, false, at),
        "begins",
    ),
    (
        |drawing, at| edges::mark(drawing, End::Exit, true, at),
        "ends",
    ),
    (
        |drawing, at| edges::mark(drawing, End::Competitor, true, at),
        "to or from a competitor",
    ),
    (
        |drawing, at| edges::mark(drawing, End::Exit, false, at),
        "comes back",
    ),
];

/// Draws the legend below a height; gives where it ends.
pub fn draw(drawing: &mut Drawing, top: f64) -> f64 {
    let right = drawing.width - MARGIN;
    let (mut x, mut y) = (MARGIN, top + 14.0);
    for (head, items) in [
        ("DEPARTMENTS", ROLES),
        ("KPIS", KPIS),
        ("STEPS", STEPS),
        ("TRANSITIONS", WAYS),
    ] {
        let first = items.first().map_or(0.0, width);
        if x > MARGIN && x + HEAD.width(head) + GAP + first > right {
            (x, y) = (MARGIN, y + ROW);
        }
        drawing.text("quiet", HEAD, (x, y + 3.2), head);
        x += HEAD.width(head) + 10.0;
        for item in items {
            if x + width(item) > right {
                (x, y) = (MARGIN, y + ROW);
            }
            item.0(drawing, (x + SIGN / 2.0, y));
            drawing.text("quiet", FONT, (x + SIGN, y + 3.7), item.1);
            x += width(item) + 12.0;
        }
        x += GAP;
    }
    y + 12.0
}

fn width(item: &Item) -> f64 {
    SIGN + FONT.width(item.1)
}

fn role(drawing: &mut Drawing, role: Role, (x, y): (f64, f64)) {
    let class = card::box_of(role, false);
    card::role(drawing, class, card::letter(role), (x - 6.5, y - 7.5));
}

fn face(drawing: &mut Drawing, class: &'static str, essential: bool, (x, y): (f64, f64)) {
    drawing.group(class, String::new(), |drawing| {
        let area = Area {
            x: x - 10.0,
            y: y - 7.0,
            width: 20.0,
            height: 14.0,
        };
        drawing.block("face", area, 3.0);
        if essential {
            drawing.line("essential", format!("M{} {}h14", x - 7.0, y - 5.75));
        }
    });
}

fn way(drawing: &mut Drawing, class: &'static str, (x, y): (f64, f64)) {
    drawing.group(class, String::new(), |drawing| {
        drawing.line("way", format!("M{} {y}H{}", x - 12.0, x + 5.0));
        drawing.line("head", format!("M{} {y}l-7 -3.4v6.8z", x + 10.0));
    });
}
