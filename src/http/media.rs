//! Media types: which form of answer a client accepts, and whether what it sends is JSON; refuses to guess.

use axum::http::{HeaderMap, HeaderValue, header};

/// The forms in which a GraphQL answer can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status says whether the request ran.
    Response,
    /// `application/json`: the older form, in which a well-formed request is always answered with 200.
    Json,
}

impl Media {
    #[must_use]
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// The best form for this `Accept`; nothing where the client takes neither. No `Accept` means JSON.
#[must_use]
pub fn accepted(headers: &HeaderMap) -> Option<Media> {
    if !headers.contains_key(header::ACCEPT) {
        return Some(Media::Json);
    }
    let mut response = Preference::default();
    let mut json = Preference::default();
    let values = headers.get_all(header::ACCEPT).iter();
    for range in values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let Some((range, quality)) = weighed(range) else {
            continue;
        };
        match range.as_str() {
            "application/graphql-response+json" => response.hear(3, quality),
            "application/json" => json.hear(3, quality),
            "application/*" => {
                response.hear(2, quality);
                json.hear(2, quality);
            }
            "*/*" => {
                response.hear(1, quality);
                json.hear(1, quality);
            }
            _ => {}
        }
    }
    choose(response, json)
}

/// Quality in thousandths. What names a type says more than what names a family or all of them.
#[derive(Clone, Copy, Default)]
struct Preference {
    precision: u8,
    quality: u16,
}

impl Preference {
    fn hear(&mut self, precision: u8, quality: u16) {
        if precision > self.precision {
            *self = Self { precision, quality };
        } else if precision == self.precision {
            self.quality = self.quality.max(quality);
        }
    }
}

/// A client that names both alike knows the newer form; one that names neither gets the older.
fn choose(response: Preference, json: Preference) -> Option<Media> {
    let rank = |one: Preference| (one.quality, one.precision);
    match (response.quality, json.quality) {
        (0, 0) => None,
        _ if rank(response) > rank(json) => Some(Media::Response),
        _ if rank(response) == rank(json) && response.precision == 3 => Some(Media::Response),
        _ => Some(Media::Json),
    }
}

fn weighed(range: &str) -> Option<(String, u16)> {
    let (essence, parameters) = parts(range);
    let mut quality = 1_000;
    for (name, value) in parameters {
        match name.as_str() {
            "q" => quality = thousandths(&value)?,
            "charset" if value != "utf-8" => return None,
            _ => {}
        }
    }
    Some((essence, quality))
}

pub(super) fn thousandths(quality: &str) -> Option<u16> {
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

/// Whether a body is said to be JSON in UTF-8.
#[must_use]
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let (essence, mut parameters) = parts(value);
    essence == "application/json"
        && parameters.all(|(name, value)| name != "charset" || value == "utf-8")
}

/// A media type and its parameters, in lower case.
pub(super) fn parts(value: &str) -> (String, impl Iterator<Item = (String, String)>) {
    let mut parts = value
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    let essence = parts.next().unwrap_or_default();
    let parameters = parts.filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().into(), value.trim().trim_matches('"').into()))
    });
    (essence, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(accept: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        accepted(&headers)
    }

    #[test]
    fn without_accept_the_answer_is_json() {
        assert_eq!(accepted(&HeaderMap::new()), Some(Media::Json));
        assert_eq!(choice("*/*"), Some(Media::Json));
        assert_eq!(choice("application/*"), Some(Media::Json));
    }

    #[test]
    fn the_higher_quality_wins() {
        assert_eq!(
            choice("application/json;q=0.5, application/graphql-response+json;q=0.4"),
            Some(Media::Json)
        );
        assert_eq!(
            choice("application/json;q=0.9, Application/GraphQL-Response+JSON"),
            Some(Media::Response)
        );
        assert_eq!(choice("application/json, */*"), Some(Media::Json));
        assert_eq!(
            choice("*/*, application/graphql-response+json"),
            Some(Media::Response)
        );
        assert_eq!(
            choice("application/json, application/graphql-response+json"),
            Some(Media::Response)
        );
    }

    #[test]
    fn the_long_lists_of_common_clients_are_understood() {
        for (accept, wanted) in [
            (
                "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed",
                Media::Response,
            ),
            (
                "application/graphql-response+json,application/json;q=0.9",
                Media::Response,
            ),
            (
                "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9",
                Media::Response,
            ),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Media::Json,
            ),
            ("application/json, text/plain, */*", Media::Json),
        ] {
            assert_eq!(choice(accept), Some(wanted), "{accept}");
        }
    }

    #[test]
    fn what_is_refused_is_not_chosen() {
        assert_eq!(choice("text/html"), None);
        assert_eq!(choice("*/*;q=0"), None);
        assert_eq!(choice("application/json;q=0, */*"), Some(Media::Response));
        assert_eq!(
            choice("application/graphql-response+json;q=0, */*;q=0.1"),
            Some(Media::Json)
        );
        assert_eq!(choice("application/json;charset=latin1"), None);
        assert_eq!(choice("application/json; charset=UTF-8"), Some(Media::Json));
        assert_eq!(choice("application/json;q=2"), None);
        assert_eq!(choice(""), None);
    }

    #[test]
    fn only_json_in_utf8_is_json() {
        let is = |content_type: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
            is_json(&headers)
        };
        assert!(is("application/json"));
        assert!(is("Application/JSON; charset=\"UTF-8\""));
        assert!(!is("application/json; charset=utf-16"));
        assert!(!is("application/jsonp"));
        assert!(!is("text/plain"));
        assert!(!is_json(&HeaderMap::new()));
    }
}
