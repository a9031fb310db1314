//! Compresses answers that are in memory as a whole, for those who take gzip: of GraphQL, pictures, and what OData says
//! of itself. Feeds compress their rows as they write them.

use std::io::Write;

use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use flate2::{Compression, write::GzEncoder};

use super::negotiate::accepts_gzip;

/// Bytes of an answer that is not worth compressing: it fits into a packet.
const SHORT: u64 = 1_024;

/// Compresses the answers of a route.
pub(super) async fn compress_answers(request: Request, next: Next) -> Response {
    let gzip = accepts_gzip(request.headers());
    compress_answer(gzip, next.run(request).await).await
}

/// Compresses an answer where the client takes it and it is worth it.
pub(super) async fn compress_answer(gzip: bool, mut response: Response) -> Response {
    let encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    let length = response.body().size_hint().exact();
    // What is written piece by piece has no length yet, and is compressed by who writes it.
    let Some(length) = length.filter(|_| !encoded) else {
        return response;
    };
    let vary = response.headers().get_all(header::VARY).iter();
    let mut vary = vary.filter_map(|value| value.to_str().ok());
    if !vary.any(|names| names.to_ascii_lowercase().contains("accept-encoding")) {
        let name = HeaderValue::from_static("Accept-Encoding");
        response.headers_mut().append(header::VARY, name);
    }
    if !gzip || length < SHORT {
        return response;
    }
    let (mut head, body) = response.into_parts();
    // A body of a known length is in memory already: reading it neither waits nor fails.
    let plain = match to_bytes(body, usize::MAX).await {
        Ok(plain) => plain,
        Err(error) => {
            tracing::error!(%error, "an answer in memory could not be read");
            return Response::from_parts(head, Body::empty());
        }
    };
    let mut packed = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    // Writing into memory does not fail.
    let packed = match packed.write_all(&plain) {
        Ok(()) => packed.finish(),
        Err(error) => Err(error),
    };
    match packed {
        Ok(packed) => {
            let gzip = HeaderValue::from_static("gzip");
            head.headers.insert(header::CONTENT_ENCODING, gzip);
            head.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(head, packed.into())
        }
        Err(_) => Response::from_parts(head, plain.into()),
    }
}
