//! Employees' answers in cells: the only grain in which anything of them leaves the database.
//!
//! A cell is a place (a touchpoint, a journey as a whole, or the organisation as a whole) on one scale in one block. A
//! block is a closed month of receipt, joined with the next until it has five answers. It begins where the last block
//! of its place ended, the first with the journey itself, so that nothing tells in which month somebody was there. A
//! cell is written once, when its block closes (`closing`), and the answers in it are deleted: nothing that is
//! recorded, corrected or set later changes it. Cells share no answer, so a sum of cells holds at least five answers,
//! and so does the difference between two sums. What waits so that it cannot be subtracted either is the rule of
//! `walk`.
//!
//! Example: a journey of August; 3 answers in September, 4 in October, 6 in November. On 1 December there are two
//! cells: August to October (7) and November (6). On 15 November there was one.

pub mod closing;
mod walk;

use chrono::{Datelike, NaiveDate};
use entity::{
    employee_cell,
    id::{BlueprintId, TouchpointId},
    words::FeedbackScale,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IdenStatic, QueryFilter,
    QuerySelect, sea_query::Expr,
};

use super::answers::Tally;
use crate::error::Result;

/// Answers at one place on one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerSeriesKey {
    pub scale: FeedbackScale,
    pub blueprint: Option<BlueprintId>,
    /// Empty for the journey, or the organisation, as a whole.
    pub touchpoint: Option<TouchpointId>,
}

impl AnswerSeriesKey {
    /// The series of rows with these columns.
    #[must_use]
    pub const fn new(
        scale: FeedbackScale,
        blueprint: Option<BlueprintId>,
        touchpoint: Option<TouchpointId>,
    ) -> Self {
        Self {
            scale,
            blueprint,
            touchpoint,
        }
    }
}

/// At least five answers of employees that are told together, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnonymousAnswerCell {
    pub series: AnswerSeriesKey,
    /// The first day of its block.
    pub from: NaiveDate,
    /// The day before which its block ends.
    pub to: NaiveDate,
    /// The first month that it has answers of. Nobody is told.
    first: NaiveDate,
    pub tally: Tally,
}

impl AnonymousAnswerCell {
    /// Whether its answers are all of one group: the score would tell what each of them said.
    #[must_use]
    pub const fn is_all_alike(&self) -> bool {
        self.tally.is_all_alike()
    }
}

impl From<employee_cell::Model> for AnonymousAnswerCell {
    fn from(row: employee_cell::Model) -> Self {
        Self {
            series: AnswerSeriesKey::new(row.scale, row.blueprint_id, row.touchpoint_id),
            from: row.from_day,
            to: row.to_day,
            first: row.first_in,
            tally: Tally {
                satisfied: row.satisfied.into(),
                indifferent: row.indifferent.into(),
                dissatisfied: row.dissatisfied.into(),
                sum: row.score_sum.into(),
            },
        }
    }
}

/// What `employee_month` says until months are closed for the first time: the migration inserts it.
pub const BEFORE_FIRST_CLOSING: NaiveDate = match NaiveDate::from_ymd_opt(1970, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// The month that a day is in, as its first day.
#[must_use]
pub fn first_day_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// What cells of one kind come to.
#[derive(Debug, FromQueryResult)]
pub struct CellGroupTotal {
    /// Where they are, if that was asked.
    pub touchpoint_id: Option<TouchpointId>,
    pub scale: FeedbackScale,
    alike: i32,
    satisfied: i64,
    indifferent: i64,
    dissatisfied: i64,
    score_sum: i64,
}

impl CellGroupTotal {
    /// Whether each of them is one whose answers are all alike.
    #[must_use]
    pub const fn is_all_alike(&self) -> bool {
        self.alike != 0
    }

    /// Their answers.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        Tally {
            satisfied: self.satisfied,
            indifferent: self.indifferent,
            dissatisfied: self.dissatisfied,
            sum: self.score_sum,
        }
    }
}

/// [`AnonymousAnswerCell::is_all_alike`], asked of the database.
const ALIKE: &str = "CASE WHEN satisfied + indifferent = 0 OR satisfied + dissatisfied = 0 \
    OR indifferent + dissatisfied = 0 THEN 1 ELSE 0 END";

/// What these cells come to: by scale, those whose answers are all alike apart from the others, and by touchpoint where
/// that is asked.
pub async fn load_cell_totals(
    db: &impl ConnectionTrait,
    which: Condition,
    by_touchpoint: bool,
) -> Result<Vec<CellGroupTotal>> {
    use employee_cell::Column;
    let mut select = employee_cell::Entity::find()
        .select_only()
        .column(Column::Scale)
        .column_as(Expr::cust(ALIKE), "alike")
        .filter(which)
        .group_by(Column::Scale)
        .group_by(Expr::cust(ALIKE));
    for column in [
        Column::Satisfied,
        Column::Indifferent,
        Column::Dissatisfied,
        Column::ScoreSum,
    ] {
        select = select.column_as(column.sum(), column.as_str());
    }
    select = if by_touchpoint {
        select
            .column(Column::TouchpointId)
            .group_by(Column::TouchpointId)
    } else {
        select.column_as(Expr::cust("NULL"), "touchpoint_id")
    };
    Ok(select.into_model().all(db).await?)
}

/// These cells.
pub async fn load_cells(
    db: &impl ConnectionTrait,
    which: Condition,
) -> Result<Vec<AnonymousAnswerCell>> {
    let rows = employee_cell::Entity::find().filter(which).all(db).await?;
    Ok(rows.into_iter().map(AnonymousAnswerCell::from).collect())
}
