//! Conditional requests [RFC 9110 13]: strong ETags that hold the version and a hash of the representation.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use aws_lc_rs::digest;

use super::problem::{Code, Problem};
use super::reply::Reply;

/// The codings of compressed answers; their ETags end with `-gzip`, say, so that they differ from the plain one.
const CODINGS: &[&str] = &["gzip", "deflate"];

/// `"v7.<hash>"`: If-Match compares the version, If-None-Match the whole.
pub fn etag(version: i32, body: &[u8]) -> String {
    format!("\"v{version}.{}\"", hash(body))
}

/// The ETag of an answer that is not one record.
pub fn etag_of_list(body: &[u8]) -> String {
    format!("\"{}\"", hash(body))
}

fn hash(body: &[u8]) -> String {
    digest::digest(&digest::SHA256, body).as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The header If-Match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Not sent.
    Absent,
    /// `*`: any version.
    Any,
    /// The versions named.
    Versions(Vec<i32>),
}

impl IfMatch {
    /// # Errors
    /// 400 if the header is not a list of ETags of this service.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        if !request.headers().contains_key(header::IF_MATCH) {
            return Ok(Self::Absent);
        }
        let bad = || {
            Problem::new(
                Code::BadHeader,
                "If-Match must be the ETag of a record as it was answered, such as \"v7.0123456789abcdef\"",
            )
        };
        // What cannot be read is not the same as nothing: the client has a condition.
        let value = joined(request.headers(), &header::IF_MATCH).ok_or_else(bad)?;
        if value.trim() == "*" {
            return Ok(Self::Any);
        }
        let mut versions = vec![];
        for tag in tags(&value) {
            if tag.starts_with("W/") {
                continue; // If-Match compares strongly [RFC 9110 13.1.1]: a weak ETag never matches.
            }
            let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).ok_or_else(bad)?;
            let digits = inner.strip_prefix('v').map(|rest| rest.split('.').next().unwrap_or_default());
            // Another strong ETag is well formed; it is only never ours.
            let version = |digits: &str| digits.parse().ok().filter(|version: &i32| version.to_string() == digits);
            versions.push(digits.and_then(version).unwrap_or(0));
        }
        Ok(Self::Versions(versions))
    }

    /// # Errors
    /// 428 if it is absent, 412 if it names another version than `version`.
    pub fn check(&self, version: i32, etag: impl FnOnce() -> String) -> Result<(), Problem> {
        match self {
            Self::Absent => Err(Problem::new(Code::PreconditionRequired, Code::PreconditionRequired.meaning())),
            _ => self.check_if_present(version, etag),
        }
    }

    /// For requests that make what is not there yet.
    ///
    /// # Errors
    /// 412 if a version is named, even any.
    pub fn check_nothing(&self) -> Result<(), Problem> {
        match self {
            Self::Absent => Ok(()),
            _ => Err(Problem::new(Code::StaleVersion, "there is no such record yet; leave out If-Match to make one")),
        }
    }

    /// Like [`IfMatch::check`], for requests where it may be absent.
    ///
    /// # Errors
    /// 412 if it names another version than `version`.
    pub fn check_if_present(&self, version: i32, etag: impl FnOnce() -> String) -> Result<(), Problem> {
        match self {
            Self::Versions(versions) if !versions.contains(&version) => {
                Err(Problem::new(Code::StaleVersion, format!("the record is at version {version} now"))
                    .header(header::ETAG, &etag()))
            }
            _ => Ok(()),
        }
    }
}

/// The header If-None-Match.
pub fn known_of(headers: &HeaderMap) -> Option<String> {
    joined(headers, &header::IF_NONE_MATCH)
}

/// The ETag of If-None-Match that is this one (weak comparison), compressed or not: 304 is the answer then.
pub fn known_as(request: &HttpRequest, etag: &str) -> Option<String> {
    known_in(&known_of(request.headers())?, etag)
}

/// The same, of the header's value.
pub fn known_in(value: &str, etag: &str) -> Option<String> {
    if etag.is_empty() {
        return None;
    }
    if value.trim() == "*" {
        return Some(etag.to_owned());
    }
    let begin = etag.trim_end_matches('"');
    let is_it = |tag: &&str| *tag == etag || CODINGS.iter().any(|coding| *tag == format!("{begin}-{coding}\""));
    tags(value).map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).find(is_it).map(str::to_owned)
}

/// 304 for what the client knows under this ETag, with what belongs to an answer that has these headers.
pub fn unchanged(known: &str, headers: &HeaderMap) -> Reply {
    let mut unchanged = Reply::empty(StatusCode::NOT_MODIFIED).header(header::ETAG, known);
    for name in [header::LINK, header::CONTENT_LANGUAGE] {
        if let Some(value) = headers.get(&name) {
            unchanged.headers.insert(name, value.clone());
        }
    }
    unchanged
}

/// All lines of a header as one list [RFC 9110 5.3].
pub(super) fn joined(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// The entity tags of a list; between their quotes may stand commas.
fn tags(value: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let ends = move |character| {
        is_quoted ^= character == '"';
        character == ',' && !is_quoted
    };
    value.split(ends).map(str::trim).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn if_match(value: &str) -> Result<IfMatch, Problem> {
        IfMatch::of(&TestRequest::default().insert_header((header::IF_MATCH, value)).to_http_request())
    }

    #[test]
    fn an_etag_is_ours_as_it_was_answered_and_no_other_way() {
        assert_eq!(if_match("\"v7.0123456789abcdef\"").unwrap(), IfMatch::Versions(vec![7]));
        assert_eq!(if_match("\"v+7.a\", \"v07\", W/\"v7\"").unwrap(), IfMatch::Versions(vec![0, 0]));
        assert_eq!(if_match("\"a,b\", \"v8\"").unwrap(), IfMatch::Versions(vec![0, 8]));
        assert!(if_match("v7").is_err());
    }

    #[test]
    fn what_is_known_goes_back_as_an_etag() {
        let known = |value| known_in(value, "\"v7.a\"");
        assert_eq!(known("\"x\", W/\"v7.a-gzip\"").as_deref(), Some("\"v7.a-gzip\""));
        assert_eq!(known("*").as_deref(), Some("\"v7.a\""));
        for other in ["\"v7.a\"\"", "W/W/\"v7.a\"", "v7.a", "\"v7.a-br\""] {
            assert_eq!(known(other), None, "{other}");
        }
    }
}
