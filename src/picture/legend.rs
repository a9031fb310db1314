//! What the signs mean, below the lanes.

use entity::words::{End, KpiState, Role};

use super::{
    card, edges, gauge,
    plan::MARGIN,
    sheet::{Area, Sheet},
    text::Font,
};

const FONT: Font = Font::plain(10.5);
const HEAD: Font = Font::label(8.5);
const ROW: f64 = 24.0;
const SIGN: f64 = 30.0;
const GAP: f64 = 24.0;

/// A sign around the middle of its place, and what it means.
type Item = (fn(&mut Sheet, (f64, f64)), &'static str);

const ROLES: &[Item] = &[
    (
        |sheet, at| role(sheet, Role::Accountable, at),
        "answers for it",
    ),
    (|sheet, at| role(sheet, Role::Responsible, at), "does it"),
    (
        |sheet, at| role(sheet, Role::Consulted, at),
        "is asked before",
    ),
    (|sheet, at| role(sheet, Role::Informed, at), "is told after"),
    (
        |sheet, (x, y)| card::role(sheet, "offered", "R", (x - 6.5, y - 7.5)),
        "offered, not accepted",
    ),
];
const KPIS: &[Item] = &[
    (
        |sheet, at| gauge::shape(sheet, Some(KpiState::Met), at),
        "met",
    ),
    (
        |sheet, at| gauge::shape(sheet, Some(KpiState::AtRisk), at),
        "at risk",
    ),
    (
        |sheet, at| gauge::shape(sheet, Some(KpiState::Missed), at),
        "missed",
    ),
    (
        |sheet, at| gauge::shape(sheet, Some(KpiState::NoTarget), at),
        "no target",
    ),
    (
        |sheet, at| gauge::shape(sheet, Some(KpiState::NoData), at),
        "no data",
    ),
    (|sheet, at| gauge::shape(sheet, None, at), "not told"),
];
const STEPS: &[Item] = &[
    (|sheet, at| card::star(sheet, at), "moment of truth"),
    (|sheet, at| face(sheet, "card", true, at), "essential"),
    (|sheet, at| face(sheet, "card guess", false, at), "assumed"),
];
const WAYS: &[Item] = &[
    (|sheet, at| way(sheet, "edge", at), "on"),
    (|sheet, at| way(sheet, "edge back", at), "round again, back"),
    (|sheet, at| way(sheet, "edge guess", at), "assumed"),
    (
        |sheet, at| way(sheet, "edge enables", at),
        "makes it possible",
    ),
    (
        |sheet, at| edges::mark(sheet, End::Start, false, at),
        "begins",
    ),
    (|sheet, at| edges::mark(sheet, End::Exit, true, at), "ends"),
    (
        |sheet, at| edges::mark(sheet, End::Competitor, true, at),
        "to or from a competitor",
    ),
    (
        |sheet, at| edges::mark(sheet, End::Exit, false, at),
        "comes back",
    ),
];

/// Draws the legend below a height; gives where it ends.
pub fn draw(sheet: &mut Sheet, top: f64) -> f64 {
    let right = sheet.width - MARGIN;
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
        sheet.text("quiet", HEAD, (x, y + 3.2), head);
        x += HEAD.width(head) + 10.0;
        for item in items {
            if x + width(item) > right {
                (x, y) = (MARGIN, y + ROW);
            }
            item.0(sheet, (x + SIGN / 2.0, y));
            sheet.text("quiet", FONT, (x + SIGN, y + 3.7), item.1);
            x += width(item) + 12.0;
        }
        x += GAP;
    }
    y + 12.0
}

fn width(item: &Item) -> f64 {
    SIGN + FONT.width(item.1)
}

fn role(sheet: &mut Sheet, role: Role, (x, y): (f64, f64)) {
    let class = card::box_of(role, false);
    card::role(sheet, class, card::letter(role), (x - 6.5, y - 7.5));
}

fn face(sheet: &mut Sheet, class: &'static str, essential: bool, (x, y): (f64, f64)) {
    sheet.group(class, String::new(), |sheet| {
        let area = Area {
            x: x - 10.0,
            y: y - 7.0,
            width: 20.0,
            height: 14.0,
        };
        sheet.block("face", area, 3.0);
        if essential {
            sheet.line("essential", format!("M{} {}h14", x - 7.0, y - 5.75));
        }
    });
}

fn way(sheet: &mut Sheet, class: &'static str, (x, y): (f64, f64)) {
    sheet.group(class, String::new(), |sheet| {
        sheet.line("way", format!("M{} {y}H{}", x - 12.0, x + 5.0));
        sheet.line("head", format!("M{} {y}l-7 -3.4v6.8z", x + 10.0));
    });
}
