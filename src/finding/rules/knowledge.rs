//! Rules about what is known, promised and told: what rests on nothing, what nobody keeps, what contradicts itself.

use std::collections::{HashMap, HashSet};

use entity::{
    evaluation,
    id::{NeedId, SourceId, TouchpointId},
    promise, touchpoint,
    words::{Basis, InsightKind, KpiState, Messages, PromiseState, Verdict},
};

use super::{
    context::RuleContext,
    responsible::as_number,
    table::FindingCode,
    violation::{FindingSubject, Violations, quote},
};
use crate::canvas::find_accountable_responsibility;

pub(super) fn add_knowledge_violations(context: &RuleContext<'_>, found: &mut Violations) {
    add_source_gap_violations(context, found);
    for promise in &context.snapshot.promises {
        add_promise_gap_violations(context, promise, found);
    }
    for insight in &context.snapshot.insights {
        if insight.kind == InsightKind::InformationNeed && insight.answer.is_none() {
            let subject = FindingSubject {
                phase: insight.phase_id,
                touchpoint: insight.touchpoint_id,
                insight: Some(insight.id),
                ..FindingSubject::default()
            };
            let sentence = format!("Nothing answers {}.", quote(&insight.text));
            found.add(FindingCode::InformationNeedUnanswered, subject, sentence);
        }
    }
    add_message_conflict_violations(context, found);
    add_need_violations(context, found);
}

fn add_source_gap_violations(context: &RuleContext<'_>, found: &mut Violations) {
    // What is still to be asked has said nothing yet.
    let asked = context.snapshot.sources.iter().filter(|row| !row.planned);
    let asked: HashSet<SourceId> = asked.map(|row| row.id).collect();
    let mut known_from: HashMap<TouchpointId, HashSet<SourceId>> = HashMap::new();
    for insight in &context.snapshot.insights {
        let sources = context.snapshot.insight_sources.get(&insight.id);
        let sources = sources.map(|ids| ids.iter().filter(|id| asked.contains(id)));
        if let (Some(touchpoint), Some(sources)) = (insight.touchpoint_id, sources) {
            known_from.entry(touchpoint).or_default().extend(sources);
        }
    }
    let enough = context.threshold(FindingCode::SingleSource);
    for row in &context.canvas().touchpoints {
        let name = quote(&row.name);
        match known_from.get(&row.id).map_or(0, HashSet::len) {
            0 if row.basis == Basis::Observed => {
                let sentence = format!("{name} is said to be observed, and no source is named.");
                found.add(
                    FindingCode::ObservedWithoutSource,
                    FindingSubject::of_touchpoint(row),
                    sentence,
                );
            }
            sources if sources > 0 && as_number(sources) < enough => {
                let sentence = match sources {
                    1 => format!("What is known at {name} rests on one source."),
                    _ => format!("What is known at {name} rests on {sources} sources."),
                };
                found.add(
                    FindingCode::SingleSource,
                    FindingSubject::of_touchpoint(row),
                    sentence,
                );
            }
            _ => {}
        }
    }
}

fn add_promise_gap_violations(
    context: &RuleContext<'_>,
    promise: &promise::Model,
    found: &mut Violations,
) {
    let canvas = context.canvas();
    let subject = FindingSubject {
        promise: Some(promise.id),
        ..canvas
            .touchpoint(promise.touchpoint_id)
            .map_or_else(FindingSubject::default, FindingSubject::of_touchpoint)
    };
    let text = quote(&promise.text);
    match promise.state {
        PromiseState::Broken => {
            let sentence = format!("The promise {text} is broken.");
            found.add(FindingCode::PromiseBroken, subject, sentence);
        }
        PromiseState::AtRisk => {
            let sentence = format!("The promise {text} may be broken.");
            found.add(FindingCode::PromiseAtRisk, subject, sentence);
        }
        PromiseState::Kept | PromiseState::Unknown => {}
    }
    let delivered_at = context.snapshot.promise_deliveries.get(&promise.id);
    let delivered_at = delivered_at.into_iter().flatten();
    let delivered_at: Vec<&touchpoint::Model> = delivered_at
        .filter_map(|id| canvas.touchpoint(*id))
        .collect();
    if delivered_at.is_empty() {
        let sentence = format!("The promise {text} is delivered nowhere.");
        found.add(FindingCode::PromiseUndelivered, subject, sentence);
    }
    for row in delivered_at {
        add_promise_doubts(context, (promise, row), found);
        if find_accountable_responsibility(canvas.responsibilities_of_touchpoint(row.id)).is_none()
        {
            let subject = FindingSubject {
                promise: Some(promise.id),
                ..FindingSubject::of_touchpoint(row)
            };
            let sentence = format!(
                "The promise {text} is delivered at {}, where nobody is accountable.",
                quote(&row.name)
            );
            found.add(FindingCode::PromiseUnowned, subject, sentence);
        }
    }
}

/// KPIs that are missed where a promise is delivered, while nobody says that it is at risk.
fn add_promise_doubts(
    context: &RuleContext<'_>,
    (promise, row): (&promise::Model, &touchpoint::Model),
    found: &mut Violations,
) {
    if matches!(promise.state, PromiseState::Broken | PromiseState::AtRisk) {
        return;
    }
    let links = context.canvas().kpi_links_of_touchpoint(row.id);
    for (judged, kpi) in context.judged_links_and_their_kpis(links) {
        let figure = judged.judgement.figure.as_ref();
        if figure.is_some_and(|figure| figure.state == KpiState::Missed) {
            let subject = FindingSubject {
                promise: Some(promise.id),
                kpi: Some(kpi.id),
                ..FindingSubject::of_touchpoint(row)
            };
            let sentence = format!(
                "The promise {} is delivered at {}, where the KPI {} is missed.",
                quote(&promise.text),
                quote(&row.name),
                quote(&kpi.name)
            );
            found.add(FindingCode::PromiseInDoubt, subject, sentence);
        }
    }
}

/// Needs that a touchpoint fails, by the latest evaluation there that tried each.
fn add_need_violations(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let when = |row: &evaluation::Model| (row.held_on, row.created_at, row.id);
    let mut latest: HashMap<(TouchpointId, NeedId), (&evaluation::Model, Verdict)> = HashMap::new();
    for row in context.evaluations() {
        let verdicts = context.snapshot.evaluation_verdicts.get(&row.id);
        for (need, verdict) in verdicts.into_iter().flatten() {
            let kept = latest.entry((row.touchpoint_id, *need));
            let kept = kept.or_insert((row, *verdict));
            if when(row) > when(kept.0) {
                *kept = (row, *verdict);
            }
        }
    }
    for row in &canvas.touchpoints {
        for need in &canvas.needs {
            let verdict = latest.get(&(row.id, need.id)).map(|(_, verdict)| *verdict);
            if verdict == Some(Verdict::Fails) {
                let subject = FindingSubject {
                    persona: Some(need.persona_id),
                    need: Some(need.id),
                    ..FindingSubject::of_touchpoint(row)
                };
                let sentence = format!(
                    "{} does not meet the need {}.",
                    quote(&row.name),
                    quote(&need.text)
                );
                found.add(FindingCode::NeedNotMet, subject, sentence);
            }
        }
    }
}

/// Conflicts by the latest evaluation of each touchpoint that looked at messages. Two touchpoints that are found in
/// conflict from both sides are in one conflict.
fn add_message_conflict_violations(context: &RuleContext<'_>, found: &mut Violations) {
    let canvas = context.canvas();
    let when = |row: &evaluation::Model| (row.held_on, row.created_at, row.id);
    let mut latest: HashMap<TouchpointId, &evaluation::Model> = HashMap::new();
    for row in context.evaluations() {
        if row.messages.is_some() {
            let kept = latest.entry(row.touchpoint_id).or_insert(row);
            if when(row) > when(kept) {
                *kept = row;
            }
        }
    }
    let mut told: HashSet<(usize, usize)> = HashSet::new();
    for row in &canvas.touchpoints {
        let conflict = latest.get(&row.id);
        let conflict = conflict.filter(|found| found.messages == Some(Messages::Conflicting));
        let other = conflict.and_then(|found| canvas.touchpoint(found.conflicts_with_id?));
        let (Some(conflict), Some(other)) = (conflict, other) else {
            continue;
        };
        let (one, two) = if row.id < other.id {
            (row, other)
        } else {
            (other, row)
        };
        let places = (
            canvas.index_of_touchpoint(one.id),
            canvas.index_of_touchpoint(two.id),
        );
        if let (Some(at), Some(with)) = places
            && told.insert((at, with))
        {
            let subject = FindingSubject {
                other: Some(two.id),
                ..FindingSubject::of_touchpoint(one)
            };
            let sentence = format!(
                "{} and {} say different things: {}",
                quote(&row.name),
                quote(&other.name),
                conflict
                    .conflict
                    .as_deref()
                    .unwrap_or("it is not said what.")
            );
            found.add(FindingCode::MessageConflict, subject, sentence);
        }
    }
}
