//! Bounded deserialisation of lists and days, so that no text makes the server hold more than its rows may be: of a
//! list that is too long one element too many is kept, an object is no list, and a day is spelled as in the API.

use std::{borrow::Cow, fmt, marker::PhantomData};

use chrono::{DateTime, NaiveDate, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::part::PatchField;
use crate::{
    input::LIST,
    scalar::{Date, parse_moment},
    scenario::MOST_STEPS,
};

/// A list that may be absent. Of one that is longer than it may be, one too many is kept, however long it is: that
/// is enough to refuse it.
#[derive(Clone, Debug)]
pub struct PatchList<T, const MOST: u64>(pub Option<Vec<T>>);

impl<T, const MOST: u64> Default for PatchList<T, MOST> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>, const MOST: u64> Deserialize<'de> for PatchList<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_objects_up_to(deserializer, MOST).map(|list| Self(Some(list)))
    }
}

impl<T: JsonSchema, const MOST: u64> JsonSchema for PatchList<T, MOST> {
    fn inline_schema() -> bool {
        Vec::<T>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        Vec::<T>::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(generator)
    }
}

/// A list inside a part.
pub(super) fn read_short_list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<PatchField<Vec<T>>, D::Error> {
    read_list_up_to(deserializer, LIST as u64).map(|list| PatchField(Some(list)))
}

/// A list of objects inside a part.
pub(super) fn read_short_object_list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<PatchField<Vec<T>>, D::Error> {
    read_objects_up_to(deserializer, LIST as u64).map(|list| PatchField(Some(list)))
}

/// The steps of a scenario.
pub(super) fn read_step_list<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<PatchField<Vec<T>>, D::Error> {
    read_list_up_to(deserializer, MOST_STEPS as u64).map(|list| PatchField(Some(list)))
}

fn read_list_up_to<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    most: u64,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(TruncatingListVisitor {
        most,
        of: PhantomData,
    })
}

/// Keeps the beginning of a list, and reads over the rest.
struct TruncatingListVisitor<T> {
    most: u64,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for TruncatingListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while list.len() as u64 <= self.most {
            match elements.next_element()? {
                Some(one) => list.push(one),
                None => return Ok(list),
            }
        }
        // Read to the end and forgotten: the reader has to stand after the list to go on with the rest of the
        // document.
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list)
    }
}

fn read_objects_up_to<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    most: u64,
) -> Result<Vec<T>, D::Error> {
    let list: Vec<ObjectOnly<T>> = read_list_up_to(deserializer, most)?;
    Ok(list.into_iter().map(|object| object.0).collect())
}

/// What is an object and nothing else: a derived reading would take a list of its values, too.
pub(super) struct ObjectOnly<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ObjectOnly<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = ObjectOnly<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<ObjectOnly<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(ObjectOnly)
    }
}

/// A day as the API spells it: chrono alone reads years that no database puts in order.
struct ApiDay(NaiveDate);

impl<'de> Deserialize<'de> for ApiDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let read = Date::from_iso(&text)
            .ok_or_else(|| D::Error::custom("This is not a day such as 2026-11-22"));
        read.map(|day| Self(day.into()))
    }
}

/// A day.
pub(super) fn read_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    ApiDay::deserialize(deserializer).map(|day| day.0)
}

/// A day, or none.
pub(super) fn read_day_or_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<NaiveDate>, D::Error> {
    Option::<ApiDay>::deserialize(deserializer).map(|day| day.map(|day| day.0))
}

/// A moment as the API spells it.
struct ApiMoment(DateTime<Utc>);

impl<'de> Deserialize<'de> for ApiMoment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let expected = "This is not a moment such as 2026-11-22T09:30:00Z";
        let read = parse_moment(&text).ok_or_else(|| D::Error::custom(expected));
        read.map(Self)
    }
}

/// A moment.
pub(super) fn read_moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<DateTime<Utc>, D::Error> {
    ApiMoment::deserialize(deserializer).map(|moment| moment.0)
}

/// A moment, or none.
pub(super) fn read_moment_or_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    Option::<ApiMoment>::deserialize(deserializer).map(|moment| moment.map(|moment| moment.0))
}

/// A day, or none, that may be absent.
pub(super) fn read_optional_day<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<PatchField<Option<NaiveDate>>, D::Error> {
    read_day_or_null(deserializer).map(|day| PatchField(Some(day)))
}
