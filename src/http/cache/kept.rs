//! One answer that is kept, and how it is given to a client: whole, compressed, or as 304.

use std::io::Write;
use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, AcceptEncoding, Encoding, HeaderMap, HeaderValue};
use actix_web::web::{self, Bytes};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::http::conditional;

/// A longer body is compressed apart from the thread that answers requests.
const IN_PLACE: usize = 32 * 1024;

/// What a header costs beside its bytes.
const HEADER_BYTES: usize = 64;

/// How a client wants the answer.
pub struct Wanted {
    /// The header If-None-Match.
    known: Option<String>,
    /// Whether the middleware that compresses would choose gzip.
    pub is_zipped: bool,
}

impl Wanted {
    /// What a request says of it.
    pub fn of(request: &ServiceRequest) -> Self {
        // The same as the middleware offers, in its order.
        let offered = [Encoding::identity(), Encoding::gzip(), Encoding::deflate()];
        let accepted = request.get_header::<AcceptEncoding>();
        let chosen = accepted.and_then(|accepted| accepted.negotiate(offered.iter()));
        Self { known: conditional::known_of(request.headers()), is_zipped: chosen == Some(Encoding::gzip()) }
    }
}

/// An answer that can be kept, with its request; else the answer as it is.
pub type Made = Result<(HttpRequest, Arc<Kept>), Box<ServiceResponse<BoxBody>>>;

/// An answer that is kept: 200 and its body.
#[derive(Debug)]
pub struct Kept {
    headers: HeaderMap,
    body: Bytes,
}

impl Kept {
    /// An answer, if it is one that can be kept; else the answer as it was.
    pub fn of(response: ServiceResponse<BoxBody>) -> Made {
        let is_good = response.status() == StatusCode::OK && response.response().error().is_none();
        let has_rules = [header::CACHE_CONTROL, header::SET_COOKIE, header::CONTENT_ENCODING]
            .iter()
            .any(|name| response.headers().contains_key(name));
        if !is_good || has_rules {
            return Err(Box::new(response));
        }
        let (request, response) = response.into_parts();
        let (head, body) = response.into_parts();
        match body.try_into_bytes() {
            Ok(body) => Ok((request, Arc::new(Self { headers: head.headers().clone(), body }))),
            Err(body) => Err(Box::new(ServiceResponse::new(request, head.set_body(body)))),
        }
    }

    /// The same, compressed as the middleware does it.
    pub async fn zipped(&self) -> Self {
        let body = self.body.clone();
        let zip = move || {
            let mut encoder = GzEncoder::new(vec![], Compression::fast());
            encoder.write_all(&body).and_then(|()| encoder.finish()).expect("memory takes what is written")
        };
        let body =
            if self.body.len() > IN_PLACE { web::block(zip).await.expect("compressing does not panic") } else { zip() };
        let mut headers = self.headers.clone();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Self { headers, body: body.into() }
    }

    /// Whether the middleware would compress it at all.
    pub fn can_be_zipped(&self) -> bool {
        let media = self.headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
        let is_packed = media.starts_with("image/") && !media.starts_with("image/svg");
        !self.body.is_empty() && !is_packed && !media.starts_with("video/")
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> u64 {
        let headers: usize =
            self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER_BYTES).sum();
        u64::try_from(self.body.len() + headers).unwrap_or(u64::MAX)
    }

    /// The answer to a client: 304 if it has this one already.
    pub fn response(&self, wanted: &Wanted) -> HttpResponse {
        let etag = self.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        let known = wanted.known.as_deref().and_then(|known| conditional::known_in(known, etag));
        if let Some(known) = known {
            return conditional::unchanged(&known, &self.headers).into_response();
        }
        let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(self.body.clone()));
        *response.headers_mut() = self.headers.clone();
        response
    }
}
