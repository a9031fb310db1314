//! Makes ids and reads those that clients send.

use entity::id::Id;
use uuid::Uuid;

/// A new id, greater than every id made before it in this process.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one room that makes ids"
)]
pub fn new<I: Id>() -> I {
    Uuid::now_v7().into()
}

/// An id that says nothing of when it was made.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one room that makes ids"
)]
pub fn untimed() -> Uuid {
    Uuid::new_v4()
}

/// Hex digits for what needs no type, such as the id of a request.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one room that makes ids"
)]
pub fn random() -> String {
    Uuid::now_v7().simple().to_string()
}
