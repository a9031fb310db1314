//! Finds the measurements of which a row may have changed, by a change set. Wider than what changed, never narrower.

use chrono::NaiveDate;
use entity::{
    id::MeasurementId, kpi, kpi_link, kpi_target, measurement, responsibility, touchpoint,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{ExprTrait, IntoCondition, SelectStatement, SimpleExpr, UnionType},
};

use super::change_set::ChangedEntities;
use crate::{
    access::Caller,
    bi::{model::query::DatasetQuery, names::select_linked_kpi_ids},
    database::Transaction,
    error::Result,
};

/// The first `most` measurements that the query selects, that the caller may see, and of which a row may have changed;
/// by day and then by id. Superseded ones are among them: they have no row any more.
pub(super) async fn find_changed_measurements(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
    changes: &ChangedEntities,
    most: u64,
) -> Result<Vec<(NaiveDate, MeasurementId)>> {
    use measurement::Column::{Id, MeasuredOn};
    let Some(ids) = select_changed_measurement_ids(changes) else {
        return Ok(Vec::new());
    };
    Ok(caller
        .select::<measurement::Entity>()
        .select_only()
        .columns([MeasuredOn, Id])
        .filter(query.measurement_filter.clone())
        .filter(Id.in_subquery(ids))
        .order_by_asc(MeasuredOn)
        .order_by_asc(Id)
        .limit(most)
        .into_tuple()
        .all(tx)
        .await?)
}

/// Their ids, as a union: each part uses an index of its own, where one condition with ORs would scan.
fn select_changed_measurement_ids(changes: &ChangedEntities) -> Option<SelectStatement> {
    use measurement::Column::{KpiId, RecordedAt, SupersededById, TouchpointId};
    // From the beginning of the first act, not from the token's moment: a value carries the time at which its act
    // began, which may lie before the token although it was committed after.
    let recorded = select_measurement_ids_where(RecordedAt.gte(changes.from?));
    let places = select_changed_touchpoints(changes);
    let in_force = |of: SimpleExpr| select_measurement_ids_where(SupersededById.is_null().and(of));
    let judging = KpiId.in_subquery(select_kpis_of_changed_places(changes, &places));
    let parts = [
        // The row of the old value is gone: the client holds it under that value's own id, and needs a tombstone for
        // it.
        select_measurement_ids_where(SupersededById.in_subquery(recorded.clone())),
        in_force(KpiId.in_subquery(select_changed_kpis(changes))),
        in_force(TouchpointId.in_subquery(places)),
        // A value of the whole KPI has rows wherever the KPI is linked, so a change at any such place touches it.
        in_force(TouchpointId.is_null().and(judging)),
    ];
    let mut all = recorded;
    all.unions(parts.map(|part| (UnionType::Distinct, part)));
    Some(all)
}

fn select_measurement_ids_where(condition: impl IntoCondition) -> SelectStatement {
    measurement::Entity::find()
        .select_only()
        .column(measurement::Column::Id)
        .filter(condition)
        .into_query()
}

/// The KPIs all of whose rows may have changed.
fn select_changed_kpis(changes: &ChangedEntities) -> SelectStatement {
    let of_targets = kpi_target::Entity::find()
        .select_only()
        .column(kpi_target::Column::KpiId)
        .filter(kpi_target::Column::Id.is_in(changes.targets.iter().copied()));
    let of_links = select_linked_kpi_ids(kpi_link::Column::Id.is_in(changes.links.iter().copied()));
    let themselves = kpi::Entity::find()
        .select_only()
        .column(kpi::Column::Id)
        .filter(kpi::Column::Id.is_in(changes.kpis.iter().copied()));
    let mut all = themselves.into_query();
    all.unions([
        (UnionType::Distinct, of_targets.into_query()),
        (UnionType::Distinct, of_links),
    ]);
    all
}

/// The touchpoints all of whose rows may have changed.
fn select_changed_touchpoints(changes: &ChangedEntities) -> SelectStatement {
    use responsibility::Column::{DepartmentId, Id, TouchpointId};
    use touchpoint::Column as C;
    let held = responsibility::Entity::find()
        .select_only()
        .column(TouchpointId)
        .filter(
            Condition::any()
                .add(Id.is_in(changes.responsibilities.iter().copied()))
                .add(DepartmentId.is_in(changes.departments.iter().copied())),
        );
    let mut all = touchpoint::Entity::find()
        .select_only()
        .column(C::Id)
        .filter(
            Condition::any()
                .add(C::Id.is_in(changes.touchpoints.iter().copied()))
                .add(C::PhaseId.is_in(changes.phases.iter().copied()))
                .add(C::BlueprintId.is_in(changes.blueprints.iter().copied())),
        )
        .into_query();
    all.union(UnionType::Distinct, held.into_query());
    all
}

/// The KPIs that judge these touchpoints, or a phase or blueprint of which all rows may have changed.
fn select_kpis_of_changed_places(
    changes: &ChangedEntities,
    places: &SelectStatement,
) -> SelectStatement {
    use kpi_link::Column::{BlueprintId, PhaseId, TouchpointId};
    select_linked_kpi_ids(
        Condition::any()
            .add(TouchpointId.in_subquery(places.clone()))
            .add(PhaseId.is_in(changes.phases.iter().copied()))
            .add(BlueprintId.is_in(changes.blueprints.iter().copied())),
    )
}
