//! Contact pressure: how often a month a persona is contacted, all journeys together, and by whom.

use entity::{
    blueprint, blueprint_persona,
    id::{BlueprintId, DepartmentId, PersonaId},
    phase, responsibility, touchpoint,
    words::{Initiator, ResponsibilityStatus, Role},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, IntoCondition},
};

use crate::{
    access::{Caller, scope},
    error::Result,
    number::round_computed,
};

/// How often a month a department contacts a persona.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DepartmentContactRate {
    /// Accountable where it happens; none where nobody is.
    pub department: Option<DepartmentId>,
    pub per_month: f64,
}

/// Who contacts a persona how often, those who do it most first: in the blueprints that the caller may read and that
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
    let per_month = touchpoint::Column::ContactsPerMonth.sum();
    let rows: Vec<(Option<DepartmentId>, f64)> = caller
        .select::<touchpoint::Entity>()
        .select_only()
        .column(responsibility::Column::DepartmentId)
        .column_as(per_month.clone(), "per_month")
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
        .group_by(responsibility::Column::DepartmentId)
        .order_by_desc(per_month)
        // After the sum, so that equal sums come in one order on both databases.
        .order_by_asc(responsibility::Column::DepartmentId)
        .into_tuple()
        .all(db)
        .await?;
    let senders = rows.into_iter();
    Ok(senders
        .map(|(department, per_month)| DepartmentContactRate {
            department,
            per_month: round_computed(per_month),
        })
        .collect())
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
