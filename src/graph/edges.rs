//! The edges of the graph, by the type that they leave: fields that join two slices, or that answer from a whole
//! blueprint in memory.

mod account;
mod blueprint;
mod department;
mod evaluation;
mod feedback;
mod figure;
mod finding;
mod impact;
mod improvement;
mod insight;
mod kpi;
mod list;
mod persona;
mod promise;
mod publication;
mod responsibility;
mod scenario;
mod template;
mod touchpoint;
mod trend;
