//! The data loaders of the handshake. Its rules ask, for each proposal, who could answer it: the leads of the addressed
//! department, or the nearest ones above it. The tree, the leads and the open proposals are the same for a whole document,
//! so their keys carry no id: however many proposals a page shows, each is read once.

use std::{collections::HashMap, sync::Arc};

use crate::{
    access::Caller,
    batch::Key,
    department::parents,
    error::Result,
    responsibility::{
        parties::{LeadsByDepartment, Parents},
        waiting::{self, OpenProposals},
    },
};

/// The parent of every department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tree;

/// The active leads of every department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllLeads;

/// Every open proposal that the caller may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Open;

impl Key for Tree {
    type Value = Arc<Parents>;

    async fn load(caller: &Caller, _: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let tree = parents(caller.reader()).await?;
        Ok([(Tree, Arc::new(tree))].into())
    }
}

impl Key for AllLeads {
    type Value = Arc<LeadsByDepartment>;

    async fn load(caller: &Caller, _: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let leads = waiting::leads(caller.reader(), None).await?;
        Ok([(AllLeads, Arc::new(leads))].into())
    }
}

impl Key for Open {
    type Value = Arc<OpenProposals>;

    async fn load(caller: &Caller, _: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let open = OpenProposals::read(caller, caller.reader()).await?;
        Ok([(Open, Arc::new(open))].into())
    }
}
