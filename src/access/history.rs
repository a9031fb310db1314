//! Whose history somebody may read, and what belongs to it. It is read past the scope of the audit log: whoever takes
//! part in a blueprint may know who changed it without reading the log of a department.

use entity::{
    audit_event, blueprint,
    id::{BlueprintId, Id, KpiId},
    kpi, kpi_link, kpi_target,
    words::AuditOutcome,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use super::{
    caller::Caller,
    scope::{
        ids_condition, no_rows_for_meaningless_relation, participating_blueprints_condition,
        reach_condition, select_participating_blueprint_ids,
    },
};
use crate::{
    error::Result,
    policy::{Action, Relation},
};

/// What was done to a blueprint and in it; nothing where the caller may not read its history.
pub async fn select_blueprint_history(
    caller: &Caller,
    id: BlueprintId,
) -> Result<Option<Select<audit_event::Entity>>> {
    let reach = caller.principal().reach(Action::ReadHistory);
    let readable = reach_condition(&reach, |relation, own| match relation {
        Relation::Participates => participating_blueprints_condition(own),
        other => no_rows_for_meaningless_relation(other),
    });
    let row = caller
        .select::<blueprint::Entity>()
        .filter(blueprint::Column::Id.eq(id))
        .filter(readable)
        .one(caller.connection())
        .await?;
    let inside = Condition::all().add(audit_event::Column::BlueprintId.eq(id));
    Ok(row.map(|_| select_done(inside)))
}

/// The KPIs among these whose history the caller may read. Whoever owns a KPI or takes part in a blueprint that it
/// judges takes part in it.
pub async fn load_kpis_with_readable_history(
    caller: &Caller,
    ids: impl IntoIterator<Item = KpiId>,
) -> Result<Vec<KpiId>> {
    let reach = caller.principal().reach(Action::ReadHistory);
    let readable = reach_condition(&reach, |relation, own| match relation {
        Relation::Participates => {
            let judging = kpi_link::Entity::find()
                .select_only()
                .column(kpi_link::Column::KpiId)
                .filter(
                    kpi_link::Column::BlueprintId
                        .in_subquery(select_participating_blueprint_ids(own)),
                );
            Condition::any()
                .add(ids_condition(kpi::Column::OwnerDepartmentId, own))
                .add(kpi::Column::Id.in_subquery(judging.into_query()))
        }
        other => no_rows_for_meaningless_relation(other),
    });
    let found = caller
        .select::<kpi::Entity>()
        .select_only()
        .column(kpi::Column::Id)
        .filter(kpi::Column::Id.is_in(ids))
        .filter(readable)
        .into_tuple()
        .all(caller.connection())
        .await?;
    Ok(found)
}

/// What was done to a KPI and its targets; nothing where the caller may not read its history.
pub async fn select_kpi_history(
    caller: &Caller,
    id: KpiId,
) -> Result<Option<Select<audit_event::Entity>>> {
    let readable = load_kpis_with_readable_history(caller, [id]).await?;
    if readable.is_empty() {
        return Ok(None);
    }
    let targets = kpi_target::Entity::find()
        .select_only()
        .column(kpi_target::Column::Id)
        .filter(kpi_target::Column::KpiId.eq(id));
    // What was measured is no change of the KPI, and one event tells of the values of several.
    let changed = Condition::any()
        .add(audit_event::Column::Before.is_not_null())
        .add(audit_event::Column::Action.eq("kpiCreate"));
    let itself = Condition::all()
        .add(audit_event::Column::SubjectId.eq(id.uuid()))
        .add(changed);
    let about = Condition::any()
        .add(itself)
        .add(audit_event::Column::SubjectId.in_subquery(targets.into_query()));
    Ok(Some(select_done(about)))
}

fn select_done(about: Condition) -> Select<audit_event::Entity> {
    audit_event::Entity::find()
        .filter(about)
        .filter(audit_event::Column::Outcome.eq(AuditOutcome::Done))
}
