//! The edges of KPIs: their targets, links, grants and measurements, and what they come to.

use async_graphql::{ComplexObject, Context};
use entity::{
    id::{Id, MeasurementId},
    improvement, improvement_kpi, kpi_grant, kpi_link, kpi_target, measurement,
    words::{ImprovementState, KpiState},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

use super::{
    super::{
        audit::{AuditEvent, page_of_readable_events},
        loaders::{KpiJudgementKey, LinkJudgementKey, ReadableHistoryOf, TrendOf},
        permissions,
    },
    figure::KpiFigure,
    list::page_of_improvements,
    trend::{KpiFreshness, KpiFreshnessState, KpiTrend},
};
use crate::{
    access::history,
    account::graphql::Account,
    batch::load,
    blueprint::graphql::{Blueprint, Phase},
    department::graphql::Department,
    error::Result,
    finding::rules::{FindingCode, Thresholds},
    improvement::graphql::Improvement,
    input::refuse_reversed_range,
    judgement::{self, KpiJudgement, trend::Trend},
    kpi::graphql::{Kpi, KpiGrant, KpiLink, KpiTarget, Measurement},
    page::{self, ObjectPage, PageArguments},
    payload::{caller, into_node},
    persona::graphql::{Channel, Segment},
    policy::Action,
    scalar::Date,
    touchpoint::graphql::Touchpoint,
};

impl Kpi {
    async fn load_judgement(&self, ctx: &Context<'_>, as_of: Option<Date>) -> Result<KpiJudgement> {
        let day = caller(ctx)?.day_or_today(as_of)?;
        Ok(load(ctx, KpiJudgementKey(self.row.id, day))
            .await?
            .unwrap_or_default())
    }

    /// How it has gone; nothing where its values are hidden.
    async fn load_trend(
        &self,
        ctx: &Context<'_>,
        as_of: Option<Date>,
        periods: u32,
    ) -> Result<Option<Trend>> {
        if self.load_judgement(ctx, as_of).await?.figure.is_none() {
            return Ok(None);
        }
        let day = caller(ctx)?.day_or_today(as_of)?;
        load(ctx, TrendOf(self.row.id, day, periods)).await
    }
}

#[ComplexObject]
impl Kpi {
    /// What was done to it and to the targets that it has, the newest first, without its values; null where you may not
    /// read it. Requires: READ_HISTORY.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<Option<ObjectPage<AuditEvent>>> {
        let page = PageArguments { first, after };
        match history::select_kpi_history(caller(ctx)?, self.row.id).await? {
            Some(events) => Ok(Some(page_of_readable_events(ctx, events, page).await?)),
            None => Ok(None),
        }
    }

    /// The permissions that you have on it.
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let reads_history = load(ctx, ReadableHistoryOf(self.row.id)).await?.is_some();
        Ok(permissions::on_kpi(caller(ctx)?, &self.row, reads_history))
    }

    /// The department that owns it: defines it and records its values.
    async fn owner_department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        into_node(load(ctx, self.row.owner_department_id)).await
    }

    /// Whether you may see its values; if not, `targets` and `measurements` are empty and `latest` and `state` are
    /// null.
    async fn values_visible(&self, ctx: &Context<'_>) -> Result<bool> {
        judgement::are_values_visible(caller(ctx)?, &self.row).await
    }

    /// Its targets, past, current and future, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn targets(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<KpiTarget>> {
        let caller = caller(ctx)?;
        let select = caller
            .select::<kpi_target::Entity>()
            .filter(kpi_target::Column::KpiId.eq(self.row.id));
        page::page_oldest_first(ctx, select, PageArguments { first, after }, KpiTarget::from).await
    }

    /// Its links, past, current and future, to places that you may read, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn links(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<KpiLink>> {
        let caller = caller(ctx)?;
        let select = caller
            .select::<kpi_link::Entity>()
            .filter(kpi_link::Column::KpiId.eq(self.row.id));
        page::page_oldest_first(ctx, select, PageArguments { first, after }, KpiLink::from).await
    }

    /// The improvements whose effect it measures, in blueprints that you may read, in the order of creation.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn improvements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "Only in one of these states.")] states: Option<Vec<ImprovementState>>,
    ) -> Result<ObjectPage<Improvement>> {
        let telling = improvement_kpi::Entity::find()
            .select_only()
            .column(improvement_kpi::Column::ImprovementId)
            .filter(improvement_kpi::Column::KpiId.eq(self.row.id));
        let its = improvement::Column::Id.in_subquery(telling.into_query());
        page_of_improvements(ctx, its, states, PageArguments { first, after }).await
    }

    /// Its measurements on days from `from` (included) to `to` (excluded), by day and then in the order of recording.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn measurements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
        #[graphql(desc = "The first day, itself included.")] from: Option<Date>,
        #[graphql(desc = "The day after the last one (excluded).")] to: Option<Date>,
        #[graphql(default, desc = "Also measurements that were corrected.")]
        include_superseded: bool,
    ) -> Result<ObjectPage<Measurement>> {
        refuse_reversed_range(from, to)?;
        let mut of_days = Condition::all()
            .add(measurement::Column::KpiId.eq(self.row.id))
            .add_option(from.map(|from| measurement::Column::MeasuredOn.gte(from.0)))
            .add_option(to.map(|to| measurement::Column::MeasuredOn.lt(to.0)));
        if !include_superseded {
            of_days = of_days.add(measurement::Column::SupersededById.is_null());
        }
        page_of_measurements_by_day(ctx, of_days, PageArguments { first, after }).await
    }

    /// The latest measurement of the KPI as a whole by a day, of those without touchpoint, channel and segment.
    /// Null if there is none, or you may not see its values.
    async fn latest(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
    ) -> Option<Result<Measurement>> {
        into_node(async { Ok(self.load_judgement(ctx, as_of).await?.latest) }).await
    }

    /// The current figure of the KPI as a whole on a day: the value by which it is told and judged. Null if you may not
    /// see its values.
    async fn current(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
    ) -> Option<Result<KpiFigure>> {
        into_node(async { Ok(self.load_judgement(ctx, as_of).await?.figure) }).await
    }

    /// The target by which `current` is judged; of the day asked about where there is no figure. Null if there is none,
    /// or you may not see its values.
    async fn target(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
    ) -> Option<Result<KpiTarget>> {
        into_node(async { Ok(self.load_judgement(ctx, as_of).await?.target().cloned()) }).await
    }

    /// The state of `current`. Null if you may not see its values.
    async fn state(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
    ) -> Option<Result<KpiState>> {
        into_node(async { Ok(self.load_judgement(ctx, as_of).await?.state()) }).await
    }

    /// The trend of the KPI as a whole up to a day, by periods of its cadence. Null where you may not see its values.
    #[graphql(complexity = "24 * child_complexity")]
    async fn trend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
        #[graphql(default = 6, desc = "Number of periods; clamped to 1 to 24.")] periods: i32,
    ) -> Option<Result<KpiTrend>> {
        into_node(async {
            let trend = self.load_trend(ctx, as_of, periods.clamp(1, 24).unsigned_abs());
            let trend = trend.await?;
            Ok(trend.map(|trend| KpiTrend::new(&trend, self.row.direction)))
        })
        .await
    }

    /// Whether it was measured as often as its cadence demands up to a day. Null where you may not see its values.
    async fn freshness(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
    ) -> Option<Result<KpiFreshness>> {
        into_node(async {
            let allowed = ctx.data::<Thresholds>().map_or_else(
                |_| Thresholds::default().get(FindingCode::KpiStale),
                |thresholds| thresholds.get(FindingCode::KpiStale),
            );
            let figure = self.load_judgement(ctx, as_of).await?.figure;
            Ok(figure.map(|figure| KpiFreshness {
                state: match figure.periods_since {
                    None => KpiFreshnessState::None,
                    Some(passed) if f64::from(passed) > allowed => KpiFreshnessState::Stale,
                    Some(_) => KpiFreshnessState::Fresh,
                },
                periods: figure.periods_since,
                measured_on: figure.measured_on.map(Date),
            }))
        })
        .await
    }

    /// The grants by which accounts may see its values while it is confidential, in the order of creation; null unless
    /// you may make such grants.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn grants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Option<Result<ObjectPage<KpiGrant>>> {
        let caller = match caller(ctx) {
            Ok(caller) => caller,
            Err(error) => return Some(Err(error)),
        };
        if !permissions::may_define_kpi(caller, &self.row) {
            return None;
        }
        let select = caller
            .select::<kpi_grant::Entity>()
            .filter(kpi_grant::Column::KpiId.eq(self.row.id));
        Some(
            page::page_oldest_first(ctx, select, PageArguments { first, after }, KpiGrant::from)
                .await,
        )
    }
}

/// A page of measurements by day.
async fn page_of_measurements_by_day(
    ctx: &Context<'_>,
    which: Condition,
    page: PageArguments,
) -> Result<ObjectPage<Measurement>> {
    use measurement::Column::{Id as OfId, MeasuredOn};
    let caller = caller(ctx)?;
    let select = caller.select::<measurement::Entity>().filter(which);
    let total = page::count_total_if_requested(ctx, &select).await?;
    let mut select = select
        .order_by_asc(MeasuredOn)
        .order_by_asc(OfId)
        .limit(page.size()? + 1);
    if let Some(after) = &page.after {
        let (day, id) = page::decode_day_cursor::<MeasurementId>(after)?;
        let same_day = Condition::all().add(MeasuredOn.eq(day)).add(OfId.gt(id));
        select = select.filter(Condition::any().add(MeasuredOn.gt(day)).add(same_day));
    }
    let mut rows = page::load_rows_batched(ctx, select).await?;
    rows.sort_unstable_by_key(|row| (row.measured_on, row.id.uuid()));
    page.paginate(
        rows,
        total,
        |row| page::encode_day_cursor(row.measured_on, row.id),
        Measurement::from,
    )
}

#[ComplexObject]
impl KpiTarget {
    /// The KPI.
    async fn kpi(&self, ctx: &Context<'_>) -> Option<Result<Kpi>> {
        into_node(load(ctx, self.row.kpi_id)).await
    }

    /// The channel that it is for; null for all.
    async fn channel(&self, ctx: &Context<'_>) -> Option<Result<Channel>> {
        into_node(load(ctx, self.row.channel_id?)).await
    }

    /// The segment that it is for; null for all.
    async fn segment(&self, ctx: &Context<'_>) -> Option<Result<Segment>> {
        into_node(load(ctx, self.row.segment_id?)).await
    }
}

impl KpiLink {
    /// What the KPI comes to here: from memory, as of the day for which its place was read, else today.
    async fn load_judgement(&self, ctx: &Context<'_>) -> Result<KpiJudgement> {
        match &self.known {
            Some(known) => Ok(known.1.clone()),
            None => {
                let key = LinkJudgementKey(self.row.id, caller(ctx)?.today);
                Ok(load(ctx, key).await?.unwrap_or_default())
            }
        }
    }
}

#[ComplexObject]
impl KpiLink {
    /// The blueprint that it judges, or in which it judges a phase or a touchpoint.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.blueprint_id)).await
    }

    /// The phase that it judges as a whole; null for a touchpoint or a whole blueprint.
    async fn phase(&self, ctx: &Context<'_>) -> Option<Result<Phase>> {
        into_node(load(ctx, self.row.phase_id?)).await
    }

    /// The touchpoint that it judges; null for a phase or a whole blueprint.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        into_node(load(ctx, self.row.touchpoint_id?)).await
    }

    /// The KPI.
    async fn kpi(&self, ctx: &Context<'_>) -> Option<Result<Kpi>> {
        match &self.known {
            Some(known) => Some(Ok(known.0.clone().into())),
            None => into_node(load(ctx, self.row.kpi_id)).await,
        }
    }

    /// The latest measurement here: at the touchpoint, or else of the KPI as a whole. Null if
    /// there is none, the link does not cover the day, or you may not see the KPI's values.
    async fn latest(&self, ctx: &Context<'_>) -> Option<Result<Measurement>> {
        into_node(async { Ok(self.load_judgement(ctx).await?.latest) }).await
    }

    /// The current figure here: the value by which the KPI is told and judged, of the touchpoint where it has any, else of
    /// the KPI as a whole. Null if the link does not cover the day, or you may not see the KPI's values.
    async fn current(&self, ctx: &Context<'_>) -> Option<Result<KpiFigure>> {
        into_node(async { Ok(self.load_judgement(ctx).await?.figure) }).await
    }

    /// The target by which `current` is judged; of the day asked about where there is no figure. Null if there is none,
    /// the link does not cover the day, or you may not see the KPI's values.
    async fn target(&self, ctx: &Context<'_>) -> Option<Result<KpiTarget>> {
        into_node(async { Ok(self.load_judgement(ctx).await?.target().cloned()) }).await
    }

    /// The state of `current`. Null if the link does not cover the day, or you may not see the KPI's values.
    async fn state(&self, ctx: &Context<'_>) -> Option<Result<KpiState>> {
        into_node(async { Ok(self.load_judgement(ctx).await?.state()) }).await
    }
}

#[ComplexObject]
impl Measurement {
    /// The touchpoint where it was measured; null for the KPI as a whole.
    async fn touchpoint(&self, ctx: &Context<'_>) -> Option<Result<Touchpoint>> {
        into_node(load(ctx, self.row.touchpoint_id?)).await
    }

    /// The channel of the measurement; null for all.
    async fn channel(&self, ctx: &Context<'_>) -> Option<Result<Channel>> {
        into_node(load(ctx, self.row.channel_id?)).await
    }

    /// The segment of the measurement; null for all.
    async fn segment(&self, ctx: &Context<'_>) -> Option<Result<Segment>> {
        into_node(load(ctx, self.row.segment_id?)).await
    }

    /// The KPI.
    async fn kpi(&self, ctx: &Context<'_>) -> Option<Result<Kpi>> {
        into_node(load(ctx, self.row.kpi_id)).await
    }

    /// The correction that replaced it.
    async fn superseded_by(&self, ctx: &Context<'_>) -> Option<Result<Measurement>> {
        let by = self.row.superseded_by_id?;
        into_node(load(ctx, by)).await
    }
}

#[ComplexObject]
impl KpiGrant {
    /// The account that may see the values.
    async fn account(&self, ctx: &Context<'_>) -> Option<Result<Account>> {
        into_node(load(ctx, self.row.account_id)).await
    }

    /// The KPI.
    async fn kpi(&self, ctx: &Context<'_>) -> Option<Result<Kpi>> {
        into_node(load(ctx, self.row.kpi_id)).await
    }
}
