//! Documents: what the organisation is, as one text that people can read, by keys instead of ids.

pub mod load;
pub mod organisation;
