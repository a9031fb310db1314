//! Reads the filter expressions, keys and literals of OData 4.0, within bounds.

#![doc = include_str!("../README.md")]

mod expression;
mod fault;
mod grammar;
mod lexer;

pub use expression::{
    ComparisonOperator, Expression, Literal, Operand, PropertyFunction, TextFunction,
    write_literals,
};
pub use fault::{Fault, all_are_unsupported, join_sentences};
pub use grammar::{MAX_BYTES, MAX_CONDITIONS, MAX_DEPTH, parse_filter, parse_key, parse_literals};
