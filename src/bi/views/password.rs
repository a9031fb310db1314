//! The password of a BI login: what it may be, and what PostgreSQL keeps of it (SCRAM-SHA-256), worked out here, so
//! that the password itself stands in no statement and in no log.

use postgres_protocol::password::scram_sha_256;

use crate::{
    error::{Error, Result, UserErrorCode},
    token,
};

/// Shortest password.
const SHORTEST: usize = 12;
/// Longest password.
const LONGEST: usize = 200;

/// A new password of 192 random bits.
pub(super) fn random_password() -> Result<String> {
    token::random_text::<24>().map_err(Error::internal)
}

/// Refuses a password that a login may not have. Letters outside ASCII are normalised by some clients (SASLprep) and
/// not by others.
pub(super) fn refuse_invalid_password(password: &str) -> Result<()> {
    let plain = password.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if plain && (SHORTEST..=LONGEST).contains(&password.len()) {
        return Ok(());
    }
    let message = format!(
        "The password of a login has {SHORTEST} to {LONGEST} letters, digits and signs of ASCII."
    );
    Err(Error::fault(
        "password",
        UserErrorCode::Invalid,
        None,
        message,
    ))
}

/// The SCRAM verifier of a password, with a salt of its own, in PostgreSQL's notation. It has nothing in it that a
/// statement would need to escape.
pub(super) fn scram_verifier(password: &str) -> String {
    scram_sha_256(password.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_salted_and_has_the_iterations_that_postgresql_uses() {
        let verifiers = [scram_verifier("pencil"), scram_verifier("pencil")];
        assert_ne!(verifiers[0], verifiers[1]);
        for verifier in verifiers {
            let rest = verifier.strip_prefix("SCRAM-SHA-256$4096:");
            let lengths: Vec<usize> = rest
                .unwrap_or_default()
                .split(['$', ':'])
                .map(str::len)
                .collect();
            // 16 bytes of salt and two keys of 32, in base64.
            assert_eq!(lengths, [24, 44, 44], "{verifier}");
        }
    }

    #[test]
    fn short_and_foreign_passwords_are_refused() {
        for refused in ["", "short", "påssword påssword", "a\ttab in the middle"] {
            assert!(refuse_invalid_password(refused).is_err(), "{refused}");
        }
        assert!(refuse_invalid_password("correct horse battery").is_ok());
    }
}
