//! The throttle of sign-ins: failures are counted for the account that was named and for the network they come from,
//! and after too many the next attempt has to wait: 1, 2, 4 … seconds, up to a quarter of an hour. Counts are in the
//! database, so that the throttle holds across servers and restarts.
//!
//! Two things would otherwise let anybody lock others out, and are told apart:
//!
//! - **An origin**, a network from which this account has signed in before, is judged by what failed there for this
//!   account alone. Whoever guesses elsewhere, or for others, keeps nobody out of their own office.
//! - **A repeated guess**, the same wrong password for the same account from the same network, tells whoever sends it
//!   nothing new. It counts the first time; after that only for itself, so that one job with an old password waits
//!   alone. What is remembered of it are 12 bits of a keyed hash: with the database and the secret, one of 4,096
//!   passwords would still pass for it, and a new guess passes for a repeated one that rarely.
//!
//! The bound within a day (a test computes it): 109 guesses at one account from all networks that are not its origins,
//! 39 more from each of its origins, of which there are ten at the most; 1,385 from one network at accounts of which it
//! is no origin.

use std::{
    cmp::Ordering,
    net::{IpAddr, Ipv6Addr},
};

use chrono::{DateTime, Duration, Utc};
use entity::{
    id::{AccountId, SessionId},
    sign_in_origin, sign_in_throttle,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Set,
    sea_query::{Expr, LockType, OnConflict},
};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::{
    database::{Store, Transaction},
    error::{Error, Result},
    token::SigningKey,
};

/// How long failures are kept.
const KEPT: Duration = Duration::days(2);
/// How long an origin stays one without a sign-in.
const ORIGIN_KEPT: Duration = Duration::days(90);
/// Most origins of one account.
const ORIGINS: u64 = 10;
/// Bits that are stored of the keyed hash of a wrong password. More would let a thief of the database test guesses.
const FINGERPRINT: u16 = 12;

/// The failures allowed before an attempt has to wait, and the rate at which they are forgotten.
#[derive(Clone, Copy, Debug)]
struct FailureAllowance {
    failures: i32,
    forgets_one_in: Duration,
    /// The longest wait.
    longest: Duration,
}

const OF_ACCOUNT: FailureAllowance = FailureAllowance {
    failures: 5,
    forgets_one_in: Duration::hours(1),
    longest: Duration::minutes(15),
};
// Longer waits than for the account: each origin has its own.
const OF_ORIGIN: FailureAllowance = FailureAllowance {
    failures: 5,
    forgets_one_in: Duration::hours(1),
    longest: Duration::hours(1),
};
// Behind one address there may be a whole office.
const OF_NETWORK: FailureAllowance = FailureAllowance {
    failures: 30,
    forgets_one_in: Duration::minutes(1),
    longest: Duration::minutes(15),
};

impl FailureAllowance {
    /// The wait of the next attempt: 1 second after the last failure allowed, doubling with each further one.
    fn wait_before_next_attempt(self, failures: i32) -> Duration {
        match failures.cmp(&self.failures) {
            Ordering::Less => Duration::zero(),
            _ => {
                // Bounded before the shift, which would overflow; 2¹⁶ seconds are longer than any longest wait.
                let doublings = u32::try_from(failures - self.failures).unwrap_or(0).min(16);
                Duration::seconds(1 << doublings).min(self.longest)
            }
        }
    }

    /// Number of failures that count after one more, `since` the last: one is forgotten in each `forgets_one_in`.
    fn count_after_another_failure(self, before: i32, since: Duration) -> i32 {
        // Whole ones alone: `last_failed_at` moves with each failure, so that trying all the time forgets nothing.
        let forgotten = since.num_seconds() / self.forgets_one_in.num_seconds().max(1);
        let forgotten = i32::try_from(forgotten.max(0)).unwrap_or(i32::MAX);
        // Not beyond the longest wait: 2¹² seconds are more than an hour, the longest there is.
        before
            .saturating_sub(forgotten)
            .max(0)
            .saturating_add(1)
            .min(self.failures + 12)
    }
}

/// A subject for which failures are counted, known by a hash only.
#[derive(Clone, Debug)]
struct ThrottleSubject {
    hash: Vec<u8>,
    allowance: FailureAllowance,
}

impl ThrottleSubject {
    /// The account with this key, whether there is one or not.
    fn account(key: &str) -> Self {
        Self {
            hash: hash_subject("account", normalise_login_key(key).as_bytes()),
            allowance: OF_ACCOUNT,
        }
    }

    fn network(network: &[u8]) -> Self {
        Self {
            hash: hash_subject("network", network),
            allowance: OF_NETWORK,
        }
    }

    fn origin(origin: &[u8]) -> Self {
        Self {
            hash: hash_subject("origin", origin),
            allowance: OF_ORIGIN,
        }
    }

    fn guess(fingerprint: &[u8]) -> Self {
        Self {
            hash: hash_subject("guess", fingerprint),
            allowance: OF_ACCOUNT,
        }
    }

    /// The session in which somebody says their present password. Whoever guesses it holds a stolen token, and keeps
    /// its owner out of nothing.
    fn session(session: SessionId) -> Self {
        Self {
            hash: hash_subject("session", session.0.as_bytes()),
            allowance: OF_ACCOUNT,
        }
    }
}

/// A key in the spelling that is counted, however it was typed.
fn normalise_login_key(key: &str) -> String {
    key.trim().to_lowercase()
}

/// The network of an address, a /24 or a /56: what one customer of a provider usually gets. By single addresses,
/// whoever has a /64 would have 2^64 attempts.
fn network_bytes(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets()[..3].to_vec(),
        IpAddr::V6(v6) => Ipv6Addr::octets(&v6)[..7].to_vec(),
    }
}

/// An attempt with a password, as the subjects for which it is counted.
#[derive(Clone, Debug)]
pub struct CountedSignInAttempt {
    account: ThrottleSubject,
    network: ThrottleSubject,
    /// The account in this network.
    origin: ThrottleSubject,
    /// The hash under which the origin is stored.
    origin_hash: Vec<u8>,
    /// This password for the account in this network.
    itself: ThrottleSubject,
}

impl CountedSignInAttempt {
    /// An attempt with this password from this address at an account, whether one with this key exists or not.
    pub fn new(key: &SigningKey, login: &str, address: IpAddr, password: &str) -> Result<Self> {
        let (login, network) = (normalise_login_key(login), network_bytes(address));
        let origin = key.keyed_hash("sign-in origin", &[login.as_bytes(), &network])?;
        // Keyed by account and network as well: the same password elsewhere has another fingerprint, and the table
        // shows no two accounts with one.
        let said = [login.as_bytes(), &network, password.as_bytes()];
        let guess = key.keyed_hash("sign-in guess", &said)?;
        let fingerprint = u16::from_be_bytes([guess[0], guess[1]]) >> (16 - FINGERPRINT);
        let itself = [&origin[..], &fingerprint.to_be_bytes()].concat();
        Ok(Self {
            account: ThrottleSubject::account(&login),
            network: ThrottleSubject::network(&network),
            origin: ThrottleSubject::origin(&origin),
            origin_hash: origin.to_vec(),
            itself: ThrottleSubject::guess(&itself),
        })
    }

    /// Refuses an attempt that has to wait. The same statements run whether the account exists or not.
    ///
    /// # Errors
    /// `RateLimited`, with the seconds to wait.
    pub async fn refuse_if_throttled<C: ConnectionTrait>(
        &self,
        db: &C,
        now: DateTime<Utc>,
    ) -> Result<()> {
        match self.is_from_known_origin(db, now).await? {
            true => refuse_throttled_subjects(db, &[&self.origin, &self.itself], now).await,
            false => {
                refuse_throttled_subjects(db, &[&self.account, &self.network, &self.itself], now)
                    .await
            }
        }
    }

    async fn is_from_known_origin<C: ConnectionTrait>(
        &self,
        db: &C,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let known = sign_in_origin::Entity::find_by_id(self.origin_hash.clone())
            .filter(sign_in_origin::Column::LastUsedAt.gt(now - ORIGIN_KEPT))
            .count(db)
            .await?;
        Ok(known > 0)
    }

    /// Counts a failed attempt. Accounts are locked before networks, so that two attempts never deadlock.
    pub async fn note_failure(&self, tx: &Transaction, now: DateTime<Utc>) -> Result<()> {
        // Seen before: it has counted for the others once.
        if add_failure_and_count_earlier(tx, &self.itself, now).await? > 0 {
            return Ok(());
        }
        // The origin is counted wherever it failed: should the network become one, its failures are known.
        for subject in [&self.account, &self.origin, &self.network] {
            add_failure_and_count_earlier(tx, subject, now).await?;
        }
        Ok(())
    }

    /// Notes that the password was right: the network becomes an origin of the account. Forgets only the count that the
    /// attempt was judged by: at an origin the origin's, elsewhere the account's. So whoever guesses elsewhere gains
    /// nothing when the owner signs in at the office.
    pub async fn record_success_and_forget_failures(
        &self,
        tx: &Transaction,
        account: AccountId,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let counted = match self.is_from_known_origin(tx, now).await? {
            true => &self.origin,
            false => &self.account,
        };
        sign_in_throttle::Entity::delete_by_id(counted.hash.clone())
            .exec(tx)
            .await?;
        let origin = sign_in_origin::ActiveModel {
            hash: Set(self.origin_hash.clone()),
            account_id: Set(account),
            last_used_at: Set(now),
        };
        let renewed = [
            sign_in_origin::Column::AccountId,
            sign_in_origin::Column::LastUsedAt,
        ];
        sign_in_origin::Entity::insert(origin)
            .on_conflict(
                OnConflict::column(sign_in_origin::Column::Hash)
                    .update_columns(renewed)
                    .to_owned(),
            )
            .exec_without_returning(tx)
            .await?;
        drop_oldest_origins(tx, account).await
    }
}

async fn drop_oldest_origins(tx: &Transaction, account: AccountId) -> Result<()> {
    let newest = sign_in_origin::Entity::find()
        .select_only()
        .column(sign_in_origin::Column::Hash)
        .filter(sign_in_origin::Column::AccountId.eq(account))
        .order_by_desc(sign_in_origin::Column::LastUsedAt)
        .order_by_asc(sign_in_origin::Column::Hash)
        .limit(ORIGINS)
        .into_query();
    sign_in_origin::Entity::delete_many()
        .filter(sign_in_origin::Column::AccountId.eq(account))
        .filter(sign_in_origin::Column::Hash.not_in_subquery(newest))
        .exec(tx)
        .await?;
    Ok(())
}

/// The throttle of guessing the present password from inside a session.
#[derive(Clone, Debug)]
pub struct SessionPasswordThrottle(ThrottleSubject);

impl SessionPasswordThrottle {
    /// An attempt in this session.
    #[must_use]
    pub fn new(session: SessionId) -> Self {
        Self(ThrottleSubject::session(session))
    }

    /// Refuses an attempt that has to wait.
    pub async fn refuse_if_throttled<C: ConnectionTrait>(
        &self,
        db: &C,
        now: DateTime<Utc>,
    ) -> Result<()> {
        refuse_throttled_subjects(db, &[&self.0], now).await
    }

    /// Counts a failed attempt.
    pub async fn note_failure(&self, tx: &Transaction, now: DateTime<Utc>) -> Result<()> {
        add_failure_and_count_earlier(tx, &self.0, now).await?;
        Ok(())
    }
}

fn hash_subject(kind: &str, what: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(kind);
    hash.update([0]);
    hash.update(what);
    hash.finalize().to_vec()
}

async fn refuse_throttled_subjects<C: ConnectionTrait>(
    db: &C,
    subjects: &[&ThrottleSubject],
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
                // Rounded up: whoever comes back when they were told must not be early.
                retry_after: left.unsigned_abs().div_ceil(1_000),
            })
        }
    }
}

/// Counts a failure, under the lock of the subject's row, and returns the number of earlier ones that are still kept.
async fn add_failure_and_count_earlier(
    tx: &Transaction,
    subject: &ThrottleSubject,
    now: DateTime<Utc>,
) -> Result<i32> {
    let fresh = sign_in_throttle::ActiveModel {
        subject: Set(subject.hash.clone()),
        failures: Set(0),
        last_failed_at: Set(now),
        blocked_until: Set(now),
    };
    // Inserted first and then locked: SELECT … FOR UPDATE locks no row that is not there, so that two first failures
    // would both find none.
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
    let since = now - row.last_failed_at;
    let before = if since < KEPT { row.failures } else { 0 };
    let failures = subject.allowance.count_after_another_failure(before, since);
    sign_in_throttle::Entity::update_many()
        .col_expr(sign_in_throttle::Column::Failures, Expr::value(failures))
        .col_expr(sign_in_throttle::Column::LastFailedAt, Expr::value(now))
        .col_expr(
            sign_in_throttle::Column::BlockedUntil,
            Expr::value(now + subject.allowance.wait_before_next_attempt(failures)),
        )
        .filter(sign_in_throttle::Column::Subject.eq(subject.hash.clone()))
        .exec(tx)
        .await?;
    Ok(before)
}

/// Forgets the failures and the origins of an account that has a new password: nothing guessed before helps.
pub async fn forget_failures(tx: &Transaction, account: AccountId, key: &str) -> Result<()> {
    sign_in_throttle::Entity::delete_by_id(ThrottleSubject::account(key).hash)
        .exec(tx)
        .await?;
    sign_in_origin::Entity::delete_many()
        .filter(sign_in_origin::Column::AccountId.eq(account))
        .exec(tx)
        .await?;
    Ok(())
}

/// Deletes expired failures and origins in the background, one run at a time: no sign-in waits for it or fails with it.
pub fn delete_expired_in_background(store: Store, now: DateTime<Utc>) {
    static TURN: Semaphore = Semaphore::const_new(1);
    // Under an attack each failure calls this: all but one go away at once.
    let Ok(turn) = TURN.try_acquire() else { return };
    tokio::spawn(async move {
        let _turn = turn;
        let failures = sign_in_throttle::Entity::delete_many()
            .filter(sign_in_throttle::Column::LastFailedAt.lt(now - KEPT))
            .exec(store.writer())
            .await;
        let origins = sign_in_origin::Entity::delete_many()
            .filter(sign_in_origin::Column::LastUsedAt.lt(now - ORIGIN_KEPT))
            .exec(store.writer())
            .await;
        for error in [failures.err(), origins.err()].into_iter().flatten() {
            tracing::warn!(%error, "old failed sign-ins could not be dropped");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_a_second_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (4..18)
            .map(|failures| OF_ACCOUNT.wait_before_next_attempt(failures).num_seconds())
            .collect();
        assert_eq!(
            waits,
            [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
        );
        assert_eq!(OF_NETWORK.wait_before_next_attempt(29), Duration::zero());
        assert_eq!(
            OF_NETWORK.wait_before_next_attempt(30),
            Duration::seconds(1)
        );
        assert_eq!(
            OF_NETWORK.wait_before_next_attempt(i32::MAX),
            Duration::minutes(15)
        );
        assert_eq!(
            OF_ORIGIN.wait_before_next_attempt(i32::MAX),
            Duration::hours(1)
        );
    }

    /// Failures within a day of somebody who tries again as soon as they may.
    fn in_a_day(allowance: FailureAllowance) -> usize {
        let (mut failures, mut last, mut now, mut all) = (0, Duration::zero(), Duration::zero(), 0);
        while now < Duration::days(1) && all < 1_000_000 {
            failures = allowance.count_after_another_failure(failures, now - last);
            last = now;
            now += allowance.wait_before_next_attempt(failures);
            all += 1;
        }
        all
    }

    #[test]
    fn a_day_of_guessing_is_bounded() {
        let guesses = [OF_ACCOUNT, OF_ORIGIN, OF_NETWORK].map(in_a_day);
        assert_eq!(guesses, [109, 39, 1_385]);
    }

    #[test]
    fn failures_are_forgotten_one_by_one() {
        assert_eq!(
            OF_ACCOUNT.count_after_another_failure(0, Duration::zero()),
            1
        );
        assert_eq!(
            OF_ACCOUNT.count_after_another_failure(5, Duration::minutes(59)),
            6
        );
        assert_eq!(
            OF_ACCOUNT.count_after_another_failure(5, Duration::minutes(121)),
            4
        );
        assert_eq!(
            OF_ACCOUNT.count_after_another_failure(5, Duration::days(9)),
            1
        );
        assert_eq!(
            OF_ACCOUNT.count_after_another_failure(5, Duration::seconds(-9)),
            6
        );
        assert_eq!(
            OF_ACCOUNT.count_after_another_failure(i32::MAX, Duration::zero()),
            17
        );
    }

    #[test]
    fn neighbours_in_a_network_are_counted_together() {
        let of = |address: &str| network_bytes(address.parse().expect("an address"));
        assert_eq!(of("192.0.2.1"), of("192.0.2.200"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.9"));
        assert_ne!(of("192.0.2.1"), of("192.0.3.1"));
        assert_eq!(of("2001:db8:1:200::1"), of("2001:db8:1:2ff::9"));
        assert_ne!(of("2001:db8:1:200::1"), of("2001:db8:1:300::1"));
    }

    #[test]
    fn a_key_is_counted_however_it_is_typed() {
        assert_eq!(
            ThrottleSubject::account(" Ann-CX ").hash,
            ThrottleSubject::account("ann-cx").hash
        );
        assert_ne!(
            ThrottleSubject::account("ann").hash,
            ThrottleSubject::account("bo").hash
        );
    }
}
