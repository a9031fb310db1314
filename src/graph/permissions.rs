//! The actions that the caller may do to an object, for frontends that show or hide a button. They ask the same policy
//! as the permit does, with the ties known from the row, so that a button shown is one that works.

use std::collections::BTreeSet;

use entity::{
    blueprint, department, feedback,
    id::DepartmentId,
    improvement, kpi, responsibility,
    words::{BlueprintStatus, ResponsibilityStatus, Role, Subject},
};

use crate::{
    access::Caller,
    policy::{Action, Relation, RowTies},
    responsibility::{
        answer::caller_as_acting_person,
        in_force,
        lifecycle::lead_may_end,
        parties::{Parents, find_nearest_led_department},
        waiting::build_proposal,
    },
};

/// Those of the actions that the caller may do to a thing with these ties.
fn permitted_among(caller: &Caller, actions: &[Action], ties: &RowTies) -> Vec<Action> {
    actions
        .iter()
        .copied()
        .filter(|action| caller.may(*action, ties))
        .collect()
}

/// The actions that the caller may do to everything, and to what belongs to no department.
pub(super) fn everywhere(caller: &Caller) -> Vec<Action> {
    permitted_among(caller, Action::ALL, &RowTies::none())
}

/// A role at a touchpoint that a department holds, or that is proposed to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenRole {
    pub department_id: DepartmentId,
    pub role: Role,
    pub status: ResponsibilityStatus,
}

impl From<&responsibility::Model> for OpenRole {
    fn from(row: &responsibility::Model) -> Self {
        Self {
            department_id: row.department_id,
            role: row.role,
            status: row.status,
        }
    }
}

/// The actions on a blueprint with these roles at its touchpoints.
pub(super) fn on_blueprint(
    caller: &Caller,
    row: &blueprint::Model,
    open: impl IntoIterator<Item = OpenRole>,
) -> Vec<Action> {
    let owner = [row.owner_department_id];
    let (mut participating, mut delivering) = (BTreeSet::from(owner), BTreeSet::new());
    for held in open {
        participating.insert(held.department_id);
        if in_force::is_delivering_now(held.role, held.status) {
            delivering.insert(held.department_id);
        }
    }
    let ties = RowTies::none()
        .with_departments(Relation::OwnsBlueprint, owner)
        .with_departments(Relation::Participates, participating)
        .with_departments(Relation::Delivers, delivering);
    permitted_among(
        caller,
        &[
            Action::DescribeTouchpoint,
            Action::DescribeBlueprint,
            Action::ShapeBlueprint,
            Action::GovernBlueprint,
            Action::ImportDocument,
            Action::ImportAccepted,
            Action::DismissFinding,
            Action::DismissError,
            Action::ReadHistory,
        ],
        &ties,
    )
}

/// The actions on a touchpoint with these responsibilities, accepted or proposed.
pub(super) fn on_touchpoint(
    caller: &Caller,
    blueprint: &blueprint::Model,
    responsibilities: &[responsibility::Model],
) -> Vec<Action> {
    let delivering = responsibilities
        .iter()
        .filter(|held| in_force::is_delivering(held))
        .map(|held| held.department_id);
    let ties = RowTies::none()
        .with_departments(Relation::OwnsBlueprint, [blueprint.owner_department_id])
        .with_departments(Relation::Delivers, delivering)
        .with_departments(Relation::Proposes, caller.led_departments_and_below());
    let actions = [
        Action::DescribeTouchpoint,
        Action::ShapeBlueprint,
        Action::ProposeResponsibility,
    ];
    let mut permitted = permitted_among(caller, &actions, &ties);
    // Whoever delivers records no answers of their colleagues.
    let ties = match blueprint.subject {
        Subject::Customer => ties,
        Subject::Employee => RowTies::none(),
    };
    permitted.extend(permitted_among(caller, &[Action::RecordFeedback], &ties));
    permitted
}

/// The actions on a department.
pub(super) fn on_department(caller: &Caller, row: &department::Model) -> Vec<Action> {
    let ties = RowTies::none()
        .with_departments(Relation::IsIt, [row.id])
        .with_departments(Relation::OwnsBlueprint, [row.id])
        .with_departments(Relation::OwnsKpi, [row.id])
        .with_departments(Relation::OwnsImprovement, [row.id])
        .with_departments(Relation::Proposes, [row.id]);
    let actions = [
        Action::CreateBlueprint,
        Action::ImportDocument,
        Action::ProposeResponsibility,
        Action::DefineKpi,
        Action::KeepImprovements,
        Action::PullFlatRows,
        Action::WhatIf,
        Action::KeepMembers,
        Action::KeepOrganisation,
        Action::ReadAudit,
    ];
    permitted_among(caller, &actions, &ties)
}

/// The actions on a KPI; whether its history is read depends on more than the KPI.
pub(super) fn on_kpi(caller: &Caller, row: &kpi::Model, reads_history: bool) -> Vec<Action> {
    let mut actions = vec![Action::DefineKpi, Action::GovernKpi];
    if row.fed_from.is_none() {
        actions.push(Action::RecordMeasurement);
    }
    let mut permitted = permitted_among(caller, &actions, &kpi_ties(row));
    permitted.extend(reads_history.then_some(Action::ReadHistory));
    permitted
}

/// Whether the caller may change what a KPI is.
pub(super) fn may_define_kpi(caller: &Caller, row: &kpi::Model) -> bool {
    caller.may(Action::DefineKpi, &kpi_ties(row))
}

fn kpi_ties(row: &kpi::Model) -> RowTies {
    RowTies::none().with_departments(Relation::OwnsKpi, [row.owner_department_id])
}

/// The actions on an improvement.
pub(super) fn on_improvement(caller: &Caller, row: &improvement::Model) -> Vec<Action> {
    let ties =
        RowTies::none().with_departments(Relation::OwnsImprovement, [row.owner_department_id]);
    permitted_among(caller, &[Action::KeepImprovements], &ties)
}

/// The actions on an answer and its follow-up.
pub(super) fn on_feedback(caller: &Caller, row: &feedback::Model) -> Vec<Action> {
    let ties = RowTies::none().with_departments(Relation::LooksAfter, row.department_id);
    permitted_among(
        caller,
        &[
            Action::WorkFollowUp,
            Action::AssignFollowUp,
            Action::HandOverFollowUp,
            Action::EraseRespondent,
        ],
        &ties,
    )
}

/// The actions on an account.
pub(super) fn on_account(caller: &Caller) -> Vec<Action> {
    permitted_among(caller, &[Action::KeepOrganisation], &RowTies::none())
}

/// The actions on a persona, a segment, a channel or a template.
pub(super) fn on_catalogue(caller: &Caller) -> Vec<Action> {
    permitted_among(caller, &[Action::KeepCatalogue], &RowTies::none())
}

/// The actions on a responsibility, given who is accountable at its touchpoint now, and the tree of departments.
pub(super) fn on_responsibility(
    caller: &Caller,
    row: &responsibility::Model,
    (blueprint, holder): (&blueprint::Model, Option<&responsibility::Model>),
    parents: &Parents,
) -> Vec<Action> {
    let person = caller_as_acting_person(caller);
    let holder = holder.map(|holder| holder.department_id);
    let answer = build_proposal(row, holder, blueprint.owner_department_id)
        .determine_consent_effect(&person, parents);
    let seat = answer.ok().and_then(|(_, seat)| seat);
    let published = blueprint.status == BlueprintStatus::Published;
    let by_lead = lead_may_end(row.role, published).then_some(row.department_id);
    let ties = RowTies::none()
        .with_departments(Relation::Holds, [row.department_id])
        .with_departments(Relation::Proposes, row.proposed_by_department_id)
        .with_departments(Relation::MayAccept, seat)
        .with_departments(Relation::MayDecline, seat)
        .with_departments(Relation::MayEnd, by_lead);
    match row.status {
        ResponsibilityStatus::Proposed => {
            let answers = answer.is_ok();
            // The two answers first: whoever may not answer is offered what stands after them.
            let asked = [
                Action::AcceptResponsibility,
                Action::DeclineResponsibility,
                Action::WithdrawResponsibility,
                Action::DescribeResponsibility,
            ];
            let asked: &[Action] = if answers { &asked } else { &asked[2..] };
            permitted_among(caller, asked, &ties)
        }
        ResponsibilityStatus::Accepted => {
            let confirms = find_nearest_led_department(&person.leads, row.department_id, parents);
            let confirms = confirms.filter(|_| row.unasked);
            let ties = ties.with_departments(Relation::MayAccept, confirms);
            // The confirmation first: it is left out where nothing is to be confirmed.
            let asked = [
                Action::AcceptResponsibility,
                Action::EndResponsibility,
                Action::DescribeResponsibility,
            ];
            let asked: &[Action] = if confirms.is_some() {
                &asked
            } else {
                &asked[1..]
            };
            permitted_among(caller, asked, &ties)
        }
        ResponsibilityStatus::Declined | ResponsibilityStatus::Ended => Vec::new(),
    }
}
