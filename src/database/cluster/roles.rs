//! The roles and the database inside the cluster, made or mended at every start.

use std::path::Path;

use tokio_postgres::{Client, Config, NoTls};

use super::error::ClusterError;

/// The superuser that initdb makes. Only this module uses it.
pub(super) const SUPERUSER: &str = "postgres";

/// The database of the service.
pub(super) const DATABASE: &str = "pilot_exchange";

/// The role of the running service: reads and writes what it is granted, no DDL.
pub(super) const SERVICE: &str = "pilot_exchange";

/// The role of migrations: owns the database and its schema.
pub(super) const OWNER: &str = "pilot_exchange_owner";

/// Makes both roles and the database, or brings them back to what they should be.
pub(super) async fn prepare(socket: &Path) -> Result<(), ClusterError> {
    let server = connect(socket, SUPERUSER).await?;
    for role in [SERVICE, OWNER] {
        let known = "SELECT FROM pg_roles WHERE rolname = $1";
        if server.query_opt(known, &[&role]).await?.is_none() {
            server.batch_execute(&format!("CREATE ROLE {role}")).await?;
        }
        let limits = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";
        server.batch_execute(&format!("ALTER ROLE {role} {limits}")).await?;
    }
    let known = "SELECT FROM pg_database WHERE datname = $1";
    if server.query_opt(known, &[&DATABASE]).await?.is_none() {
        // template1 may have been given things of its own; template0 is always pristine.
        let create = format!("CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8'");
        server.batch_execute(&create).await?;
    }
    let database = connect(socket, DATABASE).await?;
    // PUBLIC may by default make temporary tables, which is DDL too.
    let rights = format!(
        "ALTER DATABASE {DATABASE} OWNER TO {OWNER};
         REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
         GRANT CONNECT ON DATABASE {DATABASE} TO {SERVICE};
         ALTER SCHEMA public OWNER TO {OWNER};
         REVOKE CREATE ON SCHEMA public FROM PUBLIC;
         GRANT USAGE ON SCHEMA public TO {SERVICE};"
    );
    database.batch_execute(&rights).await?;
    Ok(())
}

/// Connects as the superuser.
pub(super) async fn connect(socket: &Path, database: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = Config::new()
        .host_path(socket)
        .user(SUPERUSER)
        .dbname(database)
        .application_name("pilot-exchange cluster")
        .connect(NoTls)
        .await?;
    // Ends with its client; an error reaches the client's caller as well.
    tokio::spawn(connection);
    Ok(client)
}

/// The address of the database for `role`. `socket` holds only plain letters and slashes.
pub(super) fn url(role: &str, socket: &Path) -> String {
    let host = socket.display().to_string().replace('/', "%2F");
    format!("postgresql://{role}@/{DATABASE}?host={host}&port=5432")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tokio_postgres::config::Host;

    use super::*;

    #[test]
    fn the_driver_understands_the_address() {
        let socket = PathBuf::from("/var/lib/pilot-exchange/postgres/socket");
        let config: Config = url(OWNER, &socket).parse().expect("an address");
        assert_eq!(config.get_hosts(), [Host::Unix(socket)]);
        assert_eq!(config.get_ports(), [5432]);
        assert_eq!(config.get_user(), Some(OWNER));
        assert_eq!(config.get_dbname(), Some(DATABASE));
    }
}
