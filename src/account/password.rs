//! Passwords: how strong one must be, hashing and verifying. Argon2 runs off the async threads, and never on all cores
//! at once where there are several.

use std::{
    sync::{Arc, LazyLock},
    thread::available_parallelism,
    time::Duration,
};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use entity::account;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::ExprTrait};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    database::Store,
    error::{Error, Reason, Result, UserErrorCode},
    input::Faults,
};

/// Shortest password, in characters.
pub const SHORTEST: usize = 8;
/// Longest password, in characters.
pub const LONGEST: usize = 200;

/// Memory in KiB, passes and lanes: what OWASP recommends for Argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Longest wait for a turn to run Argon2.
const PATIENCE: Duration = Duration::from_secs(10);

static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = available_parallelism().map_or(1, usize::from);
    // Who signs in must not take the last core from those who are.
    Arc::new(Semaphore::new((cores - 1).max(1)))
});

/// The hash that a password is verified against where the account has none or does not exist, so that it takes as long
/// as a wrong password.
static NOBODY: LazyLock<Option<String>> =
    LazyLock::new(|| hash_with_argon2(&crate::token::random_text::<24>().ok()?).ok());

/// Passwords that guessers try first.
const COMMON: &[&str] = &[
    "12345678",
    "123456789",
    "1234567890",
    "12341234",
    "123123123",
    "87654321",
    "987654321",
    "0987654321",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "a1b2c3d4",
    "abc12345",
    "abcd1234",
    "abcdefgh",
    "admin123",
    "admin1234",
    "administrator",
    "asdfasdf",
    "asdfghjk",
    "asdfghjkl",
    "baseball",
    "blueprint",
    "blueprint1",
    "changeme",
    "changeme1",
    "charlie1",
    "computer",
    "correcthorsebatterystaple",
    "cx-blueprint",
    "dragon123",
    "football",
    "football1",
    "iloveyou",
    "internet",
    "jennifer",
    "letmein1",
    "letmein123",
    "liverpool",
    "master123",
    "michelle",
    "monkey123",
    "p@ssw0rd",
    "p@ssword",
    "passw0rd",
    "password",
    "password!",
    "password1",
    "password12",
    "password123",
    "password1234",
    "princess",
    "q1w2e3r4",
    "qazwsxedc",
    "qwer1234",
    "qwerty12",
    "qwerty123",
    "qwerty1234",
    "qwertyui",
    "qwertyuiop",
    "samantha",
    "secret123",
    "starwars",
    "sunshine",
    "superman",
    "test1234",
    "trustno1",
    "welcome1",
    "welcome123",
    "whatever",
    "zaq12wsx",
    "zxcvbnm1",
];

/// Validates a new password for the account with this key.
pub fn validate_new_password(faults: &mut Faults, path: &str, password: &str, key: &str) {
    // Not counted to its end: what is sent may be a megabyte.
    let length = password.chars().take(LONGEST + 1).count();
    if length > LONGEST {
        let message = format!("A password has at most {LONGEST} characters.");
        faults.add(path, UserErrorCode::TooLong, None, message);
    } else if length < SHORTEST {
        let message = format!("A password has at least {SHORTEST} characters.");
        let reason = Some(Reason::WeakPassword);
        faults.add(path, UserErrorCode::Invalid, reason, message);
    } else if is_easy_to_guess(password, key) {
        let message = "This password is too easy to guess. Take a few words that only you would put together.";
        let reason = Some(Reason::WeakPassword);
        faults.add(path, UserErrorCode::Invalid, reason, message);
    }
}

fn is_easy_to_guess(password: &str, key: &str) -> bool {
    let lower = password.to_lowercase();
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    different.len() < 4 || lower == key.to_lowercase() || COMMON.contains(&lower.as_str())
}

/// A turn to run Argon2. Its holder checks the throttle again, as others may have failed while it waited.
pub struct HashPermit {
    _permit: OwnedSemaphorePermit,
}

impl HashPermit {
    /// Waits for a turn.
    ///
    /// # Errors
    /// `RateLimited` where none comes in time.
    pub async fn acquire() -> Result<Self> {
        let wait = tokio::time::timeout(PATIENCE, Arc::clone(&TURNS).acquire_owned());
        match wait.await {
            Ok(permit) => Ok(Self {
                _permit: permit.map_err(Error::internal)?,
            }),
            Err(_) => Err(Error::RateLimited {
                retry_after: PATIENCE.as_secs(),
            }),
        }
    }

    /// Verifies a password against a hash; false, after the same time, where there is no hash.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        run_blocking(move || {
            // Made before it is known whether it is needed, so that making it tells nothing either.
            let nobody = NOBODY.as_ref();
            let known = hash.is_some();
            let Some(hash) = hash.as_ref().or(nobody) else {
                return false;
            };
            let right = PasswordHash::new(hash).is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            });
            right && known
        })
        .await
    }

    pub(super) async fn hash(&self, password: String) -> Result<String> {
        run_blocking(move || hash_with_argon2(&password))
            .await?
            .map_err(Error::internal)
    }
}

/// The key of an account with this password, among those that share one hash: a demo and a generated organisation set
/// one password for all at once, and must not be served to others.
pub async fn find_account_sharing_password(
    store: &Store,
    password: &str,
) -> Result<Option<String>> {
    use account::Column;
    let shared: Vec<(String, String)> = account::Entity::find()
        .select_only()
        .column(Column::PasswordHash)
        .column_as(Column::Key.min(), "key")
        .filter(Column::PasswordHash.is_not_null())
        .filter(Column::ArchivedAt.is_null())
        .group_by(Column::PasswordHash)
        .having(Column::Id.count().gt(1))
        .limit(MOST_SHARED)
        .into_tuple()
        .all(store.reader())
        .await?;
    for (hash, key) in shared {
        let hash_permit = HashPermit::acquire().await?;
        if hash_permit.verify(password.to_owned(), Some(hash)).await? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Most shared hashes that are verified: each costs an Argon2, and serving waits for them.
const MOST_SHARED: u64 = 8;

/// Hashes a password without judging its strength.
pub async fn hash(password: &str) -> Result<String> {
    HashPermit::acquire().await?.hash(password.to_owned()).await
}

async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)
}

fn hash_with_argon2(password: &str) -> Result<String, argon2::password_hash::Error> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(argon2.hash_password(password.as_bytes())?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> bool {
        let mut faults = Faults::default();
        validate_new_password(&mut faults, "password", password, "ann-cx");
        faults.check().is_err()
    }

    #[test]
    fn easy_passwords_are_refused() {
        for password in [
            "short",
            "Password123",
            "aaaaaaaaaaaa",
            "ANN-CX",
            "blueprint",
            "ann-cx",
        ] {
            assert!(refused(password), "{password}");
        }
        assert!(refused(&"long".repeat(51)));
        assert!(!refused("three boats at dawn"));
        assert!(!refused("påskeharen7"));
    }

    #[tokio::test]
    async fn a_password_is_verified_against_its_own_hash_alone() {
        let made = hash("three boats at dawn").await.expect("a hash");
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let hash_permit = HashPermit::acquire().await.expect("a permit");
        for (password, hash, right) in [
            ("three boats at dawn", Some(made.clone()), true),
            ("three boats at dusk", Some(made), false),
            ("three boats at dawn", None, false),
        ] {
            let verified = hash_permit.verify(password.to_owned(), hash).await;
            assert_eq!(verified.expect("verified"), right);
        }
    }
}
