//! One blueprint in memory as it is drawn, as of one day: read once, then shown and computed over without the database.
//!
//! - `load` reads it in eleven flat statements inside one snapshot, so that a picture never mixes two moments.
//! - [`flow`] answers how people move: loops, dead ends, ways; [`hand_off`] where one department takes over from
//!   another. The graph is made once per canvas.
//! - [`view`] leaves touchpoints out for a smaller picture and joins what remains.
//! - [`shared`] keeps the canvases of one request, so that aliases and lists read each blueprint once.
//!
//! Flow and view are pure functions over a [`Canvas`]. Nothing is kept across requests; reading and computing are paid
//! from the request's budget. What hangs on a blueprint but is not drawn (insights, promises, …) is in
//! [`snapshot`](crate::snapshot), above the slices that define it.
//!
//! **Why it stands below the slices** although it shows their rows: a node of the API that was reached through a
//! blueprint carries the canvas it was read from (`Option<Arc<Canvas>>`), so that its edges need no further statement.
//! The slices define those nodes and so import the canvas; the canvas knows their tables only by their entities.

mod digest;
pub mod flow;
mod graph;
pub mod hand_off;
mod load;
mod model;
#[cfg(test)]
pub(crate) mod sample;
pub mod shared;
pub mod view;

pub use self::{
    digest::digest_canvas,
    model::{Canvas, find_accountable_responsibility},
};

/// What loading a canvas costs in the complexity of a document.
pub const COST: usize = 300;
