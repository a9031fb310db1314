//! `/bi/v1`: flat datasets for programs that draw charts, as CSV or a line of JSON each. It translates and streams;
//! what rows there are, and for whom, is the catalogue's to say.
//!
//! `list` names the datasets; `feed` answers one pull, with `params` for what stands after the question mark,
//! `encode` for its rows, `page` where a limit is sent and `stream` where none is; `import` takes sheets in.

pub mod encode;
pub mod feed;
pub mod import;
pub mod list;
mod page;
pub mod params;
mod pull;
mod stream;
