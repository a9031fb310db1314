//! How each kind of field is written into a document, read from one and resolved to what is stored.

use entity::{
    json::Texts,
    words::{Basis, StoredWord, Usage},
};
use schemars::JsonSchema;
use sea_orm::Value;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    bounds::{read_short_list, read_short_object_list},
    part::PatchField,
};
use crate::{
    fields::kinds::{
        BoundedInteger, EvidenceItems, FieldKind, InitialWord, MonthlyRate, NameList, OptionalText,
        OptionalWord, WordWithInitial, YesNo,
    },
    input::Faults,
};

/// A kind that is a field of a part of a document.
pub trait PartFieldKind: FieldKind {
    /// The type in the part.
    type Part: BoundedPartValue;

    /// The value that is written for what is stored.
    fn to_part(stored: &Self::Stored) -> Self::Part;

    /// What is stored for a value that was read, with a fault at `path` where the kind does not take it.
    fn to_stored(part: &Self::Part, path: &str, faults: &mut Faults) -> Self::Stored;

    /// The value in a new part that does not name the field.
    fn initial_part() -> Self::Part {
        Self::to_part(&Self::initial())
    }
}

impl PartFieldKind for OptionalText {
    type Part = Option<String>;

    fn to_part(stored: &Self::Stored) -> Self::Part {
        stored.clone()
    }

    fn to_stored(part: &Self::Part, path: &str, faults: &mut Faults) -> Self::Stored {
        Self::check(part.as_deref(), path, faults)
    }
}

impl<W: StoredWord + for<'de> Deserialize<'de>> PartFieldKind for OptionalWord<W>
where
    Option<W>: Into<Value>,
{
    type Part = Option<W>;

    fn to_part(stored: &Self::Stored) -> Self::Part {
        *stored
    }

    fn to_stored(part: &Self::Part, _: &str, _: &mut Faults) -> Self::Stored {
        *part
    }
}

impl<W: InitialWord + Into<Value> + BoundedPartValue> PartFieldKind for WordWithInitial<W> {
    type Part = W;

    fn to_part(stored: &Self::Stored) -> Self::Part {
        *stored
    }

    fn to_stored(part: &Self::Part, _: &str, _: &mut Faults) -> Self::Stored {
        *part
    }
}

impl PartFieldKind for YesNo {
    type Part = bool;

    fn to_part(stored: &Self::Stored) -> Self::Part {
        *stored
    }

    fn to_stored(part: &Self::Part, _: &str, _: &mut Faults) -> Self::Stored {
        *part
    }
}

impl<const MIN: i32, const MAX: i32> PartFieldKind for BoundedInteger<MIN, MAX> {
    type Part = Option<i32>;

    fn to_part(stored: &Self::Stored) -> Self::Part {
        *stored
    }

    fn to_stored(part: &Self::Part, path: &str, faults: &mut Faults) -> Self::Stored {
        Self::check(*part, path, faults)
    }
}

impl PartFieldKind for MonthlyRate {
    type Part = Option<f64>;

    fn to_part(stored: &Self::Stored) -> Self::Part {
        *stored
    }

    fn to_stored(part: &Self::Part, path: &str, faults: &mut Faults) -> Self::Stored {
        Self::check(*part, path, faults)
    }
}

impl PartFieldKind for NameList {
    type Part = Vec<String>;

    fn to_part(Texts(names): &Self::Stored) -> Self::Part {
        names.clone()
    }

    fn to_stored(part: &Self::Part, path: &str, faults: &mut Faults) -> Self::Stored {
        Self::check(part, path, faults)
    }
}

impl PartFieldKind for EvidenceItems {
    type Part = Vec<EvidenceItem>;

    fn to_part(stored: &Self::Stored) -> Self::Part {
        let items = stored.0.iter();
        items
            .map(|item| EvidenceItem {
                label: item.label.clone(),
                link: item.link.clone(),
            })
            .collect()
    }

    fn to_stored(part: &Self::Part, path: &str, faults: &mut Faults) -> Self::Stored {
        let items = part.iter();
        let items = items.map(|item| (&*item.label, item.link.as_deref()));
        Self::check(items, path, faults)
    }
}

/// Something that the customer holds or sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "evidence")]
pub struct EvidenceItem {
    /// What it is.
    pub label: String,
    /// Where to find it: an http or https address.
    #[serde(default)]
    pub link: Option<String>,
}

/// A value in a part, read with a bound, so that no document makes the server hold a longer list than the field may
/// have.
pub trait BoundedPartValue: Sized {
    /// Reads the value; of a list that is too long, one item too many is kept.
    fn read_bounded<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PatchField<Self>, D::Error>;
}

/// Reads a field of a part that may be absent; for `#[serde(deserialize_with = "read_bounded_field")]`.
pub(super) fn read_bounded_field<'de, V: BoundedPartValue, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<PatchField<V>, D::Error> {
    V::read_bounded(deserializer)
}

impl<V: for<'any> Deserialize<'any>> BoundedPartValue for Option<V> {
    fn read_bounded<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PatchField<Self>, D::Error> {
        PatchField::deserialize(deserializer)
    }
}

impl BoundedPartValue for Vec<String> {
    fn read_bounded<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PatchField<Self>, D::Error> {
        read_short_list(deserializer)
    }
}

impl BoundedPartValue for Vec<EvidenceItem> {
    fn read_bounded<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PatchField<Self>, D::Error> {
        read_short_object_list(deserializer)
    }
}

/// Values that need no bound.
macro_rules! single_values {
    ($($value:ty),*) => {
        $(impl BoundedPartValue for $value {
            fn read_bounded<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<PatchField<Self>, D::Error> {
                PatchField::deserialize(deserializer)
            }
        })*
    };
}

single_values!(bool, Usage, Basis);
