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
const MOST_READINGS: usize = 60;

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

    /// Where a field is missing, if that is what is wrong.
    fn missing_field(&self) -> Option<Vec<Step>> {
        let rest = self.message.strip_prefix("missing field `")?;
        let name = rest.split('`').next()?;
        let field = Step::Field(name.to_owned());
        Some(self.path.iter().cloned().chain([field]).collect())
    }
}

/// Adds a fault for a value that could not be read.
fn add_shape_fault(path: &[Step], message: &str, faults: &mut Faults) {
    let path = path.iter().map(|step| match step {
        Step::Item(index) => index.to_string(),
        Step::Field(name) => name.clone(),
    });
    let path: Vec<String> = path.collect();
    let message = explain_message(message);
    faults.add(&path.join("."), UserErrorCode::Invalid, None, message);
}

/// The fault of a document of which nothing but its first fault is known.
pub(super) fn first_fault<E: std::fmt::Display>(error: &serde_path_to_error::Error<E>) -> Error {
    let mut faults = Faults::default();
    let stumble = Stumble::from_error(error);
    add_shape_fault(&stumble.path, &stumble.message, &mut faults);
    match faults.check() {
        Err(error) => error,
        Ok(()) => Error::internal("a document cannot be read, and nothing is wrong with it"),
    }
}

/// Writes whole numbers as such: to a parser `2.0` is none, to JSON Schema and whoever keeps columns of numbers it is.
fn write_whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|_| number.is_f64());
            // Up to here every whole number is one of both kinds.
            let whole = whole.filter(|whole| whole.fract() == 0.0 && whole.abs() < 9e15);
            if let Some(whole) = whole {
                *value = Value::from(whole as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(write_whole_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The document, or all faults of its shape.
pub(super) fn read_document<K: DeserializeOwned>(mut document: Value) -> Result<K> {
    write_whole_numbers(&mut document);
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
        if !cut.mend(&mut document, &stumble, &mut faults) {
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

/// The value at a path.
fn value_at<'a>(document: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(document, |holder, step| match step {
        Step::Item(index) => holder.get_mut(*index),
        Step::Field(name) => holder.get_mut(name.as_str()),
    })
}

/// A value of the kind that a parser's message says it expected; null where that is not said.
fn stand_in(message: &str) -> Value {
    let expected = message
        .rsplit_once("expected ")
        .map_or("", |(_, what)| what);
    if let Some((_, word)) = expected.split_once('`') {
        let word = word.split('`').next().unwrap_or_default();
        return Value::from(word);
    }
    let begins = |kinds: &[&str]| kinds.iter().any(|kind| expected.starts_with(kind));
    if begins(&["a string", "string"]) {
        Value::from("")
    } else if begins(&["a sequence", "a list"]) {
        Value::Array(Vec::new())
    } else if begins(&["a map", "struct"]) {
        Value::Object(serde_json::Map::new())
    } else if begins(&["a boolean"]) {
        Value::Bool(false)
    } else if begins(&["i", "u", "f", "a number", "an integer"]) {
        Value::from(0)
    } else {
        Value::Null
    }
}

/// What has been cut out of a document, and what stands in it for what is missing.
#[derive(Default)]
struct CutOut {
    /// By the list, as it was at first, the places of items, ascending.
    items: BTreeMap<Vec<Step>, Vec<usize>>,
    /// Fields, by where they were at first.
    fields: BTreeSet<Vec<Step>>,
    /// Missing fields for which a value stands in, by where they would have been at first.
    stand_ins: BTreeSet<Vec<Step>>,
}

impl CutOut {
    /// Tells of the fault, and cuts it out of the document or puts something in for what is missing. Says whether that
    /// could be done.
    fn mend(&mut self, document: &mut Value, stumble: &Stumble, faults: &mut Faults) -> bool {
        let original = self.original_path(&stumble.path);
        let inside = (0..=original.len()).find(|end| self.stand_ins.contains(&original[..*end]));
        if let Some(end) = inside {
            // Nothing that stands in is told of: another is tried, or else the object goes.
            let path = &stumble.path[..end];
            let next = stand_in(&stumble.message);
            let is_itself = end == original.len() && !next.is_null();
            let tried = value_at(document, path).filter(|tried| is_itself && **tried != next);
            return match tried {
                Some(tried) => {
                    *tried = next;
                    true
                }
                None => self.remove(document, &path[..end - 1]),
            };
        }
        match stumble.missing_field() {
            Some(path) => {
                let original = self.original_path(&path);
                // What was cut out has been told of.
                if !self.fields.contains(&original) {
                    add_shape_fault(&original, &stumble.message, faults);
                }
                self.stand_ins.insert(original);
                let holder = value_at(document, &stumble.path).and_then(Value::as_object_mut);
                let Some((holder, Some(Step::Field(name)))) = holder.zip(Some(path.last())) else {
                    return false;
                };
                holder.insert(name.clone(), Value::Null);
                true
            }
            None => {
                add_shape_fault(&original, &stumble.message, faults);
                self.remove(document, &stumble.path)
            }
        }
    }

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

    /// Cuts a value out. Says whether there was one.
    fn remove(&mut self, document: &mut Value, path: &[Step]) -> bool {
        let original = self.original_path(path);
        let Some((last, above)) = path.split_last() else {
            return false;
        };
        let Some(holder) = value_at(document, above) else {
            return false;
        };
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
