//! Connections that are encrypted where the connection string asks for it, to a server that can be trusted.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::process::{Ended, Folder, free_port, run, send, until};
use crate::support::{binaries, owner};

/// A PostgreSQL of its own on TCP, with a certificate for `localhost` by an authority of its own.
struct Encrypted {
    postgres: Child,
    folder: Folder,
    port: u16,
}

fn done(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Makes ca.pem, and server.crt with server.key that it vouches for.
fn make_certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(folder).stdin(Stdio::null());
        done(command);
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=authority"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n").unwrap();
    openssl("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile names");
}

impl Encrypted {
    async fn start() -> Self {
        let (folder, port) = (Folder::new(), free_port());
        make_certificates(&folder.0);
        let (user, group) = owner();
        let chown = |path: &Path| std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
        chown(&folder.0);
        for file in ["server.key", "server.crt"] {
            chown(&folder.0.join(file));
        }
        let as_owner = |program: &str| {
            let mut command = Command::new(binaries().join(program));
            if rustix::process::getuid().is_root() {
                command.uid(user).gid(group);
            }
            command.current_dir(&folder.0).stdin(Stdio::null());
            command
        };
        let mut initdb = as_owner("initdb");
        initdb.args(["--pgdata=data", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        done(initdb);
        let mut postgres = as_owner("postgres");
        postgres.args(["-D", "data", "-c", "ssl=on", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        postgres.args([
            "-c",
            &format!("port={port}"),
            "-c",
            &format!("unix_socket_directories={}", folder.0.display()),
        ]);
        for (setting, file) in [("ssl_key_file", "server.key"), ("ssl_cert_file", "server.crt")] {
            postgres.args(["-c", &format!("{setting}={}", folder.0.join(file).display())]);
        }
        let postgres = postgres.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { postgres, folder, port };
        let url = server.url("disable", "localhost");
        until("it answers", Duration::from_secs(60), async || {
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.is_ok()
        })
        .await;
        server
    }

    fn url(&self, mode: &str, host: &str) -> String {
        format!("postgresql://postgres@{host}:{}/postgres?sslmode={mode}", self.port)
    }

    /// `migrate --check` on it, by the certificates in this file.
    fn asked(&self, url: &str, trusted: &str) -> Ended {
        let trusted = self.folder.0.join(trusted).display().to_string();
        run(&self.folder, &["migrate", "--check"], &[("DATABASE_URL", url), ("SSL_CERT_FILE", &trusted)])
    }
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        send(self.postgres.id(), Signal::QUIT);
        let _ = self.postgres.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_encrypted_where_that_is_asked_for_and_only_to_whom_can_be_trusted() {
    let server = Encrypted::start().await;
    // Nobody gets in without encryption from here on.
    let only = "hostssl all all 127.0.0.1/32 trust\nlocal all all trust\n";
    std::fs::write(server.folder.0.join("data/pg_hba.conf"), only).unwrap();
    send(server.postgres.id(), Signal::HUP);
    let refused =
        async || tokio_postgres::connect(&server.url("disable", "localhost"), tokio_postgres::NoTls).await.is_err();
    until("the rule holds", Duration::from_secs(20), refused).await;

    let missing = server.asked(&server.url("require", "localhost"), "ca.pem").refusal(1);
    assert!(missing.contains("migrations are missing"), "{missing}");
    let stranger = server.asked(&server.url("require", "localhost"), "server.crt").refusal(1);
    assert!(stranger.contains("cannot be reached") && stranger.contains("certificate"), "{stranger}");
    let other_name = server.asked(&server.url("require", "127.0.0.1"), "ca.pem").refusal(1);
    assert!(other_name.contains("cannot be reached") && other_name.contains("certificate"), "{other_name}");
    let plain = server.asked(&server.url("prefer", "localhost"), "ca.pem").refusal(1);
    assert!(plain.contains("no encryption"), "{plain}");
}
