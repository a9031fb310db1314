//! The payloads of mutations: the changed object, or the user errors. Refusals are written to the audit log here, after
//! the refused act was rolled back.

use async_graphql::Context;
use entity::{account, row_edit};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    access::{Caller, Guarded},
    error::{Error, Reason, Result, UserError},
};

/// The caller of a request.
///
/// # Errors
/// UNAUTHENTICATED where nobody is signed in.
pub fn caller<'a>(ctx: &Context<'a>) -> Result<&'a Caller> {
    ctx.data::<Caller>()
        .map_err(|_| Error::Unauthenticated("Sign in first."))
}

/// The caller of a mutation, whose act is named after the mutation's field.
pub fn mutation_caller(ctx: &Context<'_>) -> Result<Caller> {
    Ok(caller(ctx)?.with_act_name(ctx.field().name()))
}

/// Turns a row that was looked up into its node, and an absent row into null.
pub async fn into_node<R, N: From<R>>(
    looked: impl Future<Output = Result<Option<R>>>,
) -> Option<Result<N>> {
    looked.await.map(|row| row.map(N::from)).transpose()
}

/// The user errors of a refused mutation, and the ids of the objects in conflict.
pub struct Refusal {
    pub errors: Vec<UserError>,
    pub current: Vec<uuid::Uuid>,
}

/// Turns the error of an act into user errors, and writes a FORBIDDEN to the audit log.
///
/// # Errors
/// The error itself where it is no user error: it fails the request.
pub async fn refusal_from_error(caller: &Caller, error: Error) -> Result<Refusal> {
    if let Error::Forbidden(forbidden) = &error {
        caller.audit_refusal(forbidden).await?;
    }
    let current = match &error {
        Error::Conflict { current, .. } => current.clone(),
        _ => Vec::new(),
    };
    let mut errors = error.into_user_errors()?;
    name_who_changed(caller, &current, &mut errors).await?;
    Ok(Refusal { errors, current })
}

/// Says in conflicts of versions who has changed the object, as far as the caller may see them.
async fn name_who_changed(
    caller: &Caller,
    current: &[uuid::Uuid],
    errors: &mut [UserError],
) -> Result<()> {
    let stale = |error: &UserError| error.reason == Some(Reason::VersionStale);
    let [error] = errors else {
        return Ok(());
    };
    let (true, Some(id)) = (stale(error), current.first()) else {
        return Ok(());
    };
    let edit = row_edit::Entity::find_by_id(*id)
        .one(caller.connection())
        .await?;
    let Some(by) = edit.and_then(|edit| edit.updated_by_id) else {
        return Ok(());
    };
    let who = if caller.account() == Some(by) {
        "You have".to_owned()
    } else if let Some(account) = caller.get::<account::Entity>(by).await? {
        format!("{} has", account.name)
    } else {
        return Ok(());
    };
    if let Some(rest) = error
        .message
        .strip_prefix("It has changed since you read it")
    {
        error.message = format!("{who} changed it since you read it{rest}");
    }
    Ok(())
}

/// The payload of a refused act: the object in conflict as it is now, and the user errors.
///
/// # Errors
/// Those of [`refusal_from_error`].
pub async fn load_conflict_and_errors<E: Guarded>(
    caller: &Caller,
    error: Error,
) -> Result<(Option<E::Model>, Vec<UserError>)> {
    let refusal = refusal_from_error(caller, error).await?;
    let current = match refusal.current.first() {
        Some(id) => caller.get::<E>((*id).into()).await?,
        None => None,
    };
    Ok((current, refusal.errors))
}

/// The payload of a refused act on several things: those in conflict as they are now, and the user errors.
///
/// # Errors
/// Those of [`refusal_from_error`].
pub async fn load_conflicts_and_errors<E: Guarded>(
    caller: &Caller,
    error: Error,
) -> Result<(Vec<E::Model>, Vec<UserError>)> {
    let refusal = refusal_from_error(caller, error).await?;
    let ids: Vec<E::Id> = refusal.current.into_iter().map(Into::into).collect();
    let current = caller.select::<E>().filter(E::id_column().is_in(ids));
    let current = current.order_by_asc(E::id_column());
    Ok((current.all(caller.connection()).await?, refusal.errors))
}

/// What was done, or nothing of it and why.
///
/// # Errors
/// Those of [`refusal_from_error`].
pub async fn done_or_refused<T: Default>(
    caller: &Caller,
    result: Result<T>,
) -> Result<(T, Vec<UserError>)> {
    match result {
        Ok(done) => Ok((done, Vec::new())),
        Err(error) => Ok((
            T::default(),
            refusal_from_error(caller, error).await?.errors,
        )),
    }
}

/// Defines the payload of mutations on one kind of object; `and` adds a field for what else follows from the act.
#[macro_export]
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$object_doc:meta])* $field:ident: $object:ident of $entity:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$object_doc])*
            pub $field: Option<$object>,
            /// The reasons why the mutation was refused; empty if it was carried out.
            pub user_errors: Vec<$crate::error::UserError>,
        }

        impl $name {
            /// The answer to an act: the object as it now is, or why not.
            pub async fn from_result(
                caller: &$crate::access::Caller,
                result: $crate::error::Result<<$entity as sea_orm::EntityTrait>::Model>,
            ) -> $crate::error::Result<Self> {
                match result {
                    Ok(row) => Ok(Self { $field: Some(row.into()), user_errors: Vec::new() }),
                    Err(error) => {
                        let (current, user_errors) = $crate::payload::load_conflict_and_errors::<$entity>(caller, error).await?;
                        Ok(Self { $field: current.map(Into::into), user_errors })
                    }
                }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident { $(#[$object_doc:meta])* $field:ident: $object:ident of $entity:ty,
        $(#[$more_doc:meta])* and $more:ident: $also:ty }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$object_doc])*
            pub $field: Option<$object>,
            $(#[$more_doc])*
            pub $more: Option<$also>,
            /// The reasons why the mutation was refused; empty if it was carried out.
            pub user_errors: Vec<$crate::error::UserError>,
        }

        impl $name {
            /// The answer to an act: the object as it now is and what followed, or why not.
            pub async fn from_result<M: Into<$also>>(
                caller: &$crate::access::Caller,
                result: $crate::error::Result<(<$entity as sea_orm::EntityTrait>::Model, M)>,
            ) -> $crate::error::Result<Self> {
                match result {
                    Ok((row, more)) => Ok(Self { $field: Some(row.into()), $more: Some(more.into()), user_errors: Vec::new() }),
                    Err(error) => {
                        let (current, user_errors) = $crate::payload::load_conflict_and_errors::<$entity>(caller, error).await?;
                        Ok(Self { $field: current.map(Into::into), $more: None, user_errors })
                    }
                }
            }
        }
    };
}
