//! Runs the selects of one level of a document as one `UNION ALL`, each row marked with the number of its select. So
//! the lists of fifty departments take one connection and not all that there are.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    marker::PhantomData,
    sync::Arc,
};

use async_graphql::Context;
use sea_orm::{
    ConnectionTrait, FromQueryResult, QueryResult, QueryTrait, Select,
    sea_query::{Asterisk, Expr, ExprTrait, Query, SelectStatement, SqliteQueryBuilder, UnionType},
};

use crate::{
    access::{Caller, Guarded},
    batch::{self, LoaderKey},
    compute::STATEMENT,
    error::Result,
};

/// Most selects in one statement: SQLite takes 500.
const PARTS: usize = 50;

/// Most values in one statement, unless one select alone has more: SQLite takes 32,766.
const VALUES: usize = 8_000;

/// Steps of the budget for each further select in a statement: half a statement, as nothing is sent.
const PART: u64 = STATEMENT / 2;

/// A select as a key of a batch: two with the same SQL and values are one.
#[derive(Clone)]
struct SelectAsKey {
    select: Arc<SelectStatement>,
    /// Its SQL and values as text, only compared and never run.
    words: Arc<str>,
    values: usize,
}

impl SelectAsKey {
    fn new(select: SelectStatement) -> Self {
        let (sql, values) = select.build(SqliteQueryBuilder);
        Self {
            words: format!("{sql} {values:?}").into(),
            values: values.0.len(),
            select: Arc::new(select),
        }
    }
}

impl PartialEq for SelectAsKey {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for SelectAsKey {}

impl Hash for SelectAsKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words.hash(state);
    }
}

/// The key of a select's rows.
struct SelectRowsKey<E>(SelectAsKey, PhantomData<fn() -> E>);

impl<E> Clone for SelectRowsKey<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<E> PartialEq for SelectRowsKey<E> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<E> Eq for SelectRowsKey<E> {}

impl<E> Hash for SelectRowsKey<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<E: Guarded> LoaderKey for SelectRowsKey<E> {
    type Value = Arc<Vec<E::Model>>;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let parts: Vec<&SelectAsKey> = keys.iter().map(|key| &key.0).collect();
        let mut found: Vec<Vec<E::Model>> = keys.iter().map(|_| Vec::new()).collect();
        let whole = |part: &mut SelectStatement| {
            part.column((SELECT, Asterisk));
        };
        let read = |at: usize, row: &QueryResult| -> Result<()> {
            if let Some(rows) = found.get_mut(at) {
                rows.push(E::Model::from_query_result(row, "")?);
            }
            Ok(())
        };
        run_selects_in_union(caller, &parts, whole, read).await?;
        let found = found.into_iter().map(Arc::new);
        Ok(keys.iter().cloned().zip(found).collect())
    }
}

/// The key of a select's number of rows.
#[derive(Clone, PartialEq, Eq, Hash)]
struct CountKey(SelectAsKey);

impl LoaderKey for CountKey {
    type Value = u64;

    async fn load(caller: &Caller, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let parts: Vec<&SelectAsKey> = keys.iter().map(|key| &key.0).collect();
        let all = Expr::col(Asterisk).count();
        let count = |part: &mut SelectStatement| {
            part.expr_as(all.clone(), MANY);
        };
        let mut found = HashMap::with_capacity(keys.len());
        let read = |at: usize, row: &QueryResult| -> Result<()> {
            let many: i64 = row.try_get("", MANY)?;
            let key = keys.get(at).cloned();
            found.extend(key.zip(u64::try_from(many).ok()));
            Ok(())
        };
        run_selects_in_union(caller, &parts, count, read).await?;
        Ok(found)
    }
}

/// The alias of each select in the statement.
const SELECT: &str = "part";
/// The column of the number of a row's select, from 0.
const WHICH: &str = "which_part";
/// The column of a number of rows.
const MANY: &str = "how_many";

/// Runs selects together. `of` adds the columns to take of each; `read` gets each row with the index of its select.
async fn run_selects_in_union(
    caller: &Caller,
    parts: &[&SelectAsKey],
    of: impl Fn(&mut SelectStatement),
    mut read: impl FnMut(usize, &QueryResult) -> Result<()>,
) -> Result<()> {
    for some in group_into_statements(parts) {
        let mut selects = some.iter().map(|(at, part)| {
            let mut select = Query::select();
            of(&mut select);
            let which = Expr::cust(at.to_string());
            select.expr_as(which, WHICH);
            select.from_subquery(SelectStatement::clone(&part.select), SELECT);
            select
        });
        let Some(mut all) = selects.next() else {
            continue;
        };
        all.unions(selects.map(|select| (UnionType::All, select)));
        caller.budget.spend(PART * (some.len() as u64 - 1))?;
        for row in caller.connection().query_all(&all).await? {
            let at: i32 = row.try_get("", WHICH)?;
            read(usize::try_from(at).unwrap_or(usize::MAX), &row)?;
        }
    }
    Ok(())
}

/// Cuts selects, with their indexes, into as few statements as the bounds allow.
fn group_into_statements<'p>(parts: &[&'p SelectAsKey]) -> Vec<Vec<(usize, &'p SelectAsKey)>> {
    let mut statements: Vec<Vec<(usize, &SelectAsKey)>> = Vec::new();
    let mut values = usize::MAX;
    for (at, part) in parts.iter().enumerate() {
        let has = part.values;
        match statements.last_mut() {
            Some(last) if last.len() < PARTS && values.saturating_add(has) <= VALUES => {
                values += has;
                last.push((at, part));
            }
            _ => {
                values = has;
                statements.push(vec![(at, part)]);
            }
        }
    }
    statements
}

/// The rows of a select, read together with those that other fields of the level ask for. In no order, as UNION ALL has
/// none: the caller sorts them.
pub async fn load_rows_batched<E: Guarded>(
    ctx: &Context<'_>,
    select: Select<E>,
) -> Result<Vec<E::Model>> {
    let key = SelectRowsKey::<E>(SelectAsKey::new(select.into_query()), PhantomData);
    let rows = batch::load_uncached(ctx, key).await?.unwrap_or_default();
    Ok(Vec::clone(&rows))
}

/// The number of rows of a select, counted together with others of the level.
pub(super) async fn count_rows_batched<E: Guarded>(
    ctx: &Context<'_>,
    select: Select<E>,
) -> Result<u64> {
    let key = CountKey(SelectAsKey::new(select.into_query()));
    Ok(batch::load_uncached(ctx, key).await?.unwrap_or_default())
}
