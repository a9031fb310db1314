//! A channel of a touchpoint.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{ChannelId, TouchpointId};

/// A channel of a touchpoint.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "touchpoint_channel")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub touchpoint_id: TouchpointId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub channel_id: ChannelId,
    pub position: i32,
}

no_relations!();
