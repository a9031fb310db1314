//! Follow-ups: worked by the department that looks after the answer, assigned by its lead. Those that nobody looks
//! after are worked by CX managers, until they hand them to a department.

use std::collections::BTreeSet;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    account, department, feedback, follow_up,
    id::{AccountId, BlueprintId, DepartmentId, FollowUpId},
    membership,
    words::{DepartmentRole, FollowUpCause, FollowUpState, OrganisationRole},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr};

use super::{
    open_follow_ups_condition, references::lock_live_successors, routing::RoutingRules,
    rules::is_closed,
};
use crate::{
    access::{Caller, FindingDependency, Permit, expect_version},
    audit::AuditedChange,
    department::{is_within, load_parent_by_department},
    error::{Error, Reason, Result, UserErrorCode, refusals::Refusals},
    input::{AtVersionInput, Faults, set_if_given, set_or_clear},
    kpi::measurement::add_year_range_fault,
    policy::Action,
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
    let (row, answer, mut permit) =
        fetch_follow_up_at_version(caller, Action::WorkFollowUp, id, input.expected_version)
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
    let row = permit.update::<follow_up::Entity>(&row, changes).await?;
    let row = route_by_cause(&mut permit, row, &answer).await?;
    permit.commit().await?;
    Ok(row)
}

/// Gives an answer on the relationship as a whole that no department works to the one that a rule about its cause
/// names.
async fn route_by_cause(
    permit: &mut Permit<'_>,
    row: follow_up::Model,
    answer: &feedback::Model,
) -> Result<follow_up::Model> {
    let unrouted = answer.department_id.is_none() && answer.touchpoint_id.is_none();
    if !unrouted || row.cause.is_none() || is_closed(row.state) {
        return Ok(row);
    }
    let rules = RoutingRules::load(permit).await?;
    let department = rules.department_for(answer.segment_id, answer.channel_id, row.cause);
    let heirs = lock_live_successors(permit, department.into_iter().collect()).await?;
    let Some(department) = department.and_then(|id| heirs.get(&id).copied()) else {
        return Ok(row);
    };
    let mut given = give_to_department(permit, vec![row], department).await?;
    given
        .pop()
        .ok_or_else(|| Error::internal("a follow-up was lost"))
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
    let (mut refusals, mut rows) = (Refusals::default(), Vec::new());
    for (at, (id, said)) in ids.iter().zip(&input.follow_ups).enumerate() {
        let path = format!("followUps.{at}");
        let fetched = fetch_open_follow_up(&mut permit, *id, said.expected_version).await;
        rows.extend(refusals.collect(&path, fetched)?);
    }
    refusals.check()?;
    let rows = give_to_department(&mut permit, rows, department).await?;
    permit.commit().await?;
    Ok(rows)
}

async fn fetch_open_follow_up(
    permit: &mut Permit<'_>,
    id: FollowUpId,
    expected: i32,
) -> Result<follow_up::Model> {
    let row = permit
        .fetch_locked::<follow_up::Entity>(Action::HandOverFollowUp, "id", id)
        .await?;
    expect_version::<follow_up::Entity>(&row, expected)?;
    if is_closed(row.state) {
        let message = "This follow-up is closed: there is nothing left to hand over.";
        return Err(Error::conflict("id", Reason::NotOpen, message).with_current(row.id.0));
    }
    Ok(row)
}

/// Says who works a follow-up, and until when.
pub async fn assign(caller: &Caller, input: FollowUpAssignInput) -> Result<follow_up::Model> {
    let mut faults = Faults::default();
    let id: FollowUpId = faults.parse_id("id", &input.id);
    let assignee: Option<AccountId> =
        faults.parse_optional_id("assigneeId", input.assignee_id.value());
    let due_on = faults.given("dueOn", &input.due_on);
    if let Some(due_on) = due_on {
        add_year_range_fault(&mut faults, "dueOn", due_on.0);
    }
    faults.check()?;
    let (row, answer, mut permit) =
        fetch_follow_up_at_version(caller, Action::AssignFollowUp, id, input.expected_version)
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
    caller: &Caller,
    action: Action,
    id: FollowUpId,
    expected: i32,
) -> Result<(follow_up::Model, feedback::Model, Permit<'_>)> {
    let (row, mut permit) = caller
        .fetch_locked::<follow_up::Entity>(action, "id", id)
        .await?;
    expect_version::<follow_up::Entity>(&row, expected)?;
    permit.redact_in_events(PRIVATE);
    let answer = permit
        .get::<feedback::Entity>("id", row.feedback_id)
        .await?;
    Ok((row, answer, permit))
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
    let rows = follow_up::Entity::find()
        .filter(open_follow_ups_condition(of))
        .all(permit.tx())
        .await?;
    give_to_department(permit, rows, successor).await?;
    Ok(())
}

/// Gives the answers of follow-ups to a department, whose lead assigns them anew.
async fn give_to_department(
    permit: &mut Permit<'_>,
    rows: Vec<follow_up::Model>,
    department: DepartmentId,
) -> Result<Vec<follow_up::Model>> {
    let mut given = Vec::with_capacity(rows.len());
    for row in &rows {
        let unassigned = follow_up::ActiveModel {
            assignee_account_id: Set(None),
            ..Default::default()
        };
        let row = permit
            // Also where nobody was assigned: another department works it now, so whoever read it before is to meet a
            // new version.
            .update_even_if_equal::<follow_up::Entity>(row, unassigned)
            .await?;
        let to = serde_json::json!({ "departmentId": department.to_string() });
        permit.add_audit_event(AuditedChange::for_change_outside_row::<follow_up::Entity>(
            &row, to,
        ));
        given.push(row);
    }
    if given.is_empty() {
        return Ok(given);
    }
    permit.show_audit_to_leads_of(department);
    let answers = feedback::Column::Id.is_in(given.iter().map(|row| row.feedback_id));
    // Those that nobody worked were a finding.
    let unrouted: Vec<Option<BlueprintId>> = feedback::Entity::find()
        .select_only()
        .column(feedback::Column::BlueprintId)
        .distinct()
        .filter(answers.clone())
        .filter(feedback::Column::DepartmentId.is_null())
        .into_tuple()
        .all(permit.tx())
        .await?;
    for blueprint in unrouted.into_iter().flatten() {
        permit.invalidate_findings(FindingDependency::Blueprint(blueprint));
    }
    feedback::Entity::update_many()
        .col_expr(feedback::Column::DepartmentId, Expr::value(department))
        .filter(answers)
        .exec(permit.tx())
        .await?;
    Ok(given)
}
