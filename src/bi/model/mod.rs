//! What datasets, queries and values are. Plain data: nothing here reads the database.

pub mod cursor;
pub mod dataset;
pub mod days;
pub mod filter;
pub mod letter_case;
pub mod query;
pub mod value;
