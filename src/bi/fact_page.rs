//! Pages of `kpi_facts` over any range of days; what the rows are is the dataset's to say.
//!
//! A page is made in rounds. Each takes the next measurements that could give a row, and then the rows of those.
//! So a page costs what lies between its ends and not the whole range, and the days that it asks about are known.

use chrono::NaiveDate;
use entity::{
    blueprint, department,
    id::{
        BlueprintId, ChannelId, DepartmentId, KpiId, MeasurementId, PhaseId, SegmentId,
        TouchpointId,
    },
    kpi, kpi_link, measurement, responsibility, touchpoint,
    words::{Direction, KpiState, Role, Stage, Unit},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use super::{
    datasets::facts::KPI_FACTS, model::cursor::RowKey, model::filter::Filter as RowFilter,
    model::query::DatasetQuery, model::value::Value, names::with_keys,
};
use crate::{
    access::{Caller, scope},
    database::Transaction,
    error::Result,
    judgement::{self, target_on_sql},
    page::{self, Page},
    policy::Action,
};

/// Which rows to give. A list that is empty lets nothing through.
#[derive(Clone, Debug, Default)]
pub struct FactFilter {
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
pub struct FactRow {
    pub row_id: String,
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
    pub is_delivering: bool,
    pub row_weight: f64,
    at_2: Option<Uuid>,
    at_3: Option<Uuid>,
}

impl FactRow {
    /// The cursor behind the row.
    #[must_use]
    pub fn cursor(&self) -> String {
        page::day_cursor(
            self.measured_on,
            [
                self.measurement_id.0,
                self.at_2.unwrap_or_default(),
                self.at_3.unwrap_or_default(),
            ],
        )
    }
}

fn place(cursor: &str) -> Result<RowKey> {
    RowKey::read(&KPI_FACTS, cursor)
}

impl FactFilter {
    /// The part that looks at more than the measurement. Everything else the candidates have passed already.
    fn of_rows(&self) -> RowFilter {
        let keys = [
            ("department_key", &self.department_keys),
            ("blueprint_key", &self.blueprint_keys),
        ];
        let keys = keys.into_iter().filter_map(|(column, keys)| {
            Some(RowFilter::Keys(KPI_FACTS.column(column)?, keys.clone()?))
        });
        let roles = KPI_FACTS.column("role").zip(self.roles.as_ref());
        let roles = roles.map(|(column, roles)| {
            let roles = roles
                .iter()
                .map(|role| Value::Text(role.as_str().to_owned()));
            RowFilter::In(column, roles.collect())
        });
        RowFilter::All(keys.chain(roles).collect())
    }
}

/// How many measurements the first round of a page takes; each further one takes four times as many.
const FIRST_ROUND: u64 = 16;
/// How many measurements a round takes at the most.
const LARGEST_ROUND: u64 = 1_024;

/// The next rows, one more than the page shows where there are more.
pub async fn facts(caller: &Caller, filter: &FactFilter, page: &Page) -> Result<Vec<FactRow>> {
    caller.require_somewhere(Action::PullFlatRows)?;
    let wanted = page.size()? + 1;
    let mut behind = page.after.as_deref().map(place).transpose()?;
    let mut next = behind
        .as_ref()
        .and_then(|place| Some((place.day()?, place.ids().first().copied()?.into(), true)));
    let tx = caller.snapshot().await?;
    let (mut rows, mut round) = (Vec::new(), FIRST_ROUND);
    loop {
        let missing = wanted - rows.len() as u64;
        let candidates = candidates(caller, filter, next, round, &tx).await?;
        if let Some((last, day)) = candidates.last() {
            next = Some((*day, *last, false));
            let query = asked(filter, &candidates, behind.take(), missing);
            if let Some(statement) = query.statement(caller, tx.get_database_backend())? {
                rows.extend(FactRow::find_by_statement(statement).all(&tx).await?);
            }
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
    filter: &FactFilter,
    next: Option<(NaiveDate, MeasurementId, bool)>,
    round: u64,
    tx: &Transaction,
) -> Result<Vec<(MeasurementId, NaiveDate)>> {
    use measurement::Column::{Id, KpiId, MeasuredOn, SupersededById};
    let mut select = caller
        .select::<measurement::Entity>()
        .select_only()
        .columns([Id, MeasuredOn])
        .filter(SupersededById.is_null())
        .filter(could_show(caller, filter));
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

/// Measurements whose value is in one of these states by the target of their day.
fn in_states(states: &[KpiState]) -> SimpleExpr {
    let state = judgement::state_sql("kpi", "measurement.value", "target");
    // The target of the day, or no row where there is none, hence the outer COALESCE.
    let of_day = format!(
        "COALESCE((SELECT {state} FROM kpi_target target JOIN kpi ON kpi.id = target.kpi_id \
         {}), 'NO_TARGET')",
        target_on_sql!("target", "measurement.kpi_id", "measurement.measured_on")
    );
    Expr::cust(of_day).is_in(states.iter().map(|state| state.as_str()))
}

/// Measurements at places, or of KPIs that were ever linked to places, at which the filter looks. Wider than the
/// filter, never narrower: it keeps a page from going through measurements that have no row in it.
fn could_show(caller: &Caller, filter: &FactFilter) -> Condition {
    use measurement::Column::{KpiId, TouchpointId};
    let mut could = Condition::all();
    if let Some(held) = held_by(caller, filter) {
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
fn held_by(caller: &Caller, filter: &FactFilter) -> Option<SelectStatement> {
    let all = caller.reach(Action::PullFlatRows).everything;
    if all && filter.department_keys.is_none() && filter.roles.is_none() {
        return None;
    }
    let mut held: Select<responsibility::Entity> = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::TouchpointId)
        .filter(scope::flat_rows(
            caller.reader_in_sql(),
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

/// The question for the rows of these measurements behind a place.
fn asked(
    filter: &FactFilter,
    candidates: &[(MeasurementId, NaiveDate)],
    behind: Option<RowKey>,
    missing: u64,
) -> DatasetQuery {
    let mut days: Vec<NaiveDate> = candidates.iter().map(|(_, day)| *day).collect();
    days.dedup();
    let ids = candidates.iter().map(|(id, _)| *id);
    DatasetQuery {
        filter: filter.of_rows(),
        after: behind,
        limit: Some(missing),
        days,
        narrowed: Condition::all().add(measurement::Column::Id.is_in(ids)),
        ..DatasetQuery::new(&KPI_FACTS)
    }
}
