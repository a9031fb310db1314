//! A real group of people: a dimension and a value.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::SegmentId;

/// A real group of people: a dimension and a value.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "segment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SegmentId,
    pub key: String,
    pub dimension: String,
    pub value: String,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
