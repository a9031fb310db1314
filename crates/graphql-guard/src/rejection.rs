//! Why a request may not run, and where in it the faults lie.

use async_graphql::Pos;

/// Why a request may not run: at least one fault.
#[derive(Debug)]
pub struct Rejection {
    pub kind: RejectionKind,
    pub faults: Vec<RequestFault>,
}

/// Something that is wrong with a request. The message names types, fields and variables, and repeats no value; the
/// locations point into the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestFault {
    pub message: String,
    pub locations: Vec<Pos>,
    /// Where it lies in an input: the name of the argument or the variable, and from there down.
    pub input_path: Option<Vec<InputPathPart>>,
}

/// Bytes of a path that is told: the client names the steps.
const LONGEST_PATH: usize = 1_000;

/// A step down into an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputPathPart {
    Name(String),
    Index(usize),
}

/// What is wrong with a request that may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// The document is longer than allowed.
    TooLarge,
    /// The document is not GraphQL.
    ParseFailed,
    /// The document is GraphQL and breaks a rule of validation.
    Invalid,
    /// It is not clear which operation is to run.
    NoSuchOperation,
    /// A variable is missing, or its value is not of its type.
    BadVariable,
    /// The document asks for more than allowed.
    TooComplex,
}

impl Rejection {
    pub(crate) fn new(kind: RejectionKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            faults: vec![RequestFault::new(message)],
        }
    }

    pub(crate) fn at_location(mut self, location: Pos) -> Self {
        self.faults
            .iter_mut()
            .for_each(|fault| fault.locations.push(location));
        self
    }
}

impl RequestFault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            locations: Vec::new(),
            input_path: None,
        }
    }

    pub(crate) fn at(message: impl Into<String>, location: Pos) -> Self {
        Self {
            locations: vec![location],
            ..Self::new(message)
        }
    }

    /// A fault in an input: the message tells its path as well.
    pub(crate) fn in_input(path: &[InputPathPart], sentence: &str, location: Pos) -> Self {
        let steps = path.iter().map(|part| match part {
            InputPathPart::Name(name) => name.clone(),
            InputPathPart::Index(index) => index.to_string(),
        });
        let told = steps.collect::<Vec<_>>().join(".");
        if told.len() > LONGEST_PATH {
            return Self::at(format!("Deep in an input: {sentence}"), location);
        }
        Self {
            input_path: Some(path.to_vec()),
            ..Self::at(format!("`{told}`: {sentence}"), location)
        }
    }
}
