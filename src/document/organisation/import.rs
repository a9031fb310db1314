//! Imports an organisation into a database that holds none: all of it or nothing, every fault with its place.

use entity::{
    blueprint, channel, department, kpi, measurement, persona, phase, playbook, publication,
    responsibility, routing_rule, segment, template, touchpoint, words::BlueprintStatus,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, Set};

use super::{
    history::{self, BlueprintPartsByKey},
    schema::{BlueprintEntry, OrganisationInput, OriginEntry},
    shared_rows::{SharedRows, insert_models},
    values::{self, ImportedBlueprints},
};
use crate::{
    access::{Caller, Permit},
    audit::AuditedChange,
    document::{
        authority::ImportConsent,
        blueprint::{BlueprintDocumentPatch, Document},
        catalogue::fold_key,
        import,
        reference::ReferencedKeys,
    },
    error::{Error, Result, UserErrorCode},
    id,
    input::Faults,
    judgement::rebuild_period_sums,
    snapshot::WholeBlueprint,
    template::BUILT_IN,
};

/// How an organisation is imported.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrganisationImportOptions {
    /// Do everything, keep nothing.
    pub dry_run: bool,
}

/// Imports an organisation. Accounts may be there already, and nothing else.
pub async fn import_organisation(
    caller: &Caller,
    said: &OrganisationInput,
    how: OrganisationImportOptions,
) -> Result<()> {
    let mut permit = caller.open_permit_without_check().await?;
    refuse_unless_database_empty(&permit, said).await?;
    import_organisation_into(&mut permit, said).await?;
    // Only a commit keeps anything: the transaction is rolled back when the permit is dropped.
    if how.dry_run {
        return Ok(());
    }
    permit.commit().await
}

/// Refuses to import where the database holds anything, accounts aside, of a kind that the document brings.
pub(crate) async fn refuse_unless_database_empty(
    permit: &Permit<'_>,
    said: &OrganisationInput,
) -> Result<()> {
    let tx = permit.tx();
    let mut there = department::Entity::find().count(tx).await?
        + channel::Entity::find().count(tx).await?
        + segment::Entity::find().count(tx).await?
        + persona::Entity::find().count(tx).await?
        + kpi::Entity::find().count(tx).await?
        + blueprint::Entity::find().count(tx).await?;
    // What the document says nothing of stays as it is.
    if !said.playbooks.is_empty() {
        there += playbook::Entity::find().count(tx).await?;
    }
    if !said.routing_rules.is_empty() {
        there += routing_rule::Entity::find().count(tx).await?;
    }
    if said.templates.is_some() {
        let of_people = template::Entity::find().filter(made_or_changed_by_people());
        there += of_people.count(tx).await?;
    }
    if there == 0 {
        return Ok(());
    }
    let message =
        "The database is not empty: a whole organisation can only be imported into an empty one.";
    Err(Error::fault("", UserErrorCode::Conflict, None, message))
}

/// Templates other than the one that every database begins with, and that one where it was changed.
fn made_or_changed_by_people() -> Condition {
    Condition::any()
        .add(template::Column::Key.ne(BUILT_IN))
        .add(template::Column::Version.gt(1))
}

/// Imports an organisation inside a transaction; nothing of it has happened before its commit.
pub(crate) async fn import_organisation_into(
    permit: &mut Permit<'_>,
    said: &OrganisationInput,
) -> Result<()> {
    let (now, today) = (permit.caller.now, permit.caller.today);
    let mut faults = Faults::default();
    let templates = template::Entity::find().all(permit.tx()).await?;
    let shared = SharedRows::from_document(said, &templates, (now, today), &mut faults);
    // Blueprints are read against what they share: its faults would come again in each.
    faults.check()?;
    shared.insert_rows(permit).await?;
    let mut faults = Faults::default();
    let mut blueprints = ImportedBlueprints::new();
    for (at, entry) in said.blueprints.iter().enumerate() {
        let path = format!("blueprints.{at}");
        let imported = import_blueprint(permit, (&path, entry), &mut faults).await?;
        if let Some(imported) = &imported {
            insert_history_and_status(permit, (&path, entry), (imported, &shared), &mut faults)
                .await?;
        }
        blueprints.insert(fold_key(&entry.document.key), imported);
    }
    // After all blueprints: a measurement names a touchpoint of any of them, and a copy may stand before its
    // original.
    let measured =
        values::measurement_rows(said, (&shared, &blueprints), (now, today), &mut faults);
    for (at, entry) in said.blueprints.iter().enumerate() {
        let copy = blueprints.get(&fold_key(&entry.document.key));
        if let (Some(origin), Some(Some(copy))) = (&entry.copied_from, copy) {
            let path = format!("blueprints.{at}.copiedFrom");
            store_origins_of_copy(permit, (&path, origin), (copy, &blueprints), &mut faults)
                .await?;
        }
    }
    faults.check()?;
    insert_models::<measurement::Entity>(permit, measured).await?;
    for kpi in &shared.kpis {
        rebuild_period_sums(permit.tx(), kpi).await?;
    }
    // Last: blueprints may name what is archived by now, and imports see only what is not.
    shared.archive_rows(permit).await?;
    // Shared rows are inserted without events: without this one an organisation of no blueprints would have none to
    // collapse.
    permit.add_audit_event(AuditedChange::for_bulk_write(
        serde_json::json!({ "kpis": said.kpis.len() }),
    ));
    permit.replace_events_by_one(AuditedChange::for_bulk_write(serde_json::json!({
        "departments": said.departments.len(),
        "blueprints": said.blueprints.len(),
        "kpis": said.kpis.len(),
    })));
    Ok(())
}

/// Imports a blueprint's document as `blueprintImport` does, without responsibilities: they follow with their history.
async fn import_blueprint(
    permit: &mut Permit<'_>,
    (path, said): (&str, &BlueprintEntry<BlueprintDocumentPatch>),
    faults: &mut Faults,
) -> Result<Option<BlueprintPartsByKey>> {
    let path = format!("{path}.document");
    let named = said.document.responsibilities.0.as_ref();
    if named.is_some_and(|named| !named.is_empty()) {
        let message = "Beside the document, in the blueprint's own list, they say since when.";
        let path = format!("{path}.responsibilities");
        faults.add(&path, UserErrorCode::Invalid, None, message);
    }
    let document = said.document.clone();
    match import::import_into_blueprint(
        permit,
        None,
        (document, ReferencedKeys::new()),
        (true, ImportConsent::Own),
    )
    .await
    {
        Ok((row, _)) => BlueprintPartsByKey::load(permit, row).await.map(Some),
        Err(error) => {
            faults.add_under_path(&path, error.into_user_errors()?);
            Ok(None)
        }
    }
}

/// Gives a blueprint its history and its status.
async fn insert_history_and_status(
    permit: &mut Permit<'_>,
    (path, said): (&str, &BlueprintEntry<BlueprintDocumentPatch>),
    (imported, shared): (&BlueprintPartsByKey, &SharedRows),
    faults: &mut Faults,
) -> Result<()> {
    let (now, today) = (permit.caller.now, permit.caller.today);
    let held = (
        &*format!("{path}.responsibilities"),
        &*said.responsibilities,
    );
    // A list of its own: faults of blueprints above must not keep this one from being written, nor its faults from
    // being found with them.
    let mut wrong = Faults::default();
    let held = history::responsibility_rows(held, (imported, shared), now, &mut wrong);
    let was = (&*format!("{path}.publications"), &*said.publications);
    let (mut publications, last) = history::publication_rows(was, imported, now, &mut wrong)?;
    let template = said.template.as_ref().and_then(|key| {
        let path = format!("{path}.template");
        shared
            .template_keys
            .find(&path, "template", key, &mut wrong)
    });
    let sent_back_reason = wrong.check_optional_text(
        &format!("{path}.sentBackReason"),
        said.sent_back_reason.as_deref(),
    );
    if said.status == BlueprintStatus::Archived {
        let message = "Say since when it is archived, and what it was before.";
        let path = format!("{path}.status");
        wrong.add(&path, UserErrorCode::Invalid, None, message);
    }
    if let Err(error) = wrong.check() {
        faults.add_under_path("", error.into_user_errors()?);
        return Ok(());
    }
    // Before the document is written: it names them, and is compared with the one published last.
    insert_responsibilities(permit, held).await?;
    let snapshot =
        WholeBlueprint::load(permit.caller, permit.tx(), imported.row.clone(), today).await?;
    let document = Document::from_snapshot(&snapshot);
    let published = match last {
        Some((number, last)) => Some((number, last == document)),
        None if said.status == BlueprintStatus::Published => {
            publications.push(publication::Model {
                id: id::new(),
                blueprint_id: imported.row.id,
                number: Some(1),
                label: None,
                revision: imported.row.revision,
                document: serde_json::to_string(&document).map_err(Error::internal)?,
                made_by_account_id: permit.caller.account(),
                created_at: now,
            });
            Some((1, true))
        }
        None => None,
    };
    insert_models::<publication::Entity>(permit, publications).await?;
    let archived = said.archived_at.is_some();
    let status = blueprint::ActiveModel {
        id: Set(imported.row.id),
        status: Set(if archived {
            BlueprintStatus::Archived
        } else {
            said.status
        }),
        archived_from: Set(archived.then_some(said.status)),
        archived_at: Set(said.archived_at),
        sent_back_reason: Set(sent_back_reason),
        template_id: Set(template),
        published_number: Set(published.map(|(number, _)| number)),
        published_revision: Set(published.map(|_| imported.row.revision)),
        // One revision more tells that something has changed since.
        revision: Set(imported.row.revision + i32::from(published.is_some_and(|(_, same)| !same))),
        ..Default::default()
    };
    blueprint::Entity::update(status).exec(permit.tx()).await?;
    Ok(())
}

/// Makes the handshakes; whom one replaces has to be there first.
async fn insert_responsibilities(
    permit: &Permit<'_>,
    held: Vec<responsibility::Model>,
) -> Result<()> {
    let replacing = held.iter().filter(|row| row.replaces_id.is_some());
    let replacing: Vec<_> = replacing.map(|row| (row.id, row.replaces_id)).collect();
    let rows = held.into_iter().map(|row| responsibility::Model {
        replaces_id: None,
        ..row
    });
    insert_models::<responsibility::Entity>(permit, rows.collect()).await?;
    for (id, replaces) in replacing {
        let row = responsibility::ActiveModel {
            id: Set(id),
            replaces_id: Set(replaces),
            ..Default::default()
        };
        responsibility::Entity::update(row)
            .exec(permit.tx())
            .await?;
    }
    Ok(())
}

/// Notes on a copy and its parts what each was copied from.
async fn store_origins_of_copy(
    permit: &Permit<'_>,
    (path, said): (&str, &OriginEntry),
    (copy, blueprints): (&BlueprintPartsByKey, &ImportedBlueprints),
    faults: &mut Faults,
) -> Result<()> {
    let mut missing = |path: String, noun: &str, key: &str| {
        let message = format!("There is no {noun} \"{key}\" in this document.");
        faults.add(&path, UserErrorCode::NotFound, None, message);
    };
    let origin = match blueprints.get(&fold_key(&said.blueprint)) {
        Some(Some(origin)) => origin,
        // Why it is not there is told at the blueprint.
        Some(None) => return Ok(()),
        None => {
            missing(format!("{path}.blueprint"), "blueprint", &said.blueprint);
            return Ok(());
        }
    };
    let row = blueprint::ActiveModel {
        id: Set(copy.row.id),
        copied_from_id: Set(Some(origin.row.id)),
        ..Default::default()
    };
    blueprint::Entity::update(row).exec(permit.tx()).await?;
    for (own, other) in &said.phases {
        let pair = (
            copy.phases.get(&fold_key(own)),
            origin.phases.get(&fold_key(other)),
        );
        let (Some(own), Some(other)) = pair else {
            missing(format!("{path}.phases.{own}"), "such pair of phases", other);
            continue;
        };
        let row = phase::ActiveModel {
            id: Set(*own),
            copied_from_id: Set(Some(*other)),
            ..Default::default()
        };
        phase::Entity::update(row).exec(permit.tx()).await?;
    }
    for (own, other) in &said.touchpoints {
        let steps = (&copy.touchpoints, &origin.touchpoints);
        let pair = (steps.0.get(&fold_key(own)), steps.1.get(&fold_key(other)));
        let (Some(own), Some(other)) = pair else {
            missing(
                format!("{path}.touchpoints.{own}"),
                "such pair of touchpoints",
                other,
            );
            continue;
        };
        let row = touchpoint::ActiveModel {
            id: Set(*own),
            copied_from_id: Set(Some(*other)),
            ..Default::default()
        };
        touchpoint::Entity::update(row).exec(permit.tx()).await?;
    }
    Ok(())
}
