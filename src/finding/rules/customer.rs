//! Rules about whom the journey is for: what they feel, use and bear, and whether it is meant for them.

use std::collections::{BTreeMap, HashSet};

use entity::{
    id::{PhaseId, SegmentId, TouchpointId},
    persona, touchpoint,
    words::{Initiator, InsightKind, Usage},
};

use super::{
    context::RuleContext,
    table::FindingCode,
    violation::{FindingSubject, Violations, quote},
};
use crate::number::CompensatedSum;

pub(super) fn add_customer_violations(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let important = context.threshold(FindingCode::ImportantAndNegative);
    let personas_stand_for = represented_segments(context);
    let explained = touchpoints_with_answered_question(context);
    for row in &canvas.touchpoints {
        if row.usage_reason.is_none() && !explained.contains(&row.id) {
            add_non_use_violations(row, found);
        }
        if let Some(answers) = context.around.unroutable.get(&Some(row.id)) {
            let place = format!("at {}", quote(&row.name));
            let subject = FindingSubject::of_touchpoint(row);
            add_unroutable_violation(found, subject, *answers, &place);
        }
        let importance = row.importance_customer.map(f64::from);
        if importance.is_some_and(|importance| importance >= important)
            && row.emotion.is_some_and(|emotion| emotion < 0)
        {
            let sentence = format!(
                "{} is important to customers and leaves them with a bad feeling.",
                quote(&row.name)
            );
            found.add(
                FindingCode::ImportantAndNegative,
                FindingSubject::of_touchpoint(row),
                sentence,
            );
        }
        let audience = context.snapshot.touchpoint_segments.get(&row.id);
        let in_phase = context.snapshot.phase_segments.get(&row.phase_id);
        let stand_for = in_phase.map_or(&personas_stand_for[..], Vec::as_slice);
        if audience.is_some_and(|audience| is_audience_mismatch(audience, stand_for)) {
            let sentence = format!(
                "{} is for other people than those whose journey it is.",
                quote(&row.name)
            );
            found.add(
                FindingCode::AudienceMismatch,
                FindingSubject::of_touchpoint(row),
                sentence,
            );
        }
    }
    if let Some(answers) = context.around.unroutable.get(&None) {
        let subject = FindingSubject::default();
        add_unroutable_violation(found, subject, *answers, "on the journey as a whole");
    }
    let segments = context.around.segments.get(&canvas.persona.id);
    if segments.is_none_or(HashSet::is_empty) {
        let sentence = format!("{} stands for no segment.", quote(&canvas.persona.name));
        found.add(
            FindingCode::NoSegment,
            persona_subject(&canvas.persona),
            sentence,
        );
    }
    add_over_contact_violations(context, found);
}

/// Answers that no department works.
pub(super) fn add_unroutable_violation(
    found: &mut Violations,
    subject: FindingSubject,
    answers: usize,
    place: &str,
) {
    let sentence = match answers {
        1 => format!("Nobody looks after an answer given {place}."),
        _ => format!("Nobody looks after {answers} answers given {place}."),
    };
    found.add(FindingCode::FeedbackUnroutable, subject, sentence);
}

fn persona_subject(persona: &persona::Model) -> FindingSubject {
    FindingSubject {
        persona: Some(persona.id),
        ..FindingSubject::default()
    }
}

/// Where a QUESTION has been answered by another insight.
fn touchpoints_with_answered_question(context: &RuleContext<'_>) -> HashSet<TouchpointId> {
    let insights = context.snapshot.insights.iter();
    insights
        .filter(|row| row.kind == InsightKind::Question && row.answered_by_id.is_some())
        .filter_map(|row| row.touchpoint_id)
        .collect()
}

fn add_non_use_violations(row: &touchpoint::Model, found: &mut Violations) {
    if matches!(row.usage, Usage::NotUsed | Usage::Abandoned) {
        let sentence = format!(
            "{} is {}, and nobody knows why.",
            quote(&row.name),
            match row.usage {
                Usage::Abandoned => "no longer used",
                _ => "not used",
            }
        );
        found.add(
            FindingCode::NonUseUnexplained,
            FindingSubject::of_touchpoint(row),
            sentence,
        );
    }
}

/// The segments that any persona of the blueprint stands for.
fn represented_segments(context: &RuleContext<'_>) -> Vec<SegmentId> {
    let personas = context.snapshot.personas();
    let segments = personas.filter_map(|persona| context.around.segments.get(&persona.id));
    segments.flatten().copied().collect()
}

/// Whether none of the audience is stood for; where nobody knows whom the personas stand for, there is nothing to say.
fn is_audience_mismatch(audience: &[SegmentId], stand_for: &[SegmentId]) -> bool {
    !audience.is_empty()
        && !stand_for.is_empty()
        && !audience.iter().any(|segment| stand_for.contains(segment))
}

/// Personas that are contacted too often, where this journey contacts them at all. A persona is in one phase of a
/// journey at a time: the phase with the most contacts counts.
fn add_over_contact_violations(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let mut of_phase: BTreeMap<PhaseId, CompensatedSum> = BTreeMap::new();
    for row in &canvas.touchpoints {
        if row.initiator != Some(Initiator::Customer) {
            let sum = of_phase.entry(row.phase_id).or_default();
            sum.extend(row.contacts_per_month);
        }
    }
    let here = of_phase
        .into_iter()
        .map(|(phase, sum)| (phase, sum.total()));
    let busiest = here.max_by(|one, other| one.1.total_cmp(&other.1));
    let Some((phase, here)) = busiest.filter(|(_, per_month)| *per_month > 0.0) else {
        return;
    };
    for persona in context.snapshot.personas() {
        let elsewhere = context.around.contacts_elsewhere.get(&persona.id).copied();
        let mut per_month = CompensatedSum::from(here);
        per_month.extend(elsewhere);
        let per_month = per_month.total();
        let most = persona.max_contacts_per_month;
        if let Some(most) = most.filter(|most| per_month > f64::from(*most)) {
            let phase = canvas.phase(phase).map_or("", |phase| phase.name.as_str());
            let sentence = format!(
                "{} is contacted {per_month:.1} times a month when in {}, and bears {most}.",
                quote(&persona.name),
                quote(phase)
            );
            found.add(
                FindingCode::ContactPressure,
                persona_subject(persona),
                sentence,
            );
        }
    }
}
