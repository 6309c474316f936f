//! `export`: a collection from a running service into a file, whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use clap::Args;
use reqwest::{Method, Response};
use serde_json::Value;

use super::Failure;
use super::client::{Client, ClientSettings};
use super::progress::Meter;
use crate::sync::exports::{AS_OF, CHANGE_CURSOR, Format};

/// What to export, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    client: ClientSettings,
    /// The collection, such as pilots
    #[arg(long, value_name = "NAME")]
    collection: String,
    /// csv, ndjson, xlsx, parquet, or geojson for what has a place
    #[arg(long, default_value = "ndjson", value_name = "FORMAT", value_parser = |text: &str| text.parse::<Format>())]
    format: Format,
    /// File to write; FILE.part until it is whole
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Filters of the list, its order and `as_of`, as in an address: host_city=KRPUS&sort=-updated_at
    #[arg(long, default_value = "", value_name = "QUERY")]
    query: String,
}

/// Exports.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { collection, format, output, query, .. } = arguments;
    let client = Client::connect(&arguments.client).await?;
    let path = format!("/v1/exports/{collection}.{format}");
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let response = client.send(client.request(Method::GET, &path).query(&query)).await?;
    let header = |name: &str| response.headers().get(name).and_then(|one| one.to_str().ok()).unwrap_or("-").to_owned();
    let (as_of, cursor) = (header(AS_OF.as_str()), header(CHANGE_CURSOR.as_str()));
    let part = PathBuf::from(format!("{}.part", output.display()));
    let received = receive(&client, response, *format, &part).await;
    let kept = received.and_then(|size| {
        fs::rename(&part, output).map_err(|error| unwritable(output, &error))?;
        Ok(size)
    });
    match kept {
        Ok(size) => {
            println!("{}: {size}, as of {as_of}, change cursor {cursor}", output.display());
            Ok(())
        }
        Err(failure) => {
            // What is short must not be taken for the whole.
            drop(fs::remove_file(&part));
            Err(failure)
        }
    }
}

/// Writes the body; says how much it was.
async fn receive(client: &Client, mut response: Response, format: Format, part: &Path) -> Result<String, Failure> {
    let file = File::create(part).map_err(|error| unwritable(part, &error))?;
    let mut file = BufWriter::new(file);
    let mut check = (format == Format::Ndjson).then(Check::new);
    let (mut meter, mut bytes) = (Meter::new(), 0);
    let total = response.content_length().and_then(|total| usize::try_from(total).ok());
    meter.begin(if check.is_some() { "records" } else { "bytes" }, total.unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(|error| client.cut_off(&error))? {
        file.write_all(&chunk).map_err(|error| unwritable(part, &error))?;
        bytes += chunk.len();
        meter.advance(check.as_mut().map_or(chunk.len(), |check| check.push(&chunk)));
    }
    meter.end();
    let file = file.into_inner().map_err(|error| unwritable(part, error.error()))?;
    file.sync_all().map_err(|error| unwritable(part, &error))?;
    match check {
        Some(check) => check.finish().map(|rows| format!("{rows} records")),
        None => Ok(format!("{bytes} bytes")),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::other(format!("{} cannot be written: {error}", path.display()))
}

/// Checks that NDJSON is whole: the last line says how many records there are, and the hash of all before it.
struct Check {
    hash: digest::Context,
    rows: usize,
    /// The last whole line, and what came after it: what may still be the end.
    last: Vec<u8>,
}

impl Check {
    fn new() -> Self {
        Self { hash: digest::Context::new(&digest::SHA256), rows: 0, last: vec![] }
    }

    /// Takes the next bytes; says how many records came to their end.
    fn push(&mut self, bytes: &[u8]) -> usize {
        self.last.extend_from_slice(bytes);
        let mut ends =
            self.last.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(index, _)| index + 1);
        let (_, Some(before)) = (ends.next(), ends.next()) else { return 0 };
        let before: Vec<u8> = self.last.drain(..before).collect();
        self.hash.update(&before);
        let rows = before.iter().filter(|byte| **byte == b'\n').count();
        self.rows += rows;
        rows
    }

    fn finish(self) -> Result<usize, Failure> {
        let end: Value = serde_json::from_slice(&self.last).unwrap_or_default();
        let Some(end) = end.get("_end").filter(|_| self.last.ends_with(b"\n")) else {
            return Err(Failure::other("the export is not whole: its last line is missing"));
        };
        let sha256: String = self.hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        if end["rows"] != self.rows || end["sha256"] != *sha256 {
            return Err(Failure::other("the export is not what the service sent: its hash differs"));
        }
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, at_a_time: usize) -> Result<usize, Failure> {
        let mut check = Check::new();
        for chunk in text.as_bytes().chunks(at_a_time) {
            check.push(chunk);
        }
        check.finish()
    }

    #[test]
    fn ndjson_is_whole_only_with_its_last_line_and_the_right_hash() {
        let body = "{\"a\":1}\n{\"a\":2}\n";
        let hash = digest::digest(&digest::SHA256, body.as_bytes());
        let sha256: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let whole = format!("{body}{{\"_end\":{{\"rows\":2,\"sha256\":\"{sha256}\"}}}}\n");
        for at_a_time in [1, 7, 1000] {
            assert_eq!(checked(&whole, at_a_time).unwrap(), 2);
            assert!(checked(body, at_a_time).is_err());
            assert!(checked(&whole[..whole.len() - 1], at_a_time).is_err());
            assert!(checked(&whole.replace(":2}\n", ":3}\n"), at_a_time).is_err());
        }
        let none =
            "{\"_end\":{\"rows\":0,\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}\n";
        assert_eq!(checked(none, 10).unwrap(), 0);
    }
}
