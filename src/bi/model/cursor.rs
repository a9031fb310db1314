//! Where a row stands in the order of its dataset: the key of a keyset page, and its text as an opaque cursor.

use chrono::{Datelike, NaiveDate};
use entity::id::MeasurementId;
use uuid::Uuid;

use super::dataset::{Dataset, KeyType};
use crate::{error::Result, page};

/// A place in the order of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey(pub(in crate::bi) Vec<RowKeyPart>);

/// One part of a place. What is empty in a row is the first of all ids in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::bi) enum RowKeyPart {
    Day(NaiveDate),
    Id(Uuid),
}

impl RowKey {
    /// The place as a cursor: opaque, and without any authority.
    #[must_use]
    pub fn encode(&self) -> String {
        let parts: Vec<Vec<u8>> = self
            .0
            .iter()
            .map(|part| match part {
                RowKeyPart::Day(day) => day.num_days_from_ce().to_be_bytes().to_vec(),
                RowKeyPart::Id(id) => id.as_bytes().to_vec(),
            })
            .collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        page::encode_cursor(&parts)
    }

    /// The place of a cursor that some earlier answer gave.
    pub fn decode(dataset: &Dataset, cursor: &str) -> Result<Self> {
        let bytes = page::decode_cursor(cursor)?;
        let mut rest = &bytes[..];
        let mut parts = Vec::new();
        for key in dataset.order {
            let part;
            (part, rest) = decode_part(key.of, rest).ok_or_else(page::invalid_cursor_error)?;
            parts.push(part);
        }
        match rest {
            [] => Ok(Self(parts)),
            _ => Err(page::invalid_cursor_error()),
        }
    }

    /// Its ids, in their order, without its day.
    pub(in crate::bi) fn ids(&self) -> Vec<Uuid> {
        let ids = self.0.iter().filter_map(|part| match part {
            RowKeyPart::Id(id) => Some(*id),
            RowKeyPart::Day(_) => None,
        });
        ids.collect()
    }

    /// Its day, where it begins with one.
    pub(in crate::bi) fn day(&self) -> Option<NaiveDate> {
        match self.0.first() {
            Some(RowKeyPart::Day(day)) => Some(*day),
            _ => None,
        }
    }

    /// The measurement whose row it is, where the dataset's rows are those of measurements.
    pub(in crate::bi) fn measurement(&self) -> Option<(NaiveDate, MeasurementId)> {
        Some((self.day()?, self.ids().first().copied()?.into()))
    }
}

/// Resume point of the keyset scan over (measured_on, id).
pub(in crate::bi) struct ResumePoint {
    pub day: NaiveDate,
    pub id: MeasurementId,
    /// Whether the measurement itself is read again, since it may have more rows.
    pub inclusive: bool,
}

impl ResumePoint {
    /// After one row of a measurement, which may have more.
    pub(in crate::bi) fn after_row(place: &RowKey) -> Option<Self> {
        let (day, id) = place.measurement()?;
        Some(Self {
            day,
            id,
            inclusive: true,
        })
    }

    /// After all rows of a measurement.
    pub(in crate::bi) fn after_measurement(day: NaiveDate, id: MeasurementId) -> Self {
        Self {
            day,
            id,
            inclusive: false,
        }
    }
}

fn decode_part(of: KeyType, bytes: &[u8]) -> Option<(RowKeyPart, &[u8])> {
    Some(match of {
        KeyType::Day => {
            let (day, rest) = bytes.split_first_chunk()?;
            let day = NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(*day))?;
            (RowKeyPart::Day(day), rest)
        }
        KeyType::Id => {
            let (id, rest) = bytes.split_first_chunk()?;
            (RowKeyPart::Id(Uuid::from_bytes(*id)), rest)
        }
    })
}

impl From<RowKeyPart> for sea_orm::Value {
    fn from(at: RowKeyPart) -> Self {
        match at {
            RowKeyPart::Day(day) => day.into(),
            RowKeyPart::Id(id) => id.into(),
        }
    }
}
