//! Admits GraphQL documents that cost no more than allowed, before anything of them runs.

#![doc = include_str!("../README.md")]

mod admit;
mod ast;
mod coerce;
mod convert;
mod lexer;
mod limits;
mod merge;
mod parser;
mod rejection;
mod schema;
mod size;
mod validate;
mod variables;
mod weight;

pub use admit::{Admitted, GraphqlParams, admit};
pub use limits::Limits;
pub use rejection::{InputPathPart, Rejection, RejectionKind, RequestFault};
pub use schema::{ScalarParser, SchemaTypes};
