//! Sheets: rows of cells as spreadsheets save and open them (CSV), read with every fault at its line and column and
//! written so that no text becomes a formula. It knows no blueprint, and holds one row at a time.

mod bounds;
mod cell;
mod check;
mod dialect;
mod guard;
mod read;
mod spool;
mod write;

pub use bounds::Bounds;
pub use cell::{BETWEEN, Cell, Place, escaped, items, parted, told, unescaped};
pub use dialect::Dialect;
pub use guard::guarded;
pub use read::{Columns, Reader, Row};
pub use spool::{Spool, Spooled};
pub use write::{CsvCells, Writer};

#[cfg(test)]
mod tests;
