//! Grants: which analyst may see the values of a confidential KPI.

use async_graphql::{ID, InputObject};
use entity::{
    account,
    id::{AccountId, KpiGrantId, KpiId},
    kpi, kpi_grant,
    words::OrganisationRole,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};

use crate::{
    access::{Caller, require_unarchived},
    error::{Error, Result, UserErrorCode},
    input::{self, Faults},
    policy::Action,
};

/// A new grant: an analyst may see the values of a KPI while it is confidential.
#[derive(InputObject)]
pub struct KpiGrantCreateInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the KPI.
    pub kpi_id: ID,
    /// Id of the account, whose role is ANALYST.
    pub account_id: ID,
}

/// A grant to take back.
#[derive(InputObject)]
pub struct KpiGrantDeleteInput {
    /// The object's id.
    pub id: ID,
}

/// Grants an analyst the values of a KPI.
pub async fn create(caller: &Caller, input: KpiGrantCreateInput) -> Result<kpi_grant::Model> {
    let mut faults = Faults::default();
    let id: KpiGrantId = faults.parse_or_make_id(input.id.as_ref());
    let kpi_id: KpiId = faults.parse_id("kpiId", &input.kpi_id);
    let account_id: AccountId = faults.parse_id("accountId", &input.account_id);
    faults.check()?;
    let (kpi, mut permit) = caller
        .fetch_locked::<kpi::Entity>(Action::DefineKpi, "kpiId", kpi_id)
        .await?;
    require_unarchived::<kpi::Entity>("kpiId", &kpi)?;
    let account = permit
        .read_unarchived_row::<account::Entity>("accountId", account_id)
        .await?;
    if account.role != OrganisationRole::Analyst {
        let message = "Only accounts with the role ANALYST can get a grant.";
        return Err(Error::fault(
            "accountId",
            UserErrorCode::Invalid,
            None,
            message,
        ));
    }
    let same = |row: &kpi_grant::Model| row.kpi_id == kpi.id && row.account_id == account.id;
    if let Some(row) = permit
        .find_already_created::<kpi_grant::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let granted = kpi_grant::Entity::find()
        .filter(kpi_grant::Column::KpiId.eq(kpi.id))
        .filter(kpi_grant::Column::AccountId.eq(account.id))
        .count(permit.tx())
        .await?;
    if granted > 0 {
        let message = "This account may see the values already.";
        return Err(Error::fault(
            "accountId",
            UserErrorCode::Duplicate,
            None,
            message,
        ));
    }
    let row = permit
        .insert::<kpi_grant::Entity>(kpi_grant::ActiveModel {
            id: Set(id),
            kpi_id: Set(kpi.id),
            account_id: Set(account.id),
            created_at: Set(caller.now),
        })
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// Takes a grant back.
pub async fn delete(caller: &Caller, input: &KpiGrantDeleteInput) -> Result<kpi_grant::Model> {
    let id: KpiGrantId = input::parse_id("id", &input.id)?;
    let (row, mut permit) = caller
        .fetch_locked::<kpi_grant::Entity>(Action::DefineKpi, "id", id)
        .await?;
    permit.delete::<kpi_grant::Entity>(&row).await?;
    permit.commit().await?;
    Ok(row)
}
