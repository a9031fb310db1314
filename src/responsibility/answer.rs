//! Answers to the handshake: yes, no, taken back, ended, confirmed. Each is decided by the policy with the seat that
//! `parties` finds, and done by `lifecycle`.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{ID, InputObject};
use entity::{
    blueprint, department,
    id::{DepartmentId, ResponsibilityId, TouchpointId},
    responsibility,
    words::{BlueprintStatus, ResponsibilityStatus, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    in_force::accountable_condition,
    lifecycle::{self, ActContext, LifecycleError, TAKEN},
    parties::{
        ActingPerson, CannotAnswerReason, ConsentEffect, Parents, Proposal,
        find_nearest_led_department,
    },
};
use crate::{
    access::{Caller, Guarded, Permit, expect_version, with_all_columns_set},
    audit::AuditSubject,
    department::load_parent_by_department,
    error::{Error, Forbidden, Reason, Result, UserErrorCode, refusals::Refusals},
    input::{self, AtVersionInput, Faults},
    policy::{Action, Relation},
};

/// The acceptance of a proposal.
#[derive(InputObject)]
pub struct ResponsibilityAcceptInput {
    /// Id of the proposal.
    pub id: ID,
    /// The version that you read.
    pub expected_version: i32,
}

/// The acceptance of several proposals in one act.
#[derive(InputObject)]
pub struct ResponsibilitiesAcceptInput {
    /// The proposals, at most 200, each once; they are accepted in this order.
    pub proposals: Vec<ResponsibilityAcceptInput>,
}

/// The declining of a proposal, or the ending of a responsibility.
#[derive(InputObject)]
pub struct ResponsibilityDeclineInput {
    /// The object's id.
    pub id: ID,
    /// The version that you read.
    pub expected_version: i32,
    /// The reason.
    pub reason: Option<String>,
}

/// What accepting did.
#[derive(Debug)]
pub struct AcceptOutcome {
    pub responsibility: responsibility::Model,
    /// The responsibility that it replaced.
    pub ended: Option<responsibility::Model>,
}

/// The caller, as somebody who acts from a seat.
#[must_use]
pub fn caller_as_acting_person(caller: &Caller) -> ActingPerson {
    ActingPerson {
        account: caller.account(),
        cx_manager: caller.is_cx_manager(),
        leads: caller.directly_led_departments(),
    }
}

/// Who is accountable at a touchpoint now.
pub async fn find_accountable_responsibility(
    permit: &Permit<'_>,
    touchpoint: TouchpointId,
) -> Result<Option<responsibility::Model>> {
    Ok(responsibility::Entity::find()
        .filter(responsibility::Column::TouchpointId.eq(touchpoint))
        .filter(accountable_condition())
        .one(permit.tx())
        .await?)
}

/// Writes a responsibility as a transition made it.
pub async fn write_next_state(
    permit: &mut Permit<'_>,
    row: &responsibility::Model,
    next: responsibility::Model,
) -> Result<responsibility::Model> {
    permit.show_audit_to_leads_of(row.department_id);
    let next = with_all_columns_set::<responsibility::Entity>(next);
    permit.update::<responsibility::Entity>(row, next).await
}

/// The department that a proposal was to replace.
async fn find_department_to_replace(
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
struct Handshake<'p, 'c> {
    permit: &'p mut Permit<'c>,
    row: responsibility::Model,
    holder: Option<responsibility::Model>,
    proposal: Proposal,
    parents: Parents,
}

impl<'p, 'c> Handshake<'p, 'c> {
    /// Takes the lock of a proposal, and reads what the rules need to know.
    async fn lock_proposal(permit: &'p mut Permit<'c>, id: ResponsibilityId) -> Result<Self> {
        let row = permit
            .lock_and_read_row::<responsibility::Entity>("id", id)
            .await?;
        let holder = find_accountable_responsibility(permit, row.touchpoint_id).await?;
        let owner = permit
            .get::<blueprint::Entity>("id", row.blueprint_id)
            .await?
            .owner_department_id;
        // Who may answer is judged by whom it would have replaced, once it is answered: whoever could have said
        // yes is told that it is taken, not that they may not.
        let accountable = match row.status {
            ResponsibilityStatus::Proposed => holder.as_ref().map(|holder| holder.department_id),
            _ => find_department_to_replace(permit, &row).await?,
        };
        let parents = load_parent_by_department(permit.tx()).await?;
        Ok(Self {
            proposal: super::waiting::build_proposal(&row, accountable, owner),
            permit,
            row,
            holder,
            parents,
        })
    }

    /// Decides whether the caller may answer, and tells what a yes of theirs does.
    async fn require_may_answer(&mut self, action: Action) -> Result<ConsentEffect> {
        let answer = self
            .proposal
            .determine_consent_effect(&caller_as_acting_person(self.permit.caller), &self.parents);
        let seat = answer.ok().and_then(|(_, seat)| seat);
        let ties = responsibility::Entity::load_ties(self.permit.tx(), &self.row).await?;
        let ties = ties
            .with_departments(Relation::MayAccept, seat)
            .with_departments(Relation::MayDecline, seat);
        let decided = self
            .permit
            .require_permission_on_row::<responsibility::Entity>(action, &ties, &self.row);
        match (decided, answer) {
            (Ok(()), Ok((yes, _))) => Ok(yes),
            // Leave by the table is not enough: the rules of the handshake bind CX managers too.
            (Ok(()), Err(barred)) => Err(cannot_answer_error(barred, action, self.row.id)),
            (Err(Error::Forbidden(_)), Err(barred)) => {
                Err(cannot_answer_error(barred, action, self.row.id))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Decides whether the caller may take it back.
    async fn require_may_withdraw(&mut self) -> Result<()> {
        let ties = responsibility::Entity::load_ties(self.permit.tx(), &self.row).await?;
        self.permit
            .require_permission_on_row::<responsibility::Entity>(
                Action::WithdrawResponsibility,
                &ties,
                &self.row,
            )
    }

    /// Refuses where the proposal is no longer open, or is not what the caller read.
    async fn require_open(&self, expected_version: i32) -> Result<()> {
        let open = self.row.status == ResponsibilityStatus::Proposed;
        if !open && self.row.role == Role::Accountable && self.row.reason.as_deref() == Some(TAKEN)
        {
            return Err(self.accountable_changed_error().await);
        }
        if !open {
            return Err(LifecycleError::NotOpen(self.row.id, self.row.status).into());
        }
        expect_version::<responsibility::Entity>(&self.row, expected_version)
    }

    /// Somebody else is accountable, or nobody any more: says who.
    async fn accountable_changed_error(&self) -> Error {
        let holder = match &self.holder {
            Some(holder) => self
                .permit
                .get::<department::Entity>("id", holder.department_id)
                .await
                .ok(),
            None => None,
        };
        let message = match (holder, &self.holder) {
            (Some(department), _) => format!(
                "{} has become accountable here since it was proposed.",
                department.name
            ),
            (None, Some(_)) => {
                "Another department has become accountable here since this was proposed. Propose it again.".to_owned()
            }
            (None, None) => {
                "The department that was accountable here is so no longer. Propose it again.".to_owned()
            }
        };
        Error::conflict("id", Reason::AccountableTaken, message).with_current(self.row.id.0)
    }

    async fn write(self, next: responsibility::Model) -> Result<responsibility::Model> {
        write_next_state(self.permit, &self.row, next).await
    }
}

fn cannot_answer_error(barred: CannotAnswerReason, action: Action, id: ResponsibilityId) -> Error {
    let because = match barred {
        CannotAnswerReason::OneParty => Some((
            Reason::OwnProposal,
            "Nobody takes responsibility alone: another party must answer. `awaits` names who may.",
        )),
        CannotAnswerReason::HolderFirst => Some((
            Reason::TakeoverNotOffered,
            "The department that is accountable here answers first: it hands over or declines.",
        )),
        CannotAnswerReason::NotAsked => None,
    };
    forbidden_because(because, action, id)
}

fn forbidden_because(
    because: Option<(Reason, &'static str)>,
    action: Action,
    id: ResponsibilityId,
) -> Error {
    Error::Forbidden(Forbidden {
        path: String::new(),
        action,
        subject: Some((responsibility::Entity::TYPE, id.0)),
        because,
        with_token: false,
    })
}

/// Says yes to a proposal.
pub async fn accept(caller: &Caller, input: &ResponsibilityAcceptInput) -> Result<AcceptOutcome> {
    let id: ResponsibilityId = input::parse_id("id", &input.id)?;
    let mut permit = caller.open_permit_without_check().await?;
    let outcome = answer_yes(&mut permit, id, input.expected_version).await?;
    permit.commit().await?;
    Ok(outcome)
}

/// Says yes to many proposals, to all or none.
pub async fn accept_many(
    caller: &Caller,
    input: ResponsibilitiesAcceptInput,
) -> Result<Vec<AcceptOutcome>> {
    let mut faults = Faults::default();
    let said = input.proposals.iter().map(|said| &said.id);
    let ids: Vec<ResponsibilityId> = faults.parse_ids_at_once(("proposals", "proposal"), said);
    faults.check()?;
    let mut permit = caller.open_permit_without_check().await?;
    permit
        .lock_blueprints_of::<responsibility::Entity>(&ids)
        .await?;
    refuse_rivals(&permit, &ids).await?;
    let (mut refusals, mut outcomes) = (Refusals::default(), Vec::new());
    for (at, (id, said)) in ids.iter().zip(&input.proposals).enumerate() {
        let path = format!("proposals.{at}");
        let answered = answer_yes(&mut permit, *id, said.expected_version).await;
        outcomes.extend(permit.collect(&mut refusals, &path, answered).await?);
        permit.end_item(BTreeSet::new());
    }
    refusals.check()?;
    permit.commit().await?;
    Ok(outcomes)
}

/// Refuses two proposals of ACCOUNTABLE at one touchpoint: accepting the one would decline the other.
async fn refuse_rivals(permit: &Permit<'_>, ids: &[ResponsibilityId]) -> Result<()> {
    use responsibility::Column::{Id, Role as OfRole, Status, TouchpointId as OfTouchpoint};
    let rivals: Vec<(ResponsibilityId, TouchpointId)> = permit
        .caller
        .select::<responsibility::Entity>()
        .select_only()
        .column(Id)
        .column(OfTouchpoint)
        .filter(Id.is_in(ids.iter().copied()))
        .filter(OfRole.eq(Role::Accountable))
        .filter(Status.eq(ResponsibilityStatus::Proposed))
        .into_tuple()
        .all(permit.tx())
        .await?;
    let touchpoints: HashMap<ResponsibilityId, TouchpointId> = rivals.into_iter().collect();
    let mut faults = Faults::default();
    let mut met: HashMap<TouchpointId, usize> = HashMap::new();
    for (at, id) in ids.iter().enumerate() {
        let Some(touchpoint) = touchpoints.get(id) else {
            continue;
        };
        if let Some(first) = met.insert(*touchpoint, at) {
            let message = format!(
                "One department is accountable at a touchpoint: accepting proposals.{first} would decline this one."
            );
            faults.add(
                &format!("proposals.{at}.id"),
                UserErrorCode::Duplicate,
                None,
                message,
            );
        }
    }
    faults.check()
}

/// Says yes to a proposal, within an act. Accepted, it ends whom it replaces and declines its rivals, all at once; where
/// the holder says yes to another's proposal, the addressed department is asked next.
async fn answer_yes(
    permit: &mut Permit<'_>,
    id: ResponsibilityId,
    expected_version: i32,
) -> Result<AcceptOutcome> {
    let by = ActContext::from(permit.caller);
    let mut handshake = Handshake::lock_proposal(permit, id).await?;
    let yes = handshake
        .require_may_answer(Action::AcceptResponsibility)
        .await?;
    // After the decision: who may not answer is not told in which state it is.
    handshake.require_open(expected_version).await?;
    handshake
        .permit
        .require_unarchived_blueprint(handshake.row.blueprint_id)?;
    if handshake.row.role == Role::Accountable
        // The consents were given to taking over from somebody in particular; somebody else has not been asked.
        && handshake.row.replaces_id != handshake.holder.as_ref().map(|holder| holder.id)
    {
        return Err(handshake.accountable_changed_error().await);
    }
    let (next, ended) = match yes {
        ConsentEffect::HandsOver => (lifecycle::agree_to_hand_over(&handshake.row, by)?, None),
        ConsentEffect::Accepts => {
            let next = lifecycle::accept(&handshake.row, by)?;
            // Who goes is written first: a unique index allows one accountable department at a touchpoint.
            let ended = end_accountable_and_rivals(handshake.permit, &next).await?;
            (next, ended)
        }
    };
    Ok(AcceptOutcome {
        responsibility: handshake.write(next).await?,
        ended,
    })
}

/// Ends who is accountable at a touchpoint and declines who is proposed to be, where this one comes to be so; gives
/// the one that ended. The blueprint's lock must be held.
pub async fn end_accountable_and_rivals(
    permit: &mut Permit<'_>,
    comes: &responsibility::Model,
) -> Result<Option<responsibility::Model>> {
    if comes.role != Role::Accountable {
        return Ok(None);
    }
    let others = responsibility::Entity::find()
        .filter(responsibility::Column::TouchpointId.eq(comes.touchpoint_id))
        .filter(responsibility::Column::Role.eq(Role::Accountable))
        .filter(crate::access::scope::open_responsibility_condition())
        // It may be in the table as a proposal, and must not decline itself.
        .filter(responsibility::Column::Id.ne(comes.id))
        .order_by_asc(responsibility::Column::Id)
        .all(permit.tx())
        .await?;
    let by = ActContext::from(permit.caller);
    let mut ended = None;
    for other in others {
        let gone = write_next_state(permit, &other, lifecycle::end_or_decline(&other, by)?).await?;
        if gone.status == ResponsibilityStatus::Ended {
            ended = Some(gone);
        }
    }
    Ok(ended)
}

/// Which responsibility is declined or ended, and why.
fn read_decline(input: &ResponsibilityDeclineInput) -> Result<(ResponsibilityId, Option<String>)> {
    let mut faults = Faults::default();
    let id: ResponsibilityId = faults.parse_id("id", &input.id);
    let reason = faults.check_optional_text("reason", input.reason.as_deref());
    faults.check()?;
    Ok((id, reason))
}

/// Says no to a proposal.
pub async fn decline(
    caller: &Caller,
    input: ResponsibilityDeclineInput,
) -> Result<responsibility::Model> {
    let (id, reason) = read_decline(&input)?;
    let mut permit = caller.open_permit_without_check().await?;
    let mut handshake = Handshake::lock_proposal(&mut permit, id).await?;
    handshake
        .require_may_answer(Action::DeclineResponsibility)
        .await?;
    handshake.require_open(input.expected_version).await?;
    let next = lifecycle::decline(&handshake.row, reason, caller.into())?;
    let row = handshake.write(next).await?;
    permit.commit().await?;
    Ok(row)
}

/// Takes back a proposal.
pub async fn withdraw(caller: &Caller, input: &AtVersionInput) -> Result<responsibility::Model> {
    let id: ResponsibilityId = input::parse_id("id", &input.id)?;
    let mut permit = caller.open_permit_without_check().await?;
    let mut handshake = Handshake::lock_proposal(&mut permit, id).await?;
    handshake.require_may_withdraw().await?;
    handshake.require_open(input.expected_version).await?;
    let next = lifecycle::withdraw(&handshake.row, caller.into())?;
    let row = handshake.write(next).await?;
    permit.commit().await?;
    Ok(row)
}

/// Ends what is in force.
pub async fn end(
    caller: &Caller,
    input: ResponsibilityDeclineInput,
) -> Result<responsibility::Model> {
    let (id, reason) = read_decline(&input)?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .lock_and_read_row::<responsibility::Entity>("id", id)
        .await?;
    let blueprint = permit
        .get::<blueprint::Entity>("id", row.blueprint_id)
        .await?;
    let published = blueprint.status == BlueprintStatus::Published;
    let by_lead = lifecycle::lead_may_end(row.role, published).then_some(row.department_id);
    let ties = responsibility::Entity::load_ties(permit.tx(), &row).await?;
    let ties = ties.with_departments(Relation::MayEnd, by_lead);
    permit
        .require_permission_on_row::<responsibility::Entity>(Action::EndResponsibility, &ties, &row)
        .map_err(|error| {
            let held = caller
                .led_departments_and_below()
                .contains(&row.department_id);
            if held {
                explain_forbidden_on_published(error)
            } else {
                error
            }
        })?;
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    // Before the version: that it is not in force any more says more than that it has changed.
    let next = lifecycle::end(&row, reason, caller.into())?;
    expect_version::<responsibility::Entity>(&row, input.expected_version)?;
    let row = write_next_state(&mut permit, &row, next).await?;
    permit.commit().await?;
    Ok(row)
}

fn explain_forbidden_on_published(error: Error) -> Error {
    match error {
        Error::Forbidden(forbidden) => Error::Forbidden(Forbidden {
            because: Some((
                Reason::AccountableOnPublished,
                "A published blueprint needs an accountable department here: propose another one, to take over.",
            )),
            ..forbidden
        }),
        other => other,
    }
}

/// Confirms what the department was given without being asked: a lead of it, or from above.
pub async fn confirm(caller: &Caller, input: &AtVersionInput) -> Result<responsibility::Model> {
    let id: ResponsibilityId = input::parse_id("id", &input.id)?;
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .lock_and_read_row::<responsibility::Entity>("id", id)
        .await?;
    let parents = load_parent_by_department(permit.tx()).await?;
    let seat = find_nearest_led_department(
        &caller.directly_led_departments(),
        row.department_id,
        &parents,
    );
    let ties = responsibility::Entity::load_ties(permit.tx(), &row).await?;
    let ties = ties.with_departments(Relation::MayAccept, seat);
    permit.require_permission_on_row::<responsibility::Entity>(
        Action::AcceptResponsibility,
        &ties,
        &row,
    )?;
    if seat.is_none() {
        // A CX manager gave it; that the department knows of it is for the department to say.
        let because = (
            Reason::OwnProposal,
            "Nobody takes responsibility alone: a lead of its department confirms it, or one from above.",
        );
        return Err(forbidden_because(
            Some(because),
            Action::AcceptResponsibility,
            row.id,
        ));
    }
    permit.require_unarchived_blueprint(row.blueprint_id)?;
    let next = lifecycle::confirm(&row, caller.into())?;
    expect_version::<responsibility::Entity>(&row, input.expected_version)?;
    let row = write_next_state(&mut permit, &row, next).await?;
    permit.commit().await?;
    Ok(row)
}
