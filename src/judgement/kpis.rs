//! KPIs with their targets, read in one statement.

use std::collections::HashMap;

use entity::{
    id::KpiId,
    kpi, kpi_target,
    read::{self, FromCells, RowCursor},
};
use sea_orm::{
    ConnectionTrait, DbErr, QuerySelect, QueryTrait, Select, sea_query::SelectStatement,
};

use super::target::KpiTargets;
use crate::{error::Result, statement::SqlBuilder};

/// KPIs, and what they should reach.
#[derive(Clone, Debug, Default)]
pub struct KpisWithTargets {
    pub kpis: HashMap<KpiId, kpi::Model>,
    pub targets: HashMap<KpiId, KpiTargets>,
}

struct KpiWithTarget {
    kpi: kpi::Model,
    target: Option<kpi_target::Model>,
}

impl FromCells for KpiWithTarget {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            kpi: FromCells::from_cells(cells)?,
            target: cells.read_joined()?,
        })
    }
}

/// The ids of the KPIs that a select gives.
pub(super) fn select_ids(kpis: Select<kpi::Entity>) -> SelectStatement {
    kpis.select_only().column(kpi::Column::Id).into_query()
}

/// The KPIs with the ids that a select gives.
pub async fn load_kpis_with_targets<C: ConnectionTrait>(
    db: &C,
    ids: &SelectStatement,
) -> Result<KpisWithTargets> {
    let kpi = read::columns_sql::<kpi::Model>("kpi");
    let target = read::columns_sql::<kpi_target::Model>("target");
    let select = format!(
        "SELECT {kpi}, {target} FROM kpi LEFT JOIN kpi_target target ON target.kpi_id = kpi.id WHERE kpi.id IN ("
    );
    let text = SqlBuilder::new(db.get_database_backend(), &select)
        .select(ids)
        .then(") ORDER BY target.valid_from");
    let rows: Vec<KpiWithTarget> = read::read_all(db, text.statement()).await?;
    let (mut kpis, mut targets) = (HashMap::new(), Vec::new());
    for row in rows {
        kpis.entry(row.kpi.id).or_insert(row.kpi);
        targets.extend(row.target);
    }
    Ok(KpisWithTargets {
        kpis,
        targets: KpiTargets::by_kpi(targets),
    })
}
