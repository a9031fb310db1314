//! Access tokens, refresh tokens and links: what is signed, and what is refused.

use uuid::Uuid;

use super::*;

const KEY: &str = "5Xv0mFzq1bR8cLkW2nTyUoPaHsDgJ7eIxVQ4wZ9rB6uM";

fn key() -> SigningKey {
    SigningKey::from_text(KEY).expect("a good key")
}

fn other_key() -> SigningKey {
    SigningKey::from_text(&KEY.replace('5', "6")).expect("a good key")
}

fn access() -> SessionClaims {
    SessionClaims {
        account: Uuid::from_u128(1).into(),
        session: Uuid::from_u128(2).into(),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
}

#[test]
fn weak_keys_are_refused_and_told_what_to_do() {
    for (text, why) in [
        ("short", WeakKey::TooShort),
        ("my-very-Secret-key-for-production-2025", WeakKey::WellKnown),
        ("my dog is called Rex and he is 7 old", WeakKey::MadeOfWords),
        (
            "my-dog-is-called-rex-and-he-is-17-old",
            WeakKey::MadeOfWords,
        ),
        ("MyDogIsCalledRexAndHeIsSevenYearsOld", WeakKey::MadeOfWords),
        (
            "kodeord: æbleskiver og 12 kopper kaffe",
            WeakKey::MadeOfWords,
        ),
        (&"x".repeat(64), WeakKey::TooRegular),
        (&"0123456789abcdef".repeat(2), WeakKey::TooRegular),
        ("abcdefghijklmnopqrstuvwxyz0123456789", WeakKey::TooRegular),
    ] {
        let refused = SigningKey::from_text(text).expect_err(text);
        assert_eq!(refused, why, "{text}");
        assert!(refused.to_string().contains("openssl rand -base64 48"));
    }
    assert!(SigningKey::from_text(&random_text::<48>().expect("chance")).is_ok());
}

#[test]
fn a_kept_key_is_made_once_and_is_its_owners_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("organisation.db");
    let made: Vec<Vec<u8>> = thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    SigningKey::load_or_create_beside(&database)
                        .expect("a key")
                        .0
                        .bytes
                        .clone()
                })
            })
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().expect("no panic"))
            .collect()
    });
    assert!(made.windows(2).all(|pair| pair[0] == pair[1]));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = folder.path().join("organisation.db.key");
        let mode = fs::metadata(file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn an_access_token_is_good_for_ten_minutes() {
    let (token, expires_at) = key().sign_access(access(), now()).expect("a token");
    assert_eq!(expires_at, now() + Duration::minutes(10));
    let read = |after| key().verify_access(&token, now() + Duration::seconds(after));
    assert_eq!(read(0).expect("good"), access());
    assert_eq!(read(600).expect("good within the leeway"), access());
    assert!(read(605).is_err());
    assert!(read(-6).is_err());
}

#[test]
fn an_access_token_of_another_key_or_algorithm_is_refused() {
    let (token, _) = other_key().sign_access(access(), now()).expect("a token");
    assert!(key().verify_access(&token, now()).is_err());
    let claims = Claims {
        sub: access().account.to_string(),
        sid: access().session.to_string(),
        jti: String::new(),
        iss: ISSUER.to_owned(),
        aud: ISSUER.to_owned(),
        exp: (now() + ACCESS).timestamp(),
        nbf: now().timestamp(),
        iat: now().timestamp(),
        shows: NoFurtherClaims {},
    };
    let sign = |claims: &Claims<NoFurtherClaims>, algorithm: &str, hash| {
        let encoded = |json: String| URL_SAFE_NO_PAD.encode(json);
        let header = encoded(format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#));
        let claims = encoded(serde_json::to_string(claims).expect("claims"));
        let message = format!("{header}.{claims}");
        let secret = ring::hmac::Key::new(hash, KEY.as_bytes());
        let signature = ring::hmac::sign(&secret, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let sha_256 = |claims: &Claims<NoFurtherClaims>| sign(claims, "HS256", ring::hmac::HMAC_SHA256);
    let sha_512 = sign(&claims, "HS512", ring::hmac::HMAC_SHA512);
    assert!(key().verify_access(&sha_256(&claims), now()).is_ok());
    assert!(key().verify_access(&sha_512, now()).is_err());
    let elsewhere = Claims {
        aud: "elsewhere".to_owned(),
        ..claims
    };
    assert!(key().verify_access(&sha_256(&elsewhere), now()).is_err());
}

#[test]
fn a_link_is_good_for_five_minutes_and_for_what_it_shows() {
    let shown = PictureClaims {
        blueprint: Uuid::from_u128(3).into(),
        day: NaiveDate::from_ymd_opt(2025, 3, 31).expect("a day"),
        theme: PictureTheme::Dark,
    };
    let (token, expires_at) = key()
        .sign_picture_link(access(), shown, now())
        .expect("a token");
    assert_eq!(expires_at, now() + Duration::minutes(5));
    let read = |after| key().verify_picture_link(&token, now() + Duration::seconds(after));
    assert_eq!(
        read(300).expect("good within the leeway"),
        (access(), shown)
    );
    assert!(read(305).is_err());
    assert!(read(-6).is_err());
    assert!(other_key().verify_picture_link(&token, now()).is_err());
}

#[test]
fn a_link_gives_no_access_and_an_access_token_is_no_link() {
    let shown = PictureClaims {
        blueprint: Uuid::from_u128(3).into(),
        day: NaiveDate::default(),
        theme: PictureTheme::Auto,
    };
    let (link, _) = key()
        .sign_picture_link(access(), shown, now())
        .expect("a token");
    assert!(key().verify_access(&link, now()).is_err());
    let (token, _) = key().sign_access(access(), now()).expect("a token");
    assert!(key().verify_picture_link(&token, now()).is_err());
    // Nor one that says all that a link says, for the wrong audience.
    let (both, _) = key()
        .sign(ISSUER, access(), shown, now(), LINK)
        .expect("a token");
    assert!(key().verify_access(&both, now()).is_ok());
    assert!(key().verify_picture_link(&both, now()).is_err());
}

#[test]
fn the_successor_of_a_refresh_token_is_always_the_same_and_another_with_another_key() {
    let first = RefreshToken([7; 32]);
    let next = key().derive_next_refresh_token(&first).expect("a token");
    assert_eq!(
        next,
        key().derive_next_refresh_token(&first).expect("a token")
    );
    assert_ne!(next, first);
    assert_ne!(
        next,
        other_key()
            .derive_next_refresh_token(&first)
            .expect("a token")
    );
    assert_eq!(RefreshToken::from_text(&next.to_text()), Some(next));
    assert_eq!(RefreshToken::from_text("short"), None);
}
