//! Rules about the journey as a whole: how people get through it, which stages it has, how large and how old it is.

use entity::words::Stage;

use super::{
    context::RuleContext,
    responsible::count,
    table::FindingCode,
    violation::{FindingSubject, Violations, quoted},
};
use crate::canvas::{flow::FlowAnalysis, view};

pub(super) fn find(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let flow = FlowAnalysis::new(canvas);
    for row in flow.unreachable() {
        let sentence = format!("No way leads to {}.", quoted(&row.name));
        found.add(FindingCode::Unreachable, FindingSubject::at(row), sentence);
    }
    for row in flow.dead_ends() {
        let sentence = format!("Nothing leads on from {}.", quoted(&row.name));
        found.add(FindingCode::DeadEnd, FindingSubject::at(row), sentence);
    }
    let touchpoints = canvas.touchpoints.len();
    if count(touchpoints) > context.threshold(FindingCode::TooComplex) {
        let sentence = format!("There are {touchpoints} touchpoints: show a smaller view of them.");
        found.add(FindingCode::TooComplex, FindingSubject::default(), sentence);
    }
    if let Some(day) = canvas.blueprint.next_review_on
        && day < context.options.day
    {
        let sentence = format!("It should have been looked at again on {day}.");
        found.add(
            FindingCode::ReviewOverdue,
            FindingSubject::default(),
            sentence,
        );
    }
    stages(context, found);
}

fn stages(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let has = |stage: Stage| canvas.phases.iter().any(|phase| phase.stage == stage);
    if !has(Stage::Before) {
        let sentence = "What people do before they come is not looked at.";
        found.add(
            FindingCode::NoPhaseBefore,
            FindingSubject::default(),
            sentence.to_owned(),
        );
    }
    if !has(Stage::After) {
        let sentence = "What becomes of people afterwards is not looked at.";
        found.add(
            FindingCode::NoPhaseAfter,
            FindingSubject::default(),
            sentence.to_owned(),
        );
        return;
    }
    let (after, all) = (
        view::in_stage(canvas, Stage::After),
        canvas.touchpoints.len(),
    );
    let enough = context.threshold(FindingCode::AfterNeglected) / 100.0 * count(all);
    if count(after) < enough {
        let sentence = format!("Of {all} touchpoints {after} lie after the goal.");
        found.add(
            FindingCode::AfterNeglected,
            FindingSubject::default(),
            sentence,
        );
    }
}
