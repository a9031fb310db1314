//! The refusal of work that cannot be done in time.

/// A refusal: more is asked for than can be done in time.
#[derive(Clone, Copy, Debug)]
pub struct Overloaded;

impl Overloaded {
    /// What the client is told.
    pub const MESSAGE: &str =
        "The server has more to do than it can do in time. Try again in a moment.";
}
