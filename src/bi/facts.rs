//! `kpi_facts`: measurement × touchpoint × department × role, from what was linked and accepted at the end of the
//! measurement's day. It reads; what the rows are good for is not its business.
//!
//! A page is made in rounds. Each takes the next measurements that could give a row, and then the rows of those.
//! So a page costs what lies between its ends and not the whole range, and the end of each day is known exactly,
//! in the deployment's time zone, before the database is asked what held then.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    blueprint, department,
    id::{
        BlueprintId, ChannelId, DepartmentId, Id, KpiId, KpiLinkId, MeasurementId, PhaseId,
        ResponsibilityId, SegmentId, TouchpointId,
    },
    kpi, kpi_link, measurement, responsibility, touchpoint,
    words::{BlueprintState, Direction, KpiState, ResponsibilityStatus, Role, Stage, Unit},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, Func, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use crate::{
    access::{Caller, Keyed, scope},
    error::Result,
    kpi::rules,
    page::{self, Page},
    policy::{Action, Reach},
    statement::Text,
};

/// Which rows to give. A list that is empty lets nothing through.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The first day.
    pub from: Option<NaiveDate>,
    /// The first day that is too late.
    pub to: Option<NaiveDate>,
    pub kpi_keys: Option<Vec<String>>,
    pub department_keys: Option<Vec<String>>,
    pub blueprint_keys: Option<Vec<String>>,
    pub roles: Option<Vec<Role>>,
    pub states: Option<Vec<KpiState>>,
}

/// One row of the join.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Fact {
    pub measurement_id: MeasurementId,
    pub measured_on: NaiveDate,
    pub value: f64,
    pub numerator: Option<f64>,
    pub denominator: Option<f64>,
    pub sample_size: Option<i32>,
    pub channel_id: Option<ChannelId>,
    pub segment_id: Option<SegmentId>,
    pub kpi_id: KpiId,
    pub kpi_key: String,
    pub kpi_name: String,
    pub unit: Unit,
    pub currency: Option<String>,
    pub direction: Direction,
    pub target: Option<f64>,
    pub warning: Option<f64>,
    pub state: KpiState,
    pub blueprint_id: Option<BlueprintId>,
    pub blueprint_key: Option<String>,
    pub phase_id: Option<PhaseId>,
    pub phase_name: Option<String>,
    pub stage: Option<Stage>,
    pub touchpoint_id: Option<TouchpointId>,
    pub touchpoint_key: Option<String>,
    pub touchpoint_name: Option<String>,
    pub department_id: Option<DepartmentId>,
    pub department_key: Option<String>,
    pub department_name: Option<String>,
    pub role: Option<Role>,
    link_id: Option<KpiLinkId>,
    responsibility_id: Option<ResponsibilityId>,
    /// How many rows of the measurement the caller may see, before any filter.
    siblings: i64,
}

impl Fact {
    /// The row's id: the ids of measurement, place and department, and the role, as far as it has them.
    #[must_use]
    pub fn row_id(&self) -> String {
        let place = self
            .touchpoint_id
            .map(|id| id.to_string())
            .or_else(|| self.phase_id.map(|id| id.to_string()))
            .or_else(|| self.blueprint_id.map(|id| id.to_string()));
        let parts = [
            Some(self.measurement_id.to_string()),
            place,
            self.department_id.map(|id| id.to_string()),
            self.role.map(|role| role.as_str().to_owned()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(".")
    }

    /// 1 / the rows of the measurement that the caller may see: they add up to one measurement.
    #[must_use]
    pub fn row_weight(&self) -> f64 {
        // Far below 2⁵³: exact.
        1.0 / self.siblings as f64
    }

    /// Whether the department does it or answers for it.
    #[must_use]
    pub fn is_delivering(&self) -> bool {
        matches!(self.role, Some(Role::Responsible | Role::Accountable))
    }

    fn place(&self) -> Place {
        Place {
            day: self.measured_on,
            ids: [
                self.measurement_id.0,
                self.link_id.map_or_else(Uuid::nil, Id::uuid),
                self.responsibility_id.map_or_else(Uuid::nil, Id::uuid),
            ],
        }
    }

    /// The cursor behind the row.
    #[must_use]
    pub fn cursor(&self) -> String {
        let Place { day, ids } = self.place();
        page::day_cursor(day, ids)
    }
}

/// A place in the order of the rows: by day, measurement, link and responsibility; ids are in the order of
/// creation, and what is empty comes first.
#[derive(Clone, Copy, Debug)]
struct Place {
    day: NaiveDate,
    ids: [Uuid; 3],
}

impl Place {
    fn read(cursor: &str) -> Result<Self> {
        let (day, ids) = page::read_day_cursor(cursor)?;
        Ok(Self { day, ids })
    }
}

/// How many measurements the first round of a page takes; each further one takes four times as many.
const FIRST_ROUND: u64 = 16;
/// How many measurements a round takes at the most.
const LARGEST_ROUND: u64 = 1_024;

/// The next rows, one more than the page shows where there are more.
pub async fn facts(caller: &Caller, filter: &Filter, page: &Page) -> Result<Vec<Fact>> {
    let reach = caller.require_somewhere(Action::PullFlatRows)?;
    let wanted = page.size()? + 1;
    let mut behind = page.after.as_deref().map(Place::read).transpose()?;
    let mut next = behind.map(|place| (place.day, MeasurementId(place.ids[0]), true));
    let tx = caller.snapshot().await?;
    let (mut rows, mut round) = (Vec::new(), FIRST_ROUND);
    loop {
        let missing = wanted - rows.len() as u64;
        let candidates = candidates(caller, &reach, filter, next, round, &tx).await?;
        if let Some((last, day)) = candidates.last() {
            next = Some((*day, *last, false));
            let behind = behind.take();
            let text = rows_of(caller, &reach, filter, &candidates, behind, missing, &tx);
            rows.extend(Fact::find_by_statement(text.statement()).all(&tx).await?);
        }
        if (candidates.len() as u64) < round || rows.len() as u64 >= wanted {
            break;
        }
        round = Ord::min(round * 4, LARGEST_ROUND);
    }
    tx.commit().await?;
    Ok(rows)
}

/// The next measurements that could give a row: everything that depends on the measurement alone is decided here.
async fn candidates(
    caller: &Caller,
    reach: &Reach,
    filter: &Filter,
    next: Option<(NaiveDate, MeasurementId, bool)>,
    round: u64,
    tx: &DatabaseTransaction,
) -> Result<Vec<(MeasurementId, NaiveDate)>> {
    use measurement::Column::{Id, KpiId, MeasuredOn, SupersededById};
    let mut select = caller
        .select::<measurement::Entity>()
        .select_only()
        .columns([Id, MeasuredOn])
        .filter(SupersededById.is_null())
        .filter(could_show(reach, filter));
    if let Some(from) = filter.from {
        select = select.filter(MeasuredOn.gte(from));
    }
    if let Some(to) = filter.to {
        select = select.filter(MeasuredOn.lt(to));
    }
    if let Some(keys) = &filter.kpi_keys {
        select = select.filter(KpiId.in_subquery(with_keys::<kpi::Entity>(keys)));
    }
    if let Some(states) = &filter.states {
        select = select.filter(in_states(states));
    }
    if let Some((day, id, itself)) = next {
        let same_day = if itself { Id.gte(id) } else { Id.gt(id) };
        let same_day = Condition::all().add(MeasuredOn.eq(day)).add(same_day);
        select = select
            .filter(MeasuredOn.gte(day))
            .filter(Condition::any().add(MeasuredOn.gt(day)).add(same_day));
    }
    Ok(select
        .order_by_asc(MeasuredOn)
        .order_by_asc(Id)
        .limit(round)
        .into_tuple()
        .all(tx)
        .await?)
}

/// The ids of rows with one of these keys, however their letters are cased.
fn with_keys<E: Keyed>(keys: &[String]) -> SelectStatement {
    let key = Func::lower(Expr::col(E::key_column().as_column_ref()));
    let keys = keys.iter().map(|key| key.to_ascii_lowercase());
    E::find()
        .select_only()
        .column(E::id_column())
        .filter(Expr::expr(key).is_in(keys))
        .into_query()
}

/// Measurements whose value is in one of these states by the target of their day.
fn in_states(states: &[KpiState]) -> SimpleExpr {
    let state = rules::state_sql("kpi", "measurement.value", "target");
    // The target of the day, or no row where there is none, hence the outer COALESCE.
    let of_day = format!(
        "COALESCE((SELECT {state} FROM kpi_target target JOIN kpi ON kpi.id = target.kpi_id \
         WHERE target.kpi_id = measurement.kpi_id AND target.valid_from <= measurement.measured_on \
         ORDER BY target.valid_from DESC LIMIT 1), 'NO_TARGET')"
    );
    Expr::cust(of_day).is_in(states.iter().map(|state| state.as_str()))
}

/// Measurements at places, or of KPIs that were ever linked to places, at which the filter looks. Wider than the
/// filter, never narrower: it keeps a page from going through measurements that have no row in it.
fn could_show(reach: &Reach, filter: &Filter) -> Condition {
    use measurement::Column::{KpiId, TouchpointId};
    let mut could = Condition::all();
    if let Some(held) = held_by(reach, filter) {
        let there = linked(kpi_link::Column::TouchpointId.in_subquery(held.clone()));
        let at = Condition::any()
            .add(TouchpointId.is_null())
            .add(TouchpointId.in_subquery(held));
        could = could.add(KpiId.in_subquery(there)).add(at);
    }
    if let Some(keys) = &filter.blueprint_keys {
        let blueprints = with_keys::<blueprint::Entity>(keys);
        let there = linked(kpi_link::Column::BlueprintId.in_subquery(blueprints.clone()));
        let touchpoints = touchpoint::Entity::find()
            .select_only()
            .column(touchpoint::Column::Id)
            .filter(touchpoint::Column::BlueprintId.in_subquery(blueprints));
        let whole = Condition::all()
            .add(TouchpointId.is_null())
            .add(KpiId.in_subquery(there));
        let at = TouchpointId.in_subquery(touchpoints.into_query());
        could = could.add(Condition::any().add(whole).add(at));
    }
    could
}

fn linked(to: SimpleExpr) -> SelectStatement {
    kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::KpiId)
        .filter(to)
        .into_query()
}

/// The touchpoints at which a wanted role or department ever was; nothing where all rows are wanted.
fn held_by(reach: &Reach, filter: &Filter) -> Option<SelectStatement> {
    if reach.everything && filter.department_keys.is_none() && filter.roles.is_none() {
        return None;
    }
    let mut held: Select<responsibility::Entity> = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::TouchpointId)
        .filter(scope::flat_rows(
            reach,
            responsibility::Column::DepartmentId.as_column_ref(),
        ));
    if let Some(keys) = &filter.department_keys {
        let departments = with_keys::<department::Entity>(keys);
        held = held.filter(responsibility::Column::DepartmentId.in_subquery(departments));
    }
    if let Some(roles) = &filter.roles {
        held = held.filter(responsibility::Column::Role.is_in(roles.iter().copied()));
    }
    Some(held.into_query())
}

/// The blueprints that count: CURRENT, in force, and such as the caller may see.
fn counted(caller: &Caller) -> SelectStatement {
    caller
        .select::<blueprint::Entity>()
        .select_only()
        .column(blueprint::Column::Id)
        .filter(blueprint::Column::State.eq(BlueprintState::Current))
        .filter(scope::in_force())
        .into_query()
}

/// Every row of the candidates that the caller may see. A measurement at a touchpoint belongs to that touchpoint's
/// link alone, one of the KPI as a whole to every link; a day is judged by what held at its end.
///
/// A CROSS JOIN with its condition in WHERE is an inner join that SQLite does not turn round: it would rather go
/// through every measurement than through the few candidates.
const JOINED: &str = "\
    SELECT measurement.id AS measurement_id, link.id AS link_id, touchpoint.id AS touchpoint_id,
        COALESCE(link.phase_id, touchpoint.phase_id) AS phase_id,
        COALESCE(link.blueprint_id, touchpoint.blueprint_id) AS blueprint_id,
        responsibility.id AS responsibility_id, responsibility.department_id, responsibility.role,
        COUNT(*) OVER (PARTITION BY measurement.id) AS siblings
    FROM candidate CROSS JOIN measurement
    LEFT JOIN kpi_link link ON link.kpi_id = measurement.kpi_id
        AND (link.valid_from IS NULL OR link.valid_from <= measurement.measured_on)
        AND (link.valid_to IS NULL OR link.valid_to > measurement.measured_on)
        AND (measurement.touchpoint_id IS NULL OR link.touchpoint_id = measurement.touchpoint_id)
        AND link.blueprint_id IN (SELECT id FROM counted)
    LEFT JOIN touchpoint ON touchpoint.id = COALESCE(link.touchpoint_id, measurement.touchpoint_id)
        AND touchpoint.blueprint_id IN (SELECT id FROM counted)
    LEFT JOIN responsibility ON responsibility.touchpoint_id = link.touchpoint_id
        AND responsibility.status IN ";

const HELD: &str = "
        AND (responsibility.valid_from IS NULL OR responsibility.valid_from < candidate.ends)
        AND (responsibility.valid_to IS NULL OR responsibility.valid_to >= candidate.ends)
    WHERE measurement.id = candidate.id";

const COLUMNS: &str = "\
SELECT joined.*, measurement.measured_on, measurement.value, measurement.numerator, measurement.denominator,
    measurement.sample_size, measurement.channel_id, measurement.segment_id, measurement.kpi_id,
    kpi.key AS kpi_key, kpi.name AS kpi_name, kpi.unit, kpi.currency, kpi.direction,
    target.value AS target, CASE WHEN target.value IS NOT NULL THEN target.warning END AS warning,
    blueprint.key AS blueprint_key, phase.name AS phase_name, phase.stage,
    touchpoint.key AS touchpoint_key, touchpoint.name AS touchpoint_name,
    department.key AS department_key, department.name AS department_name, ";

const FROM: &str = " AS state
FROM joined CROSS JOIN measurement CROSS JOIN kpi
LEFT JOIN kpi_target target ON target.id =
    (SELECT id FROM kpi_target of_day
     WHERE of_day.kpi_id = measurement.kpi_id AND of_day.valid_from <= measurement.measured_on
     ORDER BY of_day.valid_from DESC LIMIT 1)
LEFT JOIN blueprint ON blueprint.id = joined.blueprint_id
LEFT JOIN phase ON phase.id = joined.phase_id
LEFT JOIN touchpoint ON touchpoint.id = joined.touchpoint_id
LEFT JOIN department ON department.id = joined.department_id
WHERE measurement.id = joined.measurement_id AND kpi.id = measurement.kpi_id";

/// The rows of the candidates behind a place, in order.
fn rows_of(
    caller: &Caller,
    reach: &Reach,
    filter: &Filter,
    candidates: &[(MeasurementId, NaiveDate)],
    behind: Option<Place>,
    missing: u64,
    tx: &DatabaseTransaction,
) -> Text {
    let held = [ResponsibilityStatus::Accepted, ResponsibilityStatus::Ended];
    let ends = candidates.iter().map(|(id, day)| {
        let ends: DateTime<Utc> = caller.end_of(*day);
        [(*id).into(), ends.into()]
    });
    let mut text = Text::new(tx.get_database_backend(), "WITH counted AS (")
        .select(&counted(caller))
        .then("), candidate (id, ends) AS (")
        .rows(ends)
        .then("), joined AS (")
        .then(JOINED)
        .list(held)
        .then(HELD);
    if !reach.everything {
        let theirs = department::Entity::find()
            .select_only()
            .column(department::Column::Id)
            .filter(scope::flat_rows(
                reach,
                department::Column::Id.as_column_ref(),
            ));
        text = text
            .then(" AND responsibility.department_id IN (")
            .select(&theirs.into_query())
            .then(")");
    }
    text = text
        .then(") ")
        .then(COLUMNS)
        .then(&rules::state_sql("kpi", "measurement.value", "target"))
        .then(FROM);
    text = filtered(text, filter);
    let nothing = Uuid::nil();
    if let Some(Place { day, ids }) = behind {
        text = text
            .then(" AND (measurement.measured_on, measurement.id, COALESCE(joined.link_id, ")
            .value(nothing)
            .then("), COALESCE(joined.responsibility_id, ")
            .value(nothing)
            .then(")) > (")
            .value(day);
        text = ids
            .into_iter()
            .fold(text, |text, id| text.then(", ").value(id))
            .then(")");
    }
    text.then(" ORDER BY measurement.measured_on, measurement.id, COALESCE(joined.link_id, ")
        .value(nothing)
        .then("), COALESCE(joined.responsibility_id, ")
        .value(nothing)
        .then(") LIMIT ")
        .value(missing)
}

/// The part of the filter that looks at more than the measurement. Behind the count: a filter changes no weight.
fn filtered(mut text: Text, filter: &Filter) -> Text {
    for (column, keys) in [
        ("department.key", &filter.department_keys),
        ("blueprint.key", &filter.blueprint_keys),
    ] {
        if let Some(keys) = keys {
            let keys = keys.iter().map(|key| key.to_ascii_lowercase());
            text = text.then(&format!(" AND lower({column}) IN ")).list(keys);
        }
    }
    match &filter.roles {
        Some(roles) => text
            .then(" AND joined.role IN ")
            .list(roles.iter().copied()),
        None => text,
    }
}
