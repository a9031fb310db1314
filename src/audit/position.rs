//! A place in the log of what was done, and what was done behind it.
//!
//! An event is made as the last thing before its act is committed, so the ids of events come in the order in which acts
//! are seen, but for those that were under way together. Whoever stood at the newest event counts those of the last
//! minutes before it: where there are more of them later, one came late, and all of those minutes are told again. So
//! nothing is missed, and what is told twice does no harm.

use entity::{audit_event, id::AuditEventId};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::done;
use crate::{database::Transaction, error::Result};

/// How long after an event was made it may come to be seen, in milliseconds: far more than the two statements behind
/// which it is committed may take, and than the clocks of two servers are apart.
const LATE: u64 = 10 * 60 * 1_000;

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The newest event; nil where there is none.
    newest: Uuid,
    /// How many were made in the last minutes up to it.
    recent: u32,
}

/// What was done behind a place.
pub enum Done {
    /// These, and perhaps a few before it.
    Events(Vec<audit_event::Model>),
    /// More than are told.
    TooMuch,
    /// The place is not in this log.
    Unknown,
}

impl Position {
    /// How many bytes it has.
    pub const BYTES: usize = 20;

    /// Its bytes.
    #[must_use]
    pub fn bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (newest, recent) = bytes.split_at_mut(16);
        newest.copy_from_slice(self.newest.as_bytes());
        recent.copy_from_slice(&self.recent.to_be_bytes());
        bytes
    }

    /// The place with these bytes.
    #[must_use]
    pub fn of(bytes: [u8; Self::BYTES]) -> Self {
        let number = u128::from_be_bytes(std::array::from_fn(|at| bytes[at]));
        Self {
            newest: Uuid::from_u128(number),
            recent: u32::from_be_bytes(std::array::from_fn(|at| bytes[16 + at])),
        }
    }
}

/// Where the log stands.
pub async fn position(tx: &Transaction) -> Result<Position> {
    let newest = done()
        .select_only()
        .column(audit_event::Column::Id)
        .order_by_desc(audit_event::Column::Id)
        .into_tuple::<AuditEventId>()
        .one(tx)
        .await?;
    let newest = newest.map_or(Uuid::nil(), |id| id.0);
    let recent = done()
        .filter(audit_event::Column::Id.gte(minutes_before(newest)))
        .filter(audit_event::Column::Id.lte(newest))
        .count(tx)
        .await?;
    Ok(Position {
        newest,
        recent: u32::try_from(recent).unwrap_or(u32::MAX),
    })
}

/// What was done behind a place, if it is not more than so many acts.
pub async fn done_behind(tx: &Transaction, place: Position, most: u64) -> Result<Done> {
    let mut events = done()
        .filter(audit_event::Column::Id.gte(minutes_before(place.newest)))
        .order_by_asc(audit_event::Column::Id)
        .limit(most + 1)
        .all(tx)
        .await?;
    if events.len() as u64 > most {
        return Ok(Done::TooMuch);
    }
    let behind = events.partition_point(|event| event.id.0 <= place.newest);
    let (known, last) = (behind as u64, behind.checked_sub(1).map(|at| events[at].id));
    if last.map_or(Uuid::nil(), |id| id.0) != place.newest || known < u64::from(place.recent) {
        return Ok(Done::Unknown);
    }
    if known == u64::from(place.recent) {
        events.drain(..behind);
    }
    Ok(Done::Events(events))
}

/// The least id of an event of the last minutes up to this one: the ids begin with the milliseconds of their making.
fn minutes_before(id: Uuid) -> AuditEventId {
    let made = (id.as_u128() >> 80) as u64;
    AuditEventId(Uuid::from_u128(u128::from(made.saturating_sub(LATE)) << 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Position {
            newest: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0007),
            recent: 3,
        };
        assert_eq!(Position::of(place.bytes()), place);
        let before = minutes_before(place.newest).0.as_u128();
        assert_eq!(before, u128::from(0x0198_0000_0000_u64 - 600_000) << 80);
        assert_eq!(minutes_before(Uuid::nil()).0, Uuid::nil());
    }
}
