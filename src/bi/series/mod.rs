//! Series: values put together by period and by what one asks for. A value belongs to the groups of the rows that it
//! has in `kpi_facts`, and counts once in each, however many rows that are. It is computed over what the cube keeps.
//!
//! Values for the whole and for parts of it are never put together twice. Of one period and place, values for all
//! channels and segments count where there are any, else those by channel, else by segment; where a series is by
//! channel or segment, those alone. At a touchpoint its own values count where there are any in the period, else those
//! of the KPI as a whole; where nothing about places is asked, those of the KPI as a whole where there are any.

pub mod aggregate;
mod answer;
mod attribution;
mod context;
mod contributions;
pub mod graphql;
mod group_key;
pub mod period;
pub mod request;
mod totals;
pub mod trend;
mod validate;

pub use self::{
    answer::{RowIndex, SeriesAnswer, SeriesRow, answer},
    request::{Dimension, SeriesRequest},
};
