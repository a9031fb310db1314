//! Merges a patch into a document, list by list and part by part. It judges only whether parts can be told apart and
//! are complete.

use std::collections::{HashMap, HashSet};

use super::part::{DocumentPart, Identity, PartPatch, camel};
use crate::{error::UserErrorCode, input::Faults};

/// The index of each part in its list of the document that was read, so that a fault can name its place.
#[derive(Debug, Default)]
pub struct SourceMap(HashMap<(String, Identity), usize>);

impl SourceMap {
    /// Whether the document that was read names this part; others are there already.
    pub(super) fn names<P: DocumentPart>(&self, list: &str, part: &P) -> bool {
        self.0.contains_key(&(list.to_owned(), part.identity()))
    }

    /// The path of a part in faults: `phases.3`, or `phases.arrival` where the document does not name it.
    #[must_use]
    pub fn path<P: DocumentPart>(&self, list: &str, part: &P) -> String {
        let identity = part.identity();
        match self.0.get(&(list.to_owned(), identity.clone())) {
            Some(at) => format!("{list}.{at}"),
            None => format!("{list}.{identity}"),
        }
    }
}

/// Adds a REQUIRED fault for each field that a new part lacks.
pub fn lacks(path: &str, noun: &str, lacking: &[&str], faults: &mut Faults) {
    for field in lacking {
        let path = match path {
            "" => camel(field),
            path => format!("{path}.{}", camel(field)),
        };
        let message = format!("A new {noun} needs this.");
        faults.add(&path, UserErrorCode::Required, None, message);
    }
}

/// Numbers parts of the same identity from 1, so that kinds that repeat can be matched one by one.
fn numbered(identities: impl Iterator<Item = Identity>) -> Vec<(Identity, usize)> {
    let mut met: HashMap<Identity, usize> = HashMap::new();
    identities
        .map(|identity| {
            let number = met.entry(identity.clone()).or_default();
            *number += 1;
            (identity, *number)
        })
        .collect()
}

/// The list, unless it is longer than `most`, which is a fault; the parts of such a list are not looked at.
pub fn few_enough<S>(
    name: &str,
    said: Option<Vec<S>>,
    most: u64,
    faults: &mut Faults,
) -> Option<Vec<S>> {
    let said = said?;
    if said.len() as u64 <= most {
        return Some(said);
    }
    too_many(name, most, faults);
    None
}

/// Adds a LIMIT_EXCEEDED fault to a list.
pub fn too_many(list: &str, most: u64, faults: &mut Faults) {
    let message = format!("A blueprint has at most {most} {list}.");
    faults.add(list, UserErrorCode::LimitExceeded, None, message);
}

/// Merges one list. Parts of the patch come in the order of the patch; each other part stays behind the one it stood
/// behind, or goes where `prune` is set. `None` where a new part lacks a field, which the faults say.
pub fn list<P: DocumentPart>(
    name: &str,
    now: &[P],
    said: Option<Vec<P::Patch>>,
    prune: bool,
    (places, faults): (&mut SourceMap, &mut Faults),
) -> Option<Vec<P>> {
    let Some(said) = said else {
        return Some(now.to_vec());
    };
    let told = numbered(said.iter().map(PartPatch::identity));
    for (at, (identity, number)) in told.iter().enumerate() {
        let first = places
            .0
            .entry((name.to_owned(), identity.clone()))
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
    let current = numbered(now.iter().map(DocumentPart::identity));
    let of: HashMap<&(Identity, usize), usize> = current.iter().zip(0..).collect();
    let named: HashSet<&(Identity, usize)> = told.iter().collect();
    // What is not said, by what it stands behind.
    let mut behind: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    let mut last = None;
    for (at, identity) in current.iter().enumerate() {
        if named.contains(identity) {
            last = Some(at);
        } else if !prune {
            behind.entry(last).or_default().push(at);
        }
    }
    let mut merged = Vec::with_capacity(now.len().max(said.len()));
    let mut complete = true;
    let mut follow = |merged: &mut Vec<P>, at: Option<usize>| {
        let unsaid = behind.remove(&at).unwrap_or_default();
        merged.extend(unsaid.into_iter().filter_map(|at| now.get(at).cloned()));
    };
    follow(&mut merged, None);
    for (at, (said, identity)) in said.into_iter().zip(&told).enumerate() {
        if identity.1 > 1 && !P::REPEATS {
            continue;
        }
        let was = of.get(identity).copied();
        match said.onto(was.and_then(|was| now.get(was))) {
            Ok(part) => merged.push(part),
            Err(lacking) => {
                lacks(&format!("{name}.{at}"), P::NOUN, &lacking, faults);
                complete = false;
            }
        }
        if was.is_some() {
            follow(&mut merged, was);
        }
    }
    complete.then_some(merged)
}
