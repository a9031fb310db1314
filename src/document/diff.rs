//! Compares two documents of a blueprint, field by field and list by list, in the words of the domain: added, removed,
//! renamed, moved, changed.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_graphql::Enum;
use serde::Serialize;
use serde_json::Value;

use super::part::{DocumentPart, NaturalKey, camel_case};

/// The kind of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Enum)]
pub enum ChangeKind {
    /// It is only in the newer state.
    Added,
    /// It is only in the older state.
    Removed,
    /// It has another name, title or text.
    Renamed,
    /// It is in another phase or lane, or at another position among its neighbours.
    Moved,
    /// One of its fields has another value.
    Changed,
    /// Another department is accountable for it.
    HandedOver,
}

/// One difference between two documents.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentChange {
    pub kind: ChangeKind,
    /// What a person calls the part.
    pub part: &'static str,
    /// What tells it from others of its kind.
    pub identity: String,
    /// The field that differs, as documents spell it; none where the whole was added or removed.
    pub field: Option<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// A value as documents write it.
pub fn to_json<T: Serialize>(value: &T) -> Value {
    // Every part of a document has a JSON form; what had none would compare as nothing.
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// Adds a change for each of the document's own fields that differs.
pub fn add_field_changes(
    key: &str,
    fields: &[(&str, Value, Value)],
    changes: &mut Vec<DocumentChange>,
) {
    for (field, before, after) in fields {
        if before != after {
            changes.push(field_change("blueprint", key, field, before, after));
        }
    }
}

fn field_change(
    part: &'static str,
    identity: &str,
    field: &str,
    before: &Value,
    after: &Value,
) -> DocumentChange {
    let field = camel_case(field);
    DocumentChange {
        kind: match field.as_str() {
            "name" | "title" | "text" => ChangeKind::Renamed,
            "phase" | "lane" => ChangeKind::Moved,
            _ => ChangeKind::Changed,
        },
        part,
        identity: identity.to_owned(),
        field: Some(field),
        before: Some(before.clone()),
        after: Some(after.clone()),
    }
}

/// Adds the changes from one list of parts to another. Parts are matched by natural key, repeated ones in their order.
pub fn add_list_changes<P: DocumentPart>(
    before: &[P],
    after: &[P],
    changes: &mut Vec<DocumentChange>,
) {
    let mut old: HashMap<NaturalKey, Vec<&P>> = HashMap::new();
    // In reverse: `pop` then takes parts with the same natural key in their order.
    for part in before.iter().rev() {
        old.entry(part.natural_key()).or_default().push(part);
    }
    let whole = |kind, part: &P| {
        let value = Some(to_json(part));
        let added = kind == ChangeKind::Added;
        DocumentChange {
            kind,
            part: P::NOUN,
            identity: part.identity(),
            field: None,
            before: value.clone().filter(|_| !added),
            after: value.filter(|_| added),
        }
    };
    for part in after {
        match old.get_mut(&part.natural_key()).and_then(Vec::pop) {
            None => changes.push(whole(ChangeKind::Added, part)),
            Some(was) => add_part_changes(was, part, changes),
        }
    }
    let gone: HashSet<NaturalKey> = old
        .iter()
        .filter(|(_, left)| !left.is_empty())
        .map(|(identity, _)| identity.clone())
        .collect();
    let mut left = old;
    for part in before {
        if gone.contains(&part.natural_key())
            && left
                .get_mut(&part.natural_key())
                .and_then(Vec::pop)
                .is_some()
        {
            changes.push(whole(ChangeKind::Removed, part));
        }
    }
    if P::ORDERED {
        add_move_changes(before, after, changes);
    }
}

/// Adds a change for each field that differs between two states of a part.
fn add_part_changes<P: DocumentPart>(before: &P, after: &P, changes: &mut Vec<DocumentChange>) {
    if before == after {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (to_json(before), to_json(after)) else {
        return;
    };
    let identity = after.identity();
    for (field, value) in &new {
        let was = old.get(field).unwrap_or(&Value::Null);
        // Fields of the natural key too: a title whose letters are only cased otherwise keeps its natural key and is
        // reported as renamed.
        if was != value {
            changes.push(field_change(P::NOUN, &identity, field, was, value));
        }
    }
}

/// Adds a change for each of the fewest parts whose moving turns one order into the other: those outside a longest
/// increasing subsequence. Touchpoints are ordered within their phase; one that changed phase has its change already.
fn add_move_changes<P: DocumentPart>(before: &[P], after: &[P], changes: &mut Vec<DocumentChange>) {
    let among = |part: &P| (part.natural_key(), part.arranged_within());
    let places: HashMap<_, usize> = before.iter().map(among).zip(0..).collect();
    let mut groups: BTreeMap<Option<String>, Vec<(String, usize)>> = BTreeMap::new();
    for part in after {
        let place = among(part);
        if let Some(was) = places.get(&place) {
            let group = groups.entry(place.1).or_default();
            group.push((part.identity(), *was));
        }
    }
    for stayed in groups.into_values() {
        let order: Vec<usize> = stayed.iter().map(|(_, was)| *was).collect();
        // By position alone, one part taken to the front would make all others "moved".
        let kept: HashSet<usize> = longest_increasing_subsequence(&order).into_iter().collect();
        let gone = stayed.iter().filter(|(_, was)| !kept.contains(was));
        changes.extend(gone.map(|(identity, _)| DocumentChange {
            kind: ChangeKind::Moved,
            part: P::NOUN,
            identity: identity.clone(),
            field: None,
            before: None,
            after: None,
        }));
    }
}

/// A longest increasing subsequence of distinct numbers (patience sorting, O(n log n)).
fn longest_increasing_subsequence(numbers: &[usize]) -> Vec<usize> {
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; numbers.len()];
    for (at, number) in numbers.iter().enumerate() {
        let place = ends.partition_point(|end| numbers.get(*end) < Some(number));
        if let (Some(slot), Some(last)) = (before.get_mut(at), place.checked_sub(1)) {
            *slot = ends.get(last).copied();
        }
        match ends.get_mut(place) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut run = Vec::new();
    let mut next = ends.last().copied();
    while let Some(at) = next {
        run.extend(numbers.get(at));
        next = before.get(at).copied().flatten();
    }
    run.reverse();
    run
}
