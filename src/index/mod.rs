//! The search index: folded words of everything that can be found, kept in step with what is written. `search` queries
//! it.
//!
//! Triggers mark whatever may have changed (`migration/src/search.rs`), so that no writer can forget to, be it a
//! mutation, a loader or a cascade. [`reindex_stale_rows`], which every permit calls before it commits, reads the
//! marked rows, folds their texts and writes their words: whoever sees a change finds it. The triggers do not fold by
//! themselves, as neither database can: see [`split_words`].

mod fold;
mod kinds;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use entity::{search_stale, search_text, words::SearchKind};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::OnConflict,
};
use uuid::Uuid;

use crate::database::Transaction;

pub use fold::split_words;
pub(crate) use kinds::every_kind;
pub use kinds::{SearchEntry, Searchable, add_persona_needs};

/// Rows that are indexed at a time.
const BATCH: u64 = 200;

/// Most different words of a row: more than fit in any text that is meant to be read, and with at most 40 letters each
/// few enough for a `tsvector`, which takes 1 MB.
const MOST_WORDS: usize = 4_000;

/// Indexes every marked row again. Afterwards the transaction sees no mark.
pub async fn reindex_stale_rows(tx: &Transaction) -> Result<(), DbErr> {
    loop {
        let marked = take_oldest_stale_marks(tx).await?;
        // In batches, as an import marks thousands of rows, whose texts would all be in memory.
        let more = marked.len() as u64 == BATCH;
        let mut kinds: BTreeMap<SearchKind, BTreeSet<Uuid>> = BTreeMap::new();
        for mark in marked {
            // As a set: a row that was written five times in an act has five marks and is read once.
            kinds.entry(mark.kind).or_default().insert(mark.id);
        }
        for (kind, ids) in kinds {
            reindex_rows_of_kind(tx, kind, &ids.into_iter().collect::<Vec<_>>()).await?;
        }
        if !more {
            return Ok(());
        }
    }
}

/// Takes the oldest marks, at most [`BATCH`], out of the table.
async fn take_oldest_stale_marks(tx: &Transaction) -> Result<Vec<search_stale::Model>, DbErr> {
    let oldest = search_stale::Entity::find()
        .select_only()
        .column(search_stale::Column::Number)
        .order_by_asc(search_stale::Column::Number)
        .limit(BATCH);
    search_stale::Entity::delete_many()
        .filter(search_stale::Column::Number.in_subquery(oldest.into_query()))
        // Taken and deleted in one statement: a mark that comes between a SELECT and a DELETE would be lost.
        .exec_with_returning(tx)
        .await
}

async fn reindex_rows_of_kind(
    tx: &Transaction,
    kind: SearchKind,
    ids: &[Uuid],
) -> Result<(), DbErr> {
    use search_text::Column;
    let entries = kinds::load_search_entries(tx, kind, ids).await?;
    // Fewer than were marked: the others were deleted.
    if entries.len() < ids.len() {
        let there: HashSet<Uuid> = entries.iter().map(|entry| entry.id).collect();
        let gone = ids.iter().copied().filter(|id| !there.contains(id));
        search_text::Entity::delete_many()
            .filter(Column::Kind.eq(kind))
            .filter(Column::Id.is_in(gone))
            .exec(tx)
            .await?;
    }
    if entries.is_empty() {
        return Ok(());
    }
    let replace = OnConflict::columns([Column::Kind, Column::Id])
        .update_columns([Column::BlueprintId, Column::Title, Column::Words])
        .to_owned();
    search_text::Entity::insert_many(entries.iter().map(|entry| search_text_row(kind, entry)))
        .on_conflict(replace)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

fn search_text_row(kind: SearchKind, entry: &SearchEntry) -> search_text::ActiveModel {
    // A blank at each end, so that `LIKE '% word %'` finds the first and the last word too.
    let (mut title, mut words) = (" ".to_owned(), " ".to_owned());
    let mut known = HashSet::new();
    for (at, (_, texts)) in entry.texts.iter().enumerate() {
        for word in texts.iter().flat_map(|text| fold::split_words(text)) {
            if at == 0 {
                title.extend([&word.folded, " "]);
            }
            if known.len() < MOST_WORDS && !known.contains(&word.folded) {
                words.extend([&word.folded, " "]);
                known.insert(word.folded);
            }
        }
    }
    search_text::ActiveModel {
        number: NotSet,
        kind: Set(kind),
        id: Set(entry.id),
        blueprint_id: Set(entry.blueprint),
        title: Set(title),
        words: Set(words),
    }
}
