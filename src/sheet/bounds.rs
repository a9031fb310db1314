//! How large a sheet may be that is read.

/// Longest cell that is read, in bytes.
pub const LONGEST_CELL: usize = 1 << 20;
/// Longest row that is read, in bytes.
pub const LONGEST_ROW: usize = 4 << 20;
/// Longest row that is read of a sheet of short ones, in bytes.
pub const LONGEST_SHORT_ROW: usize = 64 << 10;
/// Most columns of a sheet that is read.
pub const MOST_COLUMNS: usize = 200;

/// How large a sheet may be that is read.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Rows below the headings.
    pub rows: usize,
    /// Bytes of a cell.
    pub cell: usize,
    /// Bytes of a row.
    pub row: usize,
}

impl Bounds {
    /// So many rows that people wrote.
    #[must_use]
    pub const fn rows(rows: usize) -> Self {
        Self {
            rows,
            cell: LONGEST_CELL,
            row: LONGEST_ROW,
        }
    }

    /// So many rows of a few short cells, as programs write them.
    #[must_use]
    pub const fn short_rows(rows: usize) -> Self {
        Self {
            rows,
            cell: LONGEST_SHORT_ROW,
            row: LONGEST_SHORT_ROW,
        }
    }
}
