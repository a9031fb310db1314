//! One need of a persona.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{NeedId, PersonaId};

/// One need of a persona.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "persona_need")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NeedId,
    pub persona_id: PersonaId,
    pub position: i32,
    pub text: String,
}

no_relations!();
