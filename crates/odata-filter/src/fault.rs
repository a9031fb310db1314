//! Faults of a request as sentences for people, and which of the two kinds each is.

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request cannot be right.
    BadRequest(String),
    /// OData has it, and it is not offered here.
    Unsupported(String),
}

/// Most sentences that [`join_sentences`] joins.
const MAX_SENTENCES: usize = 20;

impl Fault {
    /// A fault of a request that cannot be right.
    pub fn bad_request(sentence: impl Into<String>) -> Self {
        Self::BadRequest(sentence.into())
    }

    /// A fault of a request for what OData has and is not offered here.
    pub fn unsupported(sentence: impl Into<String>) -> Self {
        Self::Unsupported(sentence.into())
    }

    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Self::BadRequest(sentence) | Self::Unsupported(sentence) => sentence,
        }
    }
}

/// Whether all faults are of what is not offered, so that the request itself may well be right.
#[must_use]
pub fn all_are_unsupported(faults: &[Fault]) -> bool {
    faults
        .iter()
        .all(|fault| matches!(fault, Fault::Unsupported(_)))
}

/// The sentences of at most 20 faults with blanks between them, each sentence once.
#[must_use]
pub fn join_sentences(faults: &[Fault]) -> String {
    let mut sentences: Vec<&str> = Vec::new();
    for fault in faults {
        if !sentences.contains(&fault.sentence()) && sentences.len() < MAX_SENTENCES {
            sentences.push(fault.sentence());
        }
    }
    sentences.join(" ")
}
