//! Findings: what blueprints get wrong, since when, and what was dismissed and why.
//!
//! Findings are computed, not stored: [`rules`] judges a snapshot of the blueprint together with its [`surroundings`]
//! (what other blueprints send, hold and measure), both read as the caller may see them, so that nobody learns from a
//! finding what they may not read. Stored by fingerprint (table `finding`) is only what cannot be computed again:
//!
//! ```text
//! a write ─► revision of the blueprint, or a row in finding_mark ─► renewal, in the background ─► open_since
//! a reader: snapshot + surroundings ─► rules ─► violations, each with its open_since and dismissal by fingerprint
//! dismiss, with a reason ─► stays dismissed until the finding is gone; if it comes back, it is open anew
//! ```
//!
//! [`renewal`] notes `open_since` once for everybody; a finding that was never noted has none yet. Open findings of
//! severity ERROR refuse publishing ([`refuse_open_errors`]).

pub mod graphql;
pub mod renewal;
pub mod rules;
pub mod surroundings;

use std::collections::HashMap;

use async_graphql::{ID, InputObject};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    blueprint, department, feedback, finding,
    id::{BlueprintId, DepartmentId, FindingId},
    responsibility,
    words::ResponsibilityStatus,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::OnConflict};

use self::rules::{FindingCode, RuleOptions, Severity, Surroundings, Thresholds, Violation};
use crate::{
    access::{Caller, Permit, scope, with_all_columns_set},
    audit::AuditedChange,
    canvas::Canvas,
    compute::WorkBudget,
    database::Transaction,
    error::{Error, Reason, Result, UserError, UserErrorCode},
    input::Faults,
    policy::{Action, Relation, RowTies},
    snapshot::WholeBlueprint,
};

/// Most findings that a refusal to publish names.
const MOST_NAMED: usize = 20;

/// A finding with what is stored about it, as far as its reader may know.
#[derive(Clone, Debug)]
pub struct TrackedFinding {
    pub finding: Violation,
    /// Since when it is open; none where that is not noted yet, or would reveal something hidden from the caller.
    pub open_since: Option<DateTime<Utc>>,
    /// Who dismissed it, when and why.
    pub dismissed: Option<finding::Model>,
}

/// The dismissal of a finding.
#[derive(InputObject)]
pub struct FindingDismissInput {
    /// Id of the blueprint with the finding.
    pub blueprint_id: ID,
    /// Fingerprint of the finding.
    pub fingerprint: ID,
    /// The reason why nothing has to be done about it.
    pub reason: String,
}

/// The withdrawal of a finding's dismissal.
#[derive(InputObject)]
pub struct FindingReopenInput {
    /// Id of the blueprint with the finding.
    pub blueprint_id: ID,
    /// Fingerprint of the finding.
    pub fingerprint: ID,
}

/// The findings of a blueprint on a day, as far as the caller may read it; none where they may not. In one snapshot,
/// paid from the request's budget.
pub async fn load_tracked_findings(
    caller: &Caller,
    id: BlueprintId,
    day: NaiveDate,
    thresholds: &Thresholds,
) -> Result<Vec<TrackedFinding>> {
    let _turn = caller.budget.acquire_blueprint_load_slot().await?;
    let tx = caller.begin_snapshot().await?;
    let which = caller
        .select::<blueprint::Entity>()
        .filter(blueprint::Column::Id.eq(id));
    let Some(blueprint) = which.one(&tx).await? else {
        return Ok(Vec::new());
    };
    let inspection = InspectionInput::load(caller, &tx, blueprint, day).await?;
    tx.commit().await?;
    inspection
        .compute_findings_on_compute_pool(caller, (day, thresholds))
        .await
}

/// The findings on a day of a blueprint that the caller may read, in the transaction that its row was read in.
pub async fn load_tracked_findings_in_transaction(
    caller: &Caller,
    tx: &Transaction,
    blueprint: blueprint::Model,
    (day, thresholds): (NaiveDate, &Thresholds),
) -> Result<Vec<TrackedFinding>> {
    let inspection = InspectionInput::load(caller, tx, blueprint, day).await?;
    inspection
        .compute_findings_on_compute_pool(caller, (day, thresholds))
        .await
}

/// The input of the rules, and the stored rows of earlier findings.
struct InspectionInput {
    snapshot: WholeBlueprint,
    around: Surroundings,
    noted: HashMap<FindingId, finding::Model>,
}

impl InspectionInput {
    async fn load(
        caller: &Caller,
        tx: &Transaction,
        blueprint: blueprint::Model,
        day: NaiveDate,
    ) -> Result<Self> {
        let noted = finding::Entity::find().filter(finding::Column::BlueprintId.eq(blueprint.id));
        let noted = noted.all(tx).await?.into_iter();
        let noted = noted.map(|row| (row.id, row)).collect();
        let snapshot = Box::pin(WholeBlueprint::load(caller, tx, blueprint, day)).await?;
        let around = surroundings::load_facts_around_blueprint(caller, tx, &snapshot, day).await?;
        Ok(Self {
            snapshot,
            around,
            noted,
        })
    }

    /// The findings, computed on the pool of workers.
    async fn compute_findings_on_compute_pool(
        self,
        caller: &Caller,
        (day, thresholds): (NaiveDate, &Thresholds),
    ) -> Result<Vec<TrackedFinding>> {
        let (reader, thresholds) = (caller.clone(), thresholds.clone());
        let work = move |steps: &WorkBudget| {
            steps.spend(JUDGED * self.snapshot.row_count())?;
            Ok(self.compute_findings(&reader, (day, &thresholds)))
        };
        caller.run_on_compute_pool(work).await
    }

    /// The findings, as far as the caller may know of them.
    fn compute_findings(
        mut self,
        caller: &Caller,
        (day, thresholds): (NaiveDate, &Thresholds),
    ) -> Vec<TrackedFinding> {
        let options = RuleOptions {
            day,
            thresholds,
            confidential: true,
        };
        let findings = rules::find_violations(&self.snapshot, &self.around, &options).into_iter();
        let reads_everything = caller.readable_condition::<blueprint::Entity>().is_empty();
        findings
            .map(|finding| {
                let row = self.noted.remove(&finding.fingerprint);
                // A finding that looks beyond may be open already for somebody who reads more: its date would tell of
                // that.
                let may_know = reads_everything || !finding.code.looks_beyond_blueprint();
                TrackedFinding {
                    open_since: row.as_ref().filter(|_| may_know).map(|row| row.open_since),
                    dismissed: row.filter(|row| row.dismissed_at.is_some()),
                    finding,
                }
            })
            .collect()
    }
}

/// Computing steps of judging one row of a blueprint by all rules.
const JUDGED: usize = 100;

/// The findings of the organisation as a whole, by the blueprints that the caller may read. They belong to no
/// blueprint, so they have no `open_since` and nobody dismisses them.
pub async fn find_organisation_violations(caller: &Caller) -> Result<Vec<Violation>> {
    use responsibility::Column;
    let tx = caller.begin_snapshot().await?;
    let departments = caller.select::<department::Entity>().all(&tx).await?;
    let holding: Vec<DepartmentId> = caller
        .select::<responsibility::Entity>()
        .select_only()
        .column(Column::DepartmentId)
        .distinct()
        .filter(Column::Status.eq(ResponsibilityStatus::Accepted))
        .filter(Column::BlueprintId.in_subquery(scope::select_published_current_blueprint_ids()))
        .into_tuple()
        .all(&tx)
        .await?;
    let whole = caller
        .select::<feedback::Entity>()
        .filter(feedback::Column::BlueprintId.is_null());
    let unroutable = surroundings::count_answers_without_department(&tx, whole, caller.today);
    let unroutable: usize = unroutable.await?.values().sum();
    tx.commit().await?;
    let holding = holding.into_iter().collect();
    Ok(rules::find_organisation_violations(
        &departments,
        &holding,
        unroutable,
    ))
}

/// The findings of severity ERROR that stand in the way of publishing: those that nobody dismissed, and that there is
/// no step.
async fn find_open_errors(permit: &Permit<'_>, canvas: &Canvas) -> Result<Vec<Violation>> {
    let dismissed: Vec<FindingId> = finding::Entity::find()
        .select_only()
        .column(finding::Column::Id)
        .filter(finding::Column::BlueprintId.eq(canvas.blueprint.id))
        .filter(finding::Column::DismissedAt.is_not_null())
        .into_tuple()
        .all(permit.tx())
        .await?;
    let mut errors = rules::find_error_violations(canvas);
    // What has no step is nothing to publish, whatever somebody thinks of it.
    errors.retain(|finding| {
        finding.code == FindingCode::EmptyBlueprint || !dismissed.contains(&finding.fingerprint)
    });
    Ok(errors)
}

/// Refuses to publish a blueprint with open errors, and names them.
pub async fn refuse_open_errors(permit: &Permit<'_>, canvas: &Canvas) -> Result<()> {
    let errors = find_open_errors(permit, canvas).await?;
    if errors.is_empty() {
        return Ok(());
    }
    let refuse = |message: String| {
        let reason = Some(Reason::FindingOpen);
        UserError::new("id", UserErrorCode::Conflict, reason, message)
    };
    let named = errors.iter().take(MOST_NAMED);
    let mut told: Vec<UserError> = named
        .map(|finding| refuse(format!("{}: {}", finding.code.as_str(), finding.sentence)))
        .collect();
    if errors.len() > MOST_NAMED {
        let more = errors.len() - MOST_NAMED;
        told.push(refuse(format!("There are {more} more.")));
    }
    Err(Error::Refused(told))
}

/// Dismisses a finding: it needs no looking after until it is gone and comes back.
pub async fn dismiss(
    caller: &Caller,
    input: FindingDismissInput,
    thresholds: &Thresholds,
) -> Result<TrackedFinding> {
    let mut faults = Faults::default();
    let blueprint: BlueprintId = faults.parse_id("blueprintId", &input.blueprint_id);
    let fingerprint: FindingId = faults.parse_id("fingerprint", &input.fingerprint);
    let reason = faults.check_required_text("reason", &input.reason);
    faults.check()?;
    let dismissal = Some(finding::Model {
        id: fingerprint,
        blueprint_id: blueprint,
        open_since: caller.now,
        dismissed_at: Some(caller.now),
        dismissed_by_id: caller.account(),
        reason: Some(reason),
    });
    set_dismissal(caller, (blueprint, fingerprint), dismissal, thresholds).await
}

/// Takes a dismissal back.
pub async fn reopen(
    caller: &Caller,
    input: &FindingReopenInput,
    thresholds: &Thresholds,
) -> Result<TrackedFinding> {
    let mut faults = Faults::default();
    let blueprint: BlueprintId = faults.parse_id("blueprintId", &input.blueprint_id);
    let fingerprint: FindingId = faults.parse_id("fingerprint", &input.fingerprint);
    faults.check()?;
    set_dismissal(caller, (blueprint, fingerprint), None, thresholds).await
}

/// Sets or clears the dismissal of a finding that the caller sees today.
async fn set_dismissal(
    caller: &Caller,
    (blueprint, fingerprint): (BlueprintId, FindingId),
    dismissal: Option<finding::Model>,
    thresholds: &Thresholds,
) -> Result<TrackedFinding> {
    let mut permit = caller.open_permit_without_check().await?;
    let row = permit
        .lock_and_read_row::<blueprint::Entity>("blueprintId", blueprint)
        .await?;
    let inspection = InspectionInput::load(caller, permit.tx(), row.clone(), caller.today).await?;
    // Not on the pool: whoever waits there for a turn must not hold what everybody needs to write.
    let mut found = inspection
        .compute_findings(caller, (caller.today, thresholds))
        .into_iter();
    let mut told = found
        .find(|told| told.finding.fingerprint == fingerprint)
        .ok_or_else(|| Error::not_found("fingerprint", "finding of this blueprint"))?;
    let action = match told.finding.code.severity() {
        Severity::Error => Action::DismissError,
        Severity::Warning | Severity::Info => Action::DismissFinding,
    };
    let owner =
        RowTies::none().with_departments(Relation::OwnsBlueprint, [row.owner_department_id]);
    permit.require_permission_on_row::<blueprint::Entity>(action, &owner, &row)?;
    permit.require_unarchived_blueprint(blueprint)?;
    if told.dismissed.is_none() && dismissal.is_none() {
        return Ok(told);
    }
    store_dismissal(&permit, &told, dismissal.as_ref()).await?;
    permit.add_audit_event(AuditedChange::for_change_outside_row::<blueprint::Entity>(
        &row,
        // What it is about may be a KPI that readers of the log may not read of.
        serde_json::json!({ "finding": fingerprint, "dismissed": dismissal.is_some() }),
    ));
    told.dismissed = dismissal;
    permit.commit().await?;
    Ok(told)
}

/// Stores a dismissal, or clears it. A finding that is not noted yet is noted with it.
async fn store_dismissal(
    permit: &Permit<'_>,
    told: &TrackedFinding,
    dismissal: Option<&finding::Model>,
) -> Result<()> {
    use finding::Column;
    let Some(dismissal) = dismissal else {
        finding::Entity::update_many()
            .set(finding::ActiveModel {
                dismissed_at: Set(None),
                dismissed_by_id: Set(None),
                reason: Set(None),
                ..Default::default()
            })
            .filter(Column::Id.eq(told.finding.fingerprint))
            .exec(permit.tx())
            .await?;
        return Ok(());
    };
    let noted = OnConflict::column(Column::Id)
        .update_columns([Column::DismissedAt, Column::DismissedById, Column::Reason])
        .to_owned();
    let row = with_all_columns_set::<finding::Entity>(dismissal.clone());
    finding::Entity::insert(row)
        .on_conflict(noted)
        .exec_without_returning(permit.tx())
        .await?;
    Ok(())
}
