//! What somebody may see, as SQL: each relation of the policy spelled once as a condition on a table.
//! It decides nothing itself; it translates the reach that the policy gives.

use std::collections::BTreeSet;

use entity::{
    account, audit_event, audit_event_department, blueprint, blueprint_persona, department,
    evaluation, feedback, follow_up,
    id::DepartmentId,
    improvement, insight, kpi, kpi_grant, kpi_link, kpi_target, measurement, membership, persona,
    phase, promise, publication, responsibility, scenario, session, source, touchpoint, transition,
    words::{
        BlueprintState, BlueprintStatus, ResponsibilityStatus, Sensitivity, Subject, Visibility,
    },
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoSimpleExpr, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, IntoColumnRef, SelectStatement, SimpleExpr},
};

use crate::policy::{self, Action, Reach, Relation, Standing};

/// Everybody who is signed in may see it.
#[must_use]
pub fn everything(_: &Standing) -> Condition {
    Condition::all()
}

fn nothing() -> Condition {
    Condition::any().add(Expr::value(false))
}

fn among<C: IntoSimpleExpr>(column: C, departments: &BTreeSet<DepartmentId>) -> SimpleExpr {
    column
        .into_simple_expr()
        .is_in(departments.iter().map(|id| id.0))
}

/// A reach as a condition: everything, or what one of the relations leads to.
fn within(
    reach: &Reach,
    relation: impl Fn(Relation, &BTreeSet<DepartmentId>) -> Condition,
) -> Condition {
    if reach.everything {
        return Condition::all();
    }
    reach
        .through
        .iter()
        .fold(nothing(), |any, (name, own)| any.add(relation(*name, own)))
}

/// A relation that has no meaning for a table ties nothing there.
fn meaningless(_: Relation) -> Condition {
    nothing()
}

/// The blueprints that one of these departments owns, or in which it holds or is offered a responsibility.
fn participating(own: &BTreeSet<DepartmentId>) -> Condition {
    let holds = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::BlueprintId)
        .filter(among(responsibility::Column::DepartmentId, own))
        .filter(open_responsibility());
    Condition::any()
        .add(among(blueprint::Column::OwnerDepartmentId, own))
        .add(blueprint::Column::Id.in_subquery(holds.into_query()))
}

/// Responsibilities that are held or offered.
#[must_use]
pub fn open_responsibility() -> SimpleExpr {
    responsibility::Column::Status.is_in([
        ResponsibilityStatus::Proposed,
        ResponsibilityStatus::Accepted,
    ])
}

/// Blueprints that are or were in force: an archived draft stays as private as it was.
#[must_use]
pub fn in_force() -> Condition {
    Condition::any()
        .add(blueprint::Column::Status.eq(BlueprintStatus::Published))
        .add(blueprint::Column::ArchivedFrom.eq(BlueprintStatus::Published))
}

/// Blueprints that never were, archived drafts among them.
fn not_in_force() -> Condition {
    let drafts = [BlueprintStatus::Draft, BlueprintStatus::InReview];
    Condition::any()
        .add(blueprint::Column::Status.is_in(drafts))
        .add(blueprint::Column::ArchivedFrom.is_in(drafts))
}

/// The ids of the blueprints that count in facts, gap lists and lead lists: CURRENT ones that are or were in force.
#[must_use]
pub fn counted_blueprint_ids() -> SelectStatement {
    let counted = Condition::all()
        .add(in_force())
        .add(blueprint::Column::State.eq(BlueprintState::Current));
    ids_of::<blueprint::Entity>(blueprint::Column::Id, counted)
}

/// Blueprints that somebody may see.
#[must_use]
pub fn blueprints(standing: &Standing) -> Condition {
    let reached = |action| {
        within(
            &policy::reach(standing, action),
            |relation, own| match relation {
                Relation::Participates => participating(own),
                Relation::OwnsBlueprint => {
                    Condition::all().add(among(blueprint::Column::OwnerDepartmentId, own))
                }
                other => meaningless(other),
            },
        )
    };
    let rows = [
        (
            in_force().add_visibility(Visibility::Organisation),
            Action::ReadPublished,
        ),
        (
            in_force().add_visibility(Visibility::Participants),
            Action::ReadRestricted,
        ),
        (not_in_force(), Action::ReadDraft),
    ];
    if rows
        .iter()
        .all(|(_, action)| policy::reach(standing, *action).everything)
    {
        return Condition::all();
    }
    rows.into_iter()
        .fold(Condition::any(), |any, (row, action)| {
            any.add(Condition::all().add(row).add(reached(action)))
        })
}

trait WithVisibility {
    fn add_visibility(self, visibility: Visibility) -> Condition;
}

impl WithVisibility for Condition {
    fn add_visibility(self, visibility: Visibility) -> Condition {
        Condition::all()
            .add(self)
            .add(blueprint::Column::Visibility.eq(visibility))
    }
}

/// The ids of the blueprints that somebody may see; none where they may see all.
#[must_use]
pub fn blueprint_ids(standing: &Standing) -> Option<SelectStatement> {
    let readable = blueprints(standing);
    (!readable.is_empty()).then(|| {
        blueprint::Entity::find()
            .select_only()
            .column(blueprint::Column::Id)
            .filter(readable)
            .into_query()
    })
}

/// Rows inside blueprints that somebody may see, by the column that names the blueprint.
fn inside<C: ColumnTrait>(standing: &Standing, blueprint_id: C) -> Condition {
    match blueprint_ids(standing) {
        Some(ids) => Condition::all().add(blueprint_id.in_subquery(ids)),
        None => Condition::all(),
    }
}

/// Phases that somebody may see.
#[must_use]
pub fn phases(standing: &Standing) -> Condition {
    inside(standing, phase::Column::BlueprintId)
}

/// Touchpoints that somebody may see.
#[must_use]
pub fn touchpoints(standing: &Standing) -> Condition {
    inside(standing, touchpoint::Column::BlueprintId)
}

/// Transitions that somebody may see.
#[must_use]
pub fn transitions(standing: &Standing) -> Condition {
    inside(standing, transition::Column::BlueprintId)
}

/// Scenarios that somebody may see.
#[must_use]
pub fn scenarios(standing: &Standing) -> Condition {
    inside(standing, scenario::Column::BlueprintId)
}

/// Sources that somebody may see.
#[must_use]
pub fn sources(standing: &Standing) -> Condition {
    inside(standing, source::Column::BlueprintId)
}

/// Insights that somebody may see.
#[must_use]
pub fn insights(standing: &Standing) -> Condition {
    inside(standing, insight::Column::BlueprintId)
}

/// Promises that somebody may see.
#[must_use]
pub fn promises(standing: &Standing) -> Condition {
    inside(standing, promise::Column::BlueprintId)
}

/// Evaluations that somebody may see.
#[must_use]
pub fn evaluations(standing: &Standing) -> Condition {
    inside(standing, evaluation::Column::BlueprintId)
}

/// Improvements that somebody may see.
#[must_use]
pub fn improvements(standing: &Standing) -> Condition {
    inside(standing, improvement::Column::BlueprintId)
}

/// Publications that somebody may see: those of what they may see as it is now.
#[must_use]
pub fn publications(standing: &Standing) -> Condition {
    inside(standing, publication::Column::BlueprintId)
}

/// Responsibilities that somebody may see.
#[must_use]
pub fn responsibilities(standing: &Standing) -> Condition {
    inside(standing, responsibility::Column::BlueprintId)
}

fn ids_of<E: EntityTrait>(column: E::Column, condition: Condition) -> SelectStatement {
    E::find()
        .select_only()
        .column(column)
        .filter(condition)
        .into_query()
}

fn participating_ids(own: &BTreeSet<DepartmentId>) -> SelectStatement {
    ids_of::<blueprint::Entity>(blueprint::Column::Id, participating(own))
}

/// What everybody reads, and a partner only where it belongs to what the partner participates in.
fn catalogue(
    standing: &Standing,
    participates: impl Fn(&BTreeSet<DepartmentId>) -> Condition,
) -> Condition {
    within(
        &policy::reach(standing, Action::ReadPublished),
        |relation, own| match relation {
            Relation::Participates => participates(own),
            other => meaningless(other),
        },
    )
}

fn department_participates<C: ColumnTrait>(column: C, own: &BTreeSet<DepartmentId>) -> Condition {
    let holders = Condition::all()
        .add(responsibility::Column::BlueprintId.in_subquery(participating_ids(own)))
        .add(open_responsibility());
    Condition::any()
        .add(among(column, own))
        .add(column.in_subquery(ids_of::<blueprint::Entity>(
            blueprint::Column::OwnerDepartmentId,
            participating(own),
        )))
        .add(column.in_subquery(ids_of::<responsibility::Entity>(
            responsibility::Column::DepartmentId,
            holders,
        )))
}

/// Departments that somebody may see.
#[must_use]
pub fn departments(standing: &Standing) -> Condition {
    catalogue(standing, |own| {
        department_participates(department::Column::Id, own)
    })
}

/// Memberships that somebody may see.
#[must_use]
pub fn memberships(standing: &Standing) -> Condition {
    catalogue(standing, |own| {
        department_participates(membership::Column::DepartmentId, own)
    })
}

/// Accounts that somebody may see.
#[must_use]
pub fn accounts(standing: &Standing) -> Condition {
    let colleagues = catalogue(standing, |own| {
        let members = department_participates(membership::Column::DepartmentId, own);
        Condition::all().add(
            account::Column::Id.in_subquery(ids_of::<membership::Entity>(
                membership::Column::AccountId,
                members,
            )),
        )
    });
    match standing {
        Standing::Account(_) if colleagues.is_empty() => colleagues,
        Standing::Account(own) => Condition::any()
            .add(colleagues)
            .add(account::Column::Id.eq(own.account)),
        Standing::Operator => colleagues,
    }
}

/// One's own sessions.
#[must_use]
pub fn sessions(standing: &Standing) -> Condition {
    if !policy::reach(standing, Action::KeepOwnSignIn).everything {
        return nothing();
    }
    match standing {
        Standing::Account(own) => Condition::all().add(session::Column::AccountId.eq(own.account)),
        Standing::Operator => Condition::all(),
    }
}

/// Service tokens, for those who keep them and those who read in the audit log what was done with any.
#[must_use]
pub fn service_tokens(standing: &Standing) -> Condition {
    let may = |action| policy::reach(standing, action).everything;
    match may(Action::KeepOrganisation) || may(Action::ReadAudit) {
        true => Condition::all(),
        false => nothing(),
    }
}

/// Personas that somebody may see.
#[must_use]
pub fn personas(standing: &Standing) -> Condition {
    catalogue(standing, |own| {
        let secondary = Condition::all()
            .add(blueprint_persona::Column::BlueprintId.in_subquery(participating_ids(own)));
        Condition::any()
            .add(persona::Column::Id.in_subquery(ids_of::<blueprint::Entity>(
                blueprint::Column::PersonaId,
                participating(own),
            )))
            .add(
                persona::Column::Id.in_subquery(ids_of::<blueprint_persona::Entity>(
                    blueprint_persona::Column::PersonaId,
                    secondary,
                )),
            )
    })
}

/// KPIs whose definition somebody may see.
#[must_use]
pub fn kpis(standing: &Standing) -> Condition {
    catalogue(standing, |own| {
        let linked =
            Condition::all().add(kpi_link::Column::BlueprintId.in_subquery(participating_ids(own)));
        Condition::any()
            .add(among(kpi::Column::OwnerDepartmentId, own))
            .add(
                kpi::Column::Id
                    .in_subquery(ids_of::<kpi_link::Entity>(kpi_link::Column::KpiId, linked)),
            )
    })
}

/// KPIs whose values somebody may see, of those whose definition they may see.
#[must_use]
pub fn kpi_values(standing: &Standing) -> Condition {
    let reach = policy::reach(standing, Action::ReadConfidential);
    if reach.everything {
        return Condition::all();
    }
    let confidential = within(&reach, |relation, own| match relation {
        Relation::OwnsKpi => Condition::all().add(among(kpi::Column::OwnerDepartmentId, own)),
        other => meaningless(other),
    });
    let granted = reach.granted_to.map(|account| {
        let grants = Condition::all().add(kpi_grant::Column::AccountId.eq(account));
        kpi::Column::Id.in_subquery(ids_of::<kpi_grant::Entity>(
            kpi_grant::Column::KpiId,
            grants,
        ))
    });
    Condition::any()
        .add(kpi::Column::Sensitivity.eq(Sensitivity::Open))
        .add(confidential)
        .add_option(granted)
}

/// Rows of a KPI whose definition, or whose values, somebody may see, by the column that names the KPI.
fn of_kpi<C: ColumnTrait>(kpi_id: C, readable: Condition) -> Condition {
    if readable.is_empty() {
        return Condition::all();
    }
    Condition::all().add(kpi_id.in_subquery(ids_of::<kpi::Entity>(kpi::Column::Id, readable)))
}

fn with_values(standing: &Standing) -> Condition {
    let (definition, values) = (kpis(standing), kpi_values(standing));
    if definition.is_empty() && values.is_empty() {
        return Condition::all();
    }
    Condition::all().add(definition).add(values)
}

/// Targets that somebody may see.
#[must_use]
pub fn kpi_targets(standing: &Standing) -> Condition {
    of_kpi(kpi_target::Column::KpiId, with_values(standing))
}

/// Grants that somebody may see: those of KPIs whose values they may see.
#[must_use]
pub fn kpi_grants(standing: &Standing) -> Condition {
    of_kpi(kpi_grant::Column::KpiId, with_values(standing))
}

/// KPI links that somebody may see.
#[must_use]
pub fn kpi_links(standing: &Standing) -> Condition {
    Condition::all()
        .add(inside(standing, kpi_link::Column::BlueprintId))
        .add(of_kpi(kpi_link::Column::KpiId, kpis(standing)))
}

/// Measurements that somebody may see.
#[must_use]
pub fn measurements(standing: &Standing) -> Condition {
    let anywhere = of_kpi(measurement::Column::KpiId, with_values(standing));
    match blueprint_ids(standing) {
        None => anywhere,
        Some(_) => {
            let there = ids_of::<touchpoint::Entity>(touchpoint::Column::Id, touchpoints(standing));
            anywhere.add(
                Condition::any()
                    .add(measurement::Column::TouchpointId.is_null())
                    .add(measurement::Column::TouchpointId.in_subquery(there)),
            )
        }
    }
}

/// Single answers that somebody may see: those of customers at what they may read, on the organisation as a whole, and
/// routed to their department. Of employees never one alone.
#[must_use]
pub fn feedback(standing: &Standing) -> Condition {
    let of_customers = feedback::Column::Subject.eq(Subject::Customer);
    Condition::all()
        .add(of_customers)
        .add(feedback_of_anybody(standing))
}

/// Answers that somebody may count, those of employees among them.
#[must_use]
pub fn feedback_of_anybody(standing: &Standing) -> Condition {
    let Some(blueprints) = blueprint_ids(standing) else {
        return Condition::all();
    };
    let looked_after = within(
        &policy::reach(standing, Action::WorkFollowUp),
        |relation, own| match relation {
            Relation::LooksAfter => {
                Condition::all().add(among(feedback::Column::DepartmentId, own))
            }
            other => meaningless(other),
        },
    );
    let on_the_whole = policy::reach(standing, Action::ReadPublished)
        .everything
        .then(|| feedback::Column::BlueprintId.is_null());
    Condition::any()
        .add(feedback::Column::BlueprintId.in_subquery(blueprints))
        .add_option(on_the_whole)
        .add(looked_after)
}

/// Follow-ups that somebody may see: those of the answers that they may see.
#[must_use]
pub fn follow_ups(standing: &Standing) -> Condition {
    let answers = ids_of::<feedback::Entity>(feedback::Column::Id, feedback(standing));
    Condition::all().add(follow_up::Column::FeedbackId.in_subquery(answers))
}

/// Audit events that somebody may see.
#[must_use]
pub fn audit_events(standing: &Standing) -> Condition {
    within(
        &policy::reach(standing, Action::ReadAudit),
        |relation, own| match relation {
            Relation::IsIt => {
                let concerned =
                    Condition::all().add(among(audit_event_department::Column::DepartmentId, own));
                let ids = ids_of::<audit_event_department::Entity>(
                    audit_event_department::Column::AuditEventId,
                    concerned,
                );
                Condition::all().add(audit_event::Column::Id.in_subquery(ids))
            }
            other => meaningless(other),
        },
    )
}

/// The departments of whose rows somebody may pull flat KPI rows; none where it is all.
#[must_use]
pub fn flat_rows<C: IntoColumnRef>(reach: &Reach, department_id: C) -> Condition {
    let column = Expr::col(department_id);
    within(reach, |relation, own| match relation {
        Relation::IsIt => Condition::all().add(column.clone().is_in(own.iter().map(|id| id.0))),
        other => meaningless(other),
    })
}
