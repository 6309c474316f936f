//! `import`: a file of records to a running service, and what became of its rows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use reqwest::{Method, header};
use serde_json::Value;

use super::Failure;
use super::client::{Client, ClientSettings};
use super::progress::Meter;
use crate::sync::RecordType;
use crate::sync::imports::Format;

/// Which file, and how.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    client: ClientSettings,
    /// Kind of record, named after its collection: pilots, observations, …
    #[arg(long = "type", value_name = "COLLECTION")]
    kind: RecordType,
    /// File: .ndjson, .csv or .json
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Form of the file, where its name does not say it: ndjson, csv or json
    #[arg(long, value_name = "FORM")]
    format: Option<Format>,
    /// Check everything and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Write all rows or none
    #[arg(long)]
    atomic: bool,
}

/// How often it asks how far the import is.
const PAUSE: Duration = Duration::from_millis(250);

/// Sends the file, waits for the end, and prints the report.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { client, kind, file, format, dry_run, atomic } = arguments;
    let format = match format.or_else(|| format_of(file)) {
        Some(format) => format,
        None => return Err(Failure::configuration(format!("{}: say --format ndjson, csv or json", file.display()))),
    };
    let bytes = std::fs::read(file).map_err(|error| Failure::other(format!("{}: {error}", file.display())))?;
    let mut client = Client::connect(client).await?;
    let path = format!("/v1/imports?type={kind}&dry_run={dry_run}&atomic={atomic}");
    let request = client.request(Method::POST, &path).header(header::CONTENT_TYPE, format.media_type()).body(bytes);
    let mut job = read(&client, request).await?;
    let path = format!("/v1/imports/{}", job["id"].as_str().unwrap_or_default());
    let mut meter = Meter::new();
    let (mut begun, mut told) = (false, 0);
    while job["ended_at"].is_null() {
        tokio::time::sleep(PAUSE).await;
        client.stay_logged_in().await?;
        job = read(&client, client.request(Method::GET, &path)).await?;
        if let (false, Some(total)) = (begun, number(&job, "total")) {
            meter.begin("rows", total);
            begun = true;
        }
        if let Some(rows) = number(&job, "read").filter(|_| begun) {
            meter.advance(rows.saturating_sub(told));
            told = told.max(rows);
        }
    }
    meter.end();
    let errors = print_report(&mut client, &path).await?;
    let count = |name: &str| number(&job, name).unwrap_or_default();
    println!(
        "{}: {} read, {} created, {} updated, {} unchanged, {} failed{}",
        job["status"].as_str().unwrap_or_default(),
        count("read"),
        count("created"),
        count("updated"),
        count("unchanged"),
        count("failed"),
        if *dry_run { "; nothing was changed (dry run)" } else { "" }
    );
    if job["status"] == "done" && count("failed") == 0 {
        return Ok(());
    }
    Err(Failure::other(match errors {
        0 => format!("the import is {}", job["status"].as_str().unwrap_or_default()),
        1 => "one thing was wrong; see the line above".to_owned(),
        many => format!("{many} things were wrong; see the lines above"),
    }))
}

fn format_of(file: &Path) -> Option<Format> {
    file.extension()?.to_str()?.parse().ok()
}

fn number(job: &Value, name: &str) -> Option<usize> {
    job[name].as_u64().and_then(|number| usize::try_from(number).ok())
}

async fn read(client: &Client, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
    let response = client.send(request).await?;
    response.json().await.map_err(|error| client.cut_off(&error))
}

/// One line for each entry: line, pointer, code, detail.
async fn print_report(client: &mut Client, path: &str) -> Result<usize, Failure> {
    let (mut told, mut next) = (0, Some(String::new()));
    while let Some(cursor) = next {
        client.stay_logged_in().await?;
        let request = client.request(Method::GET, &format!("{path}/errors")).query(&[("limit", "500")]);
        let request = if cursor.is_empty() { request } else { request.query(&[("cursor", &cursor)]) };
        let page = read(client, request).await?;
        for one in page["items"].as_array().into_iter().flatten() {
            let text = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
            println!("line {}\t{}\t{}\t{}", one["line"], text("pointer"), text("code"), text("detail"));
            told += 1;
        }
        next = page["next"].as_str().map(str::to_owned);
    }
    Ok(told)
}
