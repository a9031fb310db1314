//! Reads the text of a document: which kind it says it is, and where in it what is wrong stands.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::bounds::JsonObject;
use crate::error::{Error, Result, UserErrorCode};

/// Longest word of a parser that is told on, in characters.
const TOLD: usize = 300;

/// A kind of document, told from others by its format.
pub trait DocumentFormat: DeserializeOwned {
    /// What the format says.
    const FORMAT: &'static str;

    /// What this one says.
    fn format(&self) -> &str;
}

/// Reads a document.
pub fn deserialize<'de, K: DocumentFormat, D: Deserializer<'de>>(deserializer: D) -> Result<K>
where
    D::Error: std::fmt::Display,
{
    let read = serde_path_to_error::deserialize(deserializer);
    let JsonObject(said): JsonObject<K> = read.map_err(|error| {
        let path = error.path().to_string();
        let path = path.replace(['[', ']'], ".");
        let path = path.trim_start_matches('.').replace("..", ".");
        let message: String = error.inner().to_string().chars().take(TOLD).collect();
        Error::fault(&path, UserErrorCode::Invalid, None, format!("{message}."))
    })?;
    if said.format() == K::FORMAT {
        Ok(said)
    } else {
        Err(other::<K>(said.format()))
    }
}

/// Reads a document from its text.
pub fn parse<K: DocumentFormat>(text: &str) -> Result<K> {
    // Another kind of document would only be told by the first field that is not known here.
    if let Some(format) = format_of(text).filter(|format| format != K::FORMAT) {
        return Err(other::<K>(&format));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let said = deserialize(&mut deserializer)?;
    deserializer.end().map_err(|error| {
        let message = format!("Something follows the document: {error}.");
        Error::fault("", UserErrorCode::Invalid, None, message)
    })?;
    Ok(said)
}

/// The format that a text says it has; nothing where it is no document at all.
#[must_use]
pub fn format_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        format: String,
    }
    let head: Head = serde_json::from_str(text).ok()?;
    Some(head.format)
}

fn other<K: DocumentFormat>(format: &str) -> Error {
    let format: String = format.chars().take(64).collect();
    let reads = K::FORMAT;
    let message = format!("This reads \"{reads}\", and the document says \"{format}\".");
    Error::fault("format", UserErrorCode::Invalid, None, message)
}
