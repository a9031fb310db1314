//! A further persona of a blueprint.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{BlueprintId, PersonaId};

/// A further persona of a blueprint.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "blueprint_persona")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub blueprint_id: BlueprintId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub persona_id: PersonaId,
    pub position: i32,
}

no_relations!();
