//! The KPIs of what departments deliver: linked where they are ACCOUNTABLE or RESPONSIBLE, whoever owns them.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use entity::{
    id::{DepartmentId, KpiId, TouchpointId},
    kpi, kpi_link, responsibility, touchpoint,
    words::KpiState,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};

use crate::{
    access::{Caller, scope},
    error::Result,
    judgement,
    responsibility::in_force,
};

/// The KPIs that judge, on a day, touchpoints at which one of the departments was ACCOUNTABLE or RESPONSIBLE when
/// the day ended; with `states` only those in one of these states at any of them. Drafts, FUTURE blueprints and
/// archived touchpoints stay out, and a KPI whose values the caller may not see acts as if it were not linked.
pub async fn select_kpis_of_departments(
    caller: &Caller,
    departments: &[DepartmentId],
    states: Option<&[KpiState]>,
    day: NaiveDate,
) -> Result<Select<kpi::Entity>> {
    let links = select_links_at_delivered_touchpoints(caller, departments, day);
    let select = caller
        .select::<kpi::Entity>()
        .filter(kpi::Column::ArchivedAt.is_null());
    let Some(states) = states else {
        let judging = links.select_only().column(kpi_link::Column::KpiId);
        return Ok(select.filter(kpi::Column::Id.in_subquery(judging.into_query())));
    };
    let ids = links.select_only().column(kpi_link::Column::Id);
    let judged = judgement::load_judged_links(caller, ids.into_query(), day).await?;
    let found: BTreeSet<KpiId> = judged
        .into_iter()
        .filter(|(judged, _)| {
            let state = judged.judgement.state();
            state.is_some_and(|state| states.contains(&state))
        })
        .map(|(_, kpi)| kpi.id)
        .collect();
    Ok(select.filter(kpi::Column::Id.is_in(found)))
}

/// What the KPIs that judge the work of departments come to.
#[derive(Debug, Default)]
pub struct Scorecard {
    /// Touchpoints at which they deliver.
    pub touchpoints: usize,
    /// How many of them no KPI judges whose values the caller may see.
    pub without_kpi: usize,
    /// The worst state of each KPI at any of the touchpoints.
    pub states: HashMap<KpiId, KpiState>,
}

/// What the KPIs that judge the work of these departments come to on a day.
pub async fn load_scorecard(
    caller: &Caller,
    departments: &[DepartmentId],
    day: NaiveDate,
) -> Result<Scorecard> {
    let links = select_links_at_delivered_touchpoints(caller, departments, day);
    let ids = links.select_only().column(kpi_link::Column::Id);
    let judged = judgement::load_judged_links(caller, ids.into_query(), day).await?;
    let touchpoints: Vec<TouchpointId> = touchpoint::Entity::find()
        .select_only()
        .column(touchpoint::Column::Id)
        .filter(
            touchpoint::Column::Id.in_subquery(select_delivered_touchpoints(
                caller,
                departments,
                day,
            )),
        )
        .into_tuple()
        .all(caller.connection())
        .await?;
    let mut without: BTreeSet<TouchpointId> = touchpoints.iter().copied().collect();
    let mut card = Scorecard {
        touchpoints: touchpoints.len(),
        ..Scorecard::default()
    };
    for (judged, kpi) in judged {
        let state = judged.judgement.state();
        // Archived KPIs judge nothing any more, and of hidden ones nothing is told.
        let Some(state) = state.filter(|_| kpi.archived_at.is_none()) else {
            continue;
        };
        if let Some(touchpoint) = judged.link.touchpoint_id {
            without.remove(&touchpoint);
        }
        let worst = card.states.entry(kpi.id).or_insert(state);
        *worst = std::cmp::min_by_key(*worst, state, |state| state_rank(*state));
    }
    card.without_kpi = without.len();
    Ok(card)
}

/// The worst comes first.
const fn state_rank(state: KpiState) -> u8 {
    match state {
        KpiState::Missed => 0,
        KpiState::AtRisk => 1,
        KpiState::NoData => 2,
        KpiState::TooFew => 3,
        KpiState::ByPartOnly => 4,
        KpiState::NoTarget => 5,
        KpiState::Met => 6,
    }
}

fn select_links_at_delivered_touchpoints(
    caller: &Caller,
    departments: &[DepartmentId],
    day: NaiveDate,
) -> Select<kpi_link::Entity> {
    let visible = kpi::Entity::find()
        .select_only()
        .column(kpi::Column::Id)
        .filter(scope::kpi_values_condition(caller.principal()));
    caller
        .select::<kpi_link::Entity>()
        .filter(judgement::link_in_force_condition(day))
        .filter(
            kpi_link::Column::TouchpointId.in_subquery(select_delivered_touchpoints(
                caller,
                departments,
                day,
            )),
        )
        .filter(kpi_link::Column::KpiId.in_subquery(visible.into_query()))
}

/// The touchpoints, of blueprints that count, at which one of the departments delivers.
fn select_delivered_touchpoints(
    caller: &Caller,
    departments: &[DepartmentId],
    day: NaiveDate,
) -> SelectStatement {
    let held = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::TouchpointId)
        .filter(responsibility::Column::DepartmentId.is_in(departments.iter().copied()))
        .filter(scope::delivering_role_condition())
        .filter(in_force::in_force_at_day_end_condition(caller, day));
    caller
        .select::<touchpoint::Entity>()
        .select_only()
        .column(touchpoint::Column::Id)
        .filter(touchpoint::Column::ArchivedAt.is_null())
        .filter(
            touchpoint::Column::BlueprintId
                .in_subquery(scope::select_published_current_blueprint_ids()),
        )
        .filter(touchpoint::Column::Id.in_subquery(held.into_query()))
        .into_query()
}
