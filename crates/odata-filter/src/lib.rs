//! Reads the filter expressions, keys and literals of OData 4.0, within bounds.

#![doc = include_str!("../README.md")]

mod expression;
mod fault;
mod grammar;
mod lexer;

pub use expression::{
    ComparisonOperator, Expression, Literal, Operand, TextFunction, write_literals,
};
pub use fault::{Fault, are_unsupported, sentences};
pub use grammar::{MAX_BYTES, MAX_CONDITIONS, MAX_DEPTH, parse, parse_key, parse_literals};
