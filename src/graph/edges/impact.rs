//! What an impact names, shown as far as the caller may see it.

use async_graphql::{ComplexObject, Context, OutputType};
use entity::{
    blueprint, department, follow_up, improvement, insight, kpi, promise, responsibility, scenario,
    touchpoint, transition,
};
use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    access::Guarded,
    blueprint::graphql::Blueprint,
    department::graphql::Department,
    error::Result,
    feedback::graphql::FollowUp,
    improvement::graphql::Improvement,
    insight::graphql::Insight,
    kpi::graphql::Kpi,
    page::{self, ObjectPage, PageArguments},
    payload::caller,
    promise::graphql::CustomerPromise,
    reorganise::graphql::Impact,
    responsibility::graphql::Responsibility,
    scenario::graphql::Scenario,
    touchpoint::graphql::{Touchpoint, Transition},
};

async fn load_page_by_ids<E: Guarded, N: OutputType + From<E::Model>>(
    ctx: &Context<'_>,
    ids: &[E::Id],
    page: PageArguments,
) -> Result<ObjectPage<N>> {
    let caller = caller(ctx)?;
    let ids = E::id_column().is_in(ids.iter().copied());
    page::page_oldest_first(ctx, caller.select::<E>().filter(ids), page, N::from).await
}

macro_rules! impact_lists {
    ($($(#[$doc:meta])* $field:ident: $node:ident of $entity:ident,)*) => {
        #[ComplexObject]
        impl Impact {
            $($(#[$doc])*
            #[graphql(complexity = "page::cost(first, child_complexity)")]
            async fn $field(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
                #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")] after: Option<String>,
            ) -> Result<ObjectPage<$node>> {
                load_page_by_ids::<$entity::Entity, _>(ctx, &self.what.$field, PageArguments { first, after }).await
            })*
        }
    };
}

impact_lists! {
    /// Departments that move below the successor, because the department above them is merged into it.
    departments_moved: Department of department,
    /// Responsibilities in force that end, and that nobody takes over.
    responsibilities_ended: Responsibility of responsibility,
    /// Responsibilities in force that end and start again for the successor, accepted.
    responsibilities_handed_over: Responsibility of responsibility,
    /// Responsibilities in force that end because the successor has the same role there, or takes it over from another
    /// department. Their tasks go to the successor.
    responsibilities_merged: Responsibility of responsibility,
    /// Open proposals that are closed.
    proposals_closed: Responsibility of responsibility,
    /// Open proposals that stay, with the successor in place of the department: as addressee, as proposer, or as the
    /// holder to take over from.
    proposals_readdressed: Responsibility of responsibility,
    /// Touchpoints where nobody is ACCOUNTABLE any more.
    lost_accountable: Touchpoint of touchpoint,
    /// Touchpoints that lose somebody RESPONSIBLE, whether or not others are left.
    lost_responsible: Touchpoint of touchpoint,
    /// Touchpoints that lose somebody RESPONSIBLE, and where nobody is RESPONSIBLE any more.
    left_without_responsible: Touchpoint of touchpoint,
    /// Blueprints that change owner to the successor.
    blueprints_handed_over: Blueprint of blueprint,
    /// Blueprints that are left without an owner.
    blueprints_left: Blueprint of blueprint,
    /// KPIs that change owner to the successor.
    kpis_handed_over: Kpi of kpi,
    /// KPIs that are left without an owner.
    kpis_left: Kpi of kpi,
    /// Improvements, planned or made, that change owner to the successor.
    improvements_handed_over: Improvement of improvement,
    /// Improvements, planned or made, that are left without an owner.
    improvements_left: Improvement of improvement,
    /// Open follow-ups that go to the successor.
    follow_ups_handed_over: FollowUp of follow_up,
    /// Open follow-ups that no department works any more.
    follow_ups_left: FollowUp of follow_up,
    /// KPIs left without a place: everything that they judge, today or later, is archived or has nobody ACCOUNTABLE or
    /// RESPONSIBLE any more.
    kpis_hanging: Kpi of kpi,
    /// Transitions to or from the touchpoint, which are hidden with it.
    transitions_broken: Transition of transition,
    /// Touchpoints that people reach now and would not reach any more.
    newly_unreachable: Touchpoint of touchpoint,
    /// Touchpoints that people reach and that no transition leaves any more.
    new_dead_ends: Touchpoint of touchpoint,
    /// Scenarios that lose a step.
    scenarios_shortened: Scenario of scenario,
    /// Insights at the touchpoint, which are hidden with it.
    insights_gone: Insight of insight,
    /// Promises made at the touchpoint, which are hidden with it.
    promises_gone: CustomerPromise of promise,
    /// Promises left undelivered: every touchpoint that delivers them is archived or has nobody ACCOUNTABLE or
    /// RESPONSIBLE any more.
    promises_hanging: CustomerPromise of promise,
    /// Responsibilities and proposals that name the person. They stay, and keep naming the deactivated account.
    person_of: Responsibility of responsibility,
    /// Departments that lose the last LEAD of their own, whether or not they are led from above.
    departments_without_own_lead: Department of department,
    /// Departments that nobody leads any more, neither their own nor somebody from above.
    departments_unled: Department of department,
    /// Open proposals that wait for a department that nobody leads any more: only CX managers could then answer.
    proposals_unanswerable: Responsibility of responsibility,
    /// Blueprints of departments that nobody leads any more: only CX managers could then shape them.
    blueprints_unled: Blueprint of blueprint,
}
