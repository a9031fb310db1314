//! Where a request comes from, as far as its connection and the proxies in front say. What anybody could have written
//! is not believed.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Once,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header, request::Parts},
};

use super::negotiate::list_header_items;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a request comes from, as far as its connection and its headers say.
pub struct RequestSource {
    peer: IpAddr,
    /// What the proxies in front have added, the nearest last.
    forwarded: Vec<String>,
    user_agent: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for RequestSource {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::from_request(&parts.extensions, &parts.headers))
    }
}

impl RequestSource {
    /// Where a request with these headers comes from.
    #[must_use]
    pub fn from_request(extensions: &Extensions, headers: &HeaderMap) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        // Without a peer, as inside a test, everybody comes from one network.
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
        Self {
            peer: peer.map_or(unknown, |ConnectInfo(peer)| peer.ip()),
            forwarded: list_header_items(headers, FORWARDED_FOR)
                .map(str::to_owned)
                .collect(),
            user_agent: headers.get(header::USER_AGENT).and_then(text),
        }
    }

    /// The address of the client behind so many trusted proxies: what lies further left anybody can write.
    #[must_use]
    pub fn address(&self, hops: usize) -> IpAddr {
        if hops == 0 && !self.forwarded.is_empty() {
            warn_once_of_proxies();
        }
        let said = hops
            .checked_sub(1)
            .and_then(|behind| self.forwarded.iter().rev().nth(behind));
        said.and_then(|text| parse_address(text))
            .unwrap_or(self.peer)
    }

    /// What the client says it is.
    #[must_use]
    pub fn user_agent(self) -> Option<String> {
        self.user_agent
    }
}

/// Says once that all who come by a proxy are taken for one client: they share its connections, and the failed
/// sign-ins of each are those of all.
fn warn_once_of_proxies() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            "requests come with X-Forwarded-For, which is not read: behind a proxy, set --forwarded-hops to how many \
             there are, or everybody is taken for one client"
        );
    });
}

/// An address as proxies write it, some with a port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.unwrap_or(text).parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(forwarded: &[&str]) -> RequestSource {
        RequestSource {
            peer: "192.0.2.1".parse().expect("an address"),
            forwarded: forwarded.iter().map(|&text| text.to_owned()).collect(),
            user_agent: None,
        }
    }

    fn from(forwarded: &[&str], hops: usize) -> String {
        client(forwarded).address(hops).to_string()
    }

    #[test]
    fn without_trusted_proxies_the_header_says_nothing() {
        assert_eq!(from(&["203.0.113.7"], 0), "192.0.2.1");
    }

    #[test]
    fn behind_proxies_the_entry_of_the_outermost_trusted_one_counts() {
        let said = [" 10.9.9.9", " 203.0.113.7 ", "198.51.100.2:4711"];
        assert_eq!(from(&said, 1), "198.51.100.2");
        assert_eq!(from(&said, 2), "203.0.113.7");
        assert_eq!(from(&said, 4), "192.0.2.1");
        assert_eq!(from(&["nonsense"], 1), "192.0.2.1");
        assert_eq!(from(&["[2001:db8::1]"], 1), "2001:db8::1");
        assert_eq!(from(&["[2001:db8::1]:443"], 1), "2001:db8::1");
    }
}
