//! What every source of rows does: it sends them batch after batch, or counts them.

use futures_util::future::BoxFuture;

use super::stream::BatchSender;
use crate::{access::Caller, bi::model::query::DatasetQuery, database::Transaction, error::Result};

/// Who reads, and the snapshot of the database that all rows of a pull come from.
#[derive(Clone, Copy)]
pub(in crate::bi) struct ReadContext<'r> {
    pub caller: &'r Caller,
    pub tx: &'r Transaction,
}

/// Makes the rows of a dataset; the catalogue pairs each dataset with its reader. Calls go through `dyn` once a pull,
/// never once a row: what is sent are whole batches of plain [`RowContent`](super::row::RowContent).
pub(in crate::bi) trait RowReader: Sync {
    /// Sends the rows that the query selects, in its order. Ends early, and without an error, once nobody receives.
    fn send_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
        to: &'r BatchSender,
    ) -> BoxFuture<'r, Result<()>>;

    /// Counts the rows that pass the filter. The query has neither limit, offset nor resume point.
    fn count_rows_of_query<'r>(
        &'r self,
        context: ReadContext<'r>,
        query: &'r DatasetQuery,
    ) -> BoxFuture<'r, Result<u64>>;

    /// Refuses what is found to be wrong with the query only now, without reading a row.
    fn refuse_unanswerable<'r>(
        &'r self,
        _: ReadContext<'r>,
        _: &'r DatasetQuery,
    ) -> BoxFuture<'r, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
