//! Full-text search over everything that can be found by its words, with access as part of the statement.
//!
//! Every word must occur, as a word or as the beginning of one. Each counts 0 where it is a word of the row's name or
//! title, 1 where a longer word there begins with it, 2 and 3 for the other texts alike; the least sum comes first,
//! then the shorter name, then the id. So the order follows from the row and the query alone. BM25 and its like weigh
//! words by their frequency over all rows: that would tell of rows that the caller may not see, and differ between the
//! databases.

mod excerpt;
pub mod graphql;

use entity::{
    id::BlueprintId,
    read::{self, FromCells, RowCursor},
    words::SearchKind,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, IntoSimpleExpr, QueryFilter,
    QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, SelectStatement},
};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::{
    access::{Caller, Guarded},
    database::Transaction,
    error::{Error, Result},
    index::{self, every_kind},
    page::{self, PageArguments},
    statement::SqlBuilder,
};

/// Longest query, in characters.
const LONGEST: usize = 100;

/// Most different words of a query.
const MOST_WORDS: usize = 8;

/// A search query: words, and what kinds of things to find where.
pub struct SearchRequest {
    /// Folded, each once. Letters, digits and their marks only, so that none is an operator of either full-text index.
    words: Vec<String>,
    kinds: Vec<SearchKind>,
    blueprint: Option<BlueprintId>,
    include_archived: bool,
}

impl SearchRequest {
    /// Parses what somebody typed.
    ///
    /// # Errors
    /// `BadInput` where the text is too long, or has too many words.
    pub fn parse(
        text: &str,
        kinds: Option<Vec<SearchKind>>,
        blueprint: Option<BlueprintId>,
        include_archived: bool,
    ) -> Result<Self> {
        let refuse = |sentence: String| Err(Error::BadInput(sentence));
        // Not counted to its end, which may be a megabyte away.
        if text.chars().take(LONGEST + 1).count() > LONGEST {
            return refuse(format!("`text` is longer than {LONGEST} characters."));
        }
        let mut words: Vec<String> = Vec::new();
        // Marks stand in one order, as in what is stored.
        let text: String = text.nfc().collect();
        for word in index::split_words(&text) {
            if !words.contains(&word.folded) {
                words.push(word.folded);
            }
        }
        match words.len() {
            0..=MOST_WORDS => Ok(Self {
                words,
                kinds: kinds.unwrap_or_else(|| SearchKind::ALL.to_vec()),
                blueprint,
                include_archived,
            }),
            many => refuse(format!(
                "`text` has {many} words; at most {MOST_WORDS} are allowed."
            )),
        }
    }

    /// Whether the text has a letter or a digit: one without finds nothing, and is no fault, since whoever types has
    /// to begin somewhere.
    pub fn has_words(&self) -> bool {
        !self.words.is_empty()
    }
}

/// The sort key of a hit, compared field by field; a cursor is the last one of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HitKey {
    distance: i32,
    length: i32,
    id: Uuid,
    kind: SearchKind,
}

impl FromCells for HitKey {
    fn from_cells(cells: &mut RowCursor<'_>) -> Result<Self, DbErr> {
        Ok(Self {
            distance: cells.read_next()?,
            length: cells.read_next()?,
            id: cells.read_next()?,
            kind: cells.read_next()?,
        })
    }
}

impl HitKey {
    fn cursor(&self) -> String {
        let (distance, length) = (self.distance.to_be_bytes(), self.length.to_be_bytes());
        let kind = self.kind.as_str().as_bytes();
        page::encode_cursor(&[&distance, &length, self.id.as_bytes(), kind])
    }

    fn from_cursor(text: &str) -> Result<Self> {
        let bytes = page::decode_cursor(text)?;
        let read = || {
            let (distance, rest) = bytes.split_first_chunk()?;
            let (length, rest) = rest.split_first_chunk()?;
            let (id, kind) = rest.split_first_chunk()?;
            Some(Self {
                distance: i32::from_be_bytes(*distance),
                length: i32::from_be_bytes(*length),
                id: Uuid::from_bytes(*id),
                kind: SearchKind::from_name(std::str::from_utf8(kind).ok()?)?,
            })
        };
        read().ok_or_else(page::invalid_cursor_error)
    }
}

/// The hits of one page in order, and one more where there is one.
pub async fn find_hits_of_page(
    caller: &Caller,
    request: &SearchRequest,
    page: &PageArguments,
    tx: &Transaction,
) -> Result<Vec<HitKey>> {
    let after = page.after.as_deref().map(HitKey::from_cursor).transpose()?;
    let limit = page.size()? + 1;
    let mut text = build_found_cte_sql(caller, request, tx).then(" SELECT * FROM found");
    if let Some(place) = after {
        text = text
            // The kind, too: two kinds may have rows with one id.
            .then(" WHERE (distance, length, id, kind) > (")
            .value(place.distance)
            .then(", ")
            .value(place.length)
            .then(", ")
            .value(place.id)
            .then(", ")
            .value(place.kind)
            .then(")");
    }
    let text = text
        .then(" ORDER BY distance, length, id, kind LIMIT ")
        .value(limit);
    Ok(read::read_all(tx, text.statement()).await?)
}

/// Number of hits that the caller may see.
pub async fn count_hits(caller: &Caller, request: &SearchRequest, tx: &Transaction) -> Result<u64> {
    let text = build_found_cte_sql(caller, request, tx).then(" SELECT COUNT(*) FROM found");
    let row = tx.query_one_raw(text.statement()).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The beginning of a statement, up to the CTE `found`. Access is checked kind by kind: one condition over all kinds
/// would keep PostgreSQL from joining. The LIMIT inside EXISTS means nothing to PostgreSQL, and keeps SQLite from
/// turning the join round and scanning everything that the caller may see.
fn build_found_cte_sql(caller: &Caller, request: &SearchRequest, tx: &Transaction) -> SqlBuilder {
    let backend = tx.get_database_backend();
    let mut text = SqlBuilder::new(backend, "WITH matched AS MATERIALIZED (SELECT ");
    text = append_match_distance_sql(text, &request.words)
        .then(" AS distance, length(title) AS length, id, kind FROM search_text WHERE ");
    text = append_match_condition(text, backend, &request.words);
    if let Some(blueprint) = request.blueprint {
        text = text.then(" AND blueprint_id = ").value(blueprint);
    }
    if !request.include_archived {
        text = text.then(
            " AND NOT EXISTS (SELECT 1 FROM blueprint
                WHERE blueprint.id = search_text.blueprint_id AND blueprint.archived_at IS NOT NULL)",
        );
    }
    // An empty beginning, so that each kind is one more UNION ALL, and no kind at all is still SQL.
    text = text.then("), found AS (SELECT * FROM matched WHERE 1 = 0");
    for kind in SearchKind::ALL
        .iter()
        .filter(|kind| request.kinds.contains(kind))
    {
        text = text
            .then(" UNION ALL SELECT * FROM matched WHERE kind = ")
            .value(*kind)
            .then(" AND EXISTS (")
            .select(&select_matched_row(caller, *kind, request.include_archived))
            .then(" LIMIT 1)");
    }
    text.then(")")
}

/// Appends the sum of the words' distances: see the module.
fn append_match_distance_sql(text: SqlBuilder, words: &[String]) -> SqlBuilder {
    words.iter().enumerate().fold(text, |text, (at, word)| {
        let (whole, beginning) = (format!("% {word} %"), format!("% {word}%"));
        text.then(if at == 0 { "" } else { " + " })
            .then("CASE WHEN title LIKE ")
            .value(whole.clone())
            .then(" THEN 0 WHEN title LIKE ")
            .value(beginning)
            .then(" THEN 1 WHEN words LIKE ")
            .value(whole)
            .then(" THEN 2 ELSE 3 END")
    })
}

/// Appends the condition that all words occur, in the language of each database's full-text index.
fn append_match_condition(text: SqlBuilder, backend: DbBackend, words: &[String]) -> SqlBuilder {
    let all = |join: &str, word: &dyn Fn(&String) -> String| {
        let words: Vec<String> = words.iter().map(word).collect();
        words.join(join)
    };
    match backend {
        DbBackend::Postgres => text
            .then("search_vector(words) @@ CAST(")
            .value(all(" & ", &|word| format!("'{word}':*")))
            .then(" AS tsquery)"),
        _ => text
            .then("number IN (SELECT rowid FROM search_index WHERE search_index MATCH ")
            .value(all(" AND ", &|word| format!("\"{word}\"*")))
            .then(")"),
    }
}

/// A select of the matched row in its own table, where the caller may see it.
fn select_matched_row(
    caller: &Caller,
    kind: SearchKind,
    include_archived: bool,
) -> SelectStatement {
    macro_rules! of_kind {
        ($($kind:ident: $table:ident in { $($blueprint:tt)* } { $($_texts:tt)* })*) => {
            match kind {
                $(SearchKind::$kind => select_readable_match::<entity::$table::Entity>(caller, include_archived),)*
            }
        };
    }
    every_kind!(of_kind)
}

fn select_readable_match<E: Guarded>(caller: &Caller, include_archived: bool) -> SelectStatement {
    let matched = Expr::col(("matched", "id"));
    let select = caller
        .select::<E>()
        .select_only()
        .column(E::id_column())
        .filter(E::id_column().into_simple_expr().eq(matched));
    if include_archived {
        select.into_query()
    } else {
        select.filter(not_archived_condition::<E>()).into_query()
    }
}

/// Rows that are not archived, nor in an archived phase or touchpoint. Archived blueprints are left out earlier.
fn not_archived_condition<E: Guarded>() -> Condition {
    // By name, as each kind has some of these columns and no trait says which.
    let column = |name: &str| name.parse::<E::Column>().ok();
    let mut all = Condition::all().add_option(column("archived_at").map(|at| at.is_null()));
    let archived_phases =
        select_archived_ids::<entity::phase::Entity>(entity::phase::Column::ArchivedAt);
    let archived_touchpoints =
        select_archived_ids::<entity::touchpoint::Entity>(entity::touchpoint::Column::ArchivedAt);
    for (place, archived) in [
        ("phase_id", archived_phases),
        ("touchpoint_id", archived_touchpoints),
    ] {
        if let Some(place) = column(place) {
            let somewhere_else = place.not_in_subquery(archived);
            all = all.add(Condition::any().add(place.is_null()).add(somewhere_else));
        }
    }
    all
}

fn select_archived_ids<E: Guarded>(archived_at: E::Column) -> SelectStatement {
    E::find()
        .select_only()
        .column(E::id_column())
        .filter(archived_at.is_not_null())
        .into_query()
}
