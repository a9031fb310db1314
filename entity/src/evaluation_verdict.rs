//! What an evaluation found about one need.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::{EvaluationId, NeedId},
    words::Verdict,
};

/// What an evaluation found about one need.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "evaluation_verdict")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub evaluation_id: EvaluationId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub need_id: NeedId,
    /// From 1.
    pub position: i32,
    pub verdict: Verdict,
}

no_relations!();
