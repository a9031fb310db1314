//! Filters over answers and follow-ups, as clients give them, and the conditions that they stand for.

use async_graphql::{ID, InputObject};
use entity::{
    feedback, follow_up as follow_ups,
    id::{AccountId, BlueprintId, DepartmentId, TouchpointId},
    words::{FeedbackGroup, FeedbackScale, FollowUpState},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select};

use crate::{
    access::Caller,
    error::Result,
    input::{parse_optional_id, refuse_reversed_range},
    scalar::Date,
};

/// Conditions on the answers to list; all that are given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct FeedbackFilter {
    /// Only at this touchpoint.
    pub touchpoint_id: Option<ID>,
    /// Only answers about this blueprint, at its touchpoints or as a whole.
    pub blueprint_id: Option<ID>,
    /// Only those that this department works.
    pub department_id: Option<ID>,
    /// Only on one of these scales.
    pub scales: Option<Vec<FeedbackScale>>,
    /// Only in one of these groups.
    pub groups: Option<Vec<FeedbackGroup>>,
    /// True: only answers on the relationship as a whole; false: only those at touchpoints.
    pub relationship: Option<bool>,
    /// The first day (included) of the answers; of employees, only whole blocks of months of receipt that begin on it
    /// or later.
    pub from: Option<Date>,
    /// The day after the last one (excluded); of employees, only whole blocks that end before it.
    pub to: Option<Date>,
}

impl FeedbackFilter {
    /// The places and scales that it names.
    pub(super) fn employee_cell_filter(&self) -> Result<EmployeeCellFilter> {
        Ok(EmployeeCellFilter {
            touchpoint: parse_optional_id("filter.touchpointId", self.touchpoint_id.as_ref())?,
            blueprint: parse_optional_id("filter.blueprintId", self.blueprint_id.as_ref())?,
            scales: self.scales.clone(),
            relationship: self.relationship,
        })
    }

    /// The filter as a condition.
    pub fn condition(&self) -> Result<Condition> {
        use feedback::Column;
        let touchpoint: Option<TouchpointId> =
            parse_optional_id("filter.touchpointId", self.touchpoint_id.as_ref())?;
        let blueprint: Option<BlueprintId> =
            parse_optional_id("filter.blueprintId", self.blueprint_id.as_ref())?;
        let department: Option<DepartmentId> =
            parse_optional_id("filter.departmentId", self.department_id.as_ref())?;
        refuse_reversed_range(self.from, self.to)?;
        let scales = self.scales.as_ref();
        let groups = self.groups.as_ref();
        Ok(Condition::all()
            .add_option(touchpoint.map(|id| Column::TouchpointId.eq(id)))
            .add_option(blueprint.map(|id| Column::BlueprintId.eq(id)))
            .add_option(department.map(|id| Column::DepartmentId.eq(id)))
            .add_option(scales.map(|scales| Column::Scale.is_in(scales.iter().copied())))
            .add_option(groups.map(|groups| Column::AnswerGroup.is_in(groups.iter().copied())))
            .add_option(self.relationship.map(|whole| match whole {
                true => Column::TouchpointId.is_null(),
                false => Column::TouchpointId.is_not_null(),
            }))
            .add_option(self.from.map(|from| Column::AnsweredOn.gte(from.0)))
            .add_option(self.to.map(|to| Column::AnsweredOn.lt(to.0))))
    }
}

/// Conditions on the follow-ups to list; all that are given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct FollowUpFilter {
    /// Only those that this department works.
    pub department_id: Option<ID>,
    /// True: only those that no department works; false: only the others.
    pub unroutable: Option<bool>,
    /// Only those that this account works.
    pub assignee_id: Option<ID>,
    /// Only in one of these states.
    pub states: Option<Vec<FollowUpState>>,
    /// Only those of answers in one of these groups.
    pub groups: Option<Vec<FeedbackGroup>>,
    /// Only those due before this day (excluded).
    pub due_before: Option<Date>,
}

/// The follow-ups that the caller may see, by a filter.
pub fn select_follow_ups(
    caller: &Caller,
    filter: &FollowUpFilter,
) -> Result<Select<follow_ups::Entity>> {
    use follow_ups::Column;
    let department: Option<DepartmentId> =
        parse_optional_id("filter.departmentId", filter.department_id.as_ref())?;
    let assignee: Option<AccountId> =
        parse_optional_id("filter.assigneeId", filter.assignee_id.as_ref())?;
    let groups = filter.groups.as_ref();
    let of = Condition::all()
        .add_option(department.map(|id| feedback::Column::DepartmentId.eq(id)))
        .add_option(filter.unroutable.map(|nobody| match nobody {
            true => feedback::Column::DepartmentId.is_null(),
            false => feedback::Column::DepartmentId.is_not_null(),
        }))
        .add_option(groups.map(|all| feedback::Column::AnswerGroup.is_in(all.iter().copied())));
    let states = filter.states.as_ref();
    let mut select = caller.select::<follow_ups::Entity>().filter(
        Condition::all()
            .add_option(assignee.map(|id| Column::AssigneeAccountId.eq(id)))
            .add_option(states.map(|states| Column::State.is_in(states.iter().copied())))
            .add_option(filter.due_before.map(|day| Column::DueOn.lt(day.0))),
    );
    // Without a condition the subquery would let every answer through, and only cost.
    if !of.is_empty() {
        select = select.filter(follow_up_tasks_of_answers_condition(of));
    }
    Ok(select)
}

/// Follow-ups that these departments have still to do.
pub fn open_follow_ups_condition<'d>(of: impl IntoIterator<Item = &'d DepartmentId>) -> Condition {
    let of = feedback::Column::DepartmentId.is_in(of.into_iter().copied());
    follow_up_tasks_of_answers_condition(Condition::all().add(of))
        .add(follow_ups::Column::ClosedAt.is_null())
}

/// Follow-ups of these answers.
pub(super) fn follow_up_tasks_of_answers_condition(which: Condition) -> Condition {
    let answers = feedback::Entity::find()
        .select_only()
        .column(feedback::Column::Id)
        .filter(which)
        .into_query();
    Condition::all().add(follow_ups::Column::FeedbackId.in_subquery(answers))
}

/// The places and scales of a [`FeedbackFilter`]: all of it that cells of employees can be told apart by.
pub(super) struct EmployeeCellFilter {
    pub touchpoint: Option<TouchpointId>,
    pub blueprint: Option<BlueprintId>,
    pub scales: Option<Vec<FeedbackScale>>,
    pub relationship: Option<bool>,
}
