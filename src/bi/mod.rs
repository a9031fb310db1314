//! Flat rows for programs that draw charts: joins of what the graph holds, as of a day.

pub mod facts;
pub mod graphql;
