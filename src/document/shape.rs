//! All faults of a document's shape at once. A parser stops at the first; so what it stumbled over is cut out, and the
//! rest is read again, as often as there is something to cut, up to a bound.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{bounds::ObjectOnly, explain::explain_message};
use crate::{
    error::{Error, Result, UserErrorCode},
    input::Faults,
};

/// Most readings of one document for its faults.
const MOST_READINGS: usize = 30;

/// A step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Item(usize),
    Field(String),
}

/// A value that could not be read: where it is, and why.
struct Stumble {
    path: Vec<Step>,
    message: String,
}

impl Stumble {
    fn from_error<E: std::fmt::Display>(error: &serde_path_to_error::Error<E>) -> Self {
        let steps = error.path().iter().filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Step::Item(*index)),
            Segment::Map { key } => Some(Step::Field(key.clone())),
            Segment::Enum { .. } | Segment::Unknown => None,
        });
        Self {
            path: steps.collect(),
            message: error.inner().to_string(),
        }
    }

    fn add_to(&self, faults: &mut Faults) {
        let path = self.path.iter().map(|step| match step {
            Step::Item(index) => index.to_string(),
            Step::Field(name) => name.clone(),
        });
        let path: Vec<String> = path.collect();
        let message = explain_message(&self.message);
        faults.add(&path.join("."), UserErrorCode::Invalid, None, message);
    }
}

/// The fault of a document of which nothing but its first fault is known.
pub(super) fn first_fault<E: std::fmt::Display>(error: &serde_path_to_error::Error<E>) -> Error {
    let mut faults = Faults::default();
    Stumble::from_error(error).add_to(&mut faults);
    match faults.check() {
        Err(error) => error,
        Ok(()) => Error::internal("a document cannot be read, and nothing is wrong with it"),
    }
}

/// The document, or all faults of its shape.
pub(super) fn read_document<K: DeserializeOwned>(mut document: Value) -> Result<K> {
    let mut faults = Faults::default();
    let mut cut = CutOut::default();
    let mut is_looked_through = false;
    for _ in 0..MOST_READINGS {
        let read: Result<ObjectOnly<K>, _> = serde_path_to_error::deserialize(&document);
        let stumble = match read {
            Ok(ObjectOnly(document)) => {
                faults.check()?;
                return Ok(document);
            }
            Err(error) => Stumble::from_error(&error),
        };
        cut.tell(&stumble, &mut faults);
        if !cut.remove(&mut document, &stumble.path) {
            is_looked_through = true;
            break;
        }
    }
    if !is_looked_through {
        let message = "There may be more faults: mend these first.";
        faults.add("", UserErrorCode::LimitExceeded, None, message);
    }
    faults.check()?;
    Err(Error::internal(
        "a document cannot be read, and nothing is wrong with it",
    ))
}

/// What has been cut out of a document.
#[derive(Default)]
struct CutOut {
    /// By the list, as it was at first, the places of items, ascending.
    items: BTreeMap<Vec<Step>, Vec<usize>>,
    /// Fields, by where they were at first.
    fields: BTreeSet<Vec<Step>>,
}

impl CutOut {
    /// The path as it was before anything was cut out.
    fn original_path(&self, path: &[Step]) -> Vec<Step> {
        let mut original: Vec<Step> = Vec::with_capacity(path.len());
        for step in path {
            let step = match step {
                Step::Item(index) => {
                    let mut index = *index;
                    for gone in self.items.get(&original).into_iter().flatten() {
                        index += usize::from(*gone <= index);
                    }
                    Step::Item(index)
                }
                field @ Step::Field(_) => field.clone(),
            };
            original.push(step);
        }
        original
    }

    /// Adds the fault, unless it is that a field is missing which was cut out itself.
    fn tell(&self, stumble: &Stumble, faults: &mut Faults) {
        let path = self.original_path(&stumble.path);
        let missing = stumble.message.strip_prefix("missing field `");
        let missing = missing.and_then(|rest| rest.split('`').next());
        let follows = missing.is_some_and(|name| {
            let mut path = path.clone();
            path.push(Step::Field(name.to_owned()));
            self.fields.contains(&path)
        });
        if !follows {
            let message = stumble.message.clone();
            Stumble { path, message }.add_to(faults);
        }
    }

    /// Cuts a value out. Says whether there was one.
    fn remove(&mut self, document: &mut Value, path: &[Step]) -> bool {
        let original = self.original_path(path);
        let Some((last, above)) = path.split_last() else {
            return false;
        };
        let mut holder = document;
        for step in above {
            let inner = match step {
                Step::Item(index) => holder.get_mut(*index),
                Step::Field(name) => holder.get_mut(name.as_str()),
            };
            match inner {
                Some(inner) => holder = inner,
                None => return false,
            }
        }
        let list = original[..above.len()].to_vec();
        match (holder, last, original.last()) {
            (Value::Array(items), Step::Item(index), Some(Step::Item(first))) => {
                if *index >= items.len() {
                    return false;
                }
                items.remove(*index);
                let gone = self.items.entry(list).or_default();
                gone.push(*first);
                gone.sort_unstable();
                true
            }
            (Value::Object(fields), Step::Field(name), _) => {
                self.fields.insert(original);
                fields.remove(name).is_some()
            }
            _ => false,
        }
    }
}
