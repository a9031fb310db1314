//! The one error type of the product, and the only place where a failure becomes words for a client. Internal causes go
//! to the log under the request's id, never to the client.
//!
//! Failures of the domain (`Refused`, `Conflict`, `Forbidden`) are data: a mutation answers them in `userErrors`. All
//! others fail the request, with a code of the closed enum [`Code`].

pub mod database;
pub mod refusals;

use std::{fmt, sync::Arc};

use async_graphql::{Enum, ErrorExtensions, SimpleObject};

use crate::policy::{self, Action};

/// A failure of a use-case.
#[derive(Clone, Debug)]
pub enum Error {
    /// The input is invalid, or the state of things forbids the act: all faults at once.
    Refused(Vec<UserError>),
    /// Objects are not as the caller thought. The payload carries those in `current` as they are now.
    Conflict {
        errors: Vec<UserError>,
        current: Vec<uuid::Uuid>,
    },
    /// The caller may see the thing and may not do the action to it.
    Forbidden(Forbidden),
    /// Nobody is signed in, or no longer.
    Unauthenticated(&'static str),
    /// Too many attempts; try again after so many seconds.
    RateLimited { retry_after: u64 },
    /// An invalid argument of a query, or another fault that no payload carries.
    BadInput(String),
    /// The changes since a token cannot be determined, for this reason: everything has to be pulled again.
    PullAgain(&'static str),
    /// The request exceeds its budget; the sentence says what to ask less of.
    TooComplex(String),
    /// The request exceeded its time, or a statement its timeout: nothing was done.
    TookTooLong,
    /// Too much is being computed already; nothing was done.
    Busy,
    /// The database cannot be reached right now, or cannot write: nothing was done.
    Unavailable(Cause),
    /// The database or the disk failed during a commit: whether it is kept is not known.
    Unknown(Cause),
    /// A fault of ours.
    Internal(Cause),
    /// The failure of a long import after its first `rows` were committed.
    Stopped { rows: usize, cause: Box<Error> },
}

/// A refusal of the policy.
#[derive(Clone, Debug)]
pub struct Forbidden {
    /// The part of the input that names the thing, as a path written with dots; empty where it names but one.
    pub path: String,
    pub action: Action,
    /// The thing, by its API type and id, for the audit log.
    pub subject: Option<(&'static str, uuid::Uuid)>,
    /// A reason other than the lack of the permission, as a sentence that says what to do instead.
    pub because: Option<(Reason, &'static str)>,
    /// Whether a service token asked: then its scopes or departments may be what is missing.
    pub with_token: bool,
}

/// The cause of a failure, for the log only.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// The result of every fallible function of the product.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal for one fault in one field.
    pub fn fault(
        field: &str,
        code: UserErrorCode,
        reason: Option<Reason>,
        message: impl Into<String>,
    ) -> Self {
        Self::Refused(vec![UserError::new(field, code, reason, message)])
    }

    /// A refusal for a thing that is not there, or that the caller may not see: the two look alike.
    pub fn not_found(field: &str, noun: &str) -> Self {
        Self::fault(
            field,
            UserErrorCode::NotFound,
            None,
            format!("There is no such {noun}."),
        )
    }

    /// A refusal to offer a department a role that it has.
    pub fn already_held() -> Self {
        let message = "This department already holds this role here, or is offered it.";
        let reason = Some(Reason::AlreadyHeld);
        Self::fault("departmentId", UserErrorCode::Duplicate, reason, message)
    }

    /// A conflict: the object has changed since the caller read it, or its state does not allow the act.
    pub fn conflict(field: &str, reason: Reason, message: impl Into<String>) -> Self {
        let error = UserError::new(field, UserErrorCode::Conflict, Some(reason), message);
        Self::Conflict {
            errors: vec![error],
            current: Vec::new(),
        }
    }

    /// Adds the object that a conflict is over, for the payload to carry.
    #[must_use]
    pub fn with_current(self, id: uuid::Uuid) -> Self {
        match self {
            Self::Conflict { errors, .. } => Self::Conflict {
                errors,
                current: vec![id],
            },
            other => other,
        }
    }

    /// The same of one thing in a list: with the path of the thing before the places of the faults.
    #[must_use]
    pub fn under(mut self, path: &str) -> Self {
        match &mut self {
            Self::Refused(errors) | Self::Conflict { errors, .. } => {
                errors.iter_mut().for_each(|error| error.put_under(path));
            }
            Self::Forbidden(forbidden) => forbidden.path = path.to_owned(),
            _ => {}
        }
        self
    }

    /// Logs the cause of a failure on our side, in the span of the request; does nothing for other failures.
    pub fn log(&self) {
        match self {
            Self::Unavailable(cause) | Self::Unknown(cause) | Self::Internal(cause) => {
                tracing::error!(%cause, debug = ?cause, "a request failed on our side");
            }
            Self::Stopped { cause, .. } => cause.log(),
            _ => {}
        }
    }

    /// A fault of ours, with its cause.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into().into())
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, sentence)) = self.because {
            return f.write_str(sentence);
        }
        f.write_str(&policy::who_may_sentence(self.action))?;
        match self.with_token {
            true => write!(f, " {}", policy::describe_token_needs(self.action)),
            false => Ok(()),
        }
    }
}

/// The kind of fault of a user error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// The value cannot be right.
    Invalid,
    /// A value is needed.
    Required,
    /// The text is longer than the field takes.
    TooLong,
    /// There is no such object, or none that you may see.
    NotFound,
    /// You may see it, but not do this to it; the message says who may.
    Forbidden,
    /// It has changed since you read it, or its state does not allow this; the payload carries it as it is now.
    Conflict,
    /// It exists already.
    Duplicate,
    /// It is archived; unarchive it first.
    Archived,
    /// There would be too many of them.
    LimitExceeded,
}

/// The specific reason of a user error, for programs; `message` is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Reason {
    /// The object has changed since you read it: `expectedVersion` is not its version.
    VersionStale,
    /// The key belongs to something else, perhaps archived.
    KeyTaken,
    /// A finding of severity ERROR is open.
    FindingOpen,
    /// The client-made id belongs to something else.
    IdTaken,
    /// Another department is accountable here now.
    AccountableTaken,
    /// The department already holds this role here, or is offered it.
    AlreadyHeld,
    /// The KPI judges the place already on some of the days.
    AlreadyLinked,
    /// Nobody takes responsibility alone: another party must answer.
    OwnProposal,
    /// The accountable department answers first: it hands over or declines.
    TakeoverNotOffered,
    /// Nobody could answer the proposal: let the addressed department, or one above it, propose itself.
    ProposesItself,
    /// The person does not belong to the department.
    NotOwnPeople,
    /// Answers of employees are recorded by service accounts and CX managers.
    OfEmployees,
    /// The proposal was already answered, taken by another department or withdrawn.
    NotOpen,
    /// The responsibility is not in force.
    NotInForce,
    /// On a published blueprint somebody must stay accountable: take over instead.
    AccountableOnPublished,
    /// The department would come below itself.
    Cycle,
    /// A transition cannot lead from a touchpoint to itself.
    SelfTransition,
    /// The value lies outside its scale.
    OutOfRange,
    /// The number is not finite.
    NotFinite,
    /// The day lies in the future.
    InFuture,
    /// Something else still refers to it. Remove that first.
    InUse,
    /// It holds something that a successor must take over.
    SuccessorNeeded,
    /// It has a successor already.
    SuccessorExists,
    /// The organisation would be left without an ADMIN.
    LastAdmin,
    /// Nobody changes their own role.
    OwnRole,
    /// AUDITOR and ANALYST hold no memberships.
    RoleWithoutMemberships,
    /// Service accounts have no password.
    ServiceAccount,
    /// The password is not right.
    WrongPassword,
    /// The password is too easy to guess.
    WeakPassword,
    /// The status does not allow it.
    WrongStatus,
    /// It was published at some time.
    EverPublished,
    /// It cannot be changed once there are measurements.
    FixedByMeasurements,
    /// The KPI's values are computed from feedback.
    FedByFeedback,
}

/// A reason why a mutation was refused.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct UserError {
    /// The part of the input at fault, as a path: `["measurements", "17", "value"]`. Empty for the input as a whole.
    pub field: Vec<String>,
    /// A sentence for people.
    pub message: String,
    /// The kind of fault.
    pub code: UserErrorCode,
    /// The specific reason; null if the code says it all.
    pub reason: Option<Reason>,
}

impl UserError {
    /// A fault in the field at this path; a path is written with dots.
    pub fn new(
        path: &str,
        code: UserErrorCode,
        reason: Option<Reason>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field: split_path(path),
            message: message.into(),
            code,
            reason,
        }
    }

    /// Puts the path of a part of the input before the fault's own.
    pub fn put_under(&mut self, path: &str) {
        self.field.splice(0..0, split_path(path));
    }
}

/// The steps of a path that is written with dots.
fn split_path(path: &str) -> Vec<String> {
    let steps = path.split('.').filter(|step| !step.is_empty());
    steps.map(str::to_owned).collect()
}

impl Error {
    /// The user errors of a failure of the domain.
    ///
    /// # Errors
    /// The error itself where it is no failure of the domain.
    pub fn into_user_errors(self) -> Result<Vec<UserError>> {
        match self {
            Self::Refused(errors) => Ok(errors),
            Self::Conflict { errors, .. } => Ok(errors),
            Self::Forbidden(forbidden) => Ok(vec![UserError::new(
                &forbidden.path,
                UserErrorCode::Forbidden,
                forbidden.because.map(|(reason, _)| reason),
                forbidden.to_string(),
            )]),
            other => Err(other),
        }
    }
}

/// The codes of errors that fail a request or a field, in `errors[].extensions.code`. Closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    GraphqlParseFailed,
    GraphqlValidationFailed,
    BadUserInput,
    OperationResolutionFailure,
    PersistedQueryNotSupported,
    QueryTooLarge,
    QueryTooComplex,
    Unauthenticated,
    Forbidden,
    NotFound,
    PullAgain,
    RateLimited,
    Timeout,
    ServiceUnavailable,
    InternalServerError,
}

impl Code {
    /// Every code.
    pub const ALL: &[Self] = &[
        Self::GraphqlParseFailed,
        Self::GraphqlValidationFailed,
        Self::BadUserInput,
        Self::OperationResolutionFailure,
        Self::PersistedQueryNotSupported,
        Self::QueryTooLarge,
        Self::QueryTooComplex,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::PullAgain,
        Self::RateLimited,
        Self::Timeout,
        Self::ServiceUnavailable,
        Self::InternalServerError,
    ];

    /// The code as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
            Self::PersistedQueryNotSupported => "PERSISTED_QUERY_NOT_SUPPORTED",
            Self::QueryTooLarge => "QUERY_TOO_LARGE",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::PullAgain => "PULL_AGAIN",
            Self::RateLimited => "RATE_LIMITED",
            Self::Timeout => "TIMEOUT",
            Self::ServiceUnavailable => "SERVICE_UNAVAILABLE",
            Self::InternalServerError => "INTERNAL_SERVER_ERROR",
        }
    }

    /// The code of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl Error {
    /// The code that a client sees where the error fails a request or a field.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(_) | Self::Conflict { .. } | Self::BadInput(_) => Code::BadUserInput,
            Self::Forbidden(_) => Code::Forbidden,
            Self::Unauthenticated(_) => Code::Unauthenticated,
            Self::PullAgain(_) => Code::PullAgain,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::TooComplex(_) => Code::QueryTooComplex,
            Self::TookTooLong | Self::Unknown(_) => Code::Timeout,
            Self::Unavailable(_) | Self::Busy => Code::ServiceUnavailable,
            Self::Internal(_) => Code::InternalServerError,
            Self::Stopped { cause, .. } => cause.code(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(errors) | Self::Conflict { errors, .. } => {
                let sentences: Vec<&str> =
                    errors.iter().map(|error| error.message.as_str()).collect();
                f.write_str(&sentences.join(" "))
            }
            Self::Forbidden(forbidden) => forbidden.fmt(f),
            Self::Unauthenticated(sentence) => f.write_str(sentence),
            Self::RateLimited { retry_after } => {
                write!(f, "Too many attempts. Try again in {retry_after} seconds.")
            }
            Self::BadInput(sentence) | Self::TooComplex(sentence) => f.write_str(sentence),
            Self::TookTooLong => f.write_str(
                "This took too long and was cancelled. Ask for less at once: fewer days, fewer rows, a simpler filter.",
            ),
            Self::Busy => f.write_str("The server is computing as much as it can at once. Try again in a moment."),
            Self::PullAgain(why) => {
                write!(f, "{why} Pull everything again, without `updated_since`.")
            }
            Self::Unavailable(_) => {
                f.write_str("The database cannot be reached right now. Try again in a moment.")
            }
            Self::Unknown(_) => f.write_str(
                "Something failed while this was being saved. Check whether it was done before you try again.",
            ),
            Self::Stopped { rows, cause } => write!(
                f,
                "{cause} The first {rows} rows are recorded; sent again, they stay as they are."
            ),
            Self::Internal(_) => {
                f.write_str("An internal error occurred. If it happens again, report it with the request id.")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(cause) | Self::Unknown(cause) | Self::Internal(cause) => {
                Some(cause.as_ref())
            }
            _ => None,
        }
    }
}

impl From<Error> for async_graphql::Error {
    fn from(error: Error) -> Self {
        error.log();
        Self::new(error.to_string()).extend_with(|_, extensions| {
            extensions.set("code", error.code().as_str());
            if let Error::Forbidden(forbidden) = &error {
                extensions.set("requiredPermission", forbidden.action.as_str());
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Mutex, PoisonError},
    };

    use super::*;

    /// What is logged while something is done in the span of a request.
    fn logged(done: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Log(Arc<Mutex<Vec<u8>>>);
        impl io::Write for Log {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                log.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error_span!("request", request_id = "req_1").in_scope(done);
        });
        let bytes = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn what_failed_is_logged_with_the_request_however_deep_it_lies() {
        let stopped = |cause| Error::Stopped {
            rows: 3,
            cause: Box::new(cause),
        };
        let failed = Error::internal("the moon is made of cheese");
        for error in [
            failed.clone(),
            stopped(failed.clone()),
            stopped(stopped(failed)),
        ] {
            let said = logged(|| drop(async_graphql::Error::from(error)));
            assert!(said.contains("made of cheese"), "{said}");
            assert!(said.contains("req_1"), "{said}");
        }
        let said = logged(|| drop(async_graphql::Error::from(stopped(Error::TookTooLong))));
        assert_eq!(said, "");
    }
}
