//! What changes when the organisation does: a department is archived and another takes over what it held, in every
//! slice at once. What would be taken over is a plan, made by pure rules; the operation only carries it out.

mod archive;
mod carry_out;
pub mod graphql;
mod holdings;
mod plan;

pub use self::{
    archive::{DepartmentArchiveInput, archive},
    holdings::Holdings,
    plan::{ARCHIVED, Step},
};
