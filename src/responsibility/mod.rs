//! Who answers for what at a touchpoint: proposed, accepted, declined, ended. The history is kept.

pub mod graphql;
pub mod pressure;
pub mod rules;

use async_graphql::{ID, InputObject, MaybeUndefined};
use chrono::NaiveDate;
use entity::{
    account, blueprint, department,
    id::{AccountId, DepartmentId, ResponsibilityId, TouchpointId},
    json::Texts,
    responsibility, touchpoint,
    words::{BlueprintStatus, ResponsibilityStatus, Role},
};
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set,
    sea_query::{Expr, ExprTrait},
};

use self::rules::{Acceptor, Proposal};
use crate::{
    access::{Caller, Guarded, Permit, expect_version},
    error::{Error, Forbidden, Reason, Result, UserErrorCode},
    input::{self, AtVersionInput, Faults, change, replace},
    policy::{Action, Relation},
};

/// Why a proposal was declined by the act of somebody else.
pub const TAKEN: &str = "TAKEN";
/// Why a proposal is no longer open: its proposer took it back.
pub const WITHDRAWN: &str = "WITHDRAWN";

/// A role offered to a department at a touchpoint.
#[derive(InputObject)]
pub struct ResponsibilityProposeInput {
    /// An id made by the client (a UUID of version 7), so that a retry makes nothing twice.
    pub id: Option<ID>,
    /// Where.
    pub touchpoint_id: ID,
    /// Which department would take the role.
    pub department_id: ID,
    /// Which role.
    pub role: Role,
    /// What it would do.
    #[graphql(default)]
    pub tasks: Vec<String>,
    /// The person who would do it.
    pub person_id: Option<ID>,
    /// A word to those who answer.
    pub note: Option<String>,
    /// The department in whose name you propose, where you lead several.
    pub on_behalf_of: Option<ID>,
}

/// A yes to a proposal.
#[derive(InputObject)]
pub struct ResponsibilityAcceptInput {
    /// Which proposal.
    pub id: ID,
    /// The version that you read.
    pub expected_version: i32,
}

/// A no to a proposal, or the end of a responsibility, and why.
#[derive(InputObject)]
pub struct ResponsibilityDeclineInput {
    /// Which one.
    pub id: ID,
    /// The version that you read.
    pub expected_version: i32,
    /// Why.
    pub reason: Option<String>,
}

/// What changes about what a department does. Absent keeps, null clears.
#[derive(InputObject)]
pub struct ResponsibilityUpdateInput {
    /// Which one.
    pub id: ID,
    /// The version that the change builds on.
    pub expected_version: i32,
    /// What the department does here; replaces the list.
    pub tasks: Option<Vec<String>>,
    /// The person who does it.
    pub person_id: MaybeUndefined<ID>,
}

/// What accepting did.
#[derive(Debug)]
pub struct Accepted {
    pub responsibility: responsibility::Model,
    /// The responsibility that it replaced.
    pub ended: Option<responsibility::Model>,
}

/// Offers a role to a department.
pub async fn propose(
    caller: &Caller,
    input: ResponsibilityProposeInput,
) -> Result<responsibility::Model> {
    let mut faults = Faults::default();
    let id: ResponsibilityId = faults.new_id(input.id.as_ref());
    let touchpoint_id: TouchpointId = faults.id("touchpointId", &input.touchpoint_id);
    let department_id: DepartmentId = faults.id("departmentId", &input.department_id);
    let person_id: Option<AccountId> = faults.optional_id("personId", input.person_id.as_ref());
    let on_behalf_of: Option<DepartmentId> =
        faults.optional_id("onBehalfOf", input.on_behalf_of.as_ref());
    let tasks = faults.texts("tasks", &input.tasks);
    let note = faults.optional_text("note", input.note.as_deref());
    faults.check()?;
    let mut permit = caller.begin().await?;
    let touchpoint = permit
        .look::<touchpoint::Entity>("touchpointId", touchpoint_id)
        .await?;
    let proposed_by = proposer(caller, on_behalf_of)?;
    let ties = touchpoint::Entity::ties(permit.tx(), &touchpoint)
        .await?
        .and(Relation::Proposes, proposed_by);
    permit.decide::<touchpoint::Entity>(Action::ProposeResponsibility, &ties, &touchpoint)?;
    crate::access::live::<touchpoint::Entity>("touchpointId", &touchpoint)?;
    permit.live_blueprint(touchpoint.blueprint_id)?;
    let department = permit
        .read_live::<department::Entity>("departmentId", department_id)
        .await?;
    permit.concerns(department.id);
    if let Some(person) = person_id {
        permit
            .read_live::<account::Entity>("personId", person)
            .await?;
    }
    let same = |row: &responsibility::Model| {
        row.touchpoint_id == touchpoint.id
            && row.department_id == department.id
            && row.role == input.role
    };
    if let Some(row) = permit
        .made_before::<responsibility::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let holder = if input.role == Role::Accountable {
        accountable_at(&permit, touchpoint.id).await?
    } else {
        None
    };
    let row = permit
        .insert::<responsibility::Entity>(responsibility::ActiveModel {
            id: Set(id),
            blueprint_id: Set(touchpoint.blueprint_id),
            touchpoint_id: Set(touchpoint.id),
            department_id: Set(department.id),
            role: Set(input.role),
            status: Set(ResponsibilityStatus::Proposed),
            tasks: Set(Texts(tasks)),
            person_id: Set(person_id),
            note: Set(note),
            proposed_by_department_id: Set(proposed_by),
            proposed_by_account_id: Set(caller.account()),
            proposed_at: Set(caller.now),
            replaces_id: Set(holder.map(|holder| holder.id)),
            reason: Set(None),
            decided_at: Set(None),
            decided_by_account_id: Set(None),
            valid_from: Set(None),
            valid_to: Set(None),
            created_at: Set(caller.now),
            version: Set(1),
        })
        .await?;
    permit.commit().await?;
    Ok(row)
}

/// The department in whose name the caller proposes; none for a CX manager who names none.
fn proposer(caller: &Caller, on_behalf_of: Option<DepartmentId>) -> Result<Option<DepartmentId>> {
    if on_behalf_of.is_some() || caller.is_cx_manager() {
        return Ok(on_behalf_of);
    }
    let leads = caller.leads();
    if leads.len() > 1 {
        let message = "You lead several departments: say in whose name you propose.";
        return Err(Error::fault(
            "onBehalfOf",
            UserErrorCode::Required,
            None,
            message,
        ));
    }
    Ok(leads.into_iter().next())
}

/// Who is accountable at a touchpoint now.
pub async fn accountable_at(
    permit: &Permit<'_>,
    touchpoint: TouchpointId,
) -> Result<Option<responsibility::Model>> {
    Ok(responsibility::Entity::find()
        .filter(responsibility::Column::TouchpointId.eq(touchpoint))
        .filter(responsibility::Column::Role.eq(Role::Accountable))
        .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Accepted))
        .one(permit.tx())
        .await?)
}

/// The department that a proposal was to replace.
async fn replaced(
    permit: &Permit<'_>,
    row: &responsibility::Model,
) -> Result<Option<DepartmentId>> {
    let Some(replaces) = row.replaces_id else {
        return Ok(None);
    };
    let replaced = responsibility::Entity::find_by_id(replaces)
        .one(permit.tx())
        .await?;
    Ok(replaced.map(|replaced| replaced.department_id))
}

/// A proposal under its lock, with what the rules need to know.
struct Handshake<'c> {
    permit: Permit<'c>,
    row: responsibility::Model,
    holder: Option<responsibility::Model>,
    proposal: Proposal,
}

impl<'c> Handshake<'c> {
    async fn open(caller: &'c Caller, id: ResponsibilityId) -> Result<Self> {
        let mut permit = caller.begin().await?;
        let row = permit.look::<responsibility::Entity>("id", id).await?;
        let holder = accountable_at(&permit, row.touchpoint_id).await?;
        let owner = permit
            .read::<blueprint::Entity>("id", row.blueprint_id)
            .await?
            .owner_department_id;
        // Who may answer is judged by whom it would have replaced, once it is answered: whoever could have said
        // yes is told that it is taken, not that they may not.
        let accountable = match row.status {
            ResponsibilityStatus::Proposed => holder.as_ref().map(|holder| holder.department_id),
            _ => replaced(&permit, &row).await?,
        };
        let proposal = Proposal {
            addressed: row.department_id,
            role: row.role,
            proposed_by: row.proposed_by_department_id,
            accountable,
            owner,
        };
        Ok(Self {
            permit,
            row,
            holder,
            proposal,
        })
    }

    async fn decide(&mut self, action: Action) -> Result<()> {
        let ties = responsibility::Entity::ties(self.permit.tx(), &self.row).await?;
        let ties = ties
            .and(Relation::MayAccept, self.proposal.may_accept())
            .and(Relation::MayDecline, self.proposal.may_decline());
        self.permit
            .decide::<responsibility::Entity>(action, &ties, &self.row)
    }

    /// Refuses where the proposal is no longer open, or is not what the caller read.
    async fn expect_open(&self, expected_version: i32) -> Result<()> {
        let open = self.row.status == ResponsibilityStatus::Proposed;
        if !open && self.row.role == Role::Accountable && self.row.reason.as_deref() == Some(TAKEN)
        {
            return Err(self.taken().await);
        }
        if !open {
            let message = format!("It has been answered: it is {}.", self.row.status.as_str());
            return Err(Error::conflict("id", Reason::NotOpen, message).with_current(self.row.id.0));
        }
        expect_version::<responsibility::Entity>(&self.row, expected_version)
    }

    /// Somebody else is accountable: says who.
    async fn taken(&self) -> Error {
        let holder = match &self.holder {
            Some(holder) => self
                .permit
                .read::<department::Entity>("id", holder.department_id)
                .await
                .ok(),
            None => None,
        };
        let who = holder.map_or_else(
            || "Another department".to_owned(),
            |department| department.name,
        );
        let message = format!("{who} has become accountable here since it was proposed.");
        Error::conflict("id", Reason::AccountableTaken, message).with_current(self.row.id.0)
    }

    fn decided(&self, status: ResponsibilityStatus) -> responsibility::ActiveModel {
        responsibility::ActiveModel {
            status: Set(status),
            decided_at: Set(Some(self.permit.caller.now)),
            decided_by_account_id: Set(self.permit.caller.account()),
            ..Default::default()
        }
    }
}

/// Says yes to a proposal. ACCEPTED ends whom it replaces and declines its rivals, all at once.
pub async fn accept(caller: &Caller, input: &ResponsibilityAcceptInput) -> Result<Accepted> {
    let id: ResponsibilityId = input::id("id", &input.id)?;
    let mut shake = Handshake::open(caller, id).await?;
    shake.decide(Action::AcceptResponsibility).await?;
    refuse_alone(caller, &shake)?;
    shake.expect_open(input.expected_version).await?;
    shake.permit.live_blueprint(shake.row.blueprint_id)?;
    let mut ended = None;
    if shake.row.role == Role::Accountable {
        if shake.row.replaces_id != shake.holder.as_ref().map(|holder| holder.id) {
            return Err(shake.taken().await);
        }
        ended = make_way(&mut shake.permit, shake.row.touchpoint_id, shake.row.id).await?;
    }
    let yes = responsibility::ActiveModel {
        valid_from: Set(Some(caller.now)),
        ..shake.decided(ResponsibilityStatus::Accepted)
    };
    let responsibility = shake
        .permit
        .update::<responsibility::Entity>(&shake.row, yes)
        .await?;
    shake.permit.commit().await?;
    Ok(Accepted {
        responsibility,
        ended,
    })
}

fn refuse_alone(caller: &Caller, shake: &Handshake<'_>) -> Result<()> {
    let acceptor = Acceptor {
        account: caller.account(),
        cx_manager: caller.is_cx_manager(),
        leads: caller.led(),
    };
    if !rules::alone(&shake.proposal, shake.row.proposed_by_account_id, &acceptor) {
        return Ok(());
    }
    Err(Error::Forbidden(Forbidden {
        action: Action::AcceptResponsibility,
        subject: Some((responsibility::Entity::TYPE, shake.row.id.0)),
        because: Some((
            Reason::OwnProposal,
            "Nobody takes responsibility alone: the other side must accept.",
        )),
    }))
}

/// Ends who is accountable at a touchpoint and declines who is proposed to be, so that this one can be; gives the
/// one that ended. The blueprint's lock must be held.
pub async fn make_way(
    permit: &mut Permit<'_>,
    touchpoint: TouchpointId,
    becomes: ResponsibilityId,
) -> Result<Option<responsibility::Model>> {
    let others = responsibility::Entity::find()
        .filter(responsibility::Column::TouchpointId.eq(touchpoint))
        .filter(responsibility::Column::Role.eq(Role::Accountable))
        .filter(crate::access::scope::open_responsibility())
        .filter(responsibility::Column::Id.ne(becomes))
        .order_by_asc(responsibility::Column::Id)
        .all(permit.tx())
        .await?;
    let (now, account) = (permit.caller.now, permit.caller.account());
    let mut ended = None;
    for other in others {
        permit.concerns(other.department_id);
        if other.status == ResponsibilityStatus::Accepted {
            let end = responsibility::ActiveModel {
                status: Set(ResponsibilityStatus::Ended),
                valid_to: Set(Some(now)),
                ..Default::default()
            };
            ended = Some(permit.update::<responsibility::Entity>(&other, end).await?);
        } else {
            let no = responsibility::ActiveModel {
                status: Set(ResponsibilityStatus::Declined),
                reason: Set(Some(TAKEN.to_owned())),
                decided_at: Set(Some(now)),
                decided_by_account_id: Set(account),
                ..Default::default()
            };
            permit.update::<responsibility::Entity>(&other, no).await?;
        }
    }
    Ok(ended)
}

/// Says no to a proposal.
pub async fn decline(
    caller: &Caller,
    input: ResponsibilityDeclineInput,
) -> Result<responsibility::Model> {
    let mut faults = Faults::default();
    let id: ResponsibilityId = faults.id("id", &input.id);
    let reason = faults.optional_text("reason", input.reason.as_deref());
    faults.check()?;
    close(
        caller,
        Action::DeclineResponsibility,
        id,
        input.expected_version,
        reason,
    )
    .await
}

/// Takes back a proposal.
pub async fn withdraw(caller: &Caller, input: &AtVersionInput) -> Result<responsibility::Model> {
    let id: ResponsibilityId = input::id("id", &input.id)?;
    close(
        caller,
        Action::WithdrawResponsibility,
        id,
        input.expected_version,
        Some(WITHDRAWN.to_owned()),
    )
    .await
}

async fn close(
    caller: &Caller,
    action: Action,
    id: ResponsibilityId,
    expected_version: i32,
    reason: Option<String>,
) -> Result<responsibility::Model> {
    let mut shake = Handshake::open(caller, id).await?;
    shake.decide(action).await?;
    shake.expect_open(expected_version).await?;
    let no = responsibility::ActiveModel {
        reason: Set(reason),
        ..shake.decided(ResponsibilityStatus::Declined)
    };
    let row = shake
        .permit
        .update::<responsibility::Entity>(&shake.row, no)
        .await?;
    shake.permit.commit().await?;
    Ok(row)
}

/// Ends what is in force.
pub async fn end(
    caller: &Caller,
    input: ResponsibilityDeclineInput,
) -> Result<responsibility::Model> {
    let mut faults = Faults::default();
    let id: ResponsibilityId = faults.id("id", &input.id);
    let reason = faults.optional_text("reason", input.reason.as_deref());
    faults.check()?;
    let mut permit = caller.begin().await?;
    let row = permit.look::<responsibility::Entity>("id", id).await?;
    let blueprint = permit
        .read::<blueprint::Entity>("id", row.blueprint_id)
        .await?;
    let published = blueprint.status == BlueprintStatus::Published;
    let ties = responsibility::Entity::ties(permit.tx(), &row).await?;
    let ties = ties.and(
        Relation::MayEnd,
        rules::may_end(row.department_id, row.role, published),
    );
    permit
        .decide::<responsibility::Entity>(Action::EndResponsibility, &ties, &row)
        .map_err(|error| {
            let held = caller.led().contains(&row.department_id);
            if held {
                because_published(error)
            } else {
                error
            }
        })?;
    permit.live_blueprint(row.blueprint_id)?;
    if row.status != ResponsibilityStatus::Accepted {
        let message = format!("It is not in force: it is {}.", row.status.as_str());
        return Err(Error::conflict("id", Reason::NotInForce, message).with_current(row.id.0));
    }
    expect_version::<responsibility::Entity>(&row, input.expected_version)?;
    let change = responsibility::ActiveModel {
        status: Set(ResponsibilityStatus::Ended),
        valid_to: Set(Some(caller.now)),
        reason: Set(reason),
        ..Default::default()
    };
    let row = permit
        .update::<responsibility::Entity>(&row, change)
        .await?;
    permit.commit().await?;
    Ok(row)
}

fn because_published(error: Error) -> Error {
    match error {
        Error::Forbidden(forbidden) => Error::Forbidden(Forbidden {
            because: Some((
                Reason::AccountableOnPublished,
                "On a published blueprint somebody stays accountable: propose another department to take over.",
            )),
            ..forbidden
        }),
        other => other,
    }
}

/// Says what the department does, and who.
pub async fn update(
    caller: &Caller,
    input: ResponsibilityUpdateInput,
) -> Result<responsibility::Model> {
    let mut faults = Faults::default();
    let id: ResponsibilityId = faults.id("id", &input.id);
    let tasks = replace(input.tasks.as_ref(), |tasks| {
        Texts(faults.texts("tasks", tasks))
    });
    let person_id: ActiveValue<Option<AccountId>> = change(&input.person_id, |person| {
        faults.optional_id("personId", person)
    });
    faults.check()?;
    let (row, mut permit) = caller
        .fetch::<responsibility::Entity>(Action::DescribeResponsibility, "id", id)
        .await?;
    permit.live_blueprint(row.blueprint_id)?;
    if !matches!(
        row.status,
        ResponsibilityStatus::Proposed | ResponsibilityStatus::Accepted
    ) {
        let message = format!("It is history: it is {}.", row.status.as_str());
        return Err(Error::conflict("id", Reason::NotInForce, message).with_current(row.id.0));
    }
    expect_version::<responsibility::Entity>(&row, input.expected_version)?;
    if let ActiveValue::Set(Some(person)) = person_id {
        permit
            .read_live::<account::Entity>("personId", person)
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

/// The open proposals that these departments answer, as a condition: the rules of the handshake in SQL.
#[must_use]
pub fn awaiting_answer_of(departments: &[DepartmentId]) -> Condition {
    use responsibility::Column as C;
    let own = Expr::col(C::ProposedByDepartmentId).eq(Expr::col(C::DepartmentId));
    let of_others = Condition::any()
        .add(C::ProposedByDepartmentId.is_null())
        .add(own.clone().not());
    let addressed = Condition::all()
        .add(C::DepartmentId.is_in(departments.iter().copied()))
        .add(of_others);
    let accountable = |more: Condition| {
        responsibility::Entity::find()
            .select_only()
            .column(C::TouchpointId)
            .filter(C::Role.eq(Role::Accountable))
            .filter(C::Status.eq(ResponsibilityStatus::Accepted))
            .filter(more)
            .into_query()
    };
    let theirs = Condition::all().add(C::DepartmentId.is_in(departments.iter().copied()));
    let owned = blueprint::Entity::find()
        .select_only()
        .column(blueprint::Column::Id)
        .filter(blueprint::Column::OwnerDepartmentId.is_in(departments.iter().copied()));
    let by_owner = Condition::all()
        .add(C::TouchpointId.not_in_subquery(accountable(Condition::all())))
        .add(C::BlueprintId.in_subquery(owned.into_query()));
    let by_accountable = Condition::all().add(C::TouchpointId.in_subquery(accountable(theirs)));
    let for_others = Condition::all()
        .add(own)
        .add(C::DepartmentId.is_not_in(departments.iter().copied()))
        .add(Condition::any().add(by_accountable).add(by_owner));
    Condition::all()
        .add(C::Status.eq(ResponsibilityStatus::Proposed))
        .add(Condition::any().add(addressed).add(for_others))
}

/// What held at the end of a day, as a condition.
#[must_use]
pub fn held_at_end_of(caller: &Caller, day: NaiveDate) -> Condition {
    let end = caller.end_of(day);
    let began = Condition::any()
        .add(responsibility::Column::ValidFrom.is_null())
        .add(responsibility::Column::ValidFrom.lt(end));
    let lasted = Condition::any()
        .add(responsibility::Column::ValidTo.is_null())
        .add(responsibility::Column::ValidTo.gte(end));
    Condition::all()
        .add(
            responsibility::Column::Status
                .is_in([ResponsibilityStatus::Accepted, ResponsibilityStatus::Ended]),
        )
        .add(began)
        .add(lasted)
}
