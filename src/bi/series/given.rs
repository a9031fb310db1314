//! What an answer is made of, as the snapshot of whoever asks sees it: the KPIs with values that they may see, their
//! targets, the blueprints that count with what is judged in them, and whose rows are pulled.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use entity::{
    blueprint, channel, department,
    id::{BlueprintId, ChannelId, DepartmentId, Id, PersonaId, SegmentId, TouchpointId},
    kpi, kpi_target, persona, read, segment, touchpoint,
};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    TryGetable,
};

use super::{Dimension, Question, tally::Targets};
use crate::{
    access::{Caller, Keyed},
    bi::{
        cube::{
            Cube,
            places::Places,
            values::{Measured, Point},
        },
        facts::with_keys,
        scope::Scope,
    },
    error::Result,
};

/// A blueprint that counts, with what is judged in it.
pub struct Journey {
    pub id: BlueprintId,
    pub key: String,
    /// The main persona.
    pub persona: PersonaId,
    pub places: Arc<Places>,
    /// Whether the question lets its rows through.
    pub asked: bool,
}

/// All of it.
pub struct Given {
    /// By id.
    pub kpis: Vec<kpi::Model>,
    /// Those of each of the KPIs.
    pub targets: Vec<Targets>,
    /// By id.
    pub journeys: Vec<Journey>,
    pub names: Names,
    /// The departments whose rows are pulled and asked for; nothing where it is all of them, and rows without one.
    pub departments: Option<HashSet<DepartmentId>>,
    pub channels: Option<HashSet<ChannelId>>,
    pub segments: Option<HashSet<SegmentId>>,
}

/// What stands in few tables of few rows, as far as the question tells things apart by it.
#[derive(Default)]
pub struct Names {
    pub departments: Table<DepartmentId>,
    pub channels: Table<ChannelId>,
    pub personas: Table<PersonaId>,
    pub segments: Table<SegmentId>,
}

/// Things by id, each with its key and its name.
pub struct Table<I>(Vec<(I, String, String)>);

impl<I> Default for Table<I> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What is called how.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a, I> {
    pub id: I,
    pub key: &'a str,
    pub name: &'a str,
}

impl<I: Id> Table<I> {
    /// How many things there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Which of them this is.
    pub fn rank(&self, id: I) -> Option<usize> {
        // As numbers: they are compared at once.
        let id = id.uuid().as_u128();
        let of = |one: &(I, _, _)| one.0.uuid().as_u128();
        self.0.binary_search_by_key(&id, of).ok()
    }

    /// The thing of this rank.
    pub fn at(&self, rank: usize) -> Option<Named<'_, I>> {
        let (id, key, name) = self.0.get(rank)?;
        Some(Named { id: *id, key, name })
    }
}

impl Given {
    /// Where something was measured: which journey, which of its touchpoints; nothing where that lies in no journey that
    /// counts, and where it was not measured at a touchpoint.
    #[must_use]
    pub fn at(&self, point: &Point) -> Option<(usize, usize)> {
        let (blueprint, touchpoint) = (point.blueprint?, point.touchpoint?);
        let journeys = &self.journeys;
        let journey = journeys.binary_search_by_key(&blueprint, |one| one.id);
        let journey = journey.ok()?;
        let touchpoint = journeys[journey].places.touchpoint(touchpoint)?;
        Some((journey, touchpoint))
    }

    /// The touchpoints that were measured at and lie in no journey that counts, as far as they may be read of.
    pub async fn elsewhere(
        &self,
        caller: &Caller,
        tx: &DatabaseTransaction,
        measured: &[Arc<Measured>],
    ) -> Result<HashSet<TouchpointId>> {
        let points = measured.iter().flat_map(|measured| &measured.lines);
        let elsewhere = points.filter(|(point, _)| self.at(point).is_none());
        let unknown = elsewhere.filter_map(|(point, _)| point.touchpoint);
        let unknown: BTreeSet<TouchpointId> = unknown.collect();
        let unknown: Vec<TouchpointId> = unknown.into_iter().collect();
        let mut readable = HashSet::new();
        for ids in unknown.chunks(1_000) {
            let ids: Vec<TouchpointId> = caller
                .select::<touchpoint::Entity>()
                .select_only()
                .column(touchpoint::Column::Id)
                .filter(touchpoint::Column::Id.is_in(ids.iter().copied()))
                .into_tuple()
                .all(tx)
                .await?;
            readable.extend(ids);
        }
        Ok(readable)
    }
}

/// The KPIs that are asked about.
pub async fn kpis(
    tx: &DatabaseTransaction,
    scope: &Scope<'_>,
    question: &Question,
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
    cube: &Cube,
    tx: &DatabaseTransaction,
    (scope, question): (&Scope<'_>, &Question),
    kpis: Vec<kpi::Model>,
) -> Result<Given> {
    Ok(Given {
        targets: targets(tx, &kpis).await?,
        journeys: journeys(caller, cube, tx, (scope, question)).await?,
        names: names(tx, question).await?,
        departments: departments(tx, scope, question).await?,
        channels: ids::<channel::Entity, ChannelId>(tx, question.channels.as_deref()).await?,
        segments: ids::<segment::Entity, SegmentId>(tx, question.segments.as_deref()).await?,
        kpis,
    })
}

async fn names(tx: &DatabaseTransaction, question: &Question) -> Result<Names> {
    use channel::Column as OfChannel;
    use department::Column as OfDepartment;
    use persona::Column as OfPersona;
    use segment::Column as OfSegment;
    let mut names = Names::default();
    for dimension in &question.by {
        match dimension {
            Dimension::Department => {
                let columns = [OfDepartment::Id, OfDepartment::Key, OfDepartment::Name];
                names.departments = table::<department::Entity, _>(tx, columns).await?;
            }
            Dimension::Channel => {
                let columns = [OfChannel::Id, OfChannel::Key, OfChannel::Name];
                names.channels = table::<channel::Entity, _>(tx, columns).await?;
            }
            Dimension::Persona => {
                let columns = [OfPersona::Id, OfPersona::Key, OfPersona::Name];
                names.personas = table::<persona::Entity, _>(tx, columns).await?;
            }
            // A segment has no name but its key.
            Dimension::Segment => {
                let columns = [OfSegment::Id, OfSegment::Key, OfSegment::Key];
                names.segments = table::<segment::Entity, _>(tx, columns).await?;
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

async fn table<E, I>(tx: &DatabaseTransaction, [id, key, name]: [E::Column; 3]) -> Result<Table<I>>
where
    E: EntityTrait,
    I: TryGetable + Send + Sync,
{
    let rows = E::find()
        .select_only()
        .column_as(id, "id")
        .column_as(key, "key")
        .column_as(name, "name")
        .order_by_asc(id);
    Ok(Table(rows.into_tuple().all(tx).await?))
}

async fn targets(tx: &DatabaseTransaction, kpis: &[kpi::Model]) -> Result<Vec<Targets>> {
    let mut all = HashMap::new();
    for kpis in kpis.chunks(1_000) {
        let select = kpi_target::Entity::find()
            .filter(kpi_target::Column::KpiId.is_in(kpis.iter().map(|kpi| kpi.id)))
            .order_by_asc(kpi_target::Column::ValidFrom);
        all.extend(Targets::by_kpi(read::selected(tx, select).await?));
    }
    let of = |kpi: &kpi::Model| all.remove(&kpi.id).unwrap_or_default();
    Ok(kpis.iter().map(of).collect())
}

async fn journeys(
    caller: &Caller,
    cube: &Cube,
    tx: &DatabaseTransaction,
    (scope, question): (&Scope<'_>, &Question),
) -> Result<Vec<Journey>> {
    use blueprint::Column::{Id as OfId, Key, PersonaId as Persona, Revision};
    let rows: Vec<(BlueprintId, String, PersonaId, i32)> = scope
        .counted_blueprints()
        .select_only()
        .columns([OfId, Key, Persona, Revision])
        .order_by_asc(OfId)
        .into_tuple()
        .all(tx)
        .await?;
    let personas = ids::<persona::Entity, PersonaId>(tx, question.personas.as_deref()).await?;
    let wanted: Vec<_> = rows.iter().map(|row| (row.0, row.3)).collect();
    let places = cube.places(caller, tx, &wanted).await?;
    let keys = question.blueprints.as_ref();
    let keys = keys.map(|keys| keys.iter().map(|key| key.to_ascii_lowercase()));
    let keys: Option<BTreeSet<String>> = keys.map(Iterator::collect);
    let rows = rows.into_iter().zip(places);
    let journeys = rows.map(|((id, key, persona, _), places)| {
        let named = keys
            .as_ref()
            .is_none_or(|keys| keys.contains(&key.to_ascii_lowercase()));
        let of_persona = personas
            .as_ref()
            .is_none_or(|personas| personas.contains(&persona));
        Journey {
            asked: named && of_persona,
            id,
            key,
            persona,
            places,
        }
    });
    Ok(journeys.collect())
}

/// The departments whose rows are wanted: those that are asked for, as far as they may be pulled.
async fn departments(
    tx: &DatabaseTransaction,
    scope: &Scope<'_>,
    question: &Question,
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
async fn ids<E, I>(tx: &DatabaseTransaction, keys: Option<&[String]>) -> Result<Option<HashSet<I>>>
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
