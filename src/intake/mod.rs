//! Sheets of very many rows on their way in: what their cells name, and which of their rows stand twice, in memory that
//! is bounded. What a row means is for the slice to say that takes it.

mod duplicates;
mod key_index;

pub use self::{duplicates::DuplicateFinder, key_index::KeyIndex};
