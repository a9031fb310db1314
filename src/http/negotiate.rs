//! Content negotiation: how `Accept`, `Accept-Encoding` and their like are read, entity tags, and the headers by which
//! an answer says what it is. Which media types there are to choose from each face says itself (`graphql/media.rs`,
//! `odata/headers.rs`).
//!
//! By hand: the crate `headers`, of which axum-extra's typed headers are made, reads none of `Accept`,
//! `Accept-Encoding` and `Prefer`, and would replace no more than the comparison of tags. tower-http's compression
//! takes `*` for gzip, and answers 406 to who refuses every coding, after the handler has done its work.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// The items of a header that is a list, over all lines on which it was sent, without blanks around them. What is not
/// ASCII is left out.
pub fn list_header_items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
}

/// Sets headers of an answer to texts of the program.
pub(super) fn set_static_headers(
    response: &mut Response,
    fixed: impl IntoIterator<Item = (HeaderName, &'static str)>,
) {
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// One item of `Accept` or `Accept-Encoding`: a media range or coding, its parameters, and its weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    /// `application/json`, `*/*`, `gzip`; in lower case.
    pub value: String,
    /// The parameters besides `q`, names and values in lower case and without quotation marks.
    pub parameters: Vec<(String, String)>,
    /// Thousandths from 0, which refuses the value, to 1000, which is also that of an item without `q`.
    pub quality: u16,
}

impl Preference {
    /// An item; nothing where its weight is none.
    #[must_use]
    pub fn parse(item: &str) -> Option<Self> {
        let mut parts = item.split(';').map(|part| part.trim().to_ascii_lowercase());
        let mut preference = Self {
            value: parts.next().unwrap_or_default(),
            parameters: Vec::new(),
            quality: 1_000,
        };
        for part in parts {
            let Some((name, value)) = part.split_once('=') else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            match name {
                "q" => preference.quality = parse_quality(value)?,
                name => preference.parameters.push((name.into(), value.into())),
            }
        }
        Some(preference)
    }

    /// Whether a charset is named that is not UTF-8.
    #[must_use]
    pub fn is_other_charset(&self) -> bool {
        let mut parameters = self.parameters.iter();
        parameters.any(|(name, value)| name == "charset" && value != "utf-8")
    }
}

/// What a client prefers, in its order.
pub fn list_preferences(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Preference> {
    list_header_items(headers, name).filter_map(Preference::parse)
}

/// A weight as RFC 9110 writes it: at most three decimals, and not above 1.
fn parse_quality(quality: &str) -> Option<u16> {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match whole {
        "0" => format!("{fraction:0<3}").parse().ok(),
        "1" if fraction.bytes().all(|byte| byte == b'0') => Some(1_000),
        _ => None,
    }
}

/// Whether `Content-Type` says that a body is JSON in UTF-8.
#[must_use]
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    Preference::parse(value)
        .is_some_and(|said| said.value == "application/json" && !said.is_other_charset())
}

/// Whether the client takes gzip by name. `*` is not enough: who sends it has not thought of codings.
#[must_use]
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    list_preferences(headers, header::ACCEPT_ENCODING)
        .any(|coding| coding.value == "gzip" && coding.quality > 0)
}

/// The tag of an answer: equal tags, equal answers, so that a client is not sent again what it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTag(String);

impl EntityTag {
    /// A tag of everything that an answer depends on, or of the answer itself.
    #[must_use]
    pub fn strong(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // With its length, so that ["ab", "c"] and ["a", "bc"] differ.
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash.finalize())))
    }

    /// The same for an answer whose bytes may differ, by its compression for example.
    #[must_use]
    pub fn weak(parts: &[&[u8]]) -> Self {
        Self(format!("W/{}", Self::strong(parts).0))
    }

    /// Whether `If-None-Match` names this tag. The comparison is the weak one, as RFC 9110 wants it there.
    #[must_use]
    pub fn matches_if_none_match(&self, headers: &HeaderMap) -> bool {
        let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
        let this = opaque(&self.0);
        list_header_items(headers, header::IF_NONE_MATCH)
            .any(|one| one == "*" || opaque(one) == this)
    }

    /// Writes it into the headers of an answer.
    pub fn insert_into(&self, headers: &mut HeaderMap) {
        if let Ok(tag) = HeaderValue::from_str(&self.0) {
            headers.insert(header::ETAG, tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header"))])
    }

    #[test]
    fn only_json_in_utf8_is_json() {
        for (content_type, wanted) in [
            ("application/json", true),
            ("Application/JSON; charset=\"UTF-8\"", true),
            ("application/json; charset=utf-16", false),
            ("application/jsonp", false),
            ("text/plain", false),
        ] {
            let headers = headers(header::CONTENT_TYPE, content_type);
            assert_eq!(is_json(&headers), wanted, "{content_type}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn weights_have_three_decimals_at_most() {
        for (item, wanted) in [
            ("gzip", Some(1_000)),
            ("gzip;q=0", Some(0)),
            ("gzip; Q=0.5", Some(500)),
            ("gzip;q=0.025", Some(25)),
            ("gzip;q=1.000", Some(1_000)),
            ("gzip;q=1.001", None),
            ("gzip;q=2", None),
            ("gzip;q=0.1234", None),
            ("gzip;q=-1", None),
        ] {
            let quality = Preference::parse(item).map(|one| one.quality);
            assert_eq!(quality, wanted, "{item}");
        }
    }

    #[test]
    fn gzip_is_taken_by_name_and_not_against_the_clients_wish() {
        for (accept, wanted) in [
            ("gzip", true),
            ("br, GZIP;q=0.1", true),
            ("deflate;q=1, gzip;q=1.0", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("*", false),
            ("br", false),
        ] {
            let headers = headers(header::ACCEPT_ENCODING, accept);
            assert_eq!(accepts_gzip(&headers), wanted, "{accept}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_tag_is_known_however_strong_it_was_sent() {
        let tag = EntityTag::strong(&[b"ab", b"c"]);
        assert_ne!(tag, EntityTag::strong(&[b"a", b"bc"]));
        let weak = EntityTag::weak(&[b"ab", b"c"]);
        let known = |sent: &str| tag.matches_if_none_match(&headers(header::IF_NONE_MATCH, sent));
        assert!(known(&tag.0) && known(&weak.0) && known("*"));
        assert!(known(&format!("\"other\", {}", tag.0)));
        assert!(!known("\"other\"") && !tag.matches_if_none_match(&HeaderMap::new()));
        assert!(weak.matches_if_none_match(&headers(header::IF_NONE_MATCH, &tag.0)));
    }
}
