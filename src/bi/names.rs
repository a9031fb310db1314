//! Keys and names of what stands in tables of few rows.

use entity::id::Id;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, TryGetable,
    sea_query::{Expr, ExprTrait, Func, SelectStatement},
};

use crate::{access::Keyed, database::Transaction, error::Result};

/// Things by id, each with its key and its name.
pub struct EntityNames<I>(Vec<(I, String, String)>);

/// What is called how.
#[derive(Clone, Copy, Debug)]
pub struct NamedEntity<'a, I> {
    pub id: I,
    pub key: &'a str,
    pub name: &'a str,
}

impl<I> Default for EntityNames<I> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<I: Id + TryGetable> EntityNames<I> {
    /// Those of the things that are selected, in these columns: id, key and name.
    pub async fn of<E: EntityTrait>(
        tx: &Transaction,
        select: Select<E>,
        [id, key, name]: [E::Column; 3],
    ) -> Result<Self> {
        let rows = select
            .select_only()
            .column_as(id, "id")
            .column_as(key, "key")
            .column_as(name, "name")
            .order_by_asc(id);
        Ok(Self(rows.into_tuple().all(tx).await?))
    }
}

impl<I: Id> EntityNames<I> {
    /// How many things there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Which of them this is.
    #[must_use]
    pub fn rank(&self, id: I) -> Option<usize> {
        // As numbers, which are compared at once.
        let id = id.uuid().as_u128();
        let of = |one: &(I, String, String)| one.0.uuid().as_u128();
        self.0.binary_search_by_key(&id, of).ok()
    }

    /// Which of them each of these is.
    #[must_use]
    pub fn ranks(&self, ids: &[I]) -> Vec<Option<usize>> {
        ids.iter().map(|id| self.rank(*id)).collect()
    }

    /// The thing of this rank.
    #[must_use]
    pub fn at(&self, rank: usize) -> Option<NamedEntity<'_, I>> {
        let (id, key, name) = self.0.get(rank)?;
        Some(NamedEntity { id: *id, key, name })
    }
}

/// The ids of rows with one of these keys, however their letters are cased.
pub(super) fn with_keys<E: Keyed>(keys: &[String]) -> SelectStatement {
    let key = Func::lower(Expr::col(E::key_column().as_column_ref()));
    let keys = keys.iter().map(|key| key.to_ascii_lowercase());
    E::find()
        .select_only()
        .column(E::id_column())
        .filter(Expr::expr(key).is_in(keys))
        .into_query()
}
