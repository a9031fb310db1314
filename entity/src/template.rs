//! What blueprints can begin with: phases, and the lenses to look through.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    id::TemplateId,
    json::{InsightKinds, TemplatePhases, TemplateSubjects},
};

/// What blueprints can begin with: phases, and the lenses to look through.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "template")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TemplateId,
    pub key: String,
    pub name: String,
    pub description: Option<String>,
    pub subjects: TemplateSubjects,
    pub lenses: InsightKinds,
    pub phases: TemplatePhases,
    pub created_at: DateTimeUtc,
    pub version: i32,
}

no_relations!();
