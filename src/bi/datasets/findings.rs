//! `findings`: flaws that the rules find in blueprints today. They follow from whole blueprints, so they are computed,
//! blueprint by blueprint, and not selected.

use entity::{
    blueprint,
    id::{
        BlueprintId, DepartmentId, FindingId, Id, InsightId, KpiId, NeedId, PersonaId, PhaseId,
        PromiseId, TouchpointId,
    },
};
use futures_util::future::BoxFuture;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use super::{columns, computed_columns, filters, order};
use crate::{
    access::scope,
    bi::{
        model::cursor::{RowKey, RowKeyPart},
        model::dataset::{
            ColumnType::{Id as IdOf, Instant, Text as Words, Word},
            Dataset, RowSource,
        },
        model::query::DatasetQuery,
        model::value::Value,
        source::memory::{ComputedRow, sort_and_limit},
        source::reader::{ReadContext, RowReader},
        source::row::RowContent,
        source::stream::BatchSender,
    },
    compute::WorkBudget,
    error::Result,
    finding::{
        self, TrackedFinding,
        rules::{Rule, Severity},
    },
    policy::Action,
};

/// Findings: flaws of blueprints.
pub static FINDINGS: Dataset = Dataset {
    name: "findings",
    description: "The flaws that rules find today in the blueprints that count and that you may read. Archived \
        blueprints have no findings.",
    permission: Action::PullFlatRows,
    needs_days: false,
    published_only: true,
    day: None,
    columns: COLUMNS,
    filters: filters![blueprint = blueprint_key, code = code, severity = severity],
    key: "finding_id",
    order: order![Id blueprint_id, Id finding_id],
    // Since when a finding is open is noted without an event of the audit log.
    source: RowSource::Computed {
        series: None,
        is_fully_audited: false,
    },
};

/// A finding and the blueprint that it was found in.
pub(in crate::bi) struct FindingRow<'f> {
    blueprint: BlueprintId,
    blueprint_key: &'f str,
    tracked: &'f TrackedFinding,
}

computed_columns! {
    FindingRow<'_>;
    finding_id: IdOf(FindingId::PREFIX) => |row| Value::id(Some(row.tracked.finding.fingerprint)), "Id of the finding: it stays the same whatever is renamed or moved.";
    blueprint_id: IdOf(BlueprintId::PREFIX) => |row| Value::id(Some(row.blueprint)), "Id of the blueprint.";
    blueprint_key: Words => |row| Value::text(Some(row.blueprint_key)), "The blueprint's key.";
    code: Word(rule_codes) => |row| Value::text(Some(row.tracked.finding.code.as_str())), "The rule that found it.";
    severity: Word(severity_names) => |row| Value::text(Some(row.tracked.finding.code.severity().as_str())), "The severity of the finding.";
    sentence: Words => |row| Value::text(Some(&row.tracked.finding.sentence)), "The finding as a sentence, for people.";
    phase_id empty: IdOf(PhaseId::PREFIX) => |row| Value::id(row.tracked.finding.subject.phase), "Id of the phase concerned.";
    touchpoint_id empty: IdOf(TouchpointId::PREFIX) => |row| Value::id(row.tracked.finding.subject.touchpoint), "Id of the touchpoint concerned.";
    other_touchpoint_id empty: IdOf(TouchpointId::PREFIX) => |row| Value::id(row.tracked.finding.subject.other), "Id of a second touchpoint concerned.";
    kpi_id empty: IdOf(KpiId::PREFIX) => |row| Value::id(row.tracked.finding.subject.kpi), "Id of the KPI concerned.";
    department_id empty: IdOf(DepartmentId::PREFIX) => |row| Value::id(row.tracked.finding.subject.department), "Id of the department concerned.";
    persona_id empty: IdOf(PersonaId::PREFIX) => |row| Value::id(row.tracked.finding.subject.persona), "Id of the persona concerned.";
    promise_id empty: IdOf(PromiseId::PREFIX) => |row| Value::id(row.tracked.finding.subject.promise), "Id of the promise concerned.";
    insight_id empty: IdOf(InsightId::PREFIX) => |row| Value::id(row.tracked.finding.subject.insight), "Id of the insight concerned.";
    open_since empty: Instant => |row| Value::instant(row.tracked.open_since), "Time since which it is open; empty where that is not noted yet, or would reveal journeys that you may not read.";
    dismissed_at empty: Instant => |row| Value::instant(row.tracked.dismissed.as_ref().and_then(|row| row.dismissed_at)), "Time of dismissal; empty while it is not dismissed.";
    reason empty: Words => |row| Value::text(row.tracked.dismissed.as_ref().and_then(|row| row.reason.as_deref())), "The reason for the dismissal; empty while it is not dismissed.";
    need_id empty: IdOf(NeedId::PREFIX) => |row| Value::id(row.tracked.finding.subject.need), "Id of the need of the persona concerned.";
}

fn rule_codes() -> Vec<&'static str> {
    Rule::ALL.iter().map(|rule| rule.code.as_str()).collect()
}

fn severity_names() -> Vec<&'static str> {
    Severity::ALL.iter().map(|one| one.as_str()).collect()
}

/// Computes the findings of one blueprint after another, so that rows come while others are still computed.
pub(in crate::bi) struct FindingsReader;

impl RowReader for FindingsReader {
    fn send_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
        to: &'r BatchSender,
    ) -> BoxFuture<'r, Result<()>> {
        match query.order.is_empty() {
            true => Box::pin(send_rows_by_blueprint(context, query, to)),
            false => Box::pin(async move {
                let rows = compute_all_rows(context, query).await?;
                to.send(Ok(Some(rows))).await.ok();
                Ok(())
            }),
        }
    }

    fn count_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
    ) -> BoxFuture<'r, Result<u64>> {
        Box::pin(async move { Ok(compute_all_rows(context, query).await?.len() as u64) })
    }
}

async fn send_rows_by_blueprint(
    context: ReadContext<'_>,
    query: &DatasetQuery,
    to: &BatchSender,
) -> Result<()> {
    let mut skipped = query.offset.unwrap_or_default();
    let mut missing = query.limit.unwrap_or(u64::MAX);
    for blueprint in load_blueprints(context, query).await? {
        let mut rows = compute_rows_of_blueprint(context, query, blueprint).await?;
        let skip = skipped.min(rows.len() as u64);
        skipped -= skip;
        rows.drain(..usize::try_from(skip).unwrap_or_default());
        rows.truncate(usize::try_from(missing).unwrap_or(usize::MAX));
        missing -= rows.len() as u64;
        let rows = rows
            .into_iter()
            .map(|found| found.select_columns(query))
            .collect();
        if to.send(Ok(Some(rows))).await.is_err() || missing == 0 {
            break;
        }
        // The budget is for one blueprint: whoever takes its rows may have the next.
        context.caller.budget.renew_steps_of_feed();
    }
    Ok(())
}

/// All rows, in the query's order.
async fn compute_all_rows(
    context: ReadContext<'_>,
    query: &DatasetQuery,
) -> Result<Vec<RowContent>> {
    let mut rows = Vec::new();
    for blueprint in load_blueprints(context, query).await? {
        rows.extend(compute_rows_of_blueprint(context, query, blueprint).await?);
    }
    let query = query.clone();
    let order = move |steps: &WorkBudget| {
        steps.spend(ROW_STEPS * (1 + query.order.len()) * rows.len())?;
        Ok(sort_and_limit(rows, &query))
    };
    context.caller.run_on_compute_pool(order).await
}

/// Compute steps of making a row of a finding, and of sorting it by one column.
const ROW_STEPS: usize = 20;

/// The blueprints whose findings are computed, in the order of the rows.
async fn load_blueprints(
    context: ReadContext<'_>,
    query: &DatasetQuery,
) -> Result<Vec<blueprint::Model>> {
    use blueprint::Column;
    let mut select = context
        .caller
        .select::<blueprint::Entity>()
        .filter(Column::ArchivedAt.is_null());
    if !query.include_drafts {
        select =
            select.filter(Column::Id.in_subquery(scope::select_published_current_blueprint_ids()));
    }
    if let Some(RowKey(parts)) = &query.after
        && query.order.is_empty()
        && let Some(RowKeyPart::Id(id)) = parts.first()
    {
        select = select.filter(Column::Id.gte(*id));
    }
    Ok(select.order_by_asc(Column::Id).all(context.tx).await?)
}

/// The rows of one blueprint that pass, by their keys.
async fn compute_rows_of_blueprint(
    context: ReadContext<'_>,
    query: &DatasetQuery,
    blueprint: blueprint::Model,
) -> Result<Vec<ComputedRow>> {
    let ReadContext { caller, tx } = context;
    let (id, key) = (blueprint.id, blueprint.key.clone());
    let options = (caller.today, &query.thresholds);
    let tracked =
        finding::load_tracked_findings_in_transaction(caller, tx, blueprint, options).await?;
    let query = query.clone();
    let pass = move |steps: &WorkBudget| {
        let price = ROW_STEPS + query.filter.step_cost();
        let mut rows = Vec::new();
        for tracked in &tracked {
            steps.spend(price)?;
            let parts = [id.uuid(), tracked.finding.fingerprint.uuid()];
            let row = ComputedRow {
                key: RowKey(parts.map(RowKeyPart::Id).to_vec()),
                cells: cells_of_row(&FindingRow {
                    blueprint: id,
                    blueprint_key: &key,
                    tracked,
                }),
            };
            // In another order than the dataset's own, `sort_and_limit` applies the resume point.
            let is_next = !query.order.is_empty() || row.is_after_resume_point(&query);
            rows.extend(Some(row).filter(|row| is_next && row.passes(&query)));
        }
        rows.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(rows)
    };
    caller.run_on_compute_pool(pass).await
}
