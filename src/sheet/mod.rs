//! Sheets: CSV as spreadsheets save and open it, read with every fault at its line and column and written so that no
//! text becomes a formula. It knows no blueprint, and holds one row at a time.
//!
//! Reading is three layers: `check` looks at each byte and refuses what is malformed or too long, since the crate `csv`
//! takes anything for CSV and rows of any size; `csv` takes the bytes apart; `read` and `cell` make columns and values
//! of them. Writing is one: `write`, with the `guard` against formulas.

mod bounds;
mod cell;
mod check;
mod dialect;
mod guard;
mod read;
mod spool;
mod write;

pub use bounds::SheetBounds;
pub use cell::{
    CellRef, ITEM_SEPARATOR, SheetCell, escape_item, split_item_at, split_items, unescape_item,
};
pub use dialect::Dialect;
pub use read::{SheetColumns, SheetReader, SheetRow};
pub use spool::{SheetSpool, SpooledSheet};
pub use write::{CsvCells, CsvWriter};

#[cfg(test)]
mod tests;
