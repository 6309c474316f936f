//! Accept: each line is a header of its own.
#![no_main]

use actix_web::http::header;
use libfuzzer_sys::fuzz_target;
use pilot_exchange::http::{Code, accept};
use pilot_exchange_fuzz::{headers, is_refusal};

const ANSWERS: [&str; 3] = ["application/json", "text/csv", "text/html"];

fuzz_target!(|text: &str| {
    let Some(sent) = headers(&header::ACCEPT, text.split('\n')).filter(|_| text.is_ascii()) else { return };
    let preferred = accept::preferred(&sent, &ANSWERS);
    match &preferred {
        Ok(media) => assert!(ANSWERS.contains(media)),
        Err(problem) => is_refusal(problem, Code::NotAcceptable),
    }
    let of = |text: &str| accept::preferred(&headers(&header::ACCEPT, [text]).unwrap(), &ANSWERS).ok();
    assert_eq!(preferred.as_ref().ok(), of(&text.replace('\n', ",")).as_ref(), "lines are one list [RFC 9110 5.3]");
    assert_eq!(
        of(&text.replace('\n', ",").to_ascii_uppercase()),
        preferred.as_ref().ok().copied(),
        "case says nothing"
    );
    assert_eq!(accept::check(&sent, ANSWERS).is_ok(), preferred.is_ok());
    let taken = ANSWERS.map(|media| accept::check(&sent, [media]).is_ok());
    assert_eq!(taken.contains(&true), preferred.is_ok(), "one of them is taken, or none");
    if let Ok(media) = preferred {
        assert!(accept::check(&sent, [media]).is_ok(), "what is preferred is taken");
    }
    assert!(accept::check(&sent, []).is_ok());
});
