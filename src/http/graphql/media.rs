//! The media types of a GraphQL answer, and which of them a client accepts.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::http::negotiate::list_preferences;

/// The media types in which a GraphQL answer can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/graphql-response+json`: the status says whether the request ran.
    Response,
    /// `application/json`: the older type, with which a well-formed request is always answered with 200.
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

/// The type that `Accept` likes best; nothing where it takes neither. No `Accept` means JSON.
#[must_use]
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Media> {
    // The specification of GraphQL over HTTP would allow the newer type as well; a client that says nothing is likely
    // to be an old one or a script.
    if !headers.contains_key(header::ACCEPT) {
        return Some(Media::Json);
    }
    let (mut response, mut json) = (Liking::default(), Liking::default());
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
struct Liking {
    /// 3 for the type itself, 2 for its family, 1 for `*/*`, 0 for none.
    precision: u8,
    /// In thousandths.
    quality: u16,
}

impl Liking {
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
fn choose_media(response: Liking, json: Liking) -> Option<Media> {
    let rank = |one: Liking| (one.quality, one.precision);
    match (response.quality, json.quality) {
        // A weight of zero refuses a type, as does no range that names it.
        (0, 0) => None,
        _ if rank(response) > rank(json) => Some(Media::Response),
        _ if rank(response) == rank(json) && response.precision == 3 => Some(Media::Response),
        _ => Some(Media::Json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(accept: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        negotiate(&headers)
    }

    #[test]
    fn without_accept_the_answer_is_json() {
        assert_eq!(negotiate(&HeaderMap::new()), Some(Media::Json));
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
}
