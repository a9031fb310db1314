//! Loads a canvas: a dozen flat statements in one read-only transaction, whatever the size of the blueprint.

use std::{
    collections::HashMap,
    hash::Hash,
    ops::Range,
    sync::{Arc, OnceLock},
};

use chrono::NaiveDate;
use entity::{
    blueprint, channel, department,
    id::{BlueprintId, PersonaId, PhaseId, TouchpointId},
    kpi_link, persona, persona_need, phase,
    read::{self, FromCells, RowCursor},
    responsibility, touchpoint, touchpoint_channel, transition,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, sea_query::SelectStatement,
};

use super::model::{Canvas, TouchpointRowRanges};
use crate::{
    access::{Caller, scope},
    compute::ROW_KEPT,
    database::Transaction,
    error::{Error, Result},
    judgement,
    statement::SqlBuilder,
};

impl Canvas {
    /// The canvas of the blueprint that a condition picks, with KPIs as of `day`; none where the caller may not see it.
    /// It waits for the request's turn to load, and is paid from its budget.
    pub async fn find(
        caller: &Caller,
        which: Condition,
        day: NaiveDate,
    ) -> Result<Option<Arc<Self>>> {
        let _turn = caller.budget.acquire_blueprint_load_slot().await?;
        let tx = caller.begin_snapshot().await?;
        let Some(blueprint) = caller
            .select::<blueprint::Entity>()
            .filter(which)
            .one(&tx)
            .await?
        else {
            return Ok(None);
        };
        // On the heap: the future of so many statements would lie inside that of every field which loads a canvas.
        let canvas = Box::pin(Self::load(caller, &tx, blueprint, day)).await?;
        tx.commit().await?;
        Ok(Some(Arc::new(canvas)))
    }

    /// The canvas of a blueprint whose row was read in the transaction already.
    pub(crate) async fn load(
        caller: &Caller,
        tx: &Transaction,
        blueprint: blueprint::Model,
        day: NaiveDate,
    ) -> Result<Self> {
        let id = blueprint.id;
        let (persona, needs) = load_persona_with_needs(tx, blueprint.persona_id).await?;
        let phases = phase::Entity::find()
            .filter(phase::Column::BlueprintId.eq(id))
            .filter(phase::Column::ArchivedAt.is_null())
            .order_by_asc(phase::Column::Position)
            .order_by_asc(phase::Column::Id)
            .all(tx)
            .await?;
        let touchpoints = select_live_touchpoints(id)
            .order_by_asc(touchpoint::Column::Position)
            .order_by_asc(touchpoint::Column::Id);
        let touchpoints = read::read_selected(tx, touchpoints).await?;
        let channels = load_channels(tx, id).await?;
        let transitions = transition::Entity::find()
            .filter(transition::Column::BlueprintId.eq(id))
            .order_by_asc(transition::Column::CreatedAt)
            .order_by_asc(transition::Column::Id);
        let transitions = read::read_selected(tx, transitions).await?;
        let responsibilities = responsibility::Entity::find()
            .filter(responsibility::Column::BlueprintId.eq(id))
            .filter(scope::open_responsibility_condition())
            .order_by_asc(responsibility::Column::CreatedAt)
            .order_by_asc(responsibility::Column::Id);
        let responsibilities = read::read_selected(tx, responsibilities).await?;
        let departments = load_departments(tx, &blueprint).await?;
        let mut kpis = judgement::load_kpis_with_targets(tx, &select_linked_kpi_ids(id)).await?;
        kpis.kpis.retain(|_, kpi| kpi.archived_at.is_none());
        let links = judgement::load_judged_links_in_blueprint(caller, tx, id, &kpis, day).await?;
        let canvas = Self {
            blueprint,
            persona,
            needs,
            phases,
            touchpoints,
            transitions,
            responsibilities,
            links,
            departments,
            kpis: kpis.kpis,
            channels,
            of_phase: HashMap::new(),
            of_touchpoint: HashMap::new(),
            graph: OnceLock::new(),
        }
        .sort_and_index();
        // After loading, when the number of rows is known; the statements themselves are paid one by one.
        caller.budget.spend(ROW_KEPT * canvas.row_count() as u64)?;
        Ok(canvas)
    }

    /// Puts everything in the order of display and notes where each part begins.
    pub(crate) fn sort_and_index(mut self) -> Self {
        let order: HashMap<PhaseId, usize> = self
            .phases
            .iter()
            .enumerate()
            .map(|(at, phase)| (phase.id, at))
            .collect();
        // A touchpoint of an archived phase is out of sight with it.
        self.touchpoints
            .retain(|touchpoint| order.contains_key(&touchpoint.phase_id));
        // A stable sort: within a phase the order of positions, in which they were read, stays.
        self.touchpoints
            .sort_by_key(|touchpoint| order.get(&touchpoint.phase_id).copied());
        self.of_phase = ranges_by_key(&self.touchpoints, |touchpoint| touchpoint.phase_id);
        let at: HashMap<TouchpointId, usize> = self
            .touchpoints
            .iter()
            .enumerate()
            .map(|(at, touchpoint)| (touchpoint.id, at))
            .collect();
        let there = |id: Option<TouchpointId>| id.is_none_or(|id| at.contains_key(&id));
        self.transitions
            .retain(|edge| there(edge.from_touchpoint_id) && there(edge.to_touchpoint_id));
        self.responsibilities
            .retain(|row| at.contains_key(&row.touchpoint_id));
        self.responsibilities
            .sort_by_key(|row| at.get(&row.touchpoint_id).copied());
        self.links.retain(|judged| there(judged.link.touchpoint_id));
        self.links.sort_by_key(|judged| {
            judged
                .link
                .touchpoint_id
                .and_then(|id| at.get(&id).copied())
        });
        // Rows are sorted by touchpoint, so that those of each are one range.
        let mut responsibilities = ranges_by_key(&self.responsibilities, |row| row.touchpoint_id);
        let mut links = ranges_by_key(&self.links, |judged| judged.link.touchpoint_id);
        self.of_touchpoint = at
            .into_iter()
            .map(|(id, index)| {
                let responsibilities = responsibilities.remove(&id).unwrap_or_default();
                (
                    id,
                    TouchpointRowRanges {
                        index,
                        responsibilities,
                        links: links.remove(&Some(id)).unwrap_or_default(),
                    },
                )
            })
            .collect();
        self
    }
}

/// Where each run of rows with the same key begins and ends.
fn ranges_by_key<T, K: Eq + Hash>(rows: &[T], key: impl Fn(&T) -> K) -> HashMap<K, Range<usize>> {
    let mut ranges: HashMap<K, Range<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        ranges.entry(key(row)).or_insert(at..at).end = at + 1;
    }
    ranges
}

fn select_live_touchpoints(id: BlueprintId) -> sea_orm::Select<touchpoint::Entity> {
    touchpoint::Entity::find()
        .filter(touchpoint::Column::BlueprintId.eq(id))
        .filter(touchpoint::Column::ArchivedAt.is_null())
}

/// A channel, and a touchpoint that has it.
struct ChannelOfTouchpoint {
    channel: channel::Model,
    touchpoint_id: TouchpointId,
}

impl FromCells for ChannelOfTouchpoint {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            channel: FromCells::from_cells(cells)?,
            touchpoint_id: cells.read_next()?,
        })
    }
}

async fn load_channels(
    tx: &Transaction,
    id: BlueprintId,
) -> Result<HashMap<TouchpointId, Vec<channel::Model>>> {
    let ids = select_live_touchpoints(id)
        .select_only()
        .column(touchpoint::Column::Id);
    let select = channel::Entity::find()
        .column(touchpoint_channel::Column::TouchpointId)
        .join_rev(
            JoinType::InnerJoin,
            touchpoint_channel::Entity::belongs_to(channel::Entity)
                .from(touchpoint_channel::Column::ChannelId)
                .to(channel::Column::Id)
                .into(),
        )
        .filter(touchpoint_channel::Column::TouchpointId.in_subquery(ids.into_query()))
        .order_by_asc(touchpoint_channel::Column::Position);
    let statement = select.build(tx.get_database_backend());
    let rows: Vec<ChannelOfTouchpoint> = read::read_all(tx, statement).await?;
    let mut channels: HashMap<TouchpointId, Vec<channel::Model>> = HashMap::new();
    for row in rows {
        channels
            .entry(row.touchpoint_id)
            .or_default()
            .push(row.channel);
    }
    Ok(channels)
}

async fn load_departments(
    tx: &Transaction,
    blueprint: &blueprint::Model,
) -> Result<HashMap<entity::id::DepartmentId, department::Model>> {
    let taking_part: SelectStatement = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::DepartmentId)
        .filter(responsibility::Column::BlueprintId.eq(blueprint.id))
        .filter(scope::open_responsibility_condition())
        .into_query();
    let departments = department::Entity::find().filter(
        Condition::any()
            .add(department::Column::Id.eq(blueprint.owner_department_id))
            .add(department::Column::Id.in_subquery(taking_part)),
    );
    let rows = read::read_selected(tx, departments).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

fn select_linked_kpi_ids(id: BlueprintId) -> SelectStatement {
    let linked = kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::KpiId)
        .filter(kpi_link::Column::BlueprintId.eq(id));
    linked.into_query()
}

struct PersonaWithNeed {
    persona: persona::Model,
    need: Option<persona_need::Model>,
}

impl FromCells for PersonaWithNeed {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            persona: FromCells::from_cells(cells)?,
            need: cells.read_joined()?,
        })
    }
}

/// A persona with its needs in their order.
async fn load_persona_with_needs(
    tx: &Transaction,
    id: PersonaId,
) -> Result<(persona::Model, Vec<persona_need::Model>)> {
    let persona = read::columns_sql::<persona::Model>("persona");
    let need = read::columns_sql::<persona_need::Model>("need");
    let select = format!(
        "SELECT {persona}, {need} FROM persona LEFT JOIN persona_need need ON need.persona_id = persona.id \
         WHERE persona.id = "
    );
    let text = SqlBuilder::new(tx.get_database_backend(), &select)
        .value(id)
        .then(" ORDER BY need.position");
    let rows: Vec<PersonaWithNeed> = read::read_all(tx, text.statement()).await?;
    let persona = rows.first().map(|row| row.persona.clone());
    let persona = persona.ok_or_else(|| Error::internal(format!("there is no persona {id}")))?;
    Ok((
        persona,
        rows.into_iter().filter_map(|row| row.need).collect(),
    ))
}
