//! Parses the text of a document, whatever its kind, with the path of what is wrong in it.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::bounds::ObjectOnly;
use crate::error::{Error, Result, UserErrorCode};

/// Most characters of a parser's message that a fault passes on.
const TOLD: usize = 300;

/// A kind of document, by its format.
pub trait DocumentFormat: DeserializeOwned {
    /// The name of the format.
    const FORMAT: &'static str;

    /// The format that this document names.
    fn format(&self) -> &str;
}

/// Deserialises a document, and refuses one of another format.
pub fn deserialize_document<'de, K: DocumentFormat, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<K>
where
    D::Error: std::fmt::Display,
{
    let read = serde_path_to_error::deserialize(deserializer);
    let ObjectOnly(document): ObjectOnly<K> = read.map_err(|error| {
        let path = error.path().to_string();
        let path = path.replace(['[', ']'], ".");
        let path = path.trim_start_matches('.').replace("..", ".");
        let message: String = error.inner().to_string().chars().take(TOLD).collect();
        Error::fault(&path, UserErrorCode::Invalid, None, format!("{message}."))
    })?;
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
    let document = deserialize_document(&mut deserializer)?;
    deserializer.end().map_err(|error| {
        let message = format!("Something follows the document: {error}.");
        Error::fault("", UserErrorCode::Invalid, None, message)
    })?;
    Ok(document)
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
