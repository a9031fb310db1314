//! A large organisation, drawn at random from a seed: the same for the same options, and all of it or nothing.
//!
//! [`generate::generate`] writes in one transaction of the product's own door, table by table, so that a later row can
//! refer to ids of earlier ones. Rows are inserted as they would be stored, past the use-cases: two million
//! measurements through the API would take hours. Each purpose draws from a random stream of its own, so that one more
//! touchpoint does not change what is measured.

mod blueprint;
pub(crate) mod fill;
pub(crate) mod generate;
mod generator;
mod kpi;
pub(crate) mod master;
mod measurement;
mod progress;
mod random;
pub(crate) mod size;
mod texts;
mod transition;
