//! Reorganisations: acts across slices that can also answer "what if". Departments are archived or merged and a
//! successor takes over, a touchpoint is archived, a person leaves.
//!
//! ```text
//! holdings, links ─► plan: Vec<PlanStep> ─► carry_out, under locks: the act
//!    (read)          (pure)         └─────► impact: the answer to "what if", nothing written
//! ```
//!
//! The act and the question share reading and planning, so that the answer is what would happen. They differ in whose
//! eyes they read with: the act plans over everything that is there, the question over what its caller may see.

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
    archive::{DepartmentArchiveInput, archive, preview_archiving},
    impact::ReorganisationImpact,
    merge::{DepartmentMergeInput, merge, preview_merge},
    person::{deactivate, preview_deactivation},
};
