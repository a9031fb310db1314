//! The edges of blueprints and their phases.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Json};

use super::super::{
    audit::{AuditEvent, page_of_readable_events},
    direct_json::DirectJsonList,
    flow::BlueprintFlow,
    lens::{self, LensCell},
    loaders::{
        EvaluationsIn, ImprovementsIn, InsightsIn, InsightsOfPhase, KpisJudgingPhase, OpenRolesIn,
        PromisesIn, ScenariosIn, SecondaryPersonasOf, SegmentsInPhase, SourcesIn, TouchpointsIn,
    },
    permissions::{self, OpenRole},
    picture::{self, PictureLink},
    view::{self as shown, Assumptions, BlueprintExcerpt, CustomerView, StageAttention},
};
use super::{
    list::{list_judged_links, load_kpi_links, load_list},
    publication::compute_from_document,
};
use crate::{
    access::history,
    batch::load,
    blueprint::graphql::{Blueprint, Phase},
    canvas::{self, Canvas, view},
    department::graphql::Department,
    document::{blueprint::Document, table},
    error::{Error, Result},
    evaluation::graphql::Evaluation,
    finding::graphql::{self as finding, FindingFilter, Findings},
    improvement::graphql::Improvement,
    insight::graphql::{Insight, Source},
    kpi::graphql::KpiLink,
    meter::{self, BudgetChargedList},
    page::{self, ObjectPage, PageArguments},
    payload::{caller, into_node},
    persona::graphql::{Persona, Segment},
    policy::Action,
    promise::graphql::CustomerPromise,
    scalar::{Date, PictureTheme},
    scenario::graphql::Scenario,
    sheet::Dialect,
    snapshot,
    template::graphql::Template,
    touchpoint::graphql::{Touchpoint, Transition},
};

/// What findings cost in the complexity of a document: a whole blueprint, what is around it, and the rules.
const FINDINGS: usize = 2 * snapshot::COST;

#[ComplexObject]
impl Blueprint {
    /// What was done to it and to what lies in it, the newest first; an import is one event. Customers' cases are no part
    /// of it. Null where you may not read it. Requires: READ_HISTORY.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<Option<ObjectPage<AuditEvent>>> {
        let page = PageArguments { first, after };
        match history::select_blueprint_history(caller(ctx)?, self.row.id).await? {
            Some(events) => Ok(Some(page_of_readable_events(ctx, events, page).await?)),
            None => Ok(None),
        }
    }

    /// A text that changes with what a canvas of it shows: with its `revision`; with the values and targets that you may
    /// see of the KPIs that judge it; with the names of these KPIs, of whoever does a responsibility, and of the
    /// departments, channels, segments and personas of the organisation; and with the day. Poll it where these are shown.
    /// Feedback, findings and contact pressure are not in it.
    #[graphql(complexity = "100")]
    async fn canvas_digest(&self, ctx: &Context<'_>) -> Result<String> {
        canvas::digest_canvas(caller(ctx)?, &self.row).await
    }

    /// The permissions that you have on it; DESCRIBE_TOUCHPOINT where you have it at some touchpoint.
    #[graphql(complexity = "5")]
    async fn viewer_permissions(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        let caller = caller(ctx)?;
        if let Some(canvas) = self.canvas.get() {
            let open = canvas.responsibilities.iter().map(OpenRole::from);
            return Ok(permissions::on_blueprint(caller, &self.row, open));
        }
        let open = load(ctx, OpenRolesIn(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(permissions::on_blueprint(
            caller,
            &self.row,
            open.iter().copied(),
        ))
    }

    /// The persona whose journey it is.
    async fn persona(&self, ctx: &Context<'_>) -> Option<Result<Persona>> {
        match self.canvas.get() {
            Some(canvas) => Some(Ok(Persona::with_needs(&canvas.persona, &canvas.needs))),
            None => into_node(load(ctx, self.row.persona_id)).await,
        }
    }

    /// Its secondary personas, in order.
    #[graphql(complexity = "5 + 5 * child_complexity")]
    async fn secondary_personas(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Persona>> {
        let rows = load(ctx, SecondaryPersonasOf(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::metered_list(rows.iter().cloned()))
    }

    /// The department that owns it.
    async fn owner_department(&self, ctx: &Context<'_>) -> Option<Result<Department>> {
        let id = self.row.owner_department_id;
        match self.canvas.get().and_then(|canvas| canvas.department(id)) {
            Some(owner) => Some(Ok(owner.clone().into())),
            None => into_node(load(ctx, id)).await,
        }
    }

    /// The KPIs that judge the blueprint as a whole, as of today, in the order of creation.
    #[graphql(complexity = "canvas::COST + 10 * child_complexity")]
    async fn kpis(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<KpiLink>> {
        let canvas = self.load_canvas(ctx).await?;
        Ok(list_judged_links(
            canvas,
            canvas.kpi_links_above_touchpoints(None),
        ))
    }

    /// Its phases, in order of display.
    #[graphql(complexity = "canvas::COST + 20 * child_complexity")]
    async fn phases(&self, ctx: &Context<'_>) -> Result<DirectJsonList<Phase>> {
        let canvas = self.load_canvas(ctx).await?;
        Ok(DirectJsonList::new(canvas, |canvas| &canvas.phases))
    }

    /// Its transitions, in the order of creation; those from or to archived touchpoints are left out.
    #[graphql(complexity = "canvas::COST + 20 * child_complexity")]
    async fn transitions(&self, ctx: &Context<'_>) -> Result<DirectJsonList<Transition>> {
        let canvas = self.load_canvas(ctx).await?;
        Ok(DirectJsonList::new(canvas, |canvas| &canvas.transitions))
    }

    /// The insights about it as a whole, its phases and its touchpoints, in the order of creation; those of archived
    /// phases and touchpoints are left out.
    #[graphql(complexity = "20 * child_complexity")]
    async fn insights(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Insight>> {
        load_list(ctx, InsightsIn(self.row.id)).await
    }

    /// The sources on which its insights rest, in the order of creation.
    #[graphql(complexity = "10 * child_complexity")]
    async fn sources(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Source>> {
        load_list(ctx, SourcesIn(self.row.id)).await
    }

    /// The promises made at its touchpoints, in the order of creation; those at archived touchpoints are left out.
    #[graphql(complexity = "10 * child_complexity")]
    async fn promises(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<CustomerPromise>> {
        load_list(ctx, PromisesIn(self.row.id)).await
    }

    /// The evaluations of its touchpoints, in the order of creation; those of archived touchpoints are left out.
    #[graphql(complexity = "20 * child_complexity")]
    async fn evaluations(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Evaluation>> {
        load_list(ctx, EvaluationsIn(self.row.id)).await
    }

    /// Its improvements, planned or made, in the order of creation.
    #[graphql(complexity = "10 * child_complexity")]
    async fn improvements(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Improvement>> {
        load_list(ctx, ImprovementsIn(self.row.id)).await
    }

    /// Its insights as a grid by phase (the whole blueprint first), kind and persona; empty cells are left out.
    /// Insights at a touchpoint are in the cell of its phase.
    #[graphql(complexity = "canvas::COST + 20 * child_complexity")]
    async fn lens(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<LensCell>> {
        let canvas = self.load_canvas(ctx).await?;
        let rows = load(ctx, InsightsIn(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::metered_list(lens::sort_into_cells(canvas, &rows)))
    }

    /// Its scenarios: named ways through it, in the order of creation.
    #[graphql(complexity = "10 * child_complexity")]
    async fn scenarios(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Scenario>> {
        load_list(ctx, ScenariosIn(self.row.id)).await
    }

    /// A smaller picture of it: only essential touchpoints, or the `simplifiedTo` most important ones (essential first,
    /// then by the sum of both importances, then by key), or both. Touchpoints left out are bridged.
    #[graphql(complexity = "canvas::COST + 5 * child_complexity")]
    async fn view(
        &self,
        ctx: &Context<'_>,
        #[graphql(default, desc = "Only essential touchpoints.")] essential_only: bool,
        #[graphql(desc = "Largest number of touchpoints to keep.")] simplified_to: Option<i32>,
    ) -> Result<BlueprintExcerpt> {
        let canvas = self.load_canvas(ctx).await?;
        let most = simplified_to.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(0));
        let choose = move |canvas: &Canvas| {
            let kept = view::most_important_touchpoints(canvas, most);
            match essential_only {
                true => &kept & &view::essential_touchpoints(canvas),
                false => kept,
            }
        };
        shown::build_view(ctx, canvas, choose).await
    }

    /// The journey without anything about who delivers it or how, fit to be shown to customers.
    #[graphql(complexity = "canvas::COST + 20 * child_complexity")]
    async fn customer_view(&self, ctx: &Context<'_>) -> Result<CustomerView> {
        shown::build_customer_view(ctx, self.load_canvas(ctx).await?).await
    }

    /// Number of touchpoints before, at and after what the customer came for.
    #[graphql(complexity = "canvas::COST + child_complexity")]
    async fn attention(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<StageAttention>> {
        Ok(meter::metered_list(shown::count_touchpoints_by_stage(
            self.load_canvas(ctx).await?,
        )))
    }

    /// The share of its touchpoints that is somebody's guess.
    #[graphql(complexity = "canvas::COST + child_complexity")]
    async fn assumptions(&self, ctx: &Context<'_>) -> Result<Assumptions> {
        Ok(shown::count_assumptions(self.load_canvas(ctx).await?))
    }

    /// The template from which it was created (for a copy: that of the original), which names the lenses to draw; null
    /// if there is none.
    async fn template(&self, ctx: &Context<'_>) -> Option<Result<Template>> {
        into_node(load(ctx, self.row.template_id?)).await
    }

    /// The blueprint that it was copied from; null if it was not copied, that blueprint is gone, or you may not see it.
    async fn copied_from(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.copied_from_id?)).await
    }

    /// The whole blueprint as one document, which `blueprintImport` accepts; objects are named by key.
    #[graphql(complexity = "snapshot::COST")]
    async fn document(&self, ctx: &Context<'_>) -> Result<Json<Document>> {
        let make = |document: Document| {
            let text = serde_json::to_vec(&document).map_err(Error::internal)?;
            Ok((Json(document), text.len()))
        };
        compute_from_document(ctx, self.row.id, make).await
    }

    /// Its touchpoints as a sheet for spreadsheets (CSV), which `blueprintSheetImport` accepts: one row per touchpoint,
    /// with its phase in the first columns and the departments of each role in the last ones. Lists are written `WEB |
    /// APP`, evidence with a link `Leaflet <https://…>`, a department with an open proposal `sales?`. A text that a
    /// spreadsheet would run as a formula is preceded by an apostrophe.
    #[graphql(complexity = "snapshot::COST")]
    async fn sheet(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The CSV dialect; COMMA if absent.")] dialect: Option<Dialect>,
    ) -> Result<String> {
        let make = move |document: Document| {
            let sheet = table::touchpoint_csv_text(&document, dialect.unwrap_or_default())?;
            let bytes = sheet.len();
            Ok((sheet, bytes))
        };
        compute_from_document(ctx, self.row.id, make).await
    }

    /// Its flaws by the table of rules, as of a day. A confidential KPI whose values you may not see is treated as if
    /// it were not linked.
    #[graphql(complexity = "FINDINGS + 20 * child_complexity")]
    async fn findings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that must all hold.")] filter: Option<FindingFilter>,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
    ) -> Result<Findings> {
        finding::load_findings(ctx, &self.row, filter, as_of).await
    }

    /// The movement of people through it, as a graph.
    #[graphql(complexity = "canvas::COST + child_complexity")]
    async fn flow(&self, ctx: &Context<'_>) -> Result<BlueprintFlow> {
        Ok(BlueprintFlow(Arc::clone(self.load_canvas(ctx).await?)))
    }

    /// A link to its picture (`GET /blueprints/{key}.svg`) for an `<img>`; it needs no access token. With a token in
    /// the `Authorization` header, request that address with the query parameters `asOf` and `theme` instead.
    async fn picture_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The day; today if absent.")] as_of: Option<Date>,
        #[graphql(desc = "The colours; AUTO if absent.")] theme: Option<PictureTheme>,
    ) -> Result<PictureLink> {
        picture::sign_picture_link(ctx, &self.row, as_of, theme)
    }
}

#[ComplexObject]
impl Phase {
    /// The blueprint that it is in.
    async fn blueprint(&self, ctx: &Context<'_>) -> Option<Result<Blueprint>> {
        into_node(load(ctx, self.row.blueprint_id)).await
    }

    /// The object that it was copied from; null if it was not copied.
    async fn copied_from(&self, ctx: &Context<'_>) -> Option<Result<Phase>> {
        into_node(load(ctx, self.row.copied_from_id?)).await
    }

    /// The KPIs that judge the phase as a whole, as of today, in the order of creation.
    async fn kpis(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<KpiLink>> {
        match &self.canvas {
            Some(canvas) => Ok(list_judged_links(
                canvas,
                canvas.kpi_links_above_touchpoints(Some(self.row.id)),
            )),
            None => load_kpi_links(ctx, KpisJudgingPhase(self.row.id)).await,
        }
    }

    /// The segments that the blueprint's personas stand for while in it, in order; empty: those of the personas.
    async fn segments(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Segment>> {
        let rows = load(ctx, SegmentsInPhase(self.row.id)).await?;
        let rows = rows.unwrap_or_default();
        Ok(meter::metered_list(rows.iter().cloned()))
    }

    /// The insights about the phase as a whole, in the order of creation.
    async fn insights(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Insight>> {
        load_list(ctx, InsightsOfPhase(self.row.id)).await
    }

    /// Its touchpoints, in order of display.
    async fn touchpoints(&self, ctx: &Context<'_>) -> Result<BudgetChargedList<Touchpoint>> {
        if let Some(canvas) = &self.canvas {
            let rows = canvas.touchpoints_of_phase(self.row.id);
            let rows = rows.iter().map(|row| Touchpoint::from_canvas(row, canvas));
            return Ok(meter::metered_list(rows));
        }
        let rows = load(ctx, TouchpointsIn(self.row.id))
            .await?
            .unwrap_or_default();
        Ok(meter::metered_list(rows.iter().cloned()))
    }
}
