//! A backup as a file: what is in it, read by `pg_restore`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use aws_lc_rs::digest;
use tempfile::NamedTempFile;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::Failure;
use super::progress::Meter;
use crate::access::secrets;
use crate::database::cluster::Clients;

/// What every database has before a restore, or what only a superuser may say of it.
const LEFT_OUT: [&str; 3] = [" SCHEMA - public ", " COMMENT - SCHEMA public ", " COMMENT - EXTENSION "];

/// How the end of a file begins.
const END: &str = "\npilot-exchange backup, sha256 of all before: ";
/// How long it is.
const END_BYTES: u64 = END.len() as u64 + 64 + 1;

/// A backup that can be read.
pub struct Archive<'a> {
    /// The programs that can.
    pub clients: &'a Clients,
    /// As it was named, and where it is.
    file: (PathBuf, PathBuf),
    /// The entries to restore.
    entries: NamedTempFile,
}

impl<'a> Archive<'a> {
    /// Opens a file with the first programs that know its form.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub async fn open(clients: &'a [Clients], file: &Path) -> Result<Self, Failure> {
        let unreadable = |error| Failure::other(format!("{} cannot be read: {error}", file.display()));
        File::open(file).map_err(unreadable)?;
        // Programs run in a folder of their own.
        let path = file.canonicalize().map_err(unreadable)?;
        let mut said = String::new();
        for clients in clients {
            let output = clients.command("pg_restore").arg("--list").arg(&path).output().await;
            let output = output.map_err(Failure::other)?;
            if output.status.success() {
                let list = String::from_utf8_lossy(&output.stdout).into_owned();
                return Self::of(clients, (file.to_owned(), path), &list);
            }
            said = telling(&String::from_utf8_lossy(&output.stderr));
        }
        Err(unusable(file, &said))
    }

    fn of(clients: &'a Clients, file: (PathBuf, PathBuf), list: &str) -> Result<Self, Failure> {
        let is_wanted = |line: &&str| !LEFT_OUT.iter().any(|text| line.contains(text));
        let mut wanted = String::new();
        for line in list.lines().filter(is_wanted) {
            let _ = writeln!(wanted, "{line}");
        }
        let mut entries = NamedTempFile::new().map_err(Failure::other)?;
        entries.write_all(wanted.as_bytes()).and_then(|()| entries.flush()).map_err(Failure::other)?;
        if !list.contains(" TABLE DATA public __diesel_schema_migrations ") {
            return Err(unusable(&file.0, "it is of another database"));
        }
        Ok(Self { clients, file, entries })
    }

    /// Reads all of it and says how many bytes of SQL it is; what was cut off or altered shows itself.
    ///
    /// # Errors
    /// One line, if it is not whole.
    pub async fn read_through(&self, meter: &mut Meter) -> Result<usize, Failure> {
        let mut bytes = 0;
        meter.begin("bytes read back", 0);
        let read = self.written(async |part| {
            bytes += part.len();
            meter.advance(part.len());
            Ok(())
        });
        let read = read.await;
        meter.end();
        read.map(|()| bytes)
    }

    /// The SQL that makes it anew, part by part.
    ///
    /// # Errors
    /// Those of `take`, and one line if the file is not whole: what was taken is only a beginning then.
    pub async fn written(&self, mut take: impl AsyncFnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut command = self.clients.command("pg_restore");
        command.args(["--no-owner", "--no-privileges", "--file=-", "--use-list"]).arg(self.entries.path());
        let mut child = started(command.arg(&self.file.1).stdin(Stdio::null()))?;
        let complaints = complaints(&mut child);
        let mut stdout = child.stdout.take().expect("it is piped");
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = stdout.read(&mut buffer).await.map_err(Failure::other)?;
            if length == 0 {
                break;
            }
            take(&buffer[..length]).await?;
        }
        let status = child.wait().await.map_err(Failure::other)?;
        let said = complaints.await.unwrap_or_default();
        if status.success() { Ok(()) } else { Err(unusable(&self.file.0, &telling(&said))) }
    }

    /// The values of one column of a table, as COPY writes them; those that are null left out.
    ///
    /// # Errors
    /// One line, if the file is not whole.
    pub async fn column(&self, table: &str, column: &str) -> Result<Vec<String>, Failure> {
        let mut command = self.clients.command("pg_restore");
        command.args(["--data-only", "--schema=public", "--file=-", "--table", table]).arg(&self.file.1);
        let output = command.output().await.map_err(Failure::other)?;
        if !output.status.success() {
            return Err(unusable(&self.file.0, &telling(&String::from_utf8_lossy(&output.stderr))));
        }
        Ok(values(&String::from_utf8_lossy(&output.stdout), column))
    }
}

/// The values of a column in the one COPY of a script.
pub fn values(script: &str, column: &str) -> Vec<String> {
    let mut lines = script.lines().skip_while(|line| !line.starts_with("COPY "));
    let head = lines.next().unwrap_or_default();
    let columns = head.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(columns, _)| columns);
    let Some(at) = columns.split(", ").position(|name| name == column) else { return vec![] };
    let rows = lines.take_while(|line| *line != "\\.");
    rows.filter_map(|line| line.split('\t').nth(at)).filter(|value| *value != "\\N").map(str::to_owned).collect()
}

/// The end of a file: the hash of all before it. `pg_restore` reads no further than the last of its blocks, so that the file
/// remains one of `pg_dump`.
pub fn end_of(hash: digest::Context) -> String {
    format!("{END}{}\n", secrets::to_hex(hash.finish().as_ref()))
}

/// Checks a file by the hash at its end.
///
/// # Errors
/// One line, if something of it is missing or another.
pub fn check_hash(file: &Path) -> Result<(), Failure> {
    let unreadable = |error| Failure::other(format!("{} cannot be read: {error}", file.display()));
    let mut input = File::open(file).map_err(unreadable)?;
    let length = input.metadata().map_err(unreadable)?.len();
    let Some(before) = length.checked_sub(END_BYTES) else { return Err(unusable(file, "its end is missing")) };
    let mut hash = digest::Context::new(&digest::SHA256);
    let (mut reader, mut buffer) = ((&mut input).take(before), vec![0; 1 << 16]);
    loop {
        match reader.read(&mut buffer).map_err(unreadable)? {
            0 => break,
            length => hash.update(&buffer[..length]),
        }
    }
    let mut end = String::new();
    if input.read_to_string(&mut end).is_err() || !end.starts_with(END) {
        let line = "its end is missing (if pg_dump itself wrote it, give --from-pg-dump)";
        return Err(unusable(file, line));
    }
    if end == end_of(hash) { Ok(()) } else { Err(unusable(file, "its hash differs, so something in it was altered")) }
}

fn unusable(file: &Path, said: &str) -> Failure {
    Failure::other(format!("{} is not a whole backup of a Pilot Exchange: {said}; nothing was changed", file.display()))
}

/// What a program said on its standard error, once it has ended.
pub type Complaints = JoinHandle<String>;

/// Starts a program.
///
/// # Errors
/// One line, if the system does not.
pub fn started(command: &mut Command) -> Result<Child, Failure> {
    command.spawn().map_err(|error| Failure::other(format!("a program of PostgreSQL cannot be run: {error}")))
}

/// Collects what a program complains of while it runs.
pub fn complaints(child: &mut Child) -> Complaints {
    let mut stderr = child.stderr.take().expect("it is piped");
    tokio::spawn(async move {
        let mut said = vec![];
        let _ = stderr.read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    })
}

/// The most telling line of what a program said: the first complaint, of which the others follow.
pub fn telling(said: &str) -> String {
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_complaint = |line: &&str| line.to_lowercase().contains("error:") || line.contains("FATAL:");
    let first = lines.clone().find(is_complaint).or_else(|| lines.next_back());
    first.unwrap_or("it did not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_column_are_those_between_its_copy_and_its_end() {
        let script =
            "SET a;\nCOPY public.t (kid, private_key, \"at\") FROM stdin;\na\t\\\\x01\t\\N\nb\t\\N\t1\n\\.\nrest\n";
        assert_eq!(values(script, "private_key"), ["\\\\x01"]);
        assert_eq!(values(script, "kid"), ["a", "b"]);
        assert_eq!(values(script, "none"), Vec::<String>::new());
        assert_eq!(values("", "kid"), Vec::<String>::new());
    }

    #[test]
    fn the_first_complaint_tells_most() {
        let said = "pg_dump: detail: one\npg_dump: error: two\npg_dump: error: three\n";
        assert_eq!(telling(said), "pg_dump: error: two");
        assert_eq!(telling("one\ntwo\n"), "two");
        assert_eq!(telling(""), "it did not say why");
    }
}
