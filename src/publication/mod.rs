//! Publications: a blueprint's document, kept as text when it is published or replaced and never changed; restoring
//! one, comparing two, and copying a blueprint to think about its future.

mod compare;
pub mod graphql;
mod stored;

use async_graphql::{ID, InputObject};
use entity::{
    blueprint,
    id::{BlueprintId, PublicationId},
    publication,
    words::BlueprintState,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic, Iterable, QueryFilter, QueryOrder,
    QuerySelect, Select, Set, Statement, sea_query::Expr,
};

pub use self::compare::{BlueprintVersion, diff_versions};
use self::stored::{BYTES_PER_STEP, mark_planned_sources, parse_stored_document};
use crate::{
    access::{Caller, Permit, expect_version, require_unarchived},
    blueprint::life::{self, BlueprintStep},
    compute::WorkBudget,
    database::Transaction,
    document::{
        authority::ImportConsent,
        blueprint::Document,
        convert::{document_from_complete_patch, drop_missing_references, to_patch},
        export::STEPS_PER_ROW,
        import,
    },
    error::{Error, Result},
    finding, id,
    input::Faults,
    policy::Action,
    snapshot::WholeBlueprint,
};

/// The publication of a blueprint.
#[derive(InputObject)]
pub struct BlueprintPublishInput {
    /// The object's id.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// A name for this publication.
    pub label: Option<String>,
}

/// The return of a blueprint to an earlier publication.
#[derive(InputObject)]
pub struct BlueprintRestoreInput {
    /// Id of the blueprint.
    pub id: ID,
    /// The `version` that you read; any other is a CONFLICT.
    pub expected_version: i32,
    /// Id of the publication to return to.
    pub publication_id: ID,
}

/// A copy of a blueprint as a FUTURE draft.
#[derive(InputObject)]
pub struct BlueprintCopyInput {
    /// Id chosen by the client (a UUID of version 7), so that a retry creates nothing twice.
    pub id: Option<ID>,
    /// Id of the blueprint to copy.
    pub blueprint_id: ID,
    /// Key, unique in the organisation; derived from the title if absent.
    pub key: Option<String>,
    /// The title of the copy.
    pub title: String,
}

/// Publishes a blueprint that has no open errors, and keeps what it is as a publication.
pub async fn publish(caller: &Caller, input: BlueprintPublishInput) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let id: BlueprintId = faults.parse_id("id", &input.id);
    let label = input
        .label
        .as_deref()
        .map(|label| faults.check_name("label", label));
    faults.check()?;
    let (row, mut permit) = caller
        .fetch_locked::<blueprint::Entity>(Action::GovernBlueprint, "id", id)
        .await?;
    expect_version::<blueprint::Entity>(&row, input.expected_version)?;
    let row = life::change_status_of_fetched(&mut permit, BlueprintStep::Publish, &row).await?;
    let snapshot = WholeBlueprint::load(caller, permit.tx(), row.clone(), caller.today).await?;
    finding::refuse_open_errors(&permit, &snapshot.canvas).await?;
    let document = serialize_blueprint_document(caller, snapshot).await?;
    store_publication(&mut permit, &row, (row.published_number, label), document).await?;
    permit.commit().await?;
    Ok(row)
}

/// The document of a blueprint as JSON text, written on the pool of workers.
async fn serialize_blueprint_document(caller: &Caller, snapshot: WholeBlueprint) -> Result<String> {
    let write = move |steps: &WorkBudget| {
        steps.spend(STEPS_PER_ROW * snapshot.row_count())?;
        serde_json::to_string(&Document::from_snapshot(&snapshot)).map_err(Error::internal)
    };
    caller.run_on_compute_pool(write).await
}

async fn store_publication(
    permit: &mut Permit<'_>,
    row: &blueprint::Model,
    (number, label): (Option<i32>, Option<String>),
    document: String,
) -> Result<publication::Model> {
    // The publication's row has it to the letter; the audit log need not hold it again.
    permit.redact_in_events(&["document"]);
    permit
        .insert::<publication::Entity>(publication::ActiveModel {
            id: Set(id::new()),
            blueprint_id: Set(row.id),
            number: Set(number),
            label: Set(label),
            revision: Set(row.revision),
            document: Set(document),
            made_by_account_id: Set(permit.caller.account()),
            created_at: Set(permit.caller.now),
        })
        .await
}

/// Publications as lists show them: their documents may be two megabytes each.
pub fn select_without_document(select: Select<publication::Entity>) -> Select<publication::Entity> {
    use publication::Column;
    let others = Column::iter().filter(|column| !matches!(column, Column::Document));
    let select = select.select_only().columns(others);
    select.expr_as(Expr::val(""), Column::Document.as_str())
}

/// Brings a blueprint back to what it was when it was published, and keeps what that replaces. Who answers for what
/// stays as it is now, but that what was suspended with a step resumes when it comes back; so do owner, visibility, and
/// what no longer exists outside of the blueprint.
pub async fn restore(caller: &Caller, input: BlueprintRestoreInput) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let id: BlueprintId = faults.parse_id("id", &input.id);
    let publication: PublicationId = faults.parse_id("publicationId", &input.publication_id);
    faults.check()?;
    let (row, mut permit) = caller
        .fetch_locked::<blueprint::Entity>(Action::GovernBlueprint, "id", id)
        .await?;
    require_unarchived::<blueprint::Entity>("id", &row)?;
    expect_version::<blueprint::Entity>(&row, input.expected_version)?;
    let publication = permit
        .get::<publication::Entity>("publicationId", publication)
        .await?;
    if publication.blueprint_id != row.id {
        return Err(Error::not_found(
            "publicationId",
            "publication of this blueprint",
        ));
    }
    let today = caller.today;
    let parsed = move |steps: &WorkBudget| {
        steps.spend(publication.document.len() / BYTES_PER_STEP)?;
        let patch = parse_stored_document(&publication)?;
        let mut document = document_from_complete_patch(patch)?;
        mark_planned_sources(&mut document, today);
        // Of the whole document: what its publication did not know yet is as it was at first.
        let patch = to_patch(&document)?;
        Ok((document, patch))
    };
    let (document, patch) = caller.run_on_compute_pool(parsed).await?;
    let mut patch = drop_missing_references(&permit, &document, patch).await?;
    patch.owner_department.0 = None;
    patch.visibility.0 = None;
    patch.responsibilities.0 = None;
    let snapshot = WholeBlueprint::load(caller, permit.tx(), row.clone(), caller.today).await?;
    // Written before the import replaces it; stored only if the import changes something.
    let before = serialize_blueprint_document(caller, snapshot).await?;
    let said = (patch, document.referenced_keys());
    let how = (true, ImportConsent::Own);
    let (row, changes) = import::import_into_blueprint(&mut permit, Some(row), said, how).await?;
    if changes.is_empty() {
        return Ok(row);
    }
    if !is_latest_document(&permit, row.id, &before).await? {
        let was = blueprint::Model {
            // Taking the lock has raised it by one.
            revision: row.revision - 1,
            ..row.clone()
        };
        store_publication(&mut permit, &was, (None, None), before).await?;
    }
    permit.commit().await?;
    Ok(row)
}

/// Whether the latest publication has this text.
async fn is_latest_document(permit: &Permit<'_>, id: BlueprintId, text: &str) -> Result<bool> {
    let latest = publication::Entity::find()
        .filter(publication::Column::BlueprintId.eq(id))
        .order_by_desc(publication::Column::CreatedAt)
        .order_by_desc(publication::Column::Id)
        .one(permit.tx())
        .await?;
    Ok(latest.is_some_and(|latest| latest.document == text))
}

/// Copies a blueprint as it is now into a FUTURE draft of the same owner. What departments answer for and which KPIs
/// judge comes along as it is agreed at the origin; open proposals do not.
pub async fn copy(caller: &Caller, input: BlueprintCopyInput) -> Result<blueprint::Model> {
    let mut faults = Faults::default();
    let id: BlueprintId = faults.parse_or_make_id(input.id.as_ref());
    let origin: BlueprintId = faults.parse_id("blueprintId", &input.blueprint_id);
    let key = input.key.as_deref().map(|key| faults.check_key("key", key));
    let title = faults.check_name("title", &input.title);
    faults.check()?;
    let (origin, mut permit) = caller
        .fetch_locked::<blueprint::Entity>(Action::ShapeBlueprint, "blueprintId", origin)
        .await?;
    require_unarchived::<blueprint::Entity>("blueprintId", &origin)?;
    let same = |row: &blueprint::Model| row.copied_from_id == Some(origin.id);
    if let Some(row) = permit
        .find_already_created::<blueprint::Entity>(input.id.as_ref(), id, same)
        .await?
    {
        return Ok(row);
    }
    let key = permit
        .choose_unique_key::<blueprint::Entity>(key.as_deref(), &title, id, None)
        .await?;
    let snapshot = WholeBlueprint::load(caller, permit.tx(), origin.clone(), caller.today).await?;
    let copied = move |steps: &WorkBudget| {
        steps.spend(STEPS_PER_ROW * snapshot.row_count())?;
        let copy = Document {
            key,
            title,
            state: BlueprintState::Future,
            ..Document::from_snapshot(&snapshot)
        };
        let copy = copy.without_proposals();
        Ok((to_patch(&copy)?, copy.referenced_keys()))
    };
    let said = caller.run_on_compute_pool(copied).await?;
    let how = (true, ImportConsent::Agreed(id));
    let (row, _) = import::import_into_blueprint(&mut permit, None, said, how).await?;
    store_copy_origins(permit.tx(), origin.id, row.id).await?;
    let row = permit.get::<blueprint::Entity>("id", row.id).await?;
    permit.commit().await?;
    Ok(row)
}

/// Notes on a copy and its parts what each was copied from, by their keys, which are the same; and the template, which
/// documents do not name.
async fn store_copy_origins(
    tx: &Transaction,
    origin: BlueprintId,
    copy: BlueprintId,
) -> Result<()> {
    const PHASES: &str = "UPDATE phase SET copied_from_id = (SELECT origin.id FROM phase AS origin \
        WHERE origin.blueprint_id = $1 AND lower(origin.key) = lower(phase.key)) WHERE blueprint_id = $2";
    const TOUCHPOINTS: &str = "UPDATE touchpoint SET copied_from_id = (SELECT origin.id FROM touchpoint AS origin \
        WHERE origin.blueprint_id = $1 AND lower(origin.key) = lower(touchpoint.key)) WHERE blueprint_id = $2";
    const BLUEPRINT: &str = "UPDATE blueprint SET copied_from_id = $1, template_id = (SELECT origin.template_id \
        FROM blueprint AS origin WHERE origin.id = $1) WHERE id = $2";
    for sql in [BLUEPRINT, PHASES, TOUCHPOINTS] {
        let values = [origin.into(), copy.into()];
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        tx.execute_raw(statement).await?;
    }
    Ok(())
}
