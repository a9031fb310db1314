//! Signing in over HTTP: login, refresh, logout, and whom a request's token stands for. One request tries
//! one password: that is why none of it is GraphQL.

use std::net::IpAddr;

use axum::{
    Json,
    body::to_bytes,
    extract::{Extension, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;

use super::{
    admission::{AdmissionQueue, Slot, SlotHolder, slot_holder_of_address},
    app::App,
    client::RequestSource,
    negotiate::is_json,
    problem::{error_response, overloaded_response, problem_response, with_no_store},
    request_id::RequestId,
};
use crate::{
    access::{self, Caller},
    account::session::{SessionManager, SessionTokens, SignInAttempt},
    error::{Code, Error},
    token::{SessionClaims, service::ServiceTokenSecret},
};

/// Bytes of the longest body.
const BODY: usize = 16 * 1024;

#[derive(Deserialize)]
struct LoginBody {
    login: String,
    password: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefreshTokenBody {
    refresh_token: String,
}

/// `POST /auth/login`: a login and a password for a pair of tokens.
pub async fn login(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    client: RequestSource,
    request: Request,
) -> Response {
    let wanted = "`login` and `password`";
    let network = client.address(app.forwarded_hops);
    let (login, _slot) =
        match read_body_and_take_slot(&app, &app.admission.sign_in, network, request, wanted, &id)
            .await
        {
            Ok(admitted) => admitted,
            Err(response) => return response,
        };
    let LoginBody { login, password } = login;
    let attempt = SignInAttempt {
        login,
        password,
        network,
        user_agent: client.user_agent(),
    };
    respond_with_tokens(session_manager(&app, &id).sign_in(attempt).await, &id)
}

/// `POST /auth/refresh`: a refresh token for the next pair of tokens.
pub async fn refresh(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    client: RequestSource,
    request: Request,
) -> Response {
    let (token, _slot) = match read_refresh_token_and_take_slot(&app, &client, request, &id).await {
        Ok(admitted) => admitted,
        Err(response) => return response,
    };
    respond_with_tokens(
        session_manager(&app, &id)
            .refresh(&token.refresh_token)
            .await,
        &id,
    )
}

/// `POST /auth/logout`: ends the session of a refresh token.
pub async fn logout(
    State(app): State<App>,
    Extension(id): Extension<RequestId>,
    client: RequestSource,
    request: Request,
) -> Response {
    let (token, _slot) = match read_refresh_token_and_take_slot(&app, &client, request, &id).await {
        Ok(admitted) => admitted,
        Err(response) => return response,
    };
    match session_manager(&app, &id)
        .sign_out(&token.refresh_token)
        .await
    {
        Ok(()) => with_no_store(StatusCode::NO_CONTENT.into_response()),
        Err(error) => error_response(&error, &id),
    }
}

/// A refresh token that was sent, and leave to do something with it.
async fn read_refresh_token_and_take_slot(
    app: &App,
    client: &RequestSource,
    request: Request,
    id: &RequestId,
) -> Result<(RefreshTokenBody, Slot), Response> {
    let network = client.address(app.forwarded_hops);
    let queue = &app.admission.sessions;
    read_body_and_take_slot(app, queue, network, request, "`refreshToken`", id).await
}

/// What was sent, once all of it is there, and leave to work on it.
async fn read_body_and_take_slot<T: DeserializeOwned>(
    app: &App,
    queue: &AdmissionQueue,
    network: IpAddr,
    request: Request,
    wanted: &str,
    id: &RequestId,
) -> Result<(T, Slot), Response> {
    let arriving = timeout(app.settings.arrival, read_body(request, wanted, id));
    let sent = arriving.await.map_err(|_| {
        let message = "The body took too long to arrive.";
        problem_response(StatusCode::REQUEST_TIMEOUT, Code::Timeout, message, id)
    })??;
    let slot = queue.wait_for_slot(slot_holder_of_address(network)).await;
    Ok((sent, slot.map_err(|_| overloaded_response(id))?))
}

fn session_manager<'a>(app: &'a App, id: &'a RequestId) -> SessionManager<'a> {
    SessionManager {
        store: &app.store,
        clock: &app.clock,
        key: &app.key,
        request_id: &id.0,
    }
}

fn respond_with_tokens(result: crate::error::Result<SessionTokens>, id: &RequestId) -> Response {
    match result {
        Ok(tokens) => with_no_store(Json(tokens).into_response()),
        Err(error) => error_response(&error, id),
    }
}

/// Reads a small JSON body; what it should hold is told where it does not.
async fn read_body<T: DeserializeOwned>(
    request: Request,
    wanted: &str,
    id: &RequestId,
) -> Result<T, Response> {
    if !is_json(request.headers()) {
        return Err(problem_response(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::BadUserInput,
            "Send the body as `application/json`.",
            id,
        ));
    }
    let bytes = to_bytes(request.into_body(), BODY).await.map_err(|_| {
        let message = format!("The body has at most {BODY} bytes, and has to arrive completely.");
        problem_response(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::BadUserInput,
            &message,
            id,
        )
    })?;
    serde_json::from_slice(&bytes).map_err(|_| {
        let message = format!("The body is a JSON object with {wanted}, each a text.");
        problem_response(StatusCode::BAD_REQUEST, Code::BadUserInput, &message, id)
    })
}

/// What a request shows of who calls, read without a look into the database: enough to keep its turn, not to answer it.
pub struct Bearer(Credential);

enum Credential {
    /// The access token of a session, with our signature.
    Session(SessionClaims),
    /// The hash of a service token.
    Service(Vec<u8>),
}

impl Bearer {
    /// What the `Authorization` header shows.
    ///
    /// # Errors
    /// UNAUTHENTICATED where there is nothing that could be a token of ours.
    pub fn from_headers(app: &App, headers: &HeaderMap) -> Result<Self, Error> {
        Self::verify_token(app, authorization_value(headers, "bearer").ok_or(SIGN_IN)?)
    }

    /// The same where programs ask that know only of names and passwords: by Bearer, or by Basic with the token as the
    /// password. Browsers send Basic by themselves to whatever page asks them to, so this is for routes on which
    /// nothing comes of that: they read, or take what no form can send.
    ///
    /// # Errors
    /// UNAUTHENTICATED where there is nothing that could be a token of ours.
    fn from_basic_or_bearer(app: &App, headers: &HeaderMap) -> Result<Self, Error> {
        match authorization_value(headers, "basic") {
            Some(encoded) => Self::verify_token(app, &basic_password(encoded).ok_or(SIGN_IN)?),
            None => Self::from_headers(app, headers),
        }
    }

    /// A service token is known by its prefix; any other is the access token of a session.
    fn verify_token(app: &App, token: &str) -> Result<Self, Error> {
        Ok(Self(match ServiceTokenSecret::parse(token) {
            Some(secret) => Credential::Service(secret?.hash()),
            None => Credential::Session(app.key.verify_access(token, app.clock.now())?),
        }))
    }

    /// For whom a slot is taken.
    #[must_use]
    pub fn slot_holder(&self) -> SlotHolder {
        match &self.0 {
            Credential::Session(access) => access.account.0.as_u128(),
            Credential::Service(hash) => hash
                .iter()
                .take(16)
                .fold(0, |holder, byte| holder << 8 | SlotHolder::from(*byte)),
        }
    }

    /// Who calls, with the rights as they are now.
    ///
    /// # Errors
    /// UNAUTHENTICATED where the session or the token has ended.
    pub async fn identify(&self, app: &App, id: &RequestId) -> Result<Caller, Error> {
        let request_id = std::sync::Arc::clone(&id.0);
        match &self.0 {
            Credential::Service(hash) => {
                access::identify_service_token(&app.store, &app.clock, hash.clone(), request_id)
                    .await
            }
            Credential::Session(SessionClaims { session, account }) => {
                access::identify_session(&app.store, &app.clock, *session, *account, request_id)
                    .await
            }
        }
    }
}

/// Who calls, where it is a program that may know only of names and passwords.
///
/// # Errors
/// UNAUTHENTICATED where it shows no token, or one that has ended.
pub async fn identify_program(
    app: &App,
    headers: &HeaderMap,
    id: &RequestId,
) -> Result<Caller, Error> {
    Bearer::from_basic_or_bearer(app, headers)?
        .identify(app, id)
        .await
}

/// For whom a slot is taken where it is known who calls: whatever token an account uses, it is one.
#[must_use]
pub fn slot_holder_of(caller: &Caller) -> SlotHolder {
    caller.account().map_or(0, |account| account.0.as_u128())
}

const SIGN_IN: Error = Error::Unauthenticated("Sign in first.");

/// What the `Authorization` header says under this scheme.
fn authorization_value<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, said) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| said.trim())
}

/// The password in what Basic says; whose name stands before it makes no difference, as the token knows.
fn basic_password(encoded: &str) -> Option<String> {
    let said = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    Some(said.split_once(':')?.1.to_owned())
}
