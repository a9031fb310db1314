//! What changes when the organisation does: departments are archived or merged and another takes over what they
//! held, a touchpoint goes, a person goes. Every act is a plan made by pure rules, which the operation carries out
//! and which tells, without writing anything, what the operation would do.

mod archive;
mod carry_out;
pub mod graphql;
mod holdings;
mod impact;
mod links;
mod merge;
mod person;
mod plan;
mod question;
mod takeover;
pub mod touchpoint;

pub use self::{
    archive::{DepartmentArchiveInput, archive, archive_impact},
    impact::ReorganisationImpact,
    merge::{DepartmentMergeInput, Merged, merge, merge_impact},
    person::{deactivate, deactivate_impact},
};
