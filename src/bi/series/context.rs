//! What an answer is made of, as the snapshot of whoever asks sees it: the KPIs with values that they may see, their
//! targets, the blueprints that count with what is judged in them, and whose rows are pulled.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use entity::{
    channel, department,
    id::{ChannelId, DepartmentId, PersonaId, SegmentId, TouchpointId},
    kpi, kpi_target, persona, read, segment, touchpoint,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, TryGetable};

use super::{
    aggregate::TargetHistory,
    request::{Dimension, SeriesRequest},
};
use crate::{
    access::{Caller, Keyed},
    bi::{
        journeys::{Journey, Journeys},
        names::EntityNames,
        names::with_keys,
        scope::Scope,
        store::{
            BiStore,
            kpi_columns::{KpiColumns, SeriesKey},
        },
    },
    database::Transaction,
    error::Result,
};

/// All of it.
pub struct SeriesContext {
    /// By id.
    pub kpis: Vec<kpi::Model>,
    /// Those of each of the KPIs.
    pub targets: Vec<TargetHistory>,
    pub journeys: Journeys,
    /// Of which of the journeys the question lets rows through.
    pub asked: Vec<bool>,
    pub names: DimensionNames,
    /// The departments whose rows are pulled and asked for; nothing where it is all of them, and rows without one.
    pub departments: Option<HashSet<DepartmentId>>,
    pub channels: Option<HashSet<ChannelId>>,
    pub segments: Option<HashSet<SegmentId>>,
}

/// What things are called, as far as the question tells any apart by it.
#[derive(Default)]
pub struct DimensionNames {
    pub departments: EntityNames<DepartmentId>,
    pub channels: EntityNames<ChannelId>,
    pub personas: EntityNames<PersonaId>,
    pub segments: EntityNames<SegmentId>,
}

/// Where a line was measured, as whoever asks sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SeriesOrigin {
    /// The KPI as a whole was.
    #[default]
    Whole,
    /// At a touchpoint: which journey, which of its touchpoints.
    At(usize, usize),
    /// At a touchpoint that lies in no journey that counts, and that may be read of.
    Elsewhere,
    /// At one that may not.
    Hidden,
}

impl SeriesContext {
    /// Where each line was measured of each of these.
    pub async fn seen(
        &self,
        caller: &Caller,
        tx: &Transaction,
        measured: &[Arc<KpiColumns>],
    ) -> Result<Vec<Vec<SeriesOrigin>>> {
        let mut hidden: HashSet<TouchpointId> = HashSet::new();
        let mut seen = |point: &SeriesKey| {
            let Some(touchpoint) = point.touchpoint else {
                return SeriesOrigin::Whole;
            };
            let blueprint = point.blueprint;
            match blueprint.and_then(|blueprint| self.journeys.at(blueprint, touchpoint)) {
                Some((journey, at)) => SeriesOrigin::At(journey, at),
                None => {
                    hidden.insert(touchpoint);
                    SeriesOrigin::Elsewhere
                }
            }
        };
        let mut all: Vec<Vec<SeriesOrigin>> = measured
            .iter()
            .map(|measured| {
                measured
                    .lines
                    .iter()
                    .map(|(point, _)| seen(point))
                    .collect()
            })
            .collect();
        let elsewhere: Vec<TouchpointId> = hidden.iter().copied().collect();
        for ids in elsewhere.chunks(1_000) {
            let readable: Vec<TouchpointId> = caller
                .select::<touchpoint::Entity>()
                .select_only()
                .column(touchpoint::Column::Id)
                .filter(touchpoint::Column::Id.is_in(ids.iter().copied()))
                .into_tuple()
                .all(tx)
                .await?;
            readable.iter().for_each(|id| {
                hidden.remove(id);
            });
        }
        for (measured, seen) in measured.iter().zip(&mut all) {
            for ((point, _), seen) in measured.lines.iter().zip(seen) {
                let is_hidden = |id| hidden.contains(&id);
                if *seen == SeriesOrigin::Elsewhere && point.touchpoint.is_some_and(is_hidden) {
                    *seen = SeriesOrigin::Hidden;
                }
            }
        }
        Ok(all)
    }
}

/// The KPIs that are asked about.
pub async fn kpis(
    tx: &Transaction,
    scope: &Scope<'_>,
    question: &SeriesRequest,
) -> Result<Vec<kpi::Model>> {
    let asked = named(scope.kpis_with_values(), question.kpis.as_deref());
    Ok(read::selected(tx, asked.order_by_asc(kpi::Column::Id)).await?)
}

fn named<E: Keyed>(select: Select<E>, keys: Option<&[String]>) -> Select<E> {
    match keys {
        Some(keys) => select.filter(E::id_column().in_subquery(with_keys::<E>(keys))),
        None => select,
    }
}

/// Everything else.
pub async fn given(
    caller: &Caller,
    cube: &BiStore,
    tx: &Transaction,
    (scope, question): (&Scope<'_>, &SeriesRequest),
    kpis: Vec<kpi::Model>,
) -> Result<SeriesContext> {
    let journeys = Journeys::of(caller, cube, tx, scope).await?;
    Ok(SeriesContext {
        targets: targets(tx, &kpis).await?,
        asked: asked(tx, question, &journeys).await?,
        journeys,
        names: called(tx, question).await?,
        departments: departments(tx, scope, question).await?,
        channels: ids::<channel::Entity, ChannelId>(tx, question.channels.as_deref()).await?,
        segments: ids::<segment::Entity, SegmentId>(tx, question.segments.as_deref()).await?,
        kpis,
    })
}

async fn called(tx: &Transaction, question: &SeriesRequest) -> Result<DimensionNames> {
    use channel::Column as OfChannel;
    use department::Column as OfDepartment;
    use persona::Column as OfPersona;
    use segment::Column as OfSegment;
    let mut called = DimensionNames::default();
    for dimension in &question.by {
        match dimension {
            Dimension::Department => {
                let columns = [OfDepartment::Id, OfDepartment::Key, OfDepartment::Name];
                called.departments =
                    EntityNames::of(tx, department::Entity::find(), columns).await?;
            }
            Dimension::Channel => {
                let columns = [OfChannel::Id, OfChannel::Key, OfChannel::Name];
                called.channels = EntityNames::of(tx, channel::Entity::find(), columns).await?;
            }
            Dimension::Persona => {
                let columns = [OfPersona::Id, OfPersona::Key, OfPersona::Name];
                called.personas = EntityNames::of(tx, persona::Entity::find(), columns).await?;
            }
            // A segment has no name but its key.
            Dimension::Segment => {
                let columns = [OfSegment::Id, OfSegment::Key, OfSegment::Key];
                called.segments = EntityNames::of(tx, segment::Entity::find(), columns).await?;
            }
            // The others have theirs already.
            Dimension::Kpi
            | Dimension::Blueprint
            | Dimension::Phase
            | Dimension::Stage
            | Dimension::Touchpoint => {}
        }
    }
    Ok(called)
}

async fn targets(tx: &Transaction, kpis: &[kpi::Model]) -> Result<Vec<TargetHistory>> {
    let mut all = HashMap::new();
    for kpis in kpis.chunks(1_000) {
        let select = kpi_target::Entity::find()
            .filter(kpi_target::Column::KpiId.is_in(kpis.iter().map(|kpi| kpi.id)))
            .order_by_asc(kpi_target::Column::ValidFrom);
        all.extend(TargetHistory::by_kpi(read::selected(tx, select).await?));
    }
    let of = |kpi: &kpi::Model| all.remove(&kpi.id).unwrap_or_default();
    Ok(kpis.iter().map(of).collect())
}

/// Of which journeys the question lets rows through.
async fn asked(
    tx: &Transaction,
    question: &SeriesRequest,
    journeys: &[Journey],
) -> Result<Vec<bool>> {
    let personas = ids::<persona::Entity, PersonaId>(tx, question.personas.as_deref()).await?;
    let keys = question.blueprints.as_ref();
    let keys = keys.map(|keys| keys.iter().map(|key| key.to_ascii_lowercase()));
    let keys: Option<BTreeSet<String>> = keys.map(Iterator::collect);
    let asked = journeys.iter().map(|journey| {
        let named = keys
            .as_ref()
            .is_none_or(|keys| keys.contains(&journey.key.to_ascii_lowercase()));
        let of_persona = personas
            .as_ref()
            .is_none_or(|personas| personas.contains(&journey.persona));
        named && of_persona
    });
    Ok(asked.collect())
}

/// The departments whose rows are wanted: those that are asked for, as far as they may be pulled.
async fn departments(
    tx: &Transaction,
    scope: &Scope<'_>,
    question: &SeriesRequest,
) -> Result<Option<HashSet<DepartmentId>>> {
    let own = scope.own_departments();
    if own.is_none() && question.departments.is_none() {
        return Ok(None);
    }
    let mut select = department::Entity::find();
    if let Some(own) = own {
        select = select.filter(department::Column::Id.in_subquery(own));
    }
    let select = named(select, question.departments.as_deref());
    let ids: Vec<DepartmentId> = select
        .select_only()
        .column(department::Column::Id)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(Some(ids.into_iter().collect()))
}

/// The ids of what has these keys.
async fn ids<E, I>(tx: &Transaction, keys: Option<&[String]>) -> Result<Option<HashSet<I>>>
where
    E: Keyed,
    I: TryGetable + std::hash::Hash + Eq + Send + Sync,
{
    let Some(keys) = keys else { return Ok(None) };
    let ids: Vec<I> = named(E::find(), Some(keys))
        .select_only()
        .column(E::id_column())
        .into_tuple()
        .all(tx)
        .await?;
    Ok(Some(ids.into_iter().collect()))
}
