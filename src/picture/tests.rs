//! Random blueprints on sheets: nothing overlaps, nothing hangs over the edge, no line crosses a card.

use chrono::NaiveDate;
use entity::{
    id::DepartmentId,
    responsibility,
    words::{Basis, End, Lane, ResponsibilityStatus, Role, Stage, TransitionKind},
};
use proptest::{prelude::*, sample::select};
use uuid::Uuid;

use super::{
    compose,
    drawing::{Anchor, Area, Drawing, DrawingPart},
    grid::Grid,
    plan::{MARGIN, NAMES},
    write,
};
use crate::{
    canvas::{
        Canvas,
        sample::{self, Side},
    },
    scalar::PictureTheme,
};

/// How far a letter of the family climbs above its line and hangs below it.
const ASCENT: f64 = 0.905;
const DESCENT: f64 = 0.212;

/// What one touchpoint is like.
#[derive(Clone, Debug)]
struct Step {
    phase: usize,
    lane: Lane,
    name: String,
    emotion: Option<i32>,
    basis: Basis,
    flags: (bool, bool),
    held: Vec<(u128, Role, bool)>,
}

fn names() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "",
        "<b>&\"'",
        "\u{0}\u{1b}[31m",
        "مرحبا بالعالم في كل مكان",
        "שלום עולם",
        "日本語の長い名前がここにあります",
        "👩‍👩‍👧‍👦👍🏽 family",
        "a\u{202e}b\u{2066}c",
        "Ｗｉｄｅ",
        "ﷺ ﷽",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}",
        "]]>",
    ]);
    prop_oneof![
        4 => "[A-Za-z]{1,12}( [a-z]{1,12}){0,8}",
        1 => "[A-Z]{30,90}",
        1 => "\\PC{0,80}",
        2 => odd.prop_map(str::to_owned),
    ]
}

fn step(phases: usize) -> impl Strategy<Value = Step> {
    let held = (0..6u128, select(Role::ALL.to_vec()), any::<bool>());
    (
        0..phases,
        select(Lane::ALL.to_vec()),
        names(),
        proptest::option::of(-2..=2),
        select(Basis::ALL.to_vec()),
        any::<(bool, bool)>(),
        proptest::collection::vec(held, 0..8),
    )
        .prop_map(|(phase, lane, name, emotion, basis, flags, held)| Step {
            phase,
            lane,
            name,
            emotion,
            basis,
            flags,
            held,
        })
}

fn drawn(phases: usize, mut steps: Vec<Step>, edges: &[(Side, Side, TransitionKind)]) -> Canvas {
    steps.sort_by_key(|step| step.phase);
    let stages = vec![Stage::Goal; phases];
    let places: Vec<usize> = steps.iter().map(|step| step.phase).collect();
    let mut canvas = sample::canvas(&stages, &places, edges);
    for (row, step) in canvas.touchpoints.iter_mut().zip(&steps) {
        row.lane = step.lane;
        row.name.clone_from(&step.name);
        row.emotion = step.emotion;
        row.basis = step.basis;
        (row.moment_of_truth, row.essential) = step.flags;
        let held = step.held.iter().zip(0..);
        canvas
            .responsibilities
            .extend(held.map(|((department, role, offered), nth)| {
                let department: DepartmentId = Uuid::from_u128(*department).into();
                responsibility::Model {
                    id: Uuid::from_u128(nth).into(),
                    blueprint_id: row.blueprint_id,
                    status: match offered {
                        true => ResponsibilityStatus::Proposed,
                        false => ResponsibilityStatus::Accepted,
                    },
                    proposed_at: row.created_at,
                    created_at: row.created_at,
                    ..sample::accepted_responsibility(0, row.id, department, *role)
                }
            }));
    }
    for (phase, step) in canvas.phases.iter_mut().zip(&steps) {
        phase.name.clone_from(&step.name);
        phase.customer_goal = Some(step.name.clone());
    }
    canvas.sort_and_index()
}

type Edges = Vec<(Side, Side, TransitionKind)>;

/// Phases, steps and transitions; without phases there are no steps.
fn journeys() -> impl Strategy<Value = (usize, Vec<Step>, Edges)> {
    (1..6usize, 1..50usize).prop_flat_map(|(phases, steps)| {
        let ends = select(End::ALL.to_vec()).prop_map(Side::End);
        let side = || (0..steps).prop_map(Side::At);
        let edge = prop_oneof![
            8 => (side(), side(), select(TransitionKind::ALL.to_vec())),
            1 => (ends.clone(), side(), Just(TransitionKind::Reentry)),
            1 => (side(), ends, Just(TransitionKind::Exit)),
        ];
        (
            Just(phases),
            proptest::collection::vec(step(phases), steps),
            proptest::collection::vec(edge, 0..=2 * steps),
        )
    })
}

fn text_area(part: &DrawingPart) -> Option<(Area, &str)> {
    let DrawingPart::Text {
        font,
        anchor,
        x,
        y,
        text,
        ..
    } = part
    else {
        return None;
    };
    let width = font.width(text);
    let left = match anchor {
        Anchor::Start => *x,
        Anchor::Middle => x - width / 2.0,
        Anchor::End => x - width,
    };
    let area = Area {
        x: left,
        y: y - ASCENT * font.size,
        width,
        height: (ASCENT + DESCENT) * font.size,
    };
    Some((area, text))
}

fn meet(one: &Area, other: &Area) -> bool {
    const SLACK: f64 = 0.3;
    one.x + SLACK < other.x + other.width
        && other.x + SLACK < one.x + one.width
        && one.y + SLACK < other.y + other.height
        && other.y + SLACK < one.y + one.height
}

/// The faces of cards, in the order of their groups, with the texts on each.
fn cards(drawing: &Drawing) -> Vec<(Area, Vec<Area>)> {
    let mut cards = Vec::new();
    let mut depth = 0;
    for part in &drawing.parts {
        match part {
            DrawingPart::Open { class, .. } if depth == 0 && class.starts_with("card") => {
                depth = 1;
                cards.push((Area::default(), Vec::new()));
            }
            DrawingPart::Open { .. } if depth > 0 => depth += 1,
            DrawingPart::Close if depth > 0 => depth -= 1,
            DrawingPart::Rectangle {
                class: "face",
                area,
                ..
            } if depth > 0 => {
                if let Some(card) = cards.last_mut() {
                    card.0 = *area;
                }
            }
            part if depth > 0 => {
                if let (Some(card), Some((area, _))) = (cards.last_mut(), text_area(part)) {
                    card.1.push(area);
                }
            }
            _ => {}
        }
    }
    cards
}

/// The straight pieces of a path of `M`, `L` and `Q`; what is rounded off is less than what is looked at here.
fn pieces(path: &str) -> Vec<Area> {
    let numbers = path.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
    let numbers: Vec<f64> = numbers.filter_map(|text| text.parse().ok()).collect();
    let points: Vec<(f64, f64)> = numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect();
    let between = points.windows(2).map(|pair| {
        let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
        Area {
            x: ax.min(bx),
            y: ay.min(by),
            width: (ax - bx).abs(),
            height: (ay - by).abs(),
        }
    });
    between.collect()
}

fn ways(drawing: &Drawing) -> Vec<Area> {
    let ways = drawing.parts.iter().filter_map(|part| match part {
        // Those of the legend are drawn with `H`.
        DrawingPart::Path { class: "way", path } if !path.contains('H') => Some(pieces(path)),
        _ => None,
    });
    ways.flatten().collect()
}

fn hold(drawing: &Drawing) -> Result<(), TestCaseError> {
    let texts: Vec<(Area, &str)> = drawing.parts.iter().filter_map(text_area).collect();
    for (at, (area, text)) in texts.iter().enumerate() {
        let inside = area.x >= 0.0
            && area.y >= 0.0
            && area.x + area.width <= drawing.width
            && area.y + area.height <= drawing.height;
        prop_assert!(inside, "{text:?} at {area:?} hangs over the edge");
        for (other, said) in &texts[at + 1..] {
            prop_assert!(
                !meet(area, other),
                "{text:?} and {said:?} overlap at {area:?}"
            );
        }
    }
    let cards = cards(drawing);
    for (at, (face, words)) in cards.iter().enumerate() {
        for (other, _) in &cards[at + 1..] {
            prop_assert!(!meet(face, other), "cards overlap at {face:?}");
        }
        for word in words {
            let within = word.x >= face.x
                && word.x + word.width <= face.x + face.width + 0.1
                && word.y >= face.y
                && word.y + word.height <= face.y + face.height;
            prop_assert!(within, "a label at {word:?} leaves its card at {face:?}");
        }
    }
    for way in ways(drawing) {
        let inside = way.x >= MARGIN + NAMES && way.x + way.width <= drawing.width;
        prop_assert!(inside, "a line leaves its place at {way:?}");
        for (face, _) in &cards {
            prop_assert!(
                !meet(&way, face),
                "a line at {way:?} crosses the card at {face:?}"
            );
        }
    }
    Ok(())
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 3, 31).expect("a day")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_overlaps_and_no_line_crosses_a_card((phases, steps, edges) in journeys()) {
        let canvas = drawn(phases, steps, &edges);
        let drawing = compose::draw_blueprint(&canvas, day());
        hold(&drawing)?;
        let svg = write::write_svg(&drawing, PictureTheme::Auto);
        prop_assert_eq!(&svg, &write::write_svg(&compose::draw_blueprint(&canvas, day()), PictureTheme::Auto));
        prop_assert!(svg.chars().all(|c| c == '\n' || !c.is_control()));
        for (at, _) in svg.match_indices('&') {
            let rest = &svg[at..];
            let ours = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
            prop_assert!(ours.iter().any(|entity| rest.starts_with(entity)));
        }
        let opened = svg.matches("<g ").count();
        prop_assert_eq!(opened, svg.matches("</g>").count());
    }
}

#[test]
fn the_largest_blueprint_in_one_phase_is_a_sheet_and_no_ribbon() {
    let step = |nth: usize| Step {
        phase: 0,
        lane: Lane::Frontstage,
        name: format!("Step {nth}"),
        emotion: Some(1),
        basis: Basis::Observed,
        flags: (true, true),
        held: Vec::new(),
    };
    let edges: Vec<_> = (0..1500)
        .map(|nth| {
            (
                Side::At(nth * 7 % 500),
                Side::At(nth * 13 % 500),
                TransitionKind::Branch,
            )
        })
        .collect();
    let canvas = drawn(1, (0..500).map(step).collect(), &edges);
    let drawing = compose::draw_blueprint(&canvas, day());
    hold(&drawing).expect("nothing overlaps");
    assert!(drawing.width < 3.0 * drawing.height && drawing.height < 3.0 * drawing.width);
}

#[test]
fn an_empty_blueprint_is_a_sheet_with_its_lanes() {
    let canvas = sample::canvas(&[], &[], &[]);
    let drawing = compose::draw_blueprint(&canvas, day());
    hold(&drawing).expect("nothing overlaps");
    let texts: Vec<&str> = drawing
        .parts
        .iter()
        .filter_map(text_area)
        .map(|(_, text)| text)
        .collect();
    for lane in ["Customer", "Frontstage", "Backstage", "Support"] {
        assert!(texts.contains(&lane));
    }
}

#[test]
fn work_behind_the_scenes_stands_below_what_it_enables() {
    let edges = [
        (Side::At(3), Side::At(2), TransitionKind::Enables),
        (Side::At(4), Side::At(3), TransitionKind::Enables),
    ];
    let mut canvas = sample::canvas(&[Stage::Goal], &[0; 6], &edges);
    canvas.touchpoints[3].lane = Lane::Backstage;
    canvas.touchpoints[4].lane = Lane::Support;
    canvas.touchpoints[5].lane = Lane::Support;
    let cells = Grid::new(&canvas).cells;
    let places: Vec<(usize, usize)> = cells.iter().map(|cell| (cell.column, cell.row)).collect();
    // Three steps side by side; what enables nothing is put where there is room, from the left.
    assert_eq!(places, [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (0, 2)]);
}
