//! Where something is known from.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{BlueprintId, SourceId},
    words::SourceKind,
};

/// Where something is known from.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "source")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SourceId,
    pub blueprint_id: BlueprintId,
    /// Unique in the blueprint, however its letters are cased.
    pub title: String,
    pub kind: SourceKind,
    /// The day on which it was taken; one to come only where it is planned.
    pub held_on: Option<Date>,
    /// Still to be asked: nothing rests on it yet.
    pub planned: bool,
    pub sample_size: Option<i32>,
    pub link: Option<String>,
    pub note: Option<String>,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
