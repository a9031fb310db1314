//! Flat rows for programs that draw charts. The catalogue says what datasets there are; a query asks one of them, and
//! whatever gives its rows to somebody is a face of it: GraphQL, the feed, OData, and views that BI tools read in
//! PostgreSQL. What one may not see no source selects.

pub mod catalogue;
pub mod changes;
pub mod datasets;
pub mod fact_join;
pub mod fact_page;
pub mod graphql;
pub mod journeys;
pub mod model;
pub mod names;
pub mod scope;
pub mod series;
pub mod source;
pub mod store;
pub mod views;
