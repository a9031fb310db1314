//! A unit that delivers; departments form a tree.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{id::DepartmentId, words::DepartmentKind};

/// A unit that delivers; departments form a tree.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "department")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DepartmentId,
    pub key: String,
    pub name: String,
    pub kind: DepartmentKind,
    pub parent_id: Option<DepartmentId>,
    /// Who took over what it held, once it is archived.
    pub successor_id: Option<DepartmentId>,
    pub created_at: DateTimeUtc,
    pub archived_at: Option<DateTimeUtc>,
    pub version: i32,
}

no_relations!();
