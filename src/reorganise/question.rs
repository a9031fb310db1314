//! Asking what would follow: what a question starts from, read in one snapshot and nothing written.

use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    access::{Archives, Caller, Guarded, live},
    database::Transaction,
    error::{Error, Forbidden, Result},
    policy::{Action, Ties},
};

/// The row that is asked about, if the caller may see it.
pub(super) async fn find<E: Guarded>(
    caller: &Caller,
    tx: &Transaction,
    id: E::Id,
) -> Result<Option<E::Model>> {
    let select = caller.select::<E>().filter(E::id_column().eq(id));
    Ok(select.one(tx).await?)
}

/// The row that is asked about, if the caller may see it; refused where they may not ask.
pub(super) async fn find_allowed<E: Guarded>(
    caller: &Caller,
    tx: &Transaction,
    action: Action,
    id: E::Id,
) -> Result<Option<E::Model>> {
    let Some(row) = find::<E>(caller, tx, id).await? else {
        return Ok(None);
    };
    let ties = E::ties(tx, &row).await?;
    require::<E>(caller, action, &ties, &row)?;
    Ok(Some(row))
}

/// Refuses where the caller may not ask about what has these ties.
pub(super) fn require<E: Guarded>(
    caller: &Caller,
    action: Action,
    ties: &Ties,
    row: &E::Model,
) -> Result<()> {
    if caller.may(action, ties) {
        return Ok(());
    }
    Err(Error::Forbidden(Forbidden {
        action,
        subject: Some((E::TYPE, E::uuid(row))),
        because: None,
    }))
}

/// A row that the question names beside, which must be there and not archived.
pub(super) async fn require_live<E: Archives>(
    caller: &Caller,
    tx: &Transaction,
    field: &str,
    id: E::Id,
) -> Result<()> {
    let row = find::<E>(caller, tx, id).await?;
    let row = row.ok_or_else(|| Error::not_found(field, E::NOUN))?;
    live::<E>(field, &row)
}
