//! Acts on several things at once, all of them or none: what is refused of each is told at its place, and the events of
//! each are shown to those whom it concerns.

use std::collections::BTreeSet;

use entity::id::DepartmentId;
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, TryGetable};

use super::Permit;
use crate::{
    access::guarded::Guarded,
    error::{Error, Result, UserErrorCode, refusals::Refusals},
    input::Faults,
};

impl Permit<'_> {
    /// Takes out the departments whose leads may read the act's audit events so far: those of one thing of several.
    pub fn take_audience(&mut self) -> BTreeSet<DepartmentId> {
        std::mem::take(&mut self.audited_for)
    }

    /// Ends what is done to one thing of several: the events noted for it are shown to the leads of these departments,
    /// and of those noted since, and to nobody else's.
    pub fn end_item(&mut self, audience: BTreeSet<DepartmentId>) {
        let mut audience = audience;
        audience.append(&mut self.audited_for);
        for event in &mut self.events {
            event.set_concerned(&audience);
        }
    }

    /// What came of one thing of several, at its path: its value, or nothing where it is refused.
    ///
    /// # Errors
    /// As [`Refusals::collect`], and the error itself where a statement has failed: then the transaction is at its end,
    /// and no further thing can be looked at.
    pub async fn collect<T>(
        &self,
        refusals: &mut Refusals,
        path: &str,
        result: Result<T>,
    ) -> Result<Option<T>> {
        if self.tx.has_failed().await {
            return Err(match result {
                Err(error) => error.under(path),
                Ok(_) => Error::internal("a transaction failed without an error"),
            });
        }
        refusals.collect(path, result)
    }

    /// Refuses where one of these rows is not there or the caller may not see it: all of them, at their places under
    /// `field`.
    pub async fn require_all<E: Guarded>(&self, field: &str, ids: &[E::Id]) -> Result<()>
    where
        E::Id: TryGetable,
    {
        let there: Vec<E::Id> = self
            .caller
            .select::<E>()
            .select_only()
            .column(E::id_column())
            .filter(E::id_column().is_in(ids.iter().copied()))
            .into_tuple()
            .all(&self.tx)
            .await?;
        let mut faults = Faults::default();
        for (at, id) in ids.iter().enumerate() {
            if !there.contains(id) {
                let message = format!("There is no such {}.", E::NOUN);
                faults.add(
                    &format!("{field}.{at}"),
                    UserErrorCode::NotFound,
                    None,
                    message,
                );
            }
        }
        faults.check()
    }
}
