//! Loads a snapshot: the canvas, then one statement for each table and join table, all in one transaction.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

use chrono::NaiveDate;
use entity::{
    account, blueprint, blueprint_persona, department, evaluation, evaluation_verdict,
    id::{AccountId, BlueprintId, EvaluationId, NeedId},
    improvement, improvement_kpi, improvement_touchpoint, insight, insight_source, kpi, kpi_link,
    persona, phase, phase_segment, promise, promise_delivery, responsibility, scenario,
    scenario_step, segment, source, touchpoint, touchpoint_segment,
    words::Verdict,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Select, TryGetable,
    sea_query::{SelectStatement, SimpleExpr},
};

use super::WholeBlueprint;
use crate::{
    access::{Caller, Guarded, scope},
    canvas::Canvas,
    compute::ROW_KEPT,
    database::Transaction,
    error::Result,
};

/// The ids of a blueprint's rows in one table, as a subquery.
macro_rules! ids {
    ($table:ident of $blueprint:expr) => {
        $table::Entity::find()
            .select_only()
            .column($table::Column::Id)
            .filter($table::Column::BlueprintId.eq($blueprint))
            .into_query()
    };
}

impl WholeBlueprint {
    /// The snapshot of the blueprint that a condition picks, with KPIs as of `day`; none where the caller may not see
    /// it. It waits for the request's turn to load, and is paid from its budget.
    pub async fn find(
        caller: &Caller,
        which: Condition,
        day: NaiveDate,
    ) -> Result<Option<Arc<Self>>> {
        let _turn = caller.budget.acquire_blueprint_load_slot().await?;
        let tx = caller.begin_snapshot().await?;
        let select = caller.select::<blueprint::Entity>().filter(which);
        let Some(blueprint) = select.one(&tx).await? else {
            return Ok(None);
        };
        let snapshot = Box::pin(Self::load(caller, &tx, blueprint, day)).await?;
        tx.commit().await?;
        Ok(Some(Arc::new(snapshot)))
    }

    /// The snapshot of a blueprint whose row was read in the transaction already.
    pub async fn load(
        caller: &Caller,
        tx: &Transaction,
        blueprint: blueprint::Model,
        day: NaiveDate,
    ) -> Result<Self> {
        let id = blueprint.id;
        // On the heap: a future of so many statements is large, and lies inside those of all who load one.
        let canvas = Box::pin(Canvas::load(caller, tx, blueprint, day)).await?;

        // The rows of a table that has the blueprint's id.
        macro_rules! rows {
            ($table:ident) => {
                load_rows_by_creation::<$table::Entity>(tx, $table::Column::BlueprintId.eq(id))
                    .await?
            };
        }
        // The lists that a join table holds: by owner, its members.
        macro_rules! lists {
            ($table:ident: $owner:ident => $member:ident) => {
                lists!($table where $table::Column::BlueprintId.eq(id), $owner => $member)
            };
            ($table:ident where $which:expr, $owner:ident => $member:ident) => {{
                use $table::Column;
                let columns = [Column::$owner, Column::$member, Column::Position];
                load_join_lists::<$table::Entity, _, _>(tx, $which, columns).await?
            }};
        }

        let (touchpoints, improvements) = (ids!(touchpoint of id), ids!(improvement of id));
        let in_phase = phase_segment::Column::PhaseId.in_subquery(ids!(phase of id));
        let at_touchpoint = touchpoint_segment::Column::TouchpointId.in_subquery(touchpoints);
        let of_improvement = improvement_kpi::Column::ImprovementId.in_subquery(improvements);

        let kpi_links = rows!(kpi_link);
        let scenarios = rows!(scenario);
        let sources = rows!(source);
        let insights = rows!(insight);
        let promises = rows!(promise);
        let evaluations = rows!(evaluation);
        let improvements = rows!(improvement);

        let phase_segments = lists!(phase_segment where in_phase, PhaseId => SegmentId);
        let touchpoint_segments =
            lists!(touchpoint_segment where at_touchpoint, TouchpointId => SegmentId);
        let scenario_steps = lists!(scenario_step: ScenarioId => TouchpointId);
        let insight_sources = lists!(insight_source: InsightId => SourceId);
        let promise_deliveries = lists!(promise_delivery: PromiseId => TouchpointId);
        let improvement_touchpoints = lists!(improvement_touchpoint: ImprovementId => TouchpointId);
        let improvement_kpis = lists!(improvement_kpi where of_improvement, ImprovementId => KpiId);
        let evaluation_verdicts = load_verdicts(tx, id).await?;

        let segment_ids = phase_segments.values().chain(touchpoint_segments.values());
        let segment_ids = segment_ids.flatten().copied().collect();
        let persona_ids = insights.iter().filter_map(|row| row.persona_id).collect();
        let kpi_ids = improvement_kpis.values().flatten().copied().collect();
        let owner_ids = improvements.iter().map(|row| row.owner_department_id);
        let owner_ids = owner_ids.collect();
        // Segments and personas are a catalogue that everybody reads; of KPIs and departments the policy is asked.
        let kpis = caller.select::<kpi::Entity>();
        let kpis = kpis.filter(kpi::Column::ArchivedAt.is_null());
        let snapshot = Self {
            secondary_personas: load_secondary_personas(tx, id).await?,
            segments: load_by_id(tx, segment::Entity::find(), segment_ids).await?,
            insight_personas: load_by_id(tx, persona::Entity::find(), persona_ids).await?,
            kpis_of_improvements: load_by_id(tx, kpis, kpi_ids).await?,
            owners_of_improvements: load_by_id(
                tx,
                caller.select::<department::Entity>(),
                owner_ids,
            )
            .await?,
            people: load_people(caller, tx, id, &evaluations).await?,
            canvas,
            phase_segments,
            touchpoint_segments,
            kpi_links,
            scenarios,
            scenario_steps,
            sources,
            insights,
            insight_sources,
            promises,
            promise_deliveries,
            evaluations,
            evaluation_verdicts,
            improvements,
            improvement_touchpoints,
            improvement_kpis,
            touchpoints_with_archived: HashMap::new(),
            archived_insights: Vec::new(),
            archived_promises: Vec::new(),
        }
        .without_parts_of_archived();
        // The canvas has paid for its own rows.
        let besides = snapshot.row_count() - snapshot.canvas.row_count();
        caller.budget.spend(ROW_KEPT * besides as u64)?;
        Ok(snapshot)
    }
}

/// The rows of a table that a condition picks, in the order of creation.
async fn load_rows_by_creation<E: Guarded>(
    tx: &Transaction,
    which: SimpleExpr,
) -> Result<Vec<E::Model>> {
    let select = E::find()
        .filter(which)
        .order_by_asc(E::created_at_column())
        .order_by_asc(E::id_column());
    Ok(select.all(tx).await?)
}

/// The lists of a join table, by owner; its columns are those of the owner, of the member and of the position.
async fn load_join_lists<E, O, M>(
    tx: &Transaction,
    which: SimpleExpr,
    [owner, member, position]: [E::Column; 3],
) -> Result<HashMap<O, Vec<M>>>
where
    E: EntityTrait,
    O: TryGetable + Hash + Eq + Send,
    M: TryGetable + Send,
{
    let select = E::find().select_only().columns([owner, member]);
    let select = select.filter(which).order_by_asc(position);
    Ok(group_by_owner(select.into_tuple::<(O, M)>().all(tx).await?))
}

async fn load_verdicts(
    tx: &Transaction,
    blueprint: BlueprintId,
) -> Result<HashMap<EvaluationId, Vec<(NeedId, Verdict)>>> {
    use evaluation_verdict::Column;
    let rows: Vec<(EvaluationId, NeedId, Verdict)> = evaluation_verdict::Entity::find()
        .select_only()
        .columns([Column::EvaluationId, Column::NeedId, Column::Verdict])
        .filter(Column::EvaluationId.in_subquery(ids!(evaluation of blueprint)))
        .order_by_asc(Column::Position)
        .into_tuple()
        .all(tx)
        .await?;
    let rows = rows.into_iter();
    Ok(group_by_owner(rows.map(|(evaluation, need, verdict)| {
        (evaluation, (need, verdict))
    })))
}

async fn load_secondary_personas(
    tx: &Transaction,
    blueprint: BlueprintId,
) -> Result<Vec<persona::Model>> {
    let joined = blueprint_persona::Entity::belongs_to(persona::Entity)
        .from(blueprint_persona::Column::PersonaId)
        .to(persona::Column::Id);
    let select = persona::Entity::find()
        .join_rev(JoinType::InnerJoin, joined.into())
        .filter(blueprint_persona::Column::BlueprintId.eq(blueprint))
        .order_by_asc(blueprint_persona::Column::Position);
    Ok(select.all(tx).await?)
}

/// The people who do what departments are responsible for, and who tried touchpoints.
async fn load_people(
    caller: &Caller,
    tx: &Transaction,
    blueprint: BlueprintId,
    evaluations: &[evaluation::Model],
) -> Result<HashMap<AccountId, account::Model>> {
    use responsibility::Column;
    let responsible: SelectStatement = responsibility::Entity::find()
        .select_only()
        .column(Column::PersonId)
        .filter(Column::BlueprintId.eq(blueprint))
        .filter(Column::PersonId.is_not_null())
        .filter(scope::open_responsibility_condition())
        .into_query();
    let tried = evaluations.iter().filter_map(|row| row.by_account_id);
    let which = Condition::any()
        .add(account::Column::Id.in_subquery(responsible))
        .add(account::Column::Id.is_in(tried));
    let select = caller.select::<account::Entity>().filter(which);
    let rows = select.all(tx).await?.into_iter();
    Ok(rows.map(|row| (row.id, row)).collect())
}

/// The rows of a select whose ids are among these, by id.
async fn load_by_id<E>(
    tx: &Transaction,
    select: Select<E>,
    ids: HashSet<E::Id>,
) -> Result<HashMap<E::Id, E::Model>>
where
    E: Guarded<Id: Hash>,
{
    let rows = select.filter(E::id_column().is_in(ids)).all(tx).await?;
    Ok(rows.into_iter().map(|row| (E::id(&row), row)).collect())
}

/// Members by owner, in the order in which they come.
fn group_by_owner<O: Hash + Eq, M>(rows: impl IntoIterator<Item = (O, M)>) -> HashMap<O, Vec<M>> {
    let mut groups: HashMap<O, Vec<M>> = HashMap::new();
    for (owner, member) in rows {
        groups.entry(owner).or_default().push(member);
    }
    groups
}
