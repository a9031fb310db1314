//! Who made a row and who changed it last. Nobody is named where the command line did.

use sea_orm::entity::prelude::*;

use crate::id::AccountId;

/// Who made a row and who changed it last. Nobody is named where the command line did.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "row_edit")]
pub struct Model {
    /// The row's id, of whatever table.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject_id: Uuid,
    pub created_by_id: Option<AccountId>,
    pub updated_at: DateTimeUtc,
    pub updated_by_id: Option<AccountId>,
}

no_relations!();
