//! Compares two states of a blueprint, or a copy with its origin.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{ID, OneofObject};
use entity::{
    blueprint,
    id::{BlueprintId, PublicationId},
    phase, publication, touchpoint,
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QuerySelect, prelude::Uuid};

use super::stored::{BYTES_PER_STEP, parse_stored_document};
use crate::{
    access::Caller,
    compute::WorkBudget,
    document::{
        blueprint::Document, convert::document_from_complete_patch, diff::DocumentChange, export,
        report,
    },
    error::{Error, Result},
    input,
    snapshot::WholeBlueprint,
};

/// A state of a blueprint: the current one, or that of a publication.
#[derive(Clone, Debug, OneofObject)]
pub enum BlueprintVersion {
    /// Id of a blueprint: its current state.
    BlueprintId(ID),
    /// Id of a publication: the state that it keeps.
    PublicationId(ID),
}

/// A blueprint and a state of it.
struct VersionState {
    blueprint: blueprint::Model,
    source: VersionSource,
}

/// The source of a state's document.
enum VersionSource {
    Current(Arc<WholeBlueprint>),
    Stored(Box<publication::Model>),
}

impl VersionState {
    /// The document, with the keys of its origin where it is a copy.
    fn into_document(self, keys: Option<OriginKeys>, steps: &WorkBudget) -> Result<Document> {
        let document = match self.source {
            VersionSource::Current(snapshot) => {
                steps.spend(export::STEPS_PER_ROW * snapshot.row_count())?;
                Document::from_snapshot(&snapshot)
            }
            VersionSource::Stored(row) => {
                steps.spend(row.document.len() / BYTES_PER_STEP)?;
                document_from_complete_patch(parse_stored_document(&row)?)?
            }
        };
        Ok(match keys {
            Some(keys) => document.rename_keys(&keys.phases, &keys.touchpoints),
            None => document,
        })
    }
}

/// The changes from one state to another, if the caller may see both.
pub async fn diff_versions(
    caller: &Caller,
    from: &BlueprintVersion,
    to: &BlueprintVersion,
) -> Result<Vec<DocumentChange>> {
    let from = load_state(caller, "from", from).await?;
    let to = load_state(caller, "to", to).await?;
    let (old, new) = (&from.blueprint, &to.blueprint);
    let (of_old, of_new) = if old.id == new.id {
        (None, None)
    } else if new.copied_from_id == Some(old.id) {
        (None, Some(OriginKeys::load(caller, new, old).await?))
    } else if old.copied_from_id == Some(new.id) {
        (Some(OriginKeys::load(caller, old, new).await?), None)
    } else {
        let message = "These are two journeys of which neither was copied from the other.";
        return Err(Error::BadInput(message.to_owned()));
    };
    let compare = move |steps: &WorkBudget| {
        let (from, to) = (
            from.into_document(of_old, steps)?,
            to.into_document(of_new, steps)?,
        );
        Ok(report::changes_between(&from, &to))
    };
    caller.run_on_compute_pool(compare).await
}

async fn load_state(
    caller: &Caller,
    path: &str,
    version: &BlueprintVersion,
) -> Result<VersionState> {
    match version {
        BlueprintVersion::BlueprintId(id) => {
            let id: BlueprintId = input::parse_id(&format!("{path}.blueprintId"), id)?;
            let which = Condition::all().add(blueprint::Column::Id.eq(id));
            let snapshot = WholeBlueprint::find(caller, which, caller.today).await?;
            let snapshot = snapshot.ok_or_else(|| Error::not_found(path, "blueprint"))?;
            Ok(VersionState {
                blueprint: snapshot.canvas.blueprint.clone(),
                source: VersionSource::Current(snapshot),
            })
        }
        BlueprintVersion::PublicationId(id) => {
            let id: PublicationId = input::parse_id(&format!("{path}.publicationId"), id)?;
            let missing = || Error::not_found(path, "publication");
            let row = caller
                .get::<publication::Entity>(id)
                .await?
                .ok_or_else(missing)?;
            let blueprint = caller.get::<blueprint::Entity>(row.blueprint_id).await?;
            Ok(VersionState {
                blueprint: blueprint.ok_or_else(missing)?,
                source: VersionSource::Stored(Box::new(row)),
            })
        }
    }
}

/// New keys, by those of a copy in small letters, under which it is compared with its origin: a part that was copied
/// has the key of its origin, so that renaming hides nothing; a part of the copy's own whose key the origin happens to
/// use gets another one (`copy:key`).
struct OriginKeys {
    phases: HashMap<String, String>,
    touchpoints: HashMap<String, String>,
}

impl OriginKeys {
    async fn load(
        caller: &Caller,
        copy: &blueprint::Model,
        origin: &blueprint::Model,
    ) -> Result<Self> {
        macro_rules! keys {
            ($part:ident, $blueprint:expr) => {
                caller
                    .select::<$part::Entity>()
                    .select_only()
                    .columns([
                        $part::Column::Id,
                        $part::Column::Key,
                        $part::Column::CopiedFromId,
                    ])
                    .filter($part::Column::BlueprintId.eq($blueprint.id))
                    .into_tuple::<(Uuid, String, Option<Uuid>)>()
                    .all(caller.connection())
                    .await?
            };
        }
        let phases = map_keys_to_origin(&copy.key, keys!(phase, copy), keys!(phase, origin));
        let touchpoints = map_keys_to_origin(
            &copy.key,
            keys!(touchpoint, copy),
            keys!(touchpoint, origin),
        );
        Ok(Self {
            phases,
            touchpoints,
        })
    }
}

/// The keys of one kind of part; rows are (id, key, id that it was copied from).
fn map_keys_to_origin(
    copy: &str,
    parts: Vec<(Uuid, String, Option<Uuid>)>,
    origin: Vec<(Uuid, String, Option<Uuid>)>,
) -> HashMap<String, String> {
    let names: HashMap<Uuid, String> = origin.into_iter().map(|(id, key, _)| (id, key)).collect();
    let taken: HashMap<String, Uuid> = names
        .iter()
        .map(|(id, key)| (key.to_lowercase(), *id))
        .collect();
    parts
        .into_iter()
        .map(|(_, key, from)| {
            let folded = key.to_lowercase();
            let told = match from.and_then(|from| names.get(&from)) {
                Some(name) => name.clone(),
                None if taken.contains_key(&folded) => format!("{copy}:{key}"),
                None => key,
            };
            (folded, told)
        })
        .collect()
}
