//! Service tokens: opaque, with a prefix by which scanners of secrets find them and a checksum that tells a mistyped
//! one from an unknown one. We keep only their hash.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Days for which a token is valid where the input names none.
pub const DAYS: i32 = 90;
/// Most days for which a token is valid.
pub const MOST_DAYS: i32 = 365;
/// The prefix of every service token.
pub const PREFIX: &str = "cxb_";
/// The digits of a token, by their value.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random digits: 256 bits.
const RANDOM: usize = 43;
/// Digits of the checksum: 32 bits.
const CHECKSUM: usize = 6;

/// A service token as its holder has it: `cxb_`, 43 random digits and letters, and 6 of a checksum.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceTokenSecret(String);

impl fmt::Debug for ServiceTokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceTokenSecret")
    }
}

impl ServiceTokenSecret {
    /// A new one.
    pub fn new() -> Result<Self> {
        let mut text = String::from(PREFIX);
        while text.len() < PREFIX.len() + RANDOM {
            let bytes = super::random_bytes::<64>().map_err(Error::internal)?;
            // The bytes above the last multiple of 62 would make some digits likelier than others.
            let even = bytes.into_iter().filter(|byte| *byte < 248);
            let left = PREFIX.len() + RANDOM - text.len();
            text.extend(even.take(left).map(|byte| base62_digit(byte.into())));
        }
        let checksum = checksum(&text);
        Ok(Self(text + &checksum))
    }

    /// Decodes what a client sent; none where it has not the prefix of a service token.
    ///
    /// # Errors
    /// UNAUTHENTICATED where it was cut off or mistyped: whoever sent it is told, as anybody could work that out.
    pub fn parse(text: &str) -> Option<Result<Self>> {
        let rest = text.strip_prefix(PREFIX)?;
        let whole =
            rest.len() == RANDOM + CHECKSUM && rest.bytes().all(|b| b.is_ascii_alphanumeric());
        let right = whole && {
            let (random, sum) = text.split_at(PREFIX.len() + RANDOM);
            // Before the database is asked: a token that was cut off costs no statement.
            checksum(random) == sum
        };
        Some(if right {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::Unauthenticated(
                "The service token was cut off or mistyped.",
            ))
        })
    }

    /// Its text, which its holder keeps.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }

    /// Its SHA-256, which is stored. Tokens are looked up by it, so that the time of a comparison tells nothing of a
    /// token.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(&self.0).to_vec()
    }
}

fn base62_digit(value: u32) -> char {
    char::from(DIGITS[value as usize % DIGITS.len()])
}

/// The first 32 bits of the SHA-256 of what comes before, the highest digit first.
fn checksum(text: &str) -> String {
    let hash = Sha256::digest(text);
    let bits = hash
        .iter()
        .take(4)
        .fold(0, |bits: u32, byte| (bits << 8) | u32::from(*byte));
    let digits = (0..CHECKSUM as u32).rev();
    digits
        .map(|place| base62_digit(bits / 62_u32.pow(place) % 62))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_any_other_letter_in_it_is_noticed() {
        let token = ServiceTokenSecret::new().expect("a token");
        let text = token.clone().into_text();
        assert_eq!(text.len(), 53);
        assert_eq!(
            ServiceTokenSecret::parse(&text)
                .expect("one of ours")
                .expect("whole"),
            token
        );
        for at in PREFIX.len()..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'x' { b'y' } else { b'x' };
            let wrong = String::from_utf8(wrong).expect("text");
            assert!(
                ServiceTokenSecret::parse(&wrong)
                    .expect("claims to be one")
                    .is_err(),
                "{wrong}"
            );
        }
        assert!(
            ServiceTokenSecret::parse(&text[..52])
                .expect("claims to be one")
                .is_err()
        );
        assert!(
            ServiceTokenSecret::parse("cxb_ß")
                .expect("claims to be one")
                .is_err()
        );
        assert!(ServiceTokenSecret::parse("eyJhbGciOiJIUzI1NiJ9").is_none());
    }

    #[test]
    fn the_checksum_is_what_the_documentation_says() {
        // By hand: sha256sum gives e3b0c442, which is 3820012610 = 4·62⁵ + 10·62⁴ + 32·62³ + 23·62² + 48·62 + 38.
        assert_eq!(checksum(""), "4AWNmc");
    }

    #[test]
    fn no_two_tokens_are_alike_and_every_digit_comes_up() {
        let tokens: std::collections::BTreeSet<String> = (0..200)
            .map(|_| ServiceTokenSecret::new().expect("a token").into_text())
            .collect();
        assert_eq!(tokens.len(), 200);
        let all: String = tokens
            .iter()
            .flat_map(|token| token[4..47].chars())
            .collect();
        assert!(DIGITS.iter().all(|digit| all.contains(char::from(*digit))));
    }
}
