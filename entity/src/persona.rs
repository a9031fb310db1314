//! An archetype whose journey it is.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{id::PersonaId, json::Texts, words::Subject};

/// An archetype whose journey it is.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel, entity_derive::FromCells)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "persona")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PersonaId,
    pub key: String,
    pub name: String,
    pub subject: Subject,
    pub context: Texts,
    pub max_contacts_per_month: Option<i32>,
    pub created_at: DateTimeUtc,
    pub archived_at: Option<DateTimeUtc>,
    pub version: i32,
}

no_relations!();
