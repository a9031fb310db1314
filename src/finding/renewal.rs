//! Notes since when findings are open, in the background. A write only leaves a trace: the blueprint's revision, or a
//! row in `finding_mark` for what lies outside. The findings of the blueprints that it concerns are then computed and
//! their fingerprints stored; once a day, those of all blueprints that are not archived, as some rules depend on the
//! date. Any number of servers may do it at once. Reading notes nothing.

use std::collections::{BTreeSet, HashSet};

use entity::{
    blueprint, blueprint_persona, finding, finding_mark, finding_renewal,
    id::{BlueprintId, FindingId, MarkId},
    kpi_link, responsibility,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use super::{
    rules::{self, RuleOptions, Thresholds},
    surroundings,
};
use crate::{access::Caller, database::Transaction, error::Result, snapshot::WholeBlueprint};

/// Most marks that one statement reads, and rows that one writes.
const AT_ONCE: usize = 1_000;

/// Attempts at one blueprint, where another server notes its findings in between.
const TRIES: usize = 3;

/// Notes the findings of every blueprint that is due. A blueprint that fails stays due, and does not stop the others.
pub async fn renew_due_findings(caller: &Caller, thresholds: &Thresholds) -> Result<()> {
    // Read before the findings are computed and deleted after: what is marked meanwhile keeps a mark of its own.
    let marks = load_changed_input_marks(caller).await?;
    // As a set: a blueprint that ten marks lead to is computed once.
    let mut due = find_dependent_blueprints(caller, &marks).await?;
    due.extend(find_blueprints_with_outdated_findings(caller).await?);
    let mut failed = Ok(());
    for blueprint in due {
        if let Err(error) = renew_findings_of_blueprint(caller, blueprint, thresholds).await {
            // The others are noted nevertheless. The marks stay, so that this one is tried again.
            failed = Err(error);
        }
    }
    failed?;
    let done = marks.iter().map(|mark| mark.id);
    delete_processed_marks(caller, done.collect()).await
}

async fn load_changed_input_marks(caller: &Caller) -> Result<Vec<finding_mark::Model>> {
    let most = u64::try_from(AT_ONCE).unwrap_or(u64::MAX);
    let marks = finding_mark::Entity::find().limit(most);
    Ok(marks.all(caller.connection()).await?)
}

/// Deletes marks whose blueprints were renewed since they were read.
async fn delete_processed_marks(caller: &Caller, done: Vec<MarkId>) -> Result<()> {
    if done.is_empty() {
        return Ok(());
    }
    let tx = caller.begin_unaudited_transaction().await?;
    finding_mark::Entity::delete_many()
        .filter(finding_mark::Column::Id.is_in(done))
        .exec(&tx)
        .await?;
    Ok(tx.commit().await?)
}

/// The blueprints, archived ones left out, without a renewal at their revision and on this day.
async fn find_blueprints_with_outdated_findings(caller: &Caller) -> Result<Vec<BlueprintId>> {
    use finding_renewal::Column;
    let its = |of_renewal: Column, current: blueprint::Column| {
        of_renewal.into_expr().equals((blueprint::Entity, current))
    };
    let up_to_date = finding_renewal::Entity::find()
        .select_only()
        .column(Column::BlueprintId)
        .filter(its(Column::BlueprintId, blueprint::Column::Id))
        .filter(its(Column::Revision, blueprint::Column::Revision))
        .filter(Column::Day.eq(caller.today));
    Ok(blueprint::Entity::find()
        .select_only()
        .column(blueprint::Column::Id)
        .filter(blueprint::Column::ArchivedAt.is_null())
        .filter(Expr::exists(up_to_date.into_query()).not())
        .into_tuple()
        .all(caller.connection())
        .await?)
}

/// The blueprints whose findings depend on the marked rows.
async fn find_dependent_blueprints(
    caller: &Caller,
    marks: &[finding_mark::Model],
) -> Result<BTreeSet<BlueprintId>> {
    let mut due = BTreeSet::new();
    if marks.is_empty() {
        return Ok(due);
    }
    let kpis = marks.iter().filter_map(|mark| mark.kpi_id);
    let judged = kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::BlueprintId)
        .distinct()
        .filter(kpi_link::Column::KpiId.is_in(kpis));
    let personas = || marks.iter().filter_map(|mark| mark.persona_id);
    let shown = blueprint::Entity::find()
        .select_only()
        .column(blueprint::Column::Id)
        .filter(blueprint::Column::PersonaId.is_in(personas()));
    let shown_besides = blueprint_persona::Entity::find()
        .select_only()
        .column(blueprint_persona::Column::BlueprintId)
        .distinct()
        .filter(blueprint_persona::Column::PersonaId.is_in(personas()));
    let departments = marks.iter().filter_map(|mark| mark.department_id);
    let held = responsibility::Entity::find()
        .select_only()
        .column(responsibility::Column::BlueprintId)
        .distinct()
        .filter(responsibility::Column::DepartmentId.is_in(departments));
    let db = caller.connection();
    let of_kpis: Vec<BlueprintId> = judged.into_tuple().all(db).await?;
    let of_personas: Vec<BlueprintId> = shown.into_tuple().all(db).await?;
    let of_further: Vec<BlueprintId> = shown_besides.into_tuple().all(db).await?;
    let of_departments: Vec<BlueprintId> = held.into_tuple().all(db).await?;
    due.extend(marks.iter().filter_map(|mark| mark.blueprint_id));
    due.extend(of_kpis);
    due.extend(of_personas);
    due.extend(of_further);
    due.extend(of_departments);
    Ok(due)
}

/// Notes the findings of one blueprint: new ones are open from now on; those that are gone are deleted, dismissed or
/// not.
async fn renew_findings_of_blueprint(
    caller: &Caller,
    id: BlueprintId,
    thresholds: &Thresholds,
) -> Result<()> {
    for _ in 0..TRIES {
        let Some(change) = BlueprintFindingsDiff::compute(caller, id, thresholds).await? else {
            return Ok(());
        };
        if change.write(caller).await? {
            return Ok(());
        }
    }
    // Others are noting them all the time; what is left to do stays due.
    Ok(())
}

/// The difference between the computed and the stored findings of one blueprint.
struct BlueprintFindingsDiff {
    blueprint: blueprint::Model,
    before: Option<finding_renewal::Model>,
    opened: Vec<FindingId>,
    gone: Vec<FindingId>,
}

impl BlueprintFindingsDiff {
    /// The difference, computed and read in one snapshot; none for a blueprint that is gone or archived.
    async fn compute(
        caller: &Caller,
        id: BlueprintId,
        thresholds: &Thresholds,
    ) -> Result<Option<Self>> {
        let tx = caller.begin_snapshot().await?;
        let blueprint =
            blueprint::Entity::find_by_id(id).filter(blueprint::Column::ArchivedAt.is_null());
        let Some(blueprint) = blueprint.one(&tx).await? else {
            return Ok(None);
        };
        let before = finding_renewal::Entity::find_by_id(id).one(&tx).await?;
        let noted: Vec<FindingId> = finding::Entity::find()
            .select_only()
            .column(finding::Column::Id)
            .filter(finding::Column::BlueprintId.eq(id))
            .into_tuple()
            .all(&tx)
            .await?;
        let snapshot = Box::pin(WholeBlueprint::load(
            caller,
            &tx,
            blueprint.clone(),
            caller.today,
        ))
        .await?;
        let open = compute_open_fingerprints(caller, &tx, &snapshot, thresholds).await?;
        tx.commit().await?;
        let noted: HashSet<FindingId> = noted.into_iter().collect();
        Ok(Some(Self {
            blueprint,
            before,
            opened: open.difference(&noted).copied().collect(),
            gone: noted.difference(&open).copied().collect(),
        }))
    }

    /// Writes it; false where another server has noted the findings in between.
    async fn write(&self, caller: &Caller) -> Result<bool> {
        let tx = caller.begin_unaudited_transaction().await?;
        // First in the transaction: whoever loses has written nothing yet.
        if !self.raise_renewal_number(&tx, caller).await? {
            return Ok(false);
        }
        for gone in self.gone.chunks(AT_ONCE) {
            finding::Entity::delete_many()
                .filter(finding::Column::Id.is_in(gone.iter().copied()))
                .exec(&tx)
                .await?;
        }
        for opened in self.opened.chunks(AT_ONCE) {
            let rows = opened.iter().map(|id| finding::ActiveModel {
                id: Set(*id),
                blueprint_id: Set(self.blueprint.id),
                open_since: Set(caller.now),
                dismissed_at: Set(None),
                dismissed_by_id: Set(None),
                reason: Set(None),
            });
            // One that was dismissed this moment is noted already.
            finding::Entity::insert_many(rows)
                .on_conflict_do_nothing_on([finding::Column::Id])
                .exec_without_returning(&tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Raises the renewal's number from the one that was read: of two servers at once, one succeeds (compare and swap).
    async fn raise_renewal_number(&self, tx: &Transaction, caller: &Caller) -> Result<bool> {
        use finding_renewal::Column;
        let number = self.before.as_ref().map_or(0, |before| before.number);
        let next = finding_renewal::ActiveModel {
            blueprint_id: Set(self.blueprint.id),
            revision: Set(self.blueprint.revision),
            day: Set(caller.today),
            number: Set(number + 1),
        };
        let changed = match self.before {
            None => {
                let first = OnConflict::column(Column::BlueprintId)
                    .do_nothing()
                    .to_owned();
                finding_renewal::Entity::insert(next)
                    .on_conflict(first)
                    .exec_without_returning(tx)
                    .await?
            }
            Some(_) => {
                finding_renewal::Entity::update_many()
                    .set(next)
                    .filter(Column::BlueprintId.eq(self.blueprint.id))
                    .filter(Column::Number.eq(number))
                    .exec(tx)
                    .await?
                    .rows_affected
            }
        };
        Ok(changed == 1)
    }
}

/// The fingerprints of all findings that anybody may see: with all confidential KPIs, and with none. Whoever reads some
/// of them sees a subset of both, as each rule is about one touchpoint or one KPI.
async fn compute_open_fingerprints(
    caller: &Caller,
    tx: &Transaction,
    snapshot: &WholeBlueprint,
    thresholds: &Thresholds,
) -> Result<HashSet<FindingId>> {
    let day = caller.today;
    let around = surroundings::load_facts_around_blueprint(caller, tx, snapshot, day).await?;
    let found = |confidential: bool| {
        let options = RuleOptions {
            day,
            thresholds,
            confidential,
        };
        rules::find_violations(snapshot, &around, &options)
    };
    // Both, since with a confidential KPI left out another finding may be open in its place.
    let all = found(true).into_iter().chain(found(false));
    Ok(all.map(|finding| finding.fingerprint).collect())
}
