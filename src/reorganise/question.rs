//! The start of a "what if" question: the rows that it is about, found and authorised without a lock or a write.

use sea_orm::{ColumnTrait, QueryFilter};

use crate::{
    access::{Archivable, Caller, Guarded, require_unarchived},
    database::Transaction,
    error::{Error, Result},
    policy::{Action, RowTies},
};

/// The row that a question is about, if the caller may see it.
pub(super) async fn find_visible_row<E: Guarded>(
    caller: &Caller,
    tx: &Transaction,
    id: E::Id,
) -> Result<Option<E::Model>> {
    let select = caller.select::<E>().filter(E::id_column().eq(id));
    Ok(select.one(tx).await?)
}

/// The row that a question is about, if the caller may see it; FORBIDDEN where they may not do the act.
pub(super) async fn find_permitted_row<E: Guarded>(
    caller: &Caller,
    tx: &Transaction,
    action: Action,
    id: E::Id,
) -> Result<Option<E::Model>> {
    let Some(row) = find_visible_row::<E>(caller, tx, id).await? else {
        return Ok(None);
    };
    let ties = E::load_ties(tx, &row).await?;
    require_permitted::<E>(caller, action, &ties, &row)?;
    Ok(Some(row))
}

/// Refuses a caller who may not do the action to a row with these ties.
pub(super) fn require_permitted<E: Guarded>(
    caller: &Caller,
    action: Action,
    ties: &RowTies,
    row: &E::Model,
) -> Result<()> {
    if caller.may(action, ties) {
        return Ok(());
    }
    Err(caller.forbidden_error(action, Some((E::TYPE, E::row_id(row)))))
}

/// Requires that another row which the question names exists and is not archived.
pub(super) async fn require_live_row<E: Archivable>(
    caller: &Caller,
    tx: &Transaction,
    field: &str,
    id: E::Id,
) -> Result<()> {
    let row = find_visible_row::<E>(caller, tx, id).await?;
    let row = row.ok_or_else(|| Error::not_found(field, E::NOUN))?;
    require_unarchived::<E>(field, &row)
}
