//! Connections to PostgreSQL. A connection string with `sslmode=require` gets an encrypted one to a server whose certificate
//! the operating system trusts for the host's name (stricter than libpq's mode of that name, which checks neither), another one
//! that is not encrypted. `SSL_CERT_FILE` names a file of certificates to trust instead of the system's.

use std::sync::{Arc, LazyLock};

use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What bytes go through, encrypted or not.
type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

static TLS: LazyLock<MakeRustlsConnect> = LazyLock::new(|| {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("the provider has its protocol versions");
    let builder = builder.with_platform_verifier().expect("the certificates to trust can be read");
    MakeRustlsConnect::new(builder.with_no_client_auth())
});

/// Connects; the second part has to be run.
///
/// # Errors
/// If there is nobody, nobody to trust, or nobody who lets us in.
pub async fn connect(config: &Config) -> Result<(Client, Connection<Socket, Stream>), tokio_postgres::Error> {
    let mut config = config.clone();
    if config.get_ssl_mode() != SslMode::Require {
        // Encrypted for nobody in particular is of no use, and fails where a server shows a certificate of its own making.
        config.ssl_mode(SslMode::Disable);
    }
    config.connect(TLS.clone()).await
}

/// The same, for statements of diesel.
///
/// # Errors
/// As [`connect`].
pub async fn connect_diesel(config: &Config) -> diesel::ConnectionResult<AsyncPgConnection> {
    let (client, connection) =
        connect(config).await.map_err(|error| ConnectionError::BadConnection(telling(&error)))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// An error with its cause, which alone says what is wrong.
pub fn telling(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
