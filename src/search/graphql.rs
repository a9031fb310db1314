//! Search in the API.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object, SimpleObject, Union};
use entity::words::SearchKind;
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::{
    HitKey, SearchRequest,
    excerpt::{self, SearchMatch},
};
use crate::{
    access::Caller,
    blueprint::graphql::{Blueprint, Phase},
    compute::SEARCH,
    database::Transaction,
    department::graphql::Department,
    error::Result,
    improvement::graphql::Improvement,
    index::{self, Searchable, every_kind},
    input,
    insight::graphql::{Insight, Source},
    kpi::graphql::Kpi,
    page::{self, ObjectPage, PageArguments},
    payload::caller,
    persona::graphql::Persona,
    promise::graphql::CustomerPromise as Promise,
    scenario::graphql::Scenario,
    touchpoint::graphql::Touchpoint,
};

/// How many places a thing shows at which its words are.
const MOST_MATCHES: usize = 3;

/// An object found by a search.
#[derive(Clone, SimpleObject)]
pub struct SearchHit {
    /// The kind of object.
    pub kind: SearchKind,
    /// The object.
    pub node: Findable,
    /// The first three of its texts that contain the words, in the order in which its fields are searched.
    pub matches: Vec<SearchMatch>,
}

macro_rules! findable {
    ($($kind:ident: $table:ident in { $($blueprint:tt)* } { $($_texts:tt)* })*) => {
        /// Anything that can be found by its words.
        #[derive(Clone, Union)]
        pub enum Findable {
            $($kind($kind),)*
        }

        /// The things of a kind with these ids, if the caller may see them.
        async fn load_hits_of_kind(
            caller: &Caller,
            request: &SearchRequest,
            kind: SearchKind,
            ids: &[Uuid],
            tx: &Transaction,
        ) -> Result<Vec<(Uuid, SearchHit)>> {
            match kind {
                $(SearchKind::$kind => {
                    use entity::$table::{Column, Entity};
                    let rows = caller.select::<Entity>().filter(Column::Id.is_in(ids.iter().copied()));
                    let rows = rows.all(tx).await?;
                    let mut entries: Vec<_> = rows.iter().map(Searchable::search_entry).collect();
                    index::add_persona_needs(tx, kind, &mut entries).await?;
                    let hits = rows.into_iter().zip(entries).map(|(row, entry)| {
                        let matches = excerpt::find_matches(&entry, &request.words, MOST_MATCHES);
                        (entry.id, SearchHit { kind, node: Findable::$kind(row.into()), matches })
                    });
                    Ok(hits.collect())
                })*
            }
        }
    };
}

every_kind!(findable);

/// Searching.
#[derive(Default)]
pub struct SearchQuery;

#[Object]
impl SearchQuery {
    /// The objects whose texts contain all these words, or words beginning with them, the best first: a match in the
    /// name ranks before one in another text, a whole word before the beginning of one, a shorter name before a longer
    /// one. Case, accents and spellings of the same sound make no difference: Århus, Aarhus and Arhus find each other.
    /// At most 100 characters and 8 words; there are no operators. A text without a letter or digit finds nothing.
    #[graphql(complexity = "page::cost(first, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the field")]
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The words to find: at most 100 characters and 8 words.")] text: String,
        #[graphql(desc = "Only these kinds; all kinds if absent.")] kinds: Option<Vec<SearchKind>>,
        #[graphql(desc = "Only this blueprint and what lies in it.")] blueprint_id: Option<ID>,
        #[graphql(default, desc = "Archived things too, and what lies in archived ones.")]
        include_archived: bool,
        #[graphql(desc = "Items in the page: 1 to 200; 50 if absent.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before; absent for the first page.")]
        after: Option<String>,
    ) -> Result<ObjectPage<SearchHit>> {
        let caller = caller(ctx)?;
        caller.budget.spend(SEARCH)?;
        let blueprint = input::parse_optional_id("blueprintId", blueprint_id.as_ref())?;
        let request = SearchRequest::parse(&text, kinds, blueprint, include_archived)?;
        let page = PageArguments { first, after };
        let cursor = |(place, _): &(HitKey, SearchHit)| place.cursor();
        let hit = |(_, hit)| hit;
        if !request.has_words() {
            let none = page::wants_total(ctx).then_some(0);
            return page.paginate(Vec::new(), none, cursor, hit);
        }
        let tx = caller.begin_snapshot().await?;
        let total = if page::wants_total(ctx) {
            Some(super::count_hits(caller, &request, &tx).await?)
        } else {
            None
        };
        // Ids first and rows after: ranking reads the index alone, and only the rows of one page are loaded.
        let places = super::find_hits_of_page(caller, &request, &page, &tx).await?;
        let mut hits = load_hits(caller, &request, &places, &tx).await?;
        tx.commit().await?;
        let found = places.into_iter().filter_map(|place| {
            // All is read in one snapshot, so every place has its row; one without would be left out and not fail.
            let hit = hits.remove(&(place.kind, place.id))?;
            Some((place, hit))
        });
        page.paginate(found.collect(), total, cursor, hit)
    }
}

/// What stands in these places, one statement a kind.
async fn load_hits(
    caller: &Caller,
    request: &SearchRequest,
    places: &[HitKey],
    tx: &Transaction,
) -> Result<HashMap<(SearchKind, Uuid), SearchHit>> {
    let mut ids: HashMap<SearchKind, Vec<Uuid>> = HashMap::new();
    for place in places {
        ids.entry(place.kind).or_default().push(place.id);
    }
    let mut all = HashMap::new();
    for (kind, ids) in ids {
        let hits = load_hits_of_kind(caller, request, kind, &ids, tx).await?;
        all.extend(hits.into_iter().map(|(id, hit)| ((kind, id), hit)));
    }
    Ok(all)
}
