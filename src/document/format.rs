//! Parses the text of a document, whatever its kind, with the path of what is wrong in it.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{bounds::ObjectOnly, explain::explain_message, shape, twins::WithoutTwins};
use crate::error::{Error, Result, UserErrorCode};

/// Bytes of a text that is read again for all faults of its shape; of a longer one the first is told.
const READ_AGAIN: usize = 16 << 20;

/// A kind of document, by its format.
pub trait DocumentFormat: DeserializeOwned {
    /// The name of the format.
    const FORMAT: &'static str;

    /// The format that this document names.
    fn format(&self) -> &str;
}

/// Deserialises a document, and refuses one of another format.
///
/// # Errors
/// All faults of its shape.
pub fn deserialize_document<K: DocumentFormat>(document: Value) -> Result<K> {
    shape::read_document(document).and_then(require_format)
}

fn require_format<K: DocumentFormat>(document: K) -> Result<K> {
    if document.format() == K::FORMAT {
        Ok(document)
    } else {
        Err(other_format_error::<K>(document.format()))
    }
}

/// Parses a document from its text.
pub fn parse_document<K: DocumentFormat>(text: &str) -> Result<K> {
    let text = without_mark(text);
    // Otherwise the fault of another kind of document would be the first field unknown here.
    if let Some(format) = read_format_field(text).filter(|format| format != K::FORMAT) {
        return Err(other_format_error::<K>(&format));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read: Result<ObjectOnly<K>, _> = serde_path_to_error::deserialize(&mut deserializer);
    let document = match read {
        Ok(ObjectOnly(document)) => require_format(document)?,
        Err(error) => return read_again(text, &error).and_then(require_format),
    };
    deserializer.end().map_err(|error| {
        let message = explain_message(&error.to_string());
        Error::fault("", UserErrorCode::Invalid, None, message)
    })?;
    Ok(document)
}

/// The document where nothing but the spelling of numbers is in the way, or all faults of a text's shape; the one that
/// ended its first reading where there are no others, such as a field that is there twice, or a text that is no JSON.
fn read_again<K: DocumentFormat>(
    text: &str,
    first: &serde_path_to_error::Error<serde_json::Error>,
) -> Result<K> {
    if text.len() > READ_AGAIN {
        return Err(shape::first_fault(first));
    }
    // Before it is read into maps, which would keep one of the two.
    let twins: Result<WithoutTwins, _> =
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text));
    match (twins, serde_json::from_str(text)) {
        (Ok(WithoutTwins), Ok(document)) => shape::read_document(document),
        (Err(twin), Ok(_)) => Err(shape::first_fault(&twin)),
        (_, Err(_)) => Err(shape::first_fault(first)),
    }
}

/// The format that a text names; none where it is no document at all.
#[must_use]
pub fn read_format_field(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        format: String,
    }
    let head: Head = serde_json::from_str(without_mark(text)).ok()?;
    Some(head.format)
}

/// A text without the byte order mark that Notepad and PowerShell begin a file with.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn other_format_error<K: DocumentFormat>(format: &str) -> Error {
    let format: String = format.chars().take(64).collect();
    let reads = K::FORMAT;
    let message = format!("This reads \"{reads}\", and the document says \"{format}\".");
    Error::fault("format", UserErrorCode::Invalid, None, message)
}
