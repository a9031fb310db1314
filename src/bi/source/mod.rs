//! Where rows come from, and how they reach whoever pulls: by one statement, or from memory, batch after batch.

pub mod memory;
pub mod row;
pub mod sql;
pub mod stream;
