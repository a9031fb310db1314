//! Closing months: what employees answered in them becomes cells, and the answers in the cells are deleted.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{
    employee_answer, employee_cell, employee_month,
    id::{BlueprintId, TouchpointId},
    words::FeedbackScale,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Set,
    sea_query::{Expr, LockType, SimpleExpr},
};

use super::{Cell, Series, month_of, walk};
use crate::{
    access::Permit,
    error::{Error, Result},
    id,
    kpi::answers::{Tally, group},
};

/// How many cells are written by one statement at the most.
const AT_ONCE: usize = 1_000;

/// The month in which an answer is received, as its first day, under a lock until the act is over: no month closes
/// meanwhile, and none that has closed is answered in any more, whatever a clock says.
pub async fn receiving(permit: &Permit<'_>) -> Result<NaiveDate> {
    Ok(running(permit).await?.max(month_of(permit.caller.today)))
}

/// Closes the months that are over. Says how many cells that gave; nothing where no month was over that had not been
/// closed.
pub async fn close(permit: &Permit<'_>) -> Result<Option<usize>> {
    let (running, month) = (running(permit).await?, month_of(permit.caller.today));
    if month <= running {
        return Ok(None);
    }
    let cells = walk::cells(answered(permit, month).await?);
    let (count, mut rest) = (cells.len(), cells.into_iter().peekable());
    while rest.peek().is_some() {
        keep(permit, rest.by_ref().take(AT_ONCE).collect()).await?;
    }
    employee_month::Entity::update_many()
        .col_expr(employee_month::Column::Running, Expr::value(month))
        .exec(permit.tx())
        .await?;
    Ok(Some(count))
}

/// The month before which everything is closed. Locks it.
async fn running(permit: &Permit<'_>) -> Result<NaiveDate> {
    let row = employee_month::Entity::find()
        .lock(LockType::Update)
        .one(permit.tx())
        .await?;
    let row = row.ok_or_else(|| Error::internal("the month of employees' answers is missing"))?;
    Ok(row.running)
}

#[derive(FromQueryResult)]
struct Counted {
    scale: FeedbackScale,
    blueprint_id: Option<BlueprintId>,
    touchpoint_id: Option<TouchpointId>,
    received_in: NaiveDate,
    score: i32,
    answers: i64,
}

/// What waits of the months before this one.
async fn answered(
    permit: &Permit<'_>,
    before: NaiveDate,
) -> Result<BTreeMap<(Series, NaiveDate), Tally>> {
    use employee_answer::Column;
    let counted: Vec<Counted> = employee_answer::Entity::find()
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
    let mut answered: BTreeMap<(Series, NaiveDate), Tally> = BTreeMap::new();
    for row in counted {
        let series = Series {
            scale: row.scale,
            blueprint: row.blueprint_id,
            touchpoint: row.touchpoint_id,
        };
        let sum = i64::from(row.score) * row.answers;
        *answered.entry((series, row.received_in)).or_default() +=
            Tally::of(group(row.scale, row.score), row.answers, sum);
    }
    Ok(answered)
}

/// Writes cells, and deletes the answers in them.
async fn keep(permit: &Permit<'_>, cells: Vec<Cell>) -> Result<()> {
    use employee_answer::Column;
    for Cell { series, to, .. } in &cells {
        let place = Condition::all()
            .add(same(Column::TouchpointId, series.touchpoint))
            .add(same(Column::BlueprintId, series.blueprint));
        employee_answer::Entity::delete_many()
            .filter(place)
            .filter(Column::Scale.eq(series.scale))
            .filter(Column::ReceivedIn.lt(*to))
            .exec(permit.tx())
            .await?;
    }
    let rows = cells.iter().map(row).collect::<Result<Vec<_>>>()?;
    employee_cell::Entity::insert_many(rows)
        .exec_without_returning(permit.tx())
        .await?;
    Ok(())
}

/// Whether a column holds this, or nothing where this is nothing.
fn same<V: Into<sea_orm::Value>>(column: employee_answer::Column, value: Option<V>) -> SimpleExpr {
    value.map_or_else(|| column.is_null(), |value| column.eq(value))
}

fn row(cell: &Cell) -> Result<employee_cell::ActiveModel> {
    let count = |many: i64| i32::try_from(many).map_err(Error::internal);
    Ok(employee_cell::ActiveModel {
        id: Set(id::untimed()),
        scale: Set(cell.series.scale),
        blueprint_id: Set(cell.series.blueprint),
        touchpoint_id: Set(cell.series.touchpoint),
        from_day: Set(cell.from),
        to_day: Set(cell.to),
        satisfied: Set(count(cell.tally.satisfied)?),
        indifferent: Set(count(cell.tally.indifferent)?),
        dissatisfied: Set(count(cell.tally.dissatisfied)?),
        score_sum: Set(count(cell.tally.sum)?),
    })
}
