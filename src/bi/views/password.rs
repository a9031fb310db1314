//! The password of a BI login, as PostgreSQL keeps it (SCRAM-SHA-256, RFC 5802 and 7677): worked out here, so that the
//! password itself stands in no statement and in no log.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result, UserErrorCode},
    token,
};

/// How often the hash is taken: PostgreSQL's own number.
const ROUNDS: u32 = 4_096;
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

/// What PostgreSQL keeps of a password.
pub fn verifier(password: &str) -> Result<String> {
    let salt = token::random::<16>().map_err(Error::internal)?;
    kept(password, &salt)
}

fn kept(password: &str, salt: &[u8]) -> Result<String> {
    let salted = salted(password, salt)?;
    let stored = Sha256::digest(mac(&salted, &[b"Client Key"])?);
    let server = mac(&salted, &[b"Server Key"])?;
    Ok(format!(
        "SCRAM-SHA-256${ROUNDS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    ))
}

/// PBKDF2 with one block.
fn salted(password: &str, salt: &[u8]) -> Result<[u8; 32]> {
    let mut last = mac(password.as_bytes(), &[salt, &1_u32.to_be_bytes()])?;
    let mut salted = last;
    for _ in 1..ROUNDS {
        last = mac(password.as_bytes(), &[&last])?;
        for (sum, byte) in salted.iter_mut().zip(last) {
            *sum ^= byte;
        }
    }
    Ok(salted)
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(Error::internal)?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677: its server signature follows from the keys that are kept.
    #[test]
    fn what_is_kept_is_what_the_standard_says() {
        let salt = STANDARD
            .decode("W22ZaJ0SNY7soEsUEjb6gQ==")
            .unwrap_or_default();
        let kept = kept("pencil", &salt).unwrap_or_default();
        let server = kept.rsplit(':').next().unwrap_or_default();
        let message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                       s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server = STANDARD.decode(server).unwrap_or_default();
        let signature = mac(&server, &[message.as_bytes()]).unwrap_or_default();
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
