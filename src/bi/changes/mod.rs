//! Pulling again only what has changed. A pull says where it stood, as a mark; whoever sends that back is told every
//! measurement of which a row may have changed since, whole, and which of them have no row any more. What cannot be
//! told so is refused: a copy that is kept by marks is what a whole pull gives, or is known not to be.
//!
//! A mark is a place in the log of what was done, and what the caller's scope came to. An instant would not do: acts
//! that are committed later than they began would be missed, and so would rows that somebody may see, or no longer may.

mod change_set;
mod measurements;
mod stream;

use entity::{blueprint, kpi};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select, sea_query::ExprTrait,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::change_set::ChangeSet;
pub(super) use self::stream::rows;
use super::{
    model::query::{ChangedMeasurements, DatasetQuery},
    scope::Scope,
};
use crate::{
    access::{self, Caller, Guarded, scope},
    audit::position::{self, Done, Position},
    database::Transaction,
    error::{Error, Result},
    page,
    policy::Action,
};

/// Most acts that are looked through.
const MOST_ACTS: u64 = 20_000;
/// Most measurements that are told anew: beyond that, all of them are as good.
const MOST_CHANGED: u64 = 500_000;
/// How many bytes of what a scope came to are kept: enough that two are never the same by chance.
const SEEN: usize = 16;

/// Where a pull stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncToken {
    place: Position,
    seen: [u8; SEEN],
}

impl SyncToken {
    /// The mark as text: opaque, and without any authority.
    #[must_use]
    pub fn text(&self) -> String {
        page::encode(&[&self.place.bytes(), &self.seen])
    }

    /// The mark that some earlier answer gave.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = page::decode(text).ok()?;
        let (place, seen) = bytes.split_first_chunk()?;
        Some(Self {
            place: Position::of(*place),
            seen: seen.try_into().ok()?,
        })
    }
}

/// Where a pull in this snapshot stands.
pub async fn mark(caller: &Caller, tx: &Transaction) -> Result<SyncToken> {
    Ok(SyncToken {
        place: position::position(tx).await?,
        seen: scope_fingerprint(caller, tx).await?,
    })
}

/// The measurements that a question is about and of which a row may have changed since an earlier pull stood at its
/// mark, those without any row among them. Refused where that cannot be told.
pub async fn changed(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
    earlier: SyncToken,
) -> Result<ChangedMeasurements> {
    if scope_fingerprint(caller, tx).await? != earlier.seen {
        return Err(Error::PullAgain("What you may see has changed since."));
    }
    let events = match position::done_behind(tx, earlier.place, MOST_ACTS).await? {
        Done::Events(events) => events,
        Done::TooMuch => return Err(Error::PullAgain("Too much has been done since.")),
        Done::Unknown => return Err(Error::PullAgain("This server knows of no such pull.")),
    };
    let reasons = ChangeSet::of(&events, query.uncounted)
        .ok_or(Error::PullAgain("What an import changed is not told."))?;
    let changed = measurements::of(caller, tx, query, &reasons, MOST_CHANGED + 1).await?;
    if changed.len() as u64 > MOST_CHANGED {
        return Err(Error::PullAgain("Too much has changed since."));
    }
    Ok(changed.into())
}

/// What decides which rows somebody sees, besides what is in them: the days as the deployment counts them, and what
/// their scope comes to. Taken are the exceptions, so that what is new to everybody changes nothing: KPIs whose values
/// they may not see, and blueprints that they may not read although they are in force, or may although they are not.
async fn scope_fingerprint(caller: &Caller, tx: &Transaction) -> Result<[u8; SEEN]> {
    let scope = Scope::of(caller, tx.get_database_backend());
    let kpis = match scope.valued_kpis() {
        Some(valued) => {
            let hidden = kpi::Column::Id.not_in_subquery(valued);
            ids_of::<kpi::Entity>(tx, Condition::all().add(hidden)).await?
        }
        None => Vec::new(),
    };
    let blueprints = match scope.seen_ids::<blueprint::Entity>() {
        Some(readable) => {
            let id = blueprint::Column::Id;
            let in_force = ids::<blueprint::Entity>(scope::in_force()).into_query();
            let hidden = id.not_in_subquery(readable.clone());
            let not_in_force = id.not_in_subquery(in_force.clone());
            let exceptions = Condition::any()
                .add(id.in_subquery(in_force).and(hidden))
                .add(id.in_subquery(readable).and(not_in_force));
            ids_of::<blueprint::Entity>(tx, exceptions).await?
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
    let hash = Sha256::digest(format!("{decisive:?}"));
    Ok(std::array::from_fn(|at| hash[at]))
}

fn ids<E: Guarded>(which: Condition) -> Select<E> {
    E::find().select_only().column(E::id_column()).filter(which)
}

async fn ids_of<E: Guarded>(tx: &Transaction, which: Condition) -> Result<Vec<Uuid>> {
    let ids = ids::<E>(which).order_by_asc(E::id_column());
    Ok(ids.into_tuple().all(tx).await?)
}
