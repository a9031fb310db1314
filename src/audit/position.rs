//! Positions in the audit log, and the events after one: what copies by changes are made from.
//!
//! The difficulty: two acts that run together commit in another order than their events were made, so an event can
//! become visible after a position at which somebody has read already. The solution rests on the ids, which begin with
//! the millisecond of their making, and on events being made last before the commit, so that they come late by moments
//! only:
//!
//! ```text
//! position = (newest = e7, recent = 3)      e5 e6 e7 were visible within the ten minutes up to e7
//! later the log reads                       e4 e5 e6 e7 e8: 4 events up to e7, so one of them came late
//! answer                                    e4 e5 e6 e7 e8 (all ten minutes again), instead of e8 alone
//! ```
//!
//! Nothing is missed; an event that is told twice does no harm, as readers fetch the rows as they are now.

use entity::{audit_event, id::AuditEventId};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::select_changing_events;
use crate::{database::Transaction, error::Result};

/// Longest time from the making of an event to its being visible, in milliseconds: ten minutes. Far more than the two
/// statements before its commit may take, and than the clocks of two servers are apart.
const LATE: u64 = 10 * 60 * 1_000;

/// A position in the log: everything up to it was visible to whoever holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// The id of the newest event; nil in an empty log.
    newest: Uuid,
    /// Number of visible events of the last [`LATE`] milliseconds up to it, itself included.
    recent: u32,
}

/// The events after a position.
pub enum EventsAfterResult {
    /// All of them in the order of their ids, and where one came late those of the last minutes before the position
    /// again.
    Events(Vec<audit_event::Model>),
    /// More than were asked for at the most.
    TooMuch,
    /// The position is not in this log: the database was restored, or events were removed.
    Unknown,
}

impl LogPosition {
    /// Length of its encoding.
    pub const BYTES: usize = 20;

    /// Encodes it: the newest id and the number, both big-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (newest, recent) = bytes.split_at_mut(16);
        newest.copy_from_slice(self.newest.as_bytes());
        recent.copy_from_slice(&self.recent.to_be_bytes());
        bytes
    }

    /// Decodes what [`LogPosition::to_bytes`] encoded.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let number = u128::from_be_bytes(std::array::from_fn(|at| bytes[at]));
        Self {
            newest: Uuid::from_u128(number),
            recent: u32::from_be_bytes(std::array::from_fn(|at| bytes[16 + at])),
        }
    }
}

/// The position of the newest visible event.
pub async fn current_position(tx: &Transaction) -> Result<LogPosition> {
    let newest = select_changing_events()
        .select_only()
        .column(audit_event::Column::Id)
        .order_by_desc(audit_event::Column::Id)
        .into_tuple::<AuditEventId>()
        .one(tx)
        .await?;
    let newest = newest.map_or(Uuid::nil(), |id| id.0);
    let recent = select_changing_events()
        .filter(audit_event::Column::Id.gte(lowest_late_event_id(newest)))
        .filter(audit_event::Column::Id.lte(newest))
        .count(tx)
        .await?;
    Ok(LogPosition {
        newest,
        recent: u32::try_from(recent).unwrap_or(u32::MAX),
    })
}

/// The events after a position, at most `most`.
pub async fn events_after(
    tx: &Transaction,
    place: LogPosition,
    most: u64,
) -> Result<EventsAfterResult> {
    let mut events = select_changing_events()
        .filter(audit_event::Column::Id.gte(lowest_late_event_id(place.newest)))
        .order_by_asc(audit_event::Column::Id)
        // One more than may be answered, which tells "as many" from "more".
        .limit(most + 1)
        .all(tx)
        .await?;
    if events.len() as u64 > most {
        return Ok(EventsAfterResult::TooMuch);
    }
    // Ids sort by the time of their making, and the list is in their order.
    let up_to_position = events.partition_point(|event| event.id.0 <= place.newest);
    let (known, last) = (
        up_to_position as u64,
        up_to_position.checked_sub(1).map(|at| events[at].id),
    );
    // Events never leave a log: with fewer of them, or without the newest, it is another log.
    if last.map_or(Uuid::nil(), |id| id.0) != place.newest || known < u64::from(place.recent) {
        return Ok(EventsAfterResult::Unknown);
    }
    // As many as then: nothing came late, and only what follows is new. With more, one came late, and as it is not
    // known which, all are answered.
    if known == u64::from(place.recent) {
        events.drain(..up_to_position);
    }
    Ok(EventsAfterResult::Events(events))
}

/// The least id that an event made [`LATE`] before this one could have: ids begin with the millisecond of their making.
fn lowest_late_event_id(id: Uuid) -> AuditEventId {
    let made = (id.as_u128() >> 80) as u64;
    AuditEventId(Uuid::from_u128(u128::from(made.saturating_sub(LATE)) << 80))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = LogPosition {
            newest: Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0007),
            recent: 3,
        };
        assert_eq!(LogPosition::from_bytes(place.to_bytes()), place);
        let before = lowest_late_event_id(place.newest).0.as_u128();
        assert_eq!(before, u128::from(0x0198_0000_0000_u64 - 600_000) << 80);
        assert_eq!(lowest_late_event_id(Uuid::nil()).0, Uuid::nil());
    }
}
