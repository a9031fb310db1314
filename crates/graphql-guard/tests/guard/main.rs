//! Documents that the guard has to let through, and documents that it must refuse.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what it expects, and fails where that is not so"
)]

mod attacks;
mod documents;
mod executed;
mod limits;
mod requests;
mod variables;
