//! Pages of `kpi_facts` for the API, over any range of days.
//!
//! A page is read in rounds: the next measurements that could have a row, then the rows of these. One statement with
//! a limit would not do: the dataset's SQL wants the days that it is asked about, and numbers each measurement's rows
//! before any filter; over years it would join everything for a page of fifty.

use chrono::NaiveDate;
use entity::{
    blueprint, department,
    id::MeasurementId,
    kpi, kpi_link, measurement, responsibility, touchpoint,
    words::{KpiState, Role},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select,
    sea_query::{Expr, ExprTrait, SelectStatement, SimpleExpr},
};

use super::{
    datasets::facts::KPI_FACTS,
    model::cursor::{ResumePoint, RowKey},
    model::filter::Filter as RowFilter,
    model::query::{DatasetQuery, MOST_DAYS},
    model::value::Value,
    names::{select_ids_by_keys, select_linked_kpi_ids},
    source::{
        reader::{ReadContext, RowReader},
        row::{DatasetRow, RowContent},
        sql_reader::SqlReader,
    },
};
use crate::{
    access::{Caller, scope},
    database::Transaction,
    error::{Error, Result},
    judgement::{self, target_of_measurement_sql},
    page::PageArguments,
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

impl FactFilter {
    /// The conditions on more than the measurement; the candidates have passed all others.
    fn row_filter(&self) -> RowFilter {
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

/// Values that a statement of counts binds for each day, and for each key at the most.
const DAY_VALUES: usize = 2;
const KEY_VALUES: usize = 3;
/// Most values that a statement binds: SQLite takes 32,766.
const MOST_VALUES: usize = 30_000;
/// Steps of the budget for a measurement whose rows are counted and not read.
const ROW_JOINED: u64 = 20;

/// Measurements in the first round of a page; each further round has four times as many.
const FIRST_ROUND: u64 = 16;
/// Measurements in a round, at most.
const LARGEST_ROUND: u64 = 1_024;

/// The rows of a page, one more where there are more, and the number of all where that is wanted.
pub async fn load_page_of_facts(
    caller: &Caller,
    filter: &FactFilter,
    page: &PageArguments,
    counts: bool,
) -> Result<(Vec<DatasetRow>, Option<u64>)> {
    caller.require_reach(Action::PullFlatRows)?;
    // One more than the page shows, which says whether there is another page.
    let wanted = page.size()? + 1;
    let after = page.after.as_deref();
    let after = after.map(|cursor| RowKey::decode(&KPI_FACTS, cursor));
    let mut after = after.transpose()?;
    let mut next = after.as_ref().and_then(ResumePoint::after_row);
    // All rounds of a page in one snapshot: a measurement that is superseded between two rounds would appear twice or
    // not at all.
    let tx = caller.begin_snapshot().await?;
    let (mut rows, mut round) = (Vec::new(), FIRST_ROUND);
    loop {
        let missing = wanted - rows.len() as u64;
        let candidates =
            find_candidate_measurements(caller, filter, next.as_ref(), round, &tx).await?;
        if let Some((last, day)) = candidates.last() {
            next = Some(ResumePoint::after_measurement(*day, *last));
            let query = rows_query(filter, &candidates, after.take(), missing);
            if let Some(statement) = query.rows_statement(caller, tx.get_database_backend())? {
                let projection = query.projection();
                let stored = tx.query_all_raw(statement).await?.into_iter();
                rows.extend(stored.map(|row| DatasetRow {
                    form: RowContent::Stored(row),
                    projection: projection.clone(),
                }));
            }
        }
        // Candidates are wider than rows: only a round that was not full shows that there are no more.
        if (candidates.len() as u64) < round || rows.len() as u64 >= wanted {
            break;
        }
        round = Ord::min(round * 4, LARGEST_ROUND);
    }
    let total = match counts {
        true => Some(count_facts(caller, filter, &tx).await?),
        false => None,
    };
    tx.commit().await?;
    Ok((rows, total))
}

/// Counts the rows of all pages.
async fn count_facts(caller: &Caller, filter: &FactFilter, tx: &Transaction) -> Result<u64> {
    use measurement::Column::MeasuredOn;
    let these = measurement_condition(caller, filter);
    let measured: Vec<(NaiveDate, i64)> = caller
        .select::<measurement::Entity>()
        .select_only()
        .column(MeasuredOn)
        .column_as(measurement::Column::Id.count(), "measured")
        .filter(these.clone())
        .group_by(MeasuredOn)
        .order_by_asc(MeasuredOn)
        .limit(MOST_DAYS as u64 + 1)
        .into_tuple()
        .all(tx)
        .await?;
    let keys = [
        &filter.kpi_keys,
        &filter.department_keys,
        &filter.blueprint_keys,
    ];
    let keys = keys.into_iter().flatten().map(Vec::len).sum::<usize>();
    if measured.len() > MOST_DAYS || DAY_VALUES * measured.len() + KEY_VALUES * keys > MOST_VALUES {
        let message = format!(
            "`totalCount` counts rows of at most {MOST_DAYS} days, and of fewer where there are thousands of keys. \
             Ask for fewer days by `from` and `to`."
        );
        return Err(Error::BadInput(message));
    }
    // Every measurement is joined, and the database is asked once for all of them.
    let joined: i64 = measured.iter().map(|(_, many)| many).sum();
    let joined = u64::try_from(joined).unwrap_or_default();
    caller.budget.spend(ROW_JOINED * joined)?;
    let days = measured.into_iter().map(|(day, _)| day).collect();
    let query = DatasetQuery {
        filter: filter.row_filter(),
        days,
        measurement_filter: these,
        ..DatasetQuery::new(&KPI_FACTS)
    };
    SqlReader
        .count_rows_of_query(ReadContext { caller, tx }, &query)
        .await
}

/// The next measurements that could have a row that passes: conditions on measurements alone are applied here.
async fn find_candidate_measurements(
    caller: &Caller,
    filter: &FactFilter,
    next: Option<&ResumePoint>,
    round: u64,
    tx: &Transaction,
) -> Result<Vec<(MeasurementId, NaiveDate)>> {
    use measurement::Column::{Id, MeasuredOn};
    let mut select = caller
        .select::<measurement::Entity>()
        .select_only()
        .columns([Id, MeasuredOn])
        .filter(measurement_condition(caller, filter));
    if let Some(&ResumePoint { day, id, inclusive }) = next {
        let same_day = if inclusive { Id.gte(id) } else { Id.gt(id) };
        let same_day = Condition::all().add(MeasuredOn.eq(day)).add(same_day);
        select = select
            // Redundant in logic, but `measured_on >= day` alone is what an index on the day can use.
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

/// The measurements that could have a row that passes.
fn measurement_condition(caller: &Caller, filter: &FactFilter) -> Condition {
    use measurement::Column::{KpiId, MeasuredOn, SupersededById};
    let kpis = filter.kpi_keys.as_ref();
    candidate_condition(caller, filter)
        .add(SupersededById.is_null())
        .add_option(filter.from.map(|from| MeasuredOn.gte(from)))
        .add_option(filter.to.map(|to| MeasuredOn.lt(to)))
        .add_option(kpis.map(|keys| KpiId.in_subquery(select_ids_by_keys::<kpi::Entity>(keys))))
        .add_option(filter.states.as_deref().map(state_condition))
}

/// Measurements whose value is in one of these states by the target of their day.
fn state_condition(states: &[KpiState]) -> SimpleExpr {
    let state = judgement::state_sql("kpi", "measurement.value", "target");
    // The target of the day, or no row where there is none, hence the outer COALESCE.
    let of_day = format!(
        "COALESCE((SELECT {state} FROM kpi_target target JOIN kpi ON kpi.id = target.kpi_id \
         {}), 'NO_TARGET')",
        target_of_measurement_sql!("target", "measurement")
    );
    Expr::cust(of_day).is_in(states.iter().map(|state| state.as_str()))
}

/// Measurements at places that the filter names, or of KPIs ever linked to such places. Wider than the filter, never
/// narrower: it keeps a page from reading measurements that have no row in it.
fn candidate_condition(caller: &Caller, filter: &FactFilter) -> Condition {
    use measurement::Column::{KpiId, TouchpointId};
    let mut could = Condition::all();
    if let Some(held) = select_touchpoints_ever_held(caller, filter) {
        let there = select_linked_kpi_ids(kpi_link::Column::TouchpointId.in_subquery(held.clone()));
        let at = Condition::any()
            .add(TouchpointId.is_null())
            .add(TouchpointId.in_subquery(held));
        could = could.add(KpiId.in_subquery(there)).add(at);
    }
    if let Some(keys) = &filter.blueprint_keys {
        let blueprints = select_ids_by_keys::<blueprint::Entity>(keys);
        let there =
            select_linked_kpi_ids(kpi_link::Column::BlueprintId.in_subquery(blueprints.clone()));
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

/// The touchpoints at which a wanted role or department ever was; nothing where all rows are wanted.
fn select_touchpoints_ever_held(caller: &Caller, filter: &FactFilter) -> Option<SelectStatement> {
    let all = caller.reach(Action::PullFlatRows).everything;
    if all && filter.department_keys.is_none() && filter.roles.is_none() {
        return None;
    }
    let mut held: Select<responsibility::Entity> = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::TouchpointId)
        .filter(scope::pullable_flat_rows_condition(
            caller.principal(),
            responsibility::Column::DepartmentId.as_column_ref(),
        ));
    if let Some(keys) = &filter.department_keys {
        let departments = select_ids_by_keys::<department::Entity>(keys);
        held = held.filter(responsibility::Column::DepartmentId.in_subquery(departments));
    }
    if let Some(roles) = &filter.roles {
        held = held.filter(responsibility::Column::Role.is_in(roles.iter().copied()));
    }
    Some(held.into_query())
}

/// The query for the rows of these measurements after a resume point.
fn rows_query(
    filter: &FactFilter,
    candidates: &[(MeasurementId, NaiveDate)],
    after: Option<RowKey>,
    missing: u64,
) -> DatasetQuery {
    let mut days: Vec<NaiveDate> = candidates.iter().map(|(_, day)| *day).collect();
    // Candidates come by day, so equal days stand together.
    days.dedup();
    let ids = candidates.iter().map(|(id, _)| *id);
    DatasetQuery {
        filter: filter.row_filter(),
        after,
        limit: Some(missing),
        days,
        measurement_filter: Condition::all().add(measurement::Column::Id.is_in(ids)),
        ..DatasetQuery::new(&KPI_FACTS)
    }
}
