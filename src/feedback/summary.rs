//! What many answers come to: of customers counted by the database, as far as the caller may count them; of employees
//! the sum of whole cells, and nothing else.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use entity::{
    blueprint, employee_cell, feedback,
    id::TouchpointId,
    touchpoint,
    words::{FeedbackGroup, FeedbackScale, Subject},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, ExprTrait, SelectStatement},
};

use super::filter::{EmployeeCellFilter, FeedbackFilter};
use crate::{
    access::{Caller, scope},
    error::Result,
    kpi::{
        answers::{Tally, is_scale_asked_of},
        cells,
    },
};

/// What answers come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerSummary {
    scales: BTreeMap<FeedbackScale, Tally>,
    /// Whether employees are asked there and no cell of them is told: the same before anybody has answered and after.
    pub withheld: bool,
    /// How many answers of employees are in cells whose answers are all alike.
    pub alike: i64,
}

impl AnswerSummary {
    /// All answers, whatever their scale.
    #[must_use]
    pub fn tally_of_all(&self) -> Tally {
        let mut all = Tally::default();
        self.scales.values().for_each(|tally| all += *tally);
        all
    }

    /// The answers on one scale.
    #[must_use]
    pub fn tally_of_scale(&self, scale: FeedbackScale) -> Tally {
        self.scales.get(&scale).copied().unwrap_or_default()
    }

    fn add_tally(&mut self, scale: FeedbackScale, tally: Tally) {
        *self.scales.entry(scale).or_default() += tally;
    }

    fn add_employee_cells(&mut self, cells: &cells::CellGroupTotal) {
        if cells.is_all_alike() {
            self.alike += cells.tally().answers();
        } else {
            self.add_tally(cells.scale, cells.tally());
        }
    }
}

#[derive(FromQueryResult)]
struct AnswerGroupTally {
    touchpoint_id: Option<TouchpointId>,
    scale: FeedbackScale,
    answer_group: FeedbackGroup,
    answers: i64,
    score_sum: i64,
}

/// What the answers at each of these touchpoints come to, from a day on and before another.
pub async fn summarise_touchpoints(
    caller: &Caller,
    touchpoints: &[TouchpointId],
    days: (Option<NaiveDate>, Option<NaiveDate>),
) -> Result<HashMap<TouchpointId, AnswerSummary>> {
    use feedback::Column;
    let (from, to) = days;
    let answered = Condition::all()
        .add(Column::TouchpointId.is_in(touchpoints.iter().copied()))
        .add_option(from.map(|from| Column::AnsweredOn.gte(from)))
        .add_option(to.map(|to| Column::AnsweredOn.lt(to)));
    let mut at: HashMap<TouchpointId, AnswerSummary> = HashMap::new();
    for row in count_customer_answers(caller, answered, true).await? {
        if let Some(touchpoint) = row.touchpoint_id {
            at.entry(touchpoint)
                .or_default()
                .add_tally(row.scale, row.tally());
        }
    }
    let there = touchpoint::Column::Id.is_in(touchpoints.iter().copied());
    let of_employees: Vec<TouchpointId> = caller
        .select::<touchpoint::Entity>()
        .select_only()
        .column(touchpoint::Column::Id)
        .filter(there)
        .filter(touchpoint::Column::BlueprintId.in_subquery(select_blueprints_asking_employees()))
        .into_tuple()
        .all(caller.connection())
        .await?;
    if of_employees.is_empty() {
        return Ok(at);
    }
    // Cells only of touchpoints that the caller may see and where employees are asked.
    let theirs = employee_cell::Column::TouchpointId.is_in(of_employees.iter().copied());
    for cells in
        load_readable_cell_totals(caller, cells_within_days_condition(days).add(theirs), true)
            .await?
    {
        if let Some(id) = cells.touchpoint_id {
            at.entry(id).or_default().add_employee_cells(&cells);
        }
    }
    for id in of_employees {
        let summary = at.entry(id).or_default();
        summary.withheld = summary.tally_of_all().answers() == 0 && summary.alike == 0;
    }
    Ok(at)
}

/// What these answers come to, all together.
pub async fn summarise(caller: &Caller, filter: &FeedbackFilter) -> Result<AnswerSummary> {
    let mut summary = AnswerSummary::default();
    for row in count_customer_answers(caller, filter.condition()?, false).await? {
        summary.add_tally(row.scale, row.tally());
    }
    let which = filter.employee_cell_filter()?;
    // Decided by where employees are asked, never by whether anybody answered: the flag would tell of a first answer
    // otherwise.
    summary.withheld = which.employees_are_asked(caller).await?;
    // A part of a cell is never told: of a department, or of a group.
    if filter.department_id.is_some() || filter.groups.is_some() {
        return Ok(summary);
    }
    let days = (filter.from.map(|day| day.0), filter.to.map(|day| day.0));
    let there = cells_within_days_condition(days).add(which.condition());
    for cells in load_readable_cell_totals(caller, there, false).await? {
        summary.add_employee_cells(&cells);
        summary.withheld = false;
    }
    Ok(summary)
}

/// The cells whose whole block lies from a day on and before another.
fn cells_within_days_condition((from, to): (Option<NaiveDate>, Option<NaiveDate>)) -> Condition {
    use employee_cell::Column;
    Condition::all()
        .add_option(from.map(|from| Column::FromDay.gte(from)))
        // `to_day` is the first day after the block, and `to` the first day that is too late: equal ends fit.
        .add_option(to.map(|to| Column::ToDay.lte(to)))
}

/// What those of the cells come to that are at places that the caller may read.
async fn load_readable_cell_totals(
    caller: &Caller,
    which: Condition,
    by_touchpoint: bool,
) -> Result<Vec<cells::CellGroupTotal>> {
    // The scope is a choice of conditions: what was added to it would be one more that suffices.
    let readable = scope::employee_cells_condition(caller.principal());
    let which = Condition::all().add(readable).add(which);
    cells::load_cell_totals(caller.connection(), which, by_touchpoint).await
}

/// The ids of the journeys in which employees are asked.
fn select_blueprints_asking_employees() -> SelectStatement {
    blueprint::Entity::find()
        .select_only()
        .column(blueprint::Column::Id)
        .filter(blueprint::Column::Subject.eq(Subject::Employee))
        .into_query()
}

impl EmployeeCellFilter {
    /// The cells there.
    fn condition(&self) -> Condition {
        use employee_cell::Column;
        let scales = self.scales.as_ref();
        Condition::all()
            .add_option(self.touchpoint.map(|id| Column::TouchpointId.eq(id)))
            .add_option(self.blueprint.map(|id| Column::BlueprintId.eq(id)))
            .add_option(scales.map(|scales| Column::Scale.is_in(scales.iter().copied())))
            .add_option(self.relationship.map(|whole| match whole {
                true => Column::TouchpointId.is_null(),
                false => Column::TouchpointId.is_not_null(),
            }))
    }

    /// Whether employees are asked there, as far as the caller may know: in a journey of theirs, or on ENPS by name.
    async fn employees_are_asked(&self, caller: &Caller) -> Result<bool> {
        let of_employees = |scale: &FeedbackScale| is_scale_asked_of(*scale, Subject::Employee);
        let scales = self.scales.as_deref();
        if scales.is_some_and(|scales| !scales.iter().any(of_employees)) {
            return Ok(false);
        }
        let anywhere = self.touchpoint.is_none() && self.blueprint.is_none();
        let by_name = scales.is_some_and(|scales| scales.contains(&FeedbackScale::Enps));
        if anywhere && by_name && self.relationship != Some(false) {
            return Ok(true);
        }
        let around = |id: TouchpointId| {
            let blueprint = touchpoint::Entity::find_by_id(id)
                .select_only()
                .column(touchpoint::Column::BlueprintId);
            blueprint::Column::Id.in_subquery(blueprint.into_query())
        };
        let blueprint = caller
            .select::<blueprint::Entity>()
            .filter(blueprint::Column::Subject.eq(Subject::Employee))
            .filter(
                Condition::all()
                    .add_option(self.blueprint.map(|id| blueprint::Column::Id.eq(id)))
                    .add_option(self.touchpoint.map(around)),
            );
        Ok(blueprint.one(caller.connection()).await?.is_some())
    }
}

impl AnswerGroupTally {
    fn tally(&self) -> Tally {
        Tally::of_group(self.answer_group, self.answers, self.score_sum)
    }
}

/// The answers of customers, counted.
async fn count_customer_answers(
    caller: &Caller,
    which: Condition,
    by_place: bool,
) -> Result<Vec<AnswerGroupTally>> {
    use feedback::Column;
    let whole = || Expr::col(Column::Score).sum().cast_as(Alias::new("bigint"));
    let mut select = feedback::Entity::find()
        .select_only()
        .columns([Column::Scale, Column::AnswerGroup])
        .column_as(Column::Id.count(), "answers")
        .column_as(whole(), "score_sum")
        .filter(scope::feedback_condition(caller.principal()))
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
    Ok(select.into_model().all(caller.connection()).await?)
}
