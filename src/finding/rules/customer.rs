//! Rules about whom the journey is for: what they feel, use and bear, and whether it is meant for them.

use std::collections::HashSet;

use entity::{
    id::SegmentId,
    persona, touchpoint,
    words::{Initiator, Usage},
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
    let stand_for = represented_segments(context);
    for row in &canvas.touchpoints {
        add_non_use_violations(row, found);
        if let Some(answers) = context.around.unroutable.get(&row.id) {
            let sentence = match answers {
                1 => format!(
                    "Nobody looks after an answer given at {}.",
                    quote(&row.name)
                ),
                _ => format!(
                    "Nobody looks after {answers} answers given at {}.",
                    quote(&row.name)
                ),
            };
            found.add(
                FindingCode::FeedbackUnroutable,
                FindingSubject::of_touchpoint(row),
                sentence,
            );
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
        if audience.is_some_and(|audience| is_audience_mismatch(audience, &stand_for)) {
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

fn persona_subject(persona: &persona::Model) -> FindingSubject {
    FindingSubject {
        persona: Some(persona.id),
        ..FindingSubject::default()
    }
}

fn add_non_use_violations(row: &touchpoint::Model, found: &mut Violations) {
    if matches!(row.usage, Usage::NotUsed | Usage::Abandoned) && row.usage_reason.is_none() {
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
fn represented_segments(context: &RuleContext<'_>) -> HashSet<SegmentId> {
    let personas = context.snapshot.personas();
    let segments = personas.filter_map(|persona| context.around.segments.get(&persona.id));
    segments.flatten().copied().collect()
}

/// Whether none of the audience is stood for; where nobody knows whom the personas stand for, there is nothing to say.
fn is_audience_mismatch(audience: &[SegmentId], stand_for: &HashSet<SegmentId>) -> bool {
    !audience.is_empty()
        && !stand_for.is_empty()
        && !audience.iter().any(|segment| stand_for.contains(segment))
}

/// Personas that are contacted too often, where this journey contacts them at all.
fn add_over_contact_violations(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let begun = |row: &&touchpoint::Model| row.initiator != Some(Initiator::Customer);
    let here = canvas.touchpoints.iter().filter(begun);
    let here: CompensatedSum = here.filter_map(|row| row.contacts_per_month).collect();
    if here.exact() <= 0.0 {
        return;
    }
    for persona in context.snapshot.personas() {
        let elsewhere = context.around.contacts_elsewhere.get(&persona.id).copied();
        let mut per_month = here;
        per_month.extend(elsewhere);
        let per_month = per_month.total();
        let most = persona.max_contacts_per_month;
        if let Some(most) = most.filter(|most| per_month > f64::from(*most)) {
            let sentence = format!(
                "{} is contacted {per_month:.1} times a month and bears {most}.",
                quote(&persona.name)
            );
            found.add(
                FindingCode::ContactPressure,
                persona_subject(persona),
                sentence,
            );
        }
    }
}
