//! Follow-ups: worked by the department that looks after the answer, assigned by its lead. Those that nobody looks
//! after are worked by CX managers, until they hand them to a department.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    account, department, feedback, follow_up,
    id::{AccountId, DepartmentId, FeedbackId, FollowUpId},
    membership,
    words::{DepartmentRole, FollowUpCause, FollowUpState, OrganisationRole},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, LockType, SelectStatement},
};

use super::{open_follow_ups_condition, routing, rules::is_closed};
use crate::{
    access::{Caller, FindingDependency, Guarded, Permit, expect_version},
    audit::AuditedChange,
    department::{is_within, load_parent_by_department},
    error::{Error, Reason, Result, UserErrorCode, refusals::Refusals},
    input::{AtVersionInput, Faults, set_if_given, set_or_clear},
    policy::{Action, Relation, RowTies},
    scalar::Date,
};

/// What stays out of the audit log: it may be in the customer's words.
const PRIVATE: &[&str] = &["note"];

/// The handling of an answer. Absent fields stay as they are; null clears, or is REQUIRED where there is always a
/// value.
#[derive(InputObject)]
pub struct FollowUpUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// Its state.
    pub state: MaybeUndefined<FollowUpState>,
    /// The cause of the answer.
    pub cause: MaybeUndefined<FollowUpCause>,
    /// The result.
    pub note: MaybeUndefined<String>,
}

/// The account that works a follow-up, and its due day. Absent fields stay as they are; null clears, or is REQUIRED
/// where there is always a value.
#[derive(InputObject)]
pub struct FollowUpAssignInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// Id of the account that works it: a LEAD or CONTRIBUTOR of the department that works the follow-up.
    pub assignee_id: MaybeUndefined<ID>,
    /// The day on which it is due.
    pub due_on: MaybeUndefined<Date>,
}

/// Follow-ups to hand over, and the department that works them from now on.
#[derive(InputObject)]
pub struct FollowUpsHandOverInput {
    /// The open follow-ups, 1 to 200, and the versions that you read.
    pub follow_ups: Vec<AtVersionInput>,
    /// Id of the department.
    pub department_id: ID,
}

/// Says what was done about an answer.
pub async fn update(caller: &Caller, input: FollowUpUpdateInput) -> Result<follow_up::Model> {
    let mut faults = Faults::default();
    let id: FollowUpId = faults.parse_id("id", &input.id);
    let note = set_or_clear(&input.note, |text| {
        faults.check_optional_text("note", text.map(String::as_str))
    });
    let state = faults.given("state", &input.state).copied();
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    // Before the case is locked, as whoever archives a department locks it first.
    let heir = match input.cause.value() {
        Some(cause) => find_heir_by_cause(&permit, id, *cause).await?,
        None => None,
    };
    let (row, answer) = fetch_follow_up_at_version(
        &mut permit,
        Action::WorkFollowUp,
        id,
        input.expected_version,
    )
    .await?;
    let state = state.unwrap_or(row.state);
    if answer.erased_at.is_some() && !is_closed(state) {
        let message = "The respondent of this answer was erased: nobody can be contacted.";
        return Err(Error::conflict("state", Reason::NotOpen, message).with_current(row.id.0));
    }
    let mut changes = follow_up::ActiveModel {
        state: Set(state),
        cause: set_or_clear(&input.cause, |cause| cause.copied()),
        note,
        ..Default::default()
    };
    // From one closed state to another the moment of closing stays.
    if is_closed(state) != is_closed(row.state) {
        changes.closed_at = Set(is_closed(state).then_some(caller.now));
        // One that nobody looks after is a finding while it is open.
        if answer.department_id.is_none() {
            answer
                .blueprint_id
                .into_iter()
                .for_each(|id| permit.invalidate_findings(FindingDependency::Blueprint(id)));
        }
    }
    let before = row.cause;
    let row = permit.update::<follow_up::Entity>(&row, changes).await?;
    let unrouted = answer.department_id.is_none() && !is_closed(row.state);
    let row = match heir.filter(|_| unrouted && row.cause != before) {
        Some(heir) => give_to_department(&mut permit, &row, &answer, heir).await?,
        None => row,
    };
    permit.commit().await?;
    Ok(row)
}

/// Who comes to work a case once its cause is this, as far as can be said before it is locked.
async fn find_heir_by_cause(
    permit: &Permit<'_>,
    id: FollowUpId,
    cause: FollowUpCause,
) -> Result<Option<DepartmentId>> {
    let answer = feedback::Entity::find()
        .filter(feedback::Column::Id.in_subquery(select_answer_ids([id])))
        .one(permit.tx())
        .await?;
    match answer {
        Some(answer) => routing::route_by_cause(permit, &answer, cause).await,
        None => Ok(None),
    }
}

/// Hands follow-ups to another department: all of them, or none.
pub async fn hand_over_many(
    caller: &Caller,
    input: FollowUpsHandOverInput,
) -> Result<Vec<follow_up::Model>> {
    let mut faults = Faults::default();
    let department: DepartmentId = faults.parse_id("departmentId", &input.department_id);
    let said = input.follow_ups.iter().map(|said| &said.id);
    let ids: Vec<FollowUpId> = faults.parse_ids_at_once(("followUps", "follow-up"), said);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    // Departments before follow-ups, as whoever archives a department locks them.
    permit
        .read_unarchived_row::<department::Entity>("departmentId", department)
        .await?;
    let answers = lock_answers(&permit, &ids).await?;
    let there = caller
        .select::<follow_up::Entity>()
        .filter(follow_up::Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(follow_up::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(permit.tx())
        .await?;
    let there: HashMap<FollowUpId, follow_up::Model> =
        there.into_iter().map(|row| (row.id, row)).collect();
    let (mut refusals, mut cases) = (Refusals::default(), Vec::new());
    for (at, (id, said)) in ids.iter().zip(&input.follow_ups).enumerate() {
        let path = format!("followUps.{at}");
        let row = there.get(id);
        let answer = row.and_then(|row| answers.get(&row.feedback_id));
        let case = row
            .zip(answer)
            .ok_or_else(|| Error::not_found("id", follow_up::Entity::NOUN))
            .and_then(|case| require_open_case(&mut permit, case, said.expected_version));
        let audience = permit.take_audience();
        cases.extend(refusals.collect(&path, case)?.map(|case| (case, audience)));
    }
    refusals.check()?;
    let mut rows = Vec::with_capacity(cases.len());
    for ((row, answer), audience) in cases {
        rows.push(give_to_department(&mut permit, row, answer, department).await?);
        permit.end_item(audience);
    }
    permit.commit().await?;
    Ok(rows)
}

/// Refuses a case that the caller may not hand over, that has changed, or that is closed.
fn require_open_case<'c>(
    permit: &mut Permit<'_>,
    (row, answer): (&'c follow_up::Model, &'c feedback::Model),
    expected: i32,
) -> Result<(&'c follow_up::Model, &'c feedback::Model)> {
    let ties = RowTies::none().with_departments(Relation::LooksAfter, answer.department_id);
    permit.require_permission_on_row::<follow_up::Entity>(Action::HandOverFollowUp, &ties, row)?;
    expect_version::<follow_up::Entity>(row, expected)?;
    if is_closed(row.state) {
        let message = "This follow-up is closed: there is nothing left to hand over.";
        return Err(Error::conflict("id", Reason::NotOpen, message).with_current(row.id.0));
    }
    Ok((row, answer))
}

/// Takes the locks of the answers of cases, which come before those of the cases: erasing locks them in this order.
async fn lock_answers(
    permit: &Permit<'_>,
    cases: &[FollowUpId],
) -> Result<HashMap<FeedbackId, feedback::Model>> {
    let answers = feedback::Entity::find()
        .filter(feedback::Column::Id.in_subquery(select_answer_ids(cases.iter().copied())))
        .order_by_asc(feedback::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(permit.tx())
        .await?;
    Ok(answers.into_iter().map(|row| (row.id, row)).collect())
}

fn select_answer_ids(cases: impl IntoIterator<Item = FollowUpId>) -> SelectStatement {
    follow_up::Entity::find()
        .select_only()
        .column(follow_up::Column::FeedbackId)
        .filter(follow_up::Column::Id.is_in(cases))
        .into_query()
}

/// Says who works a follow-up, and until when.
pub async fn assign(caller: &Caller, input: FollowUpAssignInput) -> Result<follow_up::Model> {
    let mut faults = Faults::default();
    let id: FollowUpId = faults.parse_id("id", &input.id);
    let assignee: Option<AccountId> =
        faults.parse_optional_id("assigneeId", input.assignee_id.value());
    let due_on = faults.given("dueOn", &input.due_on);
    if let Some(due_on) = due_on {
        faults.check_day("dueOn", due_on.0);
    }
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let (row, answer) = fetch_follow_up_at_version(
        &mut permit,
        Action::AssignFollowUp,
        id,
        input.expected_version,
    )
    .await?;
    // Who is assigned already may stay so when only the day is changed, although they have left the department since.
    if let Some(assignee) = assignee.filter(|id| row.assignee_account_id != Some(*id)) {
        refuse_unfit_assignee(&permit, answer.department_id, assignee).await?;
    }
    let changes = follow_up::ActiveModel {
        assignee_account_id: set_or_clear(&input.assignee_id, |_| assignee),
        due_on: set_if_given(due_on, |day| day.0),
        ..Default::default()
    };
    let row = permit.update::<follow_up::Entity>(&row, changes).await?;
    permit.commit().await?;
    Ok(row)
}

async fn fetch_follow_up_at_version(
    permit: &mut Permit<'_>,
    action: Action,
    id: FollowUpId,
    expected: i32,
) -> Result<(follow_up::Model, feedback::Model)> {
    let mut answers = lock_answers(permit, &[id]).await?;
    let row = permit
        .fetch_locked::<follow_up::Entity>(action, "id", id)
        .await?;
    expect_version::<follow_up::Entity>(&row, expected)?;
    permit.redact_in_events(PRIVATE);
    let answer = answers.remove(&row.feedback_id);
    let answer = answer.ok_or_else(|| Error::internal("a follow-up has no answer"))?;
    Ok((row, answer))
}

/// Refuses whoever could not work a follow-up of this department: it takes a lead, also from above, or a contributor.
async fn refuse_unfit_assignee(
    permit: &Permit<'_>,
    department: Option<DepartmentId>,
    assignee: AccountId,
) -> Result<()> {
    let Some(department) = department else {
        let message =
            "No department works this follow-up: hand it to one first (`followUpsHandOver`).";
        return Err(Error::fault(
            "assigneeId",
            UserErrorCode::Invalid,
            None,
            message,
        ));
    };
    let account = permit
        .read_unarchived_row::<account::Entity>("assigneeId", assignee)
        .await?;
    let memberships = membership::Entity::find()
        .filter(membership::Column::AccountId.eq(assignee))
        .all(permit.tx())
        .await?;
    let parents = load_parent_by_department(permit.tx()).await?;
    let works = memberships.iter().any(|held| match held.role {
        DepartmentRole::Lead => is_within(&parents, department, held.department_id),
        DepartmentRole::Contributor => held.department_id == department,
        DepartmentRole::Viewer => false,
    });
    // An ADMIN never learns who gave an answer, whatever else they are.
    if works && account.role != OrganisationRole::Admin {
        return Ok(());
    }
    let message = "Only a lead or contributor of the department that works it can be its assignee.";
    Err(Error::fault(
        "assigneeId",
        UserErrorCode::Invalid,
        None,
        message,
    ))
}

/// Gives the answers whose follow-ups these departments have still to do to their successor, whose lead assigns them
/// anew. What is closed stays as it was. The departments are locked: nothing more is routed to them.
pub async fn hand_over_follow_ups(
    permit: &mut Permit<'_>,
    of: &BTreeSet<DepartmentId>,
    successor: DepartmentId,
) -> Result<()> {
    let ids: Vec<FollowUpId> = follow_up::Entity::find()
        .select_only()
        .column(follow_up::Column::Id)
        .filter(open_follow_ups_condition(of))
        .into_tuple()
        .all(permit.tx())
        .await?;
    let answers = lock_answers(permit, &ids).await?;
    let rows = follow_up::Entity::find()
        .filter(follow_up::Column::Id.is_in(ids))
        .filter(follow_up::Column::ClosedAt.is_null())
        .order_by_asc(follow_up::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(permit.tx())
        .await?;
    for row in &rows {
        // One that went to another department before its lock was taken stays there.
        let answer = answers.get(&row.feedback_id);
        let answer = answer.filter(|one| one.department_id.is_some_and(|id| of.contains(&id)));
        if let Some(answer) = answer {
            give_to_department(permit, row, answer, successor).await?;
        }
    }
    Ok(())
}

/// Gives the answer of a follow-up to a department, whose lead assigns it anew; one that has it already keeps it as it
/// is. Both are locked.
async fn give_to_department(
    permit: &mut Permit<'_>,
    row: &follow_up::Model,
    answer: &feedback::Model,
    department: DepartmentId,
) -> Result<follow_up::Model> {
    if answer.department_id == Some(department) {
        return Ok(row.clone());
    }
    let unassigned = follow_up::ActiveModel {
        assignee_account_id: Set(None),
        ..Default::default()
    };
    let row = permit
        // Also where nobody was assigned: another department works it now, so whoever read it before is to meet a new
        // version.
        .update_even_if_equal::<follow_up::Entity>(row, unassigned)
        .await?;
    let to = serde_json::json!({ "departmentId": department.to_string() });
    permit.add_audit_event(AuditedChange::for_change_outside_row::<follow_up::Entity>(
        &row, to,
    ));
    permit.show_audit_to_leads_of(department);
    // One that nobody worked was a finding.
    if let (None, Some(blueprint)) = (answer.department_id, answer.blueprint_id) {
        permit.invalidate_findings(FindingDependency::Blueprint(blueprint));
    }
    feedback::Entity::update_many()
        .col_expr(feedback::Column::DepartmentId, Expr::value(department))
        .filter(feedback::Column::Id.eq(answer.id))
        .exec(permit.tx())
        .await?;
    Ok(row)
}
