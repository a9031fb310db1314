//! What the rules of the handshake need beyond a proposal itself: the tree of departments, who leads, and what waits.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;

use super::Rows;
use crate::{
    department::parents,
    error::{Error, Result},
    responsibility::{
        parties::{LeadsByDepartment, Parents},
        waiting::{self, Waiting},
    },
};

/// The tree of departments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tree;

/// Who leads which department.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllLeads;

/// Every open proposal that the caller may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Open;

impl Loader<Tree> for Rows {
    type Value = Arc<Parents>;
    type Error = Error;

    async fn load(&self, _: &[Tree]) -> Result<HashMap<Tree, Self::Value>> {
        let tree = parents(self.caller.reader()).await?;
        Ok([(Tree, Arc::new(tree))].into())
    }
}

impl Loader<AllLeads> for Rows {
    type Value = Arc<LeadsByDepartment>;
    type Error = Error;

    async fn load(&self, _: &[AllLeads]) -> Result<HashMap<AllLeads, Self::Value>> {
        let leads = waiting::leads(self.caller.reader(), None).await?;
        Ok([(AllLeads, Arc::new(leads))].into())
    }
}

impl Loader<Open> for Rows {
    type Value = Arc<Waiting>;
    type Error = Error;

    async fn load(&self, _: &[Open]) -> Result<HashMap<Open, Self::Value>> {
        let open = Waiting::read(&self.caller, self.caller.reader()).await?;
        Ok([(Open, Arc::new(open))].into())
    }
}
