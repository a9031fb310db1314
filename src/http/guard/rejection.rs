//! Why a document may not run, and where in it the fault lies.

use async_graphql::Pos;

use crate::error::Code;

/// Why a request may not run. The message never repeats the document; the locations point into it.
#[derive(Debug)]
pub struct Rejection {
    pub code: Code,
    pub message: String,
    pub locations: Vec<Pos>,
}

impl Rejection {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            locations: Vec::new(),
        }
    }

    pub(super) fn at(mut self, location: Pos) -> Self {
        self.locations.push(location);
        self
    }
}
