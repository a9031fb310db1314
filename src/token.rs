//! The tokens of a session: access tokens that any server can verify alone, refresh tokens that are kept only as
//! hashes, and links that show one picture for a moment. It signs nobody in and knows no database.

mod jwt;
pub mod service;

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration as Wait,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, NaiveDate, Utc};
use entity::id::{AccountId, BlueprintId, SessionId};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    scalar::PictureTheme,
};

/// How long an access token is valid. Short, as it is verified without the database's knowing of its end.
pub const ACCESS: Duration = Duration::minutes(10);
/// Largest difference tolerated between the clocks of two servers.
const LEEWAY: Duration = Duration::seconds(5);
/// How long a link to a picture is valid: long enough to load a page, too short to be passed on.
pub const LINK: Duration = Duration::minutes(5);
/// The issuer of tokens, and the audience of access tokens.
const ISSUER: &str = "cx-blueprint";
/// The audience of links, so that neither kind of token passes for the other.
const PICTURES: &str = "cx-blueprint/pictures";
/// The one algorithm accepted, whatever the token's header names.
const ALGORITHM: Algorithm = Algorithm::HS256;

const NOT_ACCEPTED: &str = "The access token is not accepted. Sign in again.";
const EXPIRED: &str = "The access token has expired. Refresh it.";
const LINK_NOT_ACCEPTED: &str = "The link is not accepted, or no longer. Ask for a new one.";

/// The deployment's secret, which signs and verifies its tokens.
#[derive(Clone)]
pub struct SigningKey(Arc<KeyMaterial>);

struct KeyMaterial {
    bytes: Vec<u8>,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The reason why a text cannot be the signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakKey {
    TooShort,
    TooRegular,
    MadeOfWords,
    WellKnown,
}

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self {
            Self::TooShort => "has fewer than 32 bytes",
            Self::TooRegular => "follows a pattern",
            Self::MadeOfWords => {
                "is no random text: it has other signs than base64 has, or too few digits"
            }
            Self::WellKnown => "is made of words that everybody tries first",
        };
        write!(
            f,
            "The signing key {why}. Make one with `openssl rand -base64 48`."
        )
    }
}

impl std::error::Error for WeakKey {}

/// Parts of keys from examples and manuals.
const WELL_KNOWN: &[&str] = &[
    "secret",
    "changeme",
    "change-me",
    "change_me",
    "change this",
    "change-this",
    "password",
    "your-256-bit",
    "signing-key",
    "signing_key",
    "replace-me",
    "replace_me",
];

impl SigningKey {
    /// Makes a key from a text.
    ///
    /// # Errors
    /// The text is short, regular, made of words, or from an example.
    pub fn from_text(text: &str) -> Result<Self, WeakKey> {
        let text = text.trim();
        let bytes = text.as_bytes();
        if bytes.len() < 32 {
            return Err(WeakKey::TooShort);
        }
        let lower = text.to_ascii_lowercase();
        // Before the other tests: it names the mistake best.
        if WELL_KNOWN.iter().any(|word| lower.contains(word)) {
            return Err(WeakKey::WellKnown);
        }
        if has_regular_pattern(bytes) {
            return Err(WeakKey::TooRegular);
        }
        if is_made_of_words(bytes) {
            return Err(WeakKey::MadeOfWords);
        }
        Ok(Self::from_secret(bytes))
    }

    fn from_secret(secret: &[u8]) -> Self {
        jwt::install_provider();
        Self(Arc::new(KeyMaterial {
            bytes: secret.to_vec(),
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        }))
    }

    /// A random key that ends with the process: for a demo.
    pub fn random_for_process() -> io::Result<Self> {
        Ok(Self::from_secret(&random_bytes::<48>()?))
    }

    /// The key in the file beside an SQLite database (`….key`), created with the first use and readable by its owner
    /// alone.
    ///
    /// # Errors
    /// The file cannot be created or read, may be read by others, or holds a weak key.
    pub fn load_or_create_beside(database: &Path) -> io::Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push(".key");
        let path = PathBuf::from(path);
        match create_private_file(&path) {
            Ok(mut file) => {
                file.write_all(random_key()?.as_bytes())?;
                // On the disk before it signs anything: after a crash another key would end all sessions.
                file.sync_all()?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        read_key_file(&path)
    }
}

/// A random key as text that [`SigningKey::from_text`] accepts: one in some thousands looks as if it were made of
/// words.
fn random_key() -> io::Result<String> {
    loop {
        let text = random_text::<48>()?;
        if SigningKey::from_text(&text).is_ok() {
            return Ok(text);
        }
    }
}

#[cfg(unix)]
fn create_private_file(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn create_private_file(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
}

/// Refuses a key file that others may read: whoever reads the key can sign in as anybody.
#[cfg(unix)]
fn refuse_readable_by_others(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let why = format!(
        "{} may be read by others than its owner (its mode is {mode:03o}). Run `chmod 600` on it, or remove it where \
         somebody may have read it: a new key is made then, with which everybody signs in again",
        path.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

#[cfg(not(unix))]
fn refuse_readable_by_others(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Reads the key, waiting up to a second for another process that has created the file and not yet written it.
fn read_key_file(path: &Path) -> io::Result<SigningKey> {
    let mut tries = 0;
    loop {
        refuse_readable_by_others(path)?;
        match SigningKey::from_text(&fs::read_to_string(path)?) {
            Ok(key) => return Ok(key),
            // A file that is just being written is too short; any other weakness will not pass.
            Err(WeakKey::TooShort) if tries < 40 => thread::sleep(Wait::from_millis(25)),
            Err(weak) => {
                let why = format!(
                    "{weak} It is kept in {}; remove that file and a new key is made, with which everybody signs in again.",
                    path.display()
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
        tries += 1;
    }
}

/// The claims that a token of this audience must have. Its times are checked by `verify`.
fn jwt_validation(audience: &str) -> Validation {
    // One algorithm, whatever the header says: a token that names `none` or a public key's would otherwise choose how
    // it is verified.
    let mut validation = Validation::new(ALGORITHM);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["sub", "iss", "aud", "exp", "nbf"]);
    // The library reads the machine's clock; `verify` compares with the deployment's instead.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation
}

/// Whether a person may have thought of the key: random ones are written in base64 or hexadecimal, in which digits are
/// frequent, signs are rare and nothing else occurs.
fn is_made_of_words(bytes: &[u8]) -> bool {
    let is_sign = |byte: &&u8| matches!(byte, b'+' | b'/' | b'-' | b'_');
    let key = bytes
        .strip_suffix(b"==")
        .or_else(|| bytes.strip_suffix(b"="));
    let key = key.unwrap_or(bytes);
    let signs = key.iter().filter(is_sign).count();
    let digits = key.iter().filter(|byte| byte.is_ascii_digit()).count();
    let foreign = key
        .iter()
        .any(|byte| !byte.is_ascii_alphanumeric() && !is_sign(&byte));
    foreign || digits < 2 || signs * 6 > key.len()
}

/// Whether a key has few different bytes, repeats a block, or runs along an alphabet.
fn has_regular_pattern(bytes: &[u8]) -> bool {
    let mut different = bytes.to_vec();
    different.sort_unstable();
    different.dedup();
    let repeats = (1..=bytes.len() / 2).any(|period| {
        bytes
            .iter()
            .zip(bytes.iter().skip(period))
            .all(|(one, later)| one == later)
    });
    let steps = bytes
        .windows(2)
        .filter(|pair| pair[1].wrapping_sub(pair[0]) == 1)
        .count();
    different.len() < 10 || repeats || steps * 2 > bytes.len()
}

fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// `N` random bytes as text.
pub fn random_text<const N: usize>() -> io::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<N>()?))
}

/// The claims of a signed token. They name no role: rights are read from the database with every request, so that
/// taking one away needs no token to expire.
#[derive(Serialize, Deserialize)]
struct Claims<S> {
    sub: String,
    sid: String,
    jti: String,
    iss: String,
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    /// The further claims of a link.
    #[serde(flatten)]
    shows: S,
}

/// The further claims of an access token: none.
#[derive(Serialize, Deserialize)]
struct NoFurtherClaims {}

/// The account and session of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionClaims {
    pub account: AccountId,
    pub session: SessionId,
}

/// The claims of a link: the picture that it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureClaims {
    pub blueprint: BlueprintId,
    pub day: NaiveDate,
    pub theme: PictureTheme,
}

impl SigningKey {
    /// Signs an access token; with the moment at which it expires.
    pub fn sign_access(
        &self,
        access: SessionClaims,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>)> {
        self.sign(ISSUER, access, NoFurtherClaims {}, now, ACCESS)
    }

    /// Verifies an access token. Whether its session still lives is the database's to say.
    ///
    /// # Errors
    /// UNAUTHENTICATED where it is not ours, or has expired.
    pub fn verify_access(&self, token: &str, now: DateTime<Utc>) -> Result<SessionClaims> {
        let (access, NoFurtherClaims {}) = self.verify(ISSUER, token, now).map_err(|expired| {
            Error::Unauthenticated(if expired { EXPIRED } else { NOT_ACCEPTED })
        })?;
        Ok(access)
    }

    /// Signs a link to a picture for a session; with the moment at which it expires.
    pub fn sign_picture_link(
        &self,
        access: SessionClaims,
        shown: PictureClaims,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>)> {
        self.sign(PICTURES, access, shown, now, LINK)
    }

    /// Verifies a link.
    ///
    /// # Errors
    /// UNAUTHENTICATED where it is not ours, or has expired.
    pub fn verify_picture_link(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(SessionClaims, PictureClaims)> {
        self.verify(PICTURES, token, now)
            .map_err(|_| Error::Unauthenticated(LINK_NOT_ACCEPTED))
    }

    fn sign<S: Serialize>(
        &self,
        audience: &str,
        access: SessionClaims,
        shows: S,
        now: DateTime<Utc>,
        lasts: Duration,
    ) -> Result<(String, DateTime<Utc>)> {
        let expires_at = now + lasts;
        let claims = Claims {
            sub: access.account.to_string(),
            sid: access.session.to_string(),
            // Two tokens of one second would otherwise be equal to the letter.
            jti: random_text::<16>().map_err(Error::internal)?,
            iss: ISSUER.to_owned(),
            aud: audience.to_owned(),
            exp: expires_at.timestamp(),
            nbf: now.timestamp(),
            iat: now.timestamp(),
            shows,
        };
        let token = jsonwebtoken::encode(&Header::new(ALGORITHM), &claims, &self.0.encoding)
            .map_err(Error::internal)?;
        Ok((token, expires_at))
    }

    /// Verifies a token for this audience. The error says whether it was refused only because it has expired.
    fn verify<S: DeserializeOwned>(
        &self,
        audience: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(SessionClaims, S), bool> {
        let claims =
            jsonwebtoken::decode::<Claims<S>>(token, &self.0.decoding, &jwt_validation(audience))
                .map_err(|_| false)?
                .claims;
        let (earliest, latest) = ((now - LEEWAY).timestamp(), (now + LEEWAY).timestamp());
        // The signature was verified before: only the holder of a token of ours is told that it has expired.
        if claims.exp <= earliest {
            return Err(true);
        }
        if claims.nbf > latest || claims.iat > latest {
            return Err(false);
        }
        let access = SessionClaims {
            account: claims.sub.parse().map_err(|_| false)?,
            session: claims.sid.parse().map_err(|_| false)?,
        };
        Ok((access, claims.shows))
    }

    /// A keyed hash (HMAC-SHA-256) of these parts, different for each purpose.
    pub fn keyed_hash(&self, purpose: &str, parts: &[&[u8]]) -> Result<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0.bytes).map_err(Error::internal)?;
        for part in [purpose.as_bytes()].iter().chain(parts) {
            // With its length before it, no part can pass for the end of another.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Ok(mac.finalize().into_bytes().into())
    }

    /// The successor of a refresh token: derived and always the same, so that two tabs that refresh at once get the
    /// same token although only its hash is stored.
    pub fn derive_next_refresh_token(&self, token: &RefreshToken) -> Result<RefreshToken> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0.bytes).map_err(Error::internal)?;
        mac.update(b"refresh");
        mac.update(&token.0);
        Ok(RefreshToken(mac.finalize().into_bytes().into()))
    }
}

/// A refresh token: 256 bits that mean nothing to whoever holds them.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken([u8; 32]);

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken")
    }
}

impl RefreshToken {
    /// A random one, for a new session.
    pub fn new() -> Result<Self> {
        Ok(Self(random_bytes().map_err(Error::internal)?))
    }

    /// Decodes what a client sent; none where it has not the form of one.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Encodes it for the client.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Its SHA-256, which is stored. Tokens are looked up by it, so that the time of a comparison tells nothing of a
    /// token.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }
}

#[cfg(test)]
mod tests;
