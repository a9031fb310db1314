//! KPI links and promise deliveries at touchpoints, with all other places of the same KPIs and promises: so that an
//! impact can say which would be left with none.

use entity::{kpi, kpi_link, phase, promise_delivery, touchpoint};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::SelectStatement,
};

use crate::{access::Caller, database::Transaction, error::Result};

/// What hangs on touchpoints, with all that each of it hangs on.
#[derive(Debug, Default)]
pub struct KpiLinksAndDeliveries {
    pub links: Vec<kpi_link::Model>,
    pub deliveries: Vec<promise_delivery::Model>,
}

/// What hangs on these touchpoints.
pub(super) async fn load_kpi_links_and_deliveries(
    caller: &Caller,
    tx: &Transaction,
    touchpoints: SelectStatement,
) -> Result<KpiLinksAndDeliveries> {
    Ok(KpiLinksAndDeliveries {
        links: load_kpi_links(caller, tx, touchpoints.clone()).await?,
        deliveries: load_promise_deliveries(tx, touchpoints).await?,
    })
}

/// All that delivers the promises that are delivered at one of these touchpoints, as far as it is not archived. A
/// promise and where it is delivered lie in one blueprint: who may see the one may see the others.
async fn load_promise_deliveries(
    tx: &Transaction,
    touchpoints: SelectStatement,
) -> Result<Vec<promise_delivery::Model>> {
    use promise_delivery::Column as C;
    let archived = touchpoint::Entity::find()
        .select_only()
        .column(touchpoint::Column::Id)
        .filter(touchpoint::Column::ArchivedAt.is_not_null());
    let there = promise_delivery::Entity::find()
        .select_only()
        .column(C::PromiseId)
        .filter(C::TouchpointId.in_subquery(touchpoints));
    let deliveries = promise_delivery::Entity::find()
        .filter(C::PromiseId.in_subquery(there.into_query()))
        .filter(C::TouchpointId.not_in_subquery(archived.into_query()));
    Ok(deliveries.all(tx).await?)
}

/// All the links, from today on and as far as the caller may see them, of the KPIs that have one of them at these
/// touchpoints. What is archived judges nothing and is not judged.
async fn load_kpi_links(
    caller: &Caller,
    tx: &Transaction,
    touchpoints: SelectStatement,
) -> Result<Vec<kpi_link::Model>> {
    use kpi_link::Column as C;
    // Two steps in one statement: the KPIs that are touched, and then all of their links, since only these tell
    // whether one is left.
    let judging = select_current_kpi_links(caller)
        .filter(C::TouchpointId.in_subquery(touchpoints))
        .select_only()
        .column(C::KpiId);
    let links = select_current_kpi_links(caller).filter(C::KpiId.in_subquery(judging.into_query()));
    Ok(links.all(tx).await?)
}

fn select_current_kpi_links(caller: &Caller) -> sea_orm::Select<kpi_link::Entity> {
    use kpi_link::Column as C;
    let kpis = kpi::Entity::find()
        .select_only()
        .column(kpi::Column::Id)
        .filter(kpi::Column::ArchivedAt.is_null());
    let archived_touchpoints = touchpoint::Entity::find()
        .select_only()
        .column(touchpoint::Column::Id)
        .filter(touchpoint::Column::ArchivedAt.is_not_null());
    let archived_phases = phase::Entity::find()
        .select_only()
        .column(phase::Column::Id)
        .filter(phase::Column::ArchivedAt.is_not_null());
    let lasts = Condition::any()
        .add(C::ValidTo.is_null())
        .add(C::ValidTo.gt(caller.today));
    let place = Condition::any()
        .add(C::TouchpointId.is_null())
        .add(C::TouchpointId.not_in_subquery(archived_touchpoints.into_query()));
    let phase = Condition::any()
        .add(C::PhaseId.is_null())
        .add(C::PhaseId.not_in_subquery(archived_phases.into_query()));
    caller
        .select::<kpi_link::Entity>()
        .filter(C::KpiId.in_subquery(kpis.into_query()))
        .filter(lasts)
        .filter(place)
        .filter(phase)
}
