//! Imports a document: all of it or nothing, every fault with its path, and a report of the changes. A dry run does
//! everything and commits nothing.

use std::sync::Arc;

use entity::{
    blueprint, department,
    id::{BlueprintId, DepartmentId},
};
use sea_orm::{EntityTrait, QueryFilter};
use serde_json::json;

use super::{
    apply,
    archiving::NamedPlaces,
    authority::ImportConsent,
    blueprint::{BlueprintDocumentPatch, Document},
    catalogue::ReferencedIds,
    diff::DocumentChange,
    draft::MergedDocument,
    export::STEPS_PER_ROW,
    reference::ReferencedKeys,
    report, responsibilities,
    target::{CurrentBlueprint, WantedRows},
};
use crate::{
    access::{Caller, HasKeyColumn, Permit, expect_revision, require_unarchived},
    audit::AuditedChange,
    compute::WorkBudget,
    error::{Error, Result},
    id,
    input::is_valid_key,
    policy::{Action, Relation, RowTies},
    snapshot::WholeBlueprint,
};

/// How a document is imported.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportOptions {
    /// Do everything, commit nothing.
    pub dry_run: bool,
    /// Remove what a list of the document does not name.
    pub prune: bool,
    /// Only if the blueprint is at this revision.
    pub expected_revision: Option<i32>,
}

/// The changes that an import made, or would make.
#[derive(Debug)]
pub struct ImportReport {
    /// The blueprint as it is now; none where a dry run would make it.
    pub blueprint: Option<blueprint::Model>,
    pub changes: Vec<DocumentChange>,
}

/// Imports a document: all of it, or nothing. One transaction, under the lock of the blueprint.
///
/// # Errors
/// Every fault with its path in the document; FORBIDDEN, or a CONFLICT where the revision is another one.
pub async fn import_document(
    caller: &Caller,
    patch: BlueprintDocumentPatch,
    how: ImportOptions,
) -> Result<ImportReport> {
    let mut permit = caller.open_permit_without_check().await?;
    let found = match patch.key.trim() {
        // Not asked with anything else: a text that is no key could be of any length.
        key if is_valid_key(key) => {
            let found = caller.select::<blueprint::Entity>();
            let found = found.filter(blueprint::Entity::key_condition(key));
            found.one(permit.tx()).await?
        }
        // No row has it; resolving reports what is wrong with it.
        _ => None,
    };
    let blueprint = match &found {
        Some(row) => {
            Some(lock_blueprint_for_import(&mut permit, row.id, how.expected_revision).await?)
        }
        None => None,
    };
    let taken = import_into_blueprint(
        &mut permit,
        blueprint,
        (patch, ReferencedKeys::new()),
        (how.prune, ImportConsent::Own),
    )
    .await?;
    commit_and_report(permit, found, taken, how).await
}

/// Commits, except after a dry run, and reports the changes; `found` is the blueprint as it was before.
pub(super) async fn commit_and_report(
    mut permit: Permit<'_>,
    found: Option<blueprint::Model>,
    (blueprint, changes): (blueprint::Model, Vec<DocumentChange>),
    how: ImportOptions,
) -> Result<ImportReport> {
    // Dropped, the permit rolls back: a dry run went through everything that a real one does, its refusals included.
    if how.dry_run {
        return Ok(ImportReport {
            blueprint: found,
            changes,
        });
    }
    permit.replace_events_by_one(AuditedChange::for_change_outside_row::<blueprint::Entity>(
        &blueprint,
        json!({ "imported": true, "changes": changes.len() }),
    ));
    permit.commit().await?;
    Ok(ImportReport {
        // Where nothing changed, no revision rises.
        blueprint: found.filter(|_| changes.is_empty()).or(Some(blueprint)),
        changes,
    })
}

/// Locks a blueprint, if the caller may import into it.
pub(super) async fn lock_blueprint_for_import(
    permit: &mut Permit<'_>,
    id: BlueprintId,
    expected_revision: Option<i32>,
) -> Result<blueprint::Model> {
    let row = permit
        .fetch_locked::<blueprint::Entity>(Action::ImportDocument, "key", id)
        .await?;
    require_unarchived::<blueprint::Entity>("key", &row)?;
    if let Some(expected) = expected_revision {
        // Taking the lock raised it by one.
        expect_revision(id, row.revision - 1, expected)?;
    }
    Ok(row)
}

/// Imports a patch into a locked blueprint, or a new one, and returns the row with the changes. What is `kept` may be
/// named though it is archived, as may what the blueprint names now. Nothing is committed: that is up to whoever holds the
/// permit.
pub async fn import_into_blueprint(
    permit: &mut Permit<'_>,
    blueprint: Option<blueprint::Model>,
    (patch, kept): (BlueprintDocumentPatch, ReferencedKeys),
    (prune, authority): (bool, ImportConsent),
) -> Result<(blueprint::Model, Vec<DocumentChange>)> {
    let before = match blueprint {
        Some(row) => {
            let named = NamedPlaces::of_document(&patch, prune);
            Some(CurrentBlueprint::load(permit, row, &named).await?)
        }
        None => None,
    };
    reconcile(permit, before, (None, patch, prune), authority, kept).await
}

/// Reconciles a blueprint, or a new one, with a patch: merge, resolve, apply, report. The patch is laid over `base`,
/// where that is given, else over the current document: a sheet import takes out beforehand what it removes
/// (`TouchpointTable::current_without_unnamed`). Besides what the blueprint names now, `kept` may be named though it is
/// archived.
pub(super) async fn reconcile(
    permit: &mut Permit<'_>,
    before: Option<(CurrentBlueprint, Option<Document>)>,
    (base, patch, prune): (Option<Document>, BlueprintDocumentPatch, bool),
    authority: ImportConsent,
    mut kept: ReferencedKeys,
) -> Result<(blueprint::Model, Vec<DocumentChange>)> {
    let (caller, today) = (permit.caller, permit.caller.today);
    let (before, found) = before.unzip();
    let (before, found) = (before.map(Arc::new), found.flatten());
    // On the pool, as is what is computed below: merging thousands of parts would hold up an async worker.
    let drafted = {
        let before = before.clone();
        move |steps: &WorkBudget| {
            let snapshot = before.as_ref().map(|before| &*before.snapshot);
            // Paid before it is done: a request without enough left is refused while that is still cheap.
            steps.spend(STEPS_PER_ROW * snapshot.map_or(0, WholeBlueprint::row_count))?;
            let current = snapshot.map(Document::from_snapshot);
            let draft = MergedDocument::merge(base.as_ref().or(current.as_ref()), patch, prune)?;
            Ok((current, draft))
        }
    };
    let (current, draft) = caller.run_on_compute_pool(drafted).await?;
    // After the merge, which knows all that is named: only that is read.
    let named = current.iter().flat_map(Document::referenced_keys);
    for (target, keys) in named {
        kept.entry(target).or_default().extend(keys);
    }
    let catalogue = ReferencedIds::load(permit, draft.document(), &kept).await?;
    // The id of a copy may be its client's, so that a retry makes no second copy.
    let new_id = match authority {
        ImportConsent::Own => id::new(),
        ImportConsent::Agreed(id) => id,
    };
    let checked = {
        let (before, now) = (before.clone(), caller.now);
        move |steps: &WorkBudget| {
            steps.spend(STEPS_PER_ROW * draft.document().part_count())?;
            let times = (now, today);
            draft.into_target_rows(before.as_deref(), &catalogue, times, (new_id, authority))
        }
    };
    let target = caller.run_on_compute_pool(checked).await?;
    if before.is_none() {
        authorise_new_blueprint(permit, &target).await?;
    }
    let stored = before.as_deref();
    apply::apply_all_but_responsibilities(permit, stored, &target, authority).await?;
    responsibilities::apply_responsibilities(permit, stored, &target, authority).await?;
    // Read back, so that the report says what is, not what was wanted: a proposal may be PROPOSED still.
    let row = blueprint::Entity::find_by_id(target.blueprint.id)
        .one(permit.tx())
        .await?;
    let row = row.ok_or_else(|| Error::internal("an imported blueprint is not there"))?;
    let now = WholeBlueprint::load(caller, permit.tx(), row.clone(), today).await?;
    let compared = move |steps: &WorkBudget| {
        steps.spend(STEPS_PER_ROW * now.row_count())?;
        let now = Document::from_snapshot(&now);
        // What was brought back is new to whoever did not see it in the archive.
        Ok(match found.or(current) {
            Some(found) => report::changes_between(&found, &now),
            None => report::creation_changes(&now),
        })
    };
    Ok((row, caller.run_on_compute_pool(compared).await?))
}

/// Authorises a new blueprint and checks that its key is free.
async fn authorise_new_blueprint(permit: &mut Permit<'_>, target: &WantedRows) -> Result<()> {
    let row = &target.blueprint;
    let owner: DepartmentId = row.owner_department_id;
    let ties = RowTies::none().with_departments(Relation::OwnsBlueprint, [owner]);
    permit.require(Action::CreateBlueprint, &ties, None)?;
    permit.require(Action::ImportDocument, &ties, None)?;
    permit
        .read_unarchived_row::<department::Entity>("ownerDepartment", owner)
        .await?;
    permit.show_audit_to_leads_of(owner);
    permit
        .choose_unique_key::<blueprint::Entity>(Some(&row.key), &row.title, row.id, None)
        .await?;
    Ok(())
}
