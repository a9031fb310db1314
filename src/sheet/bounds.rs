//! The bounds of a sheet that is read.

/// Longest cell that is read, in bytes.
const LONGEST_CELL: usize = 1 << 20;
/// Longest row that is read, in bytes.
const LONGEST_ROW: usize = 4 << 20;
/// Longest row of a sheet of short rows, in bytes.
const LONGEST_SHORT_ROW: usize = 64 << 10;
/// Most columns of a sheet that is read.
pub(super) const MOST_COLUMNS: usize = 200;

/// The bounds of a sheet that is read.
#[derive(Clone, Copy, Debug)]
pub struct SheetBounds {
    /// Most rows below the headings.
    pub rows: usize,
    /// Most bytes of a cell.
    pub cell: usize,
    /// Most bytes of a row.
    pub row: usize,
}

impl SheetBounds {
    /// Bounds of a sheet that people wrote, with at most this many rows.
    #[must_use]
    pub const fn with_rows(rows: usize) -> Self {
        Self {
            rows,
            cell: LONGEST_CELL,
            row: LONGEST_ROW,
        }
    }

    /// Bounds of a sheet of a few short cells a row, as programs write them.
    #[must_use]
    pub const fn with_short_rows(rows: usize) -> Self {
        Self {
            rows,
            cell: LONGEST_SHORT_ROW,
            row: LONGEST_SHORT_ROW,
        }
    }
}
