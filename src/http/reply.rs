//! Answers: a status, headers and bytes that are serialised once, or a body that is made while it is sent.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, header::HeaderMap};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

/// An answer on its way to the client.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers, ETag and Location among them.
    pub headers: HeaderMap,
    /// The body, empty for 204 and 304.
    pub body: Bytes,
    /// A body that is made while it is sent, instead; never kept for a replay.
    pub stream: Option<Box<BoxBody>>,
    /// What is kept of the body for an idempotent replay, where the body holds a secret.
    pub kept: Option<Box<[u8]>>,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), stream: None, kept: None }
    }

    /// A JSON body.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("answers are plain data");
        let mut reply = Self { body: body.into(), ..Self::empty(status) };
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        reply
    }

    /// 200 with a body that is made while it is sent. If it fails on the way the client sees its transfer cut off.
    pub fn streaming(body: impl MessageBody + 'static) -> Self {
        Self { stream: Some(Box::new(BoxBody::new(body))), ..Self::empty(StatusCode::OK) }
    }

    /// 200 with a JSON body.
    pub fn ok(value: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// Adds a header; one whose value cannot be a header's is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl Reply {
    /// As the server sends it.
    pub fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in self.headers {
            response.insert_header((name, value));
        }
        match self.stream {
            Some(stream) => response.body(*stream),
            None => response.body(self.body),
        }
    }
}

impl Responder for Reply {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into_response()
    }
}
