//! How records are shown beyond what they are: in another language, with the records that they name.

use std::collections::BTreeSet;

use actix_web::http::{StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::conditional;
use super::problem::Problem;
use super::reply::Reply;
use crate::api::collections;
use crate::database::positions::Reader;
use crate::database::records::{self, Record};

/// Answers the position of the past that was read.
pub const AS_OF_POSITION: header::HeaderName = header::HeaderName::from_static("x-as-of-position");

impl Call {
    /// One record as the query wants it shown.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn present<R: Record>(&self, reader: &mut Reader, record: R) -> Result<Reply, Problem> {
        if !self.wants_more() {
            return Ok(records::reply(StatusCode::OK, record, self.caller()));
        }
        let version = record.version();
        let shown = self.presented(reader, vec![record]).await?;
        let Some(shown) = shown.into_iter().next() else { return Err(Problem::not_found()) };
        let languages = served_languages([&shown]);
        let reply = Reply::ok(&shown);
        let etag = conditional::etag(version, &reply.body);
        Ok(with_languages(reply.header(header::ETAG, &etag), &languages))
    }

    /// Whether the query wants records shown otherwise than they are.
    pub(super) fn wants_more(&self) -> bool {
        self.language().is_some() || !self.expansions().is_empty()
    }

    /// Records as the query wants them shown.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn presented<R: Record>(
        &self,
        reader: &mut Reader,
        records: Vec<R>,
    ) -> Result<Vec<Value>, Problem> {
        let mut shown = vec![];
        for mut record in records {
            records::show(&mut record, self.caller());
            shown.push(json!(record));
        }
        for name in self.expansions() {
            self.expand(reader, R::TYPE, name, &mut shown).await?;
        }
        if let Some(language) = self.language() {
            shown.iter_mut().for_each(|one| localise(one, language));
        }
        Ok(shown)
    }

    /// Adds to each record what it names by the member that `name` stands for.
    async fn expand(
        &self,
        reader: &mut Reader,
        collection: &str,
        name: &str,
        shown: &mut [Value],
    ) -> Result<(), Problem> {
        let expansions = collections::expansions_of(collection);
        let Some(expansion) = expansions.iter().find(|one| one.name == name) else { return Ok(()) };
        let named = |one: &Value| -> Vec<Uuid> {
            let member = &one[&expansion.member];
            let many = member.as_array().map_or(std::slice::from_ref(member), Vec::as_slice);
            many.iter().filter_map(|id| id.as_str()?.parse().ok()).collect()
        };
        let ids: BTreeSet<Uuid> = shown.iter().flat_map(named).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let day = reader.day(self.state().clock.today());
        let found = (expansion.target.load)(&mut reader.conn, self.caller(), &ids, day).await?;
        for one in shown {
            let mut of_this = named(one).into_iter().filter_map(|id| {
                let mut record = found.get(&id)?.clone();
                if let Some(language) = self.language() {
                    localise(&mut record, language);
                }
                Some(record)
            });
            one[name] = if expansion.is_many { of_this.collect() } else { of_this.next().unwrap_or(Value::Null) };
        }
        Ok(())
    }

    /// The language that the query wants texts in.
    pub fn language(&self) -> Option<&str> {
        self.raw_query()["lang"].as_str()
    }

    fn expansions(&self) -> Vec<&str> {
        self.raw_query()["expand"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// Puts the texts of a language in the place of the original's, where the record has them, and says which was served.
/// A language is looked up as RFC 4647 3.4 says: `ko-KR`, then `ko`.
pub fn localise(record: &mut Value, wanted: &str) {
    let original = record["language"].as_str().unwrap_or_default().to_owned();
    let mut range = wanted;
    let mut served = original.clone();
    loop {
        if range.eq_ignore_ascii_case(&original) {
            break;
        }
        let texts = record["translations"].as_object().and_then(|all| {
            all.iter()
                .find(|(language, _)| language.eq_ignore_ascii_case(range))
                .map(|(l, texts)| (l.clone(), texts.clone()))
        });
        if let Some((language, Value::Object(texts))) = texts {
            served = language;
            for (member, text) in texts {
                if record.get(&member).is_some() {
                    record[&member] = text;
                }
            }
            break;
        }
        match range.rsplit_once('-') {
            Some((shorter, _)) => range = shorter,
            None => break,
        }
    }
    record["served_language"] = json!(served);
}

/// The languages that records were served in.
pub(super) fn served_languages<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    let languages: BTreeSet<&str> =
        records.into_iter().filter_map(|record| record["served_language"].as_str()).collect();
    languages.into_iter().map(str::to_owned).collect()
}

/// Says them in Content-Language.
pub(super) fn with_languages(reply: Reply, languages: &[String]) -> Reply {
    if languages.is_empty() { reply } else { reply.header(header::CONTENT_LANGUAGE, &languages.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_falls_back_to_a_shorter_tag_and_then_to_the_original() {
        let record = json!({"language": "en", "title": "Streetlights", "summary": "Dim",
            "translations": {"ko": {"title": "스마트 가로등"}}});
        for (wanted, served, title) in [
            ("ko", "ko", "스마트 가로등"),
            ("ko-KR", "ko", "스마트 가로등"),
            ("en-GB", "en", "Streetlights"),
            ("fr", "en", "Streetlights"),
        ] {
            let mut shown = record.clone();
            localise(&mut shown, wanted);
            assert_eq!((shown["served_language"].as_str(), shown["title"].as_str()), (Some(served), Some(title)));
            assert_eq!(shown["summary"], "Dim");
        }
    }
}
