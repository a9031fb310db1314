//! Writes rows: inserts, updates, deletes and replaces them until the database has the wanted ones.

use std::collections::{HashMap, HashSet};

use entity::id::{Id, ImprovementId, InsightId, PhaseId, PromiseId, ScenarioId, TouchpointId};
use entity::{
    improvement_kpi, improvement_touchpoint, insight_source, phase_segment, promise_delivery,
    scenario_step, touchpoint_channel, touchpoint_segment,
};
use sea_orm::prelude::Uuid;
use sea_orm::{ActiveModelTrait, Condition, EntityTrait, QueryFilter, Set};
use serde_json::json;

use super::target::WantedRows;

use crate::access::{Guarded, Permit, with_all_columns_set};
use crate::audit::AuditedChange;
use crate::error::Result;

/// The ids of the owners whose list changes. In `rows` the version of those that exist already is raised, as a list is
/// part of its owner.
pub(crate) fn raise_versions_of_changed_lists<E, T: PartialEq>(
    there: &[E::Model],
    rows: &mut [E::Model],
    was: Option<&HashMap<E::Id, Vec<T>>>,
    wanted: &HashMap<E::Id, Vec<T>>,
    rise: fn(&mut E::Model),
) -> Vec<E::Id>
where
    E: Guarded<Id: std::hash::Hash>,
{
    let old: HashSet<E::Id> = there.iter().map(E::id).collect();
    let mut changed = Vec::new();
    for row in rows {
        let id = E::id(row);
        let was = was
            .and_then(|was| was.get(&id))
            .map_or(&[][..], Vec::as_slice);
        if was != wanted.get(&id).map_or(&[][..], Vec::as_slice) {
            changed.push(id);
            if old.contains(&id) {
                rise(row);
            }
        }
    }
    changed
}

/// Notes an audit event, without which a transaction would not commit; the import collapses all of them into one.
pub(crate) fn audit_rows_written(permit: &mut Permit<'_>, what: &str, how_many: usize) {
    permit.add_audit_event(AuditedChange::for_bulk_write(json!({ what: how_many })));
}

/// Inserts the rows that are missing, in one statement, and updates those that differ; equal rows keep their version.
pub(crate) async fn upsert_rows<E>(
    permit: &mut Permit<'_>,
    there: &[E::Model],
    wanted: Vec<E::Model>,
) -> Result<()>
where
    E: Guarded,
    E::Model: PartialEq,
    E::ActiveModel: Send,
{
    let known: HashMap<Uuid, &E::Model> = there.iter().map(|row| (E::row_id(row), row)).collect();
    let mut fresh = Vec::new();
    for row in wanted {
        let now = known.get(&E::id(&row).uuid());
        // An equal row is not written, so that importing a document twice changes nothing.
        if now.is_some_and(|now| **now == row) {
            continue;
        }
        match now {
            Some(now) => {
                let row = with_all_columns_set::<E>(row);
                permit.update_even_if_equal::<E>(now, row).await?;
            }
            None => {
                permit.note_created::<E>(&row);
                fresh.push(with_all_columns_set::<E>(row));
            }
        }
    }
    if !fresh.is_empty() {
        audit_rows_written(permit, E::TYPE, fresh.len());
        permit.insert_all_unaudited::<E>(fresh).await?;
    }
    Ok(())
}

/// Deletes the current rows that are not wanted.
pub(crate) async fn delete_unwanted_rows<E: Guarded>(
    permit: &mut Permit<'_>,
    there: &[E::Model],
    wanted: &[E::Model],
) -> Result<()> {
    let stay: HashSet<Uuid> = wanted.iter().map(|row| E::row_id(row)).collect();
    for row in there {
        if !stay.contains(&E::row_id(row)) {
            permit.delete::<E>(row).await?;
        }
    }
    Ok(())
}

/// Replaces the rows of a list: deletes those that match `old`, inserts `rows`.
pub(crate) async fn replace_rows<E: EntityTrait>(
    permit: &mut Permit<'_>,
    old: Condition,
    rows: Vec<E::ActiveModel>,
) -> Result<()>
where
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let gone = E::delete_many().filter(old).exec(permit.tx()).await?;
    if gone.rows_affected > 0 || !rows.is_empty() {
        audit_rows_written(permit, E::default().table_name(), rows.len());
    }
    permit.insert_all_unaudited::<E>(rows).await
}

/// The rows of a list that belongs to some of the owners.
macro_rules! list_rows {
    ($($name:ident: $owner:ty, $list:ident => $entity:ident { $own:ident, $of:ident $(, $inside:ident)? };)*) => {
        $(pub(crate) fn $name(owners: &[$owner], target: &WantedRows) -> Vec<$entity::ActiveModel> {
            let rows = owners.iter().flat_map(|owner| {
                let list = target.$list.get(owner).into_iter().flatten().zip(1..);
                list.map(|(one, position)| $entity::ActiveModel {
                    $own: Set(*owner),
                    $of: Set(*one),
                    position: Set(position),
                    $($inside: Set(target.blueprint.id),)?
                })
            });
            rows.collect()
        })*
    };
}

list_rows! {
    phase_segment_rows: PhaseId, phase_segments => phase_segment { phase_id, segment_id };
    touchpoint_channel_rows: TouchpointId, touchpoint_channels => touchpoint_channel { touchpoint_id, channel_id };
    touchpoint_segment_rows: TouchpointId, touchpoint_segments => touchpoint_segment { touchpoint_id, segment_id };
    scenario_step_rows: ScenarioId, scenario_steps => scenario_step { scenario_id, touchpoint_id, blueprint_id };
    insight_source_rows: InsightId, insight_sources => insight_source { insight_id, source_id, blueprint_id };
    promise_delivery_rows: PromiseId, promise_deliveries => promise_delivery { promise_id, touchpoint_id, blueprint_id };
    improvement_touchpoint_rows: ImprovementId, improvement_touchpoints =>
        improvement_touchpoint { improvement_id, touchpoint_id, blueprint_id };
    improvement_kpi_rows: ImprovementId, improvement_kpis => improvement_kpi { improvement_id, kpi_id };
}
