//! A blueprint with all that hangs on it: what a canvas draws, and what is known besides. What judges, compares or
//! writes down a whole blueprint reads it from here, in one snapshot.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::NaiveDate;
use entity::{
    account, blueprint, blueprint_persona, department, evaluation, evaluation_verdict,
    id::{
        AccountId, DepartmentId, EvaluationId, ImprovementId, InsightId, KpiId, NeedId, PersonaId,
        PromiseId, ScenarioId, SegmentId, SourceId, TouchpointId,
    },
    improvement, improvement_kpi, improvement_touchpoint, insight, insight_source, kpi, kpi_link,
    persona, promise, promise_delivery, responsibility, scenario, scenario_step, segment, source,
    touchpoint, touchpoint_segment,
    words::Verdict,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, sea_query::SelectStatement,
};

use super::Canvas;
use crate::{
    access::{Caller, scope},
    compute::ROW,
    database::Transaction,
    error::Result,
};

/// A blueprint with all that hangs on it, archived parts left out.
#[derive(Debug)]
pub struct Whole {
    pub canvas: Canvas,
    /// The further personas, in order.
    pub personas: Vec<persona::Model>,
    /// Whom a touchpoint is for, in order; what is not in here is for everybody.
    pub audiences: HashMap<TouchpointId, Vec<SegmentId>>,
    /// The segments of the audiences.
    pub segments: HashMap<SegmentId, segment::Model>,
    /// The links of KPIs, whatever days they hold for, in the order of creation.
    pub kpi_links: Vec<kpi_link::Model>,
    /// In the order of creation, as is all that follows.
    pub scenarios: Vec<scenario::Model>,
    /// The steps of the scenarios, in order; those that are archived are left out.
    pub steps: HashMap<ScenarioId, Vec<TouchpointId>>,
    pub sources: Vec<source::Model>,
    pub insights: Vec<insight::Model>,
    /// The personas that insights are known of.
    pub known_of: HashMap<PersonaId, persona::Model>,
    /// The sources that insights rest on, in order.
    pub rests_on: HashMap<InsightId, Vec<SourceId>>,
    pub promises: Vec<promise::Model>,
    /// Where promises are delivered, in order.
    pub delivered_at: HashMap<PromiseId, Vec<TouchpointId>>,
    pub evaluations: Vec<evaluation::Model>,
    /// What evaluations found, need by need, in order.
    pub verdicts: HashMap<EvaluationId, Vec<(NeedId, Verdict)>>,
    pub improvements: Vec<improvement::Model>,
    /// The touchpoints that improvements are about, in order.
    pub improved: HashMap<ImprovementId, Vec<TouchpointId>>,
    /// The KPIs that tell whether improvements work, in order.
    pub told_by: HashMap<ImprovementId, Vec<KpiId>>,
    /// The departments that take care of improvements.
    pub improvers: HashMap<DepartmentId, department::Model>,
    /// The KPIs that tell whether improvements work.
    pub telling: HashMap<KpiId, kpi::Model>,
    /// The people who do what departments are responsible for, and who tried touchpoints.
    pub people: HashMap<AccountId, account::Model>,
}

/// What loading a whole blueprint costs in the complexity of a document.
pub const COST: usize = 1_000;

impl Whole {
    /// Loads the blueprint that the condition picks, if the caller may see it, with KPIs as of the day.
    pub async fn load(
        caller: &Caller,
        which: Condition,
        day: NaiveDate,
    ) -> Result<Option<Arc<Self>>> {
        let _turn = caller.budget.load().await?;
        let tx = caller.snapshot().await?;
        let Some(blueprint) = caller
            .select::<blueprint::Entity>()
            .filter(which)
            .one(&tx)
            .await?
        else {
            return Ok(None);
        };
        let whole = Box::pin(Self::read(caller, &tx, blueprint, day)).await?;
        tx.commit().await?;
        Ok(Some(Arc::new(whole)))
    }

    /// Rows that were read for it.
    #[must_use]
    pub fn rows(&self) -> usize {
        let known = self.sources.len() + self.insights.len() + self.promises.len();
        let tried = self.evaluations.len() + self.verdicts.values().map(Vec::len).sum::<usize>();
        let steps = self.scenarios.len() + self.steps.values().map(Vec::len).sum::<usize>();
        let improved: usize = self.improved.values().map(Vec::len).sum();
        let improvements = self.improvements.len() + improved;
        let delivered: usize = self.delivered_at.values().map(Vec::len).sum();
        let audiences: usize = self.audiences.values().map(Vec::len).sum();
        self.canvas.rows()
            + self.kpi_links.len()
            + known
            + tried
            + steps
            + improvements
            + delivered
            + audiences
    }

    /// Reads a blueprint inside a transaction that has it already.
    pub async fn read(
        caller: &Caller,
        tx: &Transaction,
        blueprint: blueprint::Model,
        day: NaiveDate,
    ) -> Result<Self> {
        let id = blueprint.id;
        // On the heap: a future of so many statements is large, and lies inside those of all who read one.
        let canvas = Box::pin(Canvas::read(caller, tx, blueprint, day)).await?;
        let personas = persona::Entity::find()
            .join_rev(
                JoinType::InnerJoin,
                blueprint_persona::Entity::belongs_to(persona::Entity)
                    .from(blueprint_persona::Column::PersonaId)
                    .to(persona::Column::Id)
                    .into(),
            )
            .filter(blueprint_persona::Column::BlueprintId.eq(id))
            .order_by_asc(blueprint_persona::Column::Position);
        let touchpoints = touchpoint::Entity::find()
            .select_only()
            .column(touchpoint::Column::Id)
            .filter(touchpoint::Column::BlueprintId.eq(id))
            .into_query();
        let audiences = touchpoint_segment::Entity::find()
            .filter(touchpoint_segment::Column::TouchpointId.in_subquery(touchpoints))
            .order_by_asc(touchpoint_segment::Column::Position)
            .all(tx)
            .await?;
        let meant: HashSet<SegmentId> = audiences.iter().map(|row| row.segment_id).collect();
        let kpi_links = kpi_link::Entity::find()
            .filter(kpi_link::Column::BlueprintId.eq(id))
            .order_by_asc(kpi_link::Column::CreatedAt)
            .order_by_asc(kpi_link::Column::Id);
        let scenarios = scenario::Entity::find()
            .filter(scenario::Column::BlueprintId.eq(id))
            .order_by_asc(scenario::Column::CreatedAt)
            .order_by_asc(scenario::Column::Id);
        let steps = scenario_step::Entity::find()
            .filter(scenario_step::Column::BlueprintId.eq(id))
            .order_by_asc(scenario_step::Column::Position);
        let sources = source::Entity::find()
            .filter(source::Column::BlueprintId.eq(id))
            .order_by_asc(source::Column::CreatedAt)
            .order_by_asc(source::Column::Id);
        let insights = insight::Entity::find()
            .filter(insight::Column::BlueprintId.eq(id))
            .order_by_asc(insight::Column::CreatedAt)
            .order_by_asc(insight::Column::Id)
            .all(tx)
            .await?;
        let known_of: HashSet<PersonaId> =
            insights.iter().filter_map(|row| row.persona_id).collect();
        let rests_on = insight_source::Entity::find()
            .filter(insight_source::Column::BlueprintId.eq(id))
            .order_by_asc(insight_source::Column::Position);
        let promises = promise::Entity::find()
            .filter(promise::Column::BlueprintId.eq(id))
            .order_by_asc(promise::Column::CreatedAt)
            .order_by_asc(promise::Column::Id);
        let delivered_at = promise_delivery::Entity::find()
            .filter(promise_delivery::Column::BlueprintId.eq(id))
            .order_by_asc(promise_delivery::Column::Position);
        let evaluations = evaluation::Entity::find()
            .filter(evaluation::Column::BlueprintId.eq(id))
            .order_by_asc(evaluation::Column::CreatedAt)
            .order_by_asc(evaluation::Column::Id);
        let verdicts = evaluation_verdict::Entity::find()
            .filter(evaluation_verdict::Column::EvaluationId.in_subquery(ids_of(
                evaluation::Entity::find().filter(evaluation::Column::BlueprintId.eq(id)),
                evaluation::Column::Id,
            )))
            .order_by_asc(evaluation_verdict::Column::Position);
        let improvements = improvement::Entity::find()
            .filter(improvement::Column::BlueprintId.eq(id))
            .order_by_asc(improvement::Column::CreatedAt)
            .order_by_asc(improvement::Column::Id);
        let improved = improvement_touchpoint::Entity::find()
            .filter(improvement_touchpoint::Column::BlueprintId.eq(id))
            .order_by_asc(improvement_touchpoint::Column::Position);
        let told_by = improvement_kpi::Entity::find()
            .filter(improvement_kpi::Column::ImprovementId.in_subquery(ids_of(
                improvement::Entity::find().filter(improvement::Column::BlueprintId.eq(id)),
                improvement::Column::Id,
            )))
            .order_by_asc(improvement_kpi::Column::Position);
        let people = responsibility::Entity::find()
            .select_only()
            .column(responsibility::Column::PersonId)
            .filter(responsibility::Column::BlueprintId.eq(id))
            .filter(responsibility::Column::PersonId.is_not_null())
            .filter(scope::open_responsibility())
            .into_query();
        let evaluations = evaluations.all(tx).await?;
        let tried = evaluations.iter().filter_map(|row| row.by_account_id);
        let tried: HashSet<AccountId> = tried.collect();
        let people = caller
            .select::<account::Entity>()
            .filter(
                Condition::any()
                    .add(account::Column::Id.in_subquery(people))
                    .add(account::Column::Id.is_in(tried)),
            )
            .all(tx)
            .await?;
        let improvements = improvements.all(tx).await?;
        let improvers: HashSet<DepartmentId> = improvements
            .iter()
            .map(|row| row.owner_department_id)
            .collect();
        let improvers = caller
            .select::<department::Entity>()
            .filter(department::Column::Id.is_in(improvers))
            .all(tx)
            .await?;
        let told_by = told_by.all(tx).await?;
        let telling: HashSet<KpiId> = told_by.iter().map(|row| row.kpi_id).collect();
        let telling = caller
            .select::<kpi::Entity>()
            .filter(kpi::Column::Id.is_in(telling))
            .filter(kpi::Column::ArchivedAt.is_null())
            .all(tx)
            .await?;
        let whole = Self {
            personas: personas.all(tx).await?,
            segments: segment::Entity::find()
                .filter(segment::Column::Id.is_in(meant))
                .all(tx)
                .await?
                .into_iter()
                .map(|row| (row.id, row))
                .collect(),
            audiences: grouped(
                audiences
                    .into_iter()
                    .map(|row| (row.touchpoint_id, row.segment_id)),
            ),
            kpi_links: kpi_links.all(tx).await?,
            scenarios: scenarios.all(tx).await?,
            steps: grouped(
                steps
                    .all(tx)
                    .await?
                    .into_iter()
                    .map(|row| (row.scenario_id, row.touchpoint_id)),
            ),
            sources: sources.all(tx).await?,
            known_of: persona::Entity::find()
                .filter(persona::Column::Id.is_in(known_of))
                .all(tx)
                .await?
                .into_iter()
                .map(|row| (row.id, row))
                .collect(),
            insights,
            rests_on: grouped(
                rests_on
                    .all(tx)
                    .await?
                    .into_iter()
                    .map(|row| (row.insight_id, row.source_id)),
            ),
            promises: promises.all(tx).await?,
            delivered_at: grouped(
                delivered_at
                    .all(tx)
                    .await?
                    .into_iter()
                    .map(|row| (row.promise_id, row.touchpoint_id)),
            ),
            evaluations,
            verdicts: grouped(
                verdicts
                    .all(tx)
                    .await?
                    .into_iter()
                    .map(|row| (row.evaluation_id, (row.need_id, row.verdict))),
            ),
            improvements,
            improved: grouped(
                improved
                    .all(tx)
                    .await?
                    .into_iter()
                    .map(|row| (row.improvement_id, row.touchpoint_id)),
            ),
            told_by: grouped(
                told_by
                    .into_iter()
                    .map(|row| (row.improvement_id, row.kpi_id)),
            ),
            improvers: improvers.into_iter().map(|row| (row.id, row)).collect(),
            telling: telling.into_iter().map(|row| (row.id, row)).collect(),
            people: people.into_iter().map(|row| (row.id, row)).collect(),
            canvas,
        }
        .without_archived();
        // The canvas has paid for its own.
        let besides = whole.rows() - whole.canvas.rows();
        caller.budget.spend(ROW * besides as u64)?;
        Ok(whole)
    }

    /// A blueprint on which nothing hangs.
    #[cfg(test)]
    pub(crate) fn bare(canvas: Canvas) -> Self {
        Self {
            canvas,
            personas: Vec::new(),
            audiences: HashMap::new(),
            segments: HashMap::new(),
            kpi_links: Vec::new(),
            scenarios: Vec::new(),
            steps: HashMap::new(),
            sources: Vec::new(),
            insights: Vec::new(),
            known_of: HashMap::new(),
            rests_on: HashMap::new(),
            promises: Vec::new(),
            delivered_at: HashMap::new(),
            evaluations: Vec::new(),
            verdicts: HashMap::new(),
            improvements: Vec::new(),
            improved: HashMap::new(),
            told_by: HashMap::new(),
            improvers: HashMap::new(),
            telling: HashMap::new(),
            people: HashMap::new(),
        }
    }

    /// Leaves out what hangs on archived touchpoints and phases.
    fn without_archived(mut self) -> Self {
        let canvas = &self.canvas;
        let there = |phase: Option<_>, touchpoint: Option<_>| {
            phase.is_none_or(|id| canvas.phase(id).is_some())
                && touchpoint.is_none_or(|id| canvas.touchpoint(id).is_some())
        };
        self.audiences.retain(|id, _| there(None, Some(*id)));
        self.kpi_links.retain(|link| {
            there(link.phase_id, link.touchpoint_id) && canvas.kpi(link.kpi_id).is_some()
        });
        self.insights
            .retain(|insight| there(insight.phase_id, insight.touchpoint_id));
        self.promises
            .retain(|promise| there(None, Some(promise.touchpoint_id)));
        self.evaluations
            .retain(|evaluation| there(None, Some(evaluation.touchpoint_id)));
        for touchpoints in self
            .steps
            .values_mut()
            .chain(self.delivered_at.values_mut())
            .chain(self.improved.values_mut())
        {
            touchpoints.retain(|id| there(None, Some(*id)));
        }
        self
    }
}

fn ids_of<E: EntityTrait>(rows: Select<E>, id: E::Column) -> SelectStatement {
    rows.select_only().column(id).into_query()
}

/// Puts what belongs together into one list each, in the order in which it came.
fn grouped<K: std::hash::Hash + Eq, V>(rows: impl Iterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in rows {
        groups.entry(key).or_default().push(value);
    }
    groups
}
