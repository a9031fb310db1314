//! Merges a patch into a document, list by list and part by part. It judges only whether parts are distinct and
//! complete.

use std::collections::HashMap;

use super::part::{DocumentPart, NaturalKey, PartPatch, camel_case};
use crate::{error::UserErrorCode, input::Faults};

/// The index of each part in its list of the document that was read, so that a fault can name its place.
#[derive(Debug, Default)]
pub struct InputPartIndexes(HashMap<(String, NaturalKey), usize>);

impl InputPartIndexes {
    /// Whether the document that was read names this part of a list; other parts are there already.
    pub(super) fn contains_part(&self, list: &str, natural_key: NaturalKey) -> bool {
        self.0.contains_key(&(list.to_owned(), natural_key))
    }

    /// The path of a part in faults: `phases.3`, or `phases.arrival` where the document does not name it.
    #[must_use]
    pub fn path<P: DocumentPart>(&self, list: &str, part: &P) -> String {
        let natural_key = part.natural_key();
        match self.0.get(&(list.to_owned(), natural_key.clone())) {
            Some(at) => format!("{list}.{at}"),
            None => format!("{list}.{natural_key}"),
        }
    }
}

/// Adds a REQUIRED fault for each field that a new part lacks.
pub(super) fn add_required_faults(path: &str, noun: &str, lacking: &[&str], faults: &mut Faults) {
    for field in lacking {
        let path = match path {
            "" => camel_case(field),
            path => format!("{path}.{}", camel_case(field)),
        };
        let message = format!("A new {noun} needs this.");
        faults.add(&path, UserErrorCode::Required, None, message);
    }
}

/// Numbers parts of the same natural key from 1, so that kinds that repeat can be matched one by one.
fn number_repeats(natural_keys: impl Iterator<Item = NaturalKey>) -> Vec<(NaturalKey, usize)> {
    let mut met: HashMap<NaturalKey, usize> = HashMap::new();
    natural_keys
        .map(|natural_key| {
            let number = met.entry(natural_key.clone()).or_default();
            *number += 1;
            (natural_key, *number)
        })
        .collect()
}

/// Adds a LIMIT_EXCEEDED fault to a list.
pub(super) fn add_limit_exceeded_fault(list: &str, most: u64, faults: &mut Faults) {
    let message = format!("A blueprint has at most {most} {list}.");
    faults.add(list, UserErrorCode::LimitExceeded, None, message);
}

/// Merges one list. Parts of the patch come in the order of the patch; each other part stays behind the one it stood
/// after, or goes where `prune` is set. What is arranged within something stands after what is in there before and
/// after the patch: behind one that has moved away it would stand elsewhere when the patch is taken once more. `None`
/// where a new part lacks a field, which the faults say.
pub(super) fn merge_list<P: DocumentPart>(
    (name, most): (&str, u64),
    current: &[P],
    patches: Option<Vec<P::Patch>>,
    prune: bool,
    (part_positions, faults): (&mut InputPartIndexes, &mut Faults),
) -> Option<Vec<P>> {
    // An absent list says nothing of its parts; an empty one, with `prune`, removes them all.
    let Some(patches) = patches else {
        return Some(current.to_vec());
    };
    if patches.len() as u64 > most {
        add_limit_exceeded_fault(name, most, faults);
        // The parts of such a list are not looked at, and nothing that names them is.
        return None;
    }
    let named = number_repeats(patches.iter().map(PartPatch::natural_key));
    for (at, (natural_key, number)) in named.iter().enumerate() {
        let first = part_positions
            .0
            .entry((name.to_owned(), natural_key.clone()))
            .or_insert(at);
        if *number > 1 && !P::REPEATS {
            let message = format!("This {} is at {name}.{first} already.", P::NOUN);
            faults.add(
                &format!("{name}.{at}"),
                UserErrorCode::Duplicate,
                None,
                message,
            );
        }
    }
    let natural_keys = number_repeats(current.iter().map(DocumentPart::natural_key));
    // By map and not by search: two lists of thousands of parts would be compared with each other part by part.
    let index: HashMap<&(NaturalKey, usize), usize> = natural_keys.iter().zip(0..).collect();
    let mut complete = true;
    let mut named_parts: Vec<(Option<usize>, P)> = Vec::with_capacity(patches.len());
    // For each part of the patch that is there already, what it is arranged within from now on.
    let mut named_within: HashMap<usize, Option<String>> = HashMap::new();
    for (at, (patch, natural_key)) in patches.into_iter().zip(&named).enumerate() {
        // A duplicate, which is reported above.
        if natural_key.1 > 1 && !P::REPEATS {
            continue;
        }
        let was = index.get(natural_key).copied();
        match patch.apply_to(was.and_then(|was| current.get(was))) {
            Ok(part) => {
                named_within.extend(was.map(|was| (was, part.arranged_within())));
                named_parts.push((was, part));
            }
            Err(lacking) => {
                add_required_faults(&format!("{name}.{at}"), P::NOUN, &lacking, faults);
                complete = false;
            }
        }
    }
    if !complete {
        return None;
    }
    // The parts that the patch does not name, by the named part that they stand after; none for those before all.
    let mut unnamed: HashMap<Option<usize>, Vec<&P>> = HashMap::new();
    let mut last_named: HashMap<Option<String>, usize> = HashMap::new();
    for (at, part) in current.iter().enumerate() {
        let within = part.arranged_within();
        match named_within.get(&at) {
            Some(now) if *now == within => {
                last_named.insert(within, at);
            }
            Some(_) => {}
            None if prune => {}
            None => {
                let after = last_named.get(&within).copied();
                unnamed.entry(after).or_default().push(part);
            }
        }
    }
    let mut take_unnamed = |after: Option<usize>| {
        unnamed
            .remove(&after)
            .unwrap_or_default()
            .into_iter()
            .cloned()
    };
    let mut merged: Vec<P> = take_unnamed(None).collect();
    for (was, part) in named_parts {
        merged.push(part);
        // The unnamed parts that stood after it go along, so that a patch of one part leaves its neighbours
        // together.
        if was.is_some() {
            merged.extend(take_unnamed(was));
        }
    }
    Some(merged)
}
