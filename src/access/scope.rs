//! The policy as SQL: for each table the condition under which a principal may see a row, each relation spelled once.
//! It decides nothing; it translates the reach that the policy gives.
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

use super::principal::{IdsOrSubquery, Principal, SqlReach};
use crate::policy::{Action, Relation};

/// Everybody who is signed in may see it.
#[must_use]
pub fn all_rows_condition(_: Principal<'_>) -> Condition {
    Condition::all()
}

fn no_rows_condition() -> Condition {
    Condition::any().add(Expr::value(false))
}

pub(super) fn ids_condition<C: IntoSimpleExpr>(column: C, ids: &IdsOrSubquery) -> SimpleExpr {
    ids.contains(column.into_simple_expr())
}

/// A reach as a condition: every row, or the rows to which one of its relations leads.
pub(super) fn reach_condition(
    reached: &SqlReach,
    condition_of: impl Fn(Relation, &IdsOrSubquery) -> Condition,
) -> Condition {
    if reached.is_everything() {
        return Condition::all();
    }
    reached
        .through
        .iter()
        .fold(no_rows_condition(), |any, (name, own)| {
            any.add(condition_of(*name, own))
        })
        .add_option(reached.reaches_everything_sql())
}

/// No row: the relation has no meaning for this table.
pub(super) fn no_rows_for_meaningless_relation(_: Relation) -> Condition {
    no_rows_condition()
}

/// The blueprints that one of these departments owns, or in which it holds or is offered a responsibility.
pub(super) fn participating_blueprints_condition(own: &IdsOrSubquery) -> Condition {
    let holds = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::BlueprintId)
        .filter(ids_condition(responsibility::Column::DepartmentId, own))
        .filter(open_responsibility_condition());
    Condition::any()
        .add(ids_condition(blueprint::Column::OwnerDepartmentId, own))
        .add(blueprint::Column::Id.in_subquery(holds.into_query()))
}

/// Responsibilities that are ACCEPTED or PROPOSED.
#[must_use]
pub fn open_responsibility_condition() -> SimpleExpr {
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
pub fn delivering_role_condition() -> SimpleExpr {
    responsibility::Column::Role.is_in(DELIVERING)
}

/// Blueprints that are published, or were when they were archived.
#[must_use]
pub fn published_blueprints_condition() -> Condition {
    Condition::any()
        .add(blueprint::Column::Status.eq(BlueprintStatus::Published))
        .add(blueprint::Column::ArchivedFrom.eq(BlueprintStatus::Published))
}

/// Blueprints in draft or in review, or archived as such: archiving a draft does not make it public.
fn unpublished_blueprints_condition() -> Condition {
    let drafts = [BlueprintStatus::Draft, BlueprintStatus::InReview];
    Condition::any()
        .add(blueprint::Column::Status.is_in(drafts))
        .add(blueprint::Column::ArchivedFrom.is_in(drafts))
}

/// Blueprints that count in facts, gap lists and lead lists: CURRENT ones that are published, or were when archived.
#[must_use]
pub fn published_current_blueprints_condition() -> Condition {
    Condition::all()
        .add(published_blueprints_condition())
        .add(blueprint::Column::State.eq(BlueprintState::Current))
}

/// The Rust twin of [`published_current_blueprints_condition`]: whether a blueprint counts.
#[must_use]
pub fn is_published_current_blueprint(blueprint: &blueprint::Model) -> bool {
    let in_force = blueprint.status == BlueprintStatus::Published
        || blueprint.archived_from == Some(BlueprintStatus::Published);
    in_force && blueprint.state == BlueprintState::Current
}

/// The ids of the blueprints that count.
#[must_use]
pub fn select_published_current_blueprint_ids() -> SelectStatement {
    select_ids::<blueprint::Entity>(
        blueprint::Column::Id,
        published_current_blueprints_condition(),
    )
}

/// Blueprints that somebody may see.
#[must_use]
pub fn blueprints_condition(principal: Principal<'_>) -> Condition {
    let reached = |action| {
        reach_condition(&principal.reach(action), |relation, own| match relation {
            Relation::Participates => participating_blueprints_condition(own),
            Relation::OwnsBlueprint => {
                Condition::all().add(ids_condition(blueprint::Column::OwnerDepartmentId, own))
            }
            other => no_rows_for_meaningless_relation(other),
        })
    };
    let rows = [
        (
            published_with_visibility_condition(Visibility::Organisation),
            Action::ReadPublished,
        ),
        (
            published_with_visibility_condition(Visibility::Participants),
            Action::ReadRestricted,
        ),
        (unpublished_blueprints_condition(), Action::ReadDraft),
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

pub(super) fn published_with_visibility_condition(visibility: Visibility) -> Condition {
    Condition::all()
        .add(published_blueprints_condition())
        .add(blueprint::Column::Visibility.eq(visibility))
}

/// A select of the ids of the blueprints that somebody may see; none where that is every blueprint.
#[must_use]
pub fn select_readable_blueprint_ids(principal: Principal<'_>) -> Option<SelectStatement> {
    let readable = blueprints_condition(principal);
    (!readable.is_empty()).then(|| select_ids::<blueprint::Entity>(blueprint::Column::Id, readable))
}

/// Rows inside blueprints that somebody may see, by the column of the blueprint's id.
fn inside_readable_blueprints_condition<C: ColumnTrait>(
    principal: Principal<'_>,
    blueprint_id: C,
) -> Condition {
    match select_readable_blueprint_ids(principal) {
        Some(ids) => Condition::all().add(blueprint_id.in_subquery(ids)),
        None => Condition::all(),
    }
}

/// Phases that somebody may see.
#[must_use]
pub fn phases_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, phase::Column::BlueprintId)
}

/// Touchpoints that somebody may see.
#[must_use]
pub fn touchpoints_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, touchpoint::Column::BlueprintId)
}

/// Transitions that somebody may see.
#[must_use]
pub fn transitions_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, transition::Column::BlueprintId)
}

/// Scenarios that somebody may see.
#[must_use]
pub fn scenarios_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, scenario::Column::BlueprintId)
}

/// Sources that somebody may see.
#[must_use]
pub fn insight_sources_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, source::Column::BlueprintId)
}

/// Insights that somebody may see.
#[must_use]
pub fn insights_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, insight::Column::BlueprintId)
}

/// Promises that somebody may see.
#[must_use]
pub fn promises_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, promise::Column::BlueprintId)
}

/// Evaluations that somebody may see.
#[must_use]
pub fn evaluations_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, evaluation::Column::BlueprintId)
}

/// Improvements that somebody may see.
#[must_use]
pub fn improvements_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, improvement::Column::BlueprintId)
}

/// Publications that somebody may see: those of blueprints that they may see now, whoever could then.
#[must_use]
pub fn publications_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, publication::Column::BlueprintId)
}

/// Responsibilities that somebody may see.
#[must_use]
pub fn responsibilities_condition(principal: Principal<'_>) -> Condition {
    inside_readable_blueprints_condition(principal, responsibility::Column::BlueprintId)
}

pub(super) fn select_ids<E: EntityTrait>(
    column: E::Column,
    condition: Condition,
) -> SelectStatement {
    E::find()
        .select_only()
        .column(column)
        .filter(condition)
        .into_query()
}

pub(super) fn select_participating_blueprint_ids(own: &IdsOrSubquery) -> SelectStatement {
    select_ids::<blueprint::Entity>(
        blueprint::Column::Id,
        participating_blueprints_condition(own),
    )
}

/// Rows that everybody may see, and a partner only where `participates` holds for the partner's departments.
fn public_or_participating_condition(
    principal: Principal<'_>,
    participates: impl Fn(&IdsOrSubquery) -> Condition,
) -> Condition {
    reach_condition(
        &principal.reach(Action::ReadPublished),
        |relation, own| match relation {
            Relation::Participates => participates(own),
            other => no_rows_for_meaningless_relation(other),
        },
    )
}

fn department_participates_condition<C: ColumnTrait>(column: C, own: &IdsOrSubquery) -> Condition {
    let holders = Condition::all()
        .add(
            responsibility::Column::BlueprintId
                .in_subquery(select_participating_blueprint_ids(own)),
        )
        .add(open_responsibility_condition());
    Condition::any()
        .add(ids_condition(column, own))
        .add(column.in_subquery(select_ids::<blueprint::Entity>(
            blueprint::Column::OwnerDepartmentId,
            participating_blueprints_condition(own),
        )))
        .add(column.in_subquery(select_ids::<responsibility::Entity>(
            responsibility::Column::DepartmentId,
            holders,
        )))
}

/// Departments that somebody may see.
#[must_use]
pub fn departments_condition(principal: Principal<'_>) -> Condition {
    public_or_participating_condition(principal, |own| {
        department_participates_condition(department::Column::Id, own)
    })
}

/// Memberships that somebody may see.
#[must_use]
pub fn memberships_condition(principal: Principal<'_>) -> Condition {
    public_or_participating_condition(principal, |own| {
        department_participates_condition(membership::Column::DepartmentId, own)
    })
}

/// Accounts that somebody may see.
#[must_use]
pub fn accounts_condition(principal: Principal<'_>) -> Condition {
    let colleagues = public_or_participating_condition(principal, |own| {
        let members = department_participates_condition(membership::Column::DepartmentId, own);
        Condition::all().add(
            account::Column::Id.in_subquery(select_ids::<membership::Entity>(
                membership::Column::AccountId,
                members,
            )),
        )
    });
    match principal.own_account() {
        // An empty condition means every row: a condition added to it with OR would narrow it to oneself.
        Some(oneself) if !colleagues.is_empty() => Condition::any()
            .add(colleagues)
            .add(ids_condition(account::Column::Id, &oneself)),
        _ => colleagues,
    }
}

/// One's own sessions.
#[must_use]
pub fn sessions_condition(principal: Principal<'_>) -> Condition {
    if !principal.reach(Action::KeepOwnSignIn).is_everything() {
        return no_rows_condition();
    }
    match principal.own_account() {
        Some(oneself) => Condition::all().add(ids_condition(session::Column::AccountId, &oneself)),
        None => Condition::all(),
    }
}

/// Service tokens, for those who keep them and those who read in the audit log what was done with any.
#[must_use]
pub fn service_tokens_condition(principal: Principal<'_>) -> Condition {
    let may = |action| principal.reach(action).is_everything();
    match may(Action::KeepOrganisation) || may(Action::ReadAudit) {
        true => Condition::all(),
        false => no_rows_condition(),
    }
}

/// Personas that somebody may see.
#[must_use]
pub fn personas_condition(principal: Principal<'_>) -> Condition {
    public_or_participating_condition(principal, |own| {
        let secondary = Condition::all().add(
            blueprint_persona::Column::BlueprintId
                .in_subquery(select_participating_blueprint_ids(own)),
        );
        Condition::any()
            .add(
                persona::Column::Id.in_subquery(select_ids::<blueprint::Entity>(
                    blueprint::Column::PersonaId,
                    participating_blueprints_condition(own),
                )),
            )
            .add(
                persona::Column::Id.in_subquery(select_ids::<blueprint_persona::Entity>(
                    blueprint_persona::Column::PersonaId,
                    secondary,
                )),
            )
    })
}

/// KPIs whose definition somebody may see.
#[must_use]
pub fn kpis_condition(principal: Principal<'_>) -> Condition {
    public_or_participating_condition(principal, |own| {
        let linked = Condition::all().add(
            kpi_link::Column::BlueprintId.in_subquery(select_participating_blueprint_ids(own)),
        );
        Condition::any()
            .add(ids_condition(kpi::Column::OwnerDepartmentId, own))
            .add(kpi::Column::Id.in_subquery(select_ids::<kpi_link::Entity>(
                kpi_link::Column::KpiId,
                linked,
            )))
    })
}

/// KPIs whose values somebody may see, of those whose definition they may see.
#[must_use]
pub fn kpi_values_condition(principal: Principal<'_>) -> Condition {
    let reach = principal.reach(Action::ReadConfidential);
    if reach.is_everything() {
        return Condition::all();
    }
    let confidential = reach_condition(&reach, |relation, own| match relation {
        Relation::OwnsKpi => {
            Condition::all().add(ids_condition(kpi::Column::OwnerDepartmentId, own))
        }
        other => no_rows_for_meaningless_relation(other),
    });
    let granted = reach.granted_to.as_ref().map(|account| {
        let grants = Condition::all().add(ids_condition(kpi_grant::Column::AccountId, account));
        kpi::Column::Id.in_subquery(select_ids::<kpi_grant::Entity>(
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
fn rows_of_kpi_condition<C: ColumnTrait>(kpi_id: C, readable: Condition) -> Condition {
    if readable.is_empty() {
        return Condition::all();
    }
    Condition::all().add(kpi_id.in_subquery(select_ids::<kpi::Entity>(kpi::Column::Id, readable)))
}

/// KPIs whose definition and whose values somebody may see.
fn kpis_with_readable_values_condition(principal: Principal<'_>) -> Condition {
    let (definition, values) = (kpis_condition(principal), kpi_values_condition(principal));
    if definition.is_empty() && values.is_empty() {
        return Condition::all();
    }
    Condition::all().add(definition).add(values)
}

/// Targets that somebody may see.
#[must_use]
pub fn kpi_targets_condition(principal: Principal<'_>) -> Condition {
    rows_of_kpi_condition(
        kpi_target::Column::KpiId,
        kpis_with_readable_values_condition(principal),
    )
}

/// Grants that somebody may see: those of KPIs whose values they may see.
#[must_use]
pub fn kpi_grants_condition(principal: Principal<'_>) -> Condition {
    rows_of_kpi_condition(
        kpi_grant::Column::KpiId,
        kpis_with_readable_values_condition(principal),
    )
}

/// KPI links that somebody may see.
#[must_use]
pub fn kpi_links_condition(principal: Principal<'_>) -> Condition {
    Condition::all()
        .add(inside_readable_blueprints_condition(
            principal,
            kpi_link::Column::BlueprintId,
        ))
        .add(rows_of_kpi_condition(
            kpi_link::Column::KpiId,
            kpis_condition(principal),
        ))
}

/// Measurements that somebody may see.
#[must_use]
pub fn measurements_condition(principal: Principal<'_>) -> Condition {
    let anywhere = rows_of_kpi_condition(
        measurement::Column::KpiId,
        kpis_with_readable_values_condition(principal),
    );
    match select_readable_blueprint_ids(principal) {
        None => anywhere,
        // A value at a touchpoint gives away that the touchpoint exists, so it follows the blueprint as well as the
        // KPI.
        Some(_) => {
            let there = select_ids::<touchpoint::Entity>(
                touchpoint::Column::Id,
                touchpoints_condition(principal),
            );
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
pub fn feedback_condition(principal: Principal<'_>) -> Condition {
    if select_readable_blueprint_ids(principal).is_none() {
        return Condition::all();
    }
    let looked_after =
        reach_condition(
            &principal.reach(Action::WorkFollowUp),
            |relation, own| match relation {
                Relation::LooksAfter => {
                    Condition::all().add(ids_condition(feedback::Column::DepartmentId, own))
                }
                other => no_rows_for_meaningless_relation(other),
            },
        );
    Condition::any()
        .add(in_blueprints_or_unplaced_condition(
            principal,
            feedback::Column::BlueprintId,
        ))
        .add(looked_after)
}

/// Cells of employees' answers that somebody may see: those at places that they may read.
#[must_use]
pub fn employee_cells_condition(principal: Principal<'_>) -> Condition {
    in_blueprints_or_unplaced_condition(principal, employee_cell::Column::BlueprintId)
}

/// Rows of blueprints that somebody may see; rows of no blueprint for whoever may read all that is published.
fn in_blueprints_or_unplaced_condition(
    principal: Principal<'_>,
    blueprint_id: impl ColumnTrait,
) -> Condition {
    let Some(blueprints) = select_readable_blueprint_ids(principal) else {
        return Condition::all();
    };
    let everything = principal
        .reach(Action::ReadPublished)
        .reaches_everything_sql();
    let on_the_whole =
        everything.map(|everything| Condition::all().add(blueprint_id.is_null()).add(everything));
    Condition::any()
        .add(blueprint_id.in_subquery(blueprints))
        .add_option(on_the_whole)
}

/// Follow-ups that somebody may see: those of the answers that they may see.
#[must_use]
pub fn follow_ups_condition(principal: Principal<'_>) -> Condition {
    let answers =
        select_ids::<feedback::Entity>(feedback::Column::Id, feedback_condition(principal));
    Condition::all().add(follow_up::Column::FeedbackId.in_subquery(answers))
}

/// Audit events that somebody may see.
#[must_use]
pub fn audit_events_condition(principal: Principal<'_>) -> Condition {
    reach_condition(
        &principal.reach(Action::ReadAudit),
        |relation, own| match relation {
            Relation::IsIt => {
                let concerned = Condition::all().add(ids_condition(
                    audit_event_department::Column::DepartmentId,
                    own,
                ));
                let ids = select_ids::<audit_event_department::Entity>(
                    audit_event_department::Column::AuditEventId,
                    concerned,
                );
                Condition::all().add(audit_event::Column::Id.in_subquery(ids))
            }
            other => no_rows_for_meaningless_relation(other),
        },
    )
}

/// Rows of departments for which somebody may pull flat KPI rows, by the column of the department's id.
#[must_use]
pub fn pullable_flat_rows_condition<C: IntoColumnRef>(
    principal: Principal<'_>,
    department_id: C,
) -> Condition {
    let column = Expr::col(department_id);
    reach_condition(
        &principal.reach(Action::PullFlatRows),
        |relation, own| match relation {
            Relation::IsIt => Condition::all().add(own.contains(column.clone())),
            other => no_rows_for_meaningless_relation(other),
        },
    )
}
