//! Why a document may not run, and where in it the fault lies.

use async_graphql::Pos;

/// Why a request may not run. The message never repeats the document; the locations point into it.
#[derive(Debug)]
pub struct Rejection {
    pub kind: RejectionKind,
    pub message: String,
    pub locations: Vec<Pos>,
}

/// What is wrong with a request that may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// The document is longer than allowed.
    TooLarge,
    /// The document is not GraphQL.
    ParseFailed,
    /// The document is GraphQL and breaks a rule: fragments that are missing, unused or go in circles, names used
    /// twice.
    Invalid,
    /// It is not clear which operation is to run.
    NoSuchOperation,
    /// A variable is missing, or null where it may not be.
    BadVariable,
    /// The document asks for more than allowed.
    TooComplex,
}

impl Rejection {
    pub(crate) fn new(kind: RejectionKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            locations: Vec::new(),
        }
    }

    pub(crate) fn at_location(mut self, location: Pos) -> Self {
        self.locations.push(location);
        self
    }
}
