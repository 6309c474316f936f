//! PostgreSQL's own client programs, for backups: found where the server's programs are found.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::account::command;
use super::binaries::{folders_of, major_version_of};
use super::error::ClusterError;

/// `pg_dump`, `pg_restore` and `psql` of one installation.
#[derive(Debug)]
pub struct Clients {
    folder: PathBuf,
    /// Its major version.
    pub major: u32,
}

impl Clients {
    /// Those of all installations that understand a server of this major version, the oldest first: what a newer one
    /// writes may be beyond an older server.
    ///
    /// # Errors
    /// [`ClusterError::NoClients`] if there is none.
    pub async fn for_server(server: u32) -> Result<Vec<Self>, ClusterError> {
        let mut found = Vec::new();
        for folder in folders_of(["pg_dump", "pg_restore", "psql"]).await {
            match major_version_of(&folder.join("pg_dump"), None).await {
                Some(major) if major >= server => found.push(Self { folder, major }),
                _ => {}
            }
        }
        found.sort_by_key(|clients| clients.major);
        if found.is_empty() { Err(ClusterError::NoClients { server }) } else { Ok(found) }
    }

    /// One of the programs, cut off from the settings of whoever runs us; it ends with its handle.
    pub fn command(&self, program: &str) -> Command {
        let mut command = command(self.folder.join(program), None);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// The same, for the database at an address. That goes through the environment, which no other user can read:
    /// arguments, with a password among them, everybody can.
    pub fn command_at(&self, program: &str, address: &Config) -> Command {
        let mut command = self.command(program);
        command.arg("--no-password").envs(environment(address)).env("PGAPPNAME", program);
        command
    }
}

/// An address as libpq's variables.
fn environment(address: &Config) -> Vec<(&'static str, OsString)> {
    let joined = |parts: Vec<OsString>| (!parts.is_empty()).then(|| parts.join(OsStr::new(",")));
    let hosts = address.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.into(),
        Host::Unix(folder) => folder.clone().into_os_string(),
    });
    let ports = address.get_ports().iter().map(|port| port.to_string().into());
    let numbers = address.get_hostaddrs().iter().map(|number| number.to_string().into());
    let ssl = match address.get_ssl_mode() {
        SslMode::Disable => "disable",
        SslMode::Require => "require",
        _ => "prefer",
    };
    let text = |text: Option<&str>| text.map(OsString::from);
    let variables = [
        ("PGHOST", joined(hosts.collect())),
        ("PGHOSTADDR", joined(numbers.collect())),
        ("PGPORT", joined(ports.collect())),
        ("PGUSER", text(address.get_user())),
        ("PGDATABASE", text(address.get_dbname())),
        ("PGOPTIONS", text(address.get_options())),
        ("PGPASSWORD", address.get_password().map(|bytes| OsString::from_vec(bytes.to_owned()))),
        ("PGCONNECT_TIMEOUT", address.get_connect_timeout().map(|patience| patience.as_secs().to_string().into())),
        ("PGSSLMODE", Some(ssl.into())),
    ];
    variables.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(url: &str, name: &str) -> Option<String> {
        let variables = environment(&url.parse().expect("an address"));
        variables.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.into_string().expect("text"))
    }

    #[test]
    fn an_address_becomes_variables() {
        let url = "postgresql://owner:p%40ss@db.example:5433/registry?sslmode=disable&connect_timeout=7";
        for (name, value) in [
            ("PGHOST", "db.example"),
            ("PGPORT", "5433"),
            ("PGUSER", "owner"),
            ("PGPASSWORD", "p@ss"),
            ("PGDATABASE", "registry"),
            ("PGSSLMODE", "disable"),
            ("PGCONNECT_TIMEOUT", "7"),
        ] {
            assert_eq!(variable(url, name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(variable("postgresql://owner@/d?host=%2Frun%2Fsocket", "PGHOST").as_deref(), Some("/run/socket"));
        assert_eq!(variable("postgresql://owner@/d?host=%2Frun%2Fsocket", "PGPASSWORD"), None);
    }

    #[tokio::test]
    async fn there_is_none_for_a_server_of_the_far_future() {
        let error = Clients::for_server(999).await.expect_err("no such version");
        assert!(error.to_string().contains("postgresql-client-999"), "{error}");
    }
}
