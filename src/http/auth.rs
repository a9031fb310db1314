//! Signing in over HTTP: login, refresh, logout, and whom a request's token stands for. One request tries
//! one password: that is why none of it is GraphQL.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    Json,
    body::to_bytes,
    extract::{ConnectInfo, Extension, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{App, Peer, RequestId, graphql, media};
use crate::{
    access::{self, Caller},
    account::session::{Attempt, Desk, Tokens},
    error::{Code, Error},
    token::service::Secret,
};

/// Bytes of the longest body.
const BODY: usize = 16 * 1024;
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

#[derive(Deserialize)]
struct Login {
    login: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    refresh_token: String,
}

/// `POST /auth/login`: a login and a password for a pair of tokens.
pub async fn login(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    client: Client,
    request: Request,
) -> Response {
    let wanted = "`login` and `password`";
    let Login { login, password } = match read(request, wanted, &id).await {
        Ok(login) => login,
        Err(response) => return response,
    };
    let attempt = Attempt {
        login,
        password,
        network: client.address(app.forwarded_hops),
        user_agent: client.user_agent,
    };
    given(desk(&app, &id).sign_in(attempt).await, &id)
}

/// `POST /auth/refresh`: a refresh token for the next pair of tokens.
pub async fn refresh(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    match read::<Token>(request, "`refreshToken`", &id).await {
        Ok(token) => given(desk(&app, &id).refresh(&token.refresh_token).await, &id),
        Err(response) => response,
    }
}

/// `POST /auth/logout`: ends the session of a refresh token.
pub async fn logout(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let token = match read::<Token>(request, "`refreshToken`", &id).await {
        Ok(token) => token,
        Err(response) => return response,
    };
    match desk(&app, &id).sign_out(&token.refresh_token).await {
        Ok(()) => unkept(StatusCode::NO_CONTENT.into_response()),
        Err(error) => failed(&error, &id),
    }
}

fn desk<'a>(app: &'a App, id: &'a RequestId) -> Desk<'a> {
    Desk {
        store: &app.store,
        clock: &app.clock,
        key: &app.key,
        request_id: &id.0,
    }
}

fn given(result: crate::error::Result<Tokens>, id: &RequestId) -> Response {
    match result {
        Ok(tokens) => unkept(Json(tokens).into_response()),
        Err(error) => failed(&error, id),
    }
}

/// Reads a small JSON body; what it should hold is told where it does not.
async fn read<T: DeserializeOwned>(
    request: Request,
    wanted: &str,
    id: &RequestId,
) -> Result<T, Response> {
    if !media::is_json(request.headers()) {
        return Err(problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::BadUserInput,
            "Send the body as `application/json`.",
            id,
        ));
    }
    let bytes = to_bytes(request.into_body(), BODY).await.map_err(|_| {
        let message = format!("The body has at most {BODY} bytes and arrives whole.");
        problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::BadUserInput,
            &message,
            id,
        )
    })?;
    serde_json::from_slice(&bytes).map_err(|_| {
        let message = format!("The body is a JSON object with {wanted}, each a text.");
        problem(StatusCode::BAD_REQUEST, Code::BadUserInput, &message, id)
    })
}

/// Where a request comes from, as far as its connection and its headers say.
pub struct Client {
    peer: IpAddr,
    /// What the proxies in front have added, the nearest last.
    forwarded: Vec<String>,
    user_agent: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<Peer>();
        // Without a peer, as inside a test, everybody comes from one network.
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
        Ok(Self {
            peer: peer.map_or(unknown, |ConnectInfo(peer)| peer.ip()),
            forwarded: parts
                .headers
                .get_all(FORWARDED_FOR)
                .iter()
                .filter_map(text)
                .flat_map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>())
                .collect(),
            user_agent: parts.headers.get(header::USER_AGENT).and_then(text),
        })
    }
}

impl Client {
    /// The address of the client behind so many trusted proxies: what lies further left anybody can write.
    fn address(&self, hops: usize) -> IpAddr {
        let said = hops
            .checked_sub(1)
            .and_then(|behind| self.forwarded.iter().rev().nth(behind));
        said.and_then(|text| address(text)).unwrap_or(self.peer)
    }
}

/// An address as proxies write it, some with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.unwrap_or(text).parse().or_else(|_| with_port()).ok()
}

/// Who calls: whom the token in the `Authorization` header stands for, with the rights as they are now.
pub async fn bearer(app: &App, headers: &HeaderMap, id: &RequestId) -> Result<Caller, Error> {
    let token = authorization(headers, "bearer").ok_or(SIGN_IN)?;
    holder(app, token, id).await
}

/// Who calls, where programs do that know only of names and passwords: by Bearer, or by Basic with the token as the
/// password. Browsers send Basic by themselves to whatever page asks them to, so this is for routes on which nothing
/// comes of that: they read, or take what no form can send.
pub async fn bearer_or_basic(
    app: &App,
    headers: &HeaderMap,
    id: &RequestId,
) -> Result<Caller, Error> {
    match authorization(headers, "basic") {
        Some(encoded) => holder(app, &password(encoded).ok_or(SIGN_IN)?, id).await,
        None => bearer(app, headers, id).await,
    }
}

const SIGN_IN: Error = Error::Unauthenticated("Sign in first.");

/// What the `Authorization` header says under this scheme.
fn authorization<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, said) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| said.trim())
}

/// The password in what Basic says; whose name stands before it makes no difference, as the token knows.
fn password(encoded: &str) -> Option<String> {
    let said = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    Some(said.split_once(':')?.1.to_owned())
}

/// Whom a token stands for: a service token by its prefix, any other is the access token of a session.
async fn holder(app: &App, token: &str, id: &RequestId) -> Result<Caller, Error> {
    let request_id = std::sync::Arc::clone(&id.0);
    if let Some(secret) = Secret::read(token) {
        let hash = secret?.hash();
        return access::identify_token(&app.store, &app.clock, hash, request_id).await;
    }
    let signed = app.key.read(token, app.clock.now())?;
    let (session, account) = (signed.session, signed.account);
    access::identify(&app.store, &app.clock, session, account, request_id).await
}

/// A GraphQL request that did not run because nobody could be told to be calling.
#[must_use]
pub fn refused(error: &Error, headers: &HeaderMap, id: &RequestId) -> Response {
    log(error, id);
    let media = media::accepted(headers).unwrap_or(media::Media::Json);
    let status = status(error);
    let response = graphql::refuse(media, status, error.code(), &error.to_string(), &id.0);
    with_advice(response, error)
}

/// An answer that says what went wrong, wherever it is not GraphQL's to say.
#[must_use]
pub fn problem(status: StatusCode, code: Code, message: &str, id: &RequestId) -> Response {
    let error = json!({ "code": code.as_str(), "message": message, "requestId": &*id.0 });
    unkept((status, Json(json!({ "error": error }))).into_response())
}

/// An answer that says why a request failed.
#[must_use]
pub fn failed(error: &Error, id: &RequestId) -> Response {
    log(error, id);
    let response = problem(status(error), error.code(), &error.to_string(), id);
    with_advice(response, error)
}

/// Says in the log what went wrong on our side.
pub fn log(error: &Error, id: &RequestId) {
    if let Error::Stopped { cause, .. } = error {
        log(cause, id);
    }
    if let Error::Unavailable(cause) | Error::Unknown(cause) | Error::Internal(cause) = error {
        tracing::error!(request_id = &*id.0, %cause, debug = ?cause, "a request failed on our side");
    }
}

/// The status of an answer that says why a request failed.
#[must_use]
pub fn status(error: &Error) -> StatusCode {
    match error {
        Error::Refused(_) | Error::Conflict { .. } | Error::BadInput(_) => StatusCode::BAD_REQUEST,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::PullAgain(_) => StatusCode::GONE,
        Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Unknown(_) => StatusCode::GATEWAY_TIMEOUT,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        Error::Stopped { cause, .. } => status(cause),
    }
}

/// Says how to sign in, or when to try again.
#[must_use]
pub fn with_advice(mut response: Response, error: &Error) -> Response {
    let advice = match error {
        Error::Unauthenticated(_) => (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Error::RateLimited { retry_after } => {
            (header::RETRY_AFTER, HeaderValue::from(*retry_after))
        }
        Error::Unavailable(_) => (header::RETRY_AFTER, HeaderValue::from_static("1")),
        Error::Stopped { cause, .. } => return with_advice(response, cause),
        _ => return response,
    };
    response.headers_mut().insert(advice.0, advice.1);
    response
}

/// Programs that know Basic alone are told that they may use it, where that is so.
#[must_use]
pub fn offering_basic(mut response: Response, error: &Error) -> Response {
    if matches!(error, Error::Unauthenticated(_)) {
        let basic = HeaderValue::from_static(
            "Basic realm=\"the token is the password\", charset=\"UTF-8\"",
        );
        response
            .headers_mut()
            .append(header::WWW_AUTHENTICATE, basic);
    }
    response
}

/// Nobody between us and the client keeps a copy.
pub(super) fn unkept(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(forwarded: &[&str]) -> Client {
        Client {
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
