//! A whole feed, streamed as its client takes it, with an end for those who take too little or too long.

use std::{io, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{Instant, timeout, timeout_at},
};
use tracing::Instrument;

use super::{encode::FeedWriter, pull::FeedRequest};
use crate::{
    access::{self, Caller},
    bi::catalogue,
    database::Transaction,
    error::{Error, Result},
    http::admission::Slot,
};

/// How long a client may take for a piece, which has at least 64 KiB unless they are compressed to less: about a
/// kilobyte a second is taking something, less is holding a connection of the database for nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a feed may last: as long as it does, the database keeps what is changed and deleted meanwhile.
const LIFE: Duration = Duration::from_secs(30 * 60);
/// How long a feed goes on before it is looked at whether its caller still has the rights with which it began.
const TRUST: Duration = Duration::from_secs(1);
/// What the body is fed with.
type Chunk = io::Result<Bytes>;

/// Every row, streamed. What goes wrong before the first bytes is told as a problem; what goes wrong later ends the
/// connection without an end, so that half of the rows never pass for all of them.
pub(super) async fn respond(feed: FeedRequest, tx: Transaction, slot: Slot) -> Result<Response> {
    // Two: the next piece is made while one is being sent, and no more is held for a slow client.
    let (sender, mut chunks) = mpsc::channel(2);
    let sending = send_rows(feed, tx, sender);
    let work = async move {
        let _slot = slot;
        let sent = sending.await;
        if let Err(error) = &sent {
            tracing::warn!(%error, debug = ?error, "a feed was broken off");
        }
        sent
    };
    let sent = tokio::spawn(work.in_current_span());
    // The first piece is waited for before the answer begins: until then a failure can still have a status.
    let Some(first) = chunks.recv().await else {
        return match sent.await {
            Ok(Ok(())) => Err(Error::internal("a feed ended without a word")),
            Ok(Err(error)) => Err(error),
            Err(error) => Err(Error::internal(error)),
        };
    };
    let stream = stream::unfold(Some((Some(first), chunks)), next_chunk);
    Ok(Body::from_stream(stream).into_response())
}

/// A piece of a feed, or its end.
type FeedPiece = Option<Bytes>;
/// What is left of a stream: a piece that is here already, and those to come.
type RemainingPieces = Option<(Option<FeedPiece>, Receiver<FeedPiece>)>;

async fn next_chunk(left: RemainingPieces) -> Option<(Chunk, RemainingPieces)> {
    let (first, mut chunks) = left?;
    let piece = match first {
        Some(first) => Some(first),
        None => chunks.recv().await,
    };
    match piece {
        Some(Some(bytes)) => Some((Ok(bytes), Some((None, chunks)))),
        // The sender said that this is all. A channel that closes without that word means that rows are missing.
        Some(None) => None,
        None => Some((Err(io::Error::other("the rows broke off")), None)),
    }
}

/// Sends the rows piece after piece, and in the end that there are no more. Whoever takes too little, or too long, is
/// given up, and gets no end.
async fn send_rows(feed: FeedRequest, tx: Transaction, sender: Sender<FeedPiece>) -> Result<()> {
    let FeedRequest {
        caller,
        params,
        gzip,
    } = feed;
    let end = Instant::now() + LIFE;
    let send_piece = async |piece: FeedPiece| {
        let taken = timeout(PATIENCE, sender.send(piece));
        matches!(timeout_at(end, taken).await, Ok(Ok(Ok(()))))
    };
    let mut writer = FeedWriter::new(params.encoding, &params.query.columns, params.extra, gzip);
    let mut trusted_until = Instant::now() + TRUST;
    let mut rows = catalogue::stream_rows(params.query, &caller, tx).await?;
    while let Some(row) = rows.next().await? {
        writer.write_row(&row)?;
        let Some(chunk) = writer.take_full_chunk()? else {
            continue;
        };
        if Instant::now() >= trusted_until {
            break_off_without_rights(&caller).await?;
            trusted_until = Instant::now() + TRUST;
        }
        if !send_piece(Some(chunk)).await {
            tracing::info!("a feed ended before its rows: its client took too little or too long");
            return Ok(());
        }
        caller.budget.renew_steps_of_feed();
    }
    if Instant::now() >= trusted_until {
        break_off_without_rights(&caller).await?;
    }
    if send_piece(Some(writer.finish()?)).await {
        send_piece(None).await;
    }
    Ok(())
}

/// Breaks off where the caller could not begin the same feed now. Where that cannot be found out, such as while all
/// connections of the database are in use, the feed goes on, and it is asked again a second later.
async fn break_off_without_rights(caller: &Caller) -> Result<()> {
    match access::refuse_if_rights_changed(caller).await {
        Err(error @ Error::Unauthenticated(_)) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "whether a feed may go on was not found out");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
