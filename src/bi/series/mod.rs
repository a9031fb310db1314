//! Series: values of KPIs aggregated by period and by dimensions, computed from what the [`cache`](super::cache) keeps.
//!
//! 1. [`request`] says which grain, days, dimensions and filters; `validate` refuses what has no defined value.
//! 2. `context` reads, in one snapshot, the KPIs, targets, journeys and names that the request needs.
//! 3. `attribution` finds on which days the values of a KPI belong to which group: by its links and by who held roles,
//!    as the rows of `kpi_facts` would. `group_key` packs a group into 128 bits that sort as groups do.
//! 4. `contributions` intersects those days with the time series of the KPI, and `totals` sums per group and period,
//!    into an aggregate of [`judgement`](crate::judgement) that knows every aggregation. Sums are made when a row is taken: a page costs what it
//!    shows.
//! 5. `answer` gives the rows in order; [`graphql`] and `datasets::series` are its faces.
//!
//! A value counts **once** in a group, however many rows it has there in `kpi_facts`: a touchpoint whose two
//! departments deliver shows its value under each of them, and once in their blueprint.
//!
//! Values of the whole and of its parts are never added up. In a period and place, values for all channels and segments
//! count where there are any, else those by channel, else those by segment, else those by both; in a series by channel
//! or segment, those alone. At a touchpoint its own values count where the period has any, else those of the KPI as a
//! whole; where a request says nothing of places, it is the other way round.

mod answer;
mod attribution;
mod context;
mod contributions;
pub mod graphql;
mod group_key;
pub mod request;
mod totals;
mod validate;

pub use self::{
    answer::{SeriesAnswer, SeriesRow, SeriesRowPosition, answer_request, refuse_unanswerable},
    request::{Dimension, SeriesRequest},
};
