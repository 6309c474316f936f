//! The forms of files: what a row is, where it stands, and what cannot be read.

use serde_json::json;

use super::imports::{errors, import_file, need, outcome, send, traces, without_worker};

#[tokio::test]
async fn a_csv_has_quotes_breaks_lists_and_a_mark_at_its_beginning() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let file = "\u{feff}city,area,title,description,tags,external_ids\r\n\
        KRPUS,smart_cities,\"Quieter, \"\"really\"\"\",\"two\r\nlines\",noise;night,\"[{\"\"source\"\": \"\"wishes\"\", \"\"value\"\": \"\"1\"\"}]\"\r\n\
        KRPUS,smart_cities,'=1+1,,,\r\n\
        KRPUS,nowhere,Bad,,,\r\n\
        KRPUS,smart_cities,too few cells\r\n\
        KRPUS,smart_cities,Not JSON,,,[\r\n";
    let job = import_file(&app, &busan, "type=needs", "text/csv; charset=utf-8", file).await;
    assert_eq!(outcome(&job), ("done", [2, 0, 0, 3]), "{job}");
    // The first row has two lines, so the second begins in line 4.
    let expected =
        [(5, "/area", "unknown_term"), (6, "", "wrong_number_of_cells"), (7, "/external_ids", "malformed_json")];
    assert_eq!(errors(&job), expected);
    let needs = busan.all("/v1/needs?city=KRPUS").await;
    assert_eq!(needs[0]["title"], "Quieter, \"really\"");
    assert_eq!((&needs[0]["description"], &needs[0]["tags"]), (&json!("two\nlines"), &json!(["noise", "night"])));
    assert_eq!(
        (&needs[1]["title"], &needs[1]["description"], &needs[1]["tags"]),
        (&json!("=1+1"), &json!(null), &json!([]))
    );
}

#[tokio::test]
async fn a_header_that_is_wrong_fails_the_import_at_once() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let before = traces(&app).await;
    for (file, code) in [
        ("city,titel\nKRPUS,A\n", "unknown_column"),
        ("city,city\nKRPUS,KRPUS\n", "duplicate_column"),
        ("", "no_header"),
    ] {
        for query in ["type=needs", "type=needs&atomic=true"] {
            let job = import_file(&app, &busan, query, "text/csv", file).await;
            assert_eq!((outcome(&job).0, errors(&job)), ("failed", vec![(1, "", code)]), "{file:?}: {job}");
        }
    }
    assert_eq!(traces(&app).await, before);
}

#[tokio::test]
async fn a_line_that_is_no_json_is_one_row_that_failed() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let file = format!(
        "{}\n\n{{\"city\": \n{{\"city\": \"KRPUS\", \"city\": \"KRPUS\"}}\n{}\n{{\"_end\": {{\"rows\": 2, \"sha256\": \"00\"}}}}\n",
        need("1", "A"),
        need("2", "B")
    );
    let job = import_file(&app, &busan, "type=needs", "application/x-ndjson", &file).await;
    assert_eq!(outcome(&job), ("done", [2, 0, 0, 2]), "{job}");
    assert_eq!(errors(&job), [(3, "", "malformed_json"), (4, "", "malformed_json")]);
    assert_eq!(job["total"], 4);
}

#[tokio::test]
async fn an_array_counts_its_elements_and_ends_where_it_is_broken() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let file = json!([need("1", "A"), {"city": "KRPUS"}, need("2", "B")]);
    let job = import_file(&app, &busan, "type=needs", "application/json", &format!("{file:#}")).await;
    assert_eq!(outcome(&job), ("done", [2, 0, 0, 1]), "{job}");
    assert_eq!(errors(&job).iter().map(|one| one.0).collect::<Vec<_>>(), [2, 2]);
    let cut = format!("[{}, {}, {{\"city\"", need("1", "A"), need("3", "C"));
    let job = import_file(&app, &busan, "type=needs", "application/json", &cut).await;
    assert_eq!((outcome(&job), errors(&job)), (("failed", [1, 0, 1, 0]), vec![(3, "", "malformed_json")]), "{job}");
    let job = import_file(&app, &busan, "type=needs", "application/json", "{}").await;
    assert_eq!((outcome(&job).0, errors(&job)), ("failed", vec![(1, "", "malformed_json")]));
}

#[tokio::test]
async fn a_file_is_stored_in_parts_and_refused_beyond_64_mib() {
    let app = without_worker().await;
    let busan = app.busan().await;
    let before = traces(&app).await;
    // Some parts long, so that rows lie across their borders.
    let text = "x".repeat(9_000);
    let rows: Vec<_> = (0..80)
        .map(|n| json!({"city": "KRPUS", "area": "smart_cities", "title": format!("N{n}"), "description": text}))
        .collect();
    let job = import_file(&app, &busan, "type=needs&dry_run=true", "application/json", &json!(rows).to_string()).await;
    assert_eq!(outcome(&job), ("done", [80, 0, 0, 0]), "{}", job["errors"]);
    let body = vec![b' '; 64 * 1024 * 1024 + 1];
    send(&busan, "type=needs", "application/x-ndjson", body).await.problem(413, "too_large");
    assert_eq!(traces(&app).await, before);
}

#[tokio::test]
async fn another_form_another_kind_and_other_roles_are_refused() {
    let app = without_worker().await;
    let busan = app.busan().await;
    send(&busan, "type=needs", "text/plain", "").await.problem(415, "unsupported_media_type");
    for query in ["", "type=nothing", "type=needs&dry_run=perhaps", "type=needs&dryrun=true"] {
        send(&busan, query, "application/json", "[]").await.problem(400, "bad_parameter");
    }
    for actor in [app.reader().await, app.verifier().await] {
        send(&actor, "type=needs", "application/json", "[]").await.problem(403, "forbidden");
    }
    send(&app.anonymous(), "type=needs", "application/json", "[]").await.problem(401, "unauthenticated");
}
