//! Applies the target rows of an import: rows that differ are updated, missing ones inserted, those no longer wanted
//! archived or deleted as people would. Responsibilities are applied in `responsibilities`, by their handshake.

use std::collections::HashSet;

use entity::{blueprint, blueprint_persona, phase, transition};
use sea_orm::{ColumnTrait, Condition, Set};

use super::authority::ImportConsent;
use super::parts::evaluation::apply_evaluations;
use super::parts::improvement::{apply_improvements, refuse_forbidden_improvements};
use super::parts::insight::apply_insights;
use super::parts::kpi_link::{apply_kpi_links, refuse_forbidden_links};
use super::parts::phase::apply_phases;
use super::parts::promise::apply_promises;
use super::parts::scenario::apply_scenarios;
use super::parts::touchpoint::apply_touchpoints;
use super::target::{CurrentBlueprint, WantedRows};
use super::write::{delete_unwanted_rows, replace_rows, upsert_rows};

use crate::access::Permit;
use crate::error::Result;
use crate::policy::Action;

/// Applies everything but the responsibilities.
///
/// The order is that of the references: phases before the touchpoints in them, touchpoints before what hangs on
/// them, sources before insights. What is removed goes last where others may still name it: touchpoints and phases are
/// archived only once nothing that stays refers to them.
pub(super) async fn apply_all_but_responsibilities(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
    authority: ImportConsent,
) -> Result<()> {
    apply_blueprint_row(permit, before, target).await?;
    apply_phases(permit, before, target).await?;
    apply_touchpoints(permit, before, target).await?;
    let snapshot = before.map(|before| &*before.snapshot);
    let there = snapshot.map_or(&[][..], |snapshot| &snapshot.canvas.transitions);
    upsert_rows::<transition::Entity>(permit, there, target.transitions.clone()).await?;
    delete_unwanted_rows::<transition::Entity>(permit, there, &target.transitions).await?;
    let there = snapshot.map_or(&[][..], |snapshot| &snapshot.kpi_links);
    if authority == ImportConsent::Own {
        refuse_forbidden_links(permit, there, &target.kpi_links).await?;
    }
    apply_kpi_links(permit, there, &target.kpi_links).await?;
    apply_scenarios(permit, before, target).await?;
    apply_insights(permit, before, target).await?;
    apply_promises(permit, before, target).await?;
    apply_evaluations(permit, before, target).await?;
    if authority == ImportConsent::Own {
        refuse_forbidden_improvements(permit, before, target)?;
    }
    apply_improvements(permit, before, target).await?;
    archive_removed_phases(permit, before, target).await
}

/// The blueprint's own row, and its secondary personas.
async fn apply_blueprint_row(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let row = &target.blueprint;
    let there = before.map(|before| &before.snapshot.canvas.blueprint);
    if let Some(now) = there
        // A new owner is more than importing: it takes what the mutation would take.
        && now.owner_department_id != row.owner_department_id
    {
        permit
            .fetch_locked::<blueprint::Entity>(Action::GovernBlueprint, "ownerDepartment", row.id)
            .await?;
        permit.show_audit_to_leads_of(row.owner_department_id);
    }
    let was = before.map_or_else(Vec::new, |before| {
        before
            .snapshot
            .secondary_personas
            .iter()
            .map(|row| row.id)
            .collect()
    });
    let mut row = row.clone();
    // The list is part of the blueprint: replacing it is a change of its version.
    if there.is_some() && was != target.secondary_personas {
        row.version += 1;
    }
    let there = there.map_or_else(Vec::new, |now| vec![now.clone()]);
    upsert_rows::<blueprint::Entity>(permit, &there, vec![row.clone()]).await?;
    if was == target.secondary_personas {
        return Ok(());
    }
    let personas = target.secondary_personas.iter().zip(1..);
    let personas = personas.map(|(persona, position)| blueprint_persona::ActiveModel {
        blueprint_id: Set(row.id),
        persona_id: Set(*persona),
        position: Set(position),
    });
    let old = Condition::all().add(blueprint_persona::Column::BlueprintId.eq(row.id));
    replace_rows::<blueprint_persona::Entity>(permit, old, personas.collect()).await
}

/// Archives a phase that is not wanted any more and had to stay until now: see `archiving`.
async fn archive_removed_phases(
    permit: &mut Permit<'_>,
    before: Option<&CurrentBlueprint>,
    target: &WantedRows,
) -> Result<()> {
    let stay: HashSet<_> = target.phases.iter().map(|row| row.id).collect();
    let there = before.into_iter();
    for row in there.flat_map(|before| &before.snapshot.canvas.phases) {
        if !stay.contains(&row.id) {
            permit.set_archived::<phase::Entity>(row, true).await?;
        }
    }
    Ok(())
}
