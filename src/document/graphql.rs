//! Documents in the API: importing one, and what an import changed. Exporting is an edge of the blueprint.

use async_graphql::{Context, InputObject, Json, Object, SimpleObject};
use entity::words::Role;

use super::{
    diff::{ChangeKind, DocumentChange},
    format::deserialize_document,
    import::{ImportOptions, ImportReport, import_document},
    table::{self, TouchpointTable},
};
use crate::{
    access::Caller,
    blueprint::graphql::{Blueprint, BlueprintPayload},
    compute::WorkBudget,
    error::{Result, UserError},
    input::By,
    payload::mutation_caller,
    snapshot,
};

/// One difference between two states of a blueprint.
#[derive(SimpleObject)]
pub struct BlueprintChange {
    /// The kind of difference.
    pub kind: ChangeKind,
    /// The kind of part that differs: blueprint, phase, touchpoint, transition, responsibility, KPI link, scenario,
    /// source, insight, …
    pub part: String,
    /// The identity of the part among those of its kind: its key, or the keys and values that define it.
    pub identity: String,
    /// The field that differs, by its name in documents; null where the whole part was added or removed.
    pub field: Option<String>,
    /// The value in the older state.
    pub before: Option<Json<serde_json::Value>>,
    /// The value in the newer state.
    pub after: Option<Json<serde_json::Value>>,
}

impl From<DocumentChange> for BlueprintChange {
    fn from(change: DocumentChange) -> Self {
        Self {
            kind: change.kind,
            part: change.part.to_owned(),
            identity: change.identity,
            field: change.field,
            before: change.before.map(Json),
            after: change.after.map(Json),
        }
    }
}

/// A document to import.
#[derive(InputObject)]
pub struct BlueprintImportInput {
    /// The document, in the format `cx-blueprint/blueprint@1` of `Blueprint.document`, or a part of one. Anything
    /// absent stays as it is. Its key names the blueprint; an unknown key creates a draft.
    pub document: Json<serde_json::Value>,
    /// Report what would change, and change nothing.
    #[graphql(default)]
    pub dry_run: bool,
    /// Remove parts that a list of the document does not name; absent lists stay as they are. Phases and touchpoints are
    /// archived, with all that hangs on them; a source on which something archived rests stays.
    #[graphql(default)]
    pub prune: bool,
    /// The blueprint's `revision` that you read; any other is a CONFLICT.
    pub expected_revision: Option<i32>,
}

/// A sheet of touchpoints to import into a blueprint.
#[derive(InputObject)]
pub struct BlueprintSheetImportInput {
    /// The blueprint that contains the touchpoints.
    pub blueprint: By,
    /// The sheet, in the format of `Blueprint.sheet`, or a part of it; the header line determines dialect and columns.
    /// An absent column leaves its values as they are, an empty cell clears one. The order of rows is the order within
    /// a phase. A row with an unknown key is a new touchpoint; without a key, one is derived from its name, with a mark
    /// where something with another name has that key. At most 500 rows.
    pub csv: String,
    /// Report what would change, and change nothing.
    #[graphql(default)]
    pub dry_run: bool,
    /// Archive touchpoints that no row names, with all that hangs on them.
    #[graphql(default)]
    pub prune: bool,
    /// The roles whose columns are complete: a department that is not named in the row of a touchpoint loses the role
    /// there. In the columns of other roles an empty cell ends nothing.
    #[graphql(default)]
    pub complete: Vec<Role>,
    /// The blueprint's `revision` that you read; any other is a CONFLICT.
    pub expected_revision: Option<i32>,
}

/// Result of an import.
#[derive(SimpleObject)]
pub struct BlueprintImportPayload {
    /// The blueprint as it is now; null where a dry run would create it.
    pub blueprint: Option<Blueprint>,
    /// The changes made, or, in a dry run, those that would be made.
    pub changes: Option<Vec<BlueprintChange>>,
    /// The reasons why nothing was imported, each with its path in the document, or its line and column in the sheet;
    /// empty if it was imported.
    pub user_errors: Vec<UserError>,
}

impl BlueprintImportPayload {
    async fn from_result(caller: &Caller, result: Result<ImportReport>) -> Result<Self> {
        match result {
            Ok(done) => Ok(Self {
                blueprint: done.blueprint.map(Blueprint::from),
                changes: Some(done.changes.into_iter().map(Into::into).collect()),
                user_errors: Vec::new(),
            }),
            Err(error) => {
                let refused = BlueprintPayload::from_result(caller, Err(error)).await?;
                Ok(Self {
                    blueprint: refused.blueprint,
                    changes: Some(Vec::new()),
                    user_errors: refused.user_errors,
                })
            }
        }
    }
}

/// Importing documents.
#[derive(Default)]
pub struct DocumentMutation;

#[Object]
impl DocumentMutation {
    /// Changes a blueprint to match a document: all of it or nothing. The document may hold only what changes, each
    /// object by its key: a patch of an editor. Existing responsibilities and proposals stay as
    /// they are; new ones are created as proposals. Those marked ACCEPTED are in force at once if the caller is a CX
    /// manager without a LEAD membership at or above the department; its leads find them in `Department.givenUnasked`
    /// until they confirm or end them. Links of KPIs also require DEFINE_KPI, tasks of other departments'
    /// responsibilities DESCRIBE_RESPONSIBILITY. Requires: IMPORT_DOCUMENT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn blueprint_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document, and how to import it.")] input: BlueprintImportInput,
    ) -> Result<BlueprintImportPayload> {
        let caller = mutation_caller(ctx)?;
        let how = ImportOptions {
            dry_run: input.dry_run,
            prune: input.prune,
            expected_revision: input.expected_revision,
        };
        let document = input.document.0;
        // A document of a megabyte takes milliseconds to read, in which this thread would answer nobody.
        let patch = caller
            .run_on_compute_pool(move |_: &WorkBudget| deserialize_document(document))
            .await;
        let result = match patch {
            Ok(patch) => import_document(&caller, patch, how).await,
            Err(error) => Err(error),
        };
        BlueprintImportPayload::from_result(&caller, result).await
    }

    /// Changes the touchpoints of a blueprint, with their phases and responsibilities, to match a sheet: all of it or
    /// nothing. The cell of a role lists departments: those that hold the role or are offered it stay as they are; for
    /// others `key` and `key?` propose it, and `key!` puts it in force, as ACCEPTED does in `blueprintImport`. A
    /// department that is not listed keeps its role, unless `complete` names the role; ending one requires
    /// IMPORT_ACCEPTED. Requires: IMPORT_DOCUMENT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn blueprint_sheet_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sheet, and how to import it.")] input: BlueprintSheetImportInput,
    ) -> Result<BlueprintImportPayload> {
        let caller = mutation_caller(ctx)?;
        let how = ImportOptions {
            dry_run: input.dry_run,
            prune: input.prune,
            expected_revision: input.expected_revision,
        };
        let csv = input.csv;
        let table =
            caller.run_on_compute_pool(move |_: &WorkBudget| TouchpointTable::read(csv.as_bytes()));
        let result = match table.await {
            Ok(table) => {
                let table = table.treat_roles_as_complete(&input.complete);
                table::import_table(&caller, &input.blueprint, table, how).await
            }
            Err(error) => Err(error),
        };
        BlueprintImportPayload::from_result(&caller, result).await
    }
}
