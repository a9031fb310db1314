//! Admits GraphQL documents that cost no more than allowed, before anything of them runs.

#![doc = include_str!("../README.md")]

mod admit;
mod fragments;
mod limits;
mod rejection;
mod scan;
mod size;
mod variables;
mod weight;

pub use admit::{Admitted, GraphqlParams, admit};
pub use limits::Limits;
pub use rejection::{Rejection, RejectionKind};
