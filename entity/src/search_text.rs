//! The folded words of one thing that can be found.

use sea_orm::entity::prelude::*;

use crate::{id::BlueprintId, words::SearchKind};

/// The folded words of one thing that can be found, parted by blanks, one at each end.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_text")]
pub struct Model {
    /// What SQLite's full-text index calls the row.
    #[sea_orm(primary_key)]
    pub number: i64,
    pub kind: SearchKind,
    pub id: Uuid,
    /// The blueprint that it is or lies in.
    pub blueprint_id: Option<BlueprintId>,
    /// The words of the text that names it, in order.
    pub title: String,
    /// All its words, each once.
    pub words: String,
}

no_relations!();
