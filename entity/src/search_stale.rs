//! A thing whose words have to be read again.

use sea_orm::entity::prelude::*;

use crate::words::SearchKind;

/// A thing whose words have to be read again, marked by a trigger. None is left when a transaction of a permit ends.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_stale")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub number: i64,
    pub kind: SearchKind,
    pub id: Uuid,
}

no_relations!();
