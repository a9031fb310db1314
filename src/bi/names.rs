//! Keys and names of the rows of small tables, looked up by id; and ids selected by keys or by links.

use entity::{id::Id, kpi_link};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, TryGetable,
    sea_query::{Expr, ExprTrait, Func, IntoCondition, SelectStatement},
};

use crate::{access::HasKeyColumn, database::Transaction, error::Result};

/// The ids, keys and names of some rows, sorted by id. The index of a row is its rank.
pub struct EntityNames<I>(Vec<(I, String, String)>);

/// An id with its key and name.
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
    /// Reads the rows of a select, by the columns of their id, key and name.
    pub async fn load<E: EntityTrait>(
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
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rank of an id.
    #[must_use]
    pub fn rank(&self, id: I) -> Option<usize> {
        // As numbers: a u128 is compared in two instructions, the bytes of a UUID by a call.
        let id = id.uuid().as_u128();
        let of = |one: &(I, String, String)| one.0.uuid().as_u128();
        self.0.binary_search_by_key(&id, of).ok()
    }

    /// The rank of each of these ids.
    #[must_use]
    pub fn ranks(&self, ids: &[I]) -> Vec<Option<usize>> {
        ids.iter().map(|id| self.rank(*id)).collect()
    }

    /// The row of a rank.
    #[must_use]
    pub fn by_rank(&self, rank: usize) -> Option<NamedEntity<'_, I>> {
        let (id, key, name) = self.0.get(rank)?;
        Some(NamedEntity { id: *id, key, name })
    }
}

/// The ids of rows with one of these keys, in any case of letters.
pub(super) fn select_ids_by_keys<E: HasKeyColumn>(keys: &[String]) -> SelectStatement {
    let key = Func::lower(Expr::col(E::key_column().as_column_ref()));
    let keys = keys.iter().map(|key| key.to_ascii_lowercase());
    E::find()
        .select_only()
        .column(E::id_column())
        .filter(Expr::expr(key).is_in(keys))
        .into_query()
}

/// The ids of the KPIs with a link that meets a condition.
pub(super) fn select_linked_kpi_ids(condition: impl IntoCondition) -> SelectStatement {
    kpi_link::Entity::find()
        .select_only()
        .column(kpi_link::Column::KpiId)
        .filter(condition)
        .into_query()
}
