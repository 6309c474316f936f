//! `healthcheck`: one question to the running service, for containers that have no other client.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Failure;
use crate::config::{Config, ServiceSettings};

/// Asks `/readyz`.
pub async fn run(service: &ServiceSettings) -> Result<(), Failure> {
    let mut address = Config::of(service).map_err(Failure::configuration)?.listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
            .await?;
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    match tokio::time::timeout(std::time::Duration::from_secs(3), ask).await {
        Ok(Ok(answer)) if answer.ends_with(b" 200") => Ok(()),
        Ok(Ok(_)) => Err(Failure::other("the service is not ready")),
        Ok(Err(error)) => Err(Failure::other(format!("the service cannot be reached at {address}: {error}"))),
        Err(_) => Err(Failure::other("the service does not answer within 3 s")),
    }
}
