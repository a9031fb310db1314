//! The ids of things by their keys, read where they are kept.

use std::collections::BTreeMap;

use entity::{account, blueprint, channel, department, kpi, persona, phase, segment, touchpoint};
use sea_orm::EntityTrait;

use crate::world::World;

/// The ids of a world's things by their keys; of phases by `blueprint/phase`.
pub struct Ids(BTreeMap<String, String>);

impl Ids {
    /// As they are now.
    pub async fn of(world: &World) -> Self {
        let db = world.db();
        let mut ids = BTreeMap::new();
        macro_rules! all {
            ($($table:ident),*) => {
                $(for row in $table::Entity::find().all(&db).await.expect("rows") {
                    ids.insert(row.key.clone(), row.id.to_string());
                })*
            };
        }
        all!(
            account, channel, department, kpi, persona, segment, touchpoint
        );
        let blueprints = blueprint::Entity::find().all(&db).await.expect("rows");
        for row in phase::Entity::find().all(&db).await.expect("rows") {
            let inside = blueprints
                .iter()
                .find(|blueprint| blueprint.id == row.blueprint_id);
            let inside = &inside.expect("its blueprint").key;
            ids.insert(format!("{inside}/{}", row.key), row.id.to_string());
        }
        ids.extend(
            blueprints
                .into_iter()
                .map(|row| (row.key, row.id.to_string())),
        );
        Self(ids)
    }
}

impl Ids {
    /// The key of the thing with this id.
    pub fn key(&self, id: &str) -> &str {
        let found = self.0.iter().find(|(_, other)| *other == id);
        found.map_or_else(|| panic!("{id} is nothing's"), |(key, _)| key)
    }
}

impl std::ops::Index<&str> for Ids {
    type Output = String;

    fn index(&self, key: &str) -> &String {
        self.0
            .get(key)
            .unwrap_or_else(|| panic!("nothing has the key {key}"))
    }
}
