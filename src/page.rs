//! Pages of lists: keyset pagination in the order of creation or against it, with opaque cursors.
//!
//! A cursor is the sort key of the last row shown, `(created_at, id)`, and a page is the rows after it. Not OFFSET,
//! whose cost rises with the page and whose pages skip and repeat rows while others write. A cursor carries no
//! authority: the select it continues filters by what the caller may see now, so a cursor that somebody passes on shows
//! nothing more.
//!
//! Whoever goes on from the last cursor of a list misses nothing, although a row is seen by others some time after the
//! moment that it carries. Cursors at rows so young that others may still come in before them carry when the reading of
//! the list began; the last one of its last page stands before what may still come in between, so that this is read again.
//!
//! Pages that one level of a document asks for, such as the first twenty touchpoints of each of fifty departments, are
//! read in one statement (`page/union.rs`).

mod union;

use std::borrow::Cow;

use async_graphql::{
    Context, Object, OutputType, TypeName,
    connection::{Edge, EmptyFields, PageInfo},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Datelike, DurationRound, NaiveDate, TimeDelta, Utc};
use entity::id::Id;
use sea_orm::{ColumnTrait, Condition, Order, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

use crate::{
    access::{Caller, Guarded},
    error::{Error, Result},
    meter::BudgetCharged,
};

pub use self::union::load_rows_batched;

/// Objects on a page where the document names no number.
pub const DEFAULT: u16 = 50;
/// Most objects on a page.
pub const MOST: u16 = 200;

/// Longest time from the moment that a row carries until others see it: the longest that a request may be given, and a
/// minute between the clocks of two servers.
const LATE: TimeDelta = TimeDelta::minutes(6);

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// The arguments `first` and `after` of a list.
#[derive(Clone, Debug, Default)]
pub struct PageArguments {
    pub first: Option<i32>,
    pub after: Option<String>,
}

/// A page of a list: its objects in order, each with the cursor after which the list goes on.
pub struct ObjectPage<N: OutputType> {
    pub edges: Vec<Edge<String, BudgetCharged<N>, EmptyFields>>,
    has_previous: bool,
    has_next: bool,
    total: Option<i32>,
}

impl<N: OutputType> ObjectPage<N> {
    /// A page without objects yet; `total` is the number of objects in the whole list, where that is wanted.
    #[must_use]
    pub fn new(has_previous: bool, has_next: bool, total: Option<u64>) -> Self {
        Self {
            edges: Vec::new(),
            has_previous,
            has_next,
            total: total.map(|total| i32::try_from(total).unwrap_or(i32::MAX)),
        }
    }
}

impl<N: OutputType> TypeName for ObjectPage<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<N: OutputType> ObjectPage<N> {
    /// The place of the page in the list.
    async fn page_info(&self) -> PageInfo {
        let cursor = |edge: &Edge<String, _, _>| edge.cursor.clone();
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.edges.first().map(cursor),
            end_cursor: self.edges.last().map(cursor),
        }
    }

    /// The objects of the page, each with its cursor.
    async fn edges(&self) -> &[Edge<String, BudgetCharged<N>, EmptyFields>] {
        &self.edges
    }

    /// The objects of the page.
    async fn nodes(&self) -> Vec<&BudgetCharged<N>> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Number of items in the whole list; counted only if requested.
    async fn total_count(&self) -> Option<i32> {
        self.total
    }
}

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
        let mut page = ObjectPage::new(self.after.is_some(), more, total);
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
    let size = page.size()?;
    let mut select = select
        .order_by(at, order.clone())
        .order_by(id, order.clone())
        .limit(size + 1);
    let after = page.after.as_deref().map(TimeResumePoint::<E::Id>::decode);
    let after = after.transpose()?;
    if let Some(last) = &after {
        let (later, next) = match order {
            Order::Desc => (at.lt(last.at), id.lt(last.id)),
            _ => (at.gt(last.at), id.gt(last.id)),
        };
        let same_moment = Condition::all().add(at.eq(last.at)).add(next);
        select = select.filter(Condition::any().add(later).add(same_moment));
    }
    let mut rows = load_rows_batched(ctx, select).await?;
    rows.sort_unstable_by_key(|row| (E::created_at(row), E::row_id(row)));
    if order == Order::Desc {
        rows.reverse();
    }
    let place = |row: &E::Model| (E::created_at(row), E::id(row));
    let is_last = u64::try_from(rows.len()).is_ok_and(|rows| rows <= size);
    let begun = after.as_ref().and_then(|last| last.begun);
    let now = ctx
        .data::<Caller>()
        .map_err(|_| Error::internal("nobody reads a list"))?
        .now;
    // What a client sends is no later than now, and may be as early as it likes. Of whole minutes: whoever asks again at
    // once gets the same cursors.
    let begun = begun.map_or(now, |begun| begun.min(now));
    let begun = begun.duration_trunc(MINUTE).unwrap_or(begun);
    let horizon = begun.checked_sub_signed(LATE).unwrap_or(begun);
    let settled = match (&order, is_last) {
        (Order::Asc, true) => {
            let places: Vec<_> = rows.iter().map(place).collect();
            find_settled_point(&places, after.as_ref(), horizon)
        }
        _ => None,
    };
    // Only a list that goes on, behind what may still be added to, has to know when its reading began.
    let goes_on = order == Order::Asc && !is_last;
    let cursor = |(at, id)| {
        let begun = (goes_on && at >= horizon).then_some(begun);
        TimeResumePoint { at, id, begun }.encode()
    };
    let mut made = page.paginate(rows, total, |row| cursor(place(row)), node)?;
    if let (Some(settled), Some(last)) = (settled, made.edges.last_mut()) {
        last.cursor = cursor(settled);
    }
    Ok(made)
}

/// The point from which to go on at the end of a list, where it is before its last row: nothing comes in before it any
/// more. That of a row of the last page where there is one, by which clients know what they have already.
fn find_settled_point<I: Id>(
    rows: &[(DateTime<Utc>, I)],
    after: Option<&TimeResumePoint<I>>,
    horizon: DateTime<Utc>,
) -> Option<(DateTime<Utc>, I)> {
    let (last, _) = rows.last()?;
    if *last < horizon {
        return None;
    }
    let of_row = rows.iter().rfind(|(at, _)| *at < horizon).copied();
    let before = after.map(|after| (after.at, after.id));
    let before = before.filter(|(at, _)| *at < horizon);
    Some(of_row.or(before).unwrap_or((horizon, Uuid::nil().into())))
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

/// Where a list in the order of creation goes on.
struct TimeResumePoint<I> {
    at: DateTime<Utc>,
    id: I,
    /// When the reading of the list began, where it goes on.
    begun: Option<DateTime<Utc>>,
}

impl<I: Id> TimeResumePoint<I> {
    fn encode(&self) -> String {
        let at = self.at.timestamp_micros().to_be_bytes();
        let begun = self
            .begun
            .map(|begun| begun.timestamp_micros().to_be_bytes());
        encode_list_cursor(at, self.id, begun.as_ref().map_or(&[], |begun| begun))
    }

    fn decode(text: &str) -> Result<Self> {
        let moment = |bytes| DateTime::from_timestamp_micros(i64::from_be_bytes(bytes));
        let (at, id, rest) = decode_list_cursor(text)?;
        let begun = match <[u8; 8]>::try_from(rest.as_slice()) {
            Ok(begun) => Some(moment(begun).ok_or_else(invalid_cursor_error)?),
            Err(_) if rest.is_empty() => None,
            Err(_) => return Err(invalid_cursor_error()),
        };
        let at = moment(at).ok_or_else(invalid_cursor_error)?;
        Ok(Self { at, id, begun })
    }
}

/// Encodes a cursor of a list sorted by day and then by ids.
#[must_use]
pub fn encode_day_cursor<I: Id>(day: NaiveDate, id: I) -> String {
    encode_list_cursor(day.num_days_from_ce().to_be_bytes(), id, &[])
}

/// Decodes a cursor that [`encode_day_cursor`] encoded.
///
/// # Errors
/// `BadInput` where it is none, or one of a list of other objects.
pub fn decode_day_cursor<I: Id>(text: &str) -> Result<(NaiveDate, I)> {
    let (day, id, rest) = decode_list_cursor(text)?;
    let day = NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(day));
    let day = day.filter(|_| rest.is_empty());
    Ok((day.ok_or_else(invalid_cursor_error)?, id))
}

/// A cursor names the kind of its objects: it continues no list of others.
fn encode_list_cursor<I: Id, const N: usize>(by: [u8; N], id: I, rest: &[u8]) -> String {
    encode_cursor(&[I::PREFIX.as_bytes(), &by, id.uuid().as_bytes(), rest])
}

/// By what it is sorted, the id, and what follows.
fn decode_list_cursor<I: Id, const N: usize>(text: &str) -> Result<([u8; N], I, Vec<u8>)> {
    let bytes = decode_cursor(text)?;
    let place = || {
        let rest = bytes.strip_prefix(I::PREFIX.as_bytes())?;
        let (by, rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        Some((*by, Uuid::from_bytes(*id).into(), rest.to_vec()))
    };
    place().ok_or_else(invalid_cursor_error)
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
