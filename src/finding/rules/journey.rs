//! Rules about the journey as a whole: how people get through it, which stages it has, how large and how old it is.

use entity::{
    touchpoint,
    words::{Stage, Usage},
};

use super::{
    context::RuleContext,
    responsible::as_number,
    table::FindingCode,
    violation::{FindingSubject, Violations, quote},
};
use crate::canvas::{Canvas, flow::FlowAnalysis, view};

pub(super) fn add_journey_violations(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let flow = FlowAnalysis::new(canvas);
    // That nobody comes to what nobody uses is told by the rules about usage.
    let used = |row: &&touchpoint::Model| !matches!(row.usage, Usage::NotUsed | Usage::Abandoned);
    for row in flow.unreachable().into_iter().filter(used) {
        let sentence = format!("No way leads to {}.", quote(&row.name));
        found.add(
            FindingCode::Unreachable,
            FindingSubject::of_touchpoint(row),
            sentence,
        );
    }
    for row in flow.dead_ends().into_iter().filter(used) {
        let sentence = format!("Nothing leads on from {}.", quote(&row.name));
        found.add(
            FindingCode::DeadEnd,
            FindingSubject::of_touchpoint(row),
            sentence,
        );
    }
    let touchpoints = canvas.touchpoints.len();
    if as_number(touchpoints) > context.threshold(FindingCode::TooComplex) {
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
    add_missing_stage_violations(context, found);
}

/// A journey without a step is nothing that could be published.
pub(super) fn add_emptiness_violation(canvas: &Canvas, found: &mut Violations) {
    if canvas.touchpoints.is_empty() {
        let sentence = "The blueprint has no touchpoint: add its steps first.";
        found.add(
            FindingCode::EmptyBlueprint,
            FindingSubject::default(),
            sentence.to_owned(),
        );
    }
}

fn add_missing_stage_violations(context: &RuleContext<'_>, found: &mut Violations) {
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
        view::count_touchpoints_in_stage(canvas, Stage::After),
        canvas.touchpoints.len(),
    );
    let enough = context.threshold(FindingCode::AfterNeglected) / 100.0 * as_number(all);
    if as_number(after) < enough {
        let sentence = format!("Of {all} touchpoints {after} lie after the goal.");
        found.add(
            FindingCode::AfterNeglected,
            FindingSubject::default(),
            sentence,
        );
    }
}
