//! The brake on guessing: failed tries are counted for the account that was named and for the network they come
//! from, and after too many of them the next try has to wait. Kept in the database, so that it holds across servers.

use std::{
    cmp::Ordering,
    net::{IpAddr, Ipv6Addr},
};

use chrono::{DateTime, Duration, Utc};
use entity::sign_in_throttle;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{Expr, LockType, OnConflict},
};
use sha2::{Digest, Sha256};

use crate::{
    database::{Store, Transaction},
    error::{Error, Result},
};

/// The longest wait.
const LONGEST: Duration = Duration::minutes(15);
/// After so long, what was counted is not kept any more.
const KEPT: Duration = Duration::days(2);

/// How much may fail before one has to wait, and how fast a failure is forgotten.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    failures: i32,
    forgets_one_in: Duration,
}

const OF_ACCOUNT: Allowance = Allowance {
    failures: 5,
    forgets_one_in: Duration::hours(1),
};
// Behind one address there may be a whole office.
const OF_NETWORK: Allowance = Allowance {
    failures: 30,
    forgets_one_in: Duration::minutes(1),
};

impl Allowance {
    /// How long the next try waits after so many failures: 1 second at the last allowed one, doubling.
    fn delay(self, failures: i32) -> Duration {
        match failures.cmp(&self.failures) {
            Ordering::Less => Duration::zero(),
            _ => {
                let doublings = u32::try_from(failures - self.failures).unwrap_or(0).min(16);
                Duration::seconds(1 << doublings).min(LONGEST)
            }
        }
    }

    /// How many failures count after one more.
    fn counted(self, before: i32, since: Duration) -> i32 {
        let forgotten = since.num_seconds() / self.forgets_one_in.num_seconds().max(1);
        let forgotten = i32::try_from(forgotten.max(0)).unwrap_or(i32::MAX);
        // Beyond the longest wait there is nothing to count.
        before
            .saturating_sub(forgotten)
            .max(0)
            .saturating_add(1)
            .min(self.failures + 10)
    }
}

/// What tries are counted for.
#[derive(Clone, Debug)]
pub struct Subject {
    hash: Vec<u8>,
    allowance: Allowance,
}

impl Subject {
    /// The account with this key, whether there is one or not.
    #[must_use]
    pub fn account(key: &str) -> Self {
        Self {
            hash: hash("account", key.trim().to_lowercase().as_bytes()),
            allowance: OF_ACCOUNT,
        }
    }

    /// The network that an address lies in: what one customer of a provider usually gets.
    #[must_use]
    pub fn network(address: IpAddr) -> Self {
        let network = match address.to_canonical() {
            IpAddr::V4(v4) => v4.octets()[..3].to_vec(),
            IpAddr::V6(v6) => Ipv6Addr::octets(&v6)[..7].to_vec(),
        };
        Self {
            hash: hash("network", &network),
            allowance: OF_NETWORK,
        }
    }
}

fn hash(kind: &str, what: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(kind);
    hash.update([0]);
    hash.update(what);
    hash.finalize().to_vec()
}

/// Refuses a try that has to wait.
pub async fn check<C: ConnectionTrait>(
    db: &C,
    subjects: &[Subject],
    now: DateTime<Utc>,
) -> Result<()> {
    let hashes = subjects.iter().map(|subject| subject.hash.clone());
    let waits = sign_in_throttle::Entity::find()
        .filter(sign_in_throttle::Column::Subject.is_in(hashes))
        .filter(sign_in_throttle::Column::BlockedUntil.gt(now))
        .order_by_desc(sign_in_throttle::Column::BlockedUntil)
        .one(db)
        .await?;
    match waits {
        None => Ok(()),
        Some(row) => {
            let left = (row.blocked_until - now).num_milliseconds().max(1);
            Err(Error::RateLimited {
                retry_after: left.unsigned_abs().div_ceil(1_000),
            })
        }
    }
}

/// Counts a failed try. Accounts come before networks, so that two tries never wait for each other.
pub async fn failed(tx: &Transaction, subjects: &[Subject], now: DateTime<Utc>) -> Result<()> {
    for subject in subjects {
        let fresh = sign_in_throttle::ActiveModel {
            subject: Set(subject.hash.clone()),
            failures: Set(0),
            last_failed_at: Set(now),
            blocked_until: Set(now),
        };
        sign_in_throttle::Entity::insert_many([fresh])
            .on_conflict(
                OnConflict::column(sign_in_throttle::Column::Subject)
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(tx)
            .await?;
        let row = sign_in_throttle::Entity::find_by_id(subject.hash.clone())
            .lock(LockType::Update)
            .one(tx)
            .await?;
        let row = row.ok_or_else(|| Error::internal("a row just made is not there"))?;
        let failures = subject
            .allowance
            .counted(row.failures, now - row.last_failed_at);
        sign_in_throttle::Entity::update_many()
            .col_expr(sign_in_throttle::Column::Failures, Expr::value(failures))
            .col_expr(sign_in_throttle::Column::LastFailedAt, Expr::value(now))
            .col_expr(
                sign_in_throttle::Column::BlockedUntil,
                Expr::value(now + subject.allowance.delay(failures)),
            )
            .filter(sign_in_throttle::Column::Subject.eq(subject.hash.clone()))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Forgets what was counted for an account: somebody knew its password.
pub async fn clear(tx: &Transaction, account: &Subject) -> Result<()> {
    sign_in_throttle::Entity::delete_by_id(account.hash.clone())
        .exec(tx)
        .await?;
    Ok(())
}

/// Drops what nobody has failed at for days. Tidying up never fails a sign-in.
pub async fn tidy(store: &Store, now: DateTime<Utc>) {
    let old = sign_in_throttle::Entity::delete_many()
        .filter(sign_in_throttle::Column::LastFailedAt.lt(now - KEPT))
        .exec(store.writer())
        .await;
    if let Err(error) = old {
        tracing::warn!(%error, "old failed sign-ins could not be dropped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_a_second_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (4..18)
            .map(|failures| OF_ACCOUNT.delay(failures).num_seconds())
            .collect();
        assert_eq!(
            waits,
            [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
        );
        assert_eq!(OF_NETWORK.delay(29), Duration::zero());
        assert_eq!(OF_NETWORK.delay(30), Duration::seconds(1));
        assert_eq!(OF_NETWORK.delay(i32::MAX), LONGEST);
    }

    #[test]
    fn failures_are_forgotten_one_by_one() {
        assert_eq!(OF_ACCOUNT.counted(0, Duration::zero()), 1);
        assert_eq!(OF_ACCOUNT.counted(5, Duration::minutes(59)), 6);
        assert_eq!(OF_ACCOUNT.counted(5, Duration::minutes(121)), 4);
        assert_eq!(OF_ACCOUNT.counted(5, Duration::days(9)), 1);
        assert_eq!(OF_ACCOUNT.counted(5, Duration::seconds(-9)), 6);
        assert_eq!(OF_ACCOUNT.counted(i32::MAX, Duration::zero()), 15);
    }

    #[test]
    fn neighbours_in_a_network_are_counted_together() {
        let of = |address: &str| Subject::network(address.parse().expect("an address")).hash;
        assert_eq!(of("192.0.2.1"), of("192.0.2.200"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:1:200::1"), of("2001:db8:1:2ff::9"));
        assert_ne!(of("2001:db8:1:200::1"), of("2001:db8:1:300::1"));
    }

    #[test]
    fn a_key_is_counted_however_it_is_typed() {
        assert_eq!(
            Subject::account(" Ann-CX ").hash,
            Subject::account("ann-cx").hash
        );
        assert_ne!(Subject::account("ann").hash, Subject::account("bo").hash);
    }
}
