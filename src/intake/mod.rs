//! Sheets of very many rows on their way in: what their cells name, and which of their rows stand twice, in memory that
//! is bounded. What a row means is for the slice to say that takes it.

mod names;
mod once;

pub use self::{names::Names, once::DuplicateFinder};
