//! Keys and names of what stands in tables of few rows.

use entity::id::Id;
use sea_orm::{EntityTrait, QueryOrder, QuerySelect, Select, TryGetable};

use crate::{database::Transaction, error::Result};

/// Things by id, each with its key and its name.
pub struct Names<I>(Vec<(I, String, String)>);

/// What is called how.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a, I> {
    pub id: I,
    pub key: &'a str,
    pub name: &'a str,
}

impl<I> Default for Names<I> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<I: Id + TryGetable> Names<I> {
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

impl<I: Id> Names<I> {
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
    pub fn at(&self, rank: usize) -> Option<Named<'_, I>> {
        let (id, key, name) = self.0.get(rank)?;
        Some(Named { id: *id, key, name })
    }
}
