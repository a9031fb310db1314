//! A blueprint with everything that hangs on it, in memory, as of one day: the canvas that is drawn, and the scenarios,
//! KPI links, insights, promises, evaluations and improvements besides.
//!
//! Whatever judges, compares, reorganises or writes down a whole blueprint works on a [`WholeBlueprint`], so that it
//! needs no further statement and never mixes two moments. `load` reads it in one transaction by a fixed number of
//! statements, whatever the size of the blueprint.
//!
//! It stands above the slices whose tables it reads, unlike the [`canvas`](crate::canvas), which their nodes carry. It
//! never crosses a request and is never written back: who wants a row changed goes to its slice, with a permit.

mod load;
mod model;

pub use self::model::WholeBlueprint;

/// What loading a snapshot costs in the complexity of a document.
pub const COST: usize = 1_000;
