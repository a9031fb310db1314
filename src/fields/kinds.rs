//! Kinds of fields: what each stores, how it begins and which values it takes. None of them is ever made into a value.

use std::marker::PhantomData;

use entity::{
    json::{Evidence, EvidenceList, Texts},
    words::{Basis, StoredWord, Usage},
};
use sea_orm::Value;

use crate::{
    error::{Reason, UserErrorCode},
    input::{self, Faults},
};

/// A way of storing, checking and showing a field.
pub trait FieldKind {
    /// The type of the entity's field.
    type Stored: Clone + Into<Value> + 'static;
    /// Whether people write text into it, of which a blueprint holds a limited amount.
    const IS_TEXT: bool;

    /// The value in a new row for which nobody gave one.
    fn initial() -> Self::Stored;
}

/// A free text, or none.
pub struct OptionalText;

/// One of a few words, or none.
pub struct OptionalWord<W>(PhantomData<W>);

/// One of a few words, of which one is where a new row begins.
pub struct WordWithInitial<W>(PhantomData<W>);

/// Yes or no; a new row begins with no.
pub struct YesNo;

/// A whole number from `MIN` to `MAX`, both included, or none.
pub struct BoundedInteger<const MIN: i32, const MAX: i32>;

/// A number a month, or unknown.
pub struct MonthlyRate;

/// Names in an order.
pub struct NameList;

/// Things that a person holds or sees: labels, some with a link.
pub struct EvidenceItems;

/// A word with which new rows begin.
pub trait InitialWord: StoredWord {
    /// That word.
    const INITIAL: Self;
}

impl InitialWord for Usage {
    const INITIAL: Self = Self::Unknown;
}

impl InitialWord for Basis {
    const INITIAL: Self = Self::Assumed;
}

impl FieldKind for OptionalText {
    type Stored = Option<String>;
    const IS_TEXT: bool = true;

    fn initial() -> Self::Stored {
        None
    }
}

impl OptionalText {
    /// The text without blanks around it; nothing where nothing is left of it.
    pub fn check(text: Option<&str>, path: &str, faults: &mut Faults) -> Option<String> {
        faults.check_optional_text(path, text)
    }
}

impl<W: StoredWord> FieldKind for OptionalWord<W>
where
    Option<W>: Into<Value>,
{
    type Stored = Option<W>;
    const IS_TEXT: bool = false;

    fn initial() -> Self::Stored {
        None
    }
}

impl<W: InitialWord + Into<Value>> FieldKind for WordWithInitial<W> {
    type Stored = W;
    const IS_TEXT: bool = false;

    fn initial() -> Self::Stored {
        W::INITIAL
    }
}

impl FieldKind for YesNo {
    type Stored = bool;
    const IS_TEXT: bool = false;

    fn initial() -> Self::Stored {
        false
    }
}

impl<const MIN: i32, const MAX: i32> FieldKind for BoundedInteger<MIN, MAX> {
    type Stored = Option<i32>;
    const IS_TEXT: bool = false;

    fn initial() -> Self::Stored {
        None
    }
}

impl<const MIN: i32, const MAX: i32> BoundedInteger<MIN, MAX> {
    /// The number; outside the scale it is a fault.
    pub fn check(number: Option<i32>, path: &str, faults: &mut Faults) -> Option<i32> {
        faults.check_within(path, number, MIN..=MAX)
    }
}

impl FieldKind for MonthlyRate {
    type Stored = Option<f64>;
    const IS_TEXT: bool = false;

    fn initial() -> Self::Stored {
        None
    }
}

impl MonthlyRate {
    /// The rate; a negative or infinite one is a fault.
    pub fn check(rate: Option<f64>, path: &str, faults: &mut Faults) -> Option<f64> {
        let rate = faults.check_number(path, rate);
        if rate.is_some_and(|rate| rate < 0.0) {
            let message = "This cannot be negative.";
            let reason = Some(Reason::OutOfRange);
            faults.add(path, UserErrorCode::Invalid, reason, message);
        }
        rate
    }
}

impl FieldKind for NameList {
    type Stored = Texts;
    const IS_TEXT: bool = true;

    fn initial() -> Self::Stored {
        Texts::default()
    }
}

impl NameList {
    /// The names; an empty one and too many are faults.
    pub fn check(names: &[String], path: &str, faults: &mut Faults) -> Texts {
        Texts(faults.check_names(path, names))
    }
}

impl FieldKind for EvidenceItems {
    type Stored = EvidenceList;
    const IS_TEXT: bool = true;

    fn initial() -> Self::Stored {
        EvidenceList::default()
    }
}

impl EvidenceItems {
    /// The items, each given as label and link; an empty label, a link that is no web address and too many items are
    /// faults.
    pub fn check<'e>(
        items: impl ExactSizeIterator<Item = (&'e str, Option<&'e str>)>,
        path: &str,
        faults: &mut Faults,
    ) -> EvidenceList {
        faults.check_list_length(path, items.len());
        let items = items.take(input::LIST).enumerate();
        EvidenceList(
            items
                .map(|(index, (label, link))| Evidence {
                    label: faults.check_name(&format!("{path}.{index}.label"), label),
                    link: faults.check_link(&format!("{path}.{index}.link"), link),
                })
                .collect(),
        )
    }
}
