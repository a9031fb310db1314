//! Whether a text names a field of one object twice: a map of JSON would keep the last and lose the first.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

/// Anything in which no field is there twice.
pub(super) struct WithoutTwins;

impl<'de> Deserialize<'de> for WithoutTwins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TwinVisitor)
    }
}

struct TwinVisitor;

impl<'de> Visitor<'de> for TwinVisitor {
    type Value = WithoutTwins;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<WithoutTwins, A::Error> {
        let mut met = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            fields.next_value::<WithoutTwins>()?;
            if let Some(twin) = met.replace(name) {
                return Err(A::Error::custom(format_args!("duplicate field `{twin}`")));
            }
        }
        Ok(WithoutTwins)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<WithoutTwins, A::Error> {
        while items.next_element::<WithoutTwins>()?.is_some() {}
        Ok(WithoutTwins)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<WithoutTwins, E> {
        Ok(WithoutTwins)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<WithoutTwins, E> {
        Ok(WithoutTwins)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<WithoutTwins, E> {
        Ok(WithoutTwins)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<WithoutTwins, E> {
        Ok(WithoutTwins)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<WithoutTwins, E> {
        Ok(WithoutTwins)
    }

    fn visit_unit<E: Error>(self) -> Result<WithoutTwins, E> {
        Ok(WithoutTwins)
    }
}
