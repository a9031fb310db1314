//! Pages of lists: keyset pagination in the order of creation or against it, with opaque cursors.
//!
//! A cursor is the sort key of the last row shown, `(created_at, id)`, and a page is the rows after it. Not OFFSET,
//! whose cost rises with the page and whose pages skip and repeat rows while others write. A cursor carries no
//! authority: the select it continues filters by what the caller may see now, so a cursor that somebody passes on shows
//! nothing more.
//!
//! Pages that one level of a document asks for, such as the first twenty touchpoints of each of fifty departments, are
//! read in one statement (`page/union.rs`).

mod union;

use async_graphql::{
    Context, OutputType, SimpleObject,
    connection::{Connection, Edge},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::id::Id;
use sea_orm::{ColumnTrait, Condition, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use crate::{
    access::Guarded,
    error::{Error, Result},
    meter::BudgetCharged,
};

pub use self::union::load_rows_batched;

/// Objects on a page where the document names no number.
pub const DEFAULT: u16 = 50;
/// Most objects on a page.
pub const MOST: u16 = 200;

/// The arguments `first` and `after` of a list.
#[derive(Clone, Debug, Default)]
pub struct PageArguments {
    pub first: Option<i32>,
    pub after: Option<String>,
}

/// How many objects lie in a list.
#[derive(SimpleObject)]
pub struct Total {
    /// Number of items in the whole list; counted only if requested.
    total_count: Option<i32>,
}

/// A page of objects.
pub type ObjectPage<N> = Connection<String, BudgetCharged<N>, Total>;

/// The complexity of a list field whose objects cost `child` each.
#[must_use]
pub fn cost(first: Option<i32>, child: usize) -> usize {
    let first = usize::try_from(
        first
            .unwrap_or(i32::from(DEFAULT))
            .clamp(1, i32::from(MOST)),
    )
    .unwrap_or_default();
    child.saturating_mul(first).saturating_add(LIST)
}

/// The complexity of a list besides its objects: a statement.
const LIST: usize = 5;

impl PageArguments {
    /// Objects on this page.
    ///
    /// # Errors
    /// `BadInput` where `first` is not from 1 to [`MOST`].
    pub fn size(&self) -> Result<u64> {
        match self.first {
            None => Ok(u64::from(DEFAULT)),
            Some(first) => u64::try_from(first)
                .ok()
                .filter(|first| (1..=u64::from(MOST)).contains(first))
                .ok_or_else(|| {
                    Error::BadInput(format!("`first` has to be a number from 1 to {MOST}."))
                }),
        }
    }

    /// Makes a page from its rows, in order, and one row more where there is one: that it is there says `hasNextPage`,
    /// without counting.
    pub fn paginate<R, N: OutputType>(
        &self,
        mut rows: Vec<R>,
        total: Option<u64>,
        cursor: impl Fn(&R) -> String,
        mut node: impl FnMut(R) -> N,
    ) -> Result<ObjectPage<N>> {
        let size = usize::try_from(self.size()?).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let total_count = total.map(|total| i32::try_from(total).unwrap_or(i32::MAX));
        let mut page =
            Connection::with_additional_fields(self.after.is_some(), more, Total { total_count });
        page.edges.extend(
            rows.into_iter()
                .map(|row| Edge::new(cursor(&row), BudgetCharged(node(row)))),
        );
        Ok(page)
    }
}

/// One page of a list in the order of creation.
pub async fn page_oldest_first<E: Guarded, N: OutputType>(
    ctx: &Context<'_>,
    select: Select<E>,
    page: PageArguments,
    node: impl FnMut(E::Model) -> N,
) -> Result<ObjectPage<N>> {
    Box::pin(page_by_keyset(ctx, select, page, Order::Asc, node)).await
}

/// One page of a list that begins with the newest.
pub async fn page_newest_first<E: Guarded, N: OutputType>(
    ctx: &Context<'_>,
    select: Select<E>,
    page: PageArguments,
    node: impl FnMut(E::Model) -> N,
) -> Result<ObjectPage<N>> {
    Box::pin(page_by_keyset(ctx, select, page, Order::Desc, node)).await
}

async fn page_by_keyset<E: Guarded, N: OutputType>(
    ctx: &Context<'_>,
    select: Select<E>,
    page: PageArguments,
    order: Order,
    node: impl FnMut(E::Model) -> N,
) -> Result<ObjectPage<N>> {
    let total = count_total_if_requested(ctx, &select).await?;
    let (at, id) = (E::created_at_column(), E::id_column());
    let mut select = select
        .order_by(at, order.clone())
        .order_by(id, order.clone())
        .limit(page.size()? + 1);
    if let Some(after) = &page.after {
        let (last_at, last_id) = decode_time_cursor::<E::Id>(after)?;
        let (later, next) = match order {
            Order::Desc => (at.lt(last_at), id.lt(last_id)),
            _ => (at.gt(last_at), id.gt(last_id)),
        };
        let same_moment = Condition::all().add(at.eq(last_at)).add(next);
        select = select.filter(Condition::any().add(later).add(same_moment));
    }
    let mut rows = load_rows_batched(ctx, select).await?;
    rows.sort_unstable_by_key(|row| (E::created_at(row), E::row_id(row)));
    if order == Order::Desc {
        rows.reverse();
    }
    page.paginate(
        rows,
        total,
        |row| encode_time_cursor(E::created_at(row), E::id(row)),
        node,
    )
}

/// The number of rows of a select where the document asks for `totalCount` of the list being resolved; else none, and
/// no statement.
pub async fn count_total_if_requested<E: Guarded>(
    ctx: &Context<'_>,
    select: &Select<E>,
) -> Result<Option<u64>> {
    match wants_total(ctx) {
        true => union::count_rows_batched(ctx, select.clone())
            .await
            .map(Some),
        false => Ok(None),
    }
}

/// Whether the document asks for `totalCount` of the list being resolved.
#[must_use]
pub fn wants_total(ctx: &Context<'_>) -> bool {
    ctx.look_ahead().field("totalCount").exists()
}

fn encode_time_cursor<I: Id>(at: DateTime<Utc>, id: I) -> String {
    encode_list_cursor(at.timestamp_micros().to_be_bytes(), id)
}

fn decode_time_cursor<I: Id>(text: &str) -> Result<(DateTime<Utc>, I)> {
    let (at, id) = decode_list_cursor(text)?;
    let at = DateTime::from_timestamp_micros(i64::from_be_bytes(at));
    Ok((at.ok_or_else(invalid_cursor_error)?, id))
}

/// Encodes a cursor of a list sorted by day and then by ids.
#[must_use]
pub fn encode_day_cursor<I: Id>(day: NaiveDate, id: I) -> String {
    encode_list_cursor(day.num_days_from_ce().to_be_bytes(), id)
}

/// Decodes a cursor that [`encode_day_cursor`] encoded.
///
/// # Errors
/// `BadInput` where it is none, or one of a list of other objects.
pub fn decode_day_cursor<I: Id>(text: &str) -> Result<(NaiveDate, I)> {
    let (day, id) = decode_list_cursor(text)?;
    let day = NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(day));
    Ok((day.ok_or_else(invalid_cursor_error)?, id))
}

/// A cursor names the kind of its objects: it continues no list of others.
fn encode_list_cursor<I: Id, const N: usize>(by: [u8; N], id: I) -> String {
    encode_cursor(&[I::PREFIX.as_bytes(), &by, id.uuid().as_bytes()])
}

fn decode_list_cursor<I: Id, const N: usize>(text: &str) -> Result<([u8; N], I)> {
    let bytes = decode_cursor(text)?;
    let rest = bytes.strip_prefix(I::PREFIX.as_bytes());
    let place = rest.and_then(|rest| rest.split_first_chunk());
    let place = place.and_then(|(by, id)| Some((*by, Uuid::from_slice(id).ok()?.into())));
    place.ok_or_else(invalid_cursor_error)
}

/// Encodes the concatenation of these bytes as a cursor: base64 for URLs, without padding.
#[must_use]
pub fn encode_cursor(parts: &[&[u8]]) -> String {
    URL_SAFE_NO_PAD.encode(parts.concat())
}

/// Decodes what [`encode_cursor`] encoded.
///
/// # Errors
/// `BadInput` where it is no base64.
pub fn decode_cursor(text: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| invalid_cursor_error())
}

/// The error for a cursor that no page of the list gave.
#[must_use]
pub fn invalid_cursor_error() -> Error {
    Error::BadInput("`after` is not a cursor of this list.".to_owned())
}
