//! Who answers for what at a touchpoint: proposed, accepted, declined, ended. The history is kept.
//!
//! Nobody takes responsibility alone, and nobody gets it unasked: a proposal needs two consents, the addressed
//! department's and another party's, each given from a seat; departments one above the other are one party. `parties`
//! decides who may answer a proposal, `lifecycle` what a responsibility becomes by an act, `waiting` lists open
//! proposals by the same rules, and `answer` holds the use-cases that join them:
//!
//! ```text
//! sales proposes finance as ACCOUNTABLE over service:   awaits service   (hand over, or decline)
//! service says yes:                                     awaits finance   (accept, or decline)
//! finance says yes:                                     ACCEPTED, and service has ENDED in the same act
//! ```

pub mod answer;
pub mod graphql;
pub mod in_force;
pub mod lifecycle;
pub mod parties;
pub mod pressure;
pub mod resume;
pub mod waiting;

use std::collections::BTreeSet;

use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::{
    account, blueprint, department,
    id::{AccountId, DepartmentId, ResponsibilityId, TouchpointId},
    json::Texts,
    membership, responsibility, touchpoint,
    words::{DepartmentRole, ResponsibilityStatus, Role},
};
use sea_orm::{
    ActiveValue, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::LockType,
};

use self::{
    answer::{caller_as_acting_person, find_accountable_responsibility},
    lifecycle::Offer,
    parties::Parents,
};
use crate::{
    access::{
        Caller, Guarded, Permit, expect_version, scope::open_responsibility_condition,
        with_all_columns_set,
    },
    department::{is_within, load_parent_by_department},
    error::{Error, Reason, Result, UserErrorCode, refusals::Refusals},
    input::{Faults, MOST_AT_ONCE, list_if_given, set_if_given, set_or_clear},
    policy::{Action, Relation},
};

/// The proposal of a role for a department at a touchpoint.
#[derive(InputObject)]
pub struct ResponsibilityProposeInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the touchpoint.
    pub touchpoint_id: ID,
    /// Id of the department to hold the role.
    pub department_id: ID,
    /// The role.
    pub role: Role,
    /// The department's tasks.
    #[graphql(default)]
    pub tasks: Vec<String>,
    /// Id of the account of the person to do it.
    pub person_id: Option<ID>,
    /// A note to those who answer.
    pub note: Option<String>,
    /// Id of the department in whose name you propose; required if you lead several.
    pub on_behalf_of: Option<ID>,
}

/// Changes to a responsibility's tasks and person. Absent fields stay as they are; null clears, or is REQUIRED where
/// there is always a value.
#[derive(InputObject)]
pub struct ResponsibilityUpdateInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// The department's tasks here; replaces the list.
    pub tasks: MaybeUndefined<Vec<String>>,
    /// Id of the account of the person who does it; a member of the department.
    pub person_id: MaybeUndefined<ID>,
}

/// Proposals of roles in one act.
#[derive(InputObject)]
pub struct ResponsibilitiesProposeInput {
    /// The proposals, at most 200.
    pub proposals: Vec<ResponsibilityProposeInput>,
}

/// A proposal as it was read from an input.
struct ProposalRequest {
    /// The client's id, where it made one.
    given_id: Option<ID>,
    id: ResponsibilityId,
    touchpoint: TouchpointId,
    department: DepartmentId,
    role: Role,
    tasks: Vec<String>,
    person: Option<AccountId>,
    note: Option<String>,
    on_behalf_of: Option<DepartmentId>,
}

impl ProposalRequest {
    fn from_input(faults: &mut Faults, input: ResponsibilityProposeInput) -> Self {
        Self {
            id: faults.parse_or_make_id(input.id.as_ref()),
            given_id: input.id,
            touchpoint: faults.parse_id("touchpointId", &input.touchpoint_id),
            department: faults.parse_id("departmentId", &input.department_id),
            role: input.role,
            tasks: faults.check_texts("tasks", &input.tasks),
            person: faults.parse_optional_id("personId", input.person_id.as_ref()),
            note: faults.check_optional_text("note", input.note.as_deref()),
            on_behalf_of: faults.parse_optional_id("onBehalfOf", input.on_behalf_of.as_ref()),
        }
    }
}

/// Offers a role to a department.
pub async fn propose(
    caller: &Caller,
    input: ResponsibilityProposeInput,
) -> Result<responsibility::Model> {
    let mut faults = Faults::default();
    let request = ProposalRequest::from_input(&mut faults, input);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = add_proposal(&mut permit, request).await?;
    permit.commit().await?;
    Ok(row)
}

/// Offers many roles, all or none.
pub async fn propose_many(
    caller: &Caller,
    input: ResponsibilitiesProposeInput,
) -> Result<Vec<responsibility::Model>> {
    let mut faults = Faults::default();
    faults.check_count("proposals", input.proposals.len(), MOST_AT_ONCE);
    let mut requests: Vec<(String, ProposalRequest)> = Vec::new();
    for (at, said) in input.proposals.into_iter().take(MOST_AT_ONCE).enumerate() {
        let (path, mut own) = (format!("proposals.{at}"), Faults::default());
        let request = ProposalRequest::from_input(&mut own, said);
        if own.is_empty() && requests.iter().any(|(_, other)| other.id == request.id) {
            let message = "This id is in the list already.";
            own.add(
                "id",
                UserErrorCode::Duplicate,
                Some(Reason::IdTaken),
                message,
            );
        }
        faults.add_under_path(&path, own.into_errors());
        requests.push((path, request));
    }
    faults.check()?;
    let touchpoints: Vec<TouchpointId> = requests.iter().map(|(_, it)| it.touchpoint).collect();
    let mut permit = caller.open_permit_without_check().await?;
    permit
        .lock_blueprints_of::<touchpoint::Entity>(&touchpoints)
        .await?;
    lock_named_departments(&permit, &requests).await?;
    let (mut refusals, mut rows) = (Refusals::default(), Vec::new());
    for (path, request) in requests {
        let proposed = add_proposal(&mut permit, request).await;
        rows.extend(permit.collect(&mut refusals, &path, proposed).await?);
        permit.end_item(BTreeSet::new());
    }
    refusals.check()?;
    permit.commit().await?;
    Ok(rows)
}

/// Takes the share locks of all departments that proposals name, in the order of their ids, as those who merge them do.
async fn lock_named_departments(
    permit: &Permit<'_>,
    requests: &[(String, ProposalRequest)],
) -> Result<()> {
    let named = requests
        .iter()
        .flat_map(|(_, request)| std::iter::once(request.department).chain(request.on_behalf_of));
    let named: BTreeSet<DepartmentId> = named.collect();
    department::Entity::find()
        .select_only()
        .column(department::Column::Id)
        .filter(department::Column::Id.is_in(named))
        .order_by_asc(department::Column::Id)
        .lock(LockType::Share)
        .into_tuple::<DepartmentId>()
        .all(permit.tx())
        .await?;
    Ok(())
}

/// Offers a role to a department, within an act.
async fn add_proposal(
    permit: &mut Permit<'_>,
    request: ProposalRequest,
) -> Result<responsibility::Model> {
    let caller = permit.caller;
    let touchpoint = permit
        .lock_and_read_row::<touchpoint::Entity>("touchpointId", request.touchpoint)
        .await?;
    let named = find_proposing_department(caller, request.on_behalf_of)?;
    let ties = touchpoint::Entity::load_ties(permit.tx(), &touchpoint)
        .await?
        .with_departments(Relation::Proposes, named);
    permit.require_permission_on_row::<touchpoint::Entity>(
        Action::ProposeResponsibility,
        &ties,
        &touchpoint,
    )?;
    crate::access::require_unarchived::<touchpoint::Entity>("touchpointId", &touchpoint)?;
    permit.require_unarchived_blueprint(touchpoint.blueprint_id)?;
    if let Some(name) = named {
        permit
            .read_unarchived_row::<department::Entity>("onBehalfOf", name)
            .await?;
    }
    let department = permit
        .read_unarchived_row::<department::Entity>("departmentId", request.department)
        .await?;
    permit.show_audit_to_leads_of(department.id);
    let parents = load_parent_by_department(permit.tx()).await?;
    if let Some(person) = request.person {
        refuse_person_outside_department(permit, "personId", (department.id, person), &parents)
            .await?;
    }
    let same = |row: &responsibility::Model| {
        row.touchpoint_id == touchpoint.id
            && row.department_id == department.id
            && row.role == request.role
    };
    if let Some(row) = permit
        // After the decision: a retry tells nobody of a row that they could not have made.
        .find_already_created::<responsibility::Entity>(request.given_id.as_ref(), request.id, same)
        .await?
    {
        return Ok(row);
    }
    let open = responsibility::Entity::find()
        .filter(open_responsibility_condition())
        .filter(responsibility::Column::TouchpointId.eq(touchpoint.id))
        .filter(responsibility::Column::DepartmentId.eq(department.id))
        .filter(responsibility::Column::Role.eq(request.role));
    // Asked before, although a unique index would refuse it: that would end a transaction of PostgreSQL, and with it
    // the reading of the proposals after this one.
    if open.count(permit.tx()).await? > 0 {
        return Err(Error::already_held());
    }
    let holder = find_accountable_responsibility(permit, touchpoint.id).await?;
    let offer = Offer {
        id: request.id,
        blueprint: touchpoint.blueprint_id,
        touchpoint: touchpoint.id,
        department: department.id,
        role: request.role,
        tasks: request.tasks,
        person: request.person,
        note: request.note,
    };
    let proposer = caller_as_acting_person(caller).proposer_for(named, department.id, &parents);
    let replaces = holder.as_ref().map(|holder| holder.id);
    let row = lifecycle::propose(offer, proposer, replaces, caller.into());
    // Otherwise it would stand open for ever in a list of which nobody can take it.
    refuse_unanswerable(permit, &row, &department, &parents).await?;
    permit
        .insert::<responsibility::Entity>(with_all_columns_set::<responsibility::Entity>(row))
        .await
}

/// Refuses what no seat could ever answer: a department below asks for one above it.
async fn refuse_unanswerable(
    permit: &Permit<'_>,
    row: &responsibility::Model,
    addressed: &department::Model,
    parents: &Parents,
) -> Result<()> {
    let owner = permit
        .get::<blueprint::Entity>("touchpointId", row.blueprint_id)
        .await?
        .owner_department_id;
    if waiting::build_proposal(row, None, owner).can_ever_be_answered(parents) {
        return Ok(());
    }
    let message = format!(
        "Nobody could answer this: the leads of {0} lead you too. Let {0} propose it, so that another party can answer.",
        addressed.name
    );
    Err(Error::fault(
        "departmentId",
        UserErrorCode::Invalid,
        Some(Reason::ProposesItself),
        message,
    ))
}

/// Refuses a person who is not one of the department's own people: its leads, from above too, and its members.
pub async fn refuse_person_outside_department(
    permit: &Permit<'_>,
    field: &str,
    (department, person): (DepartmentId, AccountId),
    parents: &Parents,
) -> Result<()> {
    permit
        .read_unarchived_row::<account::Entity>(field, person)
        .await?;
    let memberships = membership::Entity::find()
        .filter(membership::Column::AccountId.eq(person))
        .all(permit.tx())
        .await?;
    let own = memberships.iter().any(|held| match held.role {
        // A lead leads all departments below as well; other memberships are of their department alone.
        DepartmentRole::Lead => is_within(parents, department, held.department_id),
        DepartmentRole::Contributor | DepartmentRole::Viewer => held.department_id == department,
    });
    if own {
        return Ok(());
    }
    let message =
        "The person has to be a member of the department that holds the role, or one of its leads.";
    Err(Error::fault(
        field,
        UserErrorCode::Invalid,
        Some(Reason::NotOwnPeople),
        message,
    ))
}

/// The department in whose name the caller proposes; none for a CX manager who names none.
fn find_proposing_department(
    caller: &Caller,
    on_behalf_of: Option<DepartmentId>,
) -> Result<Option<DepartmentId>> {
    if on_behalf_of.is_some() || caller.is_cx_manager() {
        return Ok(on_behalf_of);
    }
    let leads = caller.directly_led_departments();
    if leads.len() > 1 {
        let message = "You lead several departments: name the one that proposes in `onBehalfOf`.";
        return Err(Error::fault(
            "onBehalfOf",
            UserErrorCode::Required,
            None,
            message,
        ));
    }
    Ok(leads.into_iter().next())
}

/// Says what the department does, and who.
pub async fn update(
    caller: &Caller,
    input: ResponsibilityUpdateInput,
) -> Result<responsibility::Model> {
    let mut faults = Faults::default();
    let id: ResponsibilityId = faults.parse_id("id", &input.id);
    let tasks = set_if_given(list_if_given(&input.tasks), |tasks| {
        Texts(faults.check_texts("tasks", tasks))
    });
    let person_id: ActiveValue<Option<AccountId>> = set_or_clear(&input.person_id, |person| {
        faults.parse_optional_id("personId", person)
    });
    faults.check()?;
    let (row, mut permit) = caller
        .fetch_locked::<responsibility::Entity>(Action::DescribeResponsibility, "id", id)
        .await?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    if !matches!(
        row.status,
        ResponsibilityStatus::Proposed | ResponsibilityStatus::Accepted
    ) {
        let message = format!("It is history: it is {}.", row.status.as_str());
        return Err(Error::conflict("id", Reason::NotInForce, message).with_current(row.id.0));
    }
    expect_version::<responsibility::Entity>(&row, input.expected_version)?;
    if let ActiveValue::Set(Some(person)) = person_id {
        let parents = load_parent_by_department(permit.tx()).await?;
        refuse_person_outside_department(
            &permit,
            "personId",
            (row.department_id, person),
            &parents,
        )
        .await?;
    }
    let change = responsibility::ActiveModel {
        tasks,
        person_id,
        ..Default::default()
    };
    let row = permit
        .update::<responsibility::Entity>(&row, change)
        .await?;
    permit.commit().await?;
    Ok(row)
}
