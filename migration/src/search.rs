//! What is searched is watched: triggers mark every row whose texts may have changed, whoever wrote it and however.
//! They fold nothing: the program renews what is marked, in the transaction that marked it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::sql;

/// A table whose texts are searched.
pub(crate) struct SearchedTable {
    /// What the things found in it are.
    pub kind: &'static str,
    pub table: &'static str,
    /// The column that names the thing to which the texts belong.
    pub id: &'static str,
    /// The columns with the texts.
    pub texts: &'static [&'static str],
}

/// Creates the triggers that mark rows of a table as they change, and marks all that it holds already.
pub(crate) async fn create_search_triggers(
    schema: &SchemaManager<'_>,
    watched: &SearchedTable,
) -> Result<(), DbErr> {
    let triggers = match schema.get_database_backend() {
        DbBackend::Postgres => POSTGRES,
        _ => SQLITE,
    };
    for text in [triggers, MARK_ALL] {
        let text = text
            .replace("{kind}", watched.kind)
            .replace("{watched}", watched.table)
            .replace("{id}", watched.id)
            .replace("{texts}", &watched.texts.join(", "));
        sql::run(schema, &text).await?;
    }
    Ok(())
}

/// Marks all that a table holds, to be folded anew.
pub(crate) async fn mark_all_stale(
    schema: &SchemaManager<'_>,
    watched: &SearchedTable,
) -> Result<(), DbErr> {
    let text = MARK_ALL
        .replace("{kind}", watched.kind)
        .replace("{watched}", watched.table)
        .replace("{id}", watched.id);
    sql::run(schema, &text).await
}

const MARK_ALL: &str = "INSERT INTO search_stale (kind, id) SELECT '{kind}', {id} FROM {watched};";

const POSTGRES: &str = "
CREATE FUNCTION search_marks_{watched}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO search_stale (kind, id) VALUES ('{kind}', COALESCE(NEW.{id}, OLD.{id}));
    RETURN NULL;
END $$;
CREATE TRIGGER search_marks AFTER INSERT OR DELETE OR UPDATE OF {texts} ON {watched}
    FOR EACH ROW EXECUTE FUNCTION search_marks_{watched}();
";

const SQLITE: &str = "
CREATE TRIGGER search_marks_new_{watched} AFTER INSERT ON {watched}
    BEGIN INSERT INTO search_stale (kind, id) VALUES ('{kind}', NEW.{id}); END;
CREATE TRIGGER search_marks_old_{watched} AFTER DELETE ON {watched}
    BEGIN INSERT INTO search_stale (kind, id) VALUES ('{kind}', OLD.{id}); END;
CREATE TRIGGER search_marks_changed_{watched} AFTER UPDATE OF {texts} ON {watched}
    BEGIN INSERT INTO search_stale (kind, id) VALUES ('{kind}', NEW.{id}); END;
";
