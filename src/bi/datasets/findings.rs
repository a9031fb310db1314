//! `findings`: what blueprints get wrong today. They follow from whole blueprints, so they are computed, blueprint by
//! blueprint, and not selected.

use entity::{
    blueprint,
    id::{
        BlueprintId, DepartmentId, FindingId, Id, InsightId, KpiId, PersonaId, PhaseId, PromiseId,
        TouchpointId,
    },
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use super::{columns, filters, order};
use crate::{
    access::{Caller, scope},
    bi::{
        model::cursor::{RowKey, RowKeyPart},
        model::dataset::{
            Dataset, RowSource,
            Type::{Id as IdOf, Instant, Text as Words, Word},
        },
        model::query::DatasetQuery,
        model::value::OwnValue,
        source::memory::{ComputedRow, ordered},
        source::row::RowData,
        source::stream::BatchSender,
    },
    compute::Steps,
    database::Transaction,
    error::Result,
    finding::{
        self, TrackedFinding,
        rules::{Rule, Severity},
    },
    policy::Action,
};

/// What blueprints get wrong.
pub static FINDINGS: Dataset = Dataset {
    name: "findings",
    description: "What the blueprints that count get wrong today, as far as you may read them. Blueprints that are \
        archived get nothing wrong any more.",
    permission: Action::PullFlatRows,
    needs_days: false,
    counts: true,
    day: None,
    columns: columns![
        finding_id: IdOf(FindingId::PREFIX), "What tells it from all others: it stays the same whatever is renamed or moved.";
        blueprint_id: IdOf(BlueprintId::PREFIX), "The blueprint.";
        blueprint_key: Words, "The blueprint's key.";
        code: Word(codes), "What is wrong.";
        severity: Word(severities), "How grave it is.";
        sentence: Words, "What is wrong, for people.";
        phase_id empty: IdOf(PhaseId::PREFIX), "The phase that it is about.";
        touchpoint_id empty: IdOf(TouchpointId::PREFIX), "The touchpoint that it is about.";
        other_touchpoint_id empty: IdOf(TouchpointId::PREFIX), "Another touchpoint that it is about as well.";
        kpi_id empty: IdOf(KpiId::PREFIX), "The KPI that it is about.";
        department_id empty: IdOf(DepartmentId::PREFIX), "The department that it is about.";
        persona_id empty: IdOf(PersonaId::PREFIX), "The persona that it is about.";
        promise_id empty: IdOf(PromiseId::PREFIX), "The promise that it is about.";
        insight_id empty: IdOf(InsightId::PREFIX), "The insight that it is about.";
        open_since empty: Instant, "Since when it is open; empty where that is not noted yet, or would tell of journeys that you may not read.";
        dismissed_at empty: Instant, "Since when it needs no looking after.";
        reason empty: Words, "Why it needs none.";
    ],
    filters: filters![blueprint = blueprint_key, code = code, severity = severity],
    key: "finding_id",
    order: order![Id blueprint_id, Id finding_id],
    source: RowSource::Findings,
};

fn codes() -> Vec<&'static str> {
    Rule::ALL.iter().map(|rule| rule.code.as_str()).collect()
}

fn severities() -> Vec<&'static str> {
    Severity::ALL.iter().map(|one| one.as_str()).collect()
}

/// Hands on the rows of one blueprint after another.
pub(in crate::bi) async fn each(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
    wanted: &BatchSender,
) -> Result<()> {
    if !query.order.is_empty() {
        let rows = all(caller, tx, query).await?;
        wanted.send(Ok(Some(rows))).await.ok();
        return Ok(());
    }
    let mut skipped = query.offset.unwrap_or_default();
    let mut missing = query.limit.unwrap_or(u64::MAX);
    for blueprint in blueprints(caller, tx, query).await? {
        let mut rows = of(caller, tx, query, blueprint).await?;
        let skip = skipped.min(rows.len() as u64);
        skipped -= skip;
        rows.drain(..usize::try_from(skip).unwrap_or_default());
        rows.truncate(usize::try_from(missing).unwrap_or(usize::MAX));
        missing -= rows.len() as u64;
        let rows = rows.into_iter().map(|found| found.chosen(query)).collect();
        if wanted.send(Ok(Some(rows))).await.is_err() || missing == 0 {
            break;
        }
        caller.budget.renew();
    }
    Ok(())
}

/// All rows at once, in the order that is asked for.
pub(in crate::bi) async fn all(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
) -> Result<Vec<RowData>> {
    let mut rows = Vec::new();
    for blueprint in blueprints(caller, tx, query).await? {
        rows.extend(of(caller, tx, query, blueprint).await?);
    }
    let query = query.clone();
    let order = move |steps: &Steps| {
        steps.take(FOUND * (1 + query.order.len()) * rows.len())?;
        Ok(ordered(rows, &query))
    };
    caller.compute(order).await
}

/// Steps of making a row of a finding, and of putting it in its place by one column.
const FOUND: usize = 20;

/// The blueprints that are looked at, in the order of the rows.
async fn blueprints(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
) -> Result<Vec<blueprint::Model>> {
    use blueprint::Column;
    let mut select = caller
        .select::<blueprint::Entity>()
        .filter(Column::ArchivedAt.is_null());
    if !query.uncounted {
        select = select.filter(Column::Id.in_subquery(scope::counted_blueprint_ids()));
    }
    if let Some(RowKey(parts)) = &query.after
        && query.order.is_empty()
        && let Some(RowKeyPart::Id(id)) = parts.first()
    {
        select = select.filter(Column::Id.gte(*id));
    }
    Ok(select.order_by_asc(Column::Id).all(tx).await?)
}

/// The rows of one blueprint that pass, in order.
async fn of(
    caller: &Caller,
    tx: &Transaction,
    query: &DatasetQuery,
    blueprint: blueprint::Model,
) -> Result<Vec<ComputedRow>> {
    let (id, key) = (blueprint.id, blueprint.key.clone());
    let asked = (caller.today, &query.thresholds);
    let told = finding::told(caller, tx, blueprint, asked).await?;
    let query = query.clone();
    let pass = move |steps: &Steps| {
        let price = FOUND + query.filter.price();
        let mut rows = Vec::new();
        for told in told {
            steps.take(price)?;
            let place = [id.uuid(), told.finding.fingerprint.uuid()];
            let row = ComputedRow {
                place: RowKey(place.map(RowKeyPart::Id).to_vec()),
                cells: cells(told, id, key.clone()),
            };
            let is_next = !query.order.is_empty() || row.is_behind(&query);
            rows.extend(Some(row).filter(|row| is_next && row.passes(&query)));
        }
        rows.sort_by(|one, other| one.place.cmp(&other.place));
        Ok(rows)
    };
    caller.compute(pass).await
}

fn cells(told: TrackedFinding, blueprint: BlueprintId, key: String) -> Vec<OwnValue> {
    let word = |text: &str| OwnValue::Text(text.to_owned());
    let finding = told.finding;
    let place = finding.place;
    let dismissed = told.dismissed;
    vec![
        OwnValue::id(Some(finding.fingerprint)),
        OwnValue::id(Some(blueprint)),
        OwnValue::Text(key),
        word(finding.code.as_str()),
        word(finding.code.severity().as_str()),
        OwnValue::Text(finding.sentence),
        OwnValue::id(place.phase),
        OwnValue::id(place.touchpoint),
        OwnValue::id(place.other),
        OwnValue::id(place.kpi),
        OwnValue::id(place.department),
        OwnValue::id(place.persona),
        OwnValue::id(place.promise),
        OwnValue::id(place.insight),
        told.open_since.map_or(OwnValue::Empty, OwnValue::Instant),
        dismissed
            .as_ref()
            .and_then(|row| row.dismissed_at)
            .map_or(OwnValue::Empty, OwnValue::Instant),
        dismissed
            .and_then(|row| row.reason)
            .map_or(OwnValue::Empty, OwnValue::Text),
    ]
}
