//! What a connection is doing, counted where it happens: by the stream under it, by its requests and by their bodies.
//! It decides nothing.

use std::{
    pin::Pin,
    sync::{
        Arc,
        // Relaxed: counters that nothing else is ordered by; `StalledClientDetector` only looks at them now and then.
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::{sync::Notify, time::Instant};

/// The requests that are under way in the whole server, with those whose connections have ended.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerRequests(Arc<RequestCounter>);

#[derive(Debug, Default)]
struct RequestCounter {
    count: AtomicUsize,
    ended: Notify,
}

impl ServerRequests {
    /// Counts one more, until every copy of what is returned is dropped.
    fn register_request(&self) -> ServerRequestGuard {
        self.0.count.fetch_add(1, Relaxed);
        ServerRequestGuard(Arc::new(CountedRequest(Arc::clone(&self.0))))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.count.load(Relaxed)
    }

    /// Waits until there are none.
    pub(super) async fn wait_until_none(&self) {
        loop {
            // Before the count is read: a request that ends between the two would otherwise wake nobody, and this
            // would wait for good.
            let ended = self.0.ended.notified();
            if self.count() == 0 {
                return;
            }
            ended.await;
        }
    }
}

/// A request that is under way; a copy is the same request. Handlers find it in the extensions, to keep it for what
/// goes on when the connection has ended.
#[derive(Clone, Debug)]
pub struct ServerRequestGuard(
    #[expect(dead_code, reason = "it counts by being there")] Arc<CountedRequest>,
);

#[derive(Debug)]
struct CountedRequest(Arc<RequestCounter>);

impl Drop for CountedRequest {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Relaxed);
        self.0.ended.notify_waiters();
    }
}

/// What one connection is doing.
#[derive(Debug)]
pub(super) struct ConnectionActivity {
    born: Instant,
    server: ServerRequests,
    /// Requests whose heads have come, from the first on.
    begun: AtomicU64,
    /// Those of them that are not answered to the end yet.
    under_way: AtomicUsize,
    /// Those of them whose bodies are still coming.
    incoming: AtomicUsize,
    /// Handlers that run, and answers whose next piece is not made yet: where it is not the client who is waited for.
    server_turns: AtomicUsize,
    /// Bytes that the system has taken over.
    written: AtomicU64,
    /// The millisecond of the connection's life, plus one, in which a head began to come; zero where none is coming.
    head: AtomicU64,
    http2: AtomicBool,
}

impl ConnectionActivity {
    pub(super) fn new(server: ServerRequests) -> Self {
        Self {
            born: Instant::now(),
            server,
            begun: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            incoming: AtomicUsize::new(0),
            server_turns: AtomicUsize::new(0),
            written: AtomicU64::new(0),
            // Whoever connects is expected to ask.
            head: AtomicU64::new(1),
            http2: AtomicBool::new(false),
        }
    }

    pub(super) fn begun_count(&self) -> u64 {
        self.begun.load(Relaxed)
    }

    pub(super) fn written_bytes(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// Whether something is being worked on, so that the client is not to blame for the silence.
    pub(super) fn has_server_work_under_way(&self) -> bool {
        self.server_turns.load(Relaxed) > 0
    }

    pub(super) fn has_requests(&self) -> bool {
        self.under_way.load(Relaxed) > 0
    }

    /// Whether the connection may be ended for another: each of its requests is still coming in, so none is being
    /// worked on.
    pub(super) fn is_evictable(&self) -> bool {
        self.under_way.load(Relaxed) <= self.incoming.load(Relaxed)
    }

    /// How long the head of a request has been coming; nothing where none is.
    pub(super) fn time_since_head_began(&self, now: Instant) -> Option<Duration> {
        let begun = self.head.load(Relaxed).checked_sub(1)?;
        let begun = self.born + Duration::from_millis(begun);
        Some(now.saturating_duration_since(begun))
    }

    pub(super) fn add_written_bytes(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Relaxed);
    }

    /// Bytes have come. Between two requests of HTTP/1 they are the next one's head; on HTTP/2 they may be anything.
    pub(super) fn start_head_timer_on_read(&self) {
        if self.has_requests() || self.http2.load(Relaxed) {
            return;
        }
        let age = self.born.elapsed().as_millis();
        // Plus one, as zero means that no head is coming.
        let age = u64::try_from(age).unwrap_or(u64::MAX).saturating_add(1);
        // Only the first bytes of a head begin its time: a client that sends one byte a second gains nothing by it.
        self.head.compare_exchange(0, age, Relaxed, Relaxed).ok();
    }

    /// The head of a request has come.
    pub(super) fn begin_request(self: &Arc<Self>, http2: bool) -> RequestUnderWay {
        self.http2.store(http2, Relaxed);
        self.head.store(0, Relaxed);
        self.begun.fetch_add(1, Relaxed);
        self.under_way.fetch_add(1, Relaxed);
        RequestUnderWay {
            activity: Arc::clone(self),
            server: self.server.register_request(),
        }
    }

    pub(super) fn begin_server_work(self: &Arc<Self>) -> ServerTurnGuard {
        self.server_turns.fetch_add(1, Relaxed);
        ServerTurnGuard(Arc::clone(self))
    }
}

/// A request, until its answer has ended.
pub(super) struct RequestUnderWay {
    activity: Arc<ConnectionActivity>,
    server: ServerRequestGuard,
}

impl RequestUnderWay {
    pub(super) fn guard(&self) -> ServerRequestGuard {
        self.server.clone()
    }
}

impl Drop for RequestUnderWay {
    fn drop(&mut self) {
        self.activity.under_way.fetch_sub(1, Relaxed);
    }
}

/// A moment in which the client waits for us.
pub(super) struct ServerTurnGuard(Arc<ConnectionActivity>);

impl Drop for ServerTurnGuard {
    fn drop(&mut self) {
        self.0.server_turns.fetch_sub(1, Relaxed);
    }
}

/// A body that is coming.
struct IncomingBodyGuard(Arc<ConnectionActivity>);

impl Drop for IncomingBodyGuard {
    fn drop(&mut self) {
        self.0.incoming.fetch_sub(1, Relaxed);
    }
}

/// The body of a request, counted as coming until it has come or nobody wants it any more.
pub(super) struct RequestBody<B> {
    body: B,
    coming: Option<IncomingBodyGuard>,
}

impl<B: HttpBody> RequestBody<B> {
    pub(super) fn new(body: B, activity: &Arc<ConnectionActivity>) -> Self {
        let coming = (!body.is_end_stream()).then(|| {
            activity.incoming.fetch_add(1, Relaxed);
            IncomingBodyGuard(Arc::clone(activity))
        });
        Self { body, coming }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // An error ends a body as well as its end does: nothing more is to come from the client.
        let goes_on = matches!(polled, Poll::Pending | Poll::Ready(Some(Ok(_))));
        if !goes_on || self.body.is_end_stream() {
            self.coming = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer, which tells whether its next piece is not made yet or not asked for.
pub(super) struct AnswerBody {
    body: Body,
    activity: Arc<ConnectionActivity>,
    making: Option<ServerTurnGuard>,
    _asked: RequestUnderWay,
}

impl AnswerBody {
    pub(super) fn new(body: Body, asked: RequestUnderWay) -> Self {
        Self {
            body,
            activity: Arc::clone(&asked.activity),
            making: None,
            _asked: asked,
        }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        // Pending means that the answer is being made: the client is not to blame for the silence until the next
        // piece is there.
        self.making = match polled {
            Poll::Pending => self
                .making
                .take()
                .or_else(|| Some(self.activity.begin_server_work())),
            Poll::Ready(_) => None,
        };
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
