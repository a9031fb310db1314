//! What an answer is made of, as the snapshot of whoever asks sees it: the KPIs with values that they may see, their
//! targets, the blueprints that count with what is judged in them, and whose rows are pulled.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use entity::{
    channel, department,
    id::{ChannelId, DepartmentId, PersonaId, SegmentId, TouchpointId},
    kpi, persona, read, segment, touchpoint,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, TryGetable};

use super::request::{Dimension, SeriesRequest};
use crate::{
    access::{HasKeyColumn, everybody::select_touchpoints_open_to_everybody},
    bi::{
        cache::{
            BiCache,
            kpi_values::{KpiValues, SeriesPlace},
        },
        journeys::{JourneyWithTopology, JourneysWithTopology},
        names::EntityNames,
        names::select_ids_by_keys,
        scope::ReaderScope,
        source::reader::ReadContext,
    },
    database::Transaction,
    error::Result,
    judgement::{KpiPart, KpiTargets},
};

/// Everything a series needs besides the measured values, read in one snapshot.
pub(super) struct SeriesContext {
    /// By id.
    pub kpis: Vec<kpi::Model>,
    /// Those of each of the KPIs.
    pub targets: Vec<KpiTargets>,
    pub journeys: JourneysWithTopology,
    /// Per journey, in the order of `journeys`: whether the filter accepts its rows.
    pub accepted: Vec<bool>,
    pub names: DimensionNames,
    /// The departments whose rows are pulled and pass the filter; none where it is all of them, and rows without one.
    pub departments: Option<HashSet<DepartmentId>>,
    pub channels: Option<HashSet<ChannelId>>,
    pub segments: Option<HashSet<SegmentId>>,
}

/// Keys and names of the dimensions that the request groups by; empty for the others.
#[derive(Default)]
pub(super) struct DimensionNames {
    pub departments: EntityNames<DepartmentId>,
    pub channels: EntityNames<ChannelId>,
    pub personas: EntityNames<PersonaId>,
    pub segments: EntityNames<SegmentId>,
}

/// Where a time series was measured, as the caller sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SeriesPlaceForCaller {
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
    /// The channel and segment of which every value of a request is, as far as its filter says so; groups may say more.
    pub(super) fn filtered_part(&self) -> KpiPart {
        KpiPart {
            channel: only_id(self.channels.as_ref()),
            segment: only_id(self.segments.as_ref()),
        }
    }

    /// Whether values measured at a place are of a part of what the groups of a request are of.
    pub(super) fn is_by_part(&self, request: &SeriesRequest, place: &SeriesPlace) -> bool {
        let filtered = self.filtered_part();
        let told_apart = |dimension, filtered: bool| request.groups_by(dimension) || filtered;
        place.channel.is_some() && !told_apart(Dimension::Channel, filtered.channel.is_some())
            || place.segment.is_some()
                && !told_apart(Dimension::Segment, filtered.segment.is_some())
    }

    /// Whether rows are of places, or of what the caller pulls of some departments; else they are of KPIs as a whole.
    pub(super) fn is_placed(&self, request: &SeriesRequest) -> bool {
        request.asks_for_places() || self.departments.is_some()
    }

    /// The origin of each time series of each of these KPIs.
    pub(super) async fn load_origins(
        &self,
        read: ReadContext<'_>,
        request: &SeriesRequest,
        measured: &[Arc<KpiValues>],
    ) -> Result<Vec<Vec<SeriesPlaceForCaller>>> {
        let is_placed = self.is_placed(request);
        let mut hidden: HashSet<TouchpointId> = HashSet::new();
        let mut origin_of = |series_place: &SeriesPlace| {
            let Some(touchpoint) = series_place.touchpoint else {
                return SeriesPlaceForCaller::Whole;
            };
            let blueprint = series_place.blueprint.filter(|_| is_placed);
            match blueprint
                .and_then(|blueprint| self.journeys.find_touchpoint_indices(blueprint, touchpoint))
            {
                // Journeys hold what the caller may read: nothing needs to be asked about these.
                Some((journey, at)) => SeriesPlaceForCaller::At(journey, at),
                None => {
                    hidden.insert(touchpoint);
                    SeriesPlaceForCaller::Elsewhere
                }
            }
        };
        let mut all: Vec<Vec<SeriesPlaceForCaller>> = measured
            .iter()
            .map(|measured| {
                measured
                    .series
                    .iter()
                    .map(|(series_place, _)| origin_of(series_place))
                    .collect()
            })
            .collect();
        // Whether a touchpoint outside the counting blueprints may be read of is asked for all of them at once. A KPI
        // as a whole is put together from those that everybody may read, whoever asks.
        let readable = match is_placed {
            true => read.caller.select::<touchpoint::Entity>(),
            false => touchpoint::Entity::find()
                .filter(touchpoint::Column::Id.in_subquery(select_touchpoints_open_to_everybody())),
        };
        let readable = readable.select_only().column(touchpoint::Column::Id);
        let elsewhere: Vec<TouchpointId> = hidden.iter().copied().collect();
        // In pieces, as a statement takes a bounded number of values.
        for ids in elsewhere.chunks(5_000) {
            let readable: Vec<TouchpointId> = readable
                .clone()
                .filter(touchpoint::Column::Id.is_in(ids.iter().copied()))
                .into_tuple()
                .all(read.tx)
                .await?;
            readable.iter().for_each(|id| {
                hidden.remove(id);
            });
        }
        for (measured, origins) in measured.iter().zip(&mut all) {
            for ((series_place, _), origin) in measured.series.iter().zip(origins) {
                let is_hidden = |id| hidden.contains(&id);
                if *origin == SeriesPlaceForCaller::Elsewhere
                    && series_place.touchpoint.is_some_and(is_hidden)
                {
                    *origin = SeriesPlaceForCaller::Hidden;
                }
            }
        }
        Ok(all)
    }
}

/// The KPIs of the request whose values the caller may see, by id.
pub(super) async fn load_visible_requested_kpis(
    tx: &Transaction,
    scope: &ReaderScope<'_>,
    request: &SeriesRequest,
) -> Result<Vec<kpi::Model>> {
    let asked = filter_by_keys(
        scope.select_kpis_with_visible_values(),
        request.kpis.as_deref(),
    );
    let mut kpis = read::read_selected(tx, asked.order_by_asc(kpi::Column::Id)).await?;
    if request.leaves_out_coarser_kpis {
        kpis.retain(|kpi| !request.grain.is_finer_than(kpi.cadence));
    }
    Ok(kpis)
}

fn only_id<I: Copy>(ids: Option<&HashSet<I>>) -> Option<I> {
    let mut ids = ids?.iter().copied();
    ids.next().filter(|_| ids.next().is_none())
}

fn filter_by_keys<E: HasKeyColumn>(select: Select<E>, keys: Option<&[String]>) -> Select<E> {
    match keys {
        Some(keys) => select.filter(E::id_column().in_subquery(select_ids_by_keys::<E>(keys))),
        None => select,
    }
}

/// Reads the context of a request.
pub(super) async fn load_series_context(
    ReadContext { caller, tx }: ReadContext<'_>,
    cache: &BiCache,
    scope: &ReaderScope<'_>,
    request: &SeriesRequest,
    kpis: Vec<kpi::Model>,
) -> Result<SeriesContext> {
    let journeys = JourneysWithTopology::load(caller, cache, tx, scope).await?;
    Ok(SeriesContext {
        targets: load_targets(tx, &kpis).await?,
        accepted: match_journeys_to_filter(tx, request, &journeys).await?,
        journeys,
        names: load_dimension_names(tx, request).await?,
        departments: load_filtered_department_ids(tx, scope, request).await?,
        channels: load_ids_by_keys::<channel::Entity, ChannelId>(tx, request.channels.as_deref())
            .await?,
        segments: load_ids_by_keys::<segment::Entity, SegmentId>(tx, request.segments.as_deref())
            .await?,
        kpis,
    })
}

async fn load_dimension_names(tx: &Transaction, request: &SeriesRequest) -> Result<DimensionNames> {
    use channel::Column as OfChannel;
    use department::Column as OfDepartment;
    use persona::Column as OfPersona;
    use segment::Column as OfSegment;
    let mut names = DimensionNames::default();
    for dimension in &request.by {
        match dimension {
            Dimension::Department => {
                let columns = [OfDepartment::Id, OfDepartment::Key, OfDepartment::Name];
                names.departments =
                    EntityNames::load(tx, department::Entity::find(), columns).await?;
            }
            Dimension::Channel => {
                let columns = [OfChannel::Id, OfChannel::Key, OfChannel::Name];
                names.channels = EntityNames::load(tx, channel::Entity::find(), columns).await?;
            }
            Dimension::Persona => {
                let columns = [OfPersona::Id, OfPersona::Key, OfPersona::Name];
                names.personas = EntityNames::load(tx, persona::Entity::find(), columns).await?;
            }
            // A segment has no name but its key.
            Dimension::Segment => {
                let columns = [OfSegment::Id, OfSegment::Key, OfSegment::Key];
                names.segments = EntityNames::load(tx, segment::Entity::find(), columns).await?;
            }
            // The others have theirs already.
            Dimension::Kpi
            | Dimension::Blueprint
            | Dimension::Phase
            | Dimension::Stage
            | Dimension::Touchpoint => {}
        }
    }
    Ok(names)
}

async fn load_targets(tx: &Transaction, kpis: &[kpi::Model]) -> Result<Vec<KpiTargets>> {
    let mut all = KpiTargets::load(tx, kpis.iter().map(|kpi| kpi.id)).await?;
    let of = |kpi: &kpi::Model| all.remove(&kpi.id).unwrap_or_default();
    Ok(kpis.iter().map(of).collect())
}

/// Per journey: whether the filter accepts its rows.
async fn match_journeys_to_filter(
    tx: &Transaction,
    request: &SeriesRequest,
    journeys: &[JourneyWithTopology],
) -> Result<Vec<bool>> {
    let personas =
        load_ids_by_keys::<persona::Entity, PersonaId>(tx, request.personas.as_deref()).await?;
    let keys = request.blueprints.as_ref();
    let keys = keys.map(|keys| keys.iter().map(|key| key.to_ascii_lowercase()));
    let keys: Option<BTreeSet<String>> = keys.map(Iterator::collect);
    let accepted = journeys.iter().map(|journey| {
        let named = keys
            .as_ref()
            .is_none_or(|keys| keys.contains(&journey.key.to_ascii_lowercase()));
        let of_persona = personas
            .as_ref()
            .is_none_or(|personas| personas.contains(&journey.persona));
        named && of_persona
    });
    Ok(accepted.collect())
}

/// The departments of the filter, as far as their rows may be pulled.
async fn load_filtered_department_ids(
    tx: &Transaction,
    scope: &ReaderScope<'_>,
    request: &SeriesRequest,
) -> Result<Option<HashSet<DepartmentId>>> {
    let pulled = scope.select_pullable_department_ids();
    if pulled.is_none() && request.departments.is_none() {
        return Ok(None);
    }
    let mut select = department::Entity::find();
    if let Some(pulled) = pulled {
        select = select.filter(department::Column::Id.in_subquery(pulled));
    }
    let select = filter_by_keys(select, request.departments.as_deref());
    let ids: Vec<DepartmentId> = select
        .select_only()
        .column(department::Column::Id)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(Some(ids.into_iter().collect()))
}

/// The ids of the rows with these keys; none without keys.
async fn load_ids_by_keys<E, I>(
    tx: &Transaction,
    keys: Option<&[String]>,
) -> Result<Option<HashSet<I>>>
where
    E: HasKeyColumn,
    I: TryGetable + std::hash::Hash + Eq + Send + Sync,
{
    let Some(keys) = keys else { return Ok(None) };
    let ids: Vec<I> = filter_by_keys(E::find(), Some(keys))
        .select_only()
        .column(E::id_column())
        .into_tuple()
        .all(tx)
        .await?;
    Ok(Some(ids.into_iter().collect()))
}
