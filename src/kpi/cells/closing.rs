//! Closing months: what employees answered in them becomes cells, and the answers in the cells are deleted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Months, NaiveDate, Utc};
use entity::{
    blueprint, department, employee_answer, employee_cell, employee_month,
    id::{BlueprintId, TouchpointId},
    words::FeedbackScale,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    QuerySelect, Set, Statement,
    sea_query::{Expr, LockType},
};

use super::{AnonymousAnswerCell, AnswerSeriesKey, first_day_of_month, walk};
use crate::{
    access::Permit,
    error::{Error, Result},
    id,
    kpi::answers::{Tally, group_of_score},
    statement::SqlBuilder,
};

/// The answers of how many cells are deleted by one statement at the most.
const AT_ONCE: usize = 1_000;

/// What closing months gave.
#[derive(Clone, Copy, Debug)]
pub struct MonthClosingResult {
    /// The month before which everything was closed already.
    pub before: NaiveDate,
    pub cells: usize,
}

/// The month in which an answer is received, as its first day, under a lock until the act is over: no month closes
/// meanwhile, and none that has closed is answered in any more, whatever a clock says.
pub async fn lock_receiving_month(permit: &Permit<'_>) -> Result<NaiveDate> {
    // The later of the two: a clock that was set back must not answer in a month whose cells have been told.
    Ok(lock_first_open_month(permit)
        .await?
        .max(load_current_month(permit).await?))
}

/// The month that it is, by a clock that is trusted: on PostgreSQL never more than one after that of the database. A
/// server whose clock is far ahead would else close months to come, and nothing would be told until they are over.
/// SQLite has no clock but this server's: whoever sets it decides.
async fn load_current_month(permit: &Permit<'_>) -> Result<NaiveDate> {
    let month = first_day_of_month(permit.caller.today);
    if !permit.is_on_postgresql() {
        return Ok(month);
    }
    // `now()` is the beginning of the transaction, the same for all of it.
    let clock = Statement::from_string(DbBackend::Postgres, "SELECT now() AS says");
    let row = permit.tx().query_one_raw(clock).await?;
    let row = row.ok_or_else(|| Error::internal("the database does not say what time it is"))?;
    let says: DateTime<Utc> = row.try_get("", "says")?;
    let database = permit.caller.clock.shift_by_advance(says);
    Ok(cap_month(
        month,
        permit.caller.local_day_of_moment(database),
    ))
}

/// This month, or the one after that of the database's day where it is more than one ahead.
fn cap_month(month: NaiveDate, database: NaiveDate) -> NaiveDate {
    let most = first_day_of_month(database) + Months::new(1);
    if month > most {
        tracing::warn!(%month, %most, "this clock is more than a month ahead of the database's: it is not followed");
    }
    month.min(most)
}

/// Closes the months that are over. Nothing where no month was over that had not been closed.
pub async fn close_months(permit: &mut Permit<'_>) -> Result<Option<MonthClosingResult>> {
    let (running, month) = (
        lock_first_open_month(permit).await?,
        load_current_month(permit).await?,
    );
    if month <= running {
        return Ok(None);
    }
    let cells = walk::close_cells(load_closing_input(permit, month).await?, running);
    for some in cells.chunks(AT_ONCE) {
        let deletion = delete_answers_sql(permit, some);
        permit.tx().execute_raw(deletion.statement()).await?;
    }
    let rows = cells.iter().map(cell_row).collect::<Result<Vec<_>>>()?;
    permit
        .insert_all_unaudited::<employee_cell::Entity>(rows)
        .await?;
    // The log would otherwise still hold single answers that have just been deleted.
    if !cells.is_empty() {
        permit.empty_wal_on_commit();
    }
    employee_month::Entity::update_many()
        .col_expr(employee_month::Column::Running, Expr::value(month))
        .exec(permit.tx())
        .await?;
    Ok(Some(MonthClosingResult {
        before: running,
        cells: cells.len(),
    }))
}

/// The month before which everything is closed. Locks it.
async fn lock_first_open_month(permit: &Permit<'_>) -> Result<NaiveDate> {
    let row = employee_month::Entity::find()
        .lock(LockType::Update)
        .one(permit.tx())
        .await?;
    let row = row.ok_or_else(|| Error::internal("the month of employees' answers is missing"))?;
    Ok(row.running)
}

/// Everything that closing the months before this one depends on.
async fn load_closing_input(
    permit: &Permit<'_>,
    before: NaiveDate,
) -> Result<walk::MonthClosingInput> {
    let waiting = count_waiting_answers(permit, before).await?;
    let mut known = walk::MonthClosingInput {
        begins: load_block_starts(permit, &waiting).await?,
        ..walk::MonthClosingInput::default()
    };
    if let Some(first) = waiting.keys().map(|(_, month)| *month).min() {
        known.told = load_closed_cells(permit, first).await?;
    }
    known.waiting = waiting;
    Ok(known)
}

#[derive(FromQueryResult)]
struct WaitingAnswerCount {
    scale: FeedbackScale,
    blueprint_id: Option<BlueprintId>,
    touchpoint_id: Option<TouchpointId>,
    received_in: NaiveDate,
    score: i32,
    answers: i64,
}

/// The answers received before this month that are in no cell yet, counted by place and month.
async fn count_waiting_answers(
    permit: &Permit<'_>,
    before: NaiveDate,
) -> Result<BTreeMap<(AnswerSeriesKey, NaiveDate), Tally>> {
    use employee_answer::Column;
    let counted: Vec<WaitingAnswerCount> = employee_answer::Entity::find()
        .select_only()
        .columns([
            Column::Scale,
            Column::BlueprintId,
            Column::TouchpointId,
            Column::ReceivedIn,
            Column::Score,
        ])
        .column_as(Column::Id.count(), "answers")
        .filter(Column::ReceivedIn.lt(before))
        .group_by(Column::Scale)
        .group_by(Column::BlueprintId)
        .group_by(Column::TouchpointId)
        .group_by(Column::ReceivedIn)
        .group_by(Column::Score)
        .into_model()
        .all(permit.tx())
        .await?;
    let mut waiting: BTreeMap<(AnswerSeriesKey, NaiveDate), Tally> = BTreeMap::new();
    for row in counted {
        let series = AnswerSeriesKey::new(row.scale, row.blueprint_id, row.touchpoint_id);
        let sum = i64::from(row.score) * row.answers;
        *waiting.entry((series, row.received_in)).or_default() +=
            Tally::of_group(group_of_score(row.scale, row.score), row.answers, sum);
    }
    Ok(waiting)
}

/// Where the next block of each place that waits begins: where its last ended, or else with the journey or the
/// organisation, whether or not anybody answered then.
async fn load_block_starts(
    permit: &Permit<'_>,
    waiting: &BTreeMap<(AnswerSeriesKey, NaiveDate), Tally>,
) -> Result<BTreeMap<AnswerSeriesKey, NaiveDate>> {
    use employee_cell::Column;
    type BlockEndRow = (
        FeedbackScale,
        Option<BlueprintId>,
        Option<TouchpointId>,
        NaiveDate,
    );
    let ended: Vec<BlockEndRow> = employee_cell::Entity::find()
        .select_only()
        .columns([Column::Scale, Column::BlueprintId, Column::TouchpointId])
        .column_as(Column::ToDay.max(), "ended")
        .group_by(Column::Scale)
        .group_by(Column::BlueprintId)
        .group_by(Column::TouchpointId)
        .into_tuple()
        .all(permit.tx())
        .await?;
    let ended = ended.into_iter();
    let ended: HashMap<AnswerSeriesKey, NaiveDate> = ended
        .map(|(scale, blueprint, touchpoint, to)| {
            (AnswerSeriesKey::new(scale, blueprint, touchpoint), to)
        })
        .collect();
    let starts = load_journey_starts(permit, waiting).await?;
    let mut begins = BTreeMap::new();
    // `waiting` is in the order of months, so the first month of each place decides. A journey made later than its
    // first answer was made by a clock that was set back: then the month of the answer counts.
    for (series, month) in waiting.keys() {
        let begin = ended.get(series).copied();
        let begin = begin.or_else(|| Some((*month).min(*starts.get(&series.blueprint)?)));
        begins.entry(*series).or_insert(begin.unwrap_or(*month));
    }
    Ok(begins)
}

/// The months in which the organisation, and the journeys with waiting answers, were created.
async fn load_journey_starts(
    permit: &Permit<'_>,
    waiting: &BTreeMap<(AnswerSeriesKey, NaiveDate), Tally>,
) -> Result<HashMap<Option<BlueprintId>, NaiveDate>> {
    use blueprint::Column;
    let ids = waiting.keys().filter_map(|(series, _)| series.blueprint);
    let blueprints: Vec<(BlueprintId, DateTime<Utc>)> = blueprint::Entity::find()
        .select_only()
        .columns([Column::Id, Column::CreatedAt])
        .filter(Column::Id.is_in(ids.collect::<BTreeSet<_>>()))
        .into_tuple()
        .all(permit.tx())
        .await?;
    let organisation: Option<Option<DateTime<Utc>>> = department::Entity::find()
        .select_only()
        .column_as(department::Column::CreatedAt.min(), "made_at")
        .into_tuple()
        .one(permit.tx())
        .await?;
    let blueprints = blueprints.into_iter().map(|(id, at)| (Some(id), at));
    let all = blueprints.chain(organisation.flatten().map(|at| (None, at)));
    Ok(all
        .map(|(id, at)| {
            (
                id,
                first_day_of_month(permit.caller.local_day_of_moment(at)),
            )
        })
        .collect())
}

/// The cells that end after the first day of this month.
async fn load_closed_cells(
    permit: &Permit<'_>,
    from: NaiveDate,
) -> Result<Vec<(walk::JourneyOnScale, walk::MonthSpan)>> {
    use employee_cell::Column;
    type CellSpanRow = (FeedbackScale, Option<BlueprintId>, NaiveDate, NaiveDate);
    let told: Vec<CellSpanRow> = employee_cell::Entity::find()
        .select_only()
        .columns([
            Column::Scale,
            Column::BlueprintId,
            Column::FirstIn,
            Column::ToDay,
        ])
        // Cells that ended before cannot be subtracted from anything that waits.
        .filter(Column::ToDay.gt(from))
        .into_tuple()
        .all(permit.tx())
        .await?;
    let told = told.into_iter();
    Ok(told
        .map(|(scale, blueprint, first, to)| {
            // `to_day` is the first day after the cell; a span names its last month.
            let last = to - Months::new(1);
            ((scale, blueprint), walk::MonthSpan { first, last })
        })
        .collect())
}

/// Deletes the answers in cells.
fn delete_answers_sql(permit: &Permit<'_>, cells: &[AnonymousAnswerCell]) -> SqlBuilder {
    let rows = cells.iter().map(|cell| {
        [
            cell.series.scale.as_str().into(),
            cell.series.blueprint.into(),
            cell.series.touchpoint.into(),
            cell.first.into(),
            cell.to.into(),
        ]
    });
    let given = "WITH cell (scale, blueprint_id, touchpoint_id, first_in, to_day) AS (";
    SqlBuilder::new(permit.tx().get_database_backend(), given)
        .values_rows(rows)
        .then(
            // `IS NOT DISTINCT FROM`, since a place without a blueprint is NULL on both sides, which `=` would not
            // find equal.
            ") DELETE FROM employee_answer WHERE EXISTS (SELECT 1 FROM cell
            WHERE cell.scale = employee_answer.scale
            AND cell.blueprint_id IS NOT DISTINCT FROM employee_answer.blueprint_id
            AND cell.touchpoint_id IS NOT DISTINCT FROM employee_answer.touchpoint_id
            AND cell.first_in <= employee_answer.received_in AND employee_answer.received_in < cell.to_day)",
        )
}

fn cell_row(cell: &AnonymousAnswerCell) -> Result<employee_cell::ActiveModel> {
    let count = |many: i64| i32::try_from(many).map_err(Error::internal);
    Ok(employee_cell::ActiveModel {
        // Random and not in the order of time: ids of one closing would tell in which order its cells were made.
        id: Set(id::new_random()),
        scale: Set(cell.series.scale),
        blueprint_id: Set(cell.series.blueprint),
        touchpoint_id: Set(cell.series.touchpoint),
        from_day: Set(cell.from),
        to_day: Set(cell.to),
        first_in: Set(cell.first),
        satisfied: Set(count(cell.tally.satisfied)?),
        indifferent: Set(count(cell.tally.indifferent)?),
        dissatisfied: Set(count(cell.tally.dissatisfied)?),
        score_sum: Set(count(cell.tally.sum)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_believed_up_to_a_month_ahead_of_the_database() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a day");
        let database = day(2026, 11, 30);
        assert_eq!(cap_month(day(2026, 10, 1), database), day(2026, 10, 1));
        assert_eq!(cap_month(day(2026, 12, 1), database), day(2026, 12, 1));
        assert_eq!(cap_month(day(2027, 1, 1), database), day(2026, 12, 1));
        assert_eq!(cap_month(day(2036, 1, 1), database), day(2026, 12, 1));
    }
}
