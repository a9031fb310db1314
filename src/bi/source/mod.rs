//! Where rows come from, and how they reach whoever pulls.
//!
//! A [`reader::RowReader`] makes the rows of a dataset: [`sql_reader`] runs the statement that [`sql`] writes for a
//! query; readers that compute rows stand with their datasets and use [`memory`], which filters, orders and pages as
//! the database would. A reader sends batches of [`row::RowContent`] into a channel that holds one, from a task of its
//! own ([`stream`]). So a pull of millions of rows holds three batches in memory; a slow client slows the reader, not
//! the server; and a client that goes away ends the task and with it the transaction.
//!
//! ```text
//! reader ── batch of 1,000 rows ──► channel of one batch ──► RowStream::next ──► cells, written by a face
//! ```
//!
//! `dyn` is paid once a pull. Rows are an enum, whose cells are borrowed: nothing is allocated per cell.

pub mod memory;
pub mod reader;
pub mod row;
pub mod sql;
pub mod sql_reader;
pub mod stream;
