//! One connection: speaks HTTP/1 or 2 over it, and ends it when its client sends or takes too little, when it has to
//! make room for another, or when the server stops.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response, Version},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::{Instant, MissedTickBehavior, interval},
};
use tower::ServiceExt;

use super::{
    activity::{AnswerBody, ConnectionActivity, RequestBody},
    limits::ServerLimits,
    peers::ConnectionTicket,
};

/// Bytes of the head of a request, and of an answer that is kept ready to be sent (HTTP/1: a connection, HTTP/2: a
/// stream). A document of 32 KiB fits, also in the address of a GET, where a letter takes up to three.
const HEAD: usize = 128 * 1024;
/// Streams of a connection of HTTP/2 at the same time.
const STREAMS: u32 = 32;
/// How often a client of HTTP/2 is asked whether it is still there, and how long it may take to say so.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Bytes that the system keeps ready for a client which does not take them. With what it keeps by itself, some
/// megabytes, one that takes 4 KB/s seems to take nothing for minutes, and then a lot.
const KEPT_READY: u32 = 128 * 1024;
/// Once the server stops, for how long an answered connection may still take what is on its way.
const LAST_BYTES: Duration = Duration::from_secs(1);

pub(super) struct ClientConnection {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub activity: Arc<ConnectionActivity>,
    pub ticket: ConnectionTicket,
    pub limits: ServerLimits,
}

impl ClientConnection {
    /// Serves it to its end, whoever brings that about.
    pub(super) async fn serve(self, router: Router, mut stopping: watch::Receiver<bool>) {
        let Self {
            stream,
            peer,
            activity,
            ticket,
            limits,
        } = self;
        tune_socket(&stream);
        let io = TokioIo::new(MeteredStream {
            stream,
            activity: Arc::clone(&activity),
        });
        let counted = Arc::clone(&activity);
        let service = service_fn(move |request| {
            answer_request(router.clone(), request, peer, Arc::clone(&counted))
        });
        let builder = connection_builder();
        // In this task and not in one of its own: what ends the connection is to return from here, which drops
        // whatever its requests do.
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        let mut watched = StalledClientDetector::new(activity, limits);
        let mut looks = interval(watched.check_interval());
        // After a stall the missed looks would come all at once, and judge a client by a moment in which the server
        // was not listening.
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_stopping = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, error, "a connection broke off");
                    }
                    return;
                }
                () = ticket.wait_until_evicted() => {
                    tracing::debug!(%peer, "a connection made room for another");
                    return;
                }
                _ = stopping.wait_for(|stopping| *stopping), if !is_stopping => {
                    is_stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                now = looks.tick() => if watched.is_overdue(now, is_stopping) {
                    tracing::debug!(%peer, "a connection was ended for its silence");
                    return;
                },
            }
        }
    }
}

fn connection_builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // See `StalledClientDetector`: this one would also end connections that wait for their next request.
        .header_read_timeout(None)
        .max_buf_size(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD).unwrap_or(u32::MAX))
        .max_send_buf_size(HEAD)
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1);
    builder
}

fn tune_socket(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection delays what is small");
    }
    #[cfg(any(target_os = "android", target_os = "linux"))]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_notsent_lowat(KEPT_READY) {
        tracing::debug!(%error, "the system keeps as much ready as it likes");
    }
}

async fn answer_request(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    activity: Arc<ConnectionActivity>,
) -> Result<Response<AnswerBody>, Infallible> {
    let asked = activity.begin_request(request.version() == Version::HTTP_2);
    let _turn = activity.begin_server_work();
    let mut request = request.map(|body| Body::new(RequestBody::new(body, &activity)));
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(asked.guard());
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| AnswerBody::new(body, asked)))
}

/// Sees whether a client keeps a connection that it does not use.
struct StalledClientDetector {
    activity: Arc<ConnectionActivity>,
    limits: ServerLimits,
    /// Since when it is the client who is waited for.
    since: Instant,
    /// Requests and bytes at that time.
    begun: u64,
    written: u64,
}

impl StalledClientDetector {
    fn new(activity: Arc<ConnectionActivity>, limits: ServerLimits) -> Self {
        Self {
            activity,
            limits,
            since: Instant::now(),
            begun: 0,
            written: 0,
        }
    }

    /// How often it is looked at: late by a quarter of the shortest deadline at the most.
    fn check_interval(&self) -> Duration {
        let shortest = self.limits.head.min(self.limits.idle).min(4 * LAST_BYTES);
        (shortest / 4).max(Duration::from_millis(10))
    }

    fn is_overdue(&mut self, now: Instant, stopping: bool) -> bool {
        let activity = &self.activity;
        // Whatever the server is working on is no silence of the client, however long it takes.
        if activity.has_server_work_under_way() || activity.begun_count() != self.begun {
            self.restart(now);
            return false;
        }
        if activity
            .time_since_head_began(now)
            .is_some_and(|coming| coming >= self.limits.head)
        {
            return true;
        }
        let quiet = now.saturating_duration_since(self.since);
        let taken = self.activity.written_bytes() - self.written;
        // The last answer is on its way: hyper closes when it has gone out, unless the client does not take it.
        if stopping && !self.activity.has_requests() {
            return quiet >= LAST_BYTES;
        }
        if quiet < self.limits.idle {
            return false;
        }
        // A rate and not any progress: a client that takes one byte a minute would hold its connection for ever.
        if taken < self.limits.least {
            return true;
        }
        self.restart(now);
        false
    }

    fn restart(&mut self, now: Instant) {
        self.since = now;
        self.begun = self.activity.begun_count();
        self.written = self.activity.written_bytes();
    }
}

/// A stream that counts what comes and goes.
struct MeteredStream {
    stream: TcpStream,
    activity: Arc<ConnectionActivity>,
}

impl AsyncRead for MeteredStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.start_head_timer_on_read();
        }
        polled
    }
}

impl AsyncWrite for MeteredStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.count_written(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.count_written(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl MeteredStream {
    fn count_written(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = polled {
            self.activity.add_written_bytes(bytes);
        }
        polled
    }
}
