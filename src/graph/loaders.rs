//! Loads the far ends of edges that are not part of a blueprint in memory: one statement for all that a level
//! of a document asks for. Made for each request, holding its caller, so that no answer reaches another.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_graphql::{
    Context,
    dataloader::{DataLoader, HashMapCache, Loader},
};
use entity::{
    account, blueprint, department,
    id::{AccountId, BlueprintId, DepartmentId, KpiId, PersonaId, PhaseId, TouchpointId},
    kpi, persona, phase, responsibility, touchpoint,
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use crate::{
    access::{Caller, Guarded, scope},
    error::{Error, Result},
};

/// Loads rows for one caller.
pub struct Rows {
    caller: Caller,
}

/// The loader of a request.
pub type Loaders = DataLoader<Rows, HashMapCache>;

/// A loader for one request of a caller.
#[must_use]
pub fn loaders(caller: Caller) -> Loaders {
    DataLoader::with_cache(Rows { caller }, tokio::spawn, HashMapCache::default())
        .delay(Duration::ZERO)
}

macro_rules! by_id {
    ($($id:ident of $entity:ident,)*) => {
        $(impl Loader<$id> for Rows {
            type Value = $entity::Model;
            type Error = Error;

            async fn load(&self, ids: &[$id]) -> Result<HashMap<$id, Self::Value>> {
                let rows = self
                    .caller
                    .select::<$entity::Entity>()
                    .filter($entity::Entity::id_column().is_in(ids.iter().copied()))
                    .all(self.caller.reader())
                    .await?;
                Ok(rows.into_iter().map(|row| (row.id, row)).collect())
            }
        })*
    };
}

by_id! {
    AccountId of account,
    BlueprintId of blueprint,
    DepartmentId of department,
    KpiId of kpi,
    PersonaId of persona,
    PhaseId of phase,
    TouchpointId of touchpoint,
}

/// The open responsibilities at a touchpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeldAt(pub TouchpointId);

impl Loader<HeldAt> for Rows {
    type Value = Arc<Vec<responsibility::Model>>;
    type Error = Error;

    async fn load(&self, keys: &[HeldAt]) -> Result<HashMap<HeldAt, Self::Value>> {
        let rows = self
            .caller
            .select::<responsibility::Entity>()
            .filter(responsibility::Column::TouchpointId.is_in(keys.iter().map(|key| key.0)))
            .filter(scope::open_responsibility())
            .order_by_asc(responsibility::Column::CreatedAt)
            .order_by_asc(responsibility::Column::Id)
            .all(self.caller.reader())
            .await?;
        Ok(grouped(rows, |row| HeldAt(row.touchpoint_id)))
    }
}

/// The touchpoints of a phase that are not archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InPhase(pub PhaseId);

impl Loader<InPhase> for Rows {
    type Value = Arc<Vec<touchpoint::Model>>;
    type Error = Error;

    async fn load(&self, keys: &[InPhase]) -> Result<HashMap<InPhase, Self::Value>> {
        let rows = self
            .caller
            .select::<touchpoint::Entity>()
            .filter(touchpoint::Column::PhaseId.is_in(keys.iter().map(|key| key.0)))
            .filter(touchpoint::Column::ArchivedAt.is_null())
            .order_by_asc(touchpoint::Column::Position)
            .order_by_asc(touchpoint::Column::Id)
            .all(self.caller.reader())
            .await?;
        Ok(grouped(rows, |row| InPhase(row.phase_id)))
    }
}

fn grouped<K: std::hash::Hash + Eq, R>(
    rows: Vec<R>,
    key: impl Fn(&R) -> K,
) -> HashMap<K, Arc<Vec<R>>> {
    let mut groups: HashMap<K, Vec<R>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
        .into_iter()
        .map(|(key, rows)| (key, Arc::new(rows)))
        .collect()
}

/// What a key leads to, if it is there for the caller.
pub async fn load<K>(ctx: &Context<'_>, key: K) -> Result<Option<<Rows as Loader<K>>::Value>>
where
    K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
    Rows: Loader<K, Error = Error>,
{
    let loaders = ctx
        .data::<Loaders>()
        .map_err(|_| Error::Unauthenticated("Sign in first."))?;
    loaders.load_one(key).await
}
