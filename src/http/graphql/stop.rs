//! Why a request of GraphQL has no data, and with which status that is answered.

use async_graphql::{Pos, ServerError, Value};
use axum::http::StatusCode;
use graphql_guard::{InputPathPart, Rejection, RejectionKind};

use super::media::MediaType;
use crate::error::Code;

/// Why there is no data to answer with.
pub(super) enum NoDataReason {
    /// The method cannot be used, or not for this; these can.
    Method(&'static str),
    NotAcceptable,
    NotJson,
    Malformed(&'static str),
    SlowBody,
    /// A well-formed request that did not run, or did not run to its end.
    Failed(Code, Vec<ServerError>),
}

impl NoDataReason {
    pub(super) fn failure(code: Code, message: &str) -> Self {
        Self::Failed(code, vec![coded_error(code, message, Vec::new())])
    }
}

impl From<Rejection> for NoDataReason {
    fn from(rejection: Rejection) -> Self {
        let code = match rejection.kind {
            RejectionKind::TooLarge => Code::QueryTooLarge,
            RejectionKind::ParseFailed => Code::GraphqlParseFailed,
            RejectionKind::Invalid => Code::GraphqlValidationFailed,
            RejectionKind::NoSuchOperation => Code::OperationResolutionFailure,
            RejectionKind::BadVariable => Code::BadUserInput,
            RejectionKind::TooComplex => Code::QueryTooComplex,
        };
        let errors = rejection.faults.into_iter().map(|fault| {
            let mut error = coded_error(code, &fault.message, fault.locations);
            if let Some(path) = fault.input_path {
                let path = path.into_iter().map(|part| match part {
                    InputPathPart::Name(name) => Value::String(name),
                    InputPathPart::Index(index) => Value::Number(index.into()),
                });
                let extensions = error.extensions.get_or_insert_default();
                extensions.set("inputPath", Value::List(path.collect()));
            }
            error
        });
        Self::Failed(code, errors.collect())
    }
}

/// The one place where a stop becomes a status. Whatever ran to its end is 200.
///
/// Clients of plain JSON expect 200 for a well-formed request that was refused; faults of ours and matters of
/// size and rights have their status in both forms, so that proxies and monitors see them. A deadline is 504
/// and not 503: nothing says that trying again is safe or will be faster.
pub(super) fn no_data_reason_status(stop: &NoDataReason, media: MediaType) -> StatusCode {
    match (stop, media) {
        (NoDataReason::Method(_), _) => StatusCode::METHOD_NOT_ALLOWED,
        (NoDataReason::NotAcceptable, _) => StatusCode::NOT_ACCEPTABLE,
        (NoDataReason::NotJson, _) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (NoDataReason::Malformed(_), _) => StatusCode::BAD_REQUEST,
        (NoDataReason::SlowBody, _) => StatusCode::REQUEST_TIMEOUT,
        (NoDataReason::Failed(code, _), media) => match (code, media) {
            (Code::QueryTooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
            (Code::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
            (Code::Forbidden, _) => StatusCode::FORBIDDEN,
            (Code::NotFound, _) => StatusCode::NOT_FOUND,
            (Code::PullAgain, _) => StatusCode::GONE,
            (Code::RateLimited, _) => StatusCode::TOO_MANY_REQUESTS,
            (Code::Timeout, _) => StatusCode::GATEWAY_TIMEOUT,
            (Code::ServiceUnavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
            (Code::InternalServerError, _) => StatusCode::INTERNAL_SERVER_ERROR,
            (
                Code::GraphqlParseFailed
                | Code::GraphqlValidationFailed
                | Code::BadUserInput
                | Code::OperationResolutionFailure
                | Code::PersistedQueryNotSupported
                | Code::QueryTooComplex,
                media,
            ) => match media {
                MediaType::Response => StatusCode::BAD_REQUEST,
                // Older clients take any other status for a broken connection, and never look at the errors.
                MediaType::Json => StatusCode::OK,
            },
        },
    }
}

/// An error with one of our codes.
pub(super) fn coded_error(code: Code, message: &str, locations: Vec<Pos>) -> ServerError {
    let mut error = ServerError::new(message, None);
    error.locations = locations;
    error
        .extensions
        .get_or_insert_default()
        .set("code", code.as_str());
    error
}

/// The code of an error; none where it is worded by async-graphql.
pub(super) fn error_code(error: &ServerError) -> Option<Code> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Code::from_name(code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_is_found_by_its_name() {
        for code in Code::ALL {
            assert_eq!(Code::from_name(code.as_str()), Some(*code));
        }
        assert_eq!(Code::from_name("DATABASE_ON_FIRE"), None);
    }
}
