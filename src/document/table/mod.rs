//! A blueprint's touchpoints as a table for spreadsheets: a row a touchpoint, in order, with its phase before it and
//! the departments that answer for it after it. What a table says goes the way of a document.
//!
//! A column that is absent keeps what is there; an empty cell clears it. The cell of a role names departments that have
//! it: who holds it already, or is offered it, stays as it is, and a new name is proposed; `sales!` says outright that
//! it is accepted. Who is not named keeps what it has, unless the import says that the column is complete. A list is
//! written `WEB | APP`; a backslash stands before a bar, a backslash or a `<` in an item. Evidence with a link is
//! written `Leaflet <https://…>`. In what is written out a department that is only asked is `sales?`.

mod cell_field;
mod cells;
mod columns;
mod import;
mod made_key;
mod read;
mod tell_apart;
mod write;

pub use import::import_table;
pub use read::TouchpointTable;
pub use write::touchpoint_csv_text;
