//! Documents in the API: importing one, and what an import changed. Exporting is an edge of the blueprint.

use async_graphql::{Context, InputObject, Json, Object, SimpleObject};
use entity::words::Role;

use super::{
    diff::{ChangeKind, DocumentChange},
    format::deserialize,
    import::{ImportOptions, ImportReport, import},
    table::{self, TouchpointTable},
};
use crate::{
    access::Caller,
    blueprint::graphql::{Blueprint, BlueprintPayload},
    compute::Steps,
    error::{Result, UserError},
    input::By,
    payload::acting,
    snapshot,
};

/// What differs between two states of a blueprint.
#[derive(SimpleObject)]
pub struct BlueprintChange {
    /// How it differs.
    pub kind: ChangeKind,
    /// What differs: blueprint, phase, touchpoint, transition, responsibility, KPI link, scenario, source, insight, …
    pub part: String,
    /// What tells it from others of its kind: its key, or the keys and words that it is made of.
    pub identity: String,
    /// The field that differs, as documents spell it; null where the whole came or went.
    pub field: Option<String>,
    /// As it was.
    pub before: Option<Json<serde_json::Value>>,
    /// As it is.
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
    /// The document: `cx-blueprint/blueprint@1`, as `Blueprint.document` gives it, or a part of one. What is absent
    /// stays as it is. Its key says which blueprint; one that nobody has yet makes a draft.
    pub document: Json<serde_json::Value>,
    /// Tell what would change, and change nothing.
    #[graphql(default)]
    pub dry_run: bool,
    /// Remove what a list of the document does not name; lists that are absent stay as they are.
    #[graphql(default)]
    pub prune: bool,
    /// Only if the blueprint is at this revision; another one is a CONFLICT.
    pub expected_revision: Option<i32>,
}

/// A sheet of touchpoints to import.
#[derive(InputObject)]
pub struct BlueprintSheetImportInput {
    /// The blueprint whose touchpoints they are.
    pub blueprint: By,
    /// The sheet, as `Blueprint.sheet` gives it, or a part of it: its heading line tells the dialect and the columns. A
    /// column that is absent keeps what is there, an empty cell clears it. The order of rows is the order within a
    /// phase. A row whose key nobody has is a new touchpoint; where it has none, one is made from its name. At most 500
    /// rows.
    pub csv: String,
    /// Tell what would change, and change nothing.
    #[graphql(default)]
    pub dry_run: bool,
    /// Archive the touchpoints that no row names.
    #[graphql(default)]
    pub prune: bool,
    /// The roles whose columns name everybody who has them: who is not named in the row of a touchpoint has the role no
    /// longer. Otherwise an empty cell ends nothing.
    #[graphql(default)]
    pub complete: Vec<Role>,
    /// Only if the blueprint is at this revision; another one is a CONFLICT.
    pub expected_revision: Option<i32>,
}

/// What became of an import.
#[derive(SimpleObject)]
pub struct BlueprintImportPayload {
    /// The blueprint as it is now; null where a dry run would make it.
    pub blueprint: Option<Blueprint>,
    /// What changed, or would change.
    pub changes: Vec<BlueprintChange>,
    /// Why nothing was imported, each with its place in the document, or its line and column in the sheet; empty when it
    /// was.
    pub user_errors: Vec<UserError>,
}

impl BlueprintImportPayload {
    async fn answer(caller: &Caller, result: Result<ImportReport>) -> Result<Self> {
        match result {
            Ok(done) => Ok(Self {
                blueprint: done.blueprint.map(Blueprint::from),
                changes: done.changes.into_iter().map(Into::into).collect(),
                user_errors: Vec::new(),
            }),
            Err(error) => {
                let refused = BlueprintPayload::answer(caller, Err(error)).await?;
                Ok(Self {
                    blueprint: refused.blueprint,
                    changes: Vec::new(),
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
    /// Brings a blueprint to what a document says: all of it or nothing. Who holds a role already, or is offered it, is
    /// left as it is; new responsibilities arrive as proposals. Those that say ACCEPTED are in force at once from a CX
    /// manager who has no lead membership at or above the department, and are listed for its leads until they confirm or
    /// end them (`Department.givenUnasked`). Links of KPIs need DEFINE_KPI,
    /// tasks of others' responsibilities DESCRIBE_RESPONSIBILITY. Requires: IMPORT_DOCUMENT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn blueprint_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document, and how to import it.")] input: BlueprintImportInput,
    ) -> Result<BlueprintImportPayload> {
        let caller = acting(ctx)?;
        let how = ImportOptions {
            dry_run: input.dry_run,
            prune: input.prune,
            expected_revision: input.expected_revision,
        };
        let document = input.document.0;
        let patch = caller.compute(move |_: &Steps| deserialize(document)).await;
        let result = match patch {
            Ok(patch) => import(&caller, patch, how).await,
            Err(error) => Err(error),
        };
        BlueprintImportPayload::answer(&caller, result).await
    }

    /// Brings the touchpoints of a blueprint, with their phases and responsibilities, to what a sheet says: all of it
    /// or nothing. The cell of a role names departments that have it: who holds it already, or is offered it, stays as it
    /// is, `key` and `key?` propose a new one, `key!` says outright that it has accepted, as ACCEPTED does in
    /// `blueprintImport`. Who is not named keeps what it has, unless `complete` names the role; ending needs
    /// IMPORT_ACCEPTED. Requires: IMPORT_DOCUMENT.
    #[graphql(complexity = "2 * snapshot::COST + child_complexity")]
    async fn blueprint_sheet_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sheet, and how to import it.")] input: BlueprintSheetImportInput,
    ) -> Result<BlueprintImportPayload> {
        let caller = acting(ctx)?;
        let how = ImportOptions {
            dry_run: input.dry_run,
            prune: input.prune,
            expected_revision: input.expected_revision,
        };
        let csv = input.csv;
        let table = caller.compute(move |_: &Steps| TouchpointTable::read(csv.as_bytes()));
        let result = match table.await {
            Ok(table) => {
                let table = table.complete(&input.complete);
                table::import(&caller, &input.blueprint, table, how).await
            }
            Err(error) => Err(error),
        };
        BlueprintImportPayload::answer(&caller, result).await
    }
}
