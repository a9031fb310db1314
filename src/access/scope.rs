//! The policy as SQL: for each table the condition under which a principal may see a row, each relation spelled once. It
//! decides nothing; it translates the reach that the policy gives.
//!
//! An empty condition means "every row", so that a statement for a CX manager carries no subquery at all.

use entity::{
    account, audit_event, audit_event_department, blueprint, blueprint_persona, department,
    employee_cell, evaluation, feedback, follow_up, improvement, insight, kpi, kpi_grant, kpi_link,
    kpi_target, measurement, membership, persona, phase, promise, publication, responsibility,
    scenario, session, source, touchpoint, transition,
    words::{BlueprintState, BlueprintStatus, ResponsibilityStatus, Role, Sensitivity, Visibility},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoSimpleExpr, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, IntoColumnRef, SelectStatement, SimpleExpr},
};

use super::principal::{IdSet, Principal, SqlReach};
use crate::policy::{Action, Relation};

/// Everybody who is signed in may see it.
#[must_use]
pub fn everything(_: Principal<'_>) -> Condition {
    Condition::all()
}

fn nothing() -> Condition {
    Condition::any().add(Expr::value(false))
}

fn among<C: IntoSimpleExpr>(column: C, ids: &IdSet) -> SimpleExpr {
    ids.contains(column.into_simple_expr())
}

/// A reach as a condition: every row, or the rows to which one of its relations leads.
fn within(reached: &SqlReach, relation: impl Fn(Relation, &IdSet) -> Condition) -> Condition {
    if reached.is_everything() {
        return Condition::all();
    }
    reached
        .through
        .iter()
        .fold(nothing(), |any, (name, own)| any.add(relation(*name, own)))
        .add_option(reached.everything_in_sql())
}

/// No row: the relation has no meaning for this table.
fn meaningless(_: Relation) -> Condition {
    nothing()
}

/// The blueprints that one of these departments owns, or in which it holds or is offered a responsibility.
fn participating(own: &IdSet) -> Condition {
    let holds = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::BlueprintId)
        .filter(among(responsibility::Column::DepartmentId, own))
        .filter(open_responsibility());
    Condition::any()
        .add(among(blueprint::Column::OwnerDepartmentId, own))
        .add(blueprint::Column::Id.in_subquery(holds.into_query()))
}

/// Responsibilities that are ACCEPTED or PROPOSED.
#[must_use]
pub fn open_responsibility() -> SimpleExpr {
    responsibility::Column::Status.is_in([
        ResponsibilityStatus::Proposed,
        ResponsibilityStatus::Accepted,
    ])
}

/// Roles that deliver: RESPONSIBLE does the work, ACCOUNTABLE answers for it. Stated here and not in `responsibility`,
/// as the relation `Delivers`, which the door asks for, is drawn from it.
pub const DELIVERING: [Role; 2] = [Role::Responsible, Role::Accountable];

/// Responsibilities whose role delivers, whatever their status.
#[must_use]
pub fn delivering() -> SimpleExpr {
    responsibility::Column::Role.is_in(DELIVERING)
}

/// Blueprints that are published, or were when they were archived.
#[must_use]
pub fn in_force() -> Condition {
    Condition::any()
        .add(blueprint::Column::Status.eq(BlueprintStatus::Published))
        .add(blueprint::Column::ArchivedFrom.eq(BlueprintStatus::Published))
}

/// Blueprints in draft or in review, or archived as such: archiving a draft does not make it public.
fn not_in_force() -> Condition {
    let drafts = [BlueprintStatus::Draft, BlueprintStatus::InReview];
    Condition::any()
        .add(blueprint::Column::Status.is_in(drafts))
        .add(blueprint::Column::ArchivedFrom.is_in(drafts))
}

/// Blueprints that count in facts, gap lists and lead lists: CURRENT ones that are published, or were when archived.
#[must_use]
pub fn reportable() -> Condition {
    Condition::all()
        .add(in_force())
        .add(blueprint::Column::State.eq(BlueprintState::Current))
}

/// The Rust twin of [`reportable`]: whether a blueprint counts.
#[must_use]
pub fn is_reportable(blueprint: &blueprint::Model) -> bool {
    let in_force = blueprint.status == BlueprintStatus::Published
        || blueprint.archived_from == Some(BlueprintStatus::Published);
    in_force && blueprint.state == BlueprintState::Current
}

/// The ids of the blueprints that count.
#[must_use]
pub fn reportable_blueprint_ids() -> SelectStatement {
    ids_of::<blueprint::Entity>(blueprint::Column::Id, reportable())
}

/// Blueprints that somebody may see.
#[must_use]
pub fn blueprints(principal: Principal<'_>) -> Condition {
    let reached = |action| {
        within(&principal.reach(action), |relation, own| match relation {
            Relation::Participates => participating(own),
            Relation::OwnsBlueprint => {
                Condition::all().add(among(blueprint::Column::OwnerDepartmentId, own))
            }
            other => meaningless(other),
        })
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
        .all(|(_, action)| principal.reach(*action).is_everything())
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

/// A select of the ids of the blueprints that somebody may see; none where that is every blueprint.
#[must_use]
pub fn blueprint_ids(principal: Principal<'_>) -> Option<SelectStatement> {
    let readable = blueprints(principal);
    (!readable.is_empty()).then(|| {
        blueprint::Entity::find()
            .select_only()
            .column(blueprint::Column::Id)
            .filter(readable)
            .into_query()
    })
}

/// Rows inside blueprints that somebody may see, by the column of the blueprint's id.
fn inside<C: ColumnTrait>(principal: Principal<'_>, blueprint_id: C) -> Condition {
    match blueprint_ids(principal) {
        Some(ids) => Condition::all().add(blueprint_id.in_subquery(ids)),
        None => Condition::all(),
    }
}

/// Phases that somebody may see.
#[must_use]
pub fn phases(principal: Principal<'_>) -> Condition {
    inside(principal, phase::Column::BlueprintId)
}

/// Touchpoints that somebody may see.
#[must_use]
pub fn touchpoints(principal: Principal<'_>) -> Condition {
    inside(principal, touchpoint::Column::BlueprintId)
}

/// Transitions that somebody may see.
#[must_use]
pub fn transitions(principal: Principal<'_>) -> Condition {
    inside(principal, transition::Column::BlueprintId)
}

/// Scenarios that somebody may see.
#[must_use]
pub fn scenarios(principal: Principal<'_>) -> Condition {
    inside(principal, scenario::Column::BlueprintId)
}

/// Sources that somebody may see.
#[must_use]
pub fn sources(principal: Principal<'_>) -> Condition {
    inside(principal, source::Column::BlueprintId)
}

/// Insights that somebody may see.
#[must_use]
pub fn insights(principal: Principal<'_>) -> Condition {
    inside(principal, insight::Column::BlueprintId)
}

/// Promises that somebody may see.
#[must_use]
pub fn promises(principal: Principal<'_>) -> Condition {
    inside(principal, promise::Column::BlueprintId)
}

/// Evaluations that somebody may see.
#[must_use]
pub fn evaluations(principal: Principal<'_>) -> Condition {
    inside(principal, evaluation::Column::BlueprintId)
}

/// Improvements that somebody may see.
#[must_use]
pub fn improvements(principal: Principal<'_>) -> Condition {
    inside(principal, improvement::Column::BlueprintId)
}

/// Publications that somebody may see: those of blueprints that they may see now, whoever could then.
#[must_use]
pub fn publications(principal: Principal<'_>) -> Condition {
    inside(principal, publication::Column::BlueprintId)
}

/// Responsibilities that somebody may see.
#[must_use]
pub fn responsibilities(principal: Principal<'_>) -> Condition {
    inside(principal, responsibility::Column::BlueprintId)
}

fn ids_of<E: EntityTrait>(column: E::Column, condition: Condition) -> SelectStatement {
    E::find()
        .select_only()
        .column(column)
        .filter(condition)
        .into_query()
}

fn participating_ids(own: &IdSet) -> SelectStatement {
    ids_of::<blueprint::Entity>(blueprint::Column::Id, participating(own))
}

/// Rows that everybody may see, and a partner only where `participates` holds for the partner's departments.
fn catalogue(principal: Principal<'_>, participates: impl Fn(&IdSet) -> Condition) -> Condition {
    within(
        &principal.reach(Action::ReadPublished),
        |relation, own| match relation {
            Relation::Participates => participates(own),
            other => meaningless(other),
        },
    )
}

fn department_participates<C: ColumnTrait>(column: C, own: &IdSet) -> Condition {
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
pub fn departments(principal: Principal<'_>) -> Condition {
    catalogue(principal, |own| {
        department_participates(department::Column::Id, own)
    })
}

/// Memberships that somebody may see.
#[must_use]
pub fn memberships(principal: Principal<'_>) -> Condition {
    catalogue(principal, |own| {
        department_participates(membership::Column::DepartmentId, own)
    })
}

/// Accounts that somebody may see.
#[must_use]
pub fn accounts(principal: Principal<'_>) -> Condition {
    let colleagues = catalogue(principal, |own| {
        let members = department_participates(membership::Column::DepartmentId, own);
        Condition::all().add(
            account::Column::Id.in_subquery(ids_of::<membership::Entity>(
                membership::Column::AccountId,
                members,
            )),
        )
    });
    match principal.own_account() {
        // An empty condition means every row: a condition added to it with OR would narrow it to oneself.
        Some(oneself) if !colleagues.is_empty() => Condition::any()
            .add(colleagues)
            .add(among(account::Column::Id, &oneself)),
        _ => colleagues,
    }
}

/// One's own sessions.
#[must_use]
pub fn sessions(principal: Principal<'_>) -> Condition {
    if !principal.reach(Action::KeepOwnSignIn).is_everything() {
        return nothing();
    }
    match principal.own_account() {
        Some(oneself) => Condition::all().add(among(session::Column::AccountId, &oneself)),
        None => Condition::all(),
    }
}

/// Service tokens, for those who keep them and those who read in the audit log what was done with any.
#[must_use]
pub fn service_tokens(principal: Principal<'_>) -> Condition {
    let may = |action| principal.reach(action).is_everything();
    match may(Action::KeepOrganisation) || may(Action::ReadAudit) {
        true => Condition::all(),
        false => nothing(),
    }
}

/// Personas that somebody may see.
#[must_use]
pub fn personas(principal: Principal<'_>) -> Condition {
    catalogue(principal, |own| {
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
pub fn kpis(principal: Principal<'_>) -> Condition {
    catalogue(principal, |own| {
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
pub fn kpi_values(principal: Principal<'_>) -> Condition {
    let reach = principal.reach(Action::ReadConfidential);
    if reach.is_everything() {
        return Condition::all();
    }
    let confidential = within(&reach, |relation, own| match relation {
        Relation::OwnsKpi => Condition::all().add(among(kpi::Column::OwnerDepartmentId, own)),
        other => meaningless(other),
    });
    let granted = reach.granted_to.as_ref().map(|account| {
        let grants = Condition::all().add(among(kpi_grant::Column::AccountId, account));
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

/// Rows of KPIs that fulfil a condition, by the column of the KPI's id.
fn of_kpi<C: ColumnTrait>(kpi_id: C, readable: Condition) -> Condition {
    if readable.is_empty() {
        return Condition::all();
    }
    Condition::all().add(kpi_id.in_subquery(ids_of::<kpi::Entity>(kpi::Column::Id, readable)))
}

fn with_values(principal: Principal<'_>) -> Condition {
    let (definition, values) = (kpis(principal), kpi_values(principal));
    if definition.is_empty() && values.is_empty() {
        return Condition::all();
    }
    Condition::all().add(definition).add(values)
}

/// Targets that somebody may see.
#[must_use]
pub fn kpi_targets(principal: Principal<'_>) -> Condition {
    of_kpi(kpi_target::Column::KpiId, with_values(principal))
}

/// Grants that somebody may see: those of KPIs whose values they may see.
#[must_use]
pub fn kpi_grants(principal: Principal<'_>) -> Condition {
    of_kpi(kpi_grant::Column::KpiId, with_values(principal))
}

/// KPI links that somebody may see.
#[must_use]
pub fn kpi_links(principal: Principal<'_>) -> Condition {
    Condition::all()
        .add(inside(principal, kpi_link::Column::BlueprintId))
        .add(of_kpi(kpi_link::Column::KpiId, kpis(principal)))
}

/// Measurements that somebody may see.
#[must_use]
pub fn measurements(principal: Principal<'_>) -> Condition {
    let anywhere = of_kpi(measurement::Column::KpiId, with_values(principal));
    match blueprint_ids(principal) {
        None => anywhere,
        // A value at a touchpoint gives away that the touchpoint exists, so it follows the blueprint as well as the
        // KPI.
        Some(_) => {
            let there =
                ids_of::<touchpoint::Entity>(touchpoint::Column::Id, touchpoints(principal));
            anywhere.add(
                Condition::any()
                    .add(measurement::Column::TouchpointId.is_null())
                    .add(measurement::Column::TouchpointId.in_subquery(there)),
            )
        }
    }
}

/// Answers of customers that somebody may see: those at what they may read, on the organisation as a whole, and routed
/// to their department.
#[must_use]
pub fn feedback(principal: Principal<'_>) -> Condition {
    if blueprint_ids(principal).is_none() {
        return Condition::all();
    }
    let looked_after = within(
        &principal.reach(Action::WorkFollowUp),
        |relation, own| match relation {
            Relation::LooksAfter => {
                Condition::all().add(among(feedback::Column::DepartmentId, own))
            }
            other => meaningless(other),
        },
    );
    Condition::any()
        .add(in_blueprints(principal, feedback::Column::BlueprintId))
        .add(looked_after)
}

/// Cells of employees' answers that somebody may see: those at places that they may read.
#[must_use]
pub fn employee_cells(principal: Principal<'_>) -> Condition {
    in_blueprints(principal, employee_cell::Column::BlueprintId)
}

/// Rows of blueprints that somebody may see; rows of no blueprint for whoever may read all that is published.
fn in_blueprints(principal: Principal<'_>, blueprint_id: impl ColumnTrait) -> Condition {
    let Some(blueprints) = blueprint_ids(principal) else {
        return Condition::all();
    };
    let everything = principal.reach(Action::ReadPublished).everything();
    let on_the_whole =
        everything.map(|everything| Condition::all().add(blueprint_id.is_null()).add(everything));
    Condition::any()
        .add(blueprint_id.in_subquery(blueprints))
        .add_option(on_the_whole)
}

/// Follow-ups that somebody may see: those of the answers that they may see.
#[must_use]
pub fn follow_ups(principal: Principal<'_>) -> Condition {
    let answers = ids_of::<feedback::Entity>(feedback::Column::Id, feedback(principal));
    Condition::all().add(follow_up::Column::FeedbackId.in_subquery(answers))
}

/// Audit events that somebody may see.
#[must_use]
pub fn audit_events(principal: Principal<'_>) -> Condition {
    within(
        &principal.reach(Action::ReadAudit),
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

/// Rows of departments for which somebody may pull flat KPI rows, by the column of the department's id.
#[must_use]
pub fn flat_rows<C: IntoColumnRef>(principal: Principal<'_>, department_id: C) -> Condition {
    let column = Expr::col(department_id);
    within(
        &principal.reach(Action::PullFlatRows),
        |relation, own| match relation {
            Relation::IsIt => Condition::all().add(own.contains(column.clone())),
            other => meaningless(other),
        },
    )
}
