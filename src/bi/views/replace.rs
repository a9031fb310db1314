//! Replaces views without dropping them: what others made of them, such as the models of dbt, goes on standing.
//!
//! PostgreSQL replaces a view where its columns stay, in their order, and new ones come last. So the columns that are
//! there come first, whatever the order of the dataset. A view is dropped only where a column is gone or of another
//! type, and nothing of others hangs on it.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::sql::{query_first, quote_literal, quote_name, run_ddl};
use crate::{
    database::Transaction,
    error::{Error, Result},
};

/// A column of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ViewColumn {
    name: String,
    /// Its type as PostgreSQL spells it.
    of: String,
    /// The id of its collation.
    collation: String,
}

/// The columns of a view as they are, in order.
pub(super) async fn load_view_columns(tx: &Transaction, view: &str) -> Result<Vec<ViewColumn>> {
    let sql = format!(
        "SELECT attname::text AS name, format_type(atttypid, atttypmod) AS of, attcollation::text AS collation \
         FROM pg_attribute WHERE attrelid = to_regclass({}) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        quote_literal(&format!("bi.{}", quote_name(view)))
    );
    let rows = tx.query_all_raw(Statement::from_string(DbBackend::Postgres, sql));
    let rows = rows.await?;
    let columns = rows.iter().map(|row| {
        Ok(ViewColumn {
            name: row.try_get("", "name")?,
            of: row.try_get("", "of")?,
            collation: row.try_get("", "collation")?,
        })
    });
    columns.collect()
}

/// The names in the order that a view can be replaced with: those that it has, then the others. Nothing where one that
/// it has is gone.
pub(super) fn order_columns<'n>(there: &[ViewColumn], wanted: &[&'n str]) -> Option<Vec<&'n str>> {
    let mut ordered = Vec::with_capacity(wanted.len());
    for column in there {
        ordered.push(*wanted.iter().find(|wanted| **wanted == column.name)?);
    }
    let fresh = wanted.iter().filter(|name| !ordered.contains(name));
    let fresh: Vec<&str> = fresh.copied().collect();
    ordered.extend(fresh);
    Some(ordered)
}

/// The name of a view that is made to see which columns a query gives, and dropped.
const TRIED: &str = "replacement";

/// Where rows are kept from those who may not read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Barrier {
    /// In the view itself.
    Own,
    /// In a view behind it.
    Behind,
}

/// Makes a view say what `query` gives. It is replaced where all columns that it has come first, in their order and of
/// their types; else it is made anew.
pub(super) async fn replace_view(
    tx: &Transaction,
    view: &str,
    barrier: Barrier,
    query: &str,
) -> Result<()> {
    // `security_barrier`: a login that may make functions of its own could otherwise have one called with rows that the
    // view then drops.
    let create = |view: &str| {
        let name = quote_name(view);
        let options = match barrier {
            Barrier::Own => " WITH (security_barrier)",
            Barrier::Behind => "",
        };
        format!("CREATE OR REPLACE VIEW bi.{name}{options} AS\n{query}")
    };
    let there = load_view_columns(tx, view).await?;
    // Tried under another name: what PostgreSQL refuses would end the transaction.
    run_ddl(tx, &create(TRIED)).await?;
    let wanted = load_view_columns(tx, TRIED).await?;
    run_ddl(tx, &format!("DROP VIEW bi.{}", quote_name(TRIED))).await?;
    if !wanted.starts_with(&there) {
        refuse_if_others_depend(tx, view).await?;
        run_ddl(tx, &format!("DROP VIEW bi.{}", quote_name(view))).await?;
    }
    run_ddl(tx, &create(view)).await
}

/// Refuses to drop a view on which something of others hangs, and names it.
pub(super) async fn refuse_if_others_depend(tx: &Transaction, view: &str) -> Result<()> {
    let sql = format!(
        "SELECT string_agg(DISTINCT c.oid::regclass::text, ', ') AS names FROM pg_depend d \
         JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass \
         JOIN pg_class c ON c.oid = r.ev_class \
         WHERE d.refobjid = to_regclass({0}) AND c.oid <> to_regclass({0})",
        quote_literal(&format!("bi.{}", quote_name(view)))
    );
    let row = query_first(tx, &sql, []).await?;
    let names: Option<String> = row
        .map(|row| row.try_get("", "names"))
        .transpose()?
        .flatten();
    match names {
        None => Ok(()),
        Some(names) => Err(Error::BadInput(format!(
            "The view bi.{view} goes or changes its columns, and these depend on it: {names}. Drop them, run \
             `cx-blueprint bi refresh`, and make them anew."
        ))),
    }
}

/// Cuts a view off from the tables behind it, so that they can change. Until it is replaced, whoever reads it gets an
/// error that says why, and not an empty answer.
pub(super) async fn detach_view(tx: &Transaction, view: &str) -> Result<()> {
    let columns = load_view_columns(tx, view).await?;
    let columns = columns.iter();
    let columns = columns.map(|column| {
        let ViewColumn { name, of, .. } = column;
        format!("CAST(NULL AS {of}) AS {}", quote_name(name))
    });
    let columns: Vec<String> = columns.collect();
    // What is no number is told when it is read as one.
    let stub = format!(
        "SELECT {} WHERE CAST(concat(current_database(), ' is being upgraded: try again in a moment') AS integer) > 0",
        columns.join(", ")
    );
    replace_view(tx, view, Barrier::Own, &stub).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_are_there_come_first_in_their_order() {
        let there = |names: &[&str]| -> Vec<ViewColumn> {
            let columns = names.iter().map(|name| ViewColumn {
                name: (*name).to_owned(),
                of: "text".to_owned(),
                collation: "100".to_owned(),
            });
            columns.collect()
        };
        let wanted = ["id", "new", "name", "newer"];
        assert_eq!(
            order_columns(&there(&["name", "id"]), &wanted),
            Some(vec!["name", "id", "new", "newer"])
        );
        assert_eq!(order_columns(&there(&[]), &wanted), Some(wanted.to_vec()));
        assert_eq!(order_columns(&there(&["id", "gone"]), &wanted), None);
    }
}
