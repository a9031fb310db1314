//! Rules about what is known, promised and told: what rests on nothing, what nobody keeps, what contradicts itself.

use std::collections::{HashMap, HashSet};

use entity::{
    evaluation,
    id::{SourceId, TouchpointId},
    promise,
    words::{Basis, InsightKind, Messages, PromiseState},
};

use super::{Code, Found, Place, Seen, quoted, responsible::count};
use crate::canvas::accountable;

pub(super) fn find(seen: &Seen<'_>, found: &mut Found) {
    sources(seen, found);
    for promise in &seen.whole.promises {
        promised(seen, promise, found);
    }
    for insight in &seen.whole.insights {
        if insight.kind == InsightKind::InformationNeed && insight.answer.is_none() {
            let place = Place {
                phase: insight.phase_id,
                touchpoint: insight.touchpoint_id,
                insight: Some(insight.id),
                ..Place::default()
            };
            let sentence = format!("Nothing answers {}.", quoted(&insight.text));
            found.add(Code::InformationNeedUnanswered, place, sentence);
        }
    }
    conflicts(seen, found);
}

fn sources(seen: &Seen<'_>, found: &mut Found) {
    let mut known_from: HashMap<TouchpointId, HashSet<SourceId>> = HashMap::new();
    for insight in &seen.whole.insights {
        let sources = seen.whole.rests_on.get(&insight.id);
        if let (Some(touchpoint), Some(sources)) = (insight.touchpoint_id, sources) {
            known_from.entry(touchpoint).or_default().extend(sources);
        }
    }
    let enough = seen.threshold(Code::SingleSource);
    for row in &seen.canvas().touchpoints {
        let name = quoted(&row.name);
        match known_from.get(&row.id).map_or(0, HashSet::len) {
            0 if row.basis == Basis::Observed => {
                let sentence = format!("{name} is said to be observed, and no source is named.");
                found.add(Code::ObservedWithoutSource, Place::at(row), sentence);
            }
            sources if sources > 0 && count(sources) < enough => {
                let sentence = match sources {
                    1 => format!("What is known at {name} rests on one source."),
                    _ => format!("What is known at {name} rests on {sources} sources."),
                };
                found.add(Code::SingleSource, Place::at(row), sentence);
            }
            _ => {}
        }
    }
}

fn promised(seen: &Seen<'_>, promise: &promise::Model, found: &mut Found) {
    let canvas = seen.canvas();
    let place = Place {
        promise: Some(promise.id),
        ..canvas
            .touchpoint(promise.touchpoint_id)
            .map_or_else(Place::default, Place::at)
    };
    let text = quoted(&promise.text);
    match promise.state {
        PromiseState::Broken => {
            let sentence = format!("The promise {text} is broken.");
            found.add(Code::PromiseBroken, place, sentence);
        }
        PromiseState::AtRisk => {
            let sentence = format!("The promise {text} may be broken.");
            found.add(Code::PromiseAtRisk, place, sentence);
        }
        PromiseState::Kept | PromiseState::Unknown => {}
    }
    let delivered_at = seen.whole.delivered_at.get(&promise.id);
    for row in delivered_at.into_iter().flatten() {
        let Some(row) = canvas.touchpoint(*row) else {
            continue;
        };
        if accountable(canvas.responsibilities_of(row.id)).is_none() {
            let place = Place {
                promise: Some(promise.id),
                ..Place::at(row)
            };
            let sentence = format!(
                "The promise {text} is delivered at {}, where nobody is accountable.",
                quoted(&row.name)
            );
            found.add(Code::PromiseUnowned, place, sentence);
        }
    }
}

/// Conflicts by the latest evaluation of each touchpoint that looked at messages. Two touchpoints that are found in
/// conflict from both sides are in one conflict.
fn conflicts(seen: &Seen<'_>, found: &mut Found) {
    let canvas = seen.canvas();
    let when = |row: &evaluation::Model| (row.held_on, row.created_at, row.id);
    let mut latest: HashMap<TouchpointId, &evaluation::Model> = HashMap::new();
    for row in &seen.whole.evaluations {
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
        let places = (canvas.place(one.id), canvas.place(two.id));
        if let (Some(at), Some(with)) = places
            && told.insert((at, with))
        {
            let place = Place {
                other: Some(two.id),
                ..Place::at(one)
            };
            let sentence = format!(
                "{} and {} say different things: {}",
                quoted(&row.name),
                quoted(&other.name),
                conflict
                    .conflict
                    .as_deref()
                    .unwrap_or("it is not said what.")
            );
            found.add(Code::MessageConflict, place, sentence);
        }
    }
}
