//! Employees' answers in cells: the only grain in which anything of them leaves the database.
//!
//! A cell is a place (a touchpoint, a journey as a whole, or the organisation as a whole) on one scale in one block. A
//! block is a closed month of receipt, joined with the next until it has five answers. A cell is written once, when its
//! block closes (`closing`), and the answers in it are deleted: nothing that is recorded, corrected or set later changes
//! it. Cells share no answer, so a sum of cells holds at least five answers, and so does the difference between two sums.
//!
//! Example: 3 answers in September, 4 in October, 6 in November. On 1 December there are two cells: September with
//! October (7) and November (6). On 15 November there was one.

pub mod closing;
mod walk;

use chrono::{Datelike, NaiveDate};
use entity::{
    employee_cell,
    id::{BlueprintId, TouchpointId},
    words::FeedbackScale,
};
use sea_orm::{Condition, ConnectionTrait, EntityTrait, QueryFilter};

use super::answers::Tally;
use crate::error::Result;

/// Answers at one place on one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    pub scale: FeedbackScale,
    pub blueprint: Option<BlueprintId>,
    /// Empty for the journey, or the organisation, as a whole.
    pub touchpoint: Option<TouchpointId>,
}

/// At least five answers of employees that are told together, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub series: Series,
    /// The first day of its block.
    pub from: NaiveDate,
    /// The day before which its block ends.
    pub to: NaiveDate,
    pub tally: Tally,
}

impl Cell {
    /// Whether its answers are all of one group: the score would tell what each of them said.
    #[must_use]
    pub const fn alike(&self) -> bool {
        self.tally.alike()
    }
}

impl From<employee_cell::Model> for Cell {
    fn from(row: employee_cell::Model) -> Self {
        Self {
            series: Series {
                scale: row.scale,
                blueprint: row.blueprint_id,
                touchpoint: row.touchpoint_id,
            },
            from: row.from_day,
            to: row.to_day,
            tally: Tally {
                satisfied: row.satisfied.into(),
                indifferent: row.indifferent.into(),
                dissatisfied: row.dissatisfied.into(),
                sum: row.score_sum.into(),
            },
        }
    }
}

/// The month that a day is in, as its first day.
#[must_use]
pub fn month_of(day: NaiveDate) -> NaiveDate {
    day.with_day(1).unwrap_or(day)
}

/// These cells.
pub async fn load(db: &impl ConnectionTrait, which: Condition) -> Result<Vec<Cell>> {
    let rows = employee_cell::Entity::find().filter(which).all(db).await?;
    Ok(rows.into_iter().map(Cell::from).collect())
}
