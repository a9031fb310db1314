//! A way in which people meet.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{id::ChannelId, words::Medium};

/// A way in which people meet.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "channel")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ChannelId,
    pub key: String,
    pub name: String,
    pub medium: Medium,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
