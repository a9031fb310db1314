//! The refusal of work that cannot be done in time.

/// A refusal: more is asked for than can be done in time.
#[derive(Clone, Copy, Debug)]
pub struct Overloaded;

impl Overloaded {
    /// What the client is told.
    pub const MESSAGE: &str = "The server is overloaded. Try again in a moment.";
}
