//! Flat rows for programs that draw charts. One registry of datasets says what there is; a query asks one of them, and
//! whatever gives its rows to somebody is a face of it: GraphQL, the feed, and views that BI tools read in PostgreSQL. What one may not see no source selects.

pub mod computed;
pub mod cube;
pub mod datasets;
pub mod facts;
pub mod filter;
pub mod graphql;
pub mod joined;
pub mod journeys;
pub mod names;
pub mod query;
pub mod registry;
pub mod row;
pub mod rows;
pub mod scope;
pub mod series;
pub mod since;
pub mod views;
