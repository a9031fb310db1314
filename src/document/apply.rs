//! Brings the rows of a blueprint to what an import asks for: what differs is changed, what is missing is made, what
//! is no longer wanted goes the way that people send it. Responsibilities go their own way (`hand`).

use std::collections::{HashMap, HashSet};

use entity::{
    blueprint, blueprint_persona,
    id::{ChannelId, Id, InsightId, ScenarioId, SegmentId, TouchpointId},
    insight, insight_source, kpi, kpi_link, phase, scenario, scenario_step, source, touchpoint,
    touchpoint_channel, touchpoint_segment, transition,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, Set,
    prelude::Uuid,
};
use serde_json::json;

use super::{
    import::Authority,
    target::{Before, Target, WantedLink},
};
use crate::{
    access::{Guarded, Permit},
    audit::Event,
    error::Result,
    policy::Action,
    reorganise, touchpoint as touchpoints,
};

/// Brings a blueprint to what it is to be, all but its responsibilities.
pub async fn apply(
    permit: &mut Permit<'_>,
    before: Option<&Before<'_>>,
    target: &Target,
    authority: Authority,
) -> Result<()> {
    own(permit, before, target).await?;
    phases(permit, before, &target.phases).await?;
    steps(permit, before, target).await?;
    let whole = before.map(|before| before.whole);
    let there = whole.map_or(&[][..], |whole| &whole.canvas.transitions);
    put::<transition::Entity>(permit, there, target.transitions.clone()).await?;
    remove::<transition::Entity>(permit, there, &target.transitions).await?;
    let there = whole.map_or(&[][..], |whole| &whole.kpi_links);
    if authority == Authority::Own {
        may_link(permit, there, &target.kpi_links).await?;
    }
    links(permit, there, &target.kpi_links).await?;
    scenarios(permit, before, target).await?;
    known(permit, before, target).await?;
    put_away(permit, before, target).await
}

/// The blueprint's own row, and its further personas.
async fn own(permit: &mut Permit<'_>, before: Option<&Before<'_>>, target: &Target) -> Result<()> {
    let row = &target.blueprint;
    let there = before.map(|before| &before.whole.canvas.blueprint);
    if let Some(now) = there
        && now.owner_department_id != row.owner_department_id
    {
        permit
            .fetch::<blueprint::Entity>(Action::GovernBlueprint, "ownerDepartment", row.id)
            .await?;
        permit.concerns(row.owner_department_id);
    }
    let was = before.map_or_else(Vec::new, |before| {
        before.whole.personas.iter().map(|row| row.id).collect()
    });
    let mut row = row.clone();
    if there.is_some() && was != target.personas {
        row.version += 1;
    }
    let there = there.map_or_else(Vec::new, |now| vec![now.clone()]);
    put::<blueprint::Entity>(permit, &there, vec![row.clone()]).await?;
    if was == target.personas {
        return Ok(());
    }
    let personas = target.personas.iter().zip(1..);
    let personas = personas.map(|(persona, position)| blueprint_persona::ActiveModel {
        blueprint_id: Set(row.id),
        persona_id: Set(*persona),
        position: Set(position),
    });
    let old = Condition::all().add(blueprint_persona::Column::BlueprintId.eq(row.id));
    replace::<blueprint_persona::Entity>(permit, old, personas.collect()).await
}

async fn phases(
    permit: &mut Permit<'_>,
    before: Option<&Before<'_>>,
    wanted: &[phase::Model],
) -> Result<()> {
    let there = before.map_or_else(Vec::new, |before| {
        [&before.whole.canvas.phases[..], &before.phases].concat()
    });
    let positions: HashMap<_, _> = there.iter().map(|row| (row.id, row.position)).collect();
    let (mut rows, mut moved) = (wanted.to_vec(), Vec::new());
    for row in &mut rows {
        // Order is not part of a row's own version: what only moves aside stays at its version.
        if let Some(was) = positions.get(&row.id).filter(|was| **was != row.position) {
            moved.push((row.id, std::mem::replace(&mut row.position, *was)));
        }
    }
    put::<phase::Entity>(permit, &there, rows).await?;
    if !moved.is_empty() {
        crate::blueprint::phase::set_positions(permit, moved).await?;
        note(permit, "moved phases", 1);
    }
    Ok(())
}

/// The touchpoints with their lists.
async fn steps(
    permit: &mut Permit<'_>,
    before: Option<&Before<'_>>,
    target: &Target,
) -> Result<()> {
    let there = before.map_or_else(Vec::new, |before| {
        [&before.whole.canvas.touchpoints[..], &before.touchpoints].concat()
    });
    let known: HashMap<TouchpointId, &touchpoint::Model> =
        there.iter().map(|row| (row.id, row)).collect();
    let mut changed = Vec::new();
    let (mut rows, mut moved) = (target.touchpoints.clone(), Vec::new());
    for row in &mut rows {
        let now = known.get(&row.id);
        if lists_differ(before, target, row.id, now.copied()) {
            changed.push(row.id);
            // A list is part of the touchpoint: replacing it is a change of the touchpoint's own version.
            row.version += i32::from(now.is_some());
        }
        if let Some(now) = now.filter(|now| now.position != row.position) {
            moved.push((row.id, std::mem::replace(&mut row.position, now.position)));
        }
    }
    put::<touchpoint::Entity>(permit, &there, rows).await?;
    if !moved.is_empty() {
        touchpoints::set_positions(permit, moved).await?;
        note(permit, "moved touchpoints", 1);
    }
    let ids = || changed.iter().copied();
    let old = Condition::all().add(touchpoint_channel::Column::TouchpointId.is_in(ids()));
    let rows = channel_rows(&changed, target);
    replace::<touchpoint_channel::Entity>(permit, old, rows).await?;
    let old = Condition::all().add(touchpoint_segment::Column::TouchpointId.is_in(ids()));
    let rows = segment_rows(&changed, target);
    replace::<touchpoint_segment::Entity>(permit, old, rows).await
}

/// The rows of a list that belongs to some of the owners.
macro_rules! list_rows {
    ($($name:ident: $owner:ty, $list:ident => $entity:ident { $own:ident, $of:ident $(, $inside:ident)? };)*) => {
        $(fn $name(owners: &[$owner], target: &Target) -> Vec<$entity::ActiveModel> {
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
    channel_rows: TouchpointId, channels => touchpoint_channel { touchpoint_id, channel_id };
    segment_rows: TouchpointId, audiences => touchpoint_segment { touchpoint_id, segment_id };
    step_rows: ScenarioId, steps => scenario_step { scenario_id, touchpoint_id, blueprint_id };
    source_rows: InsightId, rests_on => insight_source { insight_id, source_id, blueprint_id };
}

/// Whether channels or audience of a touchpoint are to be written: they differ, or it comes back with who knows what.
fn lists_differ(
    before: Option<&Before<'_>>,
    target: &Target,
    id: TouchpointId,
    now: Option<&touchpoint::Model>,
) -> bool {
    let channels: &[ChannelId] = target.channels.get(&id).map_or(&[], Vec::as_slice);
    let audience: &[SegmentId] = target.audiences.get(&id).map_or(&[], Vec::as_slice);
    match (before, now) {
        (Some(before), Some(now)) if now.archived_at.is_none() => {
            let was = before.whole.canvas.channels_of(id).iter();
            let meant = before
                .whole
                .audiences
                .get(&id)
                .map_or(&[][..], Vec::as_slice);
            !was.map(|channel| channel.id).eq(channels.iter().copied()) || meant != audience
        }
        (_, Some(_)) => true,
        (_, None) => !channels.is_empty() || !audience.is_empty(),
    }
}

/// Refuses links that the caller may not make, change or take away.
async fn may_link(
    permit: &mut Permit<'_>,
    there: &[kpi_link::Model],
    wanted: &[WantedLink],
) -> Result<()> {
    let known: HashMap<_, _> = there.iter().map(|row| (row.id, row)).collect();
    for (path, row) in wanted {
        if known.get(&row.id).is_none_or(|now| *now != row) {
            let path = format!("{path}.kpi");
            permit
                .fetch::<kpi::Entity>(Action::DefineKpi, &path, row.kpi_id)
                .await?;
        }
    }
    let stay: HashSet<_> = wanted.iter().map(|(_, row)| row.id).collect();
    for row in there.iter().filter(|row| !stay.contains(&row.id)) {
        permit
            .fetch::<kpi::Entity>(Action::DefineKpi, "kpiLinks", row.kpi_id)
            .await?;
    }
    Ok(())
}

async fn links(
    permit: &mut Permit<'_>,
    there: &[kpi_link::Model],
    wanted: &[WantedLink],
) -> Result<()> {
    let rows: Vec<kpi_link::Model> = wanted.iter().map(|(_, row)| row.clone()).collect();
    // What goes makes room for what comes on the same days.
    remove::<kpi_link::Entity>(permit, there, &rows).await?;
    put::<kpi_link::Entity>(permit, there, rows).await
}

async fn scenarios(
    permit: &mut Permit<'_>,
    before: Option<&Before<'_>>,
    target: &Target,
) -> Result<()> {
    let whole = before.map(|before| before.whole);
    let there = whole.map_or(&[][..], |whole| &whole.scenarios);
    let mut rows = target.scenarios.clone();
    let mut changed = Vec::new();
    for row in &mut rows {
        let was = whole.and_then(|whole| whole.steps.get(&row.id));
        let steps = target.steps.get(&row.id);
        if was.map_or(&[][..], Vec::as_slice) != steps.map_or(&[][..], Vec::as_slice) {
            row.version += i32::from(there.iter().any(|now| now.id == row.id));
            changed.push(row.id);
        }
    }
    put::<scenario::Entity>(permit, there, rows).await?;
    let rows = step_rows(&changed, target);
    let old = Condition::all().add(scenario_step::Column::ScenarioId.is_in(changed));
    replace::<scenario_step::Entity>(permit, old, rows).await?;
    remove::<scenario::Entity>(permit, there, &target.scenarios).await
}

/// Sources and insights.
async fn known(
    permit: &mut Permit<'_>,
    before: Option<&Before<'_>>,
    target: &Target,
) -> Result<()> {
    let whole = before.map(|before| before.whole);
    let sources = whole.map_or(&[][..], |whole| &whole.sources);
    put::<source::Entity>(permit, sources, target.sources.clone()).await?;
    let there = whole.map_or(&[][..], |whole| &whole.insights);
    let old: HashSet<InsightId> = there.iter().map(|row| row.id).collect();
    let mut rows = target.insights.clone();
    let (mut changed, mut answered) = (Vec::new(), Vec::new());
    for row in &mut rows {
        let was = whole.and_then(|whole| whole.rests_on.get(&row.id));
        let rests_on = target.rests_on.get(&row.id);
        if was.map_or(&[][..], Vec::as_slice) != rests_on.map_or(&[][..], Vec::as_slice) {
            row.version += i32::from(old.contains(&row.id));
            changed.push(row.id);
        }
        // An answer may come after its question: the question learns of it when both are there.
        if !old.contains(&row.id) {
            answered.extend(row.answered_by_id.take().map(|answer| (row.id, answer)));
        }
    }
    let fresh = |row: &insight::Model| !old.contains(&row.id);
    let (fresh, kept): (Vec<_>, Vec<_>) = rows.into_iter().partition(fresh);
    put::<insight::Entity>(permit, there, fresh).await?;
    put::<insight::Entity>(permit, there, kept).await?;
    for (question, answer) in answered {
        insight::Entity::update_many()
            .filter(insight::Column::Id.eq(question))
            .set(insight::ActiveModel {
                answered_by_id: Set(Some(answer)),
                ..Default::default()
            })
            .exec(permit.tx())
            .await?;
    }
    let rows = source_rows(&changed, target);
    let gone = Condition::all().add(insight_source::Column::InsightId.is_in(changed));
    replace::<insight_source::Entity>(permit, gone, rows).await?;
    remove::<insight::Entity>(permit, there, &target.insights).await?;
    remove::<source::Entity>(permit, sources, &target.sources).await
}

/// Archives the touchpoints and phases that are no longer wanted.
async fn put_away(
    permit: &mut Permit<'_>,
    before: Option<&Before<'_>>,
    target: &Target,
) -> Result<()> {
    let Some(before) = before else { return Ok(()) };
    let stay: HashSet<_> = target.touchpoints.iter().map(|row| row.id).collect();
    for row in &before.whole.canvas.touchpoints {
        if !stay.contains(&row.id) {
            let held = before.whole.canvas.responsibilities_of(row.id);
            reorganise::touchpoint::end(permit, held).await?;
            permit.set_archived::<touchpoint::Entity>(row, true).await?;
        }
    }
    let stay: HashSet<_> = target.phases.iter().map(|row| row.id).collect();
    for row in &before.whole.canvas.phases {
        if !stay.contains(&row.id) {
            permit.set_archived::<phase::Entity>(row, true).await?;
        }
    }
    Ok(())
}

/// Notes that something was done; the import tells it all as one in the end.
fn note(permit: &mut Permit<'_>, what: &str, how_many: usize) {
    permit.note(Event::import(json!({ what: how_many })));
}

/// Makes the rows that are missing and changes those that differ.
async fn put<E>(permit: &mut Permit<'_>, there: &[E::Model], wanted: Vec<E::Model>) -> Result<()>
where
    E: Guarded,
    E::Model: PartialEq,
    E::ActiveModel: Send,
{
    let known: HashMap<Uuid, &E::Model> =
        there.iter().map(|row| (E::id(row).uuid(), row)).collect();
    let mut fresh = Vec::new();
    for row in wanted {
        let now = known.get(&E::id(&row).uuid());
        if now.is_some_and(|now| **now == row) {
            continue;
        }
        let row = row.into_active_model().reset_all();
        match now {
            Some(now) => {
                permit.update_anyway::<E>(now, row).await?;
            }
            None => fresh.push(row),
        }
    }
    if !fresh.is_empty() {
        note(permit, E::TYPE, fresh.len());
        permit.insert_all::<E>(fresh).await?;
    }
    Ok(())
}

/// Removes the rows that are no longer wanted.
async fn remove<E: Guarded>(
    permit: &mut Permit<'_>,
    there: &[E::Model],
    wanted: &[E::Model],
) -> Result<()> {
    let stay: HashSet<Uuid> = wanted.iter().map(|row| E::id(row).uuid()).collect();
    for row in there {
        if !stay.contains(&E::id(row).uuid()) {
            permit.delete::<E>(row).await?;
        }
    }
    Ok(())
}

/// Puts rows of a list in the place of others.
async fn replace<E: EntityTrait>(
    permit: &mut Permit<'_>,
    old: Condition,
    rows: Vec<E::ActiveModel>,
) -> Result<()>
where
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let gone = E::delete_many().filter(old).exec(permit.tx()).await?;
    if gone.rows_affected > 0 || !rows.is_empty() {
        note(permit, E::default().table_name(), rows.len());
    }
    permit.insert_all::<E>(rows).await
}
