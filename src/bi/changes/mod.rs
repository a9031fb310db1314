//! Incremental pulls: the rows of measurements that may have changed since an earlier pull.
//!
//! Every pull of a dataset of measurements ends with a [`SyncToken`]: a position in the audit log, and a fingerprint of
//! the caller's scope. A client that sends it back gets, for each measurement of which a row **may** have changed, all
//! its rows, or a tombstone where it has none any more; it replaces its copies by them. The copy then equals a whole
//! pull, or the pull is refused with PULL_AGAIN:
//!
//! ```text
//! 1. fingerprint of the scope differs    → refused: rows may have come and gone without an event
//! 2. events of the log since the token   → ChangedEntities: KPIs, links, touchpoints, … whose rows may differ
//! 3. ChangedEntities                     → measurements, found by indexes; wider than the truth, never narrower
//! 4. their rows, with tombstones between → sent like any other pull
//! ```
//!
//! A position and not a time: transactions commit in another order than they began in, so that a row written before the
//! token's time could become visible after it, and would never be sent. And a time says nothing of rights: rows that
//! the caller came to see, or no longer sees, have no event of their own.

mod change_set;
mod measurements;
mod stream;

use entity::{blueprint, kpi};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, QueryOrder, QueryTrait, sea_query::ExprTrait,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::change_set::ChangedEntities;
pub(super) use self::stream::send_changed_rows;
use super::{
    model::query::{ChangedMeasurements, DatasetQuery},
    scope::{ReaderScope, select_ids_where},
};
use crate::{
    access::{self, Caller, Guarded, scope},
    audit::position::{self, EventsAfterResult, LogPosition},
    database::Transaction,
    error::{Error, Result},
    page,
    policy::Action,
};

/// Most events that are read.
const MOST_EVENTS: u64 = 20_000;
/// Most measurements that are sent again: beyond that, a whole pull is as good.
const MOST_CHANGED: u64 = 500_000;
/// Bytes of a fingerprint: enough that two scopes never share one by chance.
const FINGERPRINT: usize = 16;

/// What a pull ends with and the next one begins at: a position in the audit log and a fingerprint of the scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncToken {
    place: LogPosition,
    scope: [u8; FINGERPRINT],
}

impl SyncToken {
    /// The token as text. It is opaque and gives no authority: the scope is computed anew.
    #[must_use]
    pub fn encode(&self) -> String {
        page::encode_cursor(&[&self.place.to_bytes(), &self.scope])
    }

    /// Reads the token of an earlier answer; none where the text is not one.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = page::decode_cursor(text).ok()?;
        let (place, scope) = bytes.split_first_chunk()?;
        Some(Self {
            place: LogPosition::from_bytes(*place),
            scope: scope.try_into().ok()?,
        })
    }
}

/// The token of a pull in this snapshot.
pub async fn current_sync_token(caller: &Caller, tx: &Transaction) -> Result<SyncToken> {
    Ok(SyncToken {
        place: position::current_position(tx).await?,
        scope: scope_fingerprint(caller, tx).await?,
    })
}

/// The measurements that the query selects and of which a row may have changed since a token, also those without any
/// row now; by day and then by id.
///
/// # Errors
/// `PullAgain` where the changes cannot be known, or are too many.
pub async fn find_measurements_changed_since(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
    earlier: SyncToken,
) -> Result<ChangedMeasurements> {
    // First, since nothing that follows can be right under another scope.
    if scope_fingerprint(caller, tx).await? != earlier.scope {
        return Err(Error::PullAgain("Your permissions have changed since."));
    }
    let events = match position::events_after(tx, earlier.place, MOST_EVENTS).await? {
        EventsAfterResult::Events(events) => events,
        EventsAfterResult::TooMuch => {
            return Err(Error::PullAgain("Too much has been done since."));
        }
        EventsAfterResult::Unknown => {
            return Err(Error::PullAgain("This server knows of no such pull."));
        }
    };
    let changes = ChangedEntities::from_events(&events, query.include_drafts)
        .ok_or(Error::PullAgain("A document was imported."))?;
    // One more than may be sent, so that "exactly as many" and "too many" differ.
    let changed =
        measurements::find_changed_measurements(caller, tx, query, &changes, MOST_CHANGED + 1)
            .await?;
    if changed.len() as u64 > MOST_CHANGED {
        return Err(Error::PullAgain("Too much has changed since."));
    }
    Ok(changed.into())
}

/// A hash of everything but the rows themselves that decides which rows the caller sees: rules, time zone, reach, and
/// the exceptions of their scope. Only exceptions, so that a KPI or a blueprint which is new to everybody changes
/// nothing: KPIs whose values they may not see, blueprints in force that they may not read, others that they may.
async fn scope_fingerprint(caller: &Caller, tx: &Transaction) -> Result<[u8; FINGERPRINT]> {
    let scope = ReaderScope::for_caller(caller, tx.get_database_backend());
    let kpis = match scope.select_visible_value_kpi_ids() {
        Some(valued) => {
            let hidden = kpi::Column::Id.not_in_subquery(valued);
            load_ids_where::<kpi::Entity>(tx, Condition::all().add(hidden)).await?
        }
        None => Vec::new(),
    };
    let blueprints = match scope.select_visible_ids::<blueprint::Entity>() {
        Some(readable) => {
            let id = blueprint::Column::Id;
            let in_force =
                select_ids_where::<blueprint::Entity>(scope::published_blueprints_condition())
                    .into_query();
            let hidden = id.not_in_subquery(readable.clone());
            let not_in_force = id.not_in_subquery(in_force.clone());
            let exceptions = Condition::any()
                .add(id.in_subquery(in_force).and(hidden))
                .add(id.in_subquery(readable).and(not_in_force));
            load_ids_where::<blueprint::Entity>(tx, exceptions).await?
        }
        None => Vec::new(),
    };
    let decisive = (
        env!("CARGO_PKG_VERSION"),
        access::RULES,
        caller.zone(),
        caller.reach(Action::PullFlatRows),
        kpis,
        blueprints,
    );
    // The `Debug` text as it is: its form may change with a release, whose version is part of it anyway; then
    // everybody pulls once anew.
    let hash = Sha256::digest(format!("{decisive:?}"));
    Ok(std::array::from_fn(|at| hash[at]))
}

async fn load_ids_where<E: Guarded>(tx: &Transaction, which: Condition) -> Result<Vec<Uuid>> {
    let ids = select_ids_where::<E>(which).order_by_asc(E::id_column());
    Ok(ids.into_tuple().all(tx).await?)
}
