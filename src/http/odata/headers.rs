//! The headers of OData: `Accept` and `$format` for the level of metadata, `Prefer` for the size of a page, and the
//! versions that a client speaks.

use axum::http::{HeaderMap, HeaderName, header};
use odata_filter::Fault;

use crate::http::negotiate::{Preference, list_preferences};

pub const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");
pub const ODATA_MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
pub const PREFER: HeaderName = HeaderName::from_static("prefer");
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How much an answer says besides the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataLevel {
    /// `odata.metadata=none`: nothing that a program could know by itself.
    Bare,
    /// `odata.metadata=minimal`, and what `full` is answered with: rows have no links, and their types follow from
    /// `$metadata`, so that there is nothing more to tell.
    Minimal,
}

impl MetadataLevel {
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Bare => "application/json;odata.metadata=none",
            Self::Minimal => "application/json;odata.metadata=minimal",
        }
    }
}

/// The level that a client asks for; nothing where it takes no JSON. `$format` goes before `Accept`.
#[must_use]
pub fn negotiate_metadata_level(
    headers: &HeaderMap,
    format: Option<&str>,
) -> Option<MetadataLevel> {
    match format {
        Some("json") => return Some(MetadataLevel::Minimal),
        // The standard has `$format` before `Accept`: an address can carry it where no header can be set.
        Some(format) => return media_range_metadata_level(&Preference::parse(format)?),
        None if !headers.contains_key(header::ACCEPT) => return Some(MetadataLevel::Minimal),
        None => {}
    }
    let mut best: Option<(u16, MetadataLevel)> = None;
    for range in list_preferences(headers, header::ACCEPT) {
        let Some(level) = media_range_metadata_level(&range) else {
            continue;
        };
        // Of equal weights the first one is meant.
        if range.quality > best.map_or(0, |(quality, _)| quality) {
            best = Some((range.quality, level));
        }
    }
    best.map(|(_, level)| level)
}

/// The level that a media range asks for; nothing where it does not include JSON.
fn media_range_metadata_level(range: &Preference) -> Option<MetadataLevel> {
    if !["application/json", "application/*", "*/*"].contains(&range.value.as_str()) {
        return None;
    }
    let is_bare = |(name, value): &(String, String)| {
        // The short name is that of OData 4.01.
        matches!(name.as_str(), "odata.metadata" | "metadata") && value == "none"
    };
    Some(match range.parameters.iter().any(is_bare) {
        true => MetadataLevel::Bare,
        false => MetadataLevel::Minimal,
    })
}

/// Rows of a page as `Prefer` asks for them; nothing where it does not, or for none.
#[must_use]
pub fn preferred_page_size(headers: &HeaderMap) -> Option<u64> {
    let values = headers.get_all(PREFER).iter();
    let mut preferences = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split([',', ';']));
    let size = preferences.find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        let known = ["odata.maxpagesize", "maxpagesize"];
        let name = name.trim().to_ascii_lowercase();
        known
            .contains(&name.as_str())
            .then(|| value.trim().trim_matches('"'))
    })?;
    size.parse().ok().filter(|size| *size > 0)
}

/// The fault of a client that does not understand answers of version 4.0.
#[must_use]
pub fn version_fault(headers: &HeaderMap) -> Option<Fault> {
    let said = |name| {
        let value = headers.get(name)?.to_str().unwrap_or_default();
        Some(
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
        )
    };
    let version = said(ODATA_VERSION);
    if version.is_some_and(|version| !["4.0", "4.01"].contains(&version.as_str())) {
        return Some(Fault::bad_request("`OData-Version` is 4.0 or 4.01."));
    }
    let newest = said(ODATA_MAX_VERSION);
    let major = |version: String| version.split('.').next()?.parse::<u32>().ok();
    // What cannot be read as a version counts as too old: an answer that is not understood does more harm than a
    // refusal.
    let too_old = |version: String| major(version).is_none_or(|major| major < 4);
    newest.is_some_and(too_old).then(|| {
        Fault::bad_request("Answers are of OData 4.0: `OData-MaxVersion` is 4.0 or later.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header"))])
    }

    #[test]
    fn what_clients_accept_is_answered() {
        let power_query = "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,\
                           application/atomsvc+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7";
        for (accept, wanted) in [
            (power_query, Some(MetadataLevel::Minimal)),
            ("application/json", Some(MetadataLevel::Minimal)),
            (
                "application/json;odata.metadata=full",
                Some(MetadataLevel::Minimal),
            ),
            (
                "application/json;odata.metadata=none",
                Some(MetadataLevel::Bare),
            ),
            (
                "application/json;metadata=none;charset=utf-8",
                Some(MetadataLevel::Bare),
            ),
            (
                "application/json;q=0.5, application/json;odata.metadata=none",
                Some(MetadataLevel::Bare),
            ),
            (
                "text/html,application/xml;q=0.9,*/*;q=0.8",
                Some(MetadataLevel::Minimal),
            ),
            ("application/atom+xml", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(
                negotiate_metadata_level(&headers(header::ACCEPT, accept), None),
                wanted,
                "{accept}"
            );
        }
        assert_eq!(
            negotiate_metadata_level(&HeaderMap::new(), None),
            Some(MetadataLevel::Minimal)
        );
        let atom = headers(header::ACCEPT, "application/atom+xml");
        assert_eq!(
            negotiate_metadata_level(&atom, Some("json")),
            Some(MetadataLevel::Minimal)
        );
        assert_eq!(negotiate_metadata_level(&atom, Some("xml")), None);
        assert_eq!(
            negotiate_metadata_level(&atom, Some("application/json;odata.metadata=none")),
            Some(MetadataLevel::Bare)
        );
    }

    #[test]
    fn a_page_is_as_large_as_preferred() {
        for (prefer, wanted) in [
            ("odata.maxpagesize=50", Some(50)),
            ("respond-async, MaxPageSize = 7", Some(7)),
            ("odata.maxpagesize=0", None),
            ("odata.maxpagesize=many", None),
            ("return=minimal", None),
        ] {
            assert_eq!(
                preferred_page_size(&headers(PREFER, prefer)),
                wanted,
                "{prefer}"
            );
        }
    }

    #[test]
    fn versions_before_the_fourth_are_refused() {
        for (name, value, refused) in [
            (ODATA_VERSION, "4.0", false),
            (ODATA_VERSION, "4.01", false),
            (ODATA_VERSION, "3.0", true),
            (ODATA_MAX_VERSION, "4.0", false),
            (ODATA_MAX_VERSION, "4.01", false),
            (ODATA_MAX_VERSION, "5.0", false),
            (ODATA_MAX_VERSION, "3.0;NetFx", true),
            (ODATA_MAX_VERSION, "new", true),
        ] {
            let told = version_fault(&headers(name.clone(), value));
            assert_eq!(told.is_some(), refused, "{name}: {value}");
        }
    }
}
