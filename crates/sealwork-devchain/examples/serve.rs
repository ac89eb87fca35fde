//! Serves a chain until interrupted: `cargo run -p sealwork-devchain --example serve -- [PORT] [DATABASE]`.

use sealwork_devchain::{Config, Devchain};
use std::net::{Ipv4Addr, SocketAddr};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(Ok(8_545), |port| port.parse())?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let chain =
        Devchain::open(&Config { listen, path: arguments.next().map(Into::into), ..Config::default() })?;
    let handle = chain.start().await?;
    std::io::Write::write_all(&mut std::io::stdout(), format!("{}\n", handle.http_url()).as_bytes())?;
    tokio::signal::ctrl_c().await?;
    handle.stop().await;
    Ok(())
}
