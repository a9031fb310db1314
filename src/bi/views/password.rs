//! The password of a BI login, as PostgreSQL keeps it (SCRAM-SHA-256, RFC 5802 and 7677): worked out here, so that the
//! password itself stands in no statement and in no log.

use std::num::NonZeroU32;

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{digest, hmac, pbkdf2};

use crate::{
    error::{Error, Result, UserErrorCode},
    token,
};

/// Iterations of PBKDF2: PostgreSQL's own default.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4_096).expect("4,096 is not zero");
/// Shortest password.
const SHORTEST: usize = 12;
/// Longest password.
const LONGEST: usize = 200;

/// A new password of 192 random bits.
pub fn random() -> Result<String> {
    token::random_text::<24>().map_err(Error::internal)
}

/// Refuses a password that a login may not have. Letters outside ASCII are taken apart by some clients and not by
/// others.
pub fn check(password: &str) -> Result<()> {
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

/// The SCRAM verifier of a password, with a salt of its own, in PostgreSQL's notation.
pub fn verifier(password: &str) -> Result<String> {
    let salt = token::random::<16>().map_err(Error::internal)?;
    Ok(salted_verifier(password, &salt))
}

fn salted_verifier(password: &str, salt: &[u8]) -> String {
    let mut salted = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ITERATIONS,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client_key = hmac::sign(&key, b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677: its server signature follows from the verifier.
    #[test]
    fn a_verifier_is_what_the_standard_says() {
        let salt = STANDARD
            .decode("W22ZaJ0SNY7soEsUEjb6gQ==")
            .unwrap_or_default();
        let verifier = salted_verifier("pencil", &salt);
        let server = verifier.rsplit(':').next().unwrap_or_default();
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                       s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server = STANDARD.decode(server).unwrap_or_default();
        let server_key = hmac::Key::new(hmac::HMAC_SHA256, &server);
        let signature = hmac::sign(&server_key, message.as_bytes());
        assert_eq!(
            STANDARD.encode(signature),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
    }

    #[test]
    fn short_and_foreign_passwords_are_refused() {
        for refused in ["", "short", "påssword påssword", "a\ttab in the middle"] {
            assert!(check(refused).is_err(), "{refused}");
        }
        assert!(check("correct horse battery").is_ok());
    }
}
