//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{DatabaseSettings, LogForm, LogSettings, ServiceSettings};

mod account;
pub mod archive;
mod backup;
mod client;
mod demo;
mod doctor;
mod export;
mod generate;
mod healthcheck;
mod import;
mod key;
mod manual;
mod migrate;
mod openapi;
mod progress;
mod redact;
mod restore;
mod serve;
mod worker;

/// The registry through which cities lend each other their smart-city pilots.
#[derive(Debug, Parser)]
#[command(name = "pilot-exchange", version, about)]
struct Cli {
    #[command(flatten)]
    log: LogSettings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service; without DATABASE_URL with a private PostgreSQL cluster of its own
    Serve {
        #[command(flatten)]
        database: Box<DatabaseSettings>,
        #[command(flatten)]
        service: Box<ServiceSettings>,
        /// Load the founding data set once and make the demo accounts; only with the private cluster and on loopback
        #[arg(long)]
        demo: bool,
        /// Do not run migrations at start
        #[arg(long)]
        no_migrate: bool,
    },
    /// Do the background work apart from `serve --no-worker`: number changes, deliver webhooks, clean up
    Worker {
        #[command(flatten)]
        database: Box<DatabaseSettings>,
        #[command(flatten)]
        service: Box<ServiceSettings>,
    },
    /// Bring the database's schema and shipped data up to date
    Migrate {
        #[command(flatten)]
        database: Box<DatabaseSettings>,
        /// Only say whether something is missing; exit code 1 if so
        #[arg(long)]
        check: bool,
    },
    /// Administer accounts
    Account {
        #[command(flatten)]
        database: Box<DatabaseSettings>,
        #[command(subcommand)]
        action: account::Action,
    },
    /// The keys that sign tokens: rotate, list, revoke
    Key {
        #[command(flatten)]
        database: Box<DatabaseSettings>,
        /// File with the master key; the one in the data directory if absent
        #[arg(long, env = "PILOT_EXCHANGE_MASTER_KEY_FILE", value_name = "FILE")]
        master_key_file: Option<PathBuf>,
        #[command(subcommand)]
        action: key::Action,
    },
    /// Generated data for tests, benchmarks and demonstrations
    Demo {
        #[command(flatten)]
        database: Box<DatabaseSettings>,
        #[command(subcommand)]
        action: generate::Action,
    },
    /// Write a collection of a running service to a file, whole or not at all
    Export(Box<export::Arguments>),
    /// Bring the records of a file into a running service
    Import(Box<import::Arguments>),
    /// Write the whole database to a file, by pg_dump, beside a running service or without one
    #[command(after_help = backup::EXAMPLES)]
    Backup {
        #[command(flatten)]
        arguments: backup::Arguments,
        #[command(flatten)]
        database: Box<DatabaseSettings>,
    },
    /// Make a backup the database, in one transaction; followers of the change feed load everything once more
    #[command(after_help = restore::EXAMPLES)]
    Restore {
        #[command(flatten)]
        arguments: restore::Arguments,
        #[command(flatten)]
        database: Box<DatabaseSettings>,
    },
    /// Erase text under privacy law, from records, their history and all that was made of them
    #[command(after_help = redact::EXAMPLES)]
    Redact {
        #[command(flatten)]
        arguments: redact::Arguments,
        #[command(flatten)]
        database: Box<DatabaseSettings>,
    },
    /// Write the OpenAPI document to openapi/openapi.json
    Openapi {
        /// Only say whether the file is up to date; exit code 1 if not
        #[arg(long)]
        check: bool,
    },
    /// Say what is wrong with configuration, database and clock
    Doctor {
        #[command(flatten)]
        database: Box<DatabaseSettings>,
        #[command(flatten)]
        service: Box<ServiceSettings>,
    },
    /// Write what a shell needs to complete this command line to standard output
    Completions(manual::CompletionArguments),
    /// Write the manual pages of all commands to a folder
    Man(manual::ManArguments),
    /// Ask the running service whether it is ready; for containers
    Healthcheck {
        #[command(flatten)]
        service: Box<ServiceSettings>,
    },
}

/// Why a command failed: one line, and the exit code (2: the configuration, 1: everything else).
#[derive(Debug)]
pub struct Failure {
    line: String,
    code: u8,
}

impl Failure {
    /// A setting is impossible or unsafe.
    pub fn configuration(line: impl std::fmt::Display) -> Self {
        Self { line: line.to_string(), code: 2 }
    }
    /// Something else went wrong.
    pub fn other(line: impl std::fmt::Display) -> Self {
        Self { line: line.to_string(), code: 1 }
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            eprintln!("pilot-exchange: {}", one_line(&error.to_string()));
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    start_log(&cli.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("pilot-exchange: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { line, code }) => {
            eprintln!("pilot-exchange: {line}");
            ExitCode::from(code)
        }
    }
}

/// What is wrong with the command line in one line; a setting is named by its variable too.
fn one_line(text: &str) -> String {
    let first = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let line = first.trim_start_matches("error: ").to_owned();
    let flag = line.split("'--").nth(1).and_then(|rest| rest.split([' ', '\'']).next());
    match flag.map(|flag| flag.replace('-', "_").to_uppercase()) {
        Some(name) if name.starts_with("DATABASE") && !name.ends_with("CONNECTIONS") => format!("{name}: {line}"),
        Some(name) => format!("PILOT_EXCHANGE_{name}: {line}"),
        None => line,
    }
}

async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve { database, service, demo, no_migrate } => {
            serve::run(&database, &service, demo, no_migrate).await
        }
        Command::Worker { database, service } => worker::run(&database, &service).await,
        Command::Migrate { database, check } => migrate::run(&database, check).await,
        Command::Account { database, action } => account::run(&database, action).await,
        Command::Key { database, master_key_file, action } => {
            key::run(&database, master_key_file.as_deref(), action).await
        }
        Command::Demo { database, action } => generate::run(&database, action).await,
        Command::Export(arguments) => export::run(&arguments).await,
        Command::Import(arguments) => import::run(&arguments).await,
        Command::Backup { database, arguments } => backup::run(&database, &arguments).await,
        Command::Restore { database, arguments } => restore::run(&database, &arguments).await,
        Command::Redact { database, arguments } => redact::run(&database, &arguments).await,
        Command::Openapi { check } => openapi::run(check),
        Command::Completions(arguments) => manual::completions(Cli::command(), &arguments),
        Command::Man(arguments) => manual::man(Cli::command(), &arguments),
        Command::Doctor { database, service } => doctor::run(&database, &service).await,
        Command::Healthcheck { service } => healthcheck::run(&service).await,
    }
}

fn start_log(settings: &LogSettings) {
    use std::io::IsTerminal;
    // actix_http logs what is no HTTP as an error of its own, so that anybody could fill the log with errors.
    let usual = "info,actix_server=warn,actix_http=off,rustls_platform_verifier=off";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let is_terminal = std::io::stderr().is_terminal();
    let form = settings.log.unwrap_or(if is_terminal { LogForm::Text } else { LogForm::Json });
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match form {
        LogForm::Text => log.with_target(false).with_ansi(is_terminal).init(),
        LogForm::Json => log.json().flatten_event(true).with_current_span(false).init(),
    }
}
