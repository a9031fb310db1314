//! The fields that people fill in, each listed once: what kinds of field there are, and one table of fields per noun.
//!
//! A field of a touchpoint appears in a dozen places: the API's input and object, the JSON that is written past the
//! resolvers, the document with its schema and its differences, the sheet, search, the BI dataset, the limit of text.
//! Each of these places is made from the rows of [`touchpoint`]:
//!
//! ```text
//! /// The customer's action.
//! customer_action "customerAction": kinds::OptionalText { search: 1, column: "The customer's action.", }
//! └ column        └ name in the API  └ kind               └ where else it appears
//! ```
//!
//! A **kind** ([`kinds`]) is a type of which no value is ever made: it stands for one way of storing, checking and
//! showing a field. It implements one trait per place, each in the room of that place: [`kinds::FieldKind`] (what is
//! stored), [`api::ApiField`] (input and output), `PartFieldKind` (document), `CellFieldKind` (sheet), `DatasetField` (BI) and
//! `DirectField` (direct JSON). A place hands a macro of its own to the table, which calls it with all rows:
//!
//! ```text
//! macro_rules! show {
//!     ([] $({ $($(#[$_doc:meta])* $field:ident $name:literal: $kind:ty { $($_facts:tt)* })* })*) => {
//!         fn show(row: touchpoint::Model) -> Vec<Output> {
//!             vec![$($(<$kind as ApiField>::to_output(row.$field),)*)*]
//!         }
//!     };
//! }
//! touchpoint_fields!(show);
//! ```
//!
//! So a further field is a field of the entity, a migration and a row of the table; `tests/it/fields.rs` fails where
//! one of them, or a decision about search and BI, is missing. A further kind is a type in
//! [`kinds`] and an `impl` in each room that uses it; the compiler names those that lack one.
//!
//! The room stands above the rooms that use it, and so above the noun's own: search and the limit of text need the
//! table before there are touchpoints.

pub mod api;
pub mod kinds;
pub mod touchpoint;

/// One row of a table of fields, for code that looks at fields while it runs.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Its column in the noun's table.
    pub column: &'static str,
    /// Its name in the API, in documents and above the columns of sheets.
    pub name: &'static str,
    /// Whether people write text into it, of which a blueprint holds a limited amount.
    pub is_text: bool,
    /// Its rank among the texts in which search finds words, from 1 (the noun's name is before it).
    pub search_rank: Option<u8>,
}
