//! What many answers come to: of customers counted by the database, as far as the caller may count them; of employees
//! the sum of whole cells, and nothing else.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::{
    feedback,
    id::TouchpointId,
    words::{FeedbackGroup, FeedbackScale, Subject},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait},
};

use super::FeedbackFilter;
use crate::{
    access::{Caller, scope},
    error::Result,
    kpi::{
        answers::Tally,
        cells::{self, Cell, Cells, Series},
    },
};

/// What answers come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    scales: BTreeMap<FeedbackScale, Tally>,
    /// Whether employees answered of whom nothing is told, or not yet.
    pub withheld: bool,
    /// How many answers of employees are in cells whose answers are all alike.
    pub alike: i64,
}

impl Summary {
    /// All answers, whatever their scale.
    #[must_use]
    pub fn all(&self) -> Tally {
        let mut all = Tally::default();
        self.scales.values().for_each(|tally| all += *tally);
        all
    }

    /// The answers on one scale.
    #[must_use]
    pub fn on(&self, scale: FeedbackScale) -> Tally {
        self.scales.get(&scale).copied().unwrap_or_default()
    }

    fn count(&mut self, scale: FeedbackScale, tally: Tally) {
        *self.scales.entry(scale).or_default() += tally;
    }

    fn take(&mut self, cell: &Cell) {
        if cell.alike() {
            self.alike += cell.tally.answers();
        } else {
            self.count(cell.series.scale, cell.tally);
        }
    }
}

#[derive(FromQueryResult)]
struct Counted {
    touchpoint_id: Option<TouchpointId>,
    scale: FeedbackScale,
    answer_group: FeedbackGroup,
    answers: i64,
    score_sum: i64,
}

/// What the answers at each of these touchpoints come to, from a day on and before another.
pub async fn at_touchpoints(
    caller: &Caller,
    touchpoints: &[TouchpointId],
    (from, to): (Option<NaiveDate>, Option<NaiveDate>),
) -> Result<HashMap<TouchpointId, Summary>> {
    use feedback::Column;
    let days = Condition::all()
        .add_option(from.map(|from| Column::AnsweredOn.gte(from)))
        .add_option(to.map(|to| Column::AnsweredOn.lt(to)));
    let there = || Column::TouchpointId.is_in(touchpoints.iter().copied());
    let mut at: HashMap<TouchpointId, Summary> = HashMap::new();
    for row in counted(caller, days.add(there()), true).await? {
        if let Some(touchpoint) = row.touchpoint_id {
            at.entry(touchpoint)
                .or_default()
                .count(row.scale, row.tally());
        }
    }
    // The neighbours in their journeys decide with them what is withheld.
    let journeys = feedback::Entity::find()
        .select_only()
        .column(Column::BlueprintId)
        .filter(there());
    let journeys = Column::BlueprintId.in_subquery(sea_orm::QueryTrait::into_query(journeys));
    let cells = readable_cells(caller, Condition::all().add(journeys)).await?;
    let mut of_employees: HashMap<TouchpointId, Vec<Cell>> = HashMap::new();
    for cell in cells.closed {
        if let Some(id) = cell.series.touchpoint.filter(|_| within(&cell, (from, to))) {
            of_employees.entry(id).or_default().push(cell);
        }
    }
    let waiting = cells.waiting.iter().filter_map(|series| series.touchpoint);
    for id in waiting.filter(|id| touchpoints.contains(id)) {
        at.entry(id).or_default().withheld = true;
    }
    for id in touchpoints {
        let cells = of_employees.remove(id).unwrap_or_default();
        if !cells.is_empty() {
            let summary = at.entry(*id).or_default();
            cells.iter().for_each(|cell| summary.take(cell));
        }
    }
    Ok(at)
}

/// What these answers come to, all together.
pub async fn of(caller: &Caller, filter: &FeedbackFilter) -> Result<Summary> {
    let mut summary = Summary::default();
    for row in counted(caller, filter.condition()?, false).await? {
        summary.count(row.scale, row.tally());
    }
    let which = filter.series()?;
    let cells = readable_cells(caller, Condition::all()).await?;
    // A part of a cell is never told: of a department, or of a group.
    let whole = filter.department_id.is_none() && filter.groups.is_none();
    let days = (filter.from.map(|day| day.0), filter.to.map(|day| day.0));
    for cell in cells.closed.iter().filter(|cell| which.holds(&cell.series)) {
        if whole && within(cell, days) {
            summary.take(cell);
        } else {
            summary.withheld |= !whole;
        }
    }
    summary.withheld |= cells.waiting.iter().any(|series| which.holds(series));
    Ok(summary)
}

/// Whether the whole block of a cell lies from a day on and before another.
fn within(cell: &Cell, (from, to): (Option<NaiveDate>, Option<NaiveDate>)) -> bool {
    from.is_none_or(|from| from <= cell.from) && to.is_none_or(|to| cell.to <= to)
}

/// The cells of places that the caller may read.
async fn readable_cells(caller: &Caller, which: Condition) -> Result<Cells> {
    let readable = scope::places_of_feedback(caller.reader_in_sql());
    cells::load(caller.reader(), caller, readable.add(which)).await
}

impl Counted {
    fn tally(&self) -> Tally {
        Tally::of(self.answer_group, self.answers, self.score_sum)
    }
}

/// Which places and scales are asked for.
pub(super) struct Which {
    pub touchpoint: Option<TouchpointId>,
    pub blueprint: Option<entity::id::BlueprintId>,
    pub scales: Option<Vec<FeedbackScale>>,
    pub relationship: Option<bool>,
}

impl Which {
    fn holds(&self, series: &Series) -> bool {
        let scales = self.scales.as_ref();
        self.touchpoint
            .is_none_or(|id| series.touchpoint == Some(id))
            && self.blueprint.is_none_or(|id| series.blueprint == Some(id))
            && scales.is_none_or(|scales| scales.contains(&series.scale))
            && self
                .relationship
                .is_none_or(|whole| whole == series.touchpoint.is_none())
    }
}

/// The answers of customers, counted.
async fn counted(caller: &Caller, which: Condition, by_place: bool) -> Result<Vec<Counted>> {
    use feedback::Column;
    let whole = || Expr::col(Column::Score).sum().cast_as(Alias::new("bigint"));
    let mut select = feedback::Entity::find()
        .select_only()
        .columns([Column::Scale, Column::AnswerGroup])
        .column_as(Column::Id.count(), "answers")
        .column_as(whole(), "score_sum")
        .filter(scope::feedback(caller.reader_in_sql()))
        .filter(Column::Subject.eq(Subject::Customer))
        .filter(which)
        .group_by(Column::Scale)
        .group_by(Column::AnswerGroup);
    select = if by_place {
        select
            .column(Column::TouchpointId)
            .group_by(Column::TouchpointId)
    } else {
        select.column_as(Expr::cust("NULL"), "touchpoint_id")
    };
    Ok(select.into_model().all(caller.reader()).await?)
}
