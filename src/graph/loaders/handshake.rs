//! The data loaders of the handshake. Its rules ask, for each proposal, who could answer it: the leads of the addressed
//! department, or the nearest ones above it. The tree, the leads and the open proposals are the same for a whole
//! document, so their keys carry no id: however many proposals a page shows, each is read once.

use std::{collections::HashMap, sync::Arc};

use crate::{
    access::Caller,
    batch::LoaderKey,
    department::load_parent_by_department,
    error::Result,
    responsibility::{
        parties::{LeadsByDepartment, Parents},
        waiting::{self, OpenProposals},
    },
};

/// The parent of every department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DepartmentParents;

/// The active leads of every department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DepartmentLeads;

/// Every open proposal that the caller may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ReadableOpenProposals;

impl LoaderKey for DepartmentParents {
    type Value = Arc<Parents>;

    async fn load(caller: &Caller, _: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let tree = load_parent_by_department(caller.connection()).await?;
        Ok([(DepartmentParents, Arc::new(tree))].into())
    }
}

impl LoaderKey for DepartmentLeads {
    type Value = Arc<LeadsByDepartment>;

    async fn load(caller: &Caller, _: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let leads = waiting::load_leads(caller.connection(), None).await?;
        Ok([(DepartmentLeads, Arc::new(leads))].into())
    }
}

impl LoaderKey for ReadableOpenProposals {
    type Value = Arc<OpenProposals>;

    async fn load(caller: &Caller, _: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let open = OpenProposals::load(caller, caller.connection()).await?;
        Ok([(ReadableOpenProposals, Arc::new(open))].into())
    }
}
