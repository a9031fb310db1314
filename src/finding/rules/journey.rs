//! Rules about the journey as a whole: how people get through it, which stages it has, how large and how old it is.

use entity::words::Stage;

use super::{Code, Found, Place, Seen, quoted, responsible::count};
use crate::canvas::{flow::Flow, view};

pub(super) fn find(seen: &Seen<'_>, found: &mut Found) {
    let canvas = seen.canvas();
    let flow = Flow::of(canvas);
    for row in flow.unreachable() {
        let sentence = format!("No way leads to {}.", quoted(&row.name));
        found.add(Code::Unreachable, Place::at(row), sentence);
    }
    for row in flow.dead_ends() {
        let sentence = format!("Nothing leads on from {}.", quoted(&row.name));
        found.add(Code::DeadEnd, Place::at(row), sentence);
    }
    let touchpoints = canvas.touchpoints.len();
    if count(touchpoints) > seen.threshold(Code::TooComplex) {
        let sentence = format!("There are {touchpoints} touchpoints: show a smaller view of them.");
        found.add(Code::TooComplex, Place::default(), sentence);
    }
    if let Some(day) = canvas.blueprint.next_review_on
        && day < seen.asked.day
    {
        let sentence = format!("It should have been looked at again on {day}.");
        found.add(Code::ReviewOverdue, Place::default(), sentence);
    }
    stages(seen, found);
}

fn stages(seen: &Seen<'_>, found: &mut Found) {
    let canvas = seen.canvas();
    let has = |stage: Stage| canvas.phases.iter().any(|phase| phase.stage == stage);
    if !has(Stage::Before) {
        let sentence = "What people do before they come is not looked at.";
        found.add(Code::NoPhaseBefore, Place::default(), sentence.to_owned());
    }
    if !has(Stage::After) {
        let sentence = "What becomes of people afterwards is not looked at.";
        found.add(Code::NoPhaseAfter, Place::default(), sentence.to_owned());
        return;
    }
    let (after, all) = (
        view::in_stage(canvas, Stage::After),
        canvas.touchpoints.len(),
    );
    let enough = seen.threshold(Code::AfterNeglected) / 100.0 * count(all);
    if count(after) < enough {
        let sentence = format!("Of {all} touchpoints {after} lie after the goal.");
        found.add(Code::AfterNeglected, Place::default(), sentence);
    }
}
