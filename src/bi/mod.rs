//! Flat rows for BI tools: datasets of typed columns, pulled as CSV, NDJSON, OData, GraphQL or views of PostgreSQL.
//!
//! A pull walks down this room once. `GET /bi/v1/kpi_facts.csv?from=2025-01-01&to=2025-02-01&role=ACCOUNTABLE`:
//!
//! 1. `http::bi::params` reads the parameters into a [`model::query::DatasetQuery`]: the dataset, columns, a
//!    [`model::filter::Filter`], days, limit and resume point. A query is plain data and knows nobody's rights.
//! 2. [`catalogue::stream_rows`] asks whether the caller may pull the dataset at all, looks up the dataset's
//!    [`source::reader::RowReader`], and spawns it on a snapshot of the database.
//! 3. The reader sends batches of rows. `kpi_facts` has [`fact_join`], which reads measurements by day and joins them
//!    in memory with what the [`cache`] keeps of blueprints; most datasets have `source::sql_reader`, which runs their
//!    SQL; series and findings are computed. Each reader asks [`scope`] what the caller may see, and reads nothing
//!    else.
//! 4. The face takes rows from the [`source::stream::RowStream`] and writes their cells, each a
//!    [`model::value::ValueRef`] borrowed from its row.
//!
//! A pull of what changed since an earlier one goes through [`changes`] between 2 and 3. [`views`] hands the same SQL
//! to PostgreSQL, where the scope is looked up whenever a view is read.
//!
//! A new dataset is a table of columns in [`datasets`] and a line in [`catalogue`].

mod api_value;
pub mod cache;
pub mod catalogue;
pub mod changes;
pub mod datasets;
pub mod default_days;
pub mod fact_join;
pub mod fact_page;
pub mod graphql;
pub mod journeys;
pub mod model;
pub mod names;
pub mod scope;
pub mod series;
pub mod source;
pub mod views;
