//! What is wrong with a request, told as a sentence: either it cannot be right, or the standard has it and this face
//! does not offer it.

use axum::http::StatusCode;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be right.
    Bad(String),
    /// OData has it, and it is not offered here.
    Unsupported(String),
}

impl Fault {
    /// It cannot be right.
    pub fn bad(sentence: impl Into<String>) -> Self {
        Self::Bad(sentence.into())
    }

    /// OData has it, and it is not offered here.
    pub fn unsupported(sentence: impl Into<String>) -> Self {
        Self::Unsupported(sentence.into())
    }

    /// The sentence.
    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Self::Bad(sentence) | Self::Unsupported(sentence) => sentence,
        }
    }
}

/// Faults that are told at the most.
const MOST: usize = 20;

/// The status of a request with these faults, and all of their sentences.
#[must_use]
pub fn told(faults: &[Fault]) -> (StatusCode, String) {
    let unsupported = faults
        .iter()
        .all(|fault| matches!(fault, Fault::Unsupported(_)));
    let status = match unsupported {
        true => StatusCode::NOT_IMPLEMENTED,
        false => StatusCode::BAD_REQUEST,
    };
    let mut sentences: Vec<&str> = Vec::new();
    for fault in faults {
        if !sentences.contains(&fault.sentence()) && sentences.len() < MOST {
            sentences.push(fault.sentence());
        }
    }
    (status, sentences.join(" "))
}
