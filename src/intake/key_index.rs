//! What the cells of a sheet may name, read once: everything of one kind that the caller may see, by id and by key.

use std::collections::{HashMap, HashSet};

use entity::{
    blueprint,
    id::{BlueprintId, Id, TouchpointId},
    touchpoint,
};
use sea_orm::{QuerySelect, TryGetable};

use crate::{
    access::{Caller, Guarded, HasKeyColumn},
    error::{Result, UserErrorCode},
    input::Faults,
    sheet::SheetCell,
    text::quote_for_message,
};

/// Everything of one kind that the caller may see.
#[derive(Clone, Debug)]
pub struct KeyIndex<I> {
    noun: &'static str,
    ids: HashSet<I>,
    /// By key, in small letters.
    keys: HashMap<Box<str>, I>,
}

impl<I: Id + std::hash::Hash + TryGetable> KeyIndex<I> {
    /// Reads those whose keys are unique in the organisation.
    pub async fn load_visible<E>(caller: &Caller) -> Result<Self>
    where
        E: HasKeyColumn<Id = I>,
    {
        let rows: Vec<(I, String)> = caller
            .select::<E>()
            .select_only()
            .column(E::id_column())
            .column(E::key_column())
            .into_tuple()
            .all(caller.connection())
            .await?;
        Ok(Self::from_ids_and_keys::<E>(rows.into_iter()))
    }

    fn from_ids_and_keys<E: Guarded<Id = I>>(rows: impl Iterator<Item = (I, String)>) -> Self {
        let mut index = Self {
            noun: E::NOUN,
            ids: HashSet::new(),
            keys: HashMap::new(),
        };
        for (id, key) in rows {
            index.ids.insert(id);
            index.keys.insert(key.to_ascii_lowercase().into(), id);
        }
        index
    }

    /// What a cell names; a fault where that is not there for the caller, and nothing where the cell is empty.
    pub fn resolve_cell(&self, cell: &SheetCell<'_>, faults: &mut Faults) -> Option<I> {
        let text = cell.parse_text(faults)?;
        let text = text.trim();
        let found = match text.parse::<I>() {
            Ok(id) => self.ids.get(&id),
            Err(_) => self.keys.get(text.to_ascii_lowercase().as_str()),
        };
        if found.is_none() {
            let message = format!("There is no {} \"{}\".", self.noun, quote_for_message(text));
            cell.place
                .add_fault(UserErrorCode::NotFound, message, faults);
        }
        found.copied()
    }
}

impl KeyIndex<TouchpointId> {
    /// Reads touchpoints, whose keys stand after their blueprints': `bp-member/U20`.
    pub async fn load_visible_touchpoints(caller: &Caller) -> Result<Self> {
        let blueprints: Vec<(BlueprintId, String)> = caller
            .select::<blueprint::Entity>()
            .select_only()
            .columns([blueprint::Column::Id, blueprint::Column::Key])
            .into_tuple()
            .all(caller.connection())
            .await?;
        // Two statements put together here: as one, every touchpoint would come with its blueprint's key.
        let blueprints: HashMap<BlueprintId, String> = blueprints.into_iter().collect();
        let rows: Vec<(TouchpointId, BlueprintId, String)> = caller
            .select::<touchpoint::Entity>()
            .select_only()
            .columns([
                touchpoint::Column::Id,
                touchpoint::Column::BlueprintId,
                touchpoint::Column::Key,
            ])
            .into_tuple()
            .all(caller.connection())
            .await?;
        let named = rows.into_iter().filter_map(|(id, blueprint, key)| {
            let blueprint = blueprints.get(&blueprint)?;
            Some((id, format!("{blueprint}/{key}")))
        });
        Ok(Self::from_ids_and_keys::<touchpoint::Entity>(named))
    }
}
