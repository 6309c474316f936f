//! Which media types a client takes [RFC 9110 12.5.1].

use actix_web::http::header::{self, HeaderMap};

use super::conditional::joined;
use super::problem::{Code, Problem};

/// Whether the client takes one of the media types, if there are any.
///
/// # Errors
/// 406.
pub fn check<'m>(headers: &HeaderMap, answers: impl IntoIterator<Item = &'m str>) -> Result<(), Problem> {
    let accept = &accepted(headers);
    let answers: Vec<&str> = answers.into_iter().collect();
    if !answers.is_empty() && !answers.iter().any(|answer| quality(accept, answer) > 0.0) {
        return Err(Problem::new(Code::NotAcceptable, format!("this path answers {}", answers.join(", "))));
    }
    Ok(())
}

/// The media type that the client likes best; of those it likes equally, the first.
///
/// # Errors
/// 406.
pub fn preferred<'m>(headers: &HeaderMap, answers: &[&'m str]) -> Result<&'m str, Problem> {
    check(headers, answers.iter().copied())?;
    let accept = &accepted(headers);
    let best = answers
        .iter()
        .copied()
        .reduce(|best, answer| if quality(accept, answer) > quality(accept, best) { answer } else { best });
    best.ok_or_else(|| Problem::new(Code::NotAcceptable, Code::NotAcceptable.meaning()))
}

/// All lines of the header as one list, in lower case.
fn accepted(headers: &HeaderMap) -> String {
    let sent = joined(headers, &header::ACCEPT).filter(|sent| !sent.trim().is_empty());
    sent.map_or_else(|| "*/*".into(), |accept| accept.to_ascii_lowercase())
}

/// How much an Accept header in lower case wants a media type: its most specific range decides. 0 is not at all.
fn quality(accept: &str, media: &str) -> f32 {
    let (kind, _) = media.split_once('/').unwrap_or((media, ""));
    let specificity = |range: &str| match range {
        "*/*" => Some(0),
        range if range == format!("{kind}/*") => Some(1),
        range if range == media => Some(2),
        _ => None,
    };
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let specificity = specificity(parts.next().unwrap_or_default())?;
        let weight = |part: &str| part.strip_prefix("q=")?.parse().ok().filter(|weight| (0.0..=1.0).contains(weight));
        let quality = parts.find_map(weight).unwrap_or(1.0);
        Some((specificity, quality))
    });
    ranges.max_by_key(|(specificity, _)| *specificity).map_or(0.0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_range_decides() {
        assert!(quality("text/*;q=0.3, text/html;q=0.7", "text/html") > 0.6);
        assert!(quality("text/*;q=0.3, */*;q=0.1", "text/csv") > 0.2);
        assert_eq!(quality("*/*, text/csv;q=0", "text/csv"), 0.0);
        assert_eq!(quality("application/json", "text/csv"), 0.0);
        assert_eq!(quality("application/json,", "text/csv"), 0.0);
        assert_eq!(quality("text/csv;q=NaN", "text/csv"), 1.0, "what is no weight says nothing");
    }

    #[test]
    fn of_what_is_liked_equally_the_first_is_answered() {
        let headers = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, header::HeaderValue::from_static(accept));
            headers
        };
        let answers = ["application/json", "text/csv", "text/html"];
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(preferred(&headers(browser), &answers).unwrap(), "text/html");
        assert_eq!(preferred(&headers("*/*"), &answers).unwrap(), "application/json");
        assert_eq!(preferred(&HeaderMap::new(), &answers).unwrap(), "application/json");
        assert!(preferred(&headers("image/png"), &answers).is_err());
        assert_eq!(preferred(&headers("TEXT/CSV;Q=0.5, */*;Q=0"), &answers).unwrap(), "text/csv");
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT, header::HeaderValue::from_static("image/png"));
        headers.append(header::ACCEPT, header::HeaderValue::from_static("text/csv"));
        assert_eq!(preferred(&headers, &["application/json", "text/csv"]).unwrap(), "text/csv");
    }
}
