//! What a shell and `man` know of the command line.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::Failure;

/// For which shell.
#[derive(Debug, Args)]
pub struct CompletionArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Where to.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// Folder for the pages, one for each command; made if absent
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Writes a shell's completions to standard output.
pub fn completions(mut command: Command, arguments: &CompletionArguments) -> Result<(), Failure> {
    let (name, mut script) = (command.get_name().to_owned(), vec![]);
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    let written = std::io::stdout().write_all(&script);
    written.map_err(|error| Failure::other(format!("the completions cannot be written: {error}")))
}

/// Writes the manual pages.
pub fn man(command: Command, arguments: &ManArguments) -> Result<(), Failure> {
    let folder = arguments.folder.display();
    std::fs::create_dir_all(&arguments.folder)
        .and_then(|()| clap_mangen::generate_to(command, &arguments.folder))
        .map_err(|error| Failure::other(format!("{folder}: the manual pages cannot be written: {error}")))
}
