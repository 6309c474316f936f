//! `redact`: erasure under privacy law, by the owner of the schema.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::{ArgGroup, Args};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::Failure;
use super::backup::Server;
use super::serve::Home;
use crate::config::DatabaseSettings;
use crate::database::redaction::{self, MARK, Place, Redaction};
use crate::database::{migrations, news};

/// What stands below the help.
pub const EXAMPLES: &str = "\
Examples:
  pilot-exchange redact --text 'Jane Doe' --text jane.doe@city.example --dry-run
  pilot-exchange redact --text 'Jane Doe' --by 'the data protection officer' --reason 'Request 7 under Article 17'
  pilot-exchange redact --record 015aca1d-640a-7000-8000-00000000000a --member /contact_email --by NAME --reason TEXT

A member that may be absent and was nothing else is null afterwards; elsewhere [redacted] stands in its place, in every
version. Each record gets a new version, so that followers fetch it anew. Backups, exports and deliveries that were made
before are beyond reach. See docs/BACKUP.md.";

/// What to erase, and in whose name.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["texts", "record"])))]
pub struct Arguments {
    /// A text to erase, exactly as it is written, wherever it is; repeat for several (spellings, the address made of a name)
    #[arg(long = "text", value_name = "TEXT")]
    texts: Vec<String>,
    /// The record whose members are to be erased: every text that they have had in any version, wherever else it is too
    #[arg(long, value_name = "ID", requires = "members", conflicts_with = "texts")]
    record: Option<Uuid>,
    /// A member of the record, as a JSON Pointer: /contact_email, or /sites/0/name; repeat for several
    #[arg(long = "member", value_name = "POINTER", requires = "record")]
    members: Vec<String>,
    /// Why: kept for good, and shown in the history of each record to whoever may see that
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
    /// Who decided it: kept for good, and shown to nobody over the interface
    #[arg(long, value_name = "NAME", required_unless_present = "dry_run")]
    by: Option<String>,
    /// Only say where it is
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Erases, beside a running service or without one.
pub async fn run(settings: &DatabaseSettings, arguments: &Arguments) -> Result<(), Failure> {
    for (what, text, most) in [("--reason", &arguments.reason, 500), ("--by", &arguments.by, 200)] {
        if text.as_ref().is_some_and(|text| !(1..=most).contains(&text.trim().chars().count())) {
            return Err(Failure::other(format!("{what} must have 1 to {most} characters")));
        }
    }
    let home = Home::reach(settings).await?;
    let result = run_at(&home, arguments).await;
    home.close().await;
    result
}

async fn run_at(home: &Home, arguments: &Arguments) -> Result<(), Failure> {
    let mut server = Server::reach(&home.owner_url).await?;
    let pending = migrations::pending(&home.owner_url).await.map_err(Failure::other)?;
    if !pending.is_empty() {
        let line = format!("{} migrations are missing; run: pilot-exchange migrate", pending.len());
        return Err(Failure::other(line));
    }
    let texts = match arguments.record {
        Some(record) => {
            redaction::texts_of(&server.client, record, &arguments.members).await.map_err(Failure::other)?
        }
        // As the interface keeps every text.
        None => arguments.texts.iter().map(|text| text.nfc().collect()).collect(),
    };
    let told = [&arguments.reason, &arguments.by].into_iter().flatten();
    if told.clone().any(|said| texts.iter().any(|text| said.contains(text.as_str()))) {
        return Err(Failure::other("--reason and --by must not hold what is to be erased: they are kept for good"));
    }
    let redaction = Redaction::of(&server.client, texts).await.map_err(Failure::other)?;
    let places = redaction.places(&server.client).await.map_err(Failure::other)?;
    if places.is_empty() {
        return Err(Failure::other("it is nowhere in the database, exactly as it is written: nothing was changed"));
    }
    show(&places);
    if arguments.dry_run {
        println!("nothing was changed");
        return Ok(());
    }
    if !arguments.yes {
        confirm()?;
    }
    let (by, reason) = (arguments.by.as_deref().unwrap_or_default(), arguments.reason.as_deref().unwrap_or_default());
    let done = redaction.run(&mut server.client, by.trim(), reason.trim()).await.map_err(Failure::other)?;
    // What running servers remember is over then: what this command says it did is true everywhere.
    tokio::time::sleep(news::BOUND).await;
    println!(
        "redaction {}: {} rows changed; {} records have a new version, which tells followers and history; of {} deleted ones \
         history was erased",
        done.id, done.rows, done.marked, done.deleted
    );
    println!(
        "what was erased is {MARK} or absent now. It may still be in backups made before, in exports and in what \
         receivers of webhooks got; a restore of such a backup brings it back, so redact again after it"
    );
    Ok(())
}

/// A line for each place: the record, table and column, how many rows.
fn show(places: &[Place]) {
    for Place { record, column, rows } in places {
        let record = record.map_or_else(|| "no record".to_owned(), |record| record.to_string());
        println!("{record}\t{column}\t{rows}");
    }
}

/// Asks whoever sits there.
fn confirm() -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::other("nobody is there to be asked: look at it with --dry-run, then give --yes"));
    }
    print!("Erase it in all of these, for good? Type yes: ");
    let mut answer = String::new();
    io::stdout().flush().and_then(|()| io::stdin().lock().read_line(&mut answer)).map_err(Failure::other)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::other("nothing was changed")) }
}
