//! An account that may see the values of a confidential KPI.

use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::id::{AccountId, KpiGrantId, KpiId};

/// An account that may see the values of a confidential KPI.
#[derive(Clone, Debug, PartialEq, Serialize, DeriveEntityModel)]
#[serde(rename_all = "camelCase")]
#[sea_orm(table_name = "kpi_grant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KpiGrantId,
    pub kpi_id: KpiId,
    pub account_id: AccountId,
    pub created_at: DateTimeUtc,
}

no_relations!();
