//! Brings the rows of a blueprint to what an import asks for: what differs is changed, what is missing is made, what
//! is no longer wanted goes the way that people send it. Responsibilities go their own way (`hand`).

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::{
    blueprint, blueprint_persona, evaluation, evaluation_verdict,
    id::{
        ChannelId, Id, ImprovementId, InsightId, KpiId, PromiseId, ScenarioId, SegmentId,
        TouchpointId,
    },
    improvement, improvement_kpi, improvement_touchpoint, insight, insight_source, kpi, kpi_link,
    phase, promise, promise_delivery, scenario, scenario_step, source, touchpoint,
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
    audit::Subject,
    error::Result,
    kpi::fed::Relinking,
    policy::{Action, Relation, Ties},
    reorganise, touchpoint as touchpoints,
};

/// Brings a blueprint to what it is to be, all but its responsibilities.
pub async fn apply(
    permit: &mut Permit<'_>,
    before: Option<&Before>,
    target: &Target,
    authority: Authority,
) -> Result<()> {
    own(permit, before, target).await?;
    phases(permit, before, &target.phases).await?;
    steps(permit, before, target).await?;
    let whole = before.map(|before| &*before.whole);
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
    promises(permit, before, target).await?;
    evaluations(permit, before, target).await?;
    if authority == Authority::Own {
        may_improve(permit, before, target)?;
    }
    improvements(permit, before, target).await?;
    put_away(permit, before, target).await
}

/// The blueprint's own row, and its further personas.
async fn own(permit: &mut Permit<'_>, before: Option<&Before>, target: &Target) -> Result<()> {
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
    before: Option<&Before>,
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
async fn steps(permit: &mut Permit<'_>, before: Option<&Before>, target: &Target) -> Result<()> {
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
    delivery_rows: PromiseId, delivered_at => promise_delivery { promise_id, touchpoint_id, blueprint_id };
    improved_rows: ImprovementId, improved => improvement_touchpoint { improvement_id, touchpoint_id, blueprint_id };
    telling_rows: ImprovementId, told_by => improvement_kpi { improvement_id, kpi_id };
}

/// Whether channels or audience of a touchpoint are to be written: they differ, or it comes back with who knows what.
fn lists_differ(
    before: Option<&Before>,
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
    let was = there.iter().filter(|row| !rows.contains(row));
    let becomes = rows.iter().filter(|row| !there.contains(row));
    let kpis: BTreeSet<KpiId> = was.chain(becomes).map(|row| row.kpi_id).collect();
    if kpis.is_empty() {
        return Ok(());
    }
    let kpis = kpi::Entity::find()
        .filter(kpi::Column::Id.is_in(kpis))
        .all(permit.tx())
        .await?;
    let relinking = Relinking::begin(permit, kpis).await?;
    // What goes makes room for what comes on the same days.
    remove::<kpi_link::Entity>(permit, there, &rows).await?;
    put::<kpi_link::Entity>(permit, there, rows).await?;
    relinking.finish(permit).await
}

async fn scenarios(
    permit: &mut Permit<'_>,
    before: Option<&Before>,
    target: &Target,
) -> Result<()> {
    let whole = before.map(|before| &*before.whole);
    let there = whole.map_or(&[][..], |whole| &whole.scenarios);
    let mut rows = target.scenarios.clone();
    let was = whole.map(|whole| &whole.steps);
    let rise = |row: &mut scenario::Model| row.version += 1;
    let changed =
        with_other_lists::<scenario::Entity, _>(there, &mut rows, was, &target.steps, rise);
    put::<scenario::Entity>(permit, there, rows).await?;
    let rows = step_rows(&changed, target);
    let old = Condition::all().add(scenario_step::Column::ScenarioId.is_in(changed));
    replace::<scenario_step::Entity>(permit, old, rows).await?;
    remove::<scenario::Entity>(permit, there, &target.scenarios).await
}

/// Sources and insights.
async fn known(permit: &mut Permit<'_>, before: Option<&Before>, target: &Target) -> Result<()> {
    let whole = before.map(|before| &*before.whole);
    let sources = whole.map_or(&[][..], |whole| &whole.sources);
    put::<source::Entity>(permit, sources, target.sources.clone()).await?;
    let there = whole.map_or(&[][..], |whole| &whole.insights);
    let old: HashSet<InsightId> = there.iter().map(|row| row.id).collect();
    let mut rows = target.insights.clone();
    let was = whole.map(|whole| &whole.rests_on);
    let rise = |row: &mut insight::Model| row.version += 1;
    let changed =
        with_other_lists::<insight::Entity, _>(there, &mut rows, was, &target.rests_on, rise);
    let mut answered = Vec::new();
    for row in &mut rows {
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

/// The owners whose list is to be another one; those that are there already rise a version for it.
fn with_other_lists<E, T: PartialEq>(
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

async fn promises(permit: &mut Permit<'_>, before: Option<&Before>, target: &Target) -> Result<()> {
    let whole = before.map(|before| &*before.whole);
    let there = whole.map_or(&[][..], |whole| &whole.promises);
    let mut rows = target.promises.clone();
    let was = whole.map(|whole| &whole.delivered_at);
    let rise = |row: &mut promise::Model| row.version += 1;
    let changed =
        with_other_lists::<promise::Entity, _>(there, &mut rows, was, &target.delivered_at, rise);
    put::<promise::Entity>(permit, there, rows).await?;
    let rows = delivery_rows(&changed, target);
    let old = Condition::all().add(promise_delivery::Column::PromiseId.is_in(changed));
    replace::<promise_delivery::Entity>(permit, old, rows).await?;
    remove::<promise::Entity>(permit, there, &target.promises).await
}

async fn evaluations(
    permit: &mut Permit<'_>,
    before: Option<&Before>,
    target: &Target,
) -> Result<()> {
    let whole = before.map(|before| &*before.whole);
    let there = whole.map_or(&[][..], |whole| &whole.evaluations);
    let mut rows = target.evaluations.clone();
    let was = whole.map(|whole| &whole.verdicts);
    let rise = |row: &mut evaluation::Model| row.version += 1;
    let changed =
        with_other_lists::<evaluation::Entity, _>(there, &mut rows, was, &target.verdicts, rise);
    put::<evaluation::Entity>(permit, there, rows).await?;
    let rows = changed.iter().flat_map(|evaluation| {
        let verdicts = target.verdicts.get(evaluation).into_iter().flatten();
        let verdicts = verdicts.zip(1..);
        verdicts.map(
            |((need, verdict), position)| evaluation_verdict::ActiveModel {
                evaluation_id: Set(*evaluation),
                need_id: Set(*need),
                position: Set(position),
                verdict: Set(*verdict),
            },
        )
    });
    let rows: Vec<_> = rows.collect();
    let old = Condition::all().add(evaluation_verdict::Column::EvaluationId.is_in(changed));
    replace::<evaluation_verdict::Entity>(permit, old, rows).await?;
    remove::<evaluation::Entity>(permit, there, &target.evaluations).await
}

/// Refuses improvements that the caller may not make, change or take away: each is its owner's.
fn may_improve(permit: &Permit<'_>, before: Option<&Before>, target: &Target) -> Result<()> {
    let whole = before.map(|before| &*before.whole);
    let there = whole.map_or(&[][..], |whole| &whole.improvements);
    let known: HashMap<_, _> = there.iter().map(|row| (row.id, row)).collect();
    let same = |row: &improvement::Model| {
        let lists = whole.is_some_and(|whole| {
            whole.improved.get(&row.id).map_or(&[][..], Vec::as_slice)
                == target.improved.get(&row.id).map_or(&[][..], Vec::as_slice)
                && whole.told_by.get(&row.id).map_or(&[][..], Vec::as_slice)
                    == target.told_by.get(&row.id).map_or(&[][..], Vec::as_slice)
        });
        lists && known.get(&row.id).is_some_and(|now| *now == row)
    };
    let stay: HashSet<_> = target.improvements.iter().map(|row| row.id).collect();
    let changed = target.improvements.iter().filter(|row| !same(row));
    let was = changed
        .clone()
        .filter_map(|row| known.get(&row.id).copied());
    let gone = there.iter().filter(|row| !stay.contains(&row.id));
    for row in changed.chain(was).chain(gone) {
        let ties = Ties::none().and(Relation::OwnsImprovement, [row.owner_department_id]);
        let subject = Some((blueprint::Entity::TYPE, row.blueprint_id.0));
        permit.require(Action::KeepImprovements, &ties, subject)?;
    }
    Ok(())
}

async fn improvements(
    permit: &mut Permit<'_>,
    before: Option<&Before>,
    target: &Target,
) -> Result<()> {
    let whole = before.map(|before| &*before.whole);
    let there = whole.map_or(&[][..], |whole| &whole.improvements);
    let mut rows = target.improvements.clone();
    let rise = |row: &mut improvement::Model| row.version += 1;
    let was = whole.map(|whole| &whole.improved);
    let improved =
        with_other_lists::<improvement::Entity, _>(there, &mut rows, was, &target.improved, rise);
    let was = whole.map(|whole| &whole.told_by);
    let told_by =
        with_other_lists::<improvement::Entity, _>(there, &mut rows, was, &target.told_by, rise);
    put::<improvement::Entity>(permit, there, rows).await?;
    let rows = improved_rows(&improved, target);
    let old = Condition::all().add(improvement_touchpoint::Column::ImprovementId.is_in(improved));
    replace::<improvement_touchpoint::Entity>(permit, old, rows).await?;
    let rows = telling_rows(&told_by, target);
    let old = Condition::all().add(improvement_kpi::Column::ImprovementId.is_in(told_by));
    replace::<improvement_kpi::Entity>(permit, old, rows).await?;
    remove::<improvement::Entity>(permit, there, &target.improvements).await
}

/// Archives the touchpoints and phases that are no longer wanted.
async fn put_away(permit: &mut Permit<'_>, before: Option<&Before>, target: &Target) -> Result<()> {
    let Some(before) = before else { return Ok(()) };
    let stay: HashSet<_> = target.touchpoints.iter().map(|row| row.id).collect();
    for row in &before.whole.canvas.touchpoints {
        if !stay.contains(&row.id) {
            let held = before.whole.canvas.responsibilities_of(row.id);
            let blueprint = &before.whole.canvas.blueprint;
            reorganise::touchpoint::leave_out(permit, blueprint, held).await?;
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
