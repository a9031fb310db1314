//! cx-blueprint: service blueprints that several departments share.

pub mod access;
pub mod audit;
pub mod blueprint;
pub mod canvas;
pub mod clock;
pub mod database;
pub mod document;
pub mod error;
pub mod graph;
pub mod id;
pub mod input;
pub mod order;
pub mod page;
pub mod payload;
pub mod policy;
pub mod responsibility;
pub mod touchpoint;
