//! Contact pressure: how often a month a persona is contacted, all journeys together, and by whom. A persona is in one
//! phase of a journey at a time, so of each journey the phase with the most contacts counts.

use std::collections::BTreeMap;

use entity::{
    blueprint, blueprint_persona,
    id::{BlueprintId, DepartmentId, PersonaId, PhaseId},
    phase, responsibility, touchpoint,
    words::{Initiator, ResponsibilityStatus, Role},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect,
    QueryTrait,
    sea_query::{Expr, ExprTrait, IntoCondition},
};

use crate::{
    access::{Caller, scope},
    error::Result,
    number::{CompensatedSum, round_computed},
};

/// How often a month a department contacts a persona.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DepartmentContactRate {
    /// Accountable where it happens; none where nobody is.
    pub department: Option<DepartmentId>,
    pub per_month: f64,
}

/// Contacts a month of one department in one phase.
type PhaseRate = (BlueprintId, PhaseId, Option<DepartmentId>, f64);

/// Who contacts a persona how often, those who do it most first: in the busiest phases of the blueprints that the caller may read and that
/// count (CURRENT, and published now or before they were archived), whether it is their main persona or another;
/// one blueprint may be left out. Contacts that the customer begins are left out.
pub async fn load_department_contact_rates<C: ConnectionTrait>(
    caller: &Caller,
    db: &C,
    persona: PersonaId,
    except: Option<BlueprintId>,
) -> Result<Vec<DepartmentContactRate>> {
    let blueprint_ids = blueprint::Entity::find()
        .select_only()
        .column(blueprint::Column::Id)
        .filter(
            Condition::any()
                .add(blueprint::Column::PersonaId.eq(persona))
                .add(
                    blueprint::Column::Id
                        .in_subquery(select_blueprints_with_secondary_persona(persona)),
                ),
        )
        .into_query();
    let living = phase::Entity::find()
        .select_only()
        .column(phase::Column::Id)
        .filter(phase::Column::ArchivedAt.is_null())
        .into_query();
    let not_by_customer = Condition::any()
        .add(touchpoint::Column::Initiator.is_null())
        .add(touchpoint::Column::Initiator.ne(Initiator::Customer));
    // The role and status stand in the join and not in WHERE: a touchpoint where nobody is accountable keeps its row.
    let accountable = touchpoint::Entity::belongs_to(responsibility::Entity)
        .from(touchpoint::Column::Id)
        .to(responsibility::Column::TouchpointId)
        .on_condition(|_, held| {
            let column = |column: responsibility::Column| Expr::col((held.clone(), column));
            column(responsibility::Column::Role)
                .eq(Role::Accountable.as_str())
                .and(
                    column(responsibility::Column::Status)
                        .eq(ResponsibilityStatus::Accepted.as_str()),
                )
                .into_condition()
        });
    let rows: Vec<PhaseRate> = caller
        .select::<touchpoint::Entity>()
        .select_only()
        .column(touchpoint::Column::BlueprintId)
        .column(touchpoint::Column::PhaseId)
        .column(responsibility::Column::DepartmentId)
        .column_as(touchpoint::Column::ContactsPerMonth.sum(), "per_month")
        .join(JoinType::LeftJoin, accountable.into())
        .filter(touchpoint::Column::BlueprintId.in_subquery(blueprint_ids))
        .filter(
            touchpoint::Column::BlueprintId
                .in_subquery(scope::select_published_current_blueprint_ids()),
        )
        .filter(
            Condition::all().add_option(except.map(|id| touchpoint::Column::BlueprintId.ne(id))),
        )
        .filter(touchpoint::Column::ArchivedAt.is_null())
        .filter(touchpoint::Column::PhaseId.in_subquery(living))
        .filter(touchpoint::Column::ContactsPerMonth.gt(0.0))
        .filter(not_by_customer)
        .group_by(touchpoint::Column::BlueprintId)
        .group_by(touchpoint::Column::PhaseId)
        .group_by(responsibility::Column::DepartmentId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rates_of_busiest_phases(&rows))
}

fn rates_of_busiest_phases(rows: &[PhaseRate]) -> Vec<DepartmentContactRate> {
    let mut of_phase: BTreeMap<(BlueprintId, PhaseId), CompensatedSum> = BTreeMap::new();
    for (blueprint, phase, _, per_month) in rows {
        let sum = of_phase.entry((*blueprint, *phase)).or_default();
        sum.add(*per_month);
    }
    let mut busiest: BTreeMap<BlueprintId, (PhaseId, f64)> = BTreeMap::new();
    for ((blueprint, phase), sum) in of_phase {
        let sum = sum.total();
        let most = busiest.entry(blueprint).or_insert((phase, sum));
        if sum > most.1 {
            *most = (phase, sum);
        }
    }
    let mut of_department: BTreeMap<Option<DepartmentId>, CompensatedSum> = BTreeMap::new();
    for (blueprint, phase, department, per_month) in rows {
        if busiest.get(blueprint).is_some_and(|most| most.0 == *phase) {
            let sum = of_department.entry(*department).or_default();
            sum.add(*per_month);
        }
    }
    let rates = of_department.into_iter();
    let mut rates: Vec<DepartmentContactRate> = rates
        .map(|(department, sum)| DepartmentContactRate {
            department,
            per_month: round_computed(sum.total()),
        })
        .collect();
    // Stable: equal rates stay in the order of the departments.
    rates.sort_by(|one, other| other.per_month.total_cmp(&one.per_month));
    rates
}

fn select_blueprints_with_secondary_persona(
    persona: PersonaId,
) -> sea_orm::sea_query::SelectStatement {
    blueprint_persona::Entity::find()
        .select_only()
        .column(blueprint_persona::Column::BlueprintId)
        .filter(blueprint_persona::Column::PersonaId.eq(persona))
        .into_query()
}
