//! Lists that several edges answer with.

use std::sync::Arc;

use async_graphql::Context;
use entity::{improvement, words::ImprovementState};
use sea_orm::{ColumnTrait, Condition, QueryFilter, sea_query::SimpleExpr};

use crate::{
    batch::{LoaderKey, load},
    canvas::Canvas,
    compute::ROW_READ,
    error::Result,
    improvement::graphql::Improvement,
    judgement::JudgedKpiLink,
    kpi::graphql::KpiLink,
    meter::{self, BudgetChargedList},
    page::{self, ObjectPage, PageArguments},
    payload::caller,
    touchpoint::graphql::Touchpoint,
};

/// Links that were read with the blueprint, as far as their KPIs are there.
pub(super) fn list_judged_links<'c>(
    canvas: &'c Canvas,
    links: impl IntoIterator<Item = &'c JudgedKpiLink>,
) -> BudgetChargedList<KpiLink> {
    let links = links.into_iter();
    let links = links.filter_map(|judged| {
        Some(KpiLink::from_judged(
            judged,
            canvas.kpi(judged.link.kpi_id)?,
        ))
    });
    meter::metered_list(links)
}

pub(super) async fn load_kpi_links<K>(
    ctx: &Context<'_>,
    place: K,
) -> Result<BudgetChargedList<KpiLink>>
where
    K: LoaderKey<Value = Arc<Vec<(JudgedKpiLink, entity::kpi::Model)>>>,
{
    let rows = load(ctx, place).await?.unwrap_or_default();
    let links = rows.iter();
    let links = links.map(|(judged, kpi)| KpiLink::from_judged(judged, kpi));
    Ok(meter::metered_list(links))
}

/// The rows that a place has, in their order. Short lists (personas, segments, channels, a phase's touchpoints) are not
/// charged: copying them costs less than counting.
pub(super) async fn load_list<K, R, N>(ctx: &Context<'_>, place: K) -> Result<BudgetChargedList<N>>
where
    K: LoaderKey<Value = Arc<Vec<R>>>,
    R: Clone + Send + Sync,
    N: From<R>,
{
    let rows = load(ctx, place).await?.unwrap_or_default();
    // Reading them was paid for once, for however many fields; each field holds copies of its own.
    caller(ctx)?.budget.spend(ROW_READ * rows.len() as u64)?;
    Ok(meter::metered_list(rows.iter().cloned()))
}

/// A page of improvements.
pub(super) async fn page_of_improvements(
    ctx: &Context<'_>,
    which: SimpleExpr,
    states: Option<Vec<ImprovementState>>,
    page: PageArguments,
) -> Result<ObjectPage<Improvement>> {
    let caller = caller(ctx)?;
    let in_state = states.map(|states| improvement::Column::State.is_in(states));
    let select = caller
        .select::<improvement::Entity>()
        .filter(which)
        .filter(Condition::all().add_option(in_state));
    page::page_oldest_first(ctx, select, page, Improvement::from).await
}

/// Of the touchpoints that were listed, those that are not archived.
pub(super) fn list_live_touchpoints(
    rows: &[entity::touchpoint::Model],
) -> BudgetChargedList<Touchpoint> {
    let living = rows.iter().filter(|row| row.archived_at.is_none());
    meter::metered_list(living.cloned())
}
