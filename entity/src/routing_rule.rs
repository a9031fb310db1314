//! Which department works the answers on the relationship as a whole that a segment, a channel or a cause picks.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{ChannelId, DepartmentId, RoutingRuleId, SegmentId},
    words::FollowUpCause,
};

/// Which department works the answers on the relationship as a whole that a segment, a channel or a cause picks; at
/// least one of them is set.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "routing_rule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RoutingRuleId,
    pub segment_id: Option<SegmentId>,
    pub channel_id: Option<ChannelId>,
    pub cause: Option<FollowUpCause>,
    pub department_id: DepartmentId,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
