//! What the headers of a request ask of its answer: how much is told about the rows, how many come at once, and which
//! version of OData is understood. The answer is JSON.

use axum::http::{HeaderMap, HeaderName, header};

use odata_filter::Fault;

use crate::http::media::{parts, thousandths};

pub const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");
pub const ODATA_MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
pub const PREFER: HeaderName = HeaderName::from_static("prefer");

/// How much an answer tells besides the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// `odata.metadata=none`: nothing that a program could know by itself.
    Bare,
    /// `odata.metadata=minimal`, and what `full` is answered with: rows have no links, and their types follow from
    /// `$metadata`, so that there is nothing more to tell.
    Minimal,
}

impl Level {
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Bare => "application/json;odata.metadata=none",
            Self::Minimal => "application/json;odata.metadata=minimal",
        }
    }
}

/// How rows are answered; nothing where the client takes no JSON. `$format` says more than the header.
#[must_use]
pub fn level(headers: &HeaderMap, format: Option<&str>) -> Option<Level> {
    if let Some(format) = format {
        return match format {
            "json" => Some(Level::Minimal),
            format => weighed(format).map(|(_, level)| level),
        };
    }
    if !headers.contains_key(header::ACCEPT) {
        return Some(Level::Minimal);
    }
    let values = headers.get_all(header::ACCEPT).iter();
    let mut best: Option<(u16, Level)> = None;
    let ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','));
    for (quality, level) in ranges.filter_map(weighed) {
        // Of those that are liked alike the first one is meant.
        if quality > best.map_or(0, |(quality, _)| quality) {
            best = Some((quality, level));
        }
    }
    best.map(|(_, level)| level)
}

/// How much a range of media types is liked, and what it asks for, where it takes JSON.
fn weighed(range: &str) -> Option<(u16, Level)> {
    let (essence, parameters) = parts(range);
    if !["application/json", "application/*", "*/*"].contains(&essence.as_str()) {
        return None;
    }
    let (mut quality, mut level) = (1_000, Level::Minimal);
    for (name, value) in parameters {
        match (name.as_str(), value.as_str()) {
            ("q", value) => quality = thousandths(value)?,
            // The short name is that of OData 4.01.
            ("odata.metadata" | "metadata", "none") => level = Level::Bare,
            _ => {}
        }
    }
    Some((quality, level))
}

/// How many rows a page is to have, where the client prefers something that can be had.
#[must_use]
pub fn page_size(headers: &HeaderMap) -> Option<u64> {
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

/// What is wrong with the versions that a client speaks: answers are of version 4.0.
#[must_use]
pub fn refused_version(headers: &HeaderMap) -> Option<Fault> {
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
        return Some(Fault::bad("`OData-Version` is 4.0 or 4.01."));
    }
    let newest = said(ODATA_MAX_VERSION);
    let major = |version: String| version.split('.').next()?.parse::<u32>().ok();
    let too_old = |version: String| major(version).is_none_or(|major| major < 4);
    newest
        .is_some_and(too_old)
        .then(|| Fault::bad("Answers are of OData 4.0: `OData-MaxVersion` is 4.0 or later."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header"))])
    }

    #[test]
    fn what_clients_accept_is_answered() {
        let power_query = "application/json;odata.metadata=minimal;q=1.0,application/json;odata=minimalmetadata;q=0.9,\
                           application/atomsvc+xml;q=0.8,application/xml;q=0.7,text/plain;q=0.7";
        for (accept, wanted) in [
            (power_query, Some(Level::Minimal)),
            ("application/json", Some(Level::Minimal)),
            ("application/json;odata.metadata=full", Some(Level::Minimal)),
            ("application/json;odata.metadata=none", Some(Level::Bare)),
            (
                "application/json;metadata=none;charset=utf-8",
                Some(Level::Bare),
            ),
            (
                "application/json;q=0.5, application/json;odata.metadata=none",
                Some(Level::Bare),
            ),
            (
                "text/html,application/xml;q=0.9,*/*;q=0.8",
                Some(Level::Minimal),
            ),
            ("application/atom+xml", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(level(&of(header::ACCEPT, accept), None), wanted, "{accept}");
        }
        assert_eq!(level(&HeaderMap::new(), None), Some(Level::Minimal));
        let atom = of(header::ACCEPT, "application/atom+xml");
        assert_eq!(level(&atom, Some("json")), Some(Level::Minimal));
        assert_eq!(level(&atom, Some("xml")), None);
        assert_eq!(
            level(&atom, Some("application/json;odata.metadata=none")),
            Some(Level::Bare)
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
            assert_eq!(page_size(&of(PREFER, prefer)), wanted, "{prefer}");
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
            let told = refused_version(&of(name.clone(), value));
            assert_eq!(told.is_some(), refused, "{name}: {value}");
        }
    }
}
