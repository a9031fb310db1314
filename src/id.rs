//! Makes ids. The only room that calls the generator.

use entity::id::Id;
use uuid::Uuid;

/// A new id (a UUID of version 7), greater than every id made before it in this process: ids sort by the time of
/// making.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one room that makes ids"
)]
pub fn new<I: Id>() -> I {
    Uuid::now_v7().into()
}

/// A random id (a UUID of version 4), which does not tell when it was made.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one room that makes ids"
)]
pub fn new_random() -> Uuid {
    Uuid::new_v4()
}

/// A new id as 32 hexadecimal digits, for the id of a request.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one room that makes ids"
)]
pub fn new_hex() -> String {
    Uuid::now_v7().simple().to_string()
}
