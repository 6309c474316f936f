//! Finding PostgreSQL's programs, which most packages keep off the PATH.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::account::{Account, command};
use super::error::ClusterError;

/// The oldest major version that the project's SQL is written for.
pub(super) const OLDEST_MAJOR: u32 = 15;

/// Where packages put one folder per version: the parent, and how the version's folder begins.
const VERSIONED_FOLDERS: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/usr/lib", "postgresql"),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
];

/// The two programs of one installation.
#[derive(Debug)]
pub(super) struct Binaries {
    pub(super) initdb: PathBuf,
    pub(super) postgres: PathBuf,
    pub(super) major: u32,
}

/// The cluster a server is wanted for: only its own major version can read it.
pub(super) struct Existing<'a> {
    pub(super) folder: &'a Path,
    pub(super) major: u32,
}

/// Finds binaries that `account` may run: of the existing cluster's version, or else the first
/// that is new enough.
pub(super) async fn find(account: Option<&Account>, existing: Option<Existing<'_>>) -> Result<Binaries, ClusterError> {
    let mut others = Vec::new();
    for folder in folders().await {
        let binaries = (folder.join("initdb"), folder.join("postgres"));
        let Some(major) = major_version_of(&binaries.1, account).await else {
            continue;
        };
        let fits = match &existing {
            Some(cluster) => major == cluster.major,
            None => major >= OLDEST_MAJOR,
        };
        if fits {
            let (initdb, postgres) = binaries;
            return Ok(Binaries { initdb, postgres, major });
        }
        others.push(major.to_string());
    }
    match existing {
        Some(cluster) if !others.is_empty() => Err(ClusterError::OtherVersion {
            folder: cluster.folder.to_owned(),
            cluster: cluster.major,
            found: others.join(", "),
        }),
        _ => Err(ClusterError::NoBinaries),
    }
}

/// All folders that hold both programs of a server, in order of preference.
async fn folders() -> Vec<PathBuf> {
    folders_of(["initdb", "postgres"]).await
}

/// All folders that hold these programs, in order of preference.
pub(super) async fn folders_of<const N: usize>(programs: [&str; N]) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut candidates: Vec<PathBuf> = env::split_paths(&path).collect();
    candidates.extend(folder_of_pg_config().await);
    for (parent, prefix) in VERSIONED_FOLDERS {
        candidates.extend(versions_below(Path::new(parent), prefix));
    }
    candidates.push(PathBuf::from("/usr/local/pgsql/bin"));

    let mut folders = Vec::new();
    for folder in candidates.iter().filter_map(|folder| resolve(folder, programs)) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// The real folder of programs that belong together. Entries of the PATH are often links into a
/// version's folder, and initdb looks for postgres beside itself; or to a wrapper that chooses a
/// version by rules of its own, which is none of them.
fn resolve<const N: usize>(folder: &Path, programs: [&str; N]) -> Option<PathBuf> {
    let first = fs::canonicalize(folder.join(programs[0])).ok()?;
    let real = first.parent()?;
    programs.iter().all(|program| real.join(program).is_file()).then(|| real.to_owned())
}

async fn folder_of_pg_config() -> Option<PathBuf> {
    let output = command("pg_config", None).arg("--bindir").output().await.ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim()))
}

/// `<parent>/<prefix>*/bin`, newest version first.
fn versions_below(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?;
            Some((first_number(version).unwrap_or(0), entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, bin)| bin).collect()
}

/// Asks the program itself, as the user who will run it: a folder that this user cannot enter
/// (Nix or Homebrew in root's home) does not count as found.
pub(super) async fn major_version_of(program: &Path, account: Option<&Account>) -> Option<u32> {
    let output = command(program, account).arg("--version").output().await.ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("(PostgreSQL)")?;
    first_number(version)
}

/// The first run of digits in `text`.
fn first_number(text: &str) -> Option<u32> {
    text.split(|letter: char| !letter.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_postgres_prints() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(parse_version(debian), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(parse_version("postgres (EnterpriseDB) 16"), None);
        assert_eq!(parse_version(""), None);
    }

    #[test]
    fn versions_of_folders_sort_as_numbers() {
        let parent = env::temp_dir().join(format!("pilot-exchange-versions-{}", std::process::id()));
        for name in ["pgsql-9", "pgsql-16", "pgsql-17", "other-99"] {
            fs::create_dir_all(parent.join(name)).expect("a folder");
        }
        let found = versions_below(&parent, "pgsql-");
        fs::remove_dir_all(&parent).expect("removal");
        let expected = ["pgsql-17/bin", "pgsql-16/bin", "pgsql-9/bin"];
        assert_eq!(found, expected.map(|name| parent.join(name)));
    }
}
