//! Addresses of the service: its root as the client sees it, and the resource that a path names.

use axum::http::{HeaderMap, HeaderName, Uri, header};

use odata_filter::{Literal, parse_key};

use crate::{
    bi::{catalogue, model::dataset::Dataset},
    http::forwarded::{forwarded_prefix, forwarded_value},
};

/// The path of the service.
pub const ROOT: &str = "/bi/odata/v4/";

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The address of the service. OData lets links be relative, but the library behind Power Query and Excel, and with it
/// most of what they can reach, reads an `@odata.context` only where it is absolute; so every link is.
///
/// Scheme, host and the beginning of the path are what the outermost of the trusted proxies says, as with
/// X-Forwarded-For: a proxy that takes TLS off, has another name or takes a part of the path away would otherwise see its
/// clients sent past it.
#[must_use]
pub fn service_root(headers: &HeaderMap, uri: &Uri, hops: usize) -> String {
    let named = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(|authority| authority.as_str());
    let host = [
        forwarded_value(headers, FORWARDED_HOST, hops),
        named,
        authority,
    ];
    let prefix = forwarded_prefix(headers, hops);
    // The host is the client's own word and goes into links and JSON.
    match host.into_iter().flatten().find(|host| is_plain_host(host)) {
        Some(host) => {
            let scheme = match forwarded_value(headers, FORWARDED_PROTO, hops) {
                Some(said) if said.eq_ignore_ascii_case("https") => "https",
                _ => "http",
            };
            format!("{scheme}://{host}{prefix}{ROOT}")
        }
        None => format!("{prefix}{ROOT}"),
    }
}

/// Whether it has only letters that a host can have.
fn is_plain_host(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    !host.is_empty() && host.chars().all(plain)
}

/// A resource of the service.
#[derive(Clone)]
pub enum ODataResource {
    /// The service document, which lists the entity sets.
    Service,
    /// `$metadata`.
    Metadata,
    Rows(&'static Dataset),
    Count(&'static Dataset),
    Row(&'static Dataset, Literal),
}

/// Why there is nothing at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoResourceReason {
    /// There is no such thing.
    Missing,
    /// The key cannot be read.
    Key,
    /// OData has such addresses, and they are not offered.
    Unsupported,
}

/// The resource of a path below the root.
pub fn parse_resource(path: &str) -> Result<ODataResource, NoResourceReason> {
    let path = path.strip_suffix('/').unwrap_or(path);
    match path {
        "" => return Ok(ODataResource::Service),
        "$metadata" => return Ok(ODataResource::Metadata),
        path if path.starts_with('$') => return Err(NoResourceReason::Unsupported),
        _ => {}
    }
    let (first, rest) = match path.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let (name, key) = match first.split_once('(') {
        Some((name, key)) => (name, Some(key)),
        None => (first, None),
    };
    let dataset = catalogue::find_dataset(name).ok_or(NoResourceReason::Missing)?;
    match (key, rest) {
        (None, None) => Ok(ODataResource::Rows(dataset)),
        (None, Some("$count")) => Ok(ODataResource::Count(dataset)),
        (Some(key), None) => {
            let key = key.strip_suffix(')').and_then(parse_key);
            let (name, key) = key.ok_or(NoResourceReason::Key)?;
            match name.is_none_or(|name| name == dataset.key) {
                true => Ok(ODataResource::Row(dataset, key)),
                false => Err(NoResourceReason::Key),
            }
        }
        (_, Some(_)) => Err(NoResourceReason::Unsupported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::forwarded::FORWARDED_PREFIX;

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        let list = list.iter();
        list.map(|(name, value)| (name.clone(), value.parse().expect("a header")))
            .collect()
    }

    fn seen(list: &[(HeaderName, &str)], hops: usize) -> String {
        service_root(&headers(list), &Uri::from_static("/bi/odata/v4/kpis"), hops)
    }

    #[test]
    fn the_service_lies_where_its_client_sees_it() {
        let host = (header::HOST, "cx.example.org:8080");
        assert_eq!(
            seen(std::slice::from_ref(&host), 0),
            "http://cx.example.org:8080/bi/odata/v4/"
        );
        let behind = [host.clone(), (FORWARDED_PROTO, "https")];
        assert_eq!(seen(&behind, 0), "http://cx.example.org:8080/bi/odata/v4/");
        assert_eq!(seen(&behind, 1), "https://cx.example.org:8080/bi/odata/v4/");
        assert_eq!(seen(&behind, 2), "https://cx.example.org:8080/bi/odata/v4/");
        let two = [host, (FORWARDED_PROTO, "gopher, https, http")];
        assert_eq!(seen(&two, 2), "https://cx.example.org:8080/bi/odata/v4/");
        assert_eq!(seen(&two, 1), "http://cx.example.org:8080/bi/odata/v4/");
        let renamed = [
            (header::HOST, "10.0.0.7:8080"),
            (FORWARDED_HOST, "cx.example.org"),
            (FORWARDED_PROTO, "https"),
            (FORWARDED_PREFIX, "/blueprints/"),
        ];
        assert_eq!(seen(&renamed, 0), "http://10.0.0.7:8080/bi/odata/v4/");
        assert_eq!(
            seen(&renamed, 1),
            "https://cx.example.org/blueprints/bi/odata/v4/"
        );
        for odd in [
            "//evil.example",
            "blueprints",
            "/a?b",
            "/a\"b",
            "/a b",
            "",
            "/",
        ] {
            let odd = [(header::HOST, "a"), (FORWARDED_PREFIX, odd)];
            assert_eq!(seen(&odd, 1), "http://a/bi/odata/v4/", "{odd:?}");
        }
        assert_eq!(seen(&[(header::HOST, "a\"b")], 0), "/bi/odata/v4/");
        assert_eq!(seen(&[], 0), "/bi/odata/v4/");
    }

    #[test]
    fn paths_lead_to_datasets_their_rows_and_their_numbers() {
        for (path, wanted) in [
            ("", "Service"),
            ("$metadata", "Metadata"),
            ("kpis", "Rows"),
            ("kpis/", "Rows"),
            ("kpis/$count", "Count"),
            ("kpis('kpi_1')", "Row"),
            ("kpis(kpi_id='kpi_1')", "Row"),
            ("dates(2025-03-01)", "Row"),
            ("kpis(key='kpi_1')", "Key"),
            ("kpis()", "Key"),
            ("kpis('kpi_1'", "Key"),
            ("kpis('a','b')", "Key"),
            ("kpi", "Missing"),
            ("$batch", "Unsupported"),
            ("$crossjoin(kpis,dates)", "Unsupported"),
            ("kpis('kpi_1')/kpi_key", "Unsupported"),
            ("kpis/$ref", "Unsupported"),
        ] {
            let told = match parse_resource(path) {
                Ok(ODataResource::Service) => "Service",
                Ok(ODataResource::Metadata) => "Metadata",
                Ok(ODataResource::Rows(_)) => "Rows",
                Ok(ODataResource::Count(_)) => "Count",
                Ok(ODataResource::Row(..)) => "Row",
                Err(NoResourceReason::Missing) => "Missing",
                Err(NoResourceReason::Key) => "Key",
                Err(NoResourceReason::Unsupported) => "Unsupported",
            };
            assert_eq!(told, wanted, "{path}");
        }
    }
}
