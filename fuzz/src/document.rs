//! Documents of blueprints, as the import takes them up to where it would write: read, merged onto nothing and onto a
//! blueprint that is there, and held to every rule.

#![no_main]

mod bound;
mod demo;
mod there;
mod tree;

use chrono::{DateTime, Utc};
use cx_blueprint::{
    document::{
        blueprint::{Document, BlueprintDocumentPatch},
        convert::document_from_complete_patch,
        draft::MergedDocument,
        format::parse_document,
    },
    error::Error,
};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

use self::there::There;

/// Faults of one document that are told at the most, with the sentence that there are more.
const MOST_FAULTS: usize = 201;
/// Longest sentence, in characters.
const SENTENCE: usize = 400;

fuzz_target!(init: There::get(), |text: &str| {
    bound::within(text.len(), || document(text));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    tree::mutate(data, size, max_size, seed)
});

fn document(text: &str) {
    let said: BlueprintDocumentPatch = match parse_document(text) {
        Ok(said) => said,
        Err(error) => return told(error, false),
    };
    let prune = text.len().is_multiple_of(2);
    if let Some(document) = accepted(None, said.clone(), prune) {
        written(&document, None);
    }
    let there = There::get();
    if let Some(document) = accepted(Some(there), said, prune) {
        written(&document, Some(there));
    }
}

/// The document that is accepted, if it is; a refusal says why.
fn accepted(there: Option<&There>, said: BlueprintDocumentPatch, prune: bool) -> Option<Document> {
    let current = there.map(|there| &there.document);
    let draft = match MergedDocument::merge(current, said, prune) {
        Ok(draft) => draft,
        Err(error) => {
            told(error, true);
            return None;
        }
    };
    let document = draft.document().clone();
    let before = there.map(|there| &there.before);
    let moment = (DateTime::<Utc>::UNIX_EPOCH, There::get().new_id);
    match draft.into_target_rows(before, &There::get().catalogue, moment) {
        Ok(_) => Some(document),
        Err(error) => {
            told(error, true);
            None
        }
    }
}

/// What is accepted says the same once it is written and read, and changes nothing where it is already so.
fn written(document: &Document, there: Option<&There>) {
    let text = serde_json::to_string(document).expect("a document has a JSON form");
    let said: BlueprintDocumentPatch = parse_document(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let again = document_from_complete_patch(said.clone()).expect("what is written says everything");
    let other = serde_json::to_string(&again).expect("a document has a JSON form");
    assert_eq!(text, other, "written and read again");
    let unchanged =
        MergedDocument::merge(Some(document), said.clone(), true).expect("it fits onto itself");
    let changes = document.diff(unchanged.document());
    assert!(changes.is_empty(), "{changes:?}");
    assert!(
        accepted(there, said, true).is_some(),
        "accepted again: {text}"
    );
}

/// A refusal is told in sentences, not too many, and each names its place unless the text is no document.
fn told(error: Error, places: bool) {
    let faults = error.into_user_errors();
    let faults = faults.unwrap_or_else(|error| panic!("the program's own fault: {error}"));
    assert!((1..=MOST_FAULTS).contains(&faults.len()));
    for (at, fault) in faults.iter().enumerate() {
        assert!(
            (2..SENTENCE).contains(&fault.message.chars().count()),
            "{}",
            fault.message
        );
        let more = at + 1 == MOST_FAULTS;
        assert!(
            !places || more || !fault.field.is_empty(),
            "{}",
            fault.message
        );
    }
}
