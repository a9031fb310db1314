//! Which values of KPIs somebody may see: those of a confidential KPI are for its owner and whom it was granted to.

use std::collections::BTreeSet;

use entity::{id::KpiId, kpi, kpi_grant, words::Sensitivity};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::{
    access::Caller,
    error::Result,
    policy::{Action, Relation, RowTies},
};

/// Those of the KPIs whose values the caller may not see. One statement at the most, and none unless a grant by name
/// could matter.
pub(crate) async fn find_kpis_with_hidden_values<'k, C: ConnectionTrait>(
    caller: &Caller,
    db: &C,
    kpis: impl IntoIterator<Item = &'k kpi::Model>,
) -> Result<BTreeSet<KpiId>> {
    let mut hidden: BTreeSet<KpiId> = kpis
        .into_iter()
        .filter(|kpi| kpi.sensitivity == Sensitivity::Confidential)
        .filter(|kpi| {
            let owner =
                RowTies::none().with_departments(Relation::OwnsKpi, [kpi.owner_department_id]);
            !caller.may(Action::ReadConfidential, &owner)
        })
        .map(|kpi| kpi.id)
        .collect();
    if hidden.is_empty() {
        return Ok(hidden);
    }
    if let Some(account) = caller.reach(Action::ReadConfidential).granted_to {
        let granted: Vec<KpiId> = kpi_grant::Entity::find()
            .select_only()
            .column(kpi_grant::Column::KpiId)
            .filter(kpi_grant::Column::AccountId.eq(account))
            .into_tuple()
            .all(db)
            .await?;
        hidden.retain(|kpi| !granted.contains(kpi));
    }
    Ok(hidden)
}

/// Whether the caller may see a KPI's values.
pub async fn are_values_visible(caller: &Caller, kpi: &kpi::Model) -> Result<bool> {
    Ok(
        find_kpis_with_hidden_values(caller, caller.connection(), [kpi])
            .await?
            .is_empty(),
    )
}
