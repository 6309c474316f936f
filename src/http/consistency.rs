//! Consistency tokens: who sends back what a write was answered with never reads anything older, from whichever server,
//! cache or replica.
//!
//! A token names the last change that the write made, and the server that made it. That server's cache forgot what was
//! older before it answered. Another server's may not have heard of the change yet, so it is not asked; a replica is asked
//! once it has the change.

use actix_web::http::header::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::problem::{Code, Problem};
use crate::access::secrets::Secrets;

/// The header, of answers to writes and of reads.
pub const HEADER: HeaderName = HeaderName::from_static("x-consistency-token");

const ID_BYTES: usize = 16;
const CHANGE_BYTES: usize = 8;

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consistency {
    /// The server that answered the write, while it ran.
    pub server: Uuid,
    /// The id of the last change that the write made; none if it changed no record.
    pub change: Option<i64>,
}

impl Consistency {
    /// As it is sent.
    pub fn encode(&self, secrets: &Secrets) -> String {
        // Ids are positive.
        let mut content = self.server.as_bytes().to_vec();
        content.extend(self.change.unwrap_or(0).to_be_bytes());
        let tag = secrets.consistency_tag(&content);
        content.extend(tag);
        URL_SAFE_NO_PAD.encode(content)
    }

    fn decode(text: &str, secrets: &Secrets) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (content, tag) = bytes.split_at_checked(ID_BYTES + CHANGE_BYTES)?;
        let (server, change) = content.split_at(ID_BYTES);
        let change = i64::from_be_bytes(change.try_into().ok()?);
        let is_ours = secrets.is_consistency_tag(content, tag);
        is_ours.then_some(Self { server: Uuid::from_slice(server).ok()?, change: (change > 0).then_some(change) })
    }

    /// What a request asks for.
    ///
    /// # Errors
    /// 400 if it is not a token of this registry.
    pub fn of(headers: &HeaderMap, secrets: &Secrets) -> Result<Option<Self>, Problem> {
        let mut sent = headers.get_all(HEADER);
        let Some(token) = sent.next() else { return Ok(None) };
        let token = token.to_str().ok().filter(|_| sent.next().is_none());
        let token = token.and_then(|token| Self::decode(token.trim(), secrets));
        token.map(Some).ok_or_else(|| {
            Problem::new(
                Code::BadHeader,
                "X-Consistency-Token must be one that an answer to a write carried, sent once and unchanged",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_what_it_was_made_of_and_nobody_else_makes_one() {
        let secrets = Secrets::new(&[7; 32]);
        for change in [None, Some(1), Some(i64::MAX)] {
            let one = Consistency { server: Uuid::from_u128(17), change };
            let token = one.encode(&secrets);
            assert_eq!(Consistency::decode(&token, &secrets), Some(one));
            assert_eq!(Consistency::decode(&token, &Secrets::new(&[8; 32])), None);
            assert_eq!(Consistency::decode(&token[..token.len() - 2], &secrets), None);
        }
        for text in ["", "AAAA", "nonsense!"] {
            assert_eq!(Consistency::decode(text, &secrets), None, "{text}");
        }
    }
}
