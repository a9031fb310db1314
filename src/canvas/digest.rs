//! A digest of what a canvas shows, for clients that ask whether to read it again. `blueprint.revision` counts what
//! changes inside a blueprint; figures, and names that blueprints share, change without it.

use entity::{blueprint, kpi, kpi_link, kpi_target};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use uuid::Uuid;

use crate::{
    access::Caller, digest::digest, error::Result, judgement::find_kpis_with_hidden_values,
    statement::SqlBuilder,
};

/// A row whose name stands in a canvas.
#[derive(FromQueryResult)]
struct NamedRow {
    id: Uuid,
    version: i32,
}

/// The digest of what this caller is shown of a blueprint today.
pub async fn digest_canvas(caller: &Caller, row: &blueprint::Model) -> Result<String> {
    let db = caller.connection();
    let linked = kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::KpiId)
        .filter(kpi_link::Column::BlueprintId.eq(row.id))
        .into_query();
    let kpis = caller
        .select::<kpi::Entity>()
        .filter(kpi::Column::Id.in_subquery(linked.clone()))
        .order_by_asc(kpi::Column::Id)
        .all(db)
        .await?;
    let hidden = find_kpis_with_hidden_values(caller, db, &kpis).await?;
    // Of values that the caller may not see it does not tell that there are new ones.
    let figures = kpis.iter().map(|kpi| {
        let values = (!hidden.contains(&kpi.id)).then_some(kpi.series_revision);
        (kpi.id, kpi.version, values)
    });
    let figures: Vec<_> = figures.collect();
    let targets: Vec<(Uuid, i32)> = caller
        .select::<kpi_target::Entity>()
        .select_only()
        .columns([kpi_target::Column::Id, kpi_target::Column::Version])
        .filter(kpi_target::Column::KpiId.in_subquery(linked))
        .order_by_asc(kpi_target::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let statement = names_sql(db.get_database_backend(), row).statement();
    let names = NamedRow::find_by_statement(statement).all(db).await?;
    let names: Vec<(Uuid, i32)> = names.iter().map(|row| (row.id, row.version)).collect();
    let (revision, today) = (row.revision, caller.today);
    Ok(digest(&format!(
        "{revision} {today} {figures:?} {targets:?} {names:?}"
    )))
}

/// The rows that blueprints share and name, with their versions.
fn names_sql(backend: sea_orm::DbBackend, row: &blueprint::Model) -> SqlBuilder {
    let shared = "SELECT id, version FROM department UNION ALL SELECT id, version FROM channel \
        UNION ALL SELECT id, version FROM segment UNION ALL SELECT id, version FROM persona \
        UNION ALL SELECT id, version FROM account WHERE id IN \
        (SELECT person_id FROM responsibility WHERE blueprint_id = ";
    SqlBuilder::new(backend, shared)
        .value(row.id)
        .then(") ORDER BY id")
}
