//! The cryptography of JSON web tokens, by *ring*: HMAC with SHA-256 and nothing else, as no other algorithm is
//! accepted.
//!
//! jsonwebtoken brings two providers, and neither stands here: `aws_lc_rs` builds longer than all of this program, and
//! `rust_crypto` depends on an `rsa` with an unpatched advisory (RUSTSEC-2023-0071). TLS to PostgreSQL needs *ring* in
//! any case. It verifies RS256 and ES256 too, the algorithms of identity providers.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Signer, Verifier},
};
use ring::hmac;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // Used for sets of public keys only; this program has none.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes this the provider of the process; again has no effect.
pub(super) fn install_provider() {
    // An error says that there is one already: this one, as nothing else installs any.
    let _ = PROVIDER.install_default();
}

struct Hs256(hmac::Key);

impl Hs256 {
    fn new_boxed(
        algorithm: Algorithm,
        family: AlgorithmFamily,
        secret: &[u8],
    ) -> Result<Box<Self>> {
        if algorithm != Algorithm::HS256 || family != AlgorithmFamily::Hmac {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        Ok(Box::new(Self(hmac::Key::new(hmac::HMAC_SHA256, secret))))
    }
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Ok(Hs256::new_boxed(*algorithm, key.family(), key.as_bytes())?)
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    Ok(Hs256::new_boxed(
        *algorithm,
        key.family(),
        key.try_get_as_bytes()?,
    )?)
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
