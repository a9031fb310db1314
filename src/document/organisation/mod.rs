//! The document of a whole organisation, version 1: everything but accounts, feedback and the audit log, by keys and
//! natural keys. Only the command line reads and writes it.
//!
//! It is loaded into a database that holds none of it yet (`load`): first what journeys share (`master`), then each
//! blueprint the way its own document goes, with who answered for what since when (`history`), then the values of
//! KPIs (`values`), and in the end what is archived is put away. Out it is one step (`export`).
//!
//! Archived phases and touchpoints, corrected values, dismissals of findings and the search texts are not in it.

mod export;
mod history;
mod load;
mod master;
mod schema;
mod values;

pub use self::{
    export::export,
    load::{OrganisationLoadOptions, load_organisation},
    schema::{FORMAT, OrganisationInput},
};
pub(super) use load::{load_into, refuse_unless_empty};
