//! Which hosts requests may name. A server behind a proxy takes any; what listens on this machine alone, with a password
//! that everybody knows, takes none but this machine's own names: a page of somebody else could otherwise let a name of
//! its own lead here, and would then be no other origin.

use axum::{
    extract::{Extension, Request},
    http::{StatusCode, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::{problem::problem_response, request_id::RequestId};
use crate::error::Code;

/// The hosts that requests may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServedHosts {
    Any,
    /// `localhost`, its subdomains, and the addresses of loopback, at any port.
    Loopback,
}

impl ServedHosts {
    fn includes(self, request: &Request) -> bool {
        match self {
            Self::Any => true,
            Self::Loopback => named_host(request).is_some_and(|host| is_loopback(&host)),
        }
    }
}

/// Refuses a request that names another host.
pub(super) async fn refuse_other_hosts(
    hosts: ServedHosts,
    Extension(id): Extension<RequestId>,
    request: Request,
    next: Next,
) -> Response {
    if hosts.includes(&request) {
        return next.run(request).await;
    }
    let message =
        "This server answers to localhost and 127.0.0.1 only, and the request names another host.";
    let status = StatusCode::MISDIRECTED_REQUEST;
    problem_response(status, Code::Forbidden, message, &id)
}

/// The host that a request names: in its address (HTTP/2) or its header.
fn named_host(request: &Request) -> Option<String> {
    let host = match request.uri().authority() {
        Some(authority) => authority.clone(),
        None => {
            let header = request.headers().get(header::HOST)?;
            Authority::try_from(header.as_bytes()).ok()?
        }
    };
    Some(host.host().to_ascii_lowercase())
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let named = host == "localhost" || host.ends_with(".localhost");
    named
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for (host, served) in [
            ("localhost:8080", true),
            ("LOCALHOST", true),
            ("cx.localhost:1", true),
            ("127.0.0.1:8080", true),
            ("127.1.2.3", true),
            ("[::1]:8080", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.nip.io", false),
            ("0.0.0.0:8080", false),
            ("192.168.0.7", false),
            ("", false),
        ] {
            let request = Request::builder().header(header::HOST, host);
            let request = request.body(axum::body::Body::empty()).expect("a request");
            assert_eq!(ServedHosts::Loopback.includes(&request), served, "{host}");
            assert!(ServedHosts::Any.includes(&request));
        }
        let nameless = Request::new(axum::body::Body::empty());
        assert!(!ServedHosts::Loopback.includes(&nameless));
    }
}
