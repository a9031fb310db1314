//! The media types of a GraphQL answer, and which of them a client accepts.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::http::negotiate::list_preferences;

/// The media types in which a GraphQL answer can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: the status says whether the request ran.
    Response,
    /// `application/json`: the older type, with which a well-formed request is always answered with 200.
    Json,
}

impl MediaType {
    #[must_use]
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// The type that `Accept` likes best; nothing where it takes neither. No `Accept` means JSON.
#[must_use]
pub(super) fn negotiate_media(headers: &HeaderMap) -> Option<MediaType> {
    // The specification of GraphQL over HTTP would allow the newer type as well; a client that says nothing is likely
    // to be an old one or a script.
    if !headers.contains_key(header::ACCEPT) {
        return Some(MediaType::Json);
    }
    let (mut response, mut json) = (MediaPreference::default(), MediaPreference::default());
    for range in list_preferences(headers, header::ACCEPT).filter(|range| !range.is_other_charset())
    {
        let quality = range.quality;
        match range.value.as_str() {
            "application/graphql-response+json" => response.add(3, quality),
            "application/json" => json.add(3, quality),
            "application/*" => {
                response.add(2, quality);
                json.add(2, quality);
            }
            "*/*" => {
                response.add(1, quality);
                json.add(1, quality);
            }
            _ => {}
        }
    }
    choose_media(response, json)
}

/// How much a client likes one media type: by the most precise range that names it, whatever wider ones say.
#[derive(Clone, Copy, Default)]
struct MediaPreference {
    /// 3 for the type itself, 2 for its family, 1 for `*/*`, 0 for none.
    precision: u8,
    /// In thousandths.
    quality: u16,
}

impl MediaPreference {
    fn add(&mut self, precision: u8, quality: u16) {
        if precision > self.precision {
            *self = Self { precision, quality };
        } else if precision == self.precision {
            // The same range twice: the kinder of the two counts.
            self.quality = self.quality.max(quality);
        }
    }
}

/// A client that names both alike knows the newer type; one that names neither gets the older.
fn choose_media(response: MediaPreference, json: MediaPreference) -> Option<MediaType> {
    let rank = |one: MediaPreference| (one.quality, one.precision);
    match (response.quality, json.quality) {
        // A weight of zero refuses a type, as does no range that names it.
        (0, 0) => None,
        _ if rank(response) > rank(json) => Some(MediaType::Response),
        _ if rank(response) == rank(json) && response.precision == 3 => Some(MediaType::Response),
        _ => Some(MediaType::Json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(accept: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        negotiate_media(&headers)
    }

    #[test]
    fn without_accept_the_answer_is_json() {
        assert_eq!(negotiate_media(&HeaderMap::new()), Some(MediaType::Json));
        assert_eq!(choice("*/*"), Some(MediaType::Json));
        assert_eq!(choice("application/*"), Some(MediaType::Json));
    }

    #[test]
    fn the_higher_quality_wins() {
        assert_eq!(
            choice("application/json;q=0.5, application/graphql-response+json;q=0.4"),
            Some(MediaType::Json)
        );
        assert_eq!(
            choice("application/json;q=0.9, Application/GraphQL-Response+JSON"),
            Some(MediaType::Response)
        );
        assert_eq!(choice("application/json, */*"), Some(MediaType::Json));
        assert_eq!(
            choice("*/*, application/graphql-response+json"),
            Some(MediaType::Response)
        );
        assert_eq!(
            choice("application/json, application/graphql-response+json"),
            Some(MediaType::Response)
        );
    }

    #[test]
    fn the_long_lists_of_common_clients_are_understood() {
        for (accept, wanted) in [
            (
                "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed",
                MediaType::Response,
            ),
            (
                "application/graphql-response+json,application/json;q=0.9",
                MediaType::Response,
            ),
            (
                "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9",
                MediaType::Response,
            ),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                MediaType::Json,
            ),
            ("application/json, text/plain, */*", MediaType::Json),
        ] {
            assert_eq!(choice(accept), Some(wanted), "{accept}");
        }
    }

    #[test]
    fn what_is_refused_is_not_chosen() {
        assert_eq!(choice("text/html"), None);
        assert_eq!(choice("*/*;q=0"), None);
        assert_eq!(
            choice("application/json;q=0, */*"),
            Some(MediaType::Response)
        );
        assert_eq!(
            choice("application/graphql-response+json;q=0, */*;q=0.1"),
            Some(MediaType::Json)
        );
        assert_eq!(choice("application/json;charset=latin1"), None);
        assert_eq!(
            choice("application/json; charset=UTF-8"),
            Some(MediaType::Json)
        );
        assert_eq!(choice("application/json;q=2"), None);
        assert_eq!(choice(""), None);
    }
}
