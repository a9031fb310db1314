//! The edges of departments: what they answer for, what waits for them, and their place in the tree.

use async_graphql::{ComplexObject, Context};
use entity::{
    department, follow_up,
    id::DepartmentId,
    improvement, membership, responsibility,
    words::{ImprovementState, KpiState, ResponsibilityStatus, Role},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter};

use super::super::{loaders::DepartmentSubtree, permissions};
use super::{
    list::page_of_improvements,
    responsibility::{open_proposals_condition, page_of_given_unasked, page_of_responsibilities},
    trend::DepartmentScorecard,
};
use crate::{
    access::scope,
    batch::load,
    compute::SEARCH,
    department::graphql::{Department, Membership, page_of_departments, page_of_memberships},
    error::Result,
    feedback::{graphql::FollowUp, open_follow_ups_condition},
    improvement::graphql::Improvement,
    kpi::{
        graphql::Kpi,
        of_department::{load_scorecard, select_kpis_of_departments},
    },
    page::{self, ObjectPage, PageArguments},
    payload::{caller, into_node},
    policy::Action,
    responsibility::graphql::Responsibility,
    scalar::Date,
};

impl Department {
    /// The department, and with `below` all below it.
    async fn self_and_descendant_ids(
        &self,
        ctx: &Context<'_>,
        below: Option<bool>,
    ) -> Result<Vec<DepartmentId>> {
        if below.unwrap_or_default() {
            let tree = load(ctx, DepartmentSubtree(self.row.id))
                .await?
                .unwrap_or_default();
            return Ok(tree.to_vec());
        }
        Ok(vec![self.row.id])
    }
}

#[ComplexObject]
impl Department {
    /// The permissions that you have in it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        Ok(permissions::on_department(caller(ctx)?, &self.row))
    }

    /// Its ACCEPTED responsibilities in CURRENT blueprints that are or were published, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn responsibilities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Only with one of these roles.")] roles: Option<Vec<Role>>,
        #[graphql(desc = "Also those of all departments below it.")] include_descendants: Option<
            bool,
        >,
    ) -> Result<ObjectPage<Responsibility>> {
        let caller = caller(ctx)?;
        let of = self
            .self_and_descendant_ids(ctx, include_descendants)
            .await?;
        let select = caller
            .select::<responsibility::Entity>()
            .filter(responsibility::Column::DepartmentId.is_in(of))
            .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Accepted))
            .filter(
                responsibility::Column::BlueprintId
                    .in_subquery(scope::select_published_current_blueprint_ids()),
            )
            .filter(
                Condition::all()
                    .add_option(roles.map(|roles| responsibility::Column::Role.is_in(roles))),
            );
        page::page_oldest_first(
            ctx,
            select,
            PageArguments { first, after },
            Responsibility::from,
        )
        .await
    }

    /// Open proposals that address it, drafts included, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn proposals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Also those of all departments below it.")] include_descendants: Option<
            bool,
        >,
    ) -> Result<ObjectPage<Responsibility>> {
        let caller = caller(ctx)?;
        let of = self
            .self_and_descendant_ids(ctx, include_descendants)
            .await?;
        let select = caller
            .select::<responsibility::Entity>()
            .filter(responsibility::Column::DepartmentId.is_in(of))
            .filter(responsibility::Column::Status.eq(ResponsibilityStatus::Proposed));
        page::page_oldest_first(
            ctx,
            select,
            PageArguments { first, after },
            Responsibility::from,
        )
        .await
    }

    /// The KPIs that judge its delivery, whoever owns them: those linked on the day to touchpoints where it is
    /// ACCOUNTABLE or RESPONSIBLE, in CURRENT blueprints that are or were published. In the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn kpis(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Only KPIs in one of these states at any of the touchpoints.")]
        states: Option<Vec<KpiState>>,
        #[graphql(desc = "Also those of all departments below it.")] include_descendants: Option<
            bool,
        >,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
    ) -> Result<ObjectPage<Kpi>> {
        let caller = caller(ctx)?;
        let of = self
            .self_and_descendant_ids(ctx, include_descendants)
            .await?;
        let day = caller.day_or_today(as_of)?;
        caller.budget.spend(SEARCH)?;
        let select = select_kpis_of_departments(caller, &of, states.as_deref(), day).await?;
        page::page_oldest_first(ctx, select, PageArguments { first, after }, Kpi::from).await
    }

    /// The number of KPIs in each state, over those that judge its delivery on a day.
    #[graphql(complexity = "200 + child_complexity")]
    async fn scorecard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
        #[graphql(desc = "Also those of all departments below it.")] include_descendants: Option<
            bool,
        >,
    ) -> Option<Result<DepartmentScorecard>> {
        into_node(async {
            let caller = caller(ctx)?;
            let of = self
                .self_and_descendant_ids(ctx, include_descendants)
                .await?;
            let day = caller.day_or_today(as_of)?;
            caller.budget.spend(SEARCH)?;
            let card = load_scorecard(caller, &of, day).await?;
            Ok(Some(DepartmentScorecard::new(&card, Date(day))))
        })
        .await
    }

    /// Open proposals that its leads may answer (their `awaits` names it), in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn awaiting_answer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Also those of all departments below it.")] include_descendants: Option<
            bool,
        >,
    ) -> Result<ObjectPage<Responsibility>> {
        let of = self
            .self_and_descendant_ids(ctx, include_descendants)
            .await?;
        let which = open_proposals_condition(ctx, move |open| {
            open.answerable_by_departments_condition(&of)
        })
        .await?;
        page_of_responsibilities(ctx, which, PageArguments { first, after }).await
    }

    /// Responsibilities that an import put in force without asking and that its leads have neither confirmed nor ended,
    /// in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn given_unasked(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Also those of all departments below it.")] include_descendants: Option<
            bool,
        >,
    ) -> Result<ObjectPage<Responsibility>> {
        let of = self
            .self_and_descendant_ids(ctx, include_descendants)
            .await?;
        page_of_given_unasked(ctx, of, PageArguments { first, after }).await
    }

    /// The improvements that it owns in blueprints that you may read, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn improvements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Only in one of these states.")] states: Option<Vec<ImprovementState>>,
        #[graphql(desc = "Also those of all departments below it.")] include_descendants: Option<
            bool,
        >,
    ) -> Result<ObjectPage<Improvement>> {
        let of = self
            .self_and_descendant_ids(ctx, include_descendants)
            .await?;
        let its = improvement::Column::OwnerDepartmentId.is_in(of);
        page_of_improvements(ctx, its, states, PageArguments { first, after }).await
    }

    /// Its follow-ups that are not closed, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn open_cases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Also those of all departments below it.")] include_descendants: Option<
            bool,
        >,
    ) -> Result<ObjectPage<FollowUp>> {
        let caller = caller(ctx)?;
        let of = self
            .self_and_descendant_ids(ctx, include_descendants)
            .await?;
        let select = caller
            .select::<follow_up::Entity>()
            .filter(open_follow_ups_condition(&of));
        page::page_oldest_first(ctx, select, PageArguments { first, after }, FollowUp::from).await
    }

    /// The department directly above it; null at the top.
    async fn parent(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        into_node(load(ctx, self.row.parent_id?)).await
    }

    /// Once it is archived: the department that took over its responsibilities, KPIs, blueprints and follow-ups.
    async fn successor(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        into_node(load(ctx, self.row.successor_id?)).await
    }

    /// The departments directly below it, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(default, desc = "Also archived ones.")] include_archived: bool,
    ) -> Result<ObjectPage<Department>> {
        let living = department::Column::ArchivedAt.is_null();
        let below = Condition::all()
            .add(department::Column::ParentId.eq(self.row.id))
            .add_option((!include_archived).then_some(living));
        page_of_departments(ctx, below, PageArguments { first, after }).await
    }

    /// Its members, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<Membership>> {
        let here = Condition::all().add(membership::Column::DepartmentId.eq(self.row.id));
        page_of_memberships(ctx, here, PageArguments { first, after }).await
    }
}
