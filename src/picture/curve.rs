//! How people feel along the way: a curve over every step whose emotion is known, from −2 to +2. It guesses none.

use super::{
    card::Card,
    drawing::{Anchor, Area, Drawing},
    plan::{MARGIN, NAMES, Plan},
    text::{Font, clean_line},
};
use crate::canvas::Canvas;

pub(super) const HEIGHT: f64 = 138.0;
const STEP: f64 = 22.0;
const NUMBER: Font = Font::bold(8.5);
const SCALE: Font = Font::plain(9.5);
const BEAD: f64 = 9.0;
const DOT: f64 = 3.0;

/// A step whose emotion is known.
struct FeltStep<'c> {
    card: &'c Card<'c>,
    emotion: i32,
    x: f64,
    y: f64,
    /// Whether the step right before it is one as well.
    joined: bool,
}

/// Whether there is anything to draw.
pub(super) fn has_emotions(cards: &[Card<'_>]) -> bool {
    cards.iter().any(|card| card.touchpoint.emotion.is_some())
}

/// Draws the scale and the curve below a height.
pub(super) fn draw_curve(
    drawing: &mut Drawing,
    canvas: &Canvas,
    plan: &Plan,
    cards: &[Card<'_>],
    top: f64,
) {
    let middle = top + HEIGHT / 2.0;
    let left = MARGIN + NAMES;
    for level in -2..=2 {
        let y = middle - f64::from(level) * STEP;
        let class = if level == 0 { "zero" } else { "level" };
        drawing.add_path(class, format!("M{left} {y}H{}", plan.width - MARGIN));
        let text = match level {
            0 => "0".to_owned(),
            1.. => format!("+{level}"),
            _ => format!("−{}", -level),
        };
        drawing.add_anchored_text("quiet", SCALE, Anchor::End, (left - 8.0, y + 3.3), &text);
    }
    let felt = steps_with_known_emotion(canvas, plan, cards, middle);
    for pair in felt.windows(2) {
        let [one, next] = pair else { continue };
        let half = f64::midpoint(one.x, next.x);
        let class = if next.joined { "mood" } else { "mood gap" };
        let path = format!(
            "M{} {}C{half} {} {half} {} {} {}",
            one.x, one.y, one.y, next.y, next.x, next.y
        );
        drawing.add_path("swell", format!("{path}V{middle}H{}z", one.x));
        drawing.add_path(class, path);
    }
    let mut room_from = f64::NEG_INFINITY;
    for (at, felt_here) in felt.iter().enumerate() {
        let next = felt.get(at + 1).map_or(f64::INFINITY, |next| next.x);
        let radius = if felt_here.x - BEAD >= room_from && next - felt_here.x >= BEAD + DOT {
            BEAD
        } else {
            DOT
        };
        room_from = felt_here.x + radius + 1.0;
        draw_emotion_mark(drawing, felt_here, radius);
    }
}

/// The steps whose emotion is known, side by side in their phases in the order of display.
#[expect(clippy::cast_precision_loss, reason = "a few hundred of them")]
fn steps_with_known_emotion<'c>(
    canvas: &Canvas,
    plan: &Plan,
    cards: &'c [Card<'c>],
    middle: f64,
) -> Vec<FeltStep<'c>> {
    let mut felt = Vec::new();
    let mut before = true;
    let mut first = 0;
    for (phase, (left, right)) in canvas.phases.iter().zip(&plan.phases) {
        let steps = canvas.touchpoints_of_phase(phase.id).len();
        let share = (right - left) / steps.max(1) as f64;
        for (nth, card) in cards.iter().skip(first).take(steps).enumerate() {
            if let Some(emotion) = card.touchpoint.emotion {
                let emotion = emotion.clamp(-2, 2);
                felt.push(FeltStep {
                    card,
                    emotion,
                    x: left + (nth as f64 + 0.5) * share,
                    y: middle - f64::from(emotion) * STEP,
                    joined: before,
                });
            }
            before = card.touchpoint.emotion.is_some();
        }
        first += steps;
    }
    felt
}

fn draw_emotion_mark(drawing: &mut Drawing, felt: &FeltStep<'_>, radius: f64) {
    let class = match felt.emotion {
        ..=-2 => "bead worst",
        -1 => "bead bad",
        0 => "bead even",
        1 => "bead good",
        2.. => "bead best",
    };
    let name = clean_line(&felt.card.touchpoint.name);
    let told = format!("{}. {name}: {:+}", felt.card.number, felt.emotion);
    drawing.add_group(class, told, |drawing| {
        let area = Area {
            x: felt.x - radius,
            y: felt.y - radius,
            width: 2.0 * radius,
            height: 2.0 * radius,
        };
        if felt.card.touchpoint.moment_of_truth {
            let ring = Area {
                x: area.x - 2.0,
                y: area.y - 2.0,
                width: area.width + 4.0,
                height: area.height + 4.0,
            };
            drawing.add_rectangle("halo", ring, radius + 2.0);
        }
        drawing.add_rectangle("dot", area, radius);
        if radius > DOT {
            let place = (felt.x, felt.y + 3.0);
            let number = felt.card.number.to_string();
            drawing.add_anchored_text("on-bead", NUMBER, Anchor::Middle, place, &number);
        }
    });
}
